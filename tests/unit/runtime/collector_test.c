// When the collector works, how much at a time, and that the heap stays within its bounds.
#include "runtime/collector.h"

#include "fake_host.h"

#include <stdlib.h>

enum {
  MB = 1024 * 1024,
  OBJECTS_PER_STEP = 600,  // 400 units, and one group of swept objects more
  MAX_CALLS = 1000000
};

struct fixture {
  struct fake fake;
  struct pl_collector collector;
  uint64_t now_ms;
};

static void open_fixture(struct fixture *f, const char *script, size_t limit) {
  *f = (struct fixture){.now_ms = 1000};
  fake_open(&f->fake);
  lua_gc(f->fake.vm.L, LUA_GCSTOP);
  fake_start(&f->fake, script);
  fake_expect(&f->fake, "done\n");
  lua_gc(f->fake.vm.L, LUA_GCRESTART);
  pl_collector_start(&f->collector, &f->fake.vm, limit);
}

static void close_fixture(struct fixture *f) {
  fake_close(&f->fake);
}

static uint64_t turn(struct fixture *f) {
  return pl_collector_turn(&f->collector, f->now_ms);
}

// Nothing happens any more but what the collector asks for. Returns: how often it was called.
static int idle(struct fixture *f) {
  for (int calls = 1; calls < MAX_CALLS; calls++) {
    uint64_t wait_ms = turn(f);
    if (wait_ms == PL_COLLECTOR_NEVER) return calls;
    f->now_ms += wait_ms;
  }
  fail_msg("an idle vm never becomes quiet");
  return 0;
}

static void run_task(struct fixture *f, const char *script) {
  fake_start(&f->fake, script);
  fake_run(&f->fake);
  fake_expect(&f->fake, "done\n");
}

static size_t heap(const struct fixture *f) {
  return f->fake.vm.heap.bytes;
}

// ---- idle ----

static const char many_tables[] = "for i = 1, 20000 do local t = {i} end";
static const char kept_tables[] = "kept = {} for i = 1, 20000 do kept[i] = {i} end";

static void collector_frees_all_garbage_of_an_idle_vm(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, kept_tables, 0);
  idle(&f);
  size_t before = heap(&f);
  run_task(&f, many_tables);
  assert_true(heap(&f) > before + MB);
  idle(&f);
  assert_true(heap(&f) < before + PL_COLLECTOR_MIN_BYTES);
  assert_true(f.collector.cycles >= 2);
  assert_true(f.collector.longest_step_ns > 0);
  close_fixture(&f);
}

static void collector_is_quiet_when_nothing_is_left(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, many_tables, 0);
  idle(&f);
  uint64_t steps = f.collector.steps;
  for (int i = 0; i < 100; i++, f.now_ms += 10000) assert_true(turn(&f) == PL_COLLECTOR_NEVER);
  assert_int_equal(f.collector.steps, steps);
  run_task(&f, "local t = {}");
  assert_true(turn(&f) == PL_COLLECTOR_NEVER);
  assert_int_equal(f.collector.steps, steps);
  close_fixture(&f);
}

static void collector_begins_no_cycle_while_tasks_run(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, kept_tables, 0);
  idle(&f);
  uint64_t steps = f.collector.steps;
  for (int i = 0; i < 50; i++, f.now_ms += PL_COLLECTOR_QUIET_MS + 1) {
    run_task(&f, "for i = 1, 100 do local t = {i} end");
    uint64_t wait_ms = turn(&f);
    assert_true(wait_ms != PL_COLLECTOR_AGAIN);
  }
  assert_int_equal(f.collector.steps, steps);
  close_fixture(&f);
}

static void collector_frees_what_finalisers_held(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, kept_tables, 0);
  idle(&f);
  size_t before = heap(&f);
  run_task(&f, "local mt = {__gc = function() end}\n"
               "for i = 1, 20000 do setmetatable({i}, mt) end");
  idle(&f);
  assert_true(heap(&f) < before + PL_COLLECTOR_MIN_BYTES);
  close_fixture(&f);
}

// ---- how much at a time ----

static void steps_are_bounded_by_the_number_of_objects(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, kept_tables, 0);
  idle(&f);
  // No object that lives is younger than these.
  assert_int_equal(luaL_dostring(f.fake.vm.L, many_tables), LUA_OK);
  size_t table_bytes = 56 + 16;
  uint64_t steps_before = f.collector.steps;
  for (uint64_t cycles = f.collector.cycles; f.collector.cycles == cycles;) {
    size_t before = heap(&f);
    uint64_t steps = f.collector.steps;
    f.fake.vm.sched.resumes++;  // something ran: only what is due is done
    f.collector.unpaid_bytes += 256;
    turn(&f);
    size_t freed = before > heap(&f) ? before - heap(&f) : 0;
    assert_true(freed <= (f.collector.steps - steps) * OBJECTS_PER_STEP * table_bytes);
  }
  assert_true(f.collector.steps - steps_before > 80);  // 40,000 objects
  close_fixture(&f);
}

