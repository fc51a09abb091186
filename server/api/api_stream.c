// Streamed answers: the writer that fn(out) gets, and server-sent events.
//
// The writer is a to-be-closed variable of the function that sends the answer: however fn ends, it
// is closed before the call goes, and whoever still holds it gets an error. The head leaves with
// the first byte, so until then an error is an ordinary answer.
#include "api/api_stream.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/call.h"
#include "api/packed.h"
#include "base/error.h"
#include "http/event_stream.h"
#include "io/loop.h"
#include "runtime/value.h"
#include "structs/operand.h"

#define WRITER_TYPE "perilune.Writer"

enum { WRITER = 1, TEXT };  // the stack of a write

enum { PIECE_BYTES = 64 * 1024, COMMENT_MS = 15 * 1000 };

struct writer {
  struct pl_call *call;     ///< NULL: the stream has ended
  struct pl_response head;  ///< its texts are in the call's arena
  struct pl_loop *loop;
  struct pl_timer timer;  ///< events: when a comment is due
  bool is_events;
};

/// A task that waits until what was written has left; a userdata on its stack.
struct drain_wait {
  struct pl_wait wait;
  struct pl_drain_waiter waiter;
};

// ---- the writer ----

static struct writer *check_writer(lua_State *L) {
  struct writer *w = luaL_checkudata(L, WRITER, WRITER_TYPE);
  if (!w->call) {
    pl_wait_raise_if_cancelled(L);  // that is why, and it says more
    luaL_error(L, "the stream has ended: nothing can be written any more");
  }
  return w;
}

// Children that wait to write are woken: there will be no drain for them.
static int close_writer(lua_State *L) {
  struct writer *w = luaL_checkudata(L, WRITER, WRITER_TYPE);
  if (w->call) pl_call_on_drain(w->call);
  w->call = NULL;
  pl_timer_stop(&w->loop->wheel, &w->timer);
  return 0;
}

static int raise_failure(lua_State *L, int code) {
  if (code == PL_ENOMEM) return luaL_error(L, "not enough memory");
  if (code == PL_EINVAL)
    return luaL_error(L, "the stream's length is not the content-length that its headers announce");
  return pl_call_raise_gone(L);
}

static int start_once(struct pl_call *call, const struct pl_response *head) {
  return call->x->status ? 0 : call->x->ops->start(call->x, head);
}

static void delay_comment(struct writer *w) {
  if (w->is_events)
    pl_timer_start(&w->loop->wheel, &w->timer, pl_loop_now_ms(w->loop) + COMMENT_MS);
}

// Proxies and browsers give up on a connection that is silent. What goes wrong here shows at the
// next write.
static void write_comment(struct pl_timer *timer) {
  struct writer *w = PL_CONTAINER_OF(timer, struct writer, timer);
  struct pl_exchange *x = w->call->x;
  if (start_once(w->call, &w->head) == 0 && x->ops->write(x, PL_STRV(":\n\n")) == PL_ECONNRESET)
    return;
  delay_comment(w);
}

// ---- writing ----

static void cancel_drain(struct pl_wait *wait) {
  pl_list_remove(&PL_CONTAINER_OF(wait, struct drain_wait, wait)->waiter.link);
}

static void on_drain(struct pl_drain_waiter *waiter) {
  pl_wait_complete(&PL_CONTAINER_OF(waiter, struct drain_wait, waiter)->wait);
}

static int wait_for_drain(lua_State *L, struct pl_call *call, lua_KContext ctx, lua_KFunction k) {
  struct drain_wait *d = lua_newuserdatauv(L, sizeof *d, 0);
  d->waiter.on_drain = on_drain;
  pl_wait_begin(L, &d->wait, "out:write", cancel_drain);
  pl_call_await_drain(call, &d->waiter);
  return pl_wait_yield(L, ctx, k);
}

/* stack: writer, text. A long text goes in pieces, so that memory stays bounded. */
static int write_text(lua_State *L, int status, lua_KContext done) {
  (void)status;
  struct writer *w = check_writer(L);
  struct pl_exchange *x = w->call->x;
  struct pl_strv text;
  text.data = lua_tolstring(L, TEXT, &text.len);
  lua_settop(L, TEXT);
  while ((size_t)done < text.len) {
    size_t left = text.len - (size_t)done;
    size_t len = left < PIECE_BYTES ? left : PIECE_BYTES;
    int rc = x->ops->write(x, pl_strv(text.data + done, len));
    done += (lua_KContext)len;
    if (rc == PL_EAGAIN) return wait_for_drain(L, w->call, done, write_text);
    if (rc) return raise_failure(L, rc);
  }
  lua_settop(L, WRITER);
  return 1;
}

