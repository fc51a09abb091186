/// A generation: the app as loaded once, with a Lua state of its own.
///
///   new -> LOADING -> READY (start handlers are over) -> serves -> retired -> last task ended:
///   stop handlers -> freed
///
/// Two may live side by side: new requests go to the worker's current one, the other closes when
/// its last task ends. Sockets, parsers and timers belong to the worker, not to a generation.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"
#include "api/route_table.h"
#include "base/base.h"
#include "base/list.h"
#include "io/timer.h"
#include "runtime/vm.h"
#include "worker/collect.h"

struct pl_budget;
struct pl_config;
struct pl_hub;
struct pl_loop;
struct pl_mailbox;
struct pl_generation;

enum pl_generation_state {
  PL_GENERATION_LOADING,
  PL_GENERATION_READY,
  PL_GENERATION_FAILED,
  PL_GENERATION_STOPPING,  ///< its stop handlers run
  PL_GENERATION_STOPPED    ///< nothing of it runs any more: it may be freed
};

/// What a generation is made of and whom it tells.
struct pl_generation_options {
  const struct pl_config *config;
  struct pl_loop *loop;
  struct pl_mailbox *mailbox;  ///< the worker's
  struct pl_hub *hub;          ///< the server's
  const char *app_path;        ///< or NULL
  const char *app_code;        ///< or NULL
  unsigned worker_index;       ///< 1-based
  unsigned worker_count;
  uint64_t *task_counter;      ///< the worker's: ids never repeat, not even over its generations
  struct pl_budget *budget;    ///< the worker's, too
  struct pl_account *account;  ///< the worker's memory
  struct pl_layouts *layouts;  ///< the process's
  bool skip_start;             ///< do not run the start handlers: perilune check, routes
  void *ctx;
  /// Loading is over: READY, or FAILED and generation->problem says why.
  void (*on_loaded)(struct pl_generation *g, void *ctx);
  /// STOPPED: free it, but not before this call has returned.
  void (*on_stopped)(struct pl_generation *g, void *ctx);
};

struct pl_generation {
  struct pl_list link;  ///< the worker's
  struct pl_generation_options options;
  struct pl_vm vm;
  struct pl_collect collect;
  struct pl_api_context api;
  struct pl_route_table table;
  enum pl_generation_state state;
  struct pl_timer grace_timer;  ///< of the vm's cancelled tasks
  struct pl_task *loader;       ///< LOADING: the task that does it
  bool is_retired;              ///< no new request comes
  size_t open_calls;            ///< requests whose last byte has not left
  char *problem;                ///< FAILED: text with file:line; owned
  char *app_folder;             ///< owned
};

/// Begins to load; on_loaded follows, maybe before this returns.
/// Returns: the generation, or NULL: out of memory.
PL_MUST_CHECK struct pl_generation *pl_generation_new(const struct pl_generation_options *options);

/// Gives up loading, which may wait for ever: on_loaded follows, with FAILED unless the app ignores
/// its cancellation. Nothing when loading is over. Not from inside a task.
void pl_generation_cancel_loading(struct pl_generation *g);

/// Cancels everything that runs in it, loading too. Not from inside a task.
void pl_generation_cancel(struct pl_generation *g, enum pl_cancel_reason reason);

/// No new request will come: it stops when what runs has ended. Its background tasks are cancelled
/// when the last request has been answered.
void pl_generation_retire(struct pl_generation *g);

/// A request's last byte has left: the end of what pl_generation_hold began.
void pl_generation_release(struct pl_generation *g);
static inline void pl_generation_hold(struct pl_generation *g) {
  g->open_calls++;
}

/// Whether its worker holds more than limits.memory although it has given back what it could.
bool pl_generation_is_short_of_memory(struct pl_generation *g);

/// A full collection; also from inside a task.
void pl_generation_collect(struct pl_generation *g);

/// Results that are still kept: 0 when nothing runs.
size_t pl_generation_kept_results(struct pl_generation *g);

/// Frees a STOPPED or FAILED generation.
void pl_generation_free(struct pl_generation *g);