static void steps_are_few_after_a_turn_that_allocated_little(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, kept_tables, 0);
  idle(&f);
  uint64_t cycles = f.collector.cycles;
  for (int i = 0; i < 2000; i++) {
    size_t before = heap(&f);
    uint64_t steps = f.collector.steps;
    run_task(&f, "for i = 1, 100 do local t = {i} end");
    size_t allocated = heap(&f) - before;
    turn(&f);
    assert_true(f.collector.steps - steps <= allocated / 256 + 1);
  }
  assert_true(f.collector.cycles > cycles);
  close_fixture(&f);
}

// ---- the bounds of the heap ----

static const char random_load[] =
    "kept = {}\n"
    "function load(seed)\n"
    "  math.randomseed(seed)\n"
    "  local slot = math.random(40)\n"
    "  kept[slot] = nil\n"
    "  if math.random() < 0.5 then\n"
    "    local group = {}\n"
    "    for i = 1, math.random(1000) do group[i] = {i, 'text ' .. i, {}} end\n"
    "    kept[slot] = group\n"
    "  end\n"
    "  local kind = math.random(4)\n"
    "  for i = 1, math.random(2000) do\n"
    "    local t = kind == 1 and {i} or kind == 2 and 'text ' .. seed .. i\n"
    "      or kind == 3 and ('x'):rep(math.random(300)) or function() return i end\n"
    "  end\n"
    "end";

enum { LIVE_MAX = 40 * 1000 * 250, TURN_MAX = MB };

static size_t highest_heap(unsigned seed, size_t limit, int turns) {
  struct fixture f;
  size_t highest = 0;
  open_fixture(&f, random_load, limit);
  srand(seed);
  for (int i = 0; i < turns; i++, f.now_ms++) {
    char script[64];
    int tasks = rand() % 4;
    for (int k = 0; k < tasks; k++) {
      snprintf(script, sizeof script, "load(%d)", rand());
      run_task(&f, script);
    }
    if (heap(&f) > highest) highest = heap(&f);
    turn(&f);
  }
  assert_true(f.collector.cycles > 3);
  close_fixture(&f);
  return highest;
}

static void heap_stays_below_three_times_what_lives(void **state) {
  (void)state;
  for (unsigned seed = 1; seed <= 3; seed++) {
    size_t highest = highest_heap(seed, 0, 1500);
    if (highest > (size_t)3 * LIVE_MAX + TURN_MAX) fail_msg("seed %u: %zu bytes", seed, highest);
  }
}

static void heap_stays_below_the_memory_limit(void **state) {
  (void)state;
  size_t limit = LIVE_MAX + 2 * MB;
  for (unsigned seed = 1; seed <= 3; seed++) {
    size_t highest = highest_heap(seed, limit, 1500);
    if (highest > limit + TURN_MAX) fail_msg("seed %u: %zu bytes", seed, highest);
  }
}

static void set_number(struct fixture *f, const char *name, size_t value) {
  lua_pushinteger(f->fake.vm.L, (lua_Integer)value);
  lua_setglobal(f->fake.vm.L, name);
}

// Makes garbage up to `below`; its heap must never become smaller meanwhile.
static const char rising[] =
    "local last = 0\n"
    "while true do\n"
    "  local t = {1}\n"
    "  local count = collectgarbage('count') * 1024\n"
    "  if count < last then error('collected at ' .. count .. ' of ' .. below) end\n"
    "  if count > below then break end\n"
    "  last = count\n"
    "end";

static void luas_own_collector_begins_at_the_hard_bound_and_not_before(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, kept_tables, 0);
  idle(&f);
  set_number(&f, "below", f.collector.hard_bytes - 16 * 1024);
  run_task(&f, rising);
  size_t hard = f.collector.hard_bytes;
  run_task(&f, "highest = 0\n"
               "for i = 1, 1000000 do\n"
               "  local t = {i}\n"
               "  if i % 64 == 0 then highest = math.max(highest, collectgarbage('count')) end\n"
               "end");
  lua_getglobal(f.fake.vm.L, "highest");
  size_t highest = (size_t)(lua_tonumber(f.fake.vm.L, -1) * 1024);
  lua_pop(f.fake.vm.L, 1);
  assert_true(highest < hard + MB);
  idle(&f);
  close_fixture(&f);
}