static struct writer *begin_write(lua_State *L, const char *operation) {
  struct writer *w = check_writer(L);
  pl_wait_check(L, operation);
  return w;
}

static void start_answer(lua_State *L, struct writer *w) {
  int rc = start_once(w->call, &w->head);
  if (rc) raise_failure(L, rc);
  delay_comment(w);
}

// ---- structs, arrays and bytes among what is written ----

// How far a write of several values is, in a lua_KContext.
enum { COUNT_BITS = 20 };  // Lua's stack has room for fewer values

static lua_KContext pack_progress(int left, size_t done) {
  return (lua_KContext)(done << COUNT_BITS | (unsigned)left);
}

// One value, or the next piece of a long text. Returns what the carrier does; *done: bytes of the
// value that have been taken, 0 when it is over.
/* stack: ..., value */
static int write_value(lua_State *L, const struct pl_call *call, size_t *done) {
  struct pl_exchange *x = call->x;
  struct pl_operand o;
  if (pl_operand_get(L, -1, &o)) {
    struct pl_packed packed;
    pl_packed_take(L, call, -1, &o, &packed);
    int rc = packed.hold.bytes ? x->ops->write_held(x, packed.text, &packed.hold)
                               : x->ops->write(x, packed.text);
    pl_packed_release(&packed, rc);
    return rc;
  }
  struct pl_strv text;
  text.data = lua_tolstring(L, -1, &text.len);
  size_t left = text.len - *done, len = left < PIECE_BYTES ? left : PIECE_BYTES;
  int rc = x->ops->write(x, pl_strv(text.data + *done, len));
  *done = len < left ? *done + len : 0;
  return rc;
}

// What does not leave at once is waited for.
/* stack: writer, values in the reverse order */
static int write_values(lua_State *L, int status, lua_KContext progress) {
  (void)status;
  struct writer *w = check_writer(L);
  int left = (int)(progress & ((1 << COUNT_BITS) - 1));
  size_t done = (size_t)progress >> COUNT_BITS;
  lua_settop(L, WRITER + left);
  while (left > 0) {
    int rc = write_value(L, w->call, &done);
    left -= done == 0;
    if (rc == PL_EAGAIN) return wait_for_drain(L, w->call, pack_progress(left, done), write_values);
    if (rc) return raise_failure(L, rc);
    lua_settop(L, WRITER + left);
  }
  return 1;
}

static bool check_value(lua_State *L, int index) {
  struct pl_operand o;
  if (lua_type(L, index) == LUA_TUSERDATA && pl_operand_get(L, index, &o)) return true;
  luaL_checkstring(L, index);
  return false;
}

static void reverse(lua_State *L, int first) {
  for (int last = lua_gettop(L); first < last; first++) {
    lua_pushvalue(L, -1);
    lua_insert(L, first);
    lua_pop(L, 1);
  }
}

static int writer_write(lua_State *L) {
  struct writer *w = begin_write(L, "out:write");
  int count = lua_gettop(L) - WRITER;
  bool has_packed = false;
  for (int i = TEXT; i <= count + WRITER; i++) has_packed |= check_value(L, i);
  start_answer(L, w);
  if (has_packed) {
    reverse(L, TEXT);
    return write_values(L, LUA_OK, pack_progress(count, 0));
  }
  lua_concat(L, count);
  return write_text(L, LUA_OK, 0);
}

static int writer_flush(lua_State *L) {
  struct writer *w = check_writer(L);
  start_answer(L, w);
  w->call->x->ops->flush(w->call->x);
  lua_settop(L, WRITER);
  return 1;
}

// ---- events ----

enum { EVENT = 2 };  // the stack of a send: writer, table

// The field's text; it stays on the stack. .data is NULL when there is none.
static struct pl_strv take_text(lua_State *L, const char *name) {
  struct pl_strv text = {0};
  int type = lua_getfield(L, EVENT, name);
  if (type == LUA_TNIL) return text;
  if (type != LUA_TSTRING && type != LUA_TNUMBER)
    luaL_error(L, "out:send: %s is a string or a number, got a %s", name, luaL_typename(L, -1));
  text.data = lua_tolstring(L, -1, &text.len);
  return text;
}

static struct pl_strv take_line(lua_State *L, const char *name) {
  struct pl_strv text = take_text(L, name);
  if (!pl_event_field_is_valid(text))
    luaL_error(L, "out:send: %s must not have line ends or NUL in it", name);
  return text;
}

