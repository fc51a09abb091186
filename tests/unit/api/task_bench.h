/// perilune.task over a loop whose time the test moves: the fake host of the runtime's tests with a
/// timer wheel. Scripts also see kill(child), which ends a child of the running task from outside.
#pragma once

#include <stdlib.h>

#include "../runtime/fake_host.h"
#include "api/api.h"
#include "api/modules.h"
#include "api/task_handle.h"
#include "base/clock.h"
#include "io/loop.h"
#include "runtime/overdue.h"

struct bench {
  struct fake fake;
  struct pl_loop loop;
  struct pl_api_context context;
};

static inline struct pl_task *bench_find_child(lua_State *L, uint64_t id) {
  struct pl_task *parent = pl_task_current(L);
  for (struct pl_list *n = parent->children.next; n != &parent->children; n = n->next) {
    struct pl_task *child = PL_CONTAINER_OF(n, struct pl_task, sibling);
    if (child->id == id) return child;
  }
  return NULL;
}

static inline void bench_close_coroutine(lua_State *co) {
#if LUA_VERSION_RELEASE_NUM >= 50406
  lua_closethread(co, NULL);
#else
  lua_resetthread(co);
#endif
}

// Ends a child that waits, or is ready: its continuation never runs. Nothing happens when it has
// ended.
static inline int bench_kill(lua_State *L) {
  struct pl_task *child = bench_find_child(L, pl_task_handle_id(L, 1));
  if (!child || child->state == PL_TASK_ENDED) return 0;
  if (child->wait) {
    pl_wait_abandon(child);
  } else {
    assert_int_equal(child->state, PL_TASK_READY);
    pl_list_remove(&child->ready);
    child->vm->sched.ready_count--;
  }
  static const struct pl_task_ops silent = {0};
  child->ops = &silent;  // that it fails is no news for its parent
  while (child->depth > 0) bench_close_coroutine(child->chain[--child->depth]);
  pl_task_end(child, false);
  return 0;
}

static inline void bench_open(struct bench *b) {
  assert_int_equal(pl_loop_init(&b->loop, NULL, NULL), 0);
  fake_open(&b->fake);
  b->context = (struct pl_api_context){.loop = &b->loop, .app_folder = ""};
  b->fake.vm.user = &b->context;
  pl_api_open(b->fake.vm.L);
  fake_start(&b->fake, "task = require 'perilune.task'");
  fake_expect(&b->fake, "done\n");
  lua_register(b->fake.vm.L, "kill", bench_kill);
}

static inline void bench_close(struct bench *b) {
  assert_int_equal(b->loop.wheel.armed_ms, UINT64_MAX);  // no timer was left
  assert_int_equal(b->fake.vm.sched.dropped_completions, 0);
  fake_close(&b->fake);
  assert_int_equal(pl_loop_deinit(&b->loop), 0);
}

/// Lets that many seconds pass, as seen from now, then runs what is ready.
static inline void bench_pass(struct bench *b, unsigned seconds) {
  fake_run_ready(&b->fake);
  pl_wheel_advance(&b->loop.wheel, pl_clock_ms() + seconds * 1000u);
  fake_run_ready(&b->fake);
}

/// Lets time pass, second by second, until no task is left.
static inline void bench_finish(struct bench *b) {
  for (unsigned seconds = 0; b->fake.vm.live_tasks > 0; seconds++) {
    assert_true(seconds < 10000);
    bench_pass(b, seconds);
    fake_run(&b->fake);
  }
}

static inline void bench_set_grace_timer(void *ctx, uint64_t due_ms) {
  (void)ctx, (void)due_ms;
}

/// From now on cancelled tasks have that long; nothing happens until bench_pass_grace.
static inline void bench_set_grace(struct bench *b, unsigned seconds) {
  b->fake.vm.grace_ms = seconds * 1000u;
  b->fake.vm.host.set_grace_timer = bench_set_grace_timer;
}

/// Lets that many seconds pass for those in their grace time, then runs what is ready.
static inline void bench_pass_grace(struct bench *b, unsigned seconds) {
  fake_run_ready(&b->fake);
  pl_overdue_end(&b->fake.vm, pl_clock_ms() + seconds * 1000u);
  fake_run_ready(&b->fake);
}

/// Runs a script to its end and compares everything that was logged.
static inline void bench_expect(const char *script, const char *expected) {
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, script);
  bench_finish(&b);
  fake_expect(&b.fake, expected);
  bench_close(&b);
}

