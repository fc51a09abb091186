// The watchdog and its workers, each in a thread of its own. Loops allocate, since TSan holds a
// signal back until the thread calls one of its functions.
#include "worker/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "runtime/run.h"
#include "runtime/task.h"
#include "runtime/vm.h"

enum { MS = 1000000, WORKERS = 3, ROUNDS = 4 };

static const struct pl_budget_limits limits = {.slice_ns = 2 * MS, .cpu_ns = 20 * MS};

static const char hog[] = "while true do local t = {} end";
static const char hog_in_comparator[] =
    "table.sort({3, 2, 1}, function() while true do local t = {} end end)";

/// A worker: a thread that runs scripts in a vm, one after the other.
struct runner {
  struct pl_budget budget;
  struct pl_vm vm;
  uv_thread_t thread;
  const char *script;
  unsigned rounds;
  bool waits_for_sleep;  ///< begins each round when the watchdog sleeps
  unsigned killed;       ///< out: tasks that ended as killed
  _Atomic bool is_done;
};

static void ignore_wake(void *ctx) {
  (void)ctx;
}

static void ignore_warning(void *ctx, const char *text) {
  (void)ctx, (void)text;
}

static void count_killed(struct pl_task *task) {
  struct runner *r = task->vm->user;
  r->killed += task->kill_cause == PL_KILL_CPU;
}

static const struct pl_task_ops ops = {.on_end = count_killed};

static void start(struct runner *r, const char *script) {
  struct pl_task *task = pl_task_new(&r->vm, NULL, &ops, NULL);
  assert_non_null(task);
  assert_int_equal(luaL_loadstring(task->co, script), LUA_OK);
  pl_run_start(task, 0);
}

static void run_scripts(void *arg) {
  struct runner *r = arg;
  struct pl_host host = {.ctx = r, .wake = ignore_wake, .warn = ignore_warning};
  pl_budget_attach(&r->budget);
  assert_int_equal(pl_vm_init(&r->vm, &host, r->budget.worker, 0), 0);
  r->vm.user = r;
  r->vm.budget = &r->budget;
  for (unsigned i = 0; i < r->rounds; i++) {
    while (r->waits_for_sleep && !atomic_load(&r->budget.is_unwatched)) sched_yield();
    start(r, r->script);
    while (pl_run_turn(&r->vm)) start(r, "return 1");
  }
  pl_vm_deinit(&r->vm);
  pl_budget_detach();
  atomic_store(&r->is_done, true);
}

static void run_all(struct runner *runners, unsigned count, struct pl_budget_limits with) {
  struct pl_watchdog dog;
  struct pl_budget *budgets[WORKERS];
  for (unsigned i = 0; i < count; i++) {
    pl_budget_init(&runners[i].budget, &with, i + 1);
    budgets[i] = &runners[i].budget;
    assert_int_equal(uv_thread_create(&runners[i].thread, run_scripts, &runners[i]), 0);
  }
  assert_int_equal(pl_watchdog_start(&dog, budgets, count), 0);
  for (unsigned i = 0; i < count; i++)
    while (!atomic_load(&runners[i].is_done)) sched_yield();
  pl_watchdog_stop(&dog);
  for (unsigned i = 0; i < count; i++) assert_int_equal(uv_thread_join(&runners[i].thread), 0);
}

static void hogs_on_several_workers_are_preempted_and_ended(void **state) {
  (void)state;
  struct runner runners[WORKERS] = {{.script = hog, .rounds = ROUNDS},
                                    {.script = hog_in_comparator, .rounds = ROUNDS},
                                    {.script = "return 1", .rounds = 1000}};
  run_all(runners, WORKERS, limits);
  assert_int_equal(runners[0].killed, ROUNDS);
  assert_int_equal(runners[1].killed, ROUNDS);
  assert_int_equal(runners[2].killed, 0);
  assert_true(atomic_load(&runners[0].budget.preemptions) > 0);
  assert_int_equal(atomic_load(&runners[1].budget.preemptions), 0);
}

