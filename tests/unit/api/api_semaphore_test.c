// Semaphores and mutexes: every operation in every state, who is served first, and that no permit
// is lost or doubled whatever ends a wait or forgets a permit.
#include "api/api_semaphore.h"

#include "task_bench.h"

// ---- acquiring and releasing ----

static void n_permits_are_given_out(void **state) {
  (void)state;
  bench_expect(
      "local sem = task.semaphore(2)\n"
      "local a, b = sem:acquire(), sem:try_acquire() log(a ~= b, sem:try_acquire())\n"
      "a:release() local c = sem:try_acquire() log(c ~= nil, c ~= a, sem:try_acquire())\n"
      "b:release() c:release() a, b = sem:acquire(), sem:acquire() log(sem:try_acquire())\n"
      "a:release() b:release()",
      "true nil no permit is free EAGAIN\ntrue true nil no permit is free EAGAIN\n"
      "nil no permit is free EAGAIN\ndone\n");
}

static void a_permit_is_released_once(void **state) {
  (void)state;
  bench_expect("local sem = task.semaphore(1)\n"
               "local a = sem:acquire() a:release() a:release()\n"
               "local b = sem:acquire() a:release() log(sem:try_acquire())\n"
               "b:release() local c = sem:acquire() log(sem:try_acquire()) c:release()\n"
               "log(select('#', c:release()))",
               "nil no permit is free EAGAIN\nnil no permit is free EAGAIN\n0\ndone\n");
}

static void close_releases_however_the_block_ends(void **state) {
  (void)state;
  bench_expect(
      "local sem, mutex = task.semaphore(1), task.mutex()\n"
      "do local p <close> = sem:acquire() local l <close> = mutex:lock() end\n"
      "do local p <close> = sem:acquire() local l <close> = mutex:lock() p:release() l:release() "
      "end\n"
      "log(pcall(function() local p <close> = sem:acquire() local l <close> = mutex:lock() "
      "error('x', 0) end))\n"
      "local t = task.spawn(function() local p <close> = sem:acquire()\n"
      "  local l <close> = mutex:lock() task.sleep(99) end)\n"
      "task.sleep(0) log(sem:try_acquire()) log(mutex:try_lock()) t:cancel() task.sleep(0)\n"
      "t = task.spawn(function() coroutine.wrap(function() local p <close> = sem:acquire()\n"
      "  local l <close> = mutex:lock() task.sleep(99) end)() end)\n"
      "task.sleep(0) log(sem:try_acquire()) log(mutex:try_lock()) kill(t)\n"
      "for _ in function(_, i) return not i or nil end, nil, nil, sem:acquire() do end\n"
      "local p <close> = sem:try_acquire() local l <close> = mutex:try_lock() log(p and l and "
      "'free')\n"
      "local none <close> = sem:try_acquire() log(none)",
      "false x\nnil no permit is free EAGAIN\nnil locked EAGAIN\nnil no permit is free EAGAIN\n"
      "nil locked EAGAIN\nfree\nnil\ndone\n");
}

static void a_mutex_keeps_a_section_to_one_task(void **state) {
  (void)state;
  bench_expect("local mutex, inside, most, count = task.mutex(), 0, 0, 0\n"
               "for _ = 1, 50 do task.spawn(function() for _ = 1, 3 do\n"
               "  local lock <close> = mutex:lock()\n"
               "  inside = inside + 1 most = math.max(most, inside) task.sleep(0)\n"
               "  inside = inside - 1 count = count + 1 end end) end\n"
               "for _ = 1, 500 do task.sleep(0) end log(most, count)",
               "1 150\ndone\n");
}

// ---- times ----

static void waits_take_a_time(void **state) {
  (void)state;
  bench_expect("local sem, mutex = task.semaphore(1), task.mutex()\n"
               "local p = sem:acquire() log(sem:acquire(5)) log(sem:acquire(0))\n"
               "task.spawn(function() local l <close> = mutex:lock() task.sleep(50) end)\n"
               "task.sleep(0) log(mutex:lock(5)) local late <close> = sem:acquire(5) log(late)\n"
               "p:release() p = sem:acquire(5) log(p ~= nil) p:release()",
               "nil timeout ETIMEDOUT\nnil timeout ETIMEDOUT\nnil timeout ETIMEDOUT\nnil\ntrue\n"
               "done\n");
  bench_expect("local sem = task.semaphore(1) local p = sem:acquire()\n"
               "task.spawn(function() task.sleep(5) p:release() end)\n"
               "local late <close> = sem:acquire(10) log(late ~= nil, sem:try_acquire())",
               "true nil no permit is free EAGAIN\ndone\n");
}

