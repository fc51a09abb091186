// A file of its own, so that the command line needs no lua.h to tell the version.
#include "runtime/lua_version.h"

#include <lua.h>

const char *pl_lua_version(void) {
  return LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE;
}
