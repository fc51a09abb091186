-- app:static: files below a folder, with index files and the redirect from /dir to /dir/.

local native = require "perilune.native"
local response = require "perilune.response"

local static = {}

local function is_missing(code)
  return code == "ENOENT" or code == "ENOTDIR" or code == "ELOOP" or code == "EXDEV"
    or code == "EACCES" or code == "ENAMETOOLONG"
end

local function answer(file, path, headers)
  local res = response.new(nil, 200, headers)
  res.kind, res.body = "file", file
  res.headers["content-type"] = res.headers["content-type"] or native.mime(path)
  return res
end

-- The location keeps the path as it was sent; a second slash at its start would name a host.
local function redirect_to_folder(req)
  local target = req.target:match("^[^?#]*"):gsub("^/+", "/")
  local query = req.query_string
  return response.redirect(target .. "/" .. (query ~= "" and "?" .. query or ""), 308)
end

-- @param miss what answers when there is no such file
function static.handler(folder, options, miss)
  local index = options.index == nil and "index.html" or options.index
  return function(req)
    local path = req.params.path
    if path == "" or path:sub(-1) == "/" then
      if not index then return miss(req) end
      path = path .. index
    end
    local file, message, code = native.open_file(path, folder)
    if file then return answer(file, path, options.headers) end
    if code == "EISDIR" and index then
      local has_index <close> = native.open_file(path .. "/" .. index, folder)
      if has_index then return redirect_to_folder(req) end
      return miss(req)
    end
    if code == "EISDIR" or is_missing(code) then return miss(req) end
    error(message, 0)
  end
end

return static
