// The C half of perilune.task: time, and who is who. Children are task_child.c's, scopes
// task_scope.c's, handles task_handle.c's; the other half is lua/perilune/task.lua.
#include "api/api.h"

#include "api/api_channel.h"
#include "api/api_semaphore.h"
#include "api/task_child.h"
#include "api/task_handle.h"
#include "api/task_scope.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/loop.h"
#include "runtime/task.h"
#include "runtime/wait.h"

#include <lauxlib.h>

// ---- time ----

/// Lives until its wait is over or cancelled, one of which comes for each. Not a userdata: a crowd
/// of tasks that sleep would be as many objects for the collector, and garbage when they wake.
struct sleeper {
  struct pl_wait wait;
  struct pl_timer timer;
};

static struct pl_wheel *wheel_of(const struct sleeper *s) {
  return &pl_api_context(s->wait.task->vm->L)->loop->wheel;
}

static void cancel_sleep(struct pl_wait *wait) {
  struct sleeper *s = PL_CONTAINER_OF(wait, struct sleeper, wait);
  pl_timer_stop(wheel_of(s), &s->timer);
  pl_mem_free(s);
}

static void on_sleep_over(struct pl_timer *timer) {
  struct sleeper *s = PL_CONTAINER_OF(timer, struct sleeper, timer);
  pl_wait_complete(&s->wait);
  pl_mem_free(s);
}

static int return_nothing(lua_State *L, int status, lua_KContext ctx) {
  (void)L, (void)status, (void)ctx;
  return 0;
}

static void cancel_nothing(struct pl_wait *wait) {
  (void)wait;
}

// Its wait is over at once, so the task goes to the end of the run queue, and nobody cancels it.
static int give_way(lua_State *L) {
  struct pl_wait wait;
  pl_wait_begin(L, &wait, "task.sleep", cancel_nothing);
  pl_wait_complete(&wait);
  return pl_wait_yield(L, 0, return_nothing);
}

static int task_sleep(lua_State *L) {
  uint64_t due_ms = pl_api_check_due(L, 1);
  pl_wait_check(L, "task.sleep");
  if (lua_tonumber(L, 1) == 0) return give_way(L);
  struct sleeper *s = pl_mem_alloc(sizeof *s);
  if (!s) return luaL_error(L, "task.sleep: not enough memory");
  s->timer = (struct pl_timer){.fn = on_sleep_over};
  pl_wait_begin(L, &s->wait, "task.sleep", cancel_sleep);
  pl_timer_start(wheel_of(s), &s->timer, due_ms);
  return pl_wait_yield(L, 0, return_nothing);
}

static int task_now(lua_State *L) {
  static const double ns_per_second = 1e9;
  lua_pushnumber(L, (double)pl_clock_ns() / ns_per_second);
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
    {"spawn", pl_task_spawn, PL_API_PURE, "(fn: function, ...: any): perilune.Task",
     "Starts fn(...) as a child of the running scope; the caller goes on first."},
    {"background", pl_task_background, PL_API_PURE, "(fn: function, ...: any): perilune.Task",
     "Starts fn(...) as a task of the app: no request's end, deadline or client ends it."},
    {"timeout", pl_task_timeout, PL_API_YIELDS, "(seconds: number, fn: function, ...: any): any",
     "Runs fn(...); when the time is over first, cancels it and raises ETIMEDOUT."},
    {"shield", pl_task_shield, PL_API_YIELDS, "(fn: function, ...: any): any",
     "Runs fn(...) out of reach of a cancellation, for timeouts.grace at most."},
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

const struct pl_api_module pl_api_task = {"perilune.native_task", functions, open_parts};