static void a_hog_wakes_the_watchdog(void **state) {
  (void)state;
  struct runner runner = {.script = hog, .rounds = ROUNDS, .waits_for_sleep = true};
  run_all(&runner, 1, limits);
  assert_int_equal(runner.killed, ROUNDS);
}

static void short_runs_wake_it_and_are_left_alone(void **state) {
  (void)state;
  struct runner runners[2] = {{.script = "return 1", .rounds = ROUNDS, .waits_for_sleep = true},
                              {.script = "return 1", .rounds = ROUNDS, .waits_for_sleep = true}};
  run_all(runners, 2, limits);
  assert_int_equal(runners[0].killed + runners[1].killed, 0);
}

static void without_limits_there_is_no_thread(void **state) {
  (void)state;
  struct pl_watchdog dog;
  struct pl_budget budget, *budgets[] = {&budget};
  struct pl_budget_limits none = {0};
  pl_budget_init(&budget, &none, 1);
  assert_int_equal(pl_watchdog_start(&dog, budgets, 1), 0);
  assert_null(dog.workers);
  pl_watchdog_stop(&dog);
  assert_int_equal(pl_watchdog_start(&dog, budgets, 0), 0);
  pl_watchdog_stop(&dog);
}

static void without_memory_it_does_not_start(void **state) {
  (void)state;
  struct pl_watchdog dog;
  struct pl_budget budget, *budgets[] = {&budget};
  pl_budget_init(&budget, &limits, 1);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_watchdog_start(&dog, budgets, 1), UV_ENOMEM);
  pl_mem_fail_nth(0);
  pl_watchdog_stop(&dog);
}

// In a process of its own: a worker that has been in the same run for ever and blocks the signal.
static void run_deaf_worker(int fd) {
  struct pl_watchdog dog;
  struct pl_budget budget, *budgets[] = {&budget};
  struct pl_budget_limits stall = {.stall_ns = 20 * MS};
  dup2(fd, STDERR_FILENO);
  pl_budget_init(&budget, &stall, 1);
  pl_budget_attach(&budget);
  pl_budget_detach();
  atomic_store(&budget.switches, 1);
  if (pl_watchdog_start(&dog, budgets, 1)) _exit(1);
  for (;;) pause();
}

static void a_worker_that_takes_no_signal_ends_the_process(void **state) {
  (void)state;
  int fds[2], status;
  char text[512] = "";
  assert_int_equal(pipe(fds), 0);
  pid_t child = fork();
  if (child == 0) run_deaf_worker(fds[1]);
  assert_true(child > 0);
  close(fds[1]);
  assert_true(read(fds[0], text, sizeof text - 1) > 0);
  close(fds[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGABRT);
  assert_non_null(strstr(text, "is stuck for longer than limits.stall"));
}

static void it_ends_while_it_sleeps(void **state) {
  (void)state;
  struct pl_watchdog dog;
  struct pl_budget budget, *budgets[] = {&budget};
  int64_t before = pl_mem_stats().bytes;
  pl_budget_init(&budget, &limits, 1);
  assert_int_equal(pl_watchdog_start(&dog, budgets, 1), 0);
  while (!atomic_load(&budget.is_unwatched)) sched_yield();
  pl_watchdog_stop(&dog);
  assert_int_equal(pl_mem_stats().bytes, before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hogs_on_several_workers_are_preempted_and_ended),
      cmocka_unit_test(a_hog_wakes_the_watchdog),
      cmocka_unit_test(short_runs_wake_it_and_are_left_alone),
      cmocka_unit_test(without_limits_there_is_no_thread),
      cmocka_unit_test(without_memory_it_does_not_start),
      cmocka_unit_test(a_worker_that_takes_no_signal_ends_the_process),
      cmocka_unit_test(it_ends_while_it_sleeps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
