// The random schedules: thousands of random trees of groups, timeouts, shields, races, cancels,
// channels and errors, on a clock of our own, against the model in schedules.lua.
//
// SCHEDULES=n runs n trees, SEED=n begins with that one; a tree that differs is named by its seed.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../api/task_bench.h"
#include "api/task_child.h"

enum { TREES = 4000, TREES_AT_ONCE = 20, FIRST_MS = 1000 };

// ---- the clock ----

static uint64_t virtual_ms = FIRST_MS;

// In place of libc's: what measures and waits sees the test's time.
int clock_gettime(clockid_t clock, struct timespec *t) {
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE)
    return (int)syscall(SYS_clock_gettime, clock, t);
  *t = (struct timespec){.tv_sec = (time_t)(virtual_ms / 1000),
                         .tv_nsec = (long)(virtual_ms % 1000) * 1000000};
  return 0;
}

static int lua_now(lua_State *L) {
  uint64_t began_ms = (uint64_t)lua_tointeger(L, lua_upvalueindex(1));
  lua_pushinteger(L, (lua_Integer)(virtual_ms - began_ms));
  return 1;
}

static void set_now(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)virtual_ms);
  lua_pushcclosure(L, lua_now, 1);
  lua_setglobal(L, "now");
}

// From due time to due time, until all tasks are over.
static void run_to_the_end(struct bench *b) {
  fake_run_ready(&b->fake);
  while (b->fake.vm.live_tasks > 0) {
    assert_true(b->loop.wheel.armed_ms != UINT64_MAX);  // somebody waits for nothing
    virtual_ms = b->loop.wheel.armed_ms;
    pl_wheel_advance(&b->loop.wheel, virtual_ms);
    fake_run_ready(&b->fake);
  }
}

// ---- the comparison ----

static const char one_tree[] = "local seed = ...\n"
                               "local tree = schedules.make(seed)\n"
                               "local log = schedules.run(tree, task, now)\n"
                               "local expected = schedules.predict(tree)\n"
                               "local function compare(a, b, what)\n"
                               "  for id, text in pairs(a) do if b[id] ~= text then\n"
                               "    log_difference(seed, id, what, text, b[id]) end end\n"
                               "end\n"
                               "compare(log, expected, 'was, not')\n"
                               "compare(expected, log, 'expected, not')\n";

static int log_difference(lua_State *L) {
  print_error("seed %s, node %s: %s: %s | %s\n", luaL_tolstring(L, 1, NULL),
              luaL_tolstring(L, 2, NULL), luaL_tolstring(L, 3, NULL), luaL_tolstring(L, 4, NULL),
              luaL_tolstring(L, 5, NULL));
  lua_pushinteger(L, lua_tointeger(L, lua_upvalueindex(1)));
  ++*(size_t *)lua_touserdata(L, lua_upvalueindex(2));
  return 0;
}

static void start_tree(struct bench *b, lua_Integer seed) {
  struct pl_task *task = pl_task_new(&b->fake.vm, NULL, &pl_task_child_ops, NULL);
  assert_non_null(task);
  assert_int_equal(luaL_loadstring(task->co, one_tree), LUA_OK);
  lua_pushinteger(task->co, seed);
  pl_run_start(task, 1);
}

static unsigned long number_from(const char *variable, unsigned long otherwise) {
  const char *text = getenv(variable);
  return text ? strtoul(text, NULL, 10) : otherwise;
}

static void random_schedules_run_as_the_model_says(void **state) {
  (void)state;
  unsigned long seed = number_from("SEED", 1), end = seed + number_from("SCHEDULES", TREES);
  size_t differences = 0;
  struct bench b;
  bench_open(&b);
  lua_State *L = b.fake.vm.L;
  assert_int_equal(luaL_dofile(L, "tests/unit/lua/schedules.lua"), LUA_OK);
  lua_setglobal(L, "schedules");
  lua_pushinteger(L, 0);
  lua_pushlightuserdata(L, &differences);
  lua_pushcclosure(L, log_difference, 2);
  lua_setglobal(L, "log_difference");
  print_message("seeds %lu to %lu\n", seed, end - 1);
  while (seed < end) {
    set_now(L);
    for (int i = 0; i < TREES_AT_ONCE && seed < end; i++) start_tree(&b, (lua_Integer)seed++);
    run_to_the_end(&b);
  }
  assert_int_equal(differences, 0);
  pl_buf_clear(&b.fake.text);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_schedules_run_as_the_model_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
