// A ring of values against a plain array, with values coming and going at random on both ends.
#include "api/value_ring.h"

#include <stdlib.h>

#include "../runtime/fake_host.h"

enum { OWNER = 1, MOST = 200 };

struct model {
  int values[2 * MOST];
  int first;  ///< place of the first value
  int count;
};

static void step(lua_State *L, struct pl_value_ring *ring, struct model *m, int value) {
  int kind = rand() % 3;
  if (kind == 0 && m->count > 0) {
    pl_value_ring_pop_front(L, OWNER, ring);
    assert_int_equal(lua_tointeger(L, -1), m->values[m->first]);
    m->first++;
    m->count--;
    lua_pop(L, 1);
    return;
  }
  if (ring->count == ring->size) pl_value_ring_grow(L, OWNER, ring);
  lua_pushinteger(L, value);
  if (kind == 1 && m->first > 0) {
    pl_value_ring_push_front(L, OWNER, ring, -1);
    m->values[--m->first] = value;
    m->count++;
  } else if (m->first + m->count < 2 * MOST) {
    pl_value_ring_push_back(L, OWNER, ring, lua_gettop(L));
    m->values[m->first + m->count++] = value;
  }
  lua_pop(L, 1);
}

static void values_come_out_in_their_order(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_State *L = f.vm.L;
  for (unsigned seed = 1; seed <= 100; seed++) {
    srand(seed);
    struct pl_value_ring *ring = lua_newuserdatauv(L, sizeof *ring, 1);
    *ring = (struct pl_value_ring){0};
    struct model m = {.first = MOST};
    for (int value = 1; value <= 1000; value++) {
      step(L, ring, &m, value);
      assert_int_equal(ring->count, m.count);
      assert_int_equal(lua_gettop(L), 1);
      if (m.first + m.count == 2 * MOST) break;
    }
    while (m.count-- > 0) {
      pl_value_ring_pop_front(L, OWNER, ring);
      assert_int_equal(lua_tointeger(L, -1), m.values[m.first++]);
      lua_pop(L, 1);
    }
    lua_settop(L, 0);
  }
  fake_close(&f);
}

static int grow(lua_State *L) {
  pl_value_ring_grow(L, OWNER, lua_touserdata(L, OWNER));
  return 0;
}

static void without_memory_growing_changes_nothing(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_State *L = f.vm.L;
  struct pl_value_ring *ring = lua_newuserdatauv(L, sizeof *ring, 1);
  *ring = (struct pl_value_ring){0};
  pl_value_ring_grow(L, OWNER, ring);
  lua_pushliteral(L, "kept");
  pl_value_ring_push_front(L, OWNER, ring, 2);
  lua_settop(L, 1);
  struct pl_value_ring before = *ring;
  lua_pushcfunction(L, grow);
  lua_pushvalue(L, OWNER);
  lua_gc(L, LUA_GCCOLLECT);
  pl_heap_set_ceiling(&f.vm.heap, f.vm.heap.bytes);
  assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_ERRMEM);
  pl_heap_set_ceiling(&f.vm.heap, 0);
  assert_memory_equal(ring, &before, sizeof before);
  pl_value_ring_pop_front(L, OWNER, ring);
  assert_string_equal(lua_tostring(L, -1), "kept");
  lua_settop(L, 0);
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_come_out_in_their_order),
      cmocka_unit_test(without_memory_growing_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
