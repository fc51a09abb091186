/// One worker: a thread with its loop, listeners, connections, and the generation of the app that
/// serves new requests.
///
/// Thread: its own, but for pl_worker_start, _post functions and _join, which are the server's.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/base.h"
#include "http/service.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "worker/generation.h"

struct pl_config;
struct pl_server;

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
  struct pl_server *server;
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
  _Atomic size_t load;      ///< connections placed here; read by the other workers
  size_t seen_connections;  ///< at the last on_connections
  size_t in_flight;         ///< requests that are not gone
  struct pl_timer drain_timer;
  struct pl_deferred sweep;  ///< frees generations that have stopped
  uint64_t last_task;        ///< the counter of task ids, which goes on over generations
  struct pl_audit audit;
};

/// Starts the thread; what becomes of it reaches the server by its pl_server_post functions.
PL_MUST_CHECK int pl_worker_start(struct pl_worker *worker);

/// Thread: any. Begin to drain; a repeated call ends everything at once.
void pl_worker_post_drain(struct pl_worker *worker);
void pl_worker_post_abort(struct pl_worker *worker);

/// Thread: the worker's. `g`, which is READY and in worker->generations, serves new requests from
/// now on, on the connections that are open too; the one before it ends with its last task.
void pl_worker_adopt(struct pl_worker *worker, struct pl_generation *g);

/// Thread: any. Hands over a connection that another worker has accepted.
void pl_worker_post_connection(struct pl_worker *worker, int fd, bool is_unix);

/// Thread: main, when the worker has stopped; worker->audit is complete then.
void pl_worker_join(struct pl_worker *worker);
