// What the bindings ask about the call that the running task works for, and the life of its request
// object. The objects of running requests are anchored in an array in the registry, one slot per
// call.
#include "api/call.h"

#include <lauxlib.h>

#include "api/api.h"
#include "runtime/value.h"
#include "runtime/wait.h"

static const char live_key = 0;  // registry: array of the request objects of running calls

void pl_call_open(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &live_key);
}

struct pl_call *pl_call_current(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  return task ? task->owner : NULL;
}

int pl_call_raise(lua_State *L, int status, const char *message) {
  pl_value_push_error(L, status, NULL, message);
  return lua_error(L);
}

int pl_call_raise_gone(lua_State *L) {
  pl_wait_raise_if_cancelled(L);
  pl_value_push_cancelled(L, pl_cancel_reason_name(PL_CANCEL_CLIENT));
  return lua_error(L);
}

void pl_call_await_drain(struct pl_call *call, struct pl_drain_waiter *waiter) {
  if (!call->drain_waiters.next) pl_list_init(&call->drain_waiters);
  pl_list_push_back(&call->drain_waiters, &waiter->link);
}

// Those who come back while the list is worked off wait for the next drain.
void pl_call_on_drain(struct pl_call *call) {
  struct pl_list now;
  if (!call->drain_waiters.next) return;
  pl_list_init(&now);
  pl_list_move_all(&now, &call->drain_waiters);
  while (!pl_list_is_empty(&now)) {
    struct pl_list *node = pl_list_pop_front(&now);
    struct pl_drain_waiter *waiter = PL_CONTAINER_OF(node, struct pl_drain_waiter, link);
    waiter->on_drain(waiter);
  }
}

// ---- the request object ----

static struct pl_strv copy_view(char **to, struct pl_strv s) {
  struct pl_strv copy = pl_strv(*to, s.len);
  if (s.len) memcpy(*to, s.data, s.len);
  *to += s.len;
  return copy;
}

static size_t bytes_to_copy(const struct pl_call *call, size_t captures) {
  size_t bytes = call->path.len + call->x->id.len + captures * sizeof(struct pl_strv);
  for (size_t i = 0; i < captures; i++) bytes += call->captures[i].len;
  return bytes;
}

static void make_request(lua_State *L, struct pl_call *call) {
  size_t captures = call->route ? call->route->capture_count : 0;
  struct pl_request_object *r = lua_newuserdatauv(L, sizeof *r + bytes_to_copy(call, captures), 1);
  r->call = call;
  r->route = call->route;
  r->method = call->x->request.method;
  r->captures = (struct pl_strv *)(void *)r->bytes;
  char *to = r->bytes + captures * sizeof(struct pl_strv);
  r->path = copy_view(&to, call->path);
  r->id = copy_view(&to, call->x->id);
  for (size_t i = 0; i < captures; i++) r->captures[i] = copy_view(&to, call->captures[i]);
  luaL_setmetatable(L, PL_REQUEST_TYPE);
}

// A free slot of the array holds the number of the next free one, so the array never shrinks and a
// slot that is used again allocates nothing. stack: array at `live`
static int take_slot(lua_State *L, int live) {
  struct pl_api_context *context = pl_api_context(L);
  if (!context->free_request_slot) return ++context->request_slots;
  int slot = context->free_request_slot;
  lua_rawgeti(L, live, slot);
  context->free_request_slot = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return slot;
}

void pl_call_push_request(lua_State *L, struct pl_call *call) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &live_key);
  if (call->request_slot) {
    lua_rawgeti(L, -1, call->request_slot);
  } else {
    make_request(L, call);
    int slot = take_slot(L, lua_absindex(L, -2));
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, slot);
    call->request_slot = slot;
  }
  lua_remove(L, -2);
}

void pl_call_forget_request(struct pl_call *call) {
  lua_State *L = call->vm->L;
  if (!call->request_slot) return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &live_key);
  lua_rawgeti(L, -1, call->request_slot);
  ((struct pl_request_object *)lua_touserdata(L, -1))->call = NULL;
  lua_pop(L, 1);
  struct pl_api_context *context = pl_api_context(L);
  lua_pushinteger(L, context->free_request_slot);
  lua_rawseti(L, -2, call->request_slot);
  lua_pop(L, 1);
  context->free_request_slot = call->request_slot;
  call->request_slot = 0;
}

struct pl_call *pl_call_live(lua_State *L, const struct pl_request_object *r) {
  if (!r->call)
    luaL_error(L, "the request is over: only id, method, path, params and ctx remain readable");
  return r->call;
}

struct pl_call *pl_call_check(lua_State *L, int index) {
  return pl_call_live(L, luaL_checkudata(L, index, PL_REQUEST_TYPE));
}
