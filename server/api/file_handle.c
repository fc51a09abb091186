// native.open_file: opens beneath a root or relative to the app's folder, without blocking the
// loop. The handle is the operation as well: its finaliser cleans up whatever became of it.
#define _GNU_SOURCE  // O_PATH
#include "api/file_handle.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <unistd.h>

#include "api/api.h"
#include "api/app_path.h"
#include "base/error.h"
#include "io/file_job.h"
#include "runtime/value.h"
#include "runtime/wait.h"

#define FILE_TYPE "perilune.File"

enum { PATH = 1, ROOT, HANDLE };  // the stack of an opening

struct handle {
  struct pl_file *file;  ///< NULL: not open, taken or closed
  struct pl_file_open open;
  struct pl_wait wait;
  int status;
};

static int close_handle(lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, FILE_TYPE);
  pl_file_open_cancel(&h->open);
  pl_file_unref(h->file);
  h->file = NULL;
  return 0;
}

struct pl_file *pl_file_handle_take(lua_State *L, int index) {
  struct handle *h = luaL_checkudata(L, index, FILE_TYPE);
  struct pl_file *file = h->file;
  if (!file)
    luaL_error(L, "this file was sent or closed already: make a response.file for each answer");
  h->file = NULL;
  return file;
}

static void cancel_open(struct pl_wait *wait) {
  pl_file_open_cancel(&PL_CONTAINER_OF(wait, struct handle, wait)->open);
}

static void on_open(struct pl_file_open *open, int status, struct pl_file *file) {
  struct handle *h = PL_CONTAINER_OF(open, struct handle, open);
  h->status = status;
  h->file = file;
  pl_wait_complete(&h->wait);
}

static int fail_open(lua_State *L, int code) {
  lua_pushfstring(L, "open %s", lua_tostring(L, PATH));
  return pl_value_fail(L, code, lua_tostring(L, -1));
}

static int return_handle(lua_State *L, int status, lua_KContext ctx) {
  struct handle *h = lua_touserdata(L, HANDLE);
  (void)status, (void)ctx;
  if (h->status) return fail_open(L, h->status);
  lua_settop(L, HANDLE);
  return 1;
}

static struct handle *push_handle(lua_State *L) {
  struct handle *h = lua_newuserdatauv(L, sizeof *h, 0);
  *h = (struct handle){.open.on_done = on_open};
  if (luaL_newmetatable(L, FILE_TYPE)) {
    lua_pushcfunction(L, close_handle);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close_handle);
    lua_setfield(L, -2, "__close");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
  return h;
}

// The folder itself is looked up each time, so that one that is replaced, by a deployment say, is
// seen at once. Its name is in the kernel's cache, for it is used by every request.
static int start_beneath(lua_State *L, struct handle *h) {
  const char *folder = pl_api_push_app_path(L, ROOT);
  if (!folder) return -ENOENT;
  int root_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root_fd < 0) return -errno;
  struct pl_loop *loop = pl_api_context(L)->loop;
  int rc = pl_file_open_start(&h->open, loop, root_fd, lua_tostring(L, PATH), &h->file);
  close(root_fd);
  return rc;
}

static int start_open(lua_State *L, struct handle *h) {
  const char *path = pl_api_push_app_path(L, PATH);
  if (!path) return -ENOENT;
  if (!lua_isnil(L, ROOT)) return start_beneath(L, h);
  return pl_file_open_start(&h->open, pl_api_context(L)->loop, PL_FILE_NO_ROOT, path, &h->file);
}

int pl_api_open_file(lua_State *L) {
  luaL_checkstring(L, PATH);
  lua_settop(L, ROOT);
  if (!lua_isnil(L, ROOT)) luaL_checkstring(L, ROOT);
  pl_wait_check(L, "opening a file");
  struct handle *h = push_handle(L);
  h->status = start_open(L, h);
  if (h->status != PL_EAGAIN) return return_handle(L, LUA_OK, 0);
  pl_wait_begin(L, &h->wait, "opening a file", cancel_open);
  return pl_wait_yield(L, 0, return_handle);
}
