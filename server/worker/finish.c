// The line of the access log, then the app's finish handlers in a task of their own: the request's
// is over, or has been answered at least.
#include "worker/finish.h"

#include <lauxlib.h>
#include <lua.h>

#include "api/call.h"
#include "api/remote.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "runtime/budget.h"
#include "runtime/run.h"
#include "runtime/task.h"
#include "runtime/value.h"
#include "worker/generation.h"
#include "worker/worker_state.h"

// ---- the access log ----

static void log_access(struct pl_worker *worker, struct pl_exchange *x) {
  const struct pl_call *call = x->user;
  struct pl_remote remote;
  if (!worker->config->log_access || !pl_log_is_enabled(PL_LOG_INFO)) return;
  pl_remote_of(x, worker->config, &remote);
  bool has_request_line = x->request.target.len > 0;
  struct pl_log_access line = {
      .method = has_request_line ? pl_method_name(x->request.method) : PL_STRV("-"),
      .path = call && call->path.len ? call->path : x->request.target,
      .status = x->status,
      .bytes = x->bytes_out,
      .duration_us = x->started_ns ? (pl_clock_ns() - x->started_ns) / 1000 : 0,
      .id = x->id,
      .remote = pl_strv_of(remote.address)};
  if (call && call->route) line.route = pl_strv_of(call->route->pattern);
  pl_log_access(&line);
}

// ---- finish handlers ----

/// What the finish handlers are told.
struct finish {
  struct pl_call *call;
  bool was_cut;
};

static int run_finish(lua_State *L, int status, lua_KContext next) {
  (void)status;
  lua_settop(L, 3); /* stack: handlers, request, info */
  if (lua_rawgeti(L, 1, (lua_Integer)next) == LUA_TNIL) return 0;
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_callk(L, 2, 0, next + 1, run_finish);
  return run_finish(L, LUA_OK, next + 1);
}

static int begin_finish(lua_State *L) {
  return run_finish(L, LUA_OK, 1);
}

static int report_finish_error(lua_State *L) {
  pl_log(PL_LOG_ERROR, "finish handler: %s", pl_value_text(L, 1));
  return 0;
}

static const struct pl_task_ops finish_ops = {.on_error = report_finish_error};

static void push_info(lua_State *L, const struct pl_call *call, bool was_cut) {
  const struct pl_exchange *x = call->x;
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, x->status);
  lua_setfield(L, -2, "status");
  lua_pushinteger(L, (lua_Integer)x->bytes_in);
  lua_setfield(L, -2, "bytes_in");
  lua_pushinteger(L, (lua_Integer)x->bytes_out);
  lua_setfield(L, -2, "bytes_out");
  lua_pushnumber(L, (lua_Number)(pl_clock_ns() - x->started_ns) / 1e9);
  lua_setfield(L, -2, "seconds");
  lua_pushboolean(L, was_cut);
  lua_setfield(L, -2, "cut");
  if (call->error == LUA_NOREF) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, call->error);
  lua_setfield(L, -2, "error");
}

// Protected, on the main state: makes the task and moves its arguments there.
static int start_finish(lua_State *L) {
  struct finish *f = lua_touserdata(L, 1);
  struct pl_generation *g = f->call->generation;
  lua_rawgeti(L, LUA_REGISTRYINDEX, g->table.finish);
  pl_call_push_request(L, f->call);
  push_info(L, f->call, f->was_cut);
  struct pl_task *task = pl_task_new(&g->vm, NULL, &finish_ops, NULL);
  if (!task) return 0;
  lua_pushcfunction(task->co, begin_finish);
  lua_xmove(L, task->co, 3);
  pl_run_start(task, 3);
  return 0;
}

static void run_finish_handlers(struct pl_generation *g, struct pl_call *call, bool was_cut) {
  struct finish f = {call, was_cut};
  lua_State *L = g->vm.L;
  struct pl_sched *outer = pl_budget_begin_vm(&g->vm);  // for the collector's step
  lua_pushcfunction(L, start_finish);
  lua_pushlightuserdata(L, &f);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  pl_budget_end_vm(&g->vm, outer);
  if (!call->task) pl_call_forget_request(call);
}

// ---- both ----

static void drop_references(struct pl_generation *g, struct pl_call *call) {
  luaL_unref(g->vm.L, LUA_REGISTRYINDEX, call->held_body);
  luaL_unref(g->vm.L, LUA_REGISTRYINDEX, call->error);
  call->held_body = call->error = LUA_NOREF;
  if (call->body_box) luaL_unref(g->vm.L, LUA_REGISTRYINDEX, call->body_box_ref);
  call->body_box = NULL;
}

void pl_finish_exchange(struct pl_worker *worker, struct pl_exchange *x, bool was_cut) {
  struct pl_call *call = x->user;
  log_access(worker, x);
  if (!call) return;
  struct pl_generation *g = call->generation;
  if (g->table.has_finish && call->route) run_finish_handlers(g, call, was_cut);
  if (call->held_body != LUA_NOREF || call->error != LUA_NOREF || call->body_box)
    drop_references(g, call);
  call->is_finished = true;
  pl_generation_release(g);
}
