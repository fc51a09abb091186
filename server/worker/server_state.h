/// The running server as its workers see it: what they share, read-only once it serves, and how
/// they report to the main thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/mailbox.h"
#include "worker/server.h"
#include "worker/worker.h"

struct pl_server {
  const struct pl_server_options *options;
  const struct pl_config *config;
  struct pl_loop loop;  ///< main's: signals and the workers' reports
  struct pl_mailbox mailbox;
  struct pl_worker *workers;
  unsigned worker_count;
  int *listen_fds;       ///< one per address; -1: not bound
  uint64_t connections;  ///< limits.connections, resolved
  unsigned ready_count;
  unsigned running_count;       ///< threads that have not stopped
  struct pl_timer force_timer;  ///< ends the process when a worker does not stop
  unsigned term_count;          ///< signals to end that have come
  bool has_failed;              ///< a worker could not start
  bool is_stopping;
};

/// Thread: a worker's. Its app is loaded and its listeners are open.
void pl_server_post_ready(struct pl_server *server, struct pl_worker *worker);
/// Thread: a worker's. It cannot start; `problem` (copied) is shown once, for the first worker.
void pl_server_post_problem(struct pl_server *server, const char *problem);
/// Thread: a worker's, as its last act.
void pl_server_post_stopped(struct pl_server *server, struct pl_worker *worker);

/// Thread: main. A signal asks for the end: the first drains, the second stops at once.
void pl_server_end(struct pl_server *server);
