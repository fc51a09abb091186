// A scope is a child task and its caller's wait for it (a join: wait.h). The kinds
// differ in what cancels it and in what becomes of that.
#include "api/task_scope.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "api/api.h"
#include "api/task_child.h"
#include "base/error.h"
#include "io/loop.h"
#include "runtime/grace.h"
#include "runtime/results.h"
#include "runtime/task.h"
#include "runtime/value.h"
#include "runtime/wait.h"

enum { STATUS_UNAVAILABLE = 503, STATUS_GATEWAY_TIMEOUT = 504 };

/// The caller's side; a userdata at the bottom of its stack while it waits.
struct join {
  struct pl_wait wait;
  struct pl_timer timer;  ///< task.timeout's
  struct pl_loop *loop;
  struct pl_task *child;  ///< kept for the caller until it takes the result
  double seconds;         ///< task.timeout's, for its message
};

static void stop_timer(struct join *j) {
  pl_timer_stop(&j->loop->wheel, &j->timer);
}

static void cancel_join(struct pl_wait *wait) {
  struct join *j = PL_CONTAINER_OF(wait, struct join, wait);
  stop_timer(j);
  pl_task_unjoin(j->child);
}

static void on_time_over(struct pl_timer *timer) {
  pl_task_cancel(PL_CONTAINER_OF(timer, struct join, timer)->child, PL_CANCEL_TIMEOUT);
}

static void on_scope_gone(struct pl_task *child) {
  if (child->joiner) stop_timer(PL_CONTAINER_OF(child->joiner, struct join, wait));
}

// Without its joiner, who was ended from outside, nobody is left who would hear of its failure.
static void on_scope_end(struct pl_task *child) {
  if (!child->joiner) pl_task_child_ops.on_end(child);
}

static const struct pl_task_ops scope_ops = {.on_end = on_scope_end, .on_gone = on_scope_gone};

// ---- the outcome ----

/// What a scope came to; its values or its error object are on the caller's stack.
struct outcome {
  int count;
  bool is_failure;
  bool is_cancellation;  ///< it says no more than that the scope was cancelled; or it has values,
                         ///< but children of it were cut
  enum pl_cancel_reason reason;  ///< why it was
};

// Pushes the result of a scope that has gone, and gives its task back.
static struct outcome take_outcome(lua_State *L, struct pl_task *child) {
  struct outcome o = {.is_failure = true, .reason = child->cancelled, .count = 1};
  if (child->has_failed_child) {
    pl_task_push_failure(L, child);
  } else {
    o.count = pl_results_push(L, child->co, child->id);
    o.is_failure = child->has_failed || o.count < 0;
  }
  if (o.count < 0) {
    o.count = 1;
    pl_value_push_error(L, STATUS_UNAVAILABLE, pl_error_name(PL_ENOMEM),
                        "out of memory: the task's result is lost");
  }
  o.is_cancellation = o.is_failure ? pl_task_is_cancellation(L, child) : child->has_cut_child;
  return o;
}

static int raise_timeout(lua_State *L, double seconds) {
  lua_pushfstring(L, "timeout: the %f s of task.timeout are over", seconds);
  pl_value_push_error(L, STATUS_GATEWAY_TIMEOUT, pl_error_name(PL_ETIMEDOUT), lua_tostring(L, -1));
  lua_pushliteral(L, "timeout");
  lua_setfield(L, -2, "reason");
  return lua_error(L);
}

/* stack: join */
static int return_outcome(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  struct join *j = lua_touserdata(L, 1);
  struct outcome o = take_outcome(L, j->child);
  pl_task_release(j->child);
  // What cancelled the caller says more than what its child heard of it.
  if (o.is_cancellation) {
    pl_wait_raise_if_cancelled(L);
    if (o.reason == PL_CANCEL_TIMEOUT && j->seconds >= 0) return raise_timeout(L, j->seconds);
  }
  return o.is_failure ? lua_error(L) : o.count;
}

// ---- opening ----

static struct join *push_join(lua_State *L) {
  struct join *j = lua_newuserdatauv(L, sizeof *j, 0);
  *j = (struct join){.loop = pl_api_context(L)->loop, .timer.fn = on_time_over, .seconds = -1};
  return j;
}

// stack: fn, its arguments, join at the top. Suspends the caller until the child has gone.
static int join_child(lua_State *L, struct join *j, int fn, const char *operation) {
  pl_wait_begin_join(L, &j->wait, operation, cancel_join);
  pl_task_join(j->child, &j->wait);
  pl_task_child_start(L, j->child, fn, lua_gettop(L) - 1);
  lua_replace(L, 1);
  lua_settop(L, 1);
  return pl_wait_yield(L, 0, return_outcome);
}

// Pushes a join with a child that does not run yet.
static struct join *open_scope(lua_State *L, int fn, const char *operation) {
  pl_task_child_check(L, fn);
  struct pl_task *task = pl_task_current(L);
  struct join *j = push_join(L);
  j->child = pl_task_child_new(L, task, &scope_ops, operation);
  j->child->is_scope = true;
  return j;
}

int pl_task_run_scope(lua_State *L) {
  static const char operation[] = "task.group";
  pl_wait_check(L, operation);
  return join_child(L, open_scope(L, 1, operation), 1, operation);
}

int pl_task_timeout(lua_State *L) {
  static const char operation[] = "task.timeout";
  uint64_t due_ms = pl_api_check_due(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  pl_wait_check(L, operation);
  struct join *j = open_scope(L, 2, operation);
  j->seconds = lua_tonumber(L, 1);
  struct pl_task *child = j->child;
  if (!child->deadline_ms || due_ms < child->deadline_ms) child->deadline_ms = due_ms;
  pl_timer_start(&j->loop->wheel, &j->timer, due_ms);
  return join_child(L, j, 2, operation);
}

int pl_task_shield(lua_State *L) {
  static const char operation[] = "task.shield";
  pl_wait_check_place(L, operation);
  struct join *j = open_scope(L, 1, operation);
  j->child->is_shield = true;
  if (j->child->parent->cancelled) pl_grace_share(j->child, j->child->parent);
  return join_child(L, j, 1, operation);
}
