// The duties of PID 1, in processes that adopt orphans as PID 1 does (PR_SET_CHILD_SUBREAPER). The
// real thing, in a PID namespace, is in tests/api/cli_test.py.
#define _GNU_SOURCE
#include "base/init.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// Starts an init process whose child runs `body`, which writes to `out`.
static pid_t start(void (*body)(int out), int out) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid > 0) return pid;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a failed test leaves nothing behind
  if (pl_init_fork() < 0) _exit(99);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  body(out);
  _exit(0);
}

static int wait_status(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0) assert_int_equal(errno, EINTR);
  return status;
}

// Waits for one byte. Returns: it, or -1 at the end.
static int read_byte(int fd) {
  unsigned char byte;
  return read(fd, &byte, 1) == 1 ? byte : -1;
}

static void say(int out, char byte) {
  if (write(out, &byte, 1) != 1) _exit(98);
}

static void exit_7(int out) {
  (void)out;
  _exit(7);
}

static void init_ends_with_the_childs_status(void **state) {
  (void)state;
  int status = wait_status(start(exit_7, -1));
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 7);
}

static void die_of_kill(int out) {
  (void)out;
  raise(SIGKILL);
}

static void init_ends_with_128_and_the_signal(void **state) {
  (void)state;
  int status = wait_status(start(die_of_kill, -1));
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 128 + SIGKILL);
}

static void wait_for_two_signals(int out) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  say(out, 'r');
  for (int i = 0; i < 2; i++) {
    int number;
    sigwait(&set, &number);
    say(out, (char)number);
  }
  _exit(5);
}

static void init_passes_signals_on(void **state) {
  (void)state;
  int pipes[2];
  assert_int_equal(pipe(pipes), 0);
  pid_t pid = start(wait_for_two_signals, pipes[1]);
  close(pipes[1]);
  assert_int_equal(read_byte(pipes[0]), 'r');
  kill(pid, SIGHUP);
  assert_int_equal(read_byte(pipes[0]), SIGHUP);
  kill(pid, SIGTERM);
  assert_int_equal(read_byte(pipes[0]), SIGTERM);
  assert_int_equal(WEXITSTATUS(wait_status(pid)), 5);
  close(pipes[0]);
}

static void check_mask_and_group(int out) {
  sigset_t set;
  sigprocmask(SIG_BLOCK, NULL, &set);
  bool is_clean = !sigismember(&set, SIGTERM) && !sigismember(&set, SIGCHLD);
  say(out, is_clean && getpgrp() == getpid() ? 'y' : 'n');
}

static void init_gives_the_child_a_clean_mask_and_its_own_group(void **state) {
  (void)state;
  int pipes[2];
  assert_int_equal(pipe(pipes), 0);
  pid_t pid = start(check_mask_and_group, pipes[1]);
  close(pipes[1]);
  assert_int_equal(read_byte(pipes[0]), 'y');
  assert_int_equal(WEXITSTATUS(wait_status(pid)), 0);
  close(pipes[0]);
}

// Leaves an orphan that ends at once, and goes on when it is no more: its pid is then unknown.
static void leave_orphan(int out) {
  int pipes[2];
  if (pipe(pipes) < 0) _exit(98);
  pid_t middle = fork();
  if (middle == 0) {
    pid_t orphan = fork();
    if (orphan > 0 && write(pipes[1], &orphan, sizeof orphan) == sizeof orphan) _exit(0);
    _exit(orphan == 0 ? 3 : 98);
  }
  waitpid(middle, NULL, 0);
  pid_t orphan;
  if (read(pipes[0], &orphan, sizeof orphan) != sizeof orphan) _exit(98);
  while (kill(orphan, 0) == 0) sched_yield();  // a zombie still answers
  say(out, 'r');
  _exit(4);
}

static void init_reaps_orphans_and_goes_on(void **state) {
  (void)state;
  int pipes[2];
  assert_int_equal(pipe(pipes), 0);
  pid_t pid = start(leave_orphan, pipes[1]);
  close(pipes[1]);
  assert_int_equal(read_byte(pipes[0]), 'r');
  assert_int_equal(WEXITSTATUS(wait_status(pid)), 4);
  close(pipes[0]);
}

int main(void) {
  alarm(60);  // a lost signal ends the program instead of blocking it
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(init_ends_with_the_childs_status),
      cmocka_unit_test(init_ends_with_128_and_the_signal),
      cmocka_unit_test(init_passes_signals_on),
      cmocka_unit_test(init_gives_the_child_a_clean_mask_and_its_own_group),
      cmocka_unit_test(init_reaps_orphans_and_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
