-- For wrk: sends the bytes of a file, one request or several to pipeline.
--   wrk ... -s file.lua URL FILE
-- luacheck: globals init request
local bytes

function init(args)
  local file = assert(io.open(args[1], "rb"))
  bytes = file:read("*a")
  file:close()
end

function request()
  return bytes
end
