// Loading an app and ending it. Both run in tasks, so that the app file, the modules it requires
// and its start and stop handlers may wait.
#include "worker/generation.h"

#include <lauxlib.h>
#include <lua.h>

#include "api/api_log_context.h"
#include "api/api_request.h"
#include "api/api_response.h"
#include "api/modules.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/loop.h"
#include "runtime/budget.h"
#include "runtime/libraries.h"
#include "runtime/overdue.h"
#include "runtime/results.h"
#include "runtime/run.h"
#include "runtime/task.h"
#include "runtime/value.h"
#include "structs/library.h"

static void try_to_stop(struct pl_generation *g);

// ---- the host ----

static void wake_loop(void *ctx) {
  struct pl_generation *g = ctx;
  pl_loop_wake(g->options.loop);
}

// With the request that the running task works for.
static void log_warning(void *ctx, const char *text) {
  struct pl_generation *g = ctx;
  struct pl_log_field fields[PL_API_LOG_CONTEXT_FIELDS];
  size_t count;
  pl_api_log_context(g->vm.L, fields, &count);
  pl_log_fields(PL_LOG_WARN, pl_strv_of(text), fields, count);
}

static void log_print(void *ctx, const char *text, size_t len) {
  (void)ctx;
  pl_log_fields(PL_LOG_INFO, pl_strv(text, len), NULL, 0);
}

static void on_grace_timer(struct pl_timer *timer) {
  struct pl_generation *g = PL_CONTAINER_OF(timer, struct pl_generation, grace_timer);
  pl_overdue_end(&g->vm, pl_clock_ms());
}

static void set_grace_timer(void *ctx, uint64_t due_ms) {
  struct pl_generation *g = ctx;
  pl_timer_start(&g->options.loop->wheel, &g->grace_timer, due_ms);
}

static void on_vm_idle(struct pl_vm *vm) {
  try_to_stop(PL_CONTAINER_OF(vm, struct pl_generation, vm));
}

// ---- paths ----

static char *copy_folder(const char *app_path) {
  const char *slash = app_path ? strrchr(app_path, '/') : NULL;
  size_t len = slash ? (size_t)(slash - app_path) : 0;
  char *folder = pl_mem_alloc(len + 2);
  if (!folder) return NULL;
  memcpy(folder, app_path ? app_path : "", len);
  if (slash && len == 0) folder[len++] = '/';
  folder[len] = '\0';
  return folder;
}

// package.path and cpath: the configured ones, or the app's folder before Lua's usual places.
static void set_path(lua_State *L, const char *field, const char *configured, const char *folder,
                     const char *ending, const char *ending_init) {
  lua_getglobal(L, "package");
  if (configured) {
    lua_pushstring(L, configured);
  } else {
    const char *base = folder[0] ? folder : ".";
    lua_getfield(L, -1, field);
    lua_pushfstring(L, "%s/%s;%s%s%s%s", base, ending, ending_init ? base : "",
                    ending_init ? "/" : "", ending_init ? ending_init : "", lua_tostring(L, -1));
  }
  lua_setfield(L, lua_gettop(L) - (configured ? 1 : 2), field);
}

static void set_paths(lua_State *L, const struct pl_generation *g) {
  const struct pl_config *config = g->options.config;
  set_path(L, "path", config->lua_path, g->app_folder, "?.lua", "?/init.lua;");
  set_path(L, "cpath", config->lua_cpath, g->app_folder, "?.so", NULL);
  lua_settop(L, 0);
}

// ---- loading ----

static struct pl_generation *generation_of(lua_State *L) {
  return PL_CONTAINER_OF(pl_vm_of(L), struct pl_generation, vm);
}

static int after_hooks(lua_State *L, int status, lua_KContext next);

// stack: array of functions. Calls them one after the other; each may wait.
static int run_hooks(lua_State *L, lua_Integer next) {
  lua_settop(L, 1);
  if (lua_rawgeti(L, 1, next) == LUA_TNIL) return 0;
  lua_callk(L, 0, 0, (lua_KContext)next, after_hooks);
  return run_hooks(L, next + 1);
}

static int after_hooks(lua_State *L, int status, lua_KContext next) {
  (void)status;
  return run_hooks(L, (lua_Integer)next + 1);
}

static int after_compile(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  struct pl_generation *g = generation_of(L);
  pl_route_table_read(L, g->options.config, &g->table);
  if (g->options.skip_start) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, g->table.start);
  lua_replace(L, 1);
  return run_hooks(L, 1);
}

static int after_require(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  lua_getfield(L, 2, "app");
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 1, 0, after_compile);
  return after_compile(L, LUA_OK, 0);
}

