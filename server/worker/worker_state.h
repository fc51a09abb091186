/// A worker's data: what its own file and the dispatcher share. Thread: the worker's, but for load.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/account.h"
#include "base/list.h"
#include "http/service.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "io/timer.h"
#include "runtime/budget.h"
#include "worker/admission.h"
#include "worker/generation.h"

struct pl_config;
struct pl_worker_options;

enum pl_worker_state {
  PL_WORKER_STARTING,
  PL_WORKER_SERVING,
  PL_WORKER_FAILED,  ///< the app did not load or start; it has said why
  PL_WORKER_DRAINING,
  PL_WORKER_STOPPED
};

/// What is left when a worker has stopped: all 0 as it should be.
struct pl_audit {
  size_t handles;  ///< of the loop
  size_t tasks;    ///< tasks, requests and exchanges
  size_t results;  ///< entries of the results tables
};

struct pl_worker {
  const struct pl_worker_options *options;  ///< the same of all workers
  const struct pl_config *config;
  unsigned index;  ///< 1-based
  uv_thread_t thread;
  struct pl_loop loop;
  struct pl_mailbox mailbox;
  struct pl_http_service http;
  struct pl_listener *listeners;  ///< one per address
  size_t listener_count;          ///< that are open
  struct pl_generation *current;  ///< serves new requests
  struct pl_list generations;     ///< all that are alive
  enum pl_worker_state state;
  _Atomic size_t load;            ///< connections placed here; read by the other workers
  size_t seen_connections;        ///< at the last on_connections
  struct pl_admission admission;  ///< requests that run, that wait, and that were refused
  struct pl_timer drain_timer;
  struct pl_deferred sweep;   ///< frees generations that have stopped
  uint64_t last_task;         ///< the counter of task ids, which goes on over generations
  struct pl_budget budget;    ///< how long Lua may keep the worker; one for all generations
  struct pl_account account;  ///< limits.memory
  uint64_t relieve_after_ms;  ///< no collection for memory's sake before that
  struct pl_audit audit;
};
