// The event loop of one thread. Its turn (run_turn) hangs in libuv's prepare phase, directly before
// libuv asks the kernel: there everything has been collected that timers, sockets and close
// callbacks of this turn made ready.
//
//   libuv: timers -> [prepare: on_turn, deferred; on_written] -> poll, blocking or not -> sockets
//     -> closed ->
//
// The lag is measured with clock readings that are made anyway: the first read behind a poll begins
// a turn, and prepare's reading before the next poll ends it.
//
// The idle handle is active while the loop must not block: libuv then polls without waiting.
#include "io/loop.h"

#include "base/mem.h"

#include <stdio.h>

// How often a turn goes round again for what deferred items made ready (the next of several
// pipelined requests), before the sockets are polled.
enum { ROUNDS_PER_TURN = 16 };

static void on_idle(uv_idle_t *idle) {
  (void)idle;
}

static void keep_awake(struct pl_loop *loop) {
  if (!uv_is_closing((uv_handle_t *)&loop->idle)) uv_idle_start(&loop->idle, on_idle);
}

// Those that are queued now; what they queue waits for the next step.
static void run_deferred(struct pl_loop *loop) {
  struct pl_list ready;
  pl_list_init(&ready);
  pl_list_move_all(&ready, &loop->deferred);
  for (struct pl_list *link; (link = pl_list_pop_front(&ready));) {
    struct pl_deferred *d = PL_CONTAINER_OF(link, struct pl_deferred, link);
    d->fn(d);
  }
}

// A poll that took longer than a millisecond found nothing ready.
static void measure_lag(struct pl_loop *loop) {
  uint64_t now = uv_now(&loop->uv);
  uint64_t took = now - loop->turn_ms;
  if (loop->turn_ms > loop->turn_end_ms + 1) loop->last_turn_ms = 0;
  loop->lag_ms = took < loop->last_turn_ms ? took : loop->last_turn_ms;
  loop->last_turn_ms = took;
  loop->turn_end_ms = now;
  loop->turn_ms = 0;
  uint64_t limit = loop->is_lagging ? loop->lag_limit_ms / 2 : loop->lag_limit_ms;
  loop->is_lagging = loop->lag_limit_ms && loop->lag_ms > limit;
}

static void run_turn(uv_prepare_t *prepare) {
  struct pl_loop *loop = PL_CONTAINER_OF(prepare, struct pl_loop, prepare);
  bool wants_more = false;
  int rounds = 0;
  pl_loop_begin_turn(loop);
  do {
    if (loop->on_turn) wants_more = loop->on_turn(loop->ctx);
    loop->is_woken = false;
    run_deferred(loop);
  } while (loop->is_woken && !wants_more && ++rounds < ROUNDS_PER_TURN);
  if (loop->on_written && loop->on_written(loop->ctx)) wants_more = true;
  if (wants_more || loop->is_woken || !pl_list_is_empty(&loop->deferred)) {
    keep_awake(loop);
  } else {
    uv_idle_stop(&loop->idle);
  }
  // libuv computes how long to block from its cached time, which is as old as the work above.
  uv_update_time(&loop->uv);
  measure_lag(loop);
}

int pl_loop_init(struct pl_loop *loop, bool (*on_turn)(void *ctx), void *ctx) {
  *loop = (struct pl_loop){.on_turn = on_turn, .ctx = ctx};
  pl_list_init(&loop->deferred);
  loop->read_buffer = pl_mem_alloc(PL_READ_BUFFER_BYTES);
  if (!loop->read_buffer) return UV_ENOMEM;
  int rc = uv_loop_init(&loop->uv);
  if (rc) {
    pl_mem_free(loop->read_buffer);
    return rc;
  }
  // From here on nothing can fail: these only fill in a struct.
  (void)!pl_wheel_init(&loop->wheel, &loop->uv);
  uv_idle_init(&loop->uv, &loop->idle);
  uv_prepare_init(&loop->uv, &loop->prepare);
  uv_prepare_start(&loop->prepare, run_turn);
  uv_unref((uv_handle_t *)&loop->prepare);
  loop->turn_end_ms = uv_now(&loop->uv);
  return 0;
}

void pl_loop_run(struct pl_loop *loop) {
  uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void pl_loop_stop(struct pl_loop *loop) {
  uv_stop(&loop->uv);
}

static void close_leaked(uv_handle_t *handle, void *count) {
  if (uv_is_closing(handle)) return;
  fprintf(stderr, "perilune: a %s handle was left open\n", uv_handle_type_name(handle->type));
  ++*(int *)count;
  uv_close(handle, NULL);
}

int pl_loop_deinit(struct pl_loop *loop) {
  loop->on_turn = loop->on_written = NULL;  // whom they belong to may be gone
  pl_wheel_close(&loop->wheel);
  uv_close((uv_handle_t *)&loop->idle, NULL);
  uv_close((uv_handle_t *)&loop->prepare, NULL);
  int leaked = 0;
  do {  // again when a job's end or a close callback opened something
    uv_walk(&loop->uv, close_leaked, &leaked);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
  } while (uv_loop_close(&loop->uv) == UV_EBUSY);
  for (struct pl_spare *spare; (spare = loop->spare_writes);) {
    loop->spare_writes = spare->next;
    pl_mem_free(spare);
  }
  pl_mem_free(loop->read_buffer);
  return leaked;
}

void pl_loop_wake(struct pl_loop *loop) {
  if (loop->is_woken) return;
  loop->is_woken = true;
  keep_awake(loop);
}

void pl_loop_defer(struct pl_loop *loop, struct pl_deferred *d) {
  if (!pl_list_is_empty(&d->link)) return;
  pl_list_push_back(&loop->deferred, &d->link);
  keep_awake(loop);
}

void pl_loop_undefer(struct pl_deferred *d) {
  pl_list_remove(&d->link);
}
