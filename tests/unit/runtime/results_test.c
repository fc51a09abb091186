// The results table alone: entries, ids, anchors. It uses no vm and no pool, so that it can be
// linked with results_bare.c, too: there it must fail by its assertions and not by a crash.
#include "runtime/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "runtime/task.h"
#include "runtime/vm.h"

enum { TASKS = 100 };

struct fixture {
  struct pl_vm vm;
  struct pl_task root;
  struct pl_task tasks[TASKS];
};

static int set_up(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  if (!f) return -1;
  f->vm.L = luaL_newstate();
  f->vm.root = &f->root;
  f->root.vm = &f->vm;
  *(struct pl_task **)lua_getextraspace(f->vm.L) = &f->root;
  pl_results_open(f->vm.L);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  lua_close(f->vm.L);
  free(f);
  return 0;
}

// Gives task n a coroutine with a key in the table. `anchor`: also in the registry, so that it
// lives whatever the table does.
static lua_State *adopt(struct fixture *f, int n, bool anchor) {
  lua_State *L = f->vm.L;
  struct pl_task *task = &f->tasks[n];
  task->vm = &f->vm;
  task->co = lua_newthread(L);
  *(struct pl_task **)lua_getextraspace(task->co) = task;
  lua_pushvalue(L, -1);
  if (anchor) {
    luaL_ref(L, LUA_REGISTRYINDEX);
  } else {
    lua_pop(L, 1);
  }
  pl_results_adopt(L);
  return task->co;
}

static void begin(struct fixture *f, int n, uint64_t id) {
  f->tasks[n].id = id;
  pl_results_begin(f->tasks[n].co, id);
}

static void a_result_is_kept_until_it_is_cleared(void **state) {
  struct fixture *f = *state;
  lua_State *L = f->vm.L, *co = adopt(f, 0, true);
  assert_int_equal(pl_results_count(L), 0);
  begin(f, 0, 7);
  assert_int_equal(pl_results_count(L), 1);
  assert_int_equal(pl_results_push(L, co, 7), -1);
  lua_pushinteger(co, 42);
  pl_results_put(co, 7, 1);
  assert_int_equal(lua_gettop(co), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(pl_results_push(L, co, 7), 1);
    assert_int_equal(lua_tointeger(L, -1), 42);
    lua_pop(L, 1);
  }
  pl_results_clear(co, 7);
  assert_int_equal(pl_results_push(L, co, 7), -1);
  assert_int_equal(pl_results_count(L), 0);
  assert_int_equal(lua_gettop(L), 0);
  assert_int_equal(lua_gettop(co), 0);
}

// Runs the script, keeps what it returns, and takes it back: `expected` is "count type type ...".
static void expect_kept(struct fixture *f, const char *script, const char *expected) {
  lua_State *L = f->vm.L, *co = f->tasks[0].co;
  begin(f, 0, f->tasks[0].id + 1);
  assert_int_equal(luaL_loadstring(co, script), LUA_OK);
  lua_call(co, 0, LUA_MULTRET);
  pl_results_put(co, f->tasks[0].id, lua_gettop(co));
  int count = pl_results_push(L, co, f->tasks[0].id);
  assert_int_equal(lua_gettop(L), count);
  lua_pushinteger(L, count);
  lua_tostring(L, -1);
  for (int i = 1; i <= count; i++) {
    lua_pushfstring(L, " %s", luaL_typename(L, i));
    lua_concat(L, 2);
  }
  assert_string_equal(lua_tostring(L, -1), expected);
  lua_settop(L, 0);
  pl_results_clear(co, f->tasks[0].id);
  assert_int_equal(pl_results_count(L), 0);
}

static void every_kind_of_result_comes_back(void **state) {
  struct fixture *f = *state;
  adopt(f, 0, true);
  expect_kept(f, "return", "0");
  expect_kept(f, "return nil", "1 nil");
  expect_kept(f, "return false", "1 boolean");
  expect_kept(f, "return true", "1 boolean");
  expect_kept(f, "return {n = 3, 'x'}", "1 table");
  expect_kept(f, "return nil, nil", "2 nil nil");
  expect_kept(f, "return 1, nil, 'x', nil", "4 number nil string nil");
  expect_kept(f, "return {}, false", "2 table boolean");
}

static void a_coroutine_never_answers_for_the_task_it_served_before(void **state) {
  struct fixture *f = *state;
  lua_State *L = f->vm.L, *co = adopt(f, 0, true);
  begin(f, 0, 1);
  lua_pushliteral(co, "alice's");
  pl_results_put(co, 1, 1);
  pl_results_clear(co, 1);
  begin(f, 0, 2);
  lua_pushliteral(co, "bob's");
  pl_results_put(co, 2, 1);
  assert_int_equal(pl_results_push(L, co, 1), -1);
  assert_int_equal(pl_results_push(L, co, 2), 1);
  lua_pop(L, 1);
  pl_results_clear(co, 1);  // too late: bob's stays
  assert_int_equal(pl_results_push(L, co, 2), 1);
  assert_string_equal(lua_tostring(L, -1), "bob's");
  lua_pop(L, 1);
}

static void the_table_anchors_its_coroutines(void **state) {
  struct fixture *f = *state;
  lua_State *L = f->vm.L;
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2); /* stack: a table that holds its values weakly */
  for (int i = 0; i < TASKS; i++) {
    lua_State *co = adopt(f, i, false);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    lua_rawseti(L, 1, i + 1);
  }
  lua_gc(L, LUA_GCCOLLECT);
  for (int i = 0; i < TASKS; i++) {
    assert_int_equal(lua_rawgeti(L, 1, i + 1), LUA_TTHREAD);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void a_forgotten_coroutine_is_collected(void **state) {
  struct fixture *f = *state;
  lua_State *L = f->vm.L;
  lua_gc(L, LUA_GCCOLLECT);
  int before = lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB);
  for (int i = 0; i < TASKS; i++) adopt(f, i, false);
  for (int i = 0; i < TASKS; i++) pl_results_forget(L, f->tasks[i].co);
  lua_gc(L, LUA_GCCOLLECT);
  int after = lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB);
  assert_in_range(after - before, 0, 16384);  // the table's slots stay, the coroutines do not
  assert_int_equal(pl_results_count(L), 0);
}

static void a_new_coroutine_at_an_old_address_has_no_result(void **state) {
  struct fixture *f = *state;
  lua_State *L = f->vm.L;
  uint64_t id = 0;
  int stale = 0;
  for (int i = 0; i < 1000; i++) {
    lua_State *co = adopt(f, 0, true);
    if (pl_results_push(L, co, ++id) >= 0) stale++;
    lua_settop(L, 0);
    begin(f, 0, id);
    lua_pushinteger(co, i);
    pl_results_put(co, id, 1);
    f->tasks[0].id = 0;
    if (pl_results_push(L, co, id) >= 0) stale++;  // the slot serves nobody now
    lua_settop(L, 0);
  }
  assert_int_equal(stale, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_result_is_kept_until_it_is_cleared, set_up, tear_down),
      cmocka_unit_test_setup_teardown(every_kind_of_result_comes_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_coroutine_never_answers_for_the_task_it_served_before,
                                      set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_table_anchors_its_coroutines, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_forgotten_coroutine_is_collected, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_new_coroutine_at_an_old_address_has_no_result, set_up,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
