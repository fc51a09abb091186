// What the bindings ask about the call that the running task works for.
#include "api/call.h"

#include "runtime/value.h"
#include "runtime/wait.h"

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
