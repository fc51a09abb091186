// The parts of a multipart body, one after the other as they come. A part object holds its fields
// and the number of the part; it can be read only while the reader is at that number.
#include "api/api_parts.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/body_reader.h"
#include "api/body_save.h"
#include "api/call.h"
#include "api/multipart_reader.h"
#include "base/error.h"
#include "config/config.h"
#include "runtime/wait.h"

#define PART_TYPE "perilune.Part"

struct part {
  uint64_t number;
};

enum { PART_FIELDS = 1, PART_READER, PART_REQUEST, PART_VALUES = PART_REQUEST };  // its user values

// ---- making a part ----

static void push_lower_case(lua_State *L, struct pl_strv text) {
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, text.len);
  for (size_t i = 0; i < text.len; i++)
    to[i] = (char)(text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] + 32 : text.data[i]);
  luaL_pushresultsize(&b, text.len);
}

// The values of equal names are joined by ", ". /* stack: ..., table */
static void add_header(lua_State *L, const struct pl_header *field) {
  push_lower_case(L, field->name);
  lua_pushvalue(L, -1);
  bool is_new = lua_rawget(L, -3) == LUA_TNIL;
  if (is_new)
    lua_pop(L, 1);
  else
    lua_pushliteral(L, ", ");
  lua_pushlstring(L, field->value.data, field->value.len);
  if (!is_new) lua_concat(L, 3);
  lua_rawset(L, -3);
}

static void push_headers(lua_State *L, const struct pl_headers *headers) {
  lua_createtable(L, 0, (int)headers->count);
  for (size_t i = 0; i < headers->count; i++) add_header(L, &headers->items[i]);
}

static void push_fields(lua_State *L, const struct pl_multipart_part *part) {
  lua_createtable(L, 0, 3);
  lua_pushlstring(L, part->name.data, part->name.len);
  lua_setfield(L, -2, "name");
  if (part->filename.data) {
    lua_pushlstring(L, part->filename.data, part->filename.len);
    lua_setfield(L, -2, "filename");
  }
  push_headers(L, &part->headers);
  lua_setfield(L, -2, "headers");
}

static void set_part_type(lua_State *L);

/* upvalues: request, reader */
static int push_part(lua_State *L, const struct pl_multipart_reader *reader) {
  struct part *part = lua_newuserdatauv(L, sizeof *part, PART_VALUES);
  part->number = reader->number;
  push_fields(L, &reader->parser.part);
  lua_setiuservalue(L, -2, PART_FIELDS);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setiuservalue(L, -2, PART_READER);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_setiuservalue(L, -2, PART_REQUEST);
  set_part_type(L);
  return 1;
}

// ---- the iterator ----

// What was not read of the part before is skipped. /* upvalues: request, reader */
static int next_part(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  struct pl_call *call = pl_call_check(L, lua_upvalueindex(1));
  struct pl_multipart_reader *reader = lua_touserdata(L, lua_upvalueindex(2));
  enum pl_multipart_event event;
  int rc;
  do {
    rc = pl_multipart_reader_next(reader, call, &event);
  } while (rc == 0 && event != PL_MULTIPART_PART && event != PL_MULTIPART_END);
  if (rc == PL_EAGAIN) return pl_body_wait(L, call, ctx, next_part);
  if (rc) return pl_multipart_reader_raise(L, reader, rc);
  return event == PL_MULTIPART_END ? 0 : push_part(L, reader);
}

static int iterate_parts(lua_State *L) {
  pl_wait_check(L, "req:parts");
  lua_settop(L, 0);
  return next_part(L, LUA_OK, 0);
}

int pl_api_request_parts(lua_State *L) {
  struct pl_call *call = pl_call_check(L, 1);
  lua_settop(L, 1);
  pl_multipart_reader_push(L, call);
  pl_body_begin_stream(L, call, "req:parts");
  lua_pushcclosure(L, iterate_parts, 2);
  return 1;
}

// ---- reading a part ----

