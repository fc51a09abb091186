-- JSON both ways: a small collection of notes, with the status codes that go with it.
--
--   perilune lua/examples/02_json.lua
--
--   $ curl http://127.0.0.1:8080/notes
--   []
--
--   $ curl --json '{"text": "buy milk"}' http://127.0.0.1:8080/notes
--   {"id":1,"text":"buy milk"}
--
--   $ curl http://127.0.0.1:8080/notes/1
--   {"id":1,"text":"buy milk"}
--
--   $ curl --json '{"text": 5}' http://127.0.0.1:8080/notes
--   {"problems":{"text":"a string is expected"}}
--
--   $ curl -X DELETE -w '%{http_code}' http://127.0.0.1:8080/notes/1
--   204
--
--   $ curl http://127.0.0.1:8080/notes/1
--   {..."status":404,"detail":"no such note"...}

local perilune = require "perilune"
local json = require "perilune.json"
local app = perilune.app()

-- A variable lives in one worker; with more than one (-w) each has notes of its own.
local notes, last_id = {}, 0

local function find_note(req)
  local note = notes[tonumber(req.params.id)]
  if not note then perilune.abort(404, "no such note") end
  return note
end

app:get("/notes", function()
  local list = json.array()
  for id = 1, last_id do list[#list + 1] = notes[id] end
  return list
end)

app:post("/notes", function(req)
  local text = req:json().text
  if type(text) ~= "string" then
    return {problems = {text = "a string is expected"}}, 422
  end
  last_id = last_id + 1
  notes[last_id] = {id = last_id, text = text}
  return notes[last_id], 201, {location = "/notes/" .. last_id}
end)

app:get("/notes/:id", find_note)

app:delete("/notes/:id", find_note, function(_, note)
  notes[note.id] = nil
  return nil
end)

return app
