/// Load shedding: which requests of a worker run, which wait for a place, and which are answered
/// with 503.
///
///            free place                          place free again
///   enter ---------------> runs -> ... -> leave ------------------+
///     |                      ^                                    |
///     | none                 +-- the oldest that may run <--------+
///     +--> waits in a lane --+
///     |                      +--> 503: timeouts.queue, or the request's own time, is over
///     +--> 503: the lane holds limits.queue requests, or the worker is behind (limits.lag)
///
/// A route with an in_flight option has a lane of its own, so that those who wait for it stand in
/// nobody's way; all other requests wait in the worker's. A lane is first come, first served, and
/// so are the lanes among each other: a free place goes to the oldest request whose route has room.
/// A waiting request is the call that exists anyway: no memory is taken, no coroutine made, no body
/// read.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/call.h"
#include "base/base.h"
#include "io/loop.h"
#include "io/timer.h"

/// Why a request was answered with 503 instead of being run.
enum pl_shed {
  PL_SHED_QUEUE_FULL,
  PL_SHED_QUEUE_TIMEOUT,  ///< timeouts.queue, or the request's own time while it waited
  PL_SHED_LAG,
  PL_SHED_MEMORY,
  PL_SHED_CAUSES
};

struct pl_admission {
  struct pl_loop *loop;
  uint64_t in_flight_limit;  ///< limits.in_flight
  uint64_t queue_limit;      ///< limits.queue: of each lane; 0 = nobody waits
  uint64_t timeout_ms;       ///< timeouts.queue; 0 = none
  /// A request that has waited may run now: starts its task (which takes the place, see
  /// pl_admission_take) or answers it.
  void (*start)(struct pl_call *call);

  size_t in_flight;                   ///< requests that have a place
  size_t queued;                      ///< that wait, in all lanes
  uint64_t sheds[PL_SHED_CAUSES];     ///< answered with 503 since the worker began
  uint64_t reported[PL_SHED_CAUSES];  ///< of these, how many the log has told

  struct pl_lane lane;           ///< of all routes without a lane of their own
  struct pl_list lanes;          ///< in which somebody waits
  uint64_t last_number;          ///< of pl_call.queue_number
  struct pl_deferred later;      ///< places have become free
  struct pl_timer timer;         ///< due not later than the next time-out in a lane
  struct pl_timer report_timer;  ///< runs for a second after each report
};

/// Set loop, the limits and start before; the rest must be zeros. Its timers go with the wheel.
void pl_admission_init(struct pl_admission *a);

/// A request for call->route has come. Returns: true: it may run, start it; false: it waits, or has
/// been answered. The call must not be touched any more then: start or the end of its exchange
/// will.
bool pl_admission_enter(struct pl_admission *a, struct pl_call *call);

/// The quick answer to the same question: true is true, false asks for pl_admission_enter.
static inline bool pl_admission_has_place(const struct pl_admission *a,
                                          const struct pl_route *route) {
  return a->queued == 0 && a->in_flight < a->in_flight_limit && !a->loop->is_lagging &&
         (!route->in_flight_limit || route->in_flight < route->in_flight_limit);
}

/// The request's task has been made: from now on it holds a place.
static inline void pl_admission_take(struct pl_admission *a, struct pl_route *route) {
  a->in_flight++;
  route->in_flight++;
}

/// The request's task is gone. Whoever waits for the place gets it soon, not within this call.
static inline void pl_admission_leave(struct pl_admission *a, struct pl_route *route) {
  a->in_flight--;
  route->in_flight--;
  if (PL_UNLIKELY(a->queued)) pl_loop_defer(a->loop, &a->later);
}

/// The exchange's on_gone: takes the call out of its lane, answers it with 503 where that still
/// reaches somebody (PL_ETIMEDOUT), and releases the exchange.
/// Returns: whether it was waiting; false: nothing was done.
bool pl_admission_drop(struct pl_admission *a, struct pl_call *call, int reason);

/// Answers the call, which waits nowhere and has no task, with 503, counts it, and releases the
/// exchange.
void pl_admission_refuse(struct pl_admission *a, struct pl_call *call, enum pl_shed cause);

/// Whether a request for a route without limits of its own would be refused if it came now.
bool pl_admission_would_refuse(const struct pl_admission *a);