static void who_timed_out_has_left_the_queue(void **state) {
  (void)state;
  bench_expect("local sem = task.semaphore(1) local p = sem:acquire()\n"
               "task.spawn(function() log('a', sem:acquire(5)) end)\n"
               "task.spawn(function() local b <close> = sem:acquire(50) log('b', b ~= nil) end)\n"
               "task.sleep(10) p:release() log(sem:try_acquire()) task.sleep(0)\n"
               "p = sem:try_acquire() log(p ~= nil) p:release()",
               "a nil timeout ETIMEDOUT\nnil no permit is free EAGAIN\nb true\ntrue\ndone\n");
}

// ---- who is served first ----

static void waiters_are_served_in_their_order(void **state) {
  (void)state;
  bench_expect("local wrong = 0\n"
               "for _, lock in ipairs {task.mutex().lock, task.semaphore(1).acquire} do\n"
               "  local it = _ == 1 and task.mutex() or task.semaphore(1)\n"
               "  local first, turn = lock(it), 0\n"
               "  for i = 1, 300 do task.spawn(function()\n"
               "    local p <close> = lock(it) turn = turn + 1\n"
               "    if turn ~= i then wrong = wrong + 1 end\n"
               "    if i % 3 == 0 then task.sleep(0) end\n"
               "  end) end\n"
               "  task.sleep(0) first:release() lock(it):release() log(turn)\n"
               "end\n"
               "log(wrong)",
               "300\n300\n0\ndone\n");
}

static void who_comes_later_never_overtakes(void **state) {
  (void)state;
  // The permit is the waiter's although it has not run yet.
  bench_expect("local sem, mutex = task.semaphore(2), task.mutex()\n"
               "local a, b, l = sem:acquire(), sem:acquire(), mutex:lock()\n"
               "task.spawn(function() log('sem') sem:acquire():release() end)\n"
               "task.spawn(function() log('mutex', mutex:lock():release()) end)\n"
               "task.sleep(0) a:release() l:release()\n"
               "log(sem:try_acquire()) log(mutex:try_lock())\n"
               "task.spawn(function() sem:acquire():release() log('later') end) a = sem:acquire()\n"
               "log('third') a:release() b:release() task.sleep(0)",
               "sem\nnil no permit is free EAGAIN\nnil locked EAGAIN\nmutex\nthird\nlater\ndone\n");
}

// ---- cancelling, and ended from outside ----

static void a_cancelled_wait_leaves_the_queue(void **state) {
  (void)state;
  bench_expect(
      "local sem = task.semaphore(1) local p = sem:acquire()\n"
      "for _, t in ipairs {false, 9} do\n"
      "  local w = task.spawn(function()\n"
      "    local ok, e = pcall(sem.acquire, sem, t or nil) log(ok, e.code, e.reason) end)\n"
      "  task.sleep(0) w:cancel('no') p:release() p = sem:try_acquire() log(p ~= nil)\n"
      "  task.sleep(0)\n"
      "end\n"
      "p:release()",
      "true\nfalse ECANCELED no\ntrue\nfalse ECANCELED no\ndone\n");
}

static void what_completed_before_the_cancellation_counts(void **state) {
  (void)state;
  bench_expect("local sem = task.semaphore(1) local p = sem:acquire()\n"
               "local w = task.spawn(function() local p <close> = sem:acquire() log('has it')\n"
               "  log(select(2, pcall(sem.acquire, sem)).code) log(sem:try_acquire()) end)\n"
               "task.sleep(0) p:release() w:cancel() task.sleep(0) sem:acquire():release()",
               "has it\nECANCELED\nnil no permit is free EAGAIN\ndone\n");
}

