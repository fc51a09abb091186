/// Two workers, each with a state, a loop and a mailbox of its own, and the hub where they meet;
/// all on the test's thread, which decides when a mailbox is looked at. Scripts see perilune, task,
/// json, mail() and what task_bench.h gives them.
#pragma once

#include "task_bench.h"

#include "io/hub.h"
#include "io/mailbox.h"
#include "structs/library.h"

enum { HUB_WORKERS = 2, HUB_LIMIT = 1 << 20 };

struct hub_bench {
  struct pl_hub hub;
  struct pl_layouts *layouts;
  struct bench workers[HUB_WORKERS];
  struct pl_mailbox boxes[HUB_WORKERS];
  bool has_ended[HUB_WORKERS];
  int64_t bytes_before;
};

static inline void hub_start(struct hub_bench *h, int worker, const char *script) {
  fake_start(&h->workers[worker].fake, script);
}

#define hub_log(h, worker, expected) fake_expect(&(h)->workers[worker].fake, expected)

/* looks at the worker's own mailbox */
static inline int hub_mail(lua_State *L) {
  uv_run(&pl_api_context(L)->loop->uv, UV_RUN_NOWAIT);
  return 0;
}

static inline void hub_open_worker(struct hub_bench *h, int i) {
  struct bench *b = &h->workers[i];
  bench_open(b);
  assert_int_equal(pl_mailbox_init(&h->boxes[i], &b->loop), 0);
  pl_structs_open(b->fake.vm.L, h->layouts, NULL, NULL);
  b->context.hub = &h->hub;
  b->context.mailbox = &h->boxes[i];
  lua_register(b->fake.vm.L, "mail", hub_mail);
  hub_start(h, i, "perilune, json = require 'perilune', require 'perilune.json'");
  hub_log(h, i, "done\n");
}

static inline void hub_open(struct hub_bench *h) {
  *h = (struct hub_bench){.bytes_before = pl_mem_stats().bytes};
  assert_int_equal(pl_hub_init(&h->hub, HUB_LIMIT), 0);
  h->layouts = pl_layouts_new();
  assert_non_null(h->layouts);
  for (int i = 0; i < HUB_WORKERS; i++) hub_open_worker(h, i);
}

/// Runs what is ready, there and nowhere else; no mailbox is looked at.
static inline void hub_run_tasks(struct hub_bench *h, int worker) {
  fake_run_ready(&h->workers[worker].fake);
}

/// Looks at the worker's mailbox, without running what that makes ready.
static inline void hub_take_mail(struct hub_bench *h, int worker) {
  uv_run(&h->workers[worker].loop.uv, UV_RUN_NOWAIT);
}

/// Runs both until nothing is left to do but to wait.
static inline void hub_run(struct hub_bench *h) {
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < HUB_WORKERS; i++) {
      if (h->has_ended[i]) continue;
      hub_run_tasks(h, i);
      hub_take_mail(h, i);
    }
  }
}

/// The end of a worker: no task is left, its state is closed with what it holds.
static inline void hub_end_worker(struct hub_bench *h, int i) {
  struct bench *b = &h->workers[i];
  h->has_ended[i] = true;
  assert_int_equal(b->fake.vm.live_tasks, 0);
  assert_int_equal(b->fake.pending_count, 0);
  assert_int_equal(pl_results_count(b->fake.vm.L), 0);
  assert_int_equal(b->loop.wheel.armed_ms, UINT64_MAX);
  assert_int_equal(b->fake.vm.sched.dropped_completions, 0);
  pl_vm_deinit(&b->fake.vm);
  pl_buf_deinit(&b->fake.text);
  pl_mailbox_close(&h->boxes[i]);
  assert_int_equal(pl_loop_deinit(&b->loop), 0);
  pl_mailbox_deinit(&h->boxes[i]);
}

/// @param left messages that nobody has received
static inline void hub_close(struct hub_bench *h, size_t left) {
  for (int i = 0; i < HUB_WORKERS; i++)
    if (!h->has_ended[i]) hub_end_worker(h, i);
  assert_int_equal(pl_hub_deinit(&h->hub), left);
  assert_int_equal(h->hub.budget.bytes, 0);
  pl_layouts_free(h->layouts);
  assert_int_equal(pl_mem_stats().bytes, h->bytes_before);
}

/// Runs a script in worker 0, to its end, and compares what it logged.
static inline void hub_expect(const char *script, const char *expected) {
  struct hub_bench h;
  hub_open(&h);
  h.workers[0].fake.vm.request_memory = 1 << 20;
  hub_start(&h, 0, script);
  for (unsigned seconds = 0; h.workers[0].fake.vm.live_tasks > 0; seconds++) {
    assert_true(seconds < 1000);
    hub_run(&h);
    bench_pass(&h.workers[0], seconds);
    fake_run(&h.workers[0].fake);
  }
  hub_log(&h, 0, expected);
  hub_close(&h, 0);
}
