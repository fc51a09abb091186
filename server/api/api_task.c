// perilune.task: sleep, now, spawn, self, id, pointer, result. Handles are task_handle.c's.
#include "api/api.h"

#include "api/api_channel.h"
#include "api/api_semaphore.h"
#include "api/task_handle.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/list.h"
#include "io/loop.h"
#include "runtime/results.h"
#include "runtime/run.h"
#include "runtime/task.h"
#include "runtime/value.h"
#include "runtime/wait.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum { STATUS_UNAVAILABLE = 503 };

// ---- time ----

/// A userdata on the sleeper's stack.
struct sleeper {
  struct pl_wait wait;
  struct pl_timer timer;
  struct pl_loop *loop;
};

static void cancel_sleep(struct pl_wait *wait) {
  struct sleeper *s = PL_CONTAINER_OF(wait, struct sleeper, wait);
  pl_timer_stop(&s->loop->wheel, &s->timer);
}

static void on_sleep_over(struct pl_timer *timer) {
  pl_wait_complete(&PL_CONTAINER_OF(timer, struct sleeper, timer)->wait);
}

static int return_nothing(lua_State *L, int status, lua_KContext ctx) {
  (void)L, (void)status, (void)ctx;
  return 0;
}

// sleep(0) gives way: its wait is over at once, so the task goes to the end of the run queue.
static int task_sleep(lua_State *L) {
  uint64_t due_ms = pl_api_check_due(L, 1);
  pl_wait_check(L, "task.sleep");
  struct sleeper *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (struct sleeper){.loop = pl_api_context(L)->loop, .timer.fn = on_sleep_over};
  pl_wait_begin(L, &s->wait, "task.sleep", cancel_sleep);
  if (lua_tonumber(L, 1) == 0) {
    pl_wait_complete(&s->wait);
  } else {
    pl_timer_start(&s->loop->wheel, &s->timer, due_ms);
  }
  return pl_wait_yield(L, 0, return_nothing);
}

static int task_now(lua_State *L) {
  static const double ns_per_second = 1e9;
  lua_pushnumber(L, (double)pl_clock_ns() / ns_per_second);
  return 1;
}

// ---- children ----

static struct pl_task *find_running_ancestor(const struct pl_task *task) {
  struct pl_task *ancestor = task->parent;
  while (ancestor && ancestor->state == PL_TASK_ENDED) ancestor = ancestor->parent;
  return ancestor;
}

// Whether the error object on top says no more than that its task was cancelled.
static bool is_cancellation(lua_State *L, const struct pl_task *task) {
  if (!task->cancelled || !pl_value_is_error(L, -1)) return false;
  lua_getfield(L, -1, "code");
  const char *code = lua_tostring(L, -1);
  bool is_it = code && strcmp(code, pl_error_name(PL_ECANCELED)) == 0;
  lua_pop(L, 1);
  return is_it;
}

/* protected; stack: the failed task that nobody awaits */
static int pass_failure_on(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  struct pl_vm *vm = task->vm;
  if (pl_results_push(L, task->co, task->id) < 1) {
    pl_value_push_error(L, STATUS_UNAVAILABLE, pl_error_name(PL_ENOMEM),
                        "out of memory: a child task failed, its error is lost");
  }
  if (is_cancellation(L, task)) return 0;
  struct pl_task *ancestor = find_running_ancestor(task);
  if (ancestor && !ancestor->cancelled) {
    ancestor->failure_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    pl_task_cancel(ancestor, PL_CANCEL_PARENT);
    return 0;
  }
  lua_pushfstring(L, "a child task failed and nobody awaits it: %s", pl_value_text(L, -1));
  vm->host.warn(vm->host.ctx, lua_tostring(L, -1));
  return 0;
}

static void on_child_end(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  if (!task->has_failed || !pl_list_is_empty(&task->awaiters)) return;
  lua_pushcfunction(vm->L, pass_failure_on);
  lua_pushlightuserdata(vm->L, task);
  if (lua_pcall(vm->L, 1, 0, 0) == LUA_OK) return;
  vm->host.warn(vm->host.ctx, "out of memory: a child task failed, its error is lost");
  lua_pop(vm->L, 1);
}

