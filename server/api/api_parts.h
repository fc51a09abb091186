/// req:parts().
#pragma once

#include <lua.h>

/// req:parts() -> iterator of parts
int pl_api_request_parts(lua_State *L);