// Pushes the part's reader. Raises when another part has begun.
static struct pl_multipart_reader *check_part(lua_State *L, int index) {
  struct part *part = luaL_checkudata(L, index, PART_TYPE);
  lua_getiuservalue(L, index, PART_READER);
  struct pl_multipart_reader *reader = lua_touserdata(L, -1);
  if (reader->number != part->number)
    luaL_error(L, "this part is over: read it before the next one is asked for");
  return reader;
}

static struct pl_call *part_call(lua_State *L, int index) {
  lua_getiuservalue(L, index, PART_REQUEST);
  struct pl_call *call = pl_call_check(L, -1);
  lua_pop(L, 1);
  return call;
}

// The part's content is handed out once.
static struct pl_multipart_reader *take_part(lua_State *L, const char *operation) {
  struct pl_multipart_reader *reader = check_part(L, 1);
  part_call(L, 1);
  lua_pop(L, 1);
  if (reader->is_taken) luaL_error(L, "%s: this part was read already", operation);
  reader->is_taken = true;
  return reader;
}

/* upvalue: part */
static int next_chunk(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  lua_settop(L, 0);
  struct pl_multipart_reader *reader = check_part(L, lua_upvalueindex(1));
  struct pl_call *call = part_call(L, lua_upvalueindex(1));
  if (pl_buf_len(&reader->content)) return pl_body_hand_out(L, &reader->content);
  int rc = pl_multipart_reader_gather(reader, call, &reader->content, PL_BODY_PIECE_BYTES);
  if (rc && rc != PL_EOF && rc != PL_EAGAIN) return pl_multipart_reader_raise(L, reader, rc);
  if (pl_buf_len(&reader->content)) return pl_body_hand_out(L, &reader->content);
  return rc == PL_EOF ? 0 : pl_body_wait(L, call, ctx, next_chunk);
}

static int iterate_chunks(lua_State *L) {
  pl_wait_check(L, "part:chunks");
  return next_chunk(L, LUA_OK, 0);
}

static int part_chunks(lua_State *L) {
  take_part(L, "part:chunks");
  lua_settop(L, 1);
  lua_pushcclosure(L, iterate_chunks, 1);
  return 1;
}

// What is kept in memory is bounded by limits.body, also where the route's body is not.
static int read_part(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  lua_settop(L, 1);
  struct pl_multipart_reader *reader = check_part(L, 1);
  struct pl_call *call = part_call(L, 1);
  size_t limit = pl_api_context(L)->config->limits_body_bytes;
  size_t before = reader->content.cap;
  int rc = pl_multipart_reader_gather(reader, call, &reader->content, limit + 1);
  pl_body_charge(L, before, reader->content.cap);
  if (rc == PL_EAGAIN && pl_body_is_refused(call)) rc = PL_ENOMEM;
  if (rc == PL_EAGAIN) return pl_body_wait(L, call, ctx, read_part);
  if (rc == 0) rc = PL_ELIMIT;
  if (rc != PL_EOF) return pl_multipart_reader_raise(L, reader, rc);
  struct pl_strv content = pl_buf_view(&reader->content);
  lua_pushlstring(L, content.data, content.len);
  pl_body_charge(L, reader->content.cap, 0);
  pl_buf_deinit(&reader->content);
  return 1;
}

static int part_body(lua_State *L) {
  pl_wait_check(L, "part:body");
  take_part(L, "part:body");
  return read_part(L, LUA_OK, 0);
}

static int part_save(lua_State *L) {
  luaL_checkstring(L, 2);
  struct pl_multipart_reader *reader = take_part(L, "part:save");
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, PART_REQUEST);
  lua_getiuservalue(L, 1, PART_READER);
  return pl_body_save_part(L, reader);
}

// ---- the type ----

/* upvalue: methods */
static int part_index(lua_State *L) {
  luaL_checkudata(L, 1, PART_TYPE);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, PART_FIELDS);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

static const luaL_Reg methods[] = {
    {"chunks", part_chunks}, {"body", part_body}, {"save", part_save}, {NULL, NULL}};

static void set_part_type(lua_State *L) {
  if (luaL_newmetatable(L, PART_TYPE)) {
    luaL_newlib(L, methods);
    lua_pushcclosure(L, part_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}
