// Reading the body. A task that waits for it is call->body_wait; tasks that read at the same time
// take turns between two waits, and the second one that has to wait is refused.
#include "api/body_reader.h"

#include <lauxlib.h>

#include "api/api.h"
#include "base/bytes.h"
#include "base/error.h"
#include "config/config.h"
#include "http/request_body.h"
#include "runtime/value.h"
#include "structs/box.h"

// ---- who may read ----

static int raise_handed_out(lua_State *L, const char *operation) {
  return luaL_error(L,
                    "%s: the body is handed out by chunks(), parts() or save() already, and it "
                    "comes only once: use one of them, or req:body() first and then only that",
                    operation);
}

static void check_time(lua_State *L, const struct pl_call *call, const char *operation) {
  if (call->x->is_answered)
    luaL_error(L, "%s: the request has been answered, its body is gone: read it before", operation);
}

static void free_pieces(void *arg) {
  struct pl_call *call = arg;
  pl_buf_deinit(&call->pieces);
}

static int begin_pieces(struct pl_call *call) {
  call->pieces.account = call->x->arena.account;
  return pl_arena_defer(&call->x->arena, free_pieces, call);
}

void pl_body_begin_stream(lua_State *L, struct pl_call *call, const char *operation) {
  check_time(L, call, operation);
  if (call->body_state == PL_BODY_STREAMED) raise_handed_out(L, operation);
  if (call->body_state != PL_BODY_UNREAD)
    luaL_error(L,
               "%s: the body was read already by body(), json() or form(): call %s first, or go "
               "on with req:body()",
               operation, operation);
  if (begin_pieces(call)) pl_body_raise(L, PL_ENOMEM);
  call->body_state = PL_BODY_STREAMED;
}

// ---- keeping it ----

struct pl_strv pl_body_view(lua_State *L, const struct pl_call *call) {
  if (call->body_box) {
    pl_box_check(L, call->body_box);
    return pl_strv(call->body_box->data, call->body_box->size);
  }
  const struct pl_bytes *body = call->x->body;
  return body ? pl_strv(body->data, body->size) : PL_STRV("");
}

// A route with `body = false` has no bound of its own, but what is kept in memory has.
static bool is_too_long_to_keep(lua_State *L, const struct pl_call *call) {
  if (!call->route || !call->route->body_is_unlimited) return false;
  size_t limit = pl_api_context(L)->config->limits_body_bytes;
  int64_t length = call->x->request.content_length;
  return (call->x->body && call->x->body->size > limit) || (length > 0 && (uint64_t)length > limit);
}

bool pl_body_is_refused(const struct pl_call *call) {
  pl_heap_report(&call->vm->heap);
  return pl_account_is_short(call->x->arena.account);
}

void pl_body_charge(lua_State *L, size_t old_bytes, size_t bytes) {
  struct pl_vm *vm = pl_vm_of(L);
  pl_heap_charge_outside(&vm->heap, vm->sched.current->charge, old_bytes, bytes);
}

// The body's memory is the request's. Returns: 0, or why there must not be so much of it.
static int settle(lua_State *L, struct pl_call *call) {
  size_t before = call->body_charged;
  call->body_charged = call->x->body_counted;
  pl_body_charge(L, before, call->body_charged);
  if (is_too_long_to_keep(L, call)) return PL_ELIMIT;
  return call->body_charged != before && pl_body_is_refused(call) ? PL_ENOMEM : 0;
}

static int read_on(lua_State *L, struct pl_call *call) {
  if (is_too_long_to_keep(L, call)) return PL_ELIMIT;
  int rc, refused;
  do {
    rc = call->x->ops->keep_body(call->x);
    if (rc == 0) rc = pl_request_body_make_room(call->x, 1);
    refused = settle(L, call);
  } while (rc == 0 && refused == 0);
  bool is_good = rc == 0 || rc == PL_EAGAIN || rc == PL_EOF;
  return is_good && refused ? refused : rc;
}

// A body that failed is of no use: what it holds may be what the others wait for.
static void drop(lua_State *L, struct pl_call *call) {
  pl_request_body_drop(call->x);
  pl_body_charge(L, call->body_charged, 0);
  call->body_charged = 0;
}

// The box counts the bytes from now on. Until it is there they are nobody's: when memory is short
// the body has failed.
struct pl_box *pl_body_push_box(lua_State *L, struct pl_call *call) {
  if (call->body_box) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->body_box_ref);
    return call->body_box;
  }
  if (call->is_finished) pl_call_raise_gone(L);  // nobody would give the reference back
  call->body_state = PL_BODY_FAILED;
  call->body_error = PL_ENOMEM;
  struct pl_bytes *bytes = pl_request_body_take(call->x);
  pl_body_charge(L, call->body_charged, 0);
  call->body_charged = 0;
  if (!bytes) bytes = pl_bytes_new(0);
  if (!bytes) luaL_error(L, "not enough memory");
  struct pl_box *box = pl_box_push(L, bytes);
  lua_pushvalue(L, -1);
  call->body_box_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  call->body_box = box;
  call->body_state = PL_BODY_KEPT;
  return box;
}

