// Request -> route -> task -> answer. It and finish.c, the end of that way, are the only files
// outside api/ that see both http/ and runtime/.
#include "worker/dispatch.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>

#include "api/api_response.h"
#include "api/body_reader.h"
#include "api/call.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "http/path.h"
#include "runtime/budget.h"
#include "runtime/kill_error.h"
#include "runtime/results.h"
#include "runtime/run.h"
#include "runtime/task.h"
#include "worker/generation.h"
#include "worker/worker_state.h"

// ---- what the carrier tells ----

static void on_readable(struct pl_exchange *x) {
  pl_call_on_readable(x->user);
}

static void on_drain(struct pl_exchange *x) {
  pl_call_on_drain(x->user);
}

static void on_gone(struct pl_exchange *x, int reason) {
  struct pl_call *call = x->user;
  struct pl_worker *worker = ((struct pl_generation *)call->generation)->options.ctx;
  if (pl_admission_drop(&worker->admission, call, reason) || !call->task) return;
  enum pl_cancel_reason why = reason == PL_ETIMEDOUT   ? PL_CANCEL_DEADLINE
                              : reason == PL_ECANCELED ? PL_CANCEL_DRAIN
                                                       : PL_CANCEL_CLIENT;
  pl_task_cancel(call->task, why);
}

static const struct pl_exchange_events events = {
    .on_readable = on_readable, .on_drain = on_drain, .on_gone = on_gone};

// ---- the task ----

static int send_result(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  if (pl_budget_has_interrupted(pl_task_current(L))) return 0;  // on_end answers
  pl_task_raise_failure(L);
  return pl_api_send(L, pl_call_current(L), 1);
}

// The request task's function. stack: handler, its arguments behind the request
static int handle_request(lua_State *L) {
  struct pl_call *call = pl_call_current(L);
  if (call->route->wants_request) {
    pl_call_push_request(L, call);
    lua_insert(L, 2);
  }
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, send_result);
  return send_result(L, LUA_OK, 0);
}

// stack: error object. The finish handlers are told.
static void keep_error(lua_State *L, struct pl_call *call) {
  const struct pl_generation *g = call->generation;
  if (!g->table.has_finish || call->is_finished) return;
  lua_pushvalue(L, 1);
  call->error = luaL_ref(L, LUA_REGISTRYINDEX);
}

// stack: error object. A raised response value is sent from here, where it may wait: a stream, a
// file.
static int answer_error(lua_State *L) {
  struct pl_call *call = pl_call_current(L);
  keep_error(L, call);
  const struct pl_task *task = pl_task_current(L);
  bool is_cut =
      task->cancelled && !task->has_failed_child;  // a child's failure is an error of ours
  bool can_answer = call->x->status == 0 && !is_cut;
  lua_getfield(L, 1, "value");
  if (can_answer && pl_api_is_response(L, 2)) {
    pl_api_report(L, call, 1);
    return pl_api_send(L, call, 2);
  }
  lua_settop(L, 1);
  if (!can_answer || call->route->on_error == LUA_NOREF) {
    pl_api_send_error(L, call, 1);
    return 0;
  }
  pl_api_report(L, call, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, call->route->on_error);
  pl_call_push_request(L, call);
  lua_pushvalue(L, 1);
  lua_remove(L, 1);
  lua_callk(L, 2, LUA_MULTRET, 0, send_result);
  return send_result(L, LUA_OK, 0);
}

static struct pl_wheel *wheel_of(const struct pl_call *call) {
  const struct pl_generation *g = call->generation;
  return &g->options.loop->wheel;
}

static void on_children_late(struct pl_timer *timer) {
  pl_task_cancel(PL_CONTAINER_OF(timer, struct pl_call, children_timer)->task, PL_CANCEL_DEADLINE);
}

// The request's own deadline ended with its answer: what runs on has as long again.
static void limit_children(struct pl_call *call) {
  if (pl_list_is_empty(&call->task->children) || !call->route->timeout_ms) return;
  call->children_timer.fn = on_children_late;
  pl_timer_start(wheel_of(call), &call->children_timer, pl_clock_ms() + call->route->timeout_ms);
}

// Protected. stack: the task, which was killed.
static int keep_kill_error(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  lua_settop(L, 0);
  if (pl_results_push(L, task->co, task->id) == 1) keep_error(L, task->owner);
  return 0;
}

// Keeps what ended a killed task for the finish handlers.
// Returns: the status to answer with, when nothing else has answered.
static int settle_kill(struct pl_task *task, const char **header) {
  lua_State *L = task->vm->L;
  lua_pushcfunction(L, keep_kill_error);
  lua_pushlightuserdata(L, task);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  int status = pl_kill_error_status(task->kill_cause);
  if (status == 503) *header = "Retry-After: 1\r\n";
  return status;
}

