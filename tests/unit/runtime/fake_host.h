/// A vm with a host that has no loop: waits are completed by hand, in any order the test likes.
///
/// Scripts see wait(...) (returns its arguments when it is completed), log(...) and, for tests of
/// C code, whatever else the test adds. What is logged, warned and printed ends up in one text.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "runtime/results.h"
#include "runtime/run.h"
#include "runtime/task.h"
#include "runtime/value.h"
#include "runtime/vm.h"
#include "runtime/wait.h"

struct fake {
  struct pl_vm vm;
  struct pl_list pending;  ///< oldest first
  size_t pending_count;
  size_t cancels;  ///< how many waits were told to stop
  unsigned wakes;
  struct pl_buf text;  ///< a line each
  int64_t bytes_before;
};

/// One wait in progress; a userdata on its coroutine's stack.
struct fake_wait {
  struct pl_wait wait;
  struct pl_list link;
  struct fake *fake;
};

static inline void fake_line(struct fake *f, const char *kind, const char *text) {
  assert_int_equal(pl_buf_printf(&f->text, "%s%s\n", kind, text), 0);
}

static inline void fake_wake(void *ctx) {
  ((struct fake *)ctx)->wakes++;
}

static inline void fake_warn(void *ctx, const char *text) {
  fake_line(ctx, "warn: ", text);
}

static inline void fake_print(void *ctx, const char *text, size_t len) {
  assert_int_equal(strlen(text), len);
  fake_line(ctx, "print: ", text);
}

static inline void fake_cancel(struct pl_wait *wait) {
  struct fake_wait *w = PL_CONTAINER_OF(wait, struct fake_wait, wait);
  pl_list_remove(&w->link);
  w->fake->pending_count--;
  w->fake->cancels++;
}

static inline int fake_waited(lua_State *L, int status, lua_KContext count) {
  (void)status;
  lua_settop(L, (int)count);
  return (int)count;
}

static inline int fake_lua_wait(lua_State *L) {
  struct fake *f = lua_touserdata(L, lua_upvalueindex(1));
  int count = lua_gettop(L);
  pl_wait_check(L, "test.wait");
  struct fake_wait *w = lua_newuserdatauv(L, sizeof *w, 0);
  w->fake = f;
  pl_wait_begin(L, &w->wait, "test.wait", fake_cancel);
  pl_list_init(&w->link);
  pl_list_push_back(&f->pending, &w->link);
  f->pending_count++;
  return pl_wait_yield(L, count, fake_waited);
}

static inline int fake_lua_log(lua_State *L) {
  struct fake *f = lua_touserdata(L, lua_upvalueindex(1));
  int count = lua_gettop(L);
  lua_pushliteral(L, "");
  for (int i = 1; i <= count; i++) {
    if (i > 1) lua_pushliteral(L, " ");
    luaL_tolstring(L, i, NULL);
    lua_concat(L, i > 1 ? 3 : 2);
  }
  fake_line(f, "", lua_tostring(L, -1));
  return 0;
}

static inline void fake_global(struct fake *f, const char *name, lua_CFunction fn) {
  lua_pushlightuserdata(f->vm.L, f);
  lua_pushcclosure(f->vm.L, fn, 1);
  lua_setglobal(f->vm.L, name);
}

static inline void fake_open(struct fake *f) {
  struct pl_host host = {.ctx = f, .wake = fake_wake, .warn = fake_warn, .print = fake_print};
  *f = (struct fake){.bytes_before = pl_mem_stats().bytes};
  pl_list_init(&f->pending);
  assert_int_equal(pl_vm_init(&f->vm, &host, 3, 0), 0);
  fake_global(f, "wait", fake_lua_wait);
  fake_global(f, "log", fake_lua_log);
}

/// Ends the test with the audit: no task, no wait, no result, no memory left.
static inline void fake_close(struct fake *f) {
  assert_int_equal(f->vm.live_tasks, 0);
  assert_int_equal(f->pending_count, 0);
  assert_int_equal(pl_results_count(f->vm.L), 0);
  assert_int_equal(lua_gettop(f->vm.L), 0);
  pl_vm_deinit(&f->vm);
  pl_buf_deinit(&f->text);
  assert_int_equal(f->vm.heap.bytes, 0);
  assert_int_equal(pl_mem_stats().bytes, f->bytes_before);
}

/// Completes the wait at place n of those that are pending, oldest = 0.
static inline void fake_complete(struct fake *f, size_t n) {
  assert_true(n < f->pending_count);
  struct pl_list *node = f->pending.next;
  while (n-- > 0) node = node->next;
  struct fake_wait *w = PL_CONTAINER_OF(node, struct fake_wait, link);
  pl_list_remove(&w->link);
  f->pending_count--;
  pl_wait_complete(&w->wait);
}

/// Runs what is ready, and nothing else.
static inline void fake_run_ready(struct fake *f) {
  while (pl_run_turn(&f->vm)) continue;
}

/// Runs until nothing is ready and no wait is pending.
static inline void fake_run(struct fake *f) {
  fake_run_ready(f);
  while (f->pending_count > 0) {
    fake_complete(f, 0);
    fake_run_ready(f);
  }
}

static inline void fake_log_result(struct pl_task *task) {
  struct fake *f = task->vm->host.ctx;
  lua_State *L = task->vm->L;
  int top = lua_gettop(L);
  int count = pl_results_push(L, task->co, task->id);
  assert_int_equal(pl_buf_printf(&f->text, "%s", pl_task_status(task)), 0);
  for (int i = 1; i <= count; i++) {
    luaL_tolstring(L, top + i, NULL);
    assert_int_equal(pl_buf_printf(&f->text, " %s", lua_tostring(L, -1)), 0);
    lua_pop(L, 1);
  }
  assert_int_equal(pl_buf_printf(&f->text, "\n"), 0);
  lua_settop(L, top);
}

static inline void fake_ignore_gone(struct pl_task *task) {
  (void)task;
}

/// Logs "done 1 2" or "failed text" when the task ends.
static const struct pl_task_ops fake_ops = {.on_end = fake_log_result, .on_gone = fake_ignore_gone};

/// Starts a task with the script; it runs at once until its first wait.
static inline struct pl_task *fake_start(struct fake *f, const char *script) {
  struct pl_task *task = pl_task_new(&f->vm, NULL, &fake_ops, NULL);
  assert_non_null(task);
  if (luaL_loadbufferx(task->co, script, strlen(script), "=test", "t") != LUA_OK) {
    fail_msg("%s", lua_tostring(task->co, -1));
  }
  pl_run_start(task, 0);
  return task;
}

/// What was logged since the last call.
#define fake_expect(f, expected)                                 \
  do {                                                           \
    assert_int_equal(pl_buf_append(&(f)->text, "", 1), 0);       \
    assert_string_equal(pl_buf_view(&(f)->text).data, expected); \
    pl_buf_clear(&(f)->text);                                    \
  } while (0)

/// Runs the script to its end and compares everything that was logged.
#define fake_script(script, expected)       \
  do {                                      \
    struct fake fake_of_script;             \
    fake_open(&fake_of_script);             \
    fake_start(&fake_of_script, script);    \
    fake_run(&fake_of_script);              \
    fake_expect(&fake_of_script, expected); \
    fake_close(&fake_of_script);            \
  } while (0)
