// Texts and error objects for tasks that were ended from outside.
#include "runtime/kill_error.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/error.h"
#include "runtime/value.h"

enum {
  LEVELS_SHOWN = 8,  // coroutines of a deep chain
  MESSAGE_BYTES = 256,
  NS_PER_MS = 1000000,
  MS_PER_SECOND = 1000
};

static const struct {
  int status;
  int code;
  const char *message;  // with the limit as text, for PL_KILL_CPU
} causes[] = {
    [PL_KILL_NONE] = {500, PL_ECANCELED, "ended"},
    [PL_KILL_CPU] = {503, PL_ECPU,
                     "the task used more than %s of CPU without waiting (limits.cpu, or its "
                     "route's option cpu): let it wait, or call task.sleep(0) within long loops"},
    [PL_KILL_MEMORY] = {500, PL_EMEMORY,
                        "the task held too much memory (limits.request_memory, or its route's "
                        "option memory): let it work on smaller pieces"},
    [PL_KILL_GRACE] = {503, PL_ECANCELED,
                       "the task went on for longer than timeouts.grace after it had been "
                       "cancelled: let it end when a wait raises ECANCELED"},
};

int pl_kill_error_status(enum pl_kill_cause cause) {
  return causes[cause].status;
}

static void write_time(uint64_t ns, char *out, size_t size) {
  uint64_t ms = ns / NS_PER_MS;
  if (ms % MS_PER_SECOND == 0)
    snprintf(out, size, "%llus", (unsigned long long)ms / MS_PER_SECOND);
  else
    snprintf(out, size, "%llums", (unsigned long long)ms);
}

static void write_message(const struct pl_task *task, uint64_t cpu_limit_ns,
                          char out[MESSAGE_BYTES]) {
  char limit[32];
  const char *message = causes[task->kill_cause].message;
  const char *mark = strstr(message, "%s");
  write_time(cpu_limit_ns, limit, sizeof limit);
  if (mark)
    snprintf(out, MESSAGE_BYTES, "%.*s%s%s", (int)(mark - message), message, limit, mark + 2);
  else
    snprintf(out, MESSAGE_BYTES, "%s", message);
}

static void push_trace(lua_State *L, const struct pl_task *task, const char *message) {
  size_t last = task->depth > LEVELS_SHOWN ? task->depth - LEVELS_SHOWN : 0;
  luaL_traceback(L, task->chain[task->depth - 1], message, 0);
  for (size_t i = task->depth - 1; i-- > last;) {
    luaL_traceback(L, task->chain[i], "\nresumed by", 0);
    lua_concat(L, 2);
  }
  if (last == 0) return;
  lua_pushfstring(L, "\n(and %d more)", (int)last);
  lua_concat(L, 2);
}

/* Protected. stack: task, its limit */
static int keep_trace(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  char message[MESSAGE_BYTES];
  write_message(task, (uint64_t)lua_tointeger(L, 2), message);
  push_trace(L, task, message);
  task->kill_trace_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

void pl_kill_error_keep_trace(struct pl_task *task, uint64_t cpu_limit_ns) {
  lua_State *L = task->vm->L;
  if (task->kill_trace_ref != LUA_NOREF) return;
  lua_pushcfunction(L, keep_trace);
  lua_pushlightuserdata(L, task);
  lua_pushinteger(L, (lua_Integer)cpu_limit_ns);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
}

void pl_kill_error_drop_trace(struct pl_task *task) {
  luaL_unref(task->vm->L, LUA_REGISTRYINDEX, task->kill_trace_ref);
  task->kill_trace_ref = LUA_NOREF;
}

void pl_kill_error_push(lua_State *L, const struct pl_task *task, uint64_t cpu_limit_ns,
                        int trace) {
  char message[MESSAGE_BYTES];
  write_message(task, cpu_limit_ns, message);
  trace = lua_absindex(L, trace);
  pl_value_push_error(L, causes[task->kill_cause].status,
                      pl_error_name(causes[task->kill_cause].code), message);
  lua_pushliteral(L, "killed");
  lua_setfield(L, -2, "reason");
  if (causes[task->kill_cause].status == 503) {
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "1");
    lua_setfield(L, -2, "retry-after");
    lua_setfield(L, -2, "headers");
  }
  lua_pushvalue(L, trace);
  lua_setfield(L, -2, "traceback");
}
