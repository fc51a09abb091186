/// A vm with structs: scripts see perilune.struct as `struct`, perilune.geometry as `geometry`, the
/// built-in types by their names, and
///   cost(n, f)    runs f n times, under each of the collector's modes, and returns allocations and
///                 bytes of a single run, exact; fails when a mode makes a difference
///   fails(f, ...) the text of the error that f raises, without its place; fails the test if none
///   bytes(text)   bytes in a box; pinned(bytes, is): somebody uses them
///   written(bytes, n)  the n-th new object from now on has a finaliser set all of them to 1
///   taken(bytes, n)  the n-th new object from now on has a finaliser take the bytes away; 0: none
///   forged        light userdata
#pragma once

#include "../runtime/fake_host.h"

#include "api/api.h"
#include "geometry/layout.h"
#include "structs/box.h"
#include "structs/library.h"
#include "structs/memory.h"
#include "structs/type.h"
#include "structs/value.h"

struct bench {
  struct fake fake;
  struct pl_api_context context;
  struct pl_layouts *layouts;
  lua_Alloc allocate;  ///< the vm's own
  void *allocate_ctx;
  uint64_t allocations;   ///< blocks that were asked for, or made larger
  uint64_t bytes;         ///< their bytes
  bool is_failing;        ///< it has ended
  bool is_due;            ///< ... or a string has been made just now
  struct pl_box *victim;  ///< whose bytes go, ...
  uint64_t taken_at;      ///< ... when so many more objects have been made
  bool is_written;        ///< they are not taken, but written
  uint64_t fails_at;      ///< that many allocations from now on memory ends; 0: never
};

// What pl_box_move does, without Lua: this runs inside of an allocation.
static inline void bench_take(struct bench *b) {
  struct pl_box *box = b->victim;
  struct pl_heap *heap = &b->fake.vm.heap;
  b->victim = NULL;
  b->is_due = false;
  if (b->is_written) {
    memset(box->data, 1, box->size);
    return;
  }
  heap->outside -= box->size;
  if (box->payer) pl_heap_charge_outside(heap, &box->payer->own_charge, box->size, 0);
  pl_bytes_unref(box->bytes);
  box->bytes = NULL;
  box->data = NULL;
  box->size = 0;
}

static inline void *bench_allocate(void *ctx, void *block, size_t old_size, size_t size) {
  struct bench *b = ctx;
  // Without a block, old_size says what is made. Lua looks for finalisers behind that: a string has
  // its text by then.
  bool is_object = !block && (old_size == LUA_TSTRING || old_size == LUA_TTABLE ||
                              old_size == LUA_TUSERDATA || old_size == LUA_TFUNCTION);
  if (b->victim && b->is_due) bench_take(b);
  b->is_due = b->victim && is_object && --b->taken_at == 0;
  if (b->is_due && old_size != LUA_TSTRING) bench_take(b);
  if (size && (!block || size > old_size)) {
    b->allocations++;
    b->bytes += block ? size - old_size : size;
    if (b->fails_at && --b->fails_at == 0) b->is_failing = true;
    if (b->is_failing) return NULL;
  }
  return b->allocate(b->allocate_ctx, block, old_size, size);
}

static inline struct bench *bench_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static inline void bench_repeat(lua_State *L, lua_Integer n) {
  for (lua_Integer i = 0; i < n; i++) {
    lua_pushvalue(L, 2);
    lua_call(L, 0, 0);
  }
}

static inline void bench_collector(lua_State *L, int mode) {
  lua_gc(L, LUA_GCCOLLECT);
  if (mode == 0) lua_gc(L, LUA_GCSTOP);
  if (mode == 1) lua_gc(L, LUA_GCRESTART), lua_gc(L, LUA_GCINC, 0, 0, 0);
  if (mode == 2) lua_gc(L, LUA_GCGEN, 0, 0);
}

/* stack: n, function. The collector stopped, incremental, generational: always the same. */
static inline int bench_cost(lua_State *L) {
  struct bench *b = bench_of(L);
  lua_Integer n = luaL_checkinteger(L, 1);
  uint64_t seen[3][2];
  for (int mode = 0; mode < 3; mode++) {
    bench_collector(L, mode);
    bench_repeat(L, 2);
    uint64_t allocations = b->allocations;
    uint64_t bytes = b->bytes;
    bench_repeat(L, n);
    seen[mode][0] = b->allocations - allocations;
    seen[mode][1] = b->bytes - bytes;
    if (mode && memcmp(seen[mode], seen[0], sizeof seen[0]) != 0)
      return luaL_error(L, "collector %d: %I blocks, %I bytes, not %I, %I", mode,
                        (lua_Integer)seen[mode][0], (lua_Integer)seen[mode][1],
                        (lua_Integer)seen[0][0], (lua_Integer)seen[0][1]);
  }
  bench_collector(L, 1);
  if (seen[0][0] % (uint64_t)n != 0)
    return luaL_error(L, "%I blocks in %I runs", (lua_Integer)seen[0][0], n);
  lua_pushinteger(L, (lua_Integer)(seen[0][0] / (uint64_t)n));
  lua_pushinteger(L, (lua_Integer)(seen[0][1] / (uint64_t)n));
  return 2;
}

