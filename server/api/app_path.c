// The app's folder in front of a relative path.
#include "api/app_path.h"

#include <lauxlib.h>
#include <string.h>

#include "api/api.h"

const char *pl_api_push_app_path(lua_State *L, int index) {
  size_t len;
  const char *path = luaL_checklstring(L, index, &len);
  const char *folder = pl_api_context(L)->app_folder;
  if (strlen(path) != len) return NULL;
  if (*path == '/' || *folder == '\0') {
    lua_pushvalue(L, index);
    return lua_tostring(L, -1);
  }
  return lua_pushfstring(L, "%s/%s", folder, path);
}
