/// A task of a request with a box: for what hands a body's bytes to scripts, and a script's to the
/// carrier. The exchange and its carrier are played by the test.
#pragma once

#include "../runtime/fake_host.h"
#include "api/body_reader.h"
#include "api/box_hold.h"
#include "api/call.h"
#include "base/bytes.h"
#include "base/error.h"
#include "geometry/layout.h"
#include "http/request_body.h"
#include "structs/box.h"
#include "structs/library.h"

struct box_bench {
  struct fake fake;
  struct pl_layouts *layouts;
  struct pl_account account;
  struct pl_exchange x;
  struct pl_call call;
  struct pl_hold hold;
};

static inline struct box_bench *box_bench_of(lua_State *L) {
  return PL_CONTAINER_OF(pl_vm_of(L), struct box_bench, fake.vm);
}

static inline int box_bench_keep_body(struct pl_exchange *x) {
  (void)x;
  return PL_EOF;
}

/* keep() -> box */
static inline int box_bench_keep(lua_State *L) {
  struct box_bench *b = box_bench_of(L);
  int rc = pl_body_keep(L, &b->call, "req:bytes");
  if (rc) return pl_body_raise(L, rc);
  pl_body_push_box(L, &b->call);
  return 1;
}

/* body() -> string */
static inline int box_bench_body(lua_State *L) {
  struct box_bench *b = box_bench_of(L);
  int rc = pl_body_keep(L, &b->call, "req:body");
  if (rc) return pl_body_raise(L, rc);
  struct pl_strv body = pl_body_view(L, &b->call);
  lua_pushlstring(L, body.data, body.len);
  return 1;
}

/* write(box, text) */
static inline int box_bench_write(lua_State *L) {
  struct pl_box *box = pl_box_get(L, 1);
  struct pl_strv text;
  text.data = luaL_checklstring(L, 2, &text.len);
  pl_box_check_writable(L, box);
  assert_true(text.len <= box->size);
  memcpy(box->data, text.data, text.len);
  return 0;
}

/* move(box) */
static inline int box_bench_move(lua_State *L) {
  pl_bytes_unref(pl_box_move(L, pl_box_get(L, 1)));
  return 0;
}

/* counted() -> of the request, of the worker */
static inline int box_bench_counted(lua_State *L) {
  struct box_bench *b = box_bench_of(L);
  lua_pushinteger(L, (lua_Integer)b->fake.vm.sched.current->charge->outside);
  lua_pushinteger(L, (lua_Integer)b->account.bytes);
  return 2;
}

/* hold(box) */
static inline int box_bench_hold(lua_State *L) {
  struct box_bench *b = box_bench_of(L);
  pl_box_hold(L, &b->call, 1, &b->hold);
  assert_ptr_equal(b->hold.bytes, pl_box_get(L, 1)->bytes);
  return 0;
}

static inline int box_bench_open_protected(lua_State *L) {
  struct box_bench *b = lua_touserdata(L, 1);
  pl_structs_open(L, b->layouts, &b->account, NULL);
  return 0;
}

/// @param body the request's; NULL: none
static inline void box_bench_begin(struct box_bench *b, const char *body) {
  static const struct pl_exchange_ops ops = {.keep_body = box_bench_keep_body};
  static const luaL_Reg functions[] = {{"keep", box_bench_keep},
                                       {"body", box_bench_body},
                                       {"write", box_bench_write},
                                       {"move", box_bench_move},
                                       {"counted", box_bench_counted},
                                       {"hold", box_bench_hold},
                                       {NULL, NULL}};
  int64_t before = pl_mem_stats().bytes;
  *b = (struct box_bench){.x.ops = &ops, .x.id = PL_STRV("7f3a")};
  b->layouts = pl_layouts_new();
  pl_account_init(&b->account, SIZE_MAX);
  fake_open(&b->fake);
  b->fake.bytes_before = before;
  b->x.arena.account = &b->account;
  b->x.request.content_length = body ? (int64_t)strlen(body) : -1;
  b->call = (struct pl_call){.x = &b->x, .vm = &b->fake.vm};
  if (body) {
    assert_int_equal(pl_request_body_make_room(&b->x, strlen(body)), 0);
    memcpy(b->x.body->data, body, strlen(body));
    pl_bytes_grew(b->x.body, strlen(body));
  }
  lua_State *L = b->fake.vm.L;
  lua_pushcfunction(L, box_bench_open_protected);
  lua_pushlightuserdata(L, b);
  assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_OK);
  for (const luaL_Reg *f = functions; f->name; f++) lua_register(L, f->name, f->func);
}

/// As worker/finish.c does it.
static inline void box_bench_finish_exchange(struct box_bench *b) {
  if (b->call.body_box) luaL_unref(b->fake.vm.L, LUA_REGISTRYINDEX, b->call.body_box_ref);
  b->call.body_box = NULL;
}

static inline void box_bench_run(struct box_bench *b, const char *script, const char *expected) {
  fake_start(&b->fake, script);
  fake_run(&b->fake);
  fake_expect(&b->fake, expected);
}

/// Ends with the audit: every byte has been given back. Scripts may have left one in `box`.
static inline void box_bench_end(struct box_bench *b) {
  box_bench_finish_exchange(b);
  pl_request_body_drop(&b->x);
  lua_pushnil(b->fake.vm.L);
  lua_setglobal(b->fake.vm.L, "box");
  lua_gc(b->fake.vm.L, LUA_GCCOLLECT, 0);
  assert_int_equal(b->account.bytes, 0);
  pl_layouts_free(b->layouts);
  fake_close(&b->fake);
}
