// From a handler's return values to bytes.
//
// The usual ones (a string, a table) go out without an intermediate object. Header lines and JSON
// are put together in two buffers of the worker's, which are used again by every answer: nothing
// waits between filling them and handing them to the carrier.
#include "api/api_response.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/api_file.h"
#include "api/api_stream.h"
#include "api/call.h"
#include "api/json_answer.h"
#include "api/json_value.h"
#include "api/packed.h"
#include "api/packed_answer.h"
#include "api/problem.h"
#include "base/error.h"
#include "base/log.h"
#include "http/accept.h"
#include "http/headers.h"
#include "http/response.h"
#include "http/status.h"
#include "runtime/value.h"
#include "structs/operand.h"

#define RESPONSE_TYPE "perilune.Response"

static const struct pl_strv json_type = PL_STRV("application/json");
static const struct pl_strv text_type = PL_STRV("text/plain; charset=utf-8");
static const struct pl_strv html_type = PL_STRV("text/html; charset=utf-8");
static const struct pl_strv binary_type = PL_STRV("application/octet-stream");

void pl_api_response_open(lua_State *L) {
  luaL_newmetatable(L, RESPONSE_TYPE);
  lua_pop(L, 1);
}

bool pl_api_is_response(lua_State *L, int index) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, RESPONSE_TYPE);
  bool is_same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_same;
}

// ---- whose fault it is ----

// "GET /x (app.lua:12)": which handler returned it.
static const char *push_culprit(lua_State *L, const struct pl_call *call) {
  const struct pl_route *route = call->route;
  if (!route) return lua_pushliteral(L, "the not_found handler");
  return lua_pushfstring(L, "%s %s (%s)", route->method_text, route->pattern, route->where);
}

static int raise_about(lua_State *L, const struct pl_call *call, const char *problem) {
  const char *culprit = push_culprit(L, call);
  lua_pushfstring(L, "%s %s", culprit, problem);
  return pl_call_raise(L, 500, lua_tostring(L, -1));
}

// ---- header lines ----

static bool is_servers_own(struct pl_strv name) {
  static const struct pl_strv own[] = {PL_STRV("connection"),  PL_STRV("transfer-encoding"),
                                       PL_STRV("keep-alive"),  PL_STRV("upgrade"),
                                       PL_STRV("date"),        PL_STRV("server"),
                                       PL_STRV("x-request-id")};
  for (size_t i = 0; i < PL_ARRAY_LEN(own); i++)
    if (pl_strv_eq_nocase(name, own[i])) return true;
  return false;
}

// Title-Case, whatever the spelling: "x-request-id" -> "X-Request-Id".
static int append_name(struct pl_buf *out, struct pl_strv name) {
  char *to = pl_buf_reserve(out, name.len + 2);
  if (!to) return PL_ENOMEM;
  bool starts_word = true;
  for (size_t i = 0; i < name.len; i++) {
    char c = name.data[i];
    bool is_lower = c >= 'a' && c <= 'z';
    to[i] = starts_word && is_lower ? (char)(c - 32) : c;
    starts_word = c == '-';
  }
  memcpy(to + name.len, ": ", 2);
  pl_buf_grew(out, name.len + 2);
  return 0;
}

// stack: ..., value (a string or a number)
static void add_line(lua_State *L, struct pl_call *call, struct pl_buf *out, struct pl_strv name) {
  struct pl_strv value;
  int type = lua_type(L, -1);
  if (type != LUA_TSTRING && type != LUA_TNUMBER)
    raise_about(L, call,
                lua_pushfstring(L,
                                "has a %s as the value of the header '%s': a string, a "
                                "number or a list of these is expected",
                                luaL_typename(L, -1), name.data));
  lua_pushvalue(L, -1);
  value.data = lua_tolstring(L, -1, &value.len);
  if (!pl_header_value_is_valid(value))
    raise_about(L, call,
                lua_pushfstring(L, "has control characters in the header '%s'", name.data));
  if (append_name(out, name) || pl_buf_append(out, value.data, value.len) ||
      pl_buf_append(out, "\r\n", 2))
    luaL_error(L, "not enough memory");
  lua_pop(L, 1);
}