// Whatever went wrong, the client gets an answer or the end of its connection.
static void on_end(struct pl_task *task) {
  struct pl_call *call = task->owner;
  struct pl_exchange *x = call->x;
  const char *header = NULL;
  int status = 500;
  if (PL_UNLIKELY(task->kill_cause)) status = settle_kill(task, &header);
  if (PL_UNLIKELY(!x->is_answered)) {
    if (x->status)
      x->ops->cut(x);
    else
      pl_api_send_problem(call, status, NULL, header);
  }
  pl_call_on_readable(call);  // a child that waits for the body: it is gone
  limit_children(call);
}

static void on_task_gone(struct pl_task *task) {
  struct pl_call *call = task->owner;
  struct pl_generation *g = call->generation;
  struct pl_worker *worker = g->options.ctx;
  pl_timer_stop(wheel_of(call), &call->children_timer);
  pl_call_forget_request(call);
  call->task = NULL;
  pl_admission_leave(&worker->admission, call->route);
  call->x->ops->release(call->x);
}

static const struct pl_task_ops request_ops = {
    .on_error = answer_error, .on_end = on_end, .on_gone = on_task_gone};

// ---- answers without a task ----

static void answer_now(struct pl_call *call, int status, const char *detail, const char *header) {
  pl_api_send_problem(call, status, detail, header);
  call->x->ops->release(call->x);
}

static void answer_options(struct pl_call *call, int status, const char *header) {
  struct pl_response r = {.status = status, .headers = pl_strv_of(header)};
  if (call->x->ops->respond(call->x, &r) == PL_ENOMEM) call->x->ops->cut(call->x);
  call->x->ops->release(call->x);
}

// ---- admission ----

// A body that is too long is refused before a byte of it is read.
static bool body_is_too_long(const struct pl_exchange *x) {
  return x->request.content_length > 0 && (uint64_t)x->request.content_length > x->body_limit;
}

// The app's not_found learns what the server would have answered. stack: ..., handler
static int push_fallback(lua_State *co, const struct pl_call *call) {
  char allow[PL_ALLOW_MAX];
  if (!call->fallback_status) return 0;
  lua_pushinteger(co, call->fallback_status);
  if (call->allowed) {
    pl_router_write_allow(call->allowed, allow);
    lua_pushstring(co, allow);
  } else {
    lua_pushnil(co);
  }
  return 2;
}

// It may run. A request that has waited still belongs to the generation that it came to.
static inline void start_task(struct pl_call *call) {
  struct pl_generation *g = call->generation;
  struct pl_worker *worker = g->options.ctx;
  if (pl_generation_is_short_of_memory(g)) {
    pl_admission_refuse(&worker->admission, call, PL_SHED_MEMORY);
    return;
  }
  struct pl_task *task = pl_task_new(&g->vm, NULL, &request_ops, call);
  if (!task) {
    answer_now(call, 503, "out of memory", "Retry-After: 1\r\n");
    return;
  }
  call->task = task;
  task->cpu_limit_ns = call->route->cpu_limit_ns;
  task->charge->limit = call->route->memory_limit;
  pl_admission_take(&worker->admission, call->route);
  lua_pushcfunction(task->co, handle_request);
  lua_rawgeti(task->co, LUA_REGISTRYINDEX, call->route->handler);
  pl_run_start(task, 1 + push_fallback(task->co, call));
}

static void admit(struct pl_worker *worker, struct pl_call *call) {
  struct pl_exchange *x = call->x;
  const struct pl_route *route = call->route;
  x->body_limit = route->body_limit;
  x->request_timeout_ms = route->timeout_ms;
  x->half_close = route->half_close;
  if (body_is_too_long(x)) {
    answer_now(call, 413, "the body is longer than limits.body or its route's limit", NULL);
    return;
  }
  struct pl_admission *a = &worker->admission;
  if (PL_LIKELY(pl_admission_has_place(a, route)) || pl_admission_enter(a, call)) start_task(call);
}

void pl_dispatch_init(struct pl_worker *worker) {
  const struct pl_config *config = worker->config;
  worker->loop.lag_limit_ms = config->limits_lag_ms;
  worker->admission = (struct pl_admission){.loop = &worker->loop,
                                            .in_flight_limit = config->limits_in_flight,
                                            .queue_limit = config->limits_queue,
                                            .timeout_ms = config->timeouts_queue_ms,
                                            .start = start_task};
  pl_admission_init(&worker->admission);
}