static inline int bench_fails(lua_State *L) {
  int top = lua_gettop(L);
  if (lua_pcall(L, top - 1, 0, 0) == LUA_OK) return luaL_error(L, "nothing was raised");
  luaL_tolstring(L, -1, NULL);
  const char *text = lua_tostring(L, -1);
  if (strncmp(text, "test:", 5) == 0) {
    text = strchr(text + 5, ' ');
    lua_pushstring(L, text ? text + 1 : "");
  }
  return 1;
}

static inline int bench_bytes(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  struct pl_box *box = pl_box_push(L, pl_memory_take(L, len, 1, "bytes"));
  memcpy(box->data, text, len);
  return 1;
}

static inline int bench_pinned(lua_State *L) {
  if (lua_toboolean(L, 2))
    pl_bytes_pin(pl_box_get(L, 1)->bytes, "a test");
  else
    pl_bytes_unpin(pl_box_get(L, 1)->bytes);
  return 0;
}

/* stack: bytes, n */
static inline int bench_taken(lua_State *L) {
  struct bench *b = bench_of(L);
  b->victim = pl_box_get(L, 1);
  b->taken_at = (uint64_t)luaL_optinteger(L, 2, 0);
  if (!b->taken_at) b->victim = NULL;
  b->is_due = false;
  b->is_written = false;
  return 0;
}

static inline int bench_written(lua_State *L) {
  bench_taken(L);
  bench_of(L)->is_written = true;
  return 0;
}

static inline int bench_setup(lua_State *L) {
  for (int i = PL_BUILTIN_NONE + 1; i < PL_BUILTIN_COUNT; i++) {
    const struct pl_layout *layout = pl_layout_builtin((enum pl_builtin)i);
    pl_type_push(L, pl_type_of(L, layout));
    lua_setglobal(L, layout->name.data);
  }
  pl_api_push_module(L, &pl_api_struct);
  lua_setglobal(L, "struct");
  pl_api_push_module(L, &pl_api_geometry);
  lua_setglobal(L, "geometry");
  lua_pushlightuserdata(L, lua_touserdata(L, lua_upvalueindex(1)));
  lua_setglobal(L, "forged");
  return 0;
}

static inline void bench_global(struct bench *b, const char *name, lua_CFunction fn) {
  lua_State *L = b->fake.vm.L;
  lua_pushlightuserdata(L, b);
  lua_pushcclosure(L, fn, 1);
  lua_setglobal(L, name);
}

static inline void bench_open(struct bench *b) {
  *b = (struct bench){0};
  fake_open(&b->fake);
  lua_State *L = b->fake.vm.L;
  b->layouts = pl_layouts_new();
  assert_non_null(b->layouts);
  b->context.app_folder = "";
  b->fake.vm.user = &b->context;
  pl_structs_open(L, b->layouts, NULL, NULL);
  lua_pushlightuserdata(L, b);
  lua_pushcclosure(L, bench_setup, 1);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
  bench_global(b, "cost", bench_cost);
  bench_global(b, "fails", bench_fails);
  bench_global(b, "bytes", bench_bytes);
  bench_global(b, "pinned", bench_pinned);
  bench_global(b, "taken", bench_taken);
  bench_global(b, "written", bench_written);
  b->allocate = lua_getallocf(L, &b->allocate_ctx);
  lua_setallocf(L, bench_allocate, b);
}

static inline void bench_close(struct bench *b) {
  struct pl_layouts *layouts = b->layouts;
  lua_setallocf(b->fake.vm.L, b->allocate, b->allocate_ctx);
  b->layouts = NULL;
  lua_settop(b->fake.vm.L, 0);
  struct fake *f = &b->fake;
  assert_int_equal(f->vm.live_tasks, 0);
  assert_int_equal(pl_results_count(f->vm.L), 0);
  pl_vm_deinit(&f->vm);
  pl_buf_deinit(&f->text);
  assert_int_equal(f->vm.heap.bytes, 0);
  assert_int_equal(f->vm.heap.outside, 0);
  pl_layouts_free(layouts);
  assert_int_equal(pl_mem_stats().bytes, f->bytes_before);
}

/// Runs the script in a vm of its own and compares what it logs; "done" is the last line.
#define bench_expect(script, expected)            \
  do {                                            \
    struct bench bench_of_script;                 \
    bench_open(&bench_of_script);                 \
    fake_start(&bench_of_script.fake, script);    \
    fake_run(&bench_of_script.fake);              \
    fake_expect(&bench_of_script.fake, expected); \
    bench_close(&bench_of_script);                \
  } while (0)
