// When the collector works. The timer only makes the loop turn; it is moved lazily: one that fires
// too early, because something has run meanwhile, is started again for the rest.
#include "worker/collect.h"

#include "base/clock.h"
#include "io/loop.h"

static void on_timer(struct pl_timer *timer) {
  (void)timer;  // this turn ends with pl_collect_turn
}

void pl_collect_start(struct pl_collect *c, struct pl_loop *loop, struct pl_vm *vm,
                      uint64_t limit_bytes) {
  c->loop = loop;
  c->timer.fn = on_timer;
  pl_collector_start(&c->collector, vm, limit_bytes < SIZE_MAX ? (size_t)limit_bytes : 0);
}

bool pl_collect_turn(struct pl_collect *c) {
  if (!c->loop) return false;
  uint64_t wait_ms = pl_collector_turn(&c->collector, pl_loop_now_ms(c->loop));
  pl_heap_report(&c->collector.vm->heap);
  if (wait_ms == PL_COLLECTOR_AGAIN) return true;
  if (wait_ms != PL_COLLECTOR_NEVER && !pl_timer_is_running(&c->timer))
    pl_timer_start(&c->loop->wheel, &c->timer, pl_clock_ms() + wait_ms + 1);
  return false;
}

void pl_collect_stop(struct pl_collect *c) {
  if (c->loop) pl_timer_stop(&c->loop->wheel, &c->timer);
}
