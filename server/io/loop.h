/// One event loop per thread: libuv's, with a turn hook for ready tasks, deferred work, the timer
/// wheel, the shared read buffer and the cached date. The only file that calls uv_run.
///
/// Order within one turn of the loop: timers and sockets are polled by libuv; then `on_turn` runs
/// the ready tasks; then the deferred items that were queued when this step began. When one of
/// these wakes the loop (pl_loop_wake: a task is ready), both steps are done again, up to 16 times,
/// unless on_turn asks for a poll by returning true. Then, with all answers of the turn written,
/// `on_written`. While on_turn or on_written asks for more, or something was deferred, the loop
/// polls without blocking. With nothing to do and no timer it blocks for ever.
///
/// Thread: everything here belongs to the thread that runs the loop; others use io/mailbox.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/base.h"
#include "base/clock.h"
#include "base/list.h"
#include "io/timer.h"

enum { PL_READ_BUFFER_BYTES = 64 * 1024 };

/// Something to do once, soon, outside the current call: a flush, a connection that goes on.
struct pl_deferred {
  struct pl_list link;  ///< the loop's; queued when it is not alone
  void (*fn)(struct pl_deferred *);
};

/// The head of a block of pl_mem that waits in a free list of the loop.
struct pl_spare {
  struct pl_spare *next;
};

struct pl_loop {
  uv_loop_t uv;
  uv_prepare_t prepare;
  uv_idle_t idle;  ///< active while the loop must not block
  bool is_woken;   ///< by pl_loop_wake, since on_turn was last called
  struct pl_wheel wheel;
  struct pl_list deferred;
  struct pl_clock_date date;
  char *read_buffer;              ///< PL_READ_BUFFER_BYTES, lent to whoever reads right now
  struct pl_spare *spare_writes;  ///< stream.c's free list of write requests
  uint64_t lag_limit_ms;          ///< the owner's: what is_lagging is about; 0 = none
  uint64_t lag_ms;        ///< how long events waited at most: the shorter of the last two turns
  bool is_lagging;        ///< use pl_loop_is_lagging
  uint64_t turn_ms;       ///< when this turn began; 0: nothing has happened in it yet
  uint64_t turn_end_ms;   ///< when the last one was over
  uint64_t last_turn_ms;  ///< how long it took; 0: the loop has been idle since
  bool (*on_turn)(void *ctx);     ///< true: more is ready, but let the sockets be polled first
  bool (*on_written)(void *ctx);  ///< true: call again soon, do not block; may be NULL
  void *ctx;                      ///< of both
};

/// @param on_turn may be NULL (a loop without tasks)
/// Returns: 0 or a libuv error; after an error nothing needs to be released.
PL_MUST_CHECK int pl_loop_init(struct pl_loop *loop, bool (*on_turn)(void *ctx), void *ctx);

/// Runs until pl_loop_stop or until no handle is left.
void pl_loop_run(struct pl_loop *loop);

void pl_loop_stop(struct pl_loop *loop);

/// Closes the loop's own handles, runs it until every close callback has been called, and frees it.
/// Returns: 0, or the number of handles that were left open (a bug of the caller's: each is
/// named on stderr).
int pl_loop_deinit(struct pl_loop *loop);

/// Asks for a turn before the loop blocks again. Cheap, may be called any number of times.
void pl_loop_wake(struct pl_loop *loop);

/// Queues d; harmless when it is queued already. Runs in the next deferred step.
void pl_loop_defer(struct pl_loop *loop, struct pl_deferred *d);

/// Takes d out of the queue; harmless when it is not queued. (pl_list_init(&d->link) first.)
void pl_loop_undefer(struct pl_deferred *d);

/// To be called when libuv brings bytes to be handled, as that is work: the turn has begun.
static inline void pl_loop_begin_turn(struct pl_loop *loop) {
  if (!loop->turn_ms) loop->turn_ms = uv_now(&loop->uv);
}

/// Whether lag_ms has been above lag_limit_ms and not yet below half of it. A turn is what happens
/// between two polls, so whatever becomes ready meanwhile waits for its end. One long turn on its
/// own is one handler that nothing could interrupt, no overload: two in a row count, and a loop
/// that had to wait for its next event is not behind, whatever was before.
static inline bool pl_loop_is_lagging(const struct pl_loop *loop) {
  return loop->is_lagging && uv_now(&loop->uv) <= loop->turn_end_ms + 1;
}

/// pl_clock_ms() as of the start of this turn: for time-outs, which do not mind. What must not be
/// early (sleep) starts from pl_clock_ms() itself.
static inline uint64_t pl_loop_now_ms(const struct pl_loop *loop) {
  return uv_now(&loop->uv);
}
