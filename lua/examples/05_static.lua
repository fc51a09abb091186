-- Static files beside a route: types, conditional requests, ranges, index files, downloads.
--
--   perilune lua/examples/05_static.lua
--
--   $ curl http://127.0.0.1:8080/motto.txt
--   Small, and made for one thing.
--
--   $ curl -r 0-4 http://127.0.0.1:8080/motto.txt
--   Small
--
--   $ curl -o /dev/null -w '%{content_type}' http://127.0.0.1:8080/
--   text/html; charset=utf-8
--
--   $ curl -o /dev/null -w '%{http_code} %{redirect_url}' http://127.0.0.1:8080/docs
--   308 http://127.0.0.1:8080/docs/
--
--   $ curl -o /dev/null -w '%{http_code}' --path-as-is http://127.0.0.1:8080/../05_static.lua
--   404
--
--   $ curl http://127.0.0.1:8080/time.txt
--   a route wins over a file
--
--   $ curl -o /dev/null -w '%header{content-disposition}' http://127.0.0.1:8080/download
--   attachment; filename="our motto.txt"; filename*=UTF-8''our%20motto.txt

local perilune = require "perilune"
local response = require "perilune.response"
local app = perilune.app()

-- The folder is looked for beside this file.
app:static("/", "public", {headers = {["Cache-Control"] = "max-age=60"}})

app:get("/time.txt", function() return "a route wins over a file" end)

app:get("/download", function()
  return response.file("public/motto.txt", {name = "our motto.txt"})
end)

return app