// What the lines leave out because the carrier writes it.
struct special_headers {
  struct pl_strv content_type;  ///< of `lines`' owner table; anchored by it
  int64_t content_length;       ///< -1: not given
};

// stack: ..., name, value. Returns: whether it was one that needs no line.
static bool take_special(lua_State *L, struct pl_call *call, struct pl_strv name,
                         struct special_headers *special) {
  if (pl_strv_eq_nocase(name, PL_STRV("content-type"))) {
    if (lua_type(L, -1) != LUA_TSTRING)
      raise_about(L, call, "has a content-type that is not a string");
    special->content_type.data = lua_tolstring(L, -1, &special->content_type.len);
    if (!pl_header_value_is_valid(special->content_type))
      raise_about(L, call, "has control characters in the header 'content-type'");
    return true;
  }
  if (!pl_strv_eq_nocase(name, PL_STRV("content-length"))) return false;
  int is_integer;
  special->content_length = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || special->content_length < 0)
    raise_about(L, call, "has a content-length that is not a number of bytes");
  return true;
}

// stack: ..., name, value
static void add_header(lua_State *L, struct pl_call *call, struct pl_buf *out,
                       struct special_headers *special) {
  struct pl_strv name = {0};
  if (lua_type(L, -2) == LUA_TSTRING) name.data = lua_tolstring(L, -2, &name.len);
  if (!name.data || !pl_token_is_valid(name))
    raise_about(L, call,
                lua_pushfstring(L, "has '%s' as the name of a header",
                                name.data ? name.data : luaL_typename(L, -2)));
  if (is_servers_own(name))
    raise_about(L, call,
                lua_pushfstring(L, "sets the header '%s', which is the server's", name.data));
  if (take_special(L, call, name, special)) return;
  if (!lua_istable(L, -1)) {
    add_line(L, call, out, name);
    return;
  }
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    add_line(L, call, out, name);
    lua_pop(L, 1);
  }
}

// The table at `index` (nil: none) as lines in the worker's header buffer.
static struct pl_strv make_lines(lua_State *L, struct pl_call *call, int index,
                                 struct special_headers *special) {
  struct pl_buf *out = &pl_api_context(L)->header_lines;
  *special = (struct special_headers){.content_length = -1};
  pl_buf_clear(out);
  if (lua_isnoneornil(L, index)) return (struct pl_strv){0};
  if (!lua_istable(L, index))
    raise_about(L, call,
                lua_pushfstring(L, "returned a %s where the table of headers belongs",
                                luaL_typename(L, index)));
  luaL_checkstack(L, 8, NULL);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) add_header(L, call, out, special);
  return pl_buf_view(out);
}

// ---- what was returned ----

static int check_status(lua_State *L, struct pl_call *call, int index, int body, int standard) {
  if (lua_isnoneornil(L, index)) return standard;
  int is_integer = 0;
  lua_Integer status =
      lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &is_integer) : 0;
  if (is_integer && status >= 200 && status <= 599) return (int)status;
  if (lua_type(L, index) == LUA_TSTRING)
    return raise_about(
        L, call,
        lua_pushfstring(L, "returned %s, '%s': an unchecked failure (assert, or abort(404))",
                        luaL_tolstring(L, body, NULL), lua_tostring(L, index)));
  return raise_about(
      L, call,
      lua_pushfstring(L, "returned the status %s: an integer from 200 to 599 is expected",
                      luaL_tolstring(L, index, NULL)));
}

/// An answer on its way from Lua values to the carrier.
struct answer {
  struct pl_response head;
  struct special_headers special;
  /// "html", "json", "file", "events", "problem", "text"; NULL: by the type of the body
  const char *kind;
  int body;  ///< stack index of the body's value
};

static void check_length(lua_State *L, struct pl_call *call, const struct answer *a) {
  if (a->special.content_length >= 0 && (uint64_t)a->special.content_length != a->head.body.len)
    raise_about(L, call, "sets a content-length that is not the body's");
}