static void a_permit_whose_waiter_is_ended_goes_to_the_next(void **state) {
  (void)state;
  bench_expect("local mutex = task.mutex() local l = mutex:lock()\n"
               "local first = task.spawn(function() mutex:lock() log 'never' end)\n"
               "local second = task.spawn(function() mutex:lock():release() log 'second' end)\n"
               "task.sleep(0) l:release() kill(first) first = nil log(mutex:try_lock())\n"
               "collectgarbage() log(mutex:try_lock()) task.sleep(0)\n"
               "l = mutex:try_lock() log(l ~= nil)\n"
               "local third = task.spawn(function() mutex:lock() end)\n"
               "task.sleep(0) kill(third) l:release() l = mutex:try_lock() log(l ~= nil)\n"
               "local fourth = task.spawn(function() mutex:lock() end)\n"
               "task.sleep(0) l:release() kill(fourth) collectgarbage()\n"
               "mutex:try_lock():release() log(pcall(function() mutex:lock():release() end))",
               "nil locked EAGAIN\nnil locked EAGAIN\nsecond\ntrue\ntrue\ntrue\ndone\n");
}

static void a_forgotten_permit_comes_back_with_a_warning(void **state) {
  (void)state;
  bench_expect("local sem, mutex = task.semaphore(1), task.mutex()\n"
               "sem:acquire() collectgarbage() sem:acquire():release() collectgarbage()\n"
               "mutex:lock() task.spawn(function() mutex:lock() log 'locked' end)\n"
               "task.sleep(0) collectgarbage() task.sleep(0) collectgarbage() mutex:lock()",
               "warn: a semaphore's permit was given back by the garbage collector: nobody called "
               "release, or kept it in a local <close>\n"
               "warn: a mutex was unlocked by the garbage collector: nobody called release, or "
               "kept the permit in a local <close>\nlocked\n"
               "warn: a mutex was unlocked by the garbage collector: nobody called release, or "
               "kept the permit in a local <close>\ndone\n");
}

static void what_is_still_in_use_when_the_state_closes_is_no_news(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "kept = task.mutex():lock() task.semaphore(1):acquire()\n"
                      "local mutex = task.mutex() local l = mutex:lock()\n"
                      "local t = task.spawn(function() mutex:lock() end)\n"
                      "task.sleep(0) l:release() kill(t)");
  bench_finish(&b);
  fake_expect(&b.fake, "done\n");
  pl_vm_deinit(&b.fake.vm);
  fake_expect(&b.fake, "");
  struct pl_host host = b.fake.vm.host;
  assert_int_equal(pl_vm_init(&b.fake.vm, &host, 3, 0), 0);
  bench_close(&b);
}

// ---- misuse ----

static void locking_again_in_the_same_task_is_an_error(void **state) {
  (void)state;
  bench_expect(
      "local mutex = task.mutex() local l = mutex:lock()\n"
      "log(pcall(mutex.lock, mutex)) log(pcall(mutex.lock, mutex, 1)) log(mutex:try_lock())\n"
      "log(coroutine.wrap(function() return pcall(mutex.lock, mutex) end)())\n"
      "l:release() l = mutex:lock() l:release()\n"
      "l = mutex:lock() local t = task.spawn(function()\n"
      "  local own = mutex:lock() log(pcall(mutex.lock, mutex)) own:release() end)\n"
      "task.sleep(0) l:release() log((pcall(mutex.lock, mutex)))",
      "false mutex:lock: this task has locked the mutex already, and would wait for itself\n"
      "false mutex:lock: this task has locked the mutex already, and would wait for itself\n"
      "nil locked EAGAIN\n"
      "false mutex:lock: this task has locked the mutex already, and would wait for itself\n"
      "false mutex:lock: this task has locked the mutex already, and would wait for itself\n"
      "true\ndone\n");
}

static void the_permit_unlocks_whoever_has_it(void **state) {
  (void)state;
  bench_expect(
      "local mutex = task.mutex() local l = mutex:lock()\n"
      "task.spawn(function() l:release() local own <close> = mutex:lock() log 'child' end)\n"
      "task.sleep(0) local again <close> = mutex:lock() log 'parent'",
      "child\nparent\ndone\n");
}

