// Saving: read a piece, have the pool write it, read the next; so memory stays constant, and a slow
// disk slows the client down. Whatever ends it early, the temporary file goes with the saver, which
// is a to-be-closed variable of the running function.
#include "api/body_save.h"

#include <errno.h>
#include <lauxlib.h>

#include "api/api.h"
#include "api/app_path.h"
#include "api/body_reader.h"
#include "api/multipart_reader.h"
#include "base/error.h"
#include "io/file_save.h"
#include "runtime/value.h"
#include "runtime/wait.h"

#define SAVER_TYPE "perilune.Saver"

enum { SELF = 1, PATH, OPTIONS, REQUEST, READER, SAVER };  // the stack of a save

struct saver {
  struct pl_wait wait;
  struct pl_file_save file;
  struct pl_buf data;  ///< read, not written yet
  uint64_t bytes;      ///< written
  int status;          ///< of the last step
  bool is_complete;    ///< data is all that is left
  bool is_committing;
  struct pl_multipart_reader *reader;  ///< NULL: the whole body
  uint64_t part;                       ///< the reader's number of the part that is saved
};

static void release(struct saver *s) {
  pl_file_save_abandon(&s->file);
  pl_buf_deinit(&s->data);
}

static int release_saver(lua_State *L) {
  release(luaL_checkudata(L, 1, SAVER_TYPE));
  return 0;
}

static void cancel_step(struct pl_wait *wait) {
  release(PL_CONTAINER_OF(wait, struct saver, wait));
}

static void on_step_done(struct pl_file_save *file, int status) {
  struct saver *s = PL_CONTAINER_OF(file, struct saver, file);
  s->status = status;
  pl_wait_complete(&s->wait);
}

static int fail_save(lua_State *L, int code) {
  lua_pushfstring(L, "save %s", lua_tostring(L, PATH));
  return pl_value_fail(L, code, lua_tostring(L, -1));
}

static int go_on(lua_State *L, int status, lua_KContext ctx);

// rc: what starting a step has returned
static int wait_for_step(lua_State *L, struct saver *s, int rc) {
  if (rc) return fail_save(L, rc);
  pl_wait_begin(L, &s->wait, "saving a file", cancel_step);
  return pl_wait_yield(L, 0, go_on);
}

// Another task may have asked for the next part meanwhile.
static int gather(lua_State *L, struct saver *s, struct pl_call *call) {
  if (s->reader && s->reader->number != s->part)
    luaL_error(L, "part:save: the next part was asked for before this one was saved");
  return s->reader ? pl_multipart_reader_gather(s->reader, call, &s->data, PL_BODY_PIECE_BYTES)
                   : pl_body_gather(call, &s->data);
}

static int fail_reading(lua_State *L, struct saver *s, int code) {
  if (s->reader) return pl_multipart_reader_raise(L, s->reader, code);
  return pl_body_fail(L, OPTIONS, code);
}

static int go_on(lua_State *L, int status, lua_KContext ctx) {
  struct saver *s = lua_touserdata(L, SAVER);
  struct pl_call *call = pl_call_check(L, REQUEST);
  (void)status, (void)ctx;
  if (s->status) return fail_save(L, s->status);
  if (s->is_committing) {
    lua_pushinteger(L, (lua_Integer)s->bytes);
    return 1;
  }
  if (!s->is_complete) {
    int rc = gather(L, s, call);
    if (rc && rc != PL_EOF && rc != PL_EAGAIN) return fail_reading(L, s, rc);
    if (rc == PL_EAGAIN && pl_buf_len(&s->data) == 0) return pl_body_wait(L, call, 0, go_on);
    s->is_complete = rc == PL_EOF;
  }
  pl_wait_check(L, "saving a file");
  if (pl_buf_len(&s->data)) {
    s->bytes += pl_buf_len(&s->data);
    return wait_for_step(L, s, pl_file_save_write(&s->file, &s->data));
  }
  if (!s->is_complete) return go_on(L, LUA_OK, 0);
  s->is_committing = true;
  return wait_for_step(L, s, pl_file_save_commit(&s->file));
}

static void push_saver(lua_State *L, struct pl_multipart_reader *reader) {
  struct saver *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (struct saver){.reader = reader,
                      .file.on_done = on_step_done,
                      .data.account = pl_api_context(L)->body.account};
  if (reader) s->part = reader->number;
  if (luaL_newmetatable(L, SAVER_TYPE)) {
    lua_pushcfunction(L, release_saver);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, release_saver);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
}

/* stack: SELF to READER */
static int begin(lua_State *L, struct pl_multipart_reader *reader) {
  push_saver(L, reader);
  struct saver *s = lua_touserdata(L, SAVER);
  const char *path = pl_api_push_app_path(L, PATH);
  if (!path) return fail_save(L, -ENOENT);
  lua_toclose(L, SAVER);
  return wait_for_step(L, s, pl_file_save_open(&s->file, pl_api_context(L)->loop, path));
}

int pl_api_request_save(lua_State *L) {
  struct pl_call *call = pl_call_check(L, 1);
  luaL_checkstring(L, PATH);
  lua_settop(L, OPTIONS);
  pl_body_check_options(L, OPTIONS);
  pl_wait_check(L, "req:save");
  pl_body_begin_stream(L, call, "req:save");
  lua_pushvalue(L, SELF);
  lua_pushnil(L);
  return begin(L, NULL);
}

int pl_body_save_part(lua_State *L, struct pl_multipart_reader *reader) {
  pl_wait_check(L, "part:save");
  lua_pushnil(L);
  lua_insert(L, OPTIONS);
  return begin(L, reader);
}