static int hand_over(lua_State *L, struct pl_call *call, struct answer *a, struct pl_strv type) {
  a->head.content_type = a->special.content_type.len ? a->special.content_type : type;
  check_length(L, call, a);
  int error = call->x->ops->respond(call->x, &a->head);
  if (error == PL_ENOMEM) return luaL_error(L, "not enough memory");
  return 0;
}

// A long string is kept until it has been sent, so that it need not be copied.
static int send_string(lua_State *L, struct pl_call *call, struct answer *a, struct pl_strv type) {
  a->head.body.data = lua_tolstring(L, a->body, &a->head.body.len);
  bool can_hold = call->held_body == LUA_NOREF && !call->is_finished;
  if (a->head.body.len >= PL_HELD_BODY_BYTES && can_hold) {
    lua_pushvalue(L, a->body);
    call->held_body = luaL_ref(L, LUA_REGISTRYINDEX);
    a->head.body_is_held = true;
  }
  return hand_over(L, call, a, type);
}

static int send_json(lua_State *L, struct pl_call *call, struct answer *a) {
  struct pl_buf *out = &pl_api_context(L)->body;
  pl_buf_clear(out);
  pl_json_encode_value(L, a->body, out);
  a->head.body = pl_buf_view(out);
  int result = hand_over(L, call, a, json_type);
  if (out->cap > PL_SHARED_BUFFER_BYTES) pl_buf_deinit(out);
  return result;
}

static int send_problem(lua_State *L, struct pl_call *call, struct answer *a) {
  struct pl_buf *out = &pl_api_context(L)->body;
  struct pl_strv detail = {0};
  if (lua_type(L, a->body) == LUA_TSTRING) detail.data = lua_tolstring(L, a->body, &detail.len);
  bool as_html = pl_accept_prefers_html(&call->x->request.headers);
  pl_buf_clear(out);
  if (pl_problem_write(out, a->head.status, detail, call->x->id, as_html))
    return luaL_error(L, "not enough memory");
  a->head.body = pl_buf_view(out);
  return hand_over(L, call, a, as_html ? html_type : PL_STRV("application/problem+json"));
}

static int send_nothing(lua_State *L, struct pl_call *call, struct answer *a) {
  if (a->head.status >= 400) return send_problem(L, call, a);
  return hand_over(L, call, a, (struct pl_strv){0});
}

static int send_stream(lua_State *L, struct pl_call *call, struct answer *a, bool is_events) {
  a->head.content_type = a->special.content_type.len ? a->special.content_type : binary_type;
  a->head.length = a->special.content_length;
  lua_settop(L, a->body);
  return pl_api_send_stream(L, call, &a->head, is_events);
}

static int send_packed(lua_State *L, struct pl_call *call, struct answer *a,
                       const struct pl_operand *o) {
  struct pl_packed packed;
  a->head.content_type = a->special.content_type.len ? a->special.content_type : binary_type;
  a->head.body.len = o->span.count * o->span.layout->size;
  check_length(L, call, a);
  pl_packed_take(L, call, a->body, o, &packed);
  a->head.body = packed.text;
  a->head.hold = packed.hold;
  int error = call->x->ops->respond(call->x, &a->head);
  pl_packed_release(&packed, error);
  return error == PL_ENOMEM ? luaL_error(L, "not enough memory") : 0;
}

static int send_not_acceptable(lua_State *L, struct pl_call *call, struct answer *a,
                               const struct pl_operand *o) {
  lua_pushfstring(L, "%s is sent as application/octet-stream or application/json",
                  o->span.layout->name.data);
  a->body = lua_gettop(L);
  a->head.status = 406;
  a->special = (struct special_headers){.content_length = -1};
  return send_problem(L, call, a);
}

static int send_operand_json(lua_State *L, struct pl_call *call, struct answer *a,
                             const struct pl_operand *o) {
  bool is_long = pl_json_answer_is_long(o) && a->special.content_length < 0;
  if (!is_long) return send_json(L, call, a);
  a->head.content_type = a->special.content_type.len ? a->special.content_type : json_type;
  return pl_json_answer_send(L, call, o, &a->head);
}

