/// A hierarchical timer wheel per loop: starting and stopping a timer costs a few pointer writes,
/// whatever the number of timers. Slots of 1 ms; one uv_timer_t waits for the next due slot.
/// A timer never fires early, and fires once.
///
/// Thread: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/base.h"

/// Embed it; 32 bytes. All zeros = stopped.
struct pl_timer {
  struct pl_timer *next;  ///< the slot's ring; NULL when stopped
  struct pl_timer *prev;
  uint64_t due_ms;                ///< pl_clock_ms() time; once started never in the wheel's past
  void (*fn)(struct pl_timer *);  ///< runs on the loop's thread, the timer already stopped
};

enum {
  PL_WHEEL_LEVELS = 5,
  PL_WHEEL_SLOTS = 64
};  // 64^5 ms = 12.4 days; later ones go round again

struct pl_wheel {
  uv_timer_t uv;       ///< active while a timer is running, and only then
  uint64_t now_ms;     ///< the wheel has fired everything due up to here
  uint64_t target_ms;  ///< how far a running advance goes, else now_ms
  uint64_t armed_ms;   ///< when uv will fire; UINT64_MAX: it is stopped
  bool is_advancing;
  uint64_t occupied[PL_WHEEL_LEVELS];                      ///< a bit per slot that is not empty
  struct pl_timer slots[PL_WHEEL_LEVELS][PL_WHEEL_SLOTS];  ///< ring heads
};

PL_MUST_CHECK int pl_wheel_init(struct pl_wheel *wheel, uv_loop_t *uv);
/// Closes the uv timer; the wheel must outlive the close callback. Timers still in it are stopped.
void pl_wheel_close(struct pl_wheel *wheel);

/// Fires everything due up to now_ms, in the order of the due times. Called by the wheel's own uv
/// timer; by tests with a time of their own. Not from a timer's function.
void pl_wheel_advance(struct pl_wheel *wheel, uint64_t now_ms);

/// Starts (or moves) a timer. t->fn must be set. A due time in the past fires in the next turn.
/// pl_clock_ms() rounds down: what must last n whole ms is due at pl_clock_ms() + n + 1.
void pl_timer_start(struct pl_wheel *wheel, struct pl_timer *t, uint64_t due_ms);
/// Harmless when it is stopped.
void pl_timer_stop(struct pl_wheel *wheel, struct pl_timer *t);

static inline bool pl_timer_is_running(const struct pl_timer *t) {
  return t->next != NULL;
}