// stack: what the app file returned
static int after_app(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  lua_settop(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "perilune.compile");
  lua_callk(L, 1, 1, 0, after_require);
  return after_require(L, LUA_OK, 0);
}

static void load_chunk(lua_State *L, const struct pl_generation *g) {
  const struct pl_generation_options *o = &g->options;
  int status = o->app_code ? luaL_loadbufferx(L, o->app_code, strlen(o->app_code), "=(-e)", "t")
                           : luaL_loadfilex(L, o->app_path, "t");
  if (status != LUA_OK) lua_error(L);
}

static int load_app(lua_State *L) {
  struct pl_generation *g = generation_of(L);
  set_paths(L, g);
  load_chunk(L, g);
  lua_callk(L, 0, 1, 0, after_app);
  return after_app(L, LUA_OK, 0);
}

static int open_libraries(lua_State *L) {
  const struct pl_generation_options *o = &generation_of(L)->options;
  pl_structs_open(L, o->layouts, o->account, o->loop);
  pl_api_open(L);
  pl_api_request_open(L);
  pl_api_response_open(L);
  return 0;
}

/* stack: error object */
static int keep_problem(lua_State *L) {
  struct pl_generation *g = generation_of(L);
  size_t len;
  const char *text = luaL_tolstring(L, 1, &len);
  g->problem = pl_mem_alloc(len + 1);
  if (g->problem) memcpy(g->problem, text, len + 1);
  return 0;
}

// Protected. stack: the loading task, which was killed. Only its traceback says where it was.
static int keep_kill_problem(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  if (pl_results_push(L, task->co, task->id) != 1) return 0;
  lua_pushstring(L, pl_value_text(L, -1));
  lua_replace(L, 1);
  return keep_problem(L);
}

static int guard_globals(lua_State *L) {
  pl_libraries_guard_globals(L);
  return 0;
}

static void run_protected(lua_State *L, lua_CFunction fn, void *argument) {
  lua_pushcfunction(L, fn);
  lua_pushlightuserdata(L, argument);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

static void on_load_gone(struct pl_task *task) {
  struct pl_generation *g = PL_CONTAINER_OF(task->vm, struct pl_generation, vm);
  g->loader = NULL;
  if (task->kill_cause) run_protected(g->vm.L, keep_kill_problem, task);
  g->state = task->has_failed ? PL_GENERATION_FAILED : PL_GENERATION_READY;
  if (!task->has_failed) {
    run_protected(g->vm.L, guard_globals, NULL);
    pl_collect_start(&g->collect, g->options.loop, &g->vm, g->options.config->limits_memory_bytes);
  }
  g->options.on_loaded(g, g->options.ctx);
}

static const struct pl_task_ops load_ops = {.on_error = keep_problem, .on_gone = on_load_gone};

static void fail_loading(struct pl_generation *g) {
  g->state = PL_GENERATION_FAILED;
  g->options.on_loaded(g, g->options.ctx);
}

static void start_loading(struct pl_generation *g) {
  struct pl_task *task = pl_task_new(&g->vm, NULL, &load_ops, NULL);
  if (!task) {
    fail_loading(g);
    return;
  }
  task->charge->limit = 0;  // what an app loads is its own, not a request's
  g->loader = task;
  lua_pushcfunction(task->co, load_app);
  pl_run_start(task, 0);
}

void pl_generation_cancel_loading(struct pl_generation *g) {
  if (g->loader) pl_task_cancel(g->loader, PL_CANCEL_DRAIN);
}

static void fill_context(struct pl_generation *g) {
  g->api = (struct pl_api_context){.loop = g->options.loop,
                                   .mailbox = g->options.mailbox,
                                   .hub = g->options.hub,
                                   .config = g->options.config,
                                   .app_folder = g->app_folder,
                                   .worker_index = g->options.worker_index,
                                   .worker_count = g->options.worker_count};
  g->vm.user = &g->api;
  g->vm.task_counter = g->options.task_counter;
  g->vm.budget = g->options.budget;
  g->vm.on_idle = on_vm_idle;
  g->vm.grace_ms = g->options.config->timeouts_grace_ms;
  g->grace_timer.fn = on_grace_timer;
  g->api.body.account = g->api.header_lines.account = g->options.account;
  pl_heap_join(&g->vm.heap, g->options.account);
  g->vm.heap.on_over = pl_budget_on_over;
  uint64_t memory = g->options.config->limits_request_memory_bytes;
  g->vm.request_memory = memory == PL_CONFIG_UNBOUNDED ? 0 : (size_t)memory;
}

struct pl_generation *pl_generation_new(const struct pl_generation_options *options) {
  struct pl_generation *g = pl_mem_zalloc(sizeof *g);
  if (!g) return NULL;
  g->options = *options;
  pl_list_init(&g->link);
  pl_route_table_init(&g->table);
  g->app_folder = copy_folder(options->app_path);
  struct pl_host host = {.ctx = g,
                         .wake = wake_loop,
                         .warn = log_warning,
                         .print = log_print,
                         .set_grace_timer = set_grace_timer};
  if (!g->app_folder || pl_vm_init(&g->vm, &host, options->worker_index, 0)) {
    pl_mem_free(g->app_folder);
    pl_mem_free(g);
    return NULL;
  }
  fill_context(g);
  lua_pushcfunction(g->vm.L, open_libraries);
  if (lua_pcall(g->vm.L, 0, 0, 0) != LUA_OK) {
    lua_pop(g->vm.L, 1);
    fail_loading(g);
  } else {
    start_loading(g);
  }
  return g;
}

// ---- ending ----

static int report_stop_error(lua_State *L) {
  pl_log(PL_LOG_ERROR, "stop handler: %s", pl_value_text(L, 1));
  return 0;
}

static int run_stop_hooks(lua_State *L) {
  struct pl_generation *g = generation_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, g->table.stop);
  return run_hooks(L, 1);
}