static void misuse_is_named(void **state) {
  (void)state;
  bench_expect(
      "local sem, mutex = task.semaphore(1), task.mutex() local p <close> = sem:acquire()\n"
      "local function bad(f, ...) log((select(2, pcall(f, ...)):gsub('^test:%d+: ', ''))) end\n"
      "for _, n in ipairs {0, -1, 1.5, 'x', math.huge, true} do\n"
      "  bad(function() task.semaphore(n) end)\n"
      "end\n"
      "bad(function() task.semaphore() end)\n"
      "bad(function() sem:acquire(-1) end) bad(function() sem:acquire('soon') end)\n"
      "bad(function() mutex:lock({}) end) bad(function() sem.acquire() end)\n"
      "bad(function() sem.acquire(mutex) end) bad(function() mutex.lock(sem) end)\n"
      "bad(function() mutex.try_lock(1) end) bad(function() p.release(sem) end)\n"
      "bad(function() table.sort({1, 2}, function() sem:acquire() end) end)\n"
      "bad(function() table.sort({1, 2}, function() mutex:lock() end) end)\n"
      "log(getmetatable(sem), getmetatable(mutex), getmetatable(p), sem.lock, mutex.acquire)",
      "task.semaphore: the number of permits must be an integer of at least 1, not 0\n"
      "task.semaphore: the number of permits must be an integer of at least 1, not -1\n"
      "task.semaphore: the number of permits must be an integer of at least 1, not 1.5\n"
      "task.semaphore: the number of permits must be an integer of at least 1, not x\n"
      "task.semaphore: the number of permits must be an integer of at least 1, not inf\n"
      "task.semaphore: the number of permits must be an integer of at least 1, not true\n"
      "task.semaphore: the number of permits must be an integer of at least 1, not nil\n"
      "bad argument #1 to 'acquire' (a number of seconds of at least 0 is expected)\n"
      "bad argument #1 to 'acquire' (number expected, got string)\n"
      "bad argument #1 to 'lock' (number expected, got table)\n"
      "bad argument #1 to 'acquire' (perilune.Semaphore expected, got no value)\n"
      "bad argument #1 to 'acquire' (perilune.Semaphore expected, got perilune.Mutex)\n"
      "bad argument #1 to 'lock' (perilune.Mutex expected, got perilune.Semaphore)\n"
      "bad argument #1 to 'try_lock' (perilune.Mutex expected, got number)\n"
      "bad argument #1 to 'release' (perilune.Permit expected, got perilune.Semaphore)\n"
      "semaphore:acquire cannot wait inside 'table.sort': Lua cannot suspend that function\n"
      "mutex:lock cannot wait inside 'table.sort': Lua cannot suspend that function\n"
      "false false false nil nil\ndone\n");
}

static void outside_tasks_one_can_only_try(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_State *L = b.fake.vm.L;
  const char *script = "m = task.mutex() p = m:try_lock() assert(not m:try_lock()) p:release()\n"
                       "assert(select(2, pcall(m.lock, m)) == 'mutex:lock waits, and there is no "
                       "task here that could')\n"
                       "m:try_lock():release()";
  if (luaL_dostring(L, script)) fail_msg("%s", lua_tostring(L, -1));
  bench_close(&b);
}

// ---- memory ----

// Uses every operation; step() comes between any two.
#define EVERY_OPERATION                                                                     \
  "local sem, mutex = task.semaphore(2), task.mutex() kept = kept or {sem, mutex} step()\n" \
  "local function spawn(...) local t = task.spawn(...) step() return t end\n"               \
  "local function section()\n"                                                              \
  "  local a <close> = sem:acquire(100) step() local b <close> = mutex:lock(100) step()\n"  \
  "  local c <close> = sem:try_acquire() step() task.sleep(0) step()\n"                     \
  "end\n"                                                                                   \
  "local tasks = {} for i = 1, 4 do tasks[i] = spawn(section) end\n"                        \
  "for _, t in ipairs(tasks) do t:await() step() end\n"                                     \
  "local lock = mutex:lock() step() log(mutex:try_lock()) step()\n"                         \
  "local a, b = sem:acquire(), sem:acquire() step() log(sem:acquire(0)) step()\n"           \
  "local ended = spawn(function() sem:acquire() end) task.sleep(0) step()\n"                \
  "a:release() step() kill(ended) ended = nil step() collectgarbage() step()\n"             \
  "a = sem:acquire(0) step() log(a ~= nil) local cancelled = spawn(sem.acquire, sem)\n"     \
  "task.sleep(0) cancelled:cancel() step() a:release() b:release() lock:release() step()\n" \
  "sem:acquire() step() collectgarbage() step() sem:try_acquire():release()"