static int64_t take_retry(lua_State *L) {
  if (lua_getfield(L, EVENT, "retry") == LUA_TNIL) return -1;
  int is_integer;
  lua_Integer ms = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || ms < 0)
    luaL_error(L, "out:send: retry is a whole number of milliseconds, got %s",
               luaL_tolstring(L, -1, NULL));
  return ms;
}

static void check_names(lua_State *L) {
  static const char *const names[] = {"data", "event", "id", "retry"};
  bool has_any = false;
  for (lua_pushnil(L); lua_next(L, EVENT); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    bool is_known = false;
    for (size_t i = 0; name && i < PL_ARRAY_LEN(names); i++)
      is_known = is_known || pl_strv_eq(pl_strv_of(name), pl_strv_of(names[i]));
    if (!is_known)
      luaL_error(L, "out:send: unknown field '%s': data, event, id and retry are the fields",
                 name ? name : luaL_typename(L, -2));
    has_any = true;
  }
  if (!has_any) luaL_error(L, "out:send: an event has at least one of data, event, id, retry");
}

/* out:send{data =, event =, id =, retry =} */
static int writer_send(lua_State *L) {
  struct writer *w = begin_write(L, "out:send");
  if (!w->is_events) return luaL_error(L, "out:send is for response.events; use out:write");
  luaL_checktype(L, EVENT, LUA_TTABLE);
  lua_settop(L, EVENT);
  check_names(L);
  struct pl_event event = {.data = take_text(L, "data"), .retry_ms = take_retry(L)};
  event.event = take_line(L, "event");
  event.id = take_line(L, "id");
  struct pl_buf *out = &pl_api_context(L)->body;
  pl_buf_clear(out);
  if (pl_event_write(out, &event)) return luaL_error(L, "not enough memory");
  start_answer(L, w);
  int rc = w->call->x->ops->write(w->call->x, pl_buf_view(out));
  if (out->cap > PL_SHARED_BUFFER_BYTES) pl_buf_deinit(out);
  if (rc && rc != PL_EAGAIN) return raise_failure(L, rc);
  lua_settop(L, WRITER);
  lua_pushliteral(L, "");  // nothing more to write once this has left
  return rc ? wait_for_drain(L, w->call, 0, write_text) : write_text(L, LUA_OK, 0);
}

// ---- an answer ----

static const luaL_Reg methods[] = {
    {"write", writer_write}, {"flush", writer_flush}, {"send", writer_send}, {NULL, NULL}};

static void set_type(lua_State *L) {
  if (luaL_newmetatable(L, WRITER_TYPE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, close_writer);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, close_writer);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

// The head's texts are the worker's and the script's: fn may wait, so they are copied.
static int copy_head(struct pl_call *call, struct pl_response *head) {
  struct pl_strv *texts[] = {&head->headers, &head->content_type};
  for (size_t i = 0; i < PL_ARRAY_LEN(texts); i++) {
    if (texts[i]->len == 0) continue;
    texts[i]->data = pl_arena_copy(&call->x->arena, *texts[i]);
    if (!texts[i]->data) return PL_ENOMEM;
  }
  return 0;
}

static int finish(lua_State *L, struct pl_call *call, const struct pl_response *head) {
  int rc = start_once(call, head);
  if (rc == 0) rc = call->x->ops->finish(call->x);
  return rc ? raise_failure(L, rc) : 0;
}

/* fn has returned; the writer is at `index` */
static int end_stream(lua_State *L, int status, lua_KContext index) {
  (void)status;
  struct writer *w = lua_touserdata(L, (int)index);
  return finish(L, pl_call_current(L), &w->head);
}

/* stack: ..., fn */
int pl_api_send_stream(lua_State *L, struct pl_call *call, const struct pl_response *head,
                       bool is_events) {
  if (call->x->request.method == PL_METHOD_HEAD) return finish(L, call, head);
  // First: the finaliser that Lua may run for any new object may use the worker's buffers, too.
  struct pl_response own = *head;
  if (copy_head(call, &own)) return luaL_error(L, "not enough memory");
  struct writer *w = lua_newuserdatauv(L, sizeof *w, 0);
  *w = (struct writer){.head = own, .loop = pl_api_context(L)->loop, .is_events = is_events};
  set_type(L);
  w->call = call;
  w->timer.fn = write_comment;
  lua_insert(L, -2);
  int index = lua_gettop(L) - 1;
  lua_toclose(L, index);
  lua_pushvalue(L, index);
  delay_comment(w);
  lua_callk(L, 1, 0, index, end_stream);
  return end_stream(L, LUA_OK, index);
}
