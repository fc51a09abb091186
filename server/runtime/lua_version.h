/// Which Lua this is.
#pragma once

/// "5.4.6". Static storage.
const char *pl_lua_version(void);