static void a_collection_at_any_point_changes_nothing(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_gc(b.fake.vm.L, LUA_GCINC, 1, 1000, 4);  // a cycle after each few allocations
  fake_start(&b.fake, "step = collectgarbage\n" EVERY_OPERATION);
  bench_finish(&b);
  fake_expect(&b.fake, "nil locked EAGAIN\nnil timeout ETIMEDOUT\ntrue\n"
                       "warn: a semaphore's permit was given back by the garbage collector: "
                       "nobody called release, or kept it in a local <close>\ndone\n");
  bench_close(&b);
}

static void a_finaliser_may_release_while_a_task_is_about_to_wait(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_gc(b.fake.vm.L, LUA_GCINC, 1, 1000, 4);
  fake_start(&b.fake, "local got, tasks = 0, {}\n"
                      "for i = 1, 400 do tasks[i] = task.spawn(function()\n"
                      "  local sem = task.semaphore(1) local p = sem:acquire()\n"
                      "  setmetatable({}, {__gc = function() p:release() end})\n"
                      "  for _ = 1, i % 23 do local _ = {} end\n"
                      "  sem:acquire():release() got = got + 1 end) end\n"
                      "task.sleep(0) collectgarbage() collectgarbage() task.sleep(0)\n"
                      "for i = 1, 400 do tasks[i]:cancel() end log(got)");
  bench_finish(&b);
  fake_expect(&b.fake, "400\ndone\n");
  bench_close(&b);
}

static void without_memory_operations_fail_and_permits_come_back(void **state) {
  (void)state;
  // Nothing is left to finalisers here: one that Lua has no memory to call is lost.
  bench_without_memory(
      "step = function() end local kill = function(t) t:cancel() end\n"
      "local collectgarbage = step\n" EVERY_OPERATION,
      "local sem, mutex = table.unpack(kept or {task.semaphore(2), task.mutex()})\n"
      "local a, b, c = sem:try_acquire(), sem:try_acquire(), mutex:try_lock()\n"
      "assert(a and b and c and not sem:try_acquire())\n"
      "a:release() b:release() c:release()");
}

// ---- at random ----

static void random_schedules_agree_with_the_model(void **state) {
  (void)state;
  bench_model("tests/unit/api/semaphore_model.lua", 150, 300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(n_permits_are_given_out),
      cmocka_unit_test(a_permit_is_released_once),
      cmocka_unit_test(close_releases_however_the_block_ends),
      cmocka_unit_test(a_mutex_keeps_a_section_to_one_task),
      cmocka_unit_test(waits_take_a_time),
      cmocka_unit_test(who_timed_out_has_left_the_queue),
      cmocka_unit_test(waiters_are_served_in_their_order),
      cmocka_unit_test(who_comes_later_never_overtakes),
      cmocka_unit_test(a_cancelled_wait_leaves_the_queue),
      cmocka_unit_test(what_completed_before_the_cancellation_counts),
      cmocka_unit_test(a_permit_whose_waiter_is_ended_goes_to_the_next),
      cmocka_unit_test(a_forgotten_permit_comes_back_with_a_warning),
      cmocka_unit_test(what_is_still_in_use_when_the_state_closes_is_no_news),
      cmocka_unit_test(locking_again_in_the_same_task_is_an_error),
      cmocka_unit_test(the_permit_unlocks_whoever_has_it),
      cmocka_unit_test(misuse_is_named),
      cmocka_unit_test(outside_tasks_one_can_only_try),
      cmocka_unit_test(a_collection_at_any_point_changes_nothing),
      cmocka_unit_test(a_finaliser_may_release_while_a_task_is_about_to_wait),
      cmocka_unit_test(without_memory_operations_fail_and_permits_come_back),
      cmocka_unit_test(random_schedules_agree_with_the_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