int pl_body_keep(lua_State *L, struct pl_call *call, const char *operation) {
  check_time(L, call, operation);
  if (call->body_state == PL_BODY_KEPT) return 0;
  if (call->body_state == PL_BODY_FAILED) return call->body_error;
  if (call->body_state == PL_BODY_STREAMED) return raise_handed_out(L, operation);
  pl_wait_check(L, operation);
  if (call->body_state == PL_BODY_UNREAD) {
    call->body_state = PL_BODY_READING;
  }
  int rc = read_on(L, call);
  if (rc == PL_EAGAIN) return rc;
  call->body_state = rc == PL_EOF ? PL_BODY_KEPT : PL_BODY_FAILED;
  call->body_error = rc;
  if (rc != PL_EOF) drop(L, call);
  return rc == PL_EOF ? 0 : rc;
}

// ---- as it comes ----

// Without chunks one call gives all that is there; to ask again would tell the carrier that a
// reader waits.
int pl_body_gather(struct pl_call *call, struct pl_buf *out) {
  if (call->x->is_answered) return PL_EINVAL;
  bool is_chunked = call->x->request.content_length < 0;
  int rc = 0;
  do {
    struct pl_strv piece;
    rc = call->x->ops->read_body(call->x, &piece);
    if (rc == 0) rc = pl_buf_append(out, piece.data, piece.len);
  } while (rc == 0 && is_chunked && pl_buf_len(out) < PL_BODY_PIECE_BYTES);
  return rc;
}

int pl_body_hand_out(lua_State *L, struct pl_buf *buf) {
  struct pl_strv bytes = pl_buf_view(buf);
  if (bytes.len > PL_BODY_PIECE_BYTES) bytes.len = PL_BODY_PIECE_BYTES;
  lua_pushlstring(L, bytes.data, bytes.len);
  pl_buf_consume(buf, bytes.len);
  return 1;
}

// ---- waiting ----

static void cancel_wait(struct pl_wait *wait) {
  PL_CONTAINER_OF(wait, struct pl_call, body_wait)->body_is_awaited = false;
}

int pl_body_wait(lua_State *L, struct pl_call *call, lua_KContext ctx, lua_KFunction k) {
  static const char operation[] = "reading the request's body";
  pl_wait_check(L, operation);
  if (call->body_is_awaited)
    return luaL_error(L, "the request's body is being read by another task: let one of them read "
                         "it and give it to the other");
  call->body_is_awaited = true;
  pl_wait_begin(L, &call->body_wait, operation, cancel_wait);
  return pl_wait_yield(L, ctx, k);
}

void pl_call_on_readable(struct pl_call *call) {
  if (!call->body_is_awaited) return;
  call->body_is_awaited = false;
  pl_wait_complete(&call->body_wait);
}

// ---- failing ----

static const struct failure {
  int code;
  int status;
  const char *message;
} failures[] = {
    {PL_ELIMIT, 413, "the body is longer than limits.body or its route's limit"},
    {PL_ETIMEDOUT, 408, "the body came too slowly (timeouts.body)"},
    {PL_EPROTO, 400, "the body is cut short, or its framing is broken"},
    {PL_ENOMEM, 503, "the server is short of memory (limits.memory)"},
    {PL_EINVAL, 500, "the request has been answered, its body is gone: read it before"},
};

static const struct failure *find_failure(int code) {
  for (size_t i = 0; i < PL_ARRAY_LEN(failures); i++)
    if (failures[i].code == code) return &failures[i];
  return NULL;
}

/* stack: ..., error object */
static void ask_to_retry(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "1");
  lua_setfield(L, -2, "Retry-After");
  lua_setfield(L, -2, "headers");
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "is_public");
}

int pl_body_raise(lua_State *L, int code) {
  const struct failure *f = find_failure(code);
  if (!f) return pl_call_raise_gone(L);
  pl_value_push_error(L, f->status, pl_error_name(code), f->message);
  if (f->status == 503) ask_to_retry(L);
  return lua_error(L);
}

void pl_body_check_options(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return;
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    const char *name = lua_tostring(L, -1);
    if (!name || strcmp(name, "silent") != 0)
      luaL_argerror(L, index,
                    lua_pushfstring(L, "unknown option '%s': only `silent` is one",
                                    name ? name : luaL_typename(L, -1)));
    lua_pop(L, 1);
  }
}

static bool is_silent(lua_State *L, int options) {
  if (!lua_istable(L, options)) return false;
  lua_getfield(L, options, "silent");
  bool silent = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return silent;
}

int pl_body_fail_with(lua_State *L, int options, int status, const char *message) {
  if (!is_silent(L, options)) return pl_call_raise(L, status, message);
  lua_pushnil(L);
  lua_pushstring(L, message);
  lua_pushinteger(L, status);
  return 3;
}

int pl_body_fail(lua_State *L, int options, int code) {
  const struct failure *f = find_failure(code);
  if (!f || code == PL_EINVAL || !is_silent(L, options)) return pl_body_raise(L, code);
  return pl_body_fail_with(L, options, f->status, f->message);
}