// ---- routing ----

// @param allowed methods that there are (405, 204), or 0
static void use_fallback(struct pl_worker *worker, struct pl_call *call, int status,
                         unsigned allowed) {
  struct pl_fallback *f = pl_route_table_fallback(&worker->current->table, call->path);
  if (f && f->route.handler != LUA_NOREF) {
    call->route = &f->route;
    call->fallback_status = status;
    call->allowed = allowed;
    admit(worker, call);
    return;
  }
  char allow[PL_ALLOW_MAX], header[PL_ALLOW_MAX + 16];
  if (allowed) pl_router_write_allow(allowed, allow);
  if (allowed) snprintf(header, sizeof header, "Allow: %s\r\n", allow);
  answer_now(call, status, NULL, allowed ? header : NULL);
}

static void answer_method(struct pl_worker *worker, struct pl_call *call, unsigned allowed) {
  if (call->x->request.method != PL_METHOD_OPTIONS) {
    use_fallback(worker, call, 405, allowed);
    return;
  }
  struct pl_fallback *f = pl_route_table_fallback(&worker->current->table, call->path);
  if (f && f->route.handler != LUA_NOREF) {  // a preflight is for the app's middleware
    use_fallback(worker, call, 204, allowed);
    return;
  }
  char allow[PL_ALLOW_MAX], header[PL_ALLOW_MAX + 16];
  pl_router_write_allow(allowed, allow);
  snprintf(header, sizeof header, "Allow: %s\r\n", allow);
  answer_options(call, 204, header);
}

static bool take_match(struct pl_call *call, const struct pl_route_list *list,
                       const struct pl_match *match) {
  call->route = &list->items[match->route];
  size_t bytes = match->count * sizeof *match->captures;
  struct pl_strv *captures = bytes ? pl_arena_alloc(&call->x->arena, bytes) : NULL;
  if (bytes && !captures) return false;
  if (bytes) memcpy(captures, match->captures, bytes);
  call->captures = captures;
  return true;
}

static void route_request(struct pl_worker *worker, struct pl_call *call,
                          const struct pl_path *path) {
  const struct pl_route_table *table = &worker->current->table;
  const struct pl_route_list *list = &table->routes;
  struct pl_match match;
  enum pl_method method = call->x->request.method;
  enum pl_route_verdict verdict = pl_router_match(list->router, method, path, &match);
  if (verdict == PL_ROUTE_NOT_FOUND && table->statics.count) {
    list = &table->statics;
    verdict = pl_router_match(list->router, method, path, &match);
  }
  switch (verdict) {
  case PL_ROUTE_FOUND:
    if (take_match(call, list, &match))
      admit(worker, call);
    else
      answer_now(call, 503, "out of memory", "Retry-After: 1\r\n");
    return;
  case PL_ROUTE_BAD_METHOD:
    answer_method(worker, call, match.allowed);
    return;
  case PL_ROUTE_BAD_SLASH:
    answer_now(call, 400, "an encoded slash in the path", NULL);
    return;
  default:
    use_fallback(worker, call, 404, 0);
  }
}

// OPTIONS * is the server's own: the health check's question.
static void answer_asterisk(struct pl_worker *worker, struct pl_call *call) {
  bool is_ready = worker->state == PL_WORKER_SERVING &&
                  !pl_admission_would_refuse(&worker->admission) &&
                  !pl_generation_is_short_of_memory(worker->current);
  answer_options(call, is_ready ? 204 : 503,
                 is_ready ? "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
                          : "Retry-After: 1\r\n");
}

static struct pl_call *make_call(struct pl_worker *worker, struct pl_exchange *x) {
  struct pl_call *call = pl_arena_alloc(&x->arena, sizeof *call);
  if (!call) return NULL;
  *call = (struct pl_call){.x = x,
                           .vm = &worker->current->vm,
                           .generation = worker->current,
                           .error = LUA_NOREF,
                           .held_body = LUA_NOREF};
  x->user = call;
  x->events = &events;
  pl_generation_hold(worker->current);
  return call;
}

void pl_dispatch_request(struct pl_worker *worker, struct pl_exchange *x) {
  struct pl_path path;
  struct pl_call *call = make_call(worker, x);
  if (!call) {
    x->ops->release(x);
    return;
  }
  if (pl_strv_eq(x->request.raw_path, PL_STRV("*"))) {
    answer_asterisk(worker, call);
    return;
  }
  if (pl_path_parse(x->request.raw_path, &x->arena, &path)) {
    answer_now(call, 400, "the path is not properly encoded", NULL);
    return;
  }
  call->path = path.text;
  route_request(worker, call, &path);
}
