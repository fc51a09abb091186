/// Lua snippets over bytes, structs and arrays in a vm of their own, run as tasks. Scripts see
/// `vec3`, `f32` and every other built-in type, bytes(...) and log(...).
#pragma once

#include "../runtime/fake_host.h"
#include "geometry/layout.h"
#include "structs/box.h"
#include "structs/bytes_object.h"
#include "structs/library.h"
#include "structs/state.h"
#include "structs/type.h"

struct snippet {
  struct fake fake;
  struct pl_layouts *layouts;
  struct pl_account account;
};

static inline void snippet_publish(lua_State *L, const struct pl_layout *layout) {
  pl_type_push(L, pl_type_of(L, layout));
  lua_setglobal(L, layout->name.data);
}

static inline int snippet_open_protected(lua_State *L) {
  struct snippet *s = lua_touserdata(L, 1);
  pl_structs_open(L, s->layouts, &s->account, lua_touserdata(L, 2));
  for (int i = PL_SCALAR_BOOL; i < PL_SCALAR_COUNT; i++)
    snippet_publish(L, pl_layout_scalar((enum pl_scalar)i));
  for (int i = PL_BUILTIN_NONE + 1; i < PL_BUILTIN_COUNT; i++)
    snippet_publish(L, pl_layout_builtin((enum pl_builtin)i));
  lua_register(L, "bytes", pl_bytes_object_new);
  return 0;
}

/// @param loop for long calls, or NULL
static inline void snippet_open(struct snippet *s, struct pl_loop *loop) {
  int64_t before = pl_mem_stats().bytes;
  pl_account_init(&s->account, SIZE_MAX);
  s->layouts = pl_layouts_new();
  assert_non_null(s->layouts);
  fake_open(&s->fake);
  s->fake.bytes_before = before;
  lua_State *L = s->fake.vm.L;
  lua_pushcfunction(L, snippet_open_protected);
  lua_pushlightuserdata(L, s);
  lua_pushlightuserdata(L, loop);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

/// Ends with the audit: every byte that a box held has been given back.
static inline void snippet_close(struct snippet *s) {
  lua_gc(s->fake.vm.L, LUA_GCCOLLECT, 0);
  lua_gc(s->fake.vm.L, LUA_GCCOLLECT, 0);
  lua_State *L = s->fake.vm.L;
  assert_int_equal(s->fake.vm.live_tasks, 0);
  assert_int_equal(lua_gettop(L), 0);
  pl_vm_deinit(&s->fake.vm);
  assert_int_equal(s->account.bytes, 0);
  assert_int_equal(s->fake.vm.heap.outside, 0);
  pl_buf_deinit(&s->fake.text);
  pl_layouts_free(s->layouts);
  assert_int_equal(pl_mem_stats().bytes, s->fake.bytes_before);
}

/// Runs the script to its end and compares what it logged, its results in the last line.
static inline void snippet_expect(const char *script, const char *expected) {
  struct snippet s;
  snippet_open(&s, NULL);
  fake_start(&s.fake, script);
  fake_run(&s.fake);
  fake_expect(&s.fake, expected);
  snippet_close(&s);
}

/// Runs the script, which returns nothing and asserts by itself.
static inline void snippet_passes(const char *script) {
  snippet_expect(script, "done\n");
}

/// Runs the script, whose error must have `message` in it.
static inline void snippet_fails(const char *script, const char *message) {
  struct snippet s;
  snippet_open(&s, NULL);
  fake_start(&s.fake, script);
  fake_run(&s.fake);
  assert_int_equal(pl_buf_append(&s.fake.text, "", 1), 0);
  const char *text = pl_buf_view(&s.fake.text).data;
  if (strncmp(text, "failed", 6) != 0 || !strstr(text, message))
    fail_msg("expected an error with \"%s\", got: %s", message, text);
  snippet_close(&s);
}
