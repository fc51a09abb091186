/// A wait in a queue, first come first served, with or without a time: what channels, semaphores,
/// mutexes and task:await have in common. Whoever serves the queue takes its first wait out with
/// pl_queue_wait_end, which wakes that task; the place in the queue is lost from then on, so nobody
/// who comes later can be served instead.
///
/// Embed it in a userdata on the waiting coroutine's stack. That userdata's finaliser calls
/// pl_queue_wait_leave, and its user value keeps the queue alive.
///
/// Thread: the task's worker.
#pragma once

#include <lua.h>
#include <stdint.h>

#include "base/list.h"
#include "io/timer.h"
#include "runtime/wait.h"

struct pl_loop;

/// All zeros: never used.
struct pl_queue_wait {
  struct pl_wait wait;
  struct pl_list link;    ///< the queue, while it waits
  struct pl_timer timer;  ///< runs when it was given a time
  struct pl_loop *loop;   ///< NULL before its first use
  int outcome;            ///< PL_EAGAIN: it waits; 0: served; PL_ETIMEDOUT, PL_ECANCELED,
                          ///< PL_EOF, PL_EPIPE: why not
};

/// Puts the running task at the end of the queue; `return pl_wait_yield` next. Call pl_wait_check
/// first. Never raises.
/// @param operation "channel:send", static storage
/// @param due_ms from pl_queue_wait_check_due; 0: for ever
void pl_queue_wait_begin(lua_State *L, struct pl_queue_wait *w, struct pl_list *queue,
                         const char *operation, uint64_t due_ms);

/// Takes it out of its queue, with that outcome, and makes its task ready.
void pl_queue_wait_end(struct pl_queue_wait *w, int outcome);

/// For finalisers: takes it out of its queue, if it still waits, and wakes nobody. Never raises.
void pl_queue_wait_leave(struct pl_queue_wait *w);

/// The first of the queue, or NULL.
static inline struct pl_queue_wait *pl_queue_wait_first(const struct pl_list *queue) {
  if (pl_list_is_empty(queue)) return 0;
  return PL_CONTAINER_OF(queue->next, struct pl_queue_wait, link);
}

/// Returns: when the seconds at `index`, counted from now, are over; 0: nil stands there. Raises
/// as pl_api_check_due.
uint64_t pl_queue_wait_check_due(lua_State *L, int index);

/// Pushes nil, text ("timeout", "closed") and code for an outcome or PL_EAGAIN. Returns 3.
/// @param would_wait the text for PL_EAGAIN: "full"; may be NULL where that cannot be
int pl_queue_wait_fail(lua_State *L, int outcome, const char *would_wait);
