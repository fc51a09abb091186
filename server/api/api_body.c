// The request object's functions for its body: those that read it once and keep it (body, json,
// form, form_all), and those that hand it out as it comes (chunks; parts and save have files of
// their own).
//
// The keeping ones have one stack: request, name or nil, options; their continuation is read_whole,
// whose context says what shall become of the bytes.
#include "api/api_body.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/api_parts.h"
#include "api/body_form.h"
#include "api/body_reader.h"
#include "api/body_struct.h"
#include "api/body_type.h"
#include "api/body_save.h"
#include "api/call.h"
#include "api/json_value.h"
#include "base/error.h"
#include "config/config.h"
#include "runtime/value.h"

enum { REQUEST = 1, NAME, OPTIONS };  // where the arguments are

// ---- body, json, form, form_all ----

/// What one of them makes of the kept body.
struct use {
  const char *operation;
  /// Returns false with a reason pushed when the body is of another type (415).
  bool (*accepts)(lua_State *L, const struct pl_call *call);
  int (*finish)(lua_State *L, struct pl_call *call);
};

static int finish_body(lua_State *L, struct pl_call *call) {
  struct pl_strv body = pl_body_view(L, call);
  lua_pushlstring(L, body.data, body.len);
  return 1;
}

static bool accepts_json(lua_State *L, const struct pl_call *call) {
  if (pl_body_is_json(call)) return true;
  pl_body_push_wrong_type(L, call, "application/json is");
  return false;
}

static int finish_json(lua_State *L, struct pl_call *call) {
  int depth = (int)pl_api_context(L)->config->limits_json_depth;
  if (pl_json_decode_value(L, pl_body_view(L, call), depth) == 0) return 1;
  lua_pushfstring(L, "the body is not JSON: %s", lua_tostring(L, -1));
  return pl_body_fail_with(L, OPTIONS, 400, lua_tostring(L, -1));
}

static bool accepts_form(lua_State *L, const struct pl_call *call) {
  struct pl_strv type = pl_body_type(call);
  if (pl_strv_eq_nocase(type, PL_STRV("application/x-www-form-urlencoded")) ||
      pl_strv_eq_nocase(type, PL_STRV("multipart/form-data")))
    return true;
  pl_body_push_wrong_type(L, call, "application/x-www-form-urlencoded or multipart/form-data is");
  return false;
}

static int finish_form(lua_State *L, struct pl_call *call) {
  int rc = pl_body_push_form(L, call, lua_isnil(L, NAME) ? 0 : NAME);
  if (rc == 0) return 1;
  if (rc == PL_ENOMEM) return pl_body_fail(L, OPTIONS, rc);
  if (rc == PL_ELIMIT)
    return pl_body_fail_with(L, OPTIONS, 413, "the form is beyond limits.query or limits.parts");
  return pl_body_fail_with(L, OPTIONS, 400, "the form is not properly encoded");
}

enum { USE_BODY, USE_JSON, USE_FORM, USE_FORM_ALL };

static const struct use uses[] = {
    [USE_BODY] = {"req:body", NULL, finish_body},
    [USE_JSON] = {"req:json", accepts_json, finish_json},
    [USE_FORM] = {"req:form", accepts_form, finish_form},
    [USE_FORM_ALL] = {"req:form_all", accepts_form, finish_form},
};

static int read_whole(lua_State *L, int status, lua_KContext which) {
  (void)status;
  const struct use *use = &uses[which];
  struct pl_call *call = pl_call_check(L, REQUEST);
  int rc = pl_body_keep(L, call, use->operation);
  if (rc == PL_EAGAIN) return pl_body_wait(L, call, which, read_whole);
  if (rc) return pl_body_fail(L, OPTIONS, rc);
  return use->finish(L, call);
}

/* stack: request, name or nil, options or nil. The type is looked at before a byte is asked for. */
static int use_body(lua_State *L, int which) {
  struct pl_call *call = pl_call_check(L, REQUEST);
  pl_body_check_options(L, OPTIONS);
  if (uses[which].accepts && !uses[which].accepts(L, call))
    return pl_body_fail_with(L, OPTIONS, 415, lua_tostring(L, -1));
  return read_whole(L, LUA_OK, which);
}

// For functions without a name: nil takes its place.
static int use_body_unnamed(lua_State *L, int which) {
  lua_settop(L, 2);
  lua_pushnil(L);
  lua_insert(L, NAME);
  return use_body(L, which);
}

static int request_body(lua_State *L) {
  return use_body_unnamed(L, USE_BODY);
}

static int request_json(lua_State *L) {
  return use_body_unnamed(L, USE_JSON);
}

static int request_form(lua_State *L) {
  return use_body_unnamed(L, USE_FORM);
}

static int request_form_all(lua_State *L) {
  luaL_checkstring(L, NAME);
  lua_settop(L, OPTIONS);
  return use_body(L, USE_FORM_ALL);
}

// ---- chunks ----

/* upvalue: request */
static int next_chunk(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  struct pl_call *call = pl_call_check(L, lua_upvalueindex(1));
  if (pl_buf_len(&call->pieces)) return pl_body_hand_out(L, &call->pieces);
  int rc = pl_body_gather(call, &call->pieces);
  if (rc && rc != PL_EOF && rc != PL_EAGAIN) return pl_body_raise(L, rc);
  if (pl_buf_len(&call->pieces)) return pl_body_hand_out(L, &call->pieces);
  return rc == PL_EOF ? 0 : pl_body_wait(L, call, ctx, next_chunk);
}

static int iterate_chunks(lua_State *L) {
  pl_wait_check(L, "req:chunks");
  lua_settop(L, 0);
  return next_chunk(L, LUA_OK, 0);
}

static int request_chunks(lua_State *L) {
  struct pl_call *call = pl_call_check(L, REQUEST);
  pl_body_begin_stream(L, call, "req:chunks");
  lua_settop(L, 1);
  lua_pushcclosure(L, iterate_chunks, 1);
  return 1;
}

static const luaL_Reg functions[] = {{"bytes", pl_api_request_bytes},
                                     {"array", pl_api_request_array},
                                     {"struct", pl_api_request_struct},
                                     {"body", request_body},
                                     {"json", request_json},
                                     {"form", request_form},
                                     {"form_all", request_form_all},
                                     {"chunks", request_chunks},
                                     {"parts", pl_api_request_parts},
                                     {"save", pl_api_request_save},
                                     {NULL, NULL}};

void pl_api_body_open(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