// ---- scripts that collect ----

static void collectgarbage_of_scripts_works(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, many_tables, 0);
  run_task(&f, "local before = collectgarbage('count')\n"
               "assert(collectgarbage('isrunning'))\n"
               "assert(collectgarbage() == 0)\n"
               "assert(collectgarbage('count') < before - 1000)");
  turn(&f);
  run_task(&f, "for i = 1, 20000 do local t = {i} end\n"
               "local before = collectgarbage('count')\n"
               "local steps = 1\n"
               "while not collectgarbage('step') do steps = steps + 1 end\n"
               "local after = collectgarbage('count')\n"
               "assert(after < before - 1000, steps .. ' ' .. before .. ' ' .. after)");
  turn(&f);
  set_number(&f, "below", f.collector.hard_bytes - 16 * 1024);
  run_task(&f, rising);
  close_fixture(&f);
}

static void a_full_collection_needs_no_start(void **state) {
  (void)state;
  struct fake f;
  struct pl_collector collector = {0};
  fake_open(&f);
  lua_gc(f.vm.L, LUA_GCSTOP);
  fake_start(&f, many_tables);
  fake_expect(&f, "done\n");
  assert_true(pl_collector_turn(&collector, 1) == PL_COLLECTOR_NEVER);
  pl_collector_collect(&collector, &f.vm);
  assert_true(f.vm.heap.bytes < MB);
  fake_close(&f);
}

static void a_full_collection_ends_the_cycle(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f, kept_tables, 0);
  idle(&f);
  size_t before = heap(&f);
  while (!f.collector.is_cycling) {
    run_task(&f, "for i = 1, 1000 do local t = {i} end");
    turn(&f);
  }
  pl_collector_collect(&f.collector, &f.fake.vm);
  assert_false(f.collector.is_cycling);
  assert_true(heap(&f) < before + PL_COLLECTOR_MIN_BYTES);
  idle(&f);
  close_fixture(&f);
}

// ---- finalisers ----

static void finalisers_that_fail_or_wait_are_reported(void **state) {
  (void)state;
  struct fixture f;
  open_fixture(&f,
               "setmetatable({}, {__gc = function() error('broken', 0) end})\n"
               "setmetatable({}, {__gc = function() log((pcall(wait))) end})\n"
               "setmetatable({}, {__gc = function() log(collectgarbage('step')) end})",
               0);
  idle(&f);
  // Lua calls the youngest first, and refuses to collect from inside a collection.
  fake_expect(&f.fake, "nil\nfalse\nwarn: error in __gc (broken)\n");
  close_fixture(&f);
}

static void collector_survives_each_allocation_that_fails(void **state) {
  (void)state;
  for (uint64_t nth = 1; nth <= 60; nth++) {
    struct fixture f;
    open_fixture(&f,
                 "for i = 1, 30 do setmetatable({}, {__gc = function()\n"
                 "  local t = {} for k = 1, 200 do t[k] = ('x'):rep(300) .. k end\n"
                 "end}) end\n"
                 "for i = 1, 2000 do local t = {i} end",
                 0);
    pl_mem_fail_nth(nth);
    idle(&f);
    pl_mem_fail_nth(0);
    assert_true(heap(&f) < MB / 2);
    pl_buf_clear(&f.fake.text);  // finalisers that ran out of memory
    close_fixture(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(collector_frees_all_garbage_of_an_idle_vm),
      cmocka_unit_test(collector_is_quiet_when_nothing_is_left),
      cmocka_unit_test(collector_begins_no_cycle_while_tasks_run),
      cmocka_unit_test(collector_frees_what_finalisers_held),
      cmocka_unit_test(steps_are_bounded_by_the_number_of_objects),
      cmocka_unit_test(steps_are_few_after_a_turn_that_allocated_little),
      cmocka_unit_test(heap_stays_below_three_times_what_lives),
      cmocka_unit_test(heap_stays_below_the_memory_limit),
      cmocka_unit_test(luas_own_collector_begins_at_the_hard_bound_and_not_before),
      cmocka_unit_test(collectgarbage_of_scripts_works),
      cmocka_unit_test(a_full_collection_needs_no_start),
      cmocka_unit_test(a_full_collection_ends_the_cycle),
      cmocka_unit_test(finalisers_that_fail_or_wait_are_reported),
      cmocka_unit_test(collector_survives_each_allocation_that_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
