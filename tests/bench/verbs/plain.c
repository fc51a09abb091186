// The sizes and the data are those of kernels.lua.
#include "../kernels/plain.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

enum { SMALL = 4096, LARGE = 2000000 };

struct data {
  size_t count;
  float *a, *b, *to;
};

static const float matrix[16] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
static float box[6];

static void run_transform(const struct data *x) {
  plain_transform(x->to, x->a, matrix, x->count);
}

static void run_normalize(const struct data *x) {
  plain_normalize(x->to, x->a, x->count);
}

static void run_dot(const struct data *x) {
  plain_dot(x->to, x->a, x->b, x->count);
}

static void run_aabb(const struct data *x) {
  plain_aabb(box, x->a, x->count);
}

static const struct verb {
  const char *name;
  void (*run)(const struct data *x);
  size_t bytes;  // read and written for an element
} verbs[] = {{"transform", run_transform, 24},
             {"normalize", run_normalize, 24},
             {"dot", run_dot, 28},
             {"aabb", run_aabb, 12}};

// upvalues: the data, the verb
static int run_plain(lua_State *L) {
  const struct data *x = lua_touserdata(L, lua_upvalueindex(1));
  const struct verb *verb = lua_touserdata(L, lua_upvalueindex(2));
  for (lua_Integer n = luaL_checkinteger(L, 1); n > 0; n--) {
    verb->run(x);
    __asm__ volatile("" ::: "memory");
  }
  return 0;
}

static int run_copy(lua_State *L) {
  const struct data *x = lua_touserdata(L, lua_upvalueindex(1));
  const struct verb *verb = lua_touserdata(L, lua_upvalueindex(2));
  for (lua_Integer n = luaL_checkinteger(L, 1); n > 0; n--) {
    memcpy(x->to, x->a, x->count * verb->bytes / 2);
    __asm__ volatile("" ::: "memory");
  }
  return 0;
}

static float *make_array(size_t count) {
  size_t bytes = (count * 16 + 63) / 64 * 64; /* a copy for dot takes 14 an element */
  float *array = aligned_alloc(64, bytes);
  if (!array) abort();
  memset(array, 0, bytes);
  for (size_t i = 0; i < count * 3; i++) array[i] = (float)(i % 1000 + 1) / 400;
  return array;
}

static struct data *push_data(lua_State *L, size_t count) {
  struct data *x = lua_newuserdatauv(L, sizeof *x, 0);
  *x = (struct data){count, make_array(count), make_array(count), make_array(count)};
  luaL_ref(L, LUA_REGISTRYINDEX);
  return x;
}

static void add_verb(lua_State *L, const char *size, const struct data *x, const struct verb *verb,
                     lua_CFunction fn) {
  lua_pushfstring(L, "%s_%s", size, verb->name);
  lua_pushlightuserdata(L, (void *)x);
  lua_pushlightuserdata(L, (void *)verb);
  lua_pushcclosure(L, fn, 2);
  lua_rawset(L, -3);
}

void bench_plain_push(lua_State *L) {
  const struct data *small = push_data(L, SMALL), *large = push_data(L, LARGE);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    add_verb(L, "small", small, &verbs[i], run_plain);
    add_verb(L, "large", large, &verbs[i], run_plain);
    add_verb(L, "copy", large, &verbs[i], run_copy);
  }
}
