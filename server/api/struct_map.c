// The file is opened in place: that waits for the disk once, as reading its pages may later, when
// they are first looked at. For what is loaded at the start.
#include "api/struct_map.h"

#include <errno.h>
#include <lauxlib.h>

#include "api/app_path.h"
#include "base/bytes.h"
#include "base/error.h"
#include "io/file.h"
#include "runtime/value.h"
#include "structs/box.h"

static int map_file(const char *path, struct pl_bytes **bytes) {
  struct pl_file *file;
  int rc = pl_file_open_beneath(PL_FILE_NO_ROOT, path, &file);
  if (rc) return rc;
  rc = file->size > SIZE_MAX / 2 ? PL_ENOMEM : pl_bytes_map(file->fd, (size_t)file->size, bytes);
  pl_file_unref(file);
  return rc;
}

int pl_api_struct_map(lua_State *L) {
  struct pl_bytes *bytes;
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  const char *path = pl_api_push_app_path(L, 1);
  int rc = path ? map_file(path, &bytes) : -ENOENT;
  if (rc) {
    lua_pushfstring(L, "map %s", lua_tostring(L, 1));
    return pl_value_fail(L, rc, lua_tostring(L, -1));
  }
  pl_box_push(L, bytes);
  return 1;
}
