// Children where it gets tight: started by finalisers, failing when their parent has nothing to
// wait for any more, cancelled by each other, by themselves and while they close.
#include "api/task_child.h"

#include "task_bench.h"

// Runs the script after these lines. closing(name): a variable that logs when and why it closes.
// raised(fn, ...): false and what says most about the error.
#define LINES                                                                        \
  "local function closing(name) return setmetatable({}, {__close = function(_, e)\n" \
  "  log(name, 'closed', e and (e.reason or e.message)) end}) end\n"                 \
  "local function raised(...) local ok, e = pcall(...)\n"                            \
  "  if type(e) ~= 'table' then return ok, e end\n"                                  \
  "  if e.code then return ok, e.code, e.reason end return ok, e.message end\n"

// Whether `part` was logged; forgets all that was.
static bool take_logged(struct bench *b, const char *part) {
  assert_int_equal(pl_buf_append(&b->fake.text, "", 1), 0);
  bool is_there = strstr(pl_buf_view(&b->fake.text).data, part) != NULL;
  if (!is_there) print_message("logged: %s\n", pl_buf_view(&b->fake.text).data);
  pl_buf_clear(&b->fake.text);
  return is_there;
}

// ---- finalisers ----

static void a_finaliser_outside_tasks_cannot_spawn_into_a_group(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "task.group(function(g) task.spawn(function()\n"
                      "  setmetatable({}, {__gc = function() log(pcall(g.spawn, g, print)) end})\n"
                      "end) task.sleep(9) end)");
  fake_run_ready(&b.fake);
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
  bench_finish(&b);
  fake_expect(&b.fake, "false group:spawn: there is no task here\ndone\n");
  bench_close(&b);
}

static void a_background_task_of_a_finaliser_begins_in_the_next_round(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "setmetatable({}, {__gc = function()\n"
                      "  task.background(function() log 'runs' task.sleep(1) log 'ran' end)\n"
                      "  log 'finalised' end})");
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
  fake_expect(&b.fake, "done\nfinalised\n");
  bench_finish(&b);
  fake_expect(&b.fake, "runs\nran\n");
  bench_close(&b);
}

// Each new task is garbage for a finaliser that makes another while the first is being made.
static void tasks_made_while_a_task_is_made_are_tasks_of_their_own(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_gc(b.fake.vm.L, LUA_GCINC, 10, 1000, 0);
  fake_start(&b.fake,
             "started, ended, wrong = 0, 0, 0\n"
             "local function run(n) started = started + 1 local id = task.id() task.sleep(1)\n"
             "  if task.id() ~= id then wrong = wrong + 1 end ended = ended + 1 end\n"
             "local function litter(n) setmetatable({}, {__gc = function()\n"
             "  task.background(run) if n > 0 and not stop then litter(n - 1) end end}) end\n"
             "litter(1000) for i = 1, 3000 do task.spawn(run) end\n"
             "stop = true");
  bench_finish(&b);
  fake_start(&b.fake, "log(started > 3010, started == ended, wrong)");
  fake_expect(&b.fake, "done\ntrue true 0\ndone\n");
  bench_close(&b);
}

// ---- failures that meet nobody who waits ----

static void a_root_that_does_not_wait_any_more_fails_with_its_child(void **state) {
  (void)state;
  bench_expect("task.spawn(function() error('x', 0) end) task.sleep(0) return 'fine'",
               "cancelled x\n");
}

static void a_background_task_fails_with_its_child(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "task.background(function()\n"
                      "  task.spawn(function() error('x', 0) end) task.sleep(0) end)");
  bench_finish(&b);
  assert_true(take_logged(&b, "warn: a background task failed and nobody awaits it: x\n"));
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_finaliser_outside_tasks_cannot_spawn_into_a_group),
      cmocka_unit_test(a_background_task_of_a_finaliser_begins_in_the_next_round),
      cmocka_unit_test(a_root_that_does_not_wait_any_more_fails_with_its_child),
      cmocka_unit_test(a_background_task_fails_with_its_child),
      cmocka_unit_test(tasks_made_while_a_task_is_made_are_tasks_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