/// An allocator that fails the nth time that Lua wants more memory, and the second try after the
/// emergency collection as well.
struct bench_failing {
  struct pl_heap *heap;
  uint64_t count;
  uint64_t nth;  ///< 0: none
};

static inline void *bench_allocate(void *ud, void *block, size_t old_size, size_t size) {
  struct bench_failing *f = ud;
  bool grows = size > (block ? old_size : 0);
  if (grows && f->nth) {
    f->count++;
    if (f->count == f->nth || f->count == f->nth + 1) return NULL;
  }
  return pl_heap_allocate(f->heap, block, old_size, size);
}

/// Runs the script with the 1st, 2nd, ... allocation of Lua's failing until one run needs fewer,
/// and afterwards `check`, with memory, which must log nothing but "done". What the script logs is
/// ignored. Globals of the script stay for the check.
static inline void bench_without_memory(const char *script, const char *check) {
  bool is_reached = true;
  for (uint64_t nth = 1; is_reached; nth++) {
    struct bench b;
    bench_open(&b);
    struct bench_failing failing = {.heap = &b.fake.vm.heap};
    lua_setallocf(b.fake.vm.L, bench_allocate, &failing);
    struct pl_task *task = pl_task_new(&b.fake.vm, NULL, &fake_ops, NULL);
    assert_non_null(task);
    assert_int_equal(luaL_loadstring(task->co, script), LUA_OK);
    uint64_t id = task->id;
    failing.nth = nth;
    pl_run_start(task, 0);
    for (unsigned seconds = 0; seconds < 3; seconds++) bench_pass(&b, seconds * 1000);
    if (task->id == id)
      pl_task_cancel(task, PL_CANCEL_DEADLINE);  // a child waits for one that failed
    bench_finish(&b);
    is_reached = failing.count >= nth;
    failing.nth = 0;
    lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
    fake_run_ready(&b.fake);
    pl_buf_clear(&b.fake.text);
    fake_start(&b.fake, check);
    bench_finish(&b);
    fake_expect(&b.fake, "done\n");
    lua_setallocf(b.fake.vm.L, pl_heap_allocate, &b.fake.vm.heap);
    bench_close(&b);
  }
}

/* lets all running timers fire */
static inline int bench_advance(lua_State *L) {
  struct pl_wheel *wheel = &pl_api_context(L)->loop->wheel;
  pl_wheel_advance(wheel, wheel->now_ms + 10000000);
  return 0;
}

// Pushes the function that the model's file returns.
static inline void bench_push_model(lua_State *co, const char *path) {
  if (luaL_loadfile(co, path)) fail_msg("%s", lua_tostring(co, -1));
  lua_getglobal(co, "task");
  lua_getglobal(co, "wait");
  lua_getglobal(co, "kill");
  lua_pushcfunction(co, bench_advance);
  assert_int_equal(lua_pcall(co, 4, 1, 0), LUA_OK);
}

/// Runs a model's file (channel_model.lua says what is in it) with the seeds 1 to `seeds`; pending
/// waits are completed in random order.
static inline void bench_model(const char *path, unsigned seeds, unsigned steps) {
  for (unsigned seed = 1; seed <= seeds; seed++) {
    struct bench b;
    bench_open(&b);
    srand(seed);
    struct pl_task *task = pl_task_new(&b.fake.vm, NULL, &fake_ops, NULL);
    assert_non_null(task);
    bench_push_model(task->co, path);
    lua_pushinteger(task->co, seed);
    lua_pushinteger(task->co, steps);
    pl_run_start(task, 2);
    for (unsigned turn = 0; b.fake.vm.live_tasks > 0; turn++) {
      if (turn > 1000 * steps) fail_msg("seed %u does not end", seed);
      fake_run_ready(&b.fake);
      if (b.fake.pending_count > 0) fake_complete(&b.fake, (size_t)rand() % b.fake.pending_count);
    }
    assert_int_equal(pl_buf_append(&b.fake.text, "", 1), 0);
    unsigned operations = 0;
    const char *text = pl_buf_view(&b.fake.text).data;
    if (sscanf(text, "done %u", &operations) != 1 || operations < steps || strchr(text, ':'))
      fail_msg("seed %u: %s", seed, text);
    pl_buf_clear(&b.fake.text);
    bench_close(&b);
  }
}
