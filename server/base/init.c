// The init process. All signals are blocked before the fork and fetched with sigwaitinfo: none is
// lost, and no handler runs. (Signals that PID 1 neither blocks nor handles never reach it.)
//
// The child gets a process group of its own: otherwise Ctrl-C on a terminal would reach it twice,
// once from the terminal and once from here, and a second INT means "stop at once".
#define _GNU_SOURCE
#include "base/init.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALLED_STATUS = 128 };

// All but those that a fault of this very process raises.
static void fill_signals(sigset_t *signals) {
  static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
  sigfillset(signals);
  for (size_t i = 0; i < PL_ARRAY_LEN(faults); i++) sigdelset(signals, faults[i]);
}

// Reaps all children that have ended. Returns: whether `child` was among them, and its *status.
static bool reap_children(pid_t child, int *status) {
  bool has_ended = false;
  for (;;) {
    int one;
    pid_t pid = waitpid(-1, &one, WNOHANG);
    if (pid <= 0) return has_ended;
    if (pid != child) continue;
    *status = one;
    has_ended = true;
  }
}

static _Noreturn void watch_child(pid_t child, const sigset_t *signals) {
  for (;;) {
    siginfo_t info;
    int number = sigwaitinfo(signals, &info);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      kill(child, number);
      continue;
    }
    int status;
    if (!reap_children(child, &status)) continue;
    _exit(WIFSIGNALED(status) ? SIGNALLED_STATUS + WTERMSIG(status) : WEXITSTATUS(status));
  }
}

int pl_init_fork(void) {
  sigset_t signals, before;
  fill_signals(&signals);
  sigprocmask(SIG_BLOCK, &signals, &before);
  pid_t child = fork();
  if (child > 0) watch_child(child, &signals);
  if (child == 0) {
    setpgid(0, 0);
    tcsetpgrp(STDIN_FILENO, getpgrp());  // refused where standard input is no terminal
  }
  int rc = child < 0 ? -errno : 0;
  sigprocmask(SIG_SETMASK, &before, NULL);
  return rc;
}