// A struct, an array or bytes.
static int send_operand(lua_State *L, struct pl_call *call, struct answer *a,
                        const struct pl_operand *o) {
  struct pl_buf *lines = &pl_api_context(L)->header_lines;
  bool is_negotiated = a->special.content_type.len == 0;
  enum pl_packed_form form = pl_packed_choose(call, o, a->special.content_type);
  pl_packed_add_lines(L, lines, o, form, is_negotiated);
  a->head.headers = pl_buf_view(lines);
  if (form == PL_PACKED_JSON) return send_operand_json(L, call, a, o);
  if (form == PL_PACKED_NEITHER) return send_not_acceptable(L, call, a, o);
  return send_packed(L, call, a, o);
}

static int send_by_type(lua_State *L, struct pl_call *call, struct answer *a) {
  struct pl_operand o;
  switch (lua_type(L, a->body)) {
  case LUA_TSTRING:
    return send_string(L, call, a, text_type);
  case LUA_TTABLE:
    return send_json(L, call, a);
  case LUA_TNIL:
  case LUA_TNONE:
    return send_nothing(L, call, a);
  case LUA_TFUNCTION:
    return send_stream(L, call, a, false);
  case LUA_TUSERDATA:
    if (pl_operand_get(L, a->body, &o)) return send_operand(L, call, a, &o);
    // fall through
  default:
    return raise_about(
        L, call,
        lua_pushfstring(
            L, "returned the %s %s: a status goes second (return nil, 404); for text use tostring",
            luaL_typename(L, a->body), luaL_tolstring(L, a->body, NULL)));
  }
}

// response.json: whatever Accept says.
static int send_as_json(lua_State *L, struct pl_call *call, struct answer *a) {
  struct pl_operand o;
  if (lua_type(L, a->body) == LUA_TUSERDATA && pl_operand_get(L, a->body, &o) && !o.is_bytes)
    return send_operand_json(L, call, a, &o);
  return send_json(L, call, a);
}

static int send_by_kind(lua_State *L, struct pl_call *call, struct answer *a) {
  struct pl_strv kind = pl_strv_of(a->kind);
  if (pl_strv_eq(kind, PL_STRV("json"))) return send_as_json(L, call, a);
  if (pl_strv_eq(kind, PL_STRV("problem"))) return send_problem(L, call, a);
  if (pl_strv_eq(kind, PL_STRV("file"))) {
    a->head.content_type = a->special.content_type;
    return pl_api_send_file(L, call, a->body, &a->head);
  }
  if (pl_strv_eq(kind, PL_STRV("events"))) return send_stream(L, call, a, true);
  bool is_html = pl_strv_eq(kind, PL_STRV("html"));
  if (lua_type(L, a->body) != LUA_TSTRING) return send_by_type(L, call, a);
  return send_string(L, call, a, is_html ? html_type : text_type);
}

// A Response at `index`: a middleware may have changed any of its fields.
static int send_response(lua_State *L, struct pl_call *call, int index) {
  struct answer a = {.head.length = -1};
  luaL_checkstack(L, 8, NULL);
  lua_getfield(L, index, "headers");
  a.head.headers = make_lines(L, call, lua_gettop(L), &a.special);
  lua_getfield(L, index, "kind");
  a.kind = lua_tostring(L, -1);
  lua_getfield(L, index, "status");
  lua_getfield(L, index, "body");
  a.body = lua_gettop(L);
  a.head.status = check_status(L, call, a.body - 1, a.body, lua_isnil(L, a.body) ? 204 : 200);
  return a.kind ? send_by_kind(L, call, &a) : send_by_type(L, call, &a);
}

// The most usual answer, a short string alone, needs none of what the others do.
static bool send_plain_text(lua_State *L, struct pl_call *call, int index) {
  if (lua_gettop(L) != index || lua_type(L, index) != LUA_TSTRING) return false;
  struct pl_response r = {.status = 200, .content_type = text_type};
  r.body.data = lua_tolstring(L, index, &r.body.len);
  if (r.body.len >= PL_HELD_BODY_BYTES) return false;
  if (call->x->ops->respond(call->x, &r) == PL_ENOMEM) luaL_error(L, "not enough memory");
  return true;
}

