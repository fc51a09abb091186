/// One worker: a thread with its loop, listeners, connections, and the generation of the app that
/// serves new requests.
///
/// Thread: its own, but for pl_worker_start, _post functions and _join, which are the server's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "worker/worker_state.h"

/// What all workers are made of and whom they tell. Read-only once the first has started.
struct pl_worker_options {
  const struct pl_config *config;
  const char *app_path;       ///< or NULL
  const char *app_code;       ///< or NULL
  struct pl_hub *hub;         ///< where their scripts meet: channels and topics
  bool is_dry_run;            ///< load the app, listen to nothing, do not run the start handlers
  const int *listen_fds;      ///< one per address
  uint64_t connections;       ///< each worker's share of limits.connections
  struct pl_worker *workers;  ///< all of them: whom a connection may be handed to
  unsigned worker_count;
  struct pl_layouts *layouts;  ///< of structs, the process's
  void *ctx;
  /// Thread: the worker's, for all three. Its app is loaded and its listeners are open.
  void (*on_ready)(struct pl_worker *worker, void *ctx);
  /// It cannot start. `problem` is valid during the call. on_stopped will follow.
  void (*on_problem)(struct pl_worker *worker, const char *problem, void *ctx);
  /// Its last act: now it may be joined.
  void (*on_stopped)(struct pl_worker *worker, void *ctx);
};

/// Makes a zeroed worker ready to start. All are made before the first starts, so that any of them
/// may be sent messages. @param index 1-based. Returns: 0, or an error: nothing is left to release.
PL_MUST_CHECK int pl_worker_init(struct pl_worker *worker, const struct pl_worker_options *options,
                                 unsigned index);

/// Starts the thread; what becomes of it reaches the server by the options' callbacks.
/// Returns: 0, or an error: it has not begun; discard it.
PL_MUST_CHECK int pl_worker_start(struct pl_worker *worker);

/// The end of a worker that was never started.
void pl_worker_discard(struct pl_worker *worker);

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
