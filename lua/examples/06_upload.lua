-- Uploads: the parts of a form, saved as they arrive; a raw body, counted as it arrives.
--
--   perilune lua/examples/06_upload.lua
--
--   $ echo 'buy milk' >note.txt
--   $ curl -F title=Shopping -F file=@note.txt http://127.0.0.1:8080/upload
--   {"title":"Shopping","files":[{"name":"note.txt","url":"/files/1"}]}
--
--   $ curl http://127.0.0.1:8080/files/1
--   buy milk
--
--   $ curl -T note.txt http://127.0.0.1:8080/count
--   9 bytes
--
-- The files go to the folder UPLOADS of the environment, by default /tmp.

local perilune = require "perilune"
local json = require "perilune.json"
local response = require "perilune.response"
local app = perilune.app{body = "1g"}

local folder = os.getenv("UPLOADS") or "/tmp"
local files, last_id = {}, 0

-- A file's name on disk is ours: what the client calls it is kept, never used as a path.
local function keep(part)
  last_id = last_id + 1
  local id = last_id
  local path = ("%s/perilune-upload-%d"):format(folder, id)
  assert(part:save(path))
  files[id] = {name = part.filename, path = path}
  return {name = part.filename, url = "/files/" .. id}
end

app:post("/upload", function(req)
  local answer = {files = json.array()}
  for part in req:parts() do
    if part.filename then
      table.insert(answer.files, keep(part))
    else
      answer[part.name] = part:body()
    end
  end
  return answer, 201
end)

app:get("/files/:id", function(req)
  local file = files[tonumber(req.params.id)]
  if not file then return nil, 404 end
  return response.file(file.path, {name = file.name})
end)

-- body = false lifts the limit: nothing is kept.
app:put("/count", {body = false}, function(req)
  local bytes = 0
  for chunk in req:chunks() do bytes = bytes + #chunk end
  return bytes .. " bytes"
end)

return app