int pl_api_send(lua_State *L, struct pl_call *call, int first) {
  if (send_plain_text(L, call, first)) return 0;
  if (lua_gettop(L) < first) lua_settop(L, first);
  if (pl_api_is_response(L, first)) {
    if (!lua_isnoneornil(L, first + 1))
      return raise_about(L, call, "returned more than its response value, which comes alone");
    return send_response(L, call, first);
  }
  struct answer a = {.head.length = -1, .body = first};
  bool is_nil = lua_isnil(L, first);
  a.head.status = check_status(L, call, first + 1, first, is_nil ? 204 : 200);
  a.head.headers = make_lines(L, call, first + 2, &a.special);
  return send_by_type(L, call, &a);
}

// ---- errors ----

static void log_failure(lua_State *L, struct pl_call *call, int index, int status) {
  struct pl_strv path = call->path, method = pl_method_name(call->x->request.method);
  const char *text = pl_value_text(L, index);
  pl_log(status >= 500 ? PL_LOG_ERROR : PL_LOG_INFO, "%.*s %.*s (%.*s): %s", (int)method.len,
         method.data, (int)path.len, path.data, (int)call->x->id.len, call->x->id.data, text);
}

void pl_api_report(lua_State *L, struct pl_call *call, int index) {
  lua_getfield(L, index, "status");
  int status = (int)lua_tointeger(L, -1);
  lua_getfield(L, index, "code");
  const char *code = lua_tostring(L, -1);
  bool is_cancelled = code && pl_strv_eq(pl_strv_of(code), PL_STRV("ECANCELED"));
  if (status >= 500 && !is_cancelled && call) log_failure(L, call, index, status);
  lua_pop(L, 2);
}

// Protected. stack: error object, call. An author's table is JSON, a string the problem's detail.
static int send_error(lua_State *L) {
  struct pl_call *call = lua_touserdata(L, 2);
  struct answer a = {.head.length = -1};
  lua_getfield(L, 1, "value");
  if (pl_api_is_response(L, -1)) return send_response(L, call, lua_gettop(L));
  lua_getfield(L, 1, "headers");
  a.head.headers = make_lines(L, call, lua_gettop(L), &a.special);
  lua_getfield(L, 1, "status");
  a.head.status = (int)lua_tointeger(L, -1);
  if (a.head.status < 200 || a.head.status > 599) a.head.status = 500;
  // What went wrong inside is nobody's business outside, unless its author chose the status.
  lua_getfield(L, 1, "is_public");
  bool is_public = a.head.status < 500 || lua_toboolean(L, -1);
  lua_getfield(L, 1, is_public ? "message" : "");
  a.body = lua_gettop(L);
  return lua_istable(L, a.body) ? send_json(L, call, &a) : send_problem(L, call, &a);
}

static int deadline_status(lua_State *L, int index) {
  int status = 0;
  lua_getfield(L, index, "reason");
  const char *reason = lua_tostring(L, -1);
  if (reason && pl_strv_eq(pl_strv_of(reason), PL_STRV("deadline"))) status = 503;
  if (reason && pl_strv_eq(pl_strv_of(reason), PL_STRV("drain"))) status = 503;
  lua_pop(L, 1);
  return status;
}

void pl_api_send_error(lua_State *L, struct pl_call *call, int index) {
  index = lua_absindex(L, index);
  pl_api_report(L, call, index);
  if (call->x->status) {
    if (!call->x->is_answered) call->x->ops->cut(call->x);
    return;
  }
  int status = deadline_status(L, index);
  if (status) {
    pl_api_send_problem(call, status, "the request took too long", "Retry-After: 1\r\n");
    return;
  }
  lua_pushcfunction(L, send_error);
  lua_pushvalue(L, index);
  lua_pushlightuserdata(L, call);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
    if (call->x->status)
      call->x->ops->cut(call->x);
    else
      pl_api_send_problem(call, 500, NULL, NULL);
  }
}
