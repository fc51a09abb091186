// Handles, and what is done with them: every operation that waits is cancelled in every state; and
// every function of perilune.task runs with the 1st, 2nd, ... allocation failing, until one run
// needs fewer: a clean error, nothing left, and all of it works afterwards.
#include "api/task_handle.h"

#include "task_bench.h"

static const struct {
  const char *script;
  const char *check;  ///< raises when something is wrong afterwards
} cases[] = {
    // two scopes in a row: what the first leaves behind must not be lost by the second
    {"for i = 1, 2 do pcall(task.group, function(g) local t = g:spawn(task.sleep, 1)\n"
     "  g:spawn(function(...) task.sleep(2) return ... end, 1, 2) t:await() return {}, "
     "table.unpack({}, 1, 300) end) end",
     ""},
    // a child's failure is never taken for success
    {"ok, err = pcall(task.group, function(g) g:spawn(function() task.sleep(1) error {x = 1} end)\n"
     "  task.sleep(2) return 'fine' end)",
     "assert(not ok) ok, err = nil"},
    // nor where the registry must grow for it: each task that was cancelled with a reason has a
    // place
    {"wrong = nil for _ = 1, 9 do\n"
     "  local t = task.spawn(function() pcall(task.sleep, 9) task.shield(task.sleep, 3) end)\n"
     "  task.sleep(0) t:cancel 'own words'\n"
     "  local ok = pcall(task.group, function(g) g:spawn(error) task.sleep(1) end)\n"
     "  wrong = wrong or ok end",
     "assert(not wrong)"},
    {"ok, a, b = pcall(task.all, function() task.sleep(1) return {} end, function() return 2 end)\n"
     "ok2, r = pcall(task.all, {x = function() task.sleep(1) return 1 end, y = tostring})",
     "assert(not ok or b == 2) assert(not ok2 or r.x == 1) ok, a, b, ok2, r = nil"},
    {"ok, a = pcall(task.race, function() task.sleep(1) return 'first', {} end, function()\n"
     "  local c <close> = setmetatable({}, {__close = function() closed = {} end}) task.sleep(9)\n"
     "  end, function() task.sleep(5) error 'x' end)",
     "assert(not ok or a == 'first') ok, a, closed = nil"},
    {"ok, r = pcall(task.map, {3, 1, 2}, function(v, i) task.sleep(v) return {v, i} end,\n"
     "  {limit = 2})",
     "assert(not ok or r[3][1] == 2) ok, r = nil"},
    {"ok, err = pcall(task.timeout, 2, function() task.spawn(task.sleep, 9)\n"
     "  pcall(task.timeout, 1, task.sleep, 5) task.timeout(8, task.sleep, 9) end)\n"
     "ok2, v = pcall(task.timeout, 5, function(...) task.sleep(1) return ... end, 1, {})",
     "assert(not ok) assert(not ok2 or v == 1) ok, err, ok2, v = nil"},
    {"local me = task.self() pcall(function() local c <close> = setmetatable({}, {__close =\n"
     "  function() kept = task.shield(function() task.spawn(task.sleep, 1) return {} end) end})\n"
     "  task.spawn(function() me:cancel 'own words' end) task.sleep(9) end)",
     "kept = nil"},
    {"task.background(function() task.spawn(error, 'x') task.sleep(1) end)\n"
     "t = task.background(function(...) task.sleep(1) return ... end, 1, nil, {})",
     "assert(t == nil or t:status() ~= 'running') t = nil"},
    {"t = task.spawn(function() coroutine.wrap(function() coroutine.wrap(function()\n"
     "  local c <close> = setmetatable({}, {__close = function() error {} end}) task.sleep(9)\n"
     "  end)() end)() end) task.sleep(1) t:cancel 'enough' pcall(t.await, t) pcall(t.await, t, 1)",
     "if t then assert(t:status() ~= 'running') task.result(t) end t = nil"},
    {"package.preload.slow = function() task.sleep(1) return {} end\n"
     "pcall(task.all, function() return require 'slow' end, function() return require 'slow' end)",
     "package.preload.slow = package.preload.slow or function() return {} end\n"
     "assert(require 'slow')"},
};

static void without_memory_everything_fails_cleanly(void **state) {
  (void)state;
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    bench_without_memory(cases[i].script, cases[i].check);
  }
}

// ---- every operation cancelled in every state ----

// cancel(task, reason): as a client, a deadline, a drain does it
static int matrix_cancel(lua_State *L) {
  struct pl_task *task = pl_task_handle_task(L, 1);
  const char *reason = luaL_checkstring(L, 2);
  for (int r = PL_CANCEL_CLIENT; r <= PL_CANCEL_DRAIN; r++)
    if (strcmp(pl_cancel_reason_name(r), reason) == 0) pl_task_cancel(task, r);
  return 0;
}

// advance(): timers of up to ten seconds fire
static int matrix_advance(lua_State *L) {
  struct pl_wheel *wheel = &pl_api_context(L)->loop->wheel;
  pl_wheel_advance(wheel, wheel->now_ms + 10000);
  return 0;
}

// audit() -> all that exists, as a text; the registry's length
static int matrix_audit(lua_State *L) {
  struct pl_vm *vm = pl_vm_of(L);
  bool is_timer_armed = pl_api_context(L)->loop->wheel.armed_ms != UINT64_MAX;
  lua_pushfstring(L, "tasks %d, results %d, ready %d, timers %d", (int)vm->live_tasks,
                  (int)pl_results_count(L), (int)vm->sched.ready_count, is_timer_armed);
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, LUA_REGISTRYINDEX));
  return 2;
}

static void every_operation_is_cancelled_in_every_state_from_everywhere(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  struct pl_task *task = pl_task_new(&b.fake.vm, NULL, &fake_ops, NULL);
  assert_non_null(task);
  lua_State *co = task->co;
  if (luaL_loadfile(co, "tests/unit/api/cancel_matrix.lua")) fail_msg("%s", lua_tostring(co, -1));
  lua_getglobal(co, "task");
  lua_pushcfunction(co, matrix_cancel);
  lua_getglobal(co, "kill");
  lua_pushcfunction(co, matrix_advance);
  lua_pushcfunction(co, matrix_audit);
  assert_int_equal(lua_pcall(co, 5, 1, 0), LUA_OK);
  pl_run_start(task, 0);
  fake_run_ready(&b.fake);
  if (b.fake.vm.live_tasks > 0) {
    assert_int_equal(pl_buf_append(&b.fake.text, "", 1), 0);
    fail_msg("a case does not end: %s", pl_buf_view(&b.fake.text).data);
  }
  fake_expect(&b.fake, "done 2400\n");
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_operation_is_cancelled_in_every_state_from_everywhere),
      cmocka_unit_test(without_memory_everything_fails_cleanly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
