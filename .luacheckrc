-- luacheck over lua/ and the tests' handlers; `luacheck lua`.
std = "lua54"
max_line_length = 100
cache = false
exclude_files = {"build"}
unused_args = false -- a handler that does not look at its request
files["lua/types"] = {ignore = {".*"}} -- annotations only
files["lua/examples"] = {ignore = {"211", "241"}} -- a <close> variable need not be read