static void on_stop_gone(struct pl_task *task) {
  struct pl_generation *g = PL_CONTAINER_OF(task->vm, struct pl_generation, vm);
  g->state = PL_GENERATION_STOPPED;
}

static const struct pl_task_ops stop_ops = {.on_error = report_stop_error, .on_gone = on_stop_gone};

void pl_generation_cancel(struct pl_generation *g, enum pl_cancel_reason reason) {
  for (struct pl_list *node = g->vm.roots.next; node != &g->vm.roots; node = node->next)
    pl_task_cancel(PL_CONTAINER_OF(node, struct pl_task, sibling), reason);
}

// They have no end of their own that could be waited for.
static void cancel_background(struct pl_generation *g) {
  g->vm.is_ending = true;
  for (struct pl_list *node = g->vm.roots.next; node != &g->vm.roots; node = node->next) {
    struct pl_task *task = PL_CONTAINER_OF(node, struct pl_task, sibling);
    if (task->is_background) pl_task_cancel(task, PL_CANCEL_DRAIN);
  }
}

static void try_to_stop(struct pl_generation *g) {
  if (!g->is_retired || g->open_calls > 0) return;
  if (!g->vm.is_ending) cancel_background(g);
  if (g->vm.live_tasks > 0) return;
  if (g->state == PL_GENERATION_READY) {
    g->state = PL_GENERATION_STOPPING;
    bool has_started = !g->options.skip_start;
    struct pl_task *task = has_started ? pl_task_new(&g->vm, NULL, &stop_ops, NULL) : NULL;
    if (task) {
      lua_pushcfunction(task->co, run_stop_hooks);
      pl_run_start(task, 0);
      return;
    }
    g->state = PL_GENERATION_STOPPED;
  }
  if (g->state == PL_GENERATION_STOPPED || g->state == PL_GENERATION_FAILED)
    g->options.on_stopped(g, g->options.ctx);
}

void pl_generation_retire(struct pl_generation *g) {
  if (g->is_retired) return;
  g->is_retired = true;
  try_to_stop(g);
}

void pl_generation_release(struct pl_generation *g) {
  g->open_calls--;
  try_to_stop(g);
}

bool pl_generation_is_short_of_memory(struct pl_generation *g) {
  return pl_account_is_short(g->options.account);
}

void pl_generation_collect(struct pl_generation *g) {
  pl_collector_collect(&g->collect.collector, &g->vm);
  pl_heap_report(&g->vm.heap);
  // What an encoder that raised has left there.
  if (!g->vm.sched.running) pl_buf_deinit(&g->api.body);
}

size_t pl_generation_kept_results(struct pl_generation *g) {
  return pl_results_count(g->vm.L);
}

void pl_generation_free(struct pl_generation *g) {
  pl_timer_stop(&g->options.loop->wheel, &g->grace_timer);
  pl_collect_stop(&g->collect);
  pl_vm_deinit(&g->vm);
  pl_route_table_deinit(&g->table);
  pl_buf_deinit(&g->api.header_lines);
  pl_buf_deinit(&g->api.body);
  pl_mem_free(g->problem);
  pl_mem_free(g->app_folder);
  pl_mem_free(g);
}