static const struct pl_task_ops child_ops = {.on_end = on_child_end};

static int raise_too_many(lua_State *L) {
  return luaL_error(L, "task.spawn: no memory for the arguments");
}

// Gives a function and its arguments, at L's index 1 and up, to a new child.
static void start_child(lua_State *L, struct pl_task *child) {
  int args = lua_gettop(L) - 1;
  if (lua_checkstack(child->co, args + LUA_MINSTACK)) {
    for (int i = 1; i <= args + 1; i++) lua_pushvalue(L, i);
    lua_xmove(L, child->co, args + 1);
  } else {
    args = 0;
    lua_pushcfunction(child->co, raise_too_many);
  }
  pl_run_start(child, args);
}

static int task_spawn(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checkstack(L, lua_gettop(L) + LUA_MINSTACK, "too many arguments");
  struct pl_task *parent = pl_task_current(L);
  if (!parent) return luaL_error(L, "task.spawn: there is no task here that could have a child");
  pl_wait_raise_if_cancelled(L);
  struct pl_task *child = pl_task_new(parent->vm, parent, &child_ops, NULL);
  if (!child) return luaL_error(L, "task.spawn: not enough memory");
  start_child(L, child);  // first: when the handle finds no memory the child is at least not stuck
  pl_task_handle_push(L, child);
  return 1;
}

// ---- who is who ----

static int task_self(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  if (!task) return luaL_error(L, "task.self: no task runs here");
  pl_task_handle_push(L, task);
  return 1;
}

static int task_id(lua_State *L) {
  uint64_t id = pl_task_handle_id(L, 1);
  if (id == 0) {
    lua_State *co = lua_isnone(L, 1) ? L : lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "task or thread");
    struct pl_task *task = pl_task_of(co);
    id = task ? task->id : 0;
  }
  if (id == 0) return 0;
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int task_pointer(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTHREAD);
  lua_pushfstring(L, "%p", lua_topointer(L, 1));
  return 1;
}

static const struct pl_api_fn functions[] = {
    {"sleep", task_sleep, PL_API_YIELDS, "(seconds: number)",
     "Suspends the task for at least that long; 0 lets the other ready tasks run first."},
    {"now", task_now, PL_API_PURE, "(): number", "Monotonic time in seconds."},
    {"spawn", task_spawn, PL_API_PURE, "(fn: function, ...: any): perilune.Task",
     "Starts fn(...) as a child of the running task, which goes on first."},
    {"self", task_self, PL_API_PURE, "(): perilune.Task", "The running task."},
    {"id", task_id, PL_API_PURE, "(thread_or_task?: thread|perilune.Task): integer?",
     "The id of a task, or of the task that a coroutine works for; never used again."},
    {"pointer", task_pointer, PL_API_PURE, "(thread: thread): string",
     "A coroutine's address, for logs only: addresses are used again."},
    {"result", pl_task_handle_result, PL_API_PURE, "(task: perilune.Task|thread): boolean?, ...",
     "nil while the task runs; true and its values, or false and its error, when it is done."},
    {"channel", pl_task_channel, PL_API_PURE, "(capacity?: integer): perilune.Channel",
     "A queue of values between tasks; the default capacity 0 hands each over to its receiver."},
    {"semaphore", pl_task_semaphore, PL_API_PURE, "(permits: integer): perilune.Semaphore",
     "At most that many tasks have a permit at a time."},
    {"mutex", pl_task_mutex, PL_API_PURE, "(): perilune.Mutex",
     "At most one task has it locked at a time."},
    {0},
};

static void open_parts(lua_State *L) {
  pl_task_handle_open(L);
  pl_task_channel_open(L);
  pl_task_semaphore_open(L);
}

const struct pl_api_module pl_api_task = {"perilune.task", functions, open_parts};
