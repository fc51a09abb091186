// The host of xLua is C#: what is measured is its way over the Lua boundary, with C behind it
// instead of a managed call, which is in xLua's favour.
#include "copying.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct head {
  int fake_id;
  unsigned len;
};

struct vec3 {
  float x, y, z;
};
struct quat {
  float x, y, z, w;
};
struct mat4 {
  float m[4][4];
};

enum type { VEC3 = 1, QUAT, MAT4, ARRAY, TYPES };

static int metatables[TYPES];

// ---- over the boundary ----

static void push_struct(lua_State *L, enum type type, const void *data, size_t size) {
  struct head *head = lua_newuserdata(L, sizeof *head + size); /* with a user value, as xLua's */
  *head = (struct head){-1, (unsigned)size};
  memcpy(head + 1, data, size);
  lua_rawgeti(L, LUA_REGISTRYINDEX, metatables[type]);
  lua_setmetatable(L, -2);
}

static struct head *check_head(lua_State *L, int index, enum type type) {
  struct head *head = lua_touserdata(L, index);
  if (!head || !lua_getmetatable(L, index)) luaL_error(L, "invalid userdata");
  lua_rawgeti(L, -1, 1);
  if (lua_tointeger(L, -1) != metatables[type]) luaL_error(L, "invalid userdata");
  lua_pop(L, 2);
  return head;
}

static bool is_type(lua_State *L, int index, enum type type) {
  if (!lua_getmetatable(L, index)) return false;
  lua_rawgeti(L, -1, 1);
  bool is_it = lua_tointeger(L, -1) == metatables[type];
  lua_pop(L, 2);
  return is_it;
}

static void get_struct(lua_State *L, int index, enum type type, void *data, size_t size) {
  const struct head *head = check_head(L, index, type);
  if (head->fake_id != -1 || head->len < size) luaL_error(L, "invalid userdata");
  memcpy(data, head + 1, size);
}

static void update_struct(lua_State *L, int index, enum type type, const void *data, size_t size) {
  struct head *head = check_head(L, index, type);
  if (head->fake_id != -1 || head->len < size) luaL_error(L, "invalid userdata");
  memcpy(head + 1, data, size);
}

#define PUSH(L, type, value) push_struct(L, type, &(value), sizeof(value))
#define GET(L, index, type, value) get_struct(L, index, type, &(value), sizeof(value))
#define UPDATE(L, index, type, value) update_struct(L, index, type, &(value), sizeof(value))

static float number(lua_State *L, int index) {
  return (float)luaL_checknumber(L, index);
}

// ---- vec3 ----

static int vec3_new(lua_State *L) {
  struct vec3 v = {number(L, 1), number(L, 2), number(L, 3)};
  PUSH(L, VEC3, v);
  return 1;
}

static int vec3_add(lua_State *L) {
  struct vec3 a, b;
  GET(L, 1, VEC3, a);
  GET(L, 2, VEC3, b);
  a = (struct vec3){a.x + b.x, a.y + b.y, a.z + b.z};
  PUSH(L, VEC3, a);
  return 1;
}

// Adds in place: the struct goes over, is changed there and comes back.
static int vec3_add_to(lua_State *L) {
  struct vec3 a, b;
  GET(L, 1, VEC3, a);
  GET(L, 2, VEC3, b);
  a = (struct vec3){a.x + b.x, a.y + b.y, a.z + b.z};
  UPDATE(L, 1, VEC3, a);
  return 0;
}

static int vec3_set(lua_State *L) {
  struct vec3 v;
  GET(L, 1, VEC3, v);
  v = (struct vec3){number(L, 2), number(L, 3), number(L, 4)};
  UPDATE(L, 1, VEC3, v);
  return 0;
}

static int vec3_get(lua_State *L) {
  struct vec3 v;
  GET(L, 1, VEC3, v);
  lua_pushnumber(L, v.x);
  lua_pushnumber(L, v.y);
  lua_pushnumber(L, v.z);
  return 3;
}

static int vec3_dot(lua_State *L) {
  struct vec3 a, b;
  GET(L, 1, VEC3, a);
  GET(L, 2, VEC3, b);
  lua_pushnumber(L, a.x * b.x + a.y * b.y + a.z * b.z);
  return 1;
}

static int vec3_cross(lua_State *L) {
  struct vec3 a, b;
  GET(L, 1, VEC3, a);
  GET(L, 2, VEC3, b);
  a = (struct vec3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
  PUSH(L, VEC3, a);
  return 1;
}

static int vec3_normalize(lua_State *L) {
  struct vec3 v;
  GET(L, 1, VEC3, v);
  float length = sqrtf(v.x * v.x + v.y * v.y + v.z * v.z);
  v = (struct vec3){v.x / length, v.y / length, v.z / length};
  PUSH(L, VEC3, v);
  return 1;
}

// A getter for each field; a setter reads the whole struct and writes it back.
#define FIELD(name)                     \
  static int get_##name(lua_State *L) { \
    struct vec3 v;                      \
    GET(L, 1, VEC3, v);                 \
    lua_pushnumber(L, v.name);          \
    return 1;                           \
  }                                     \
  static int set_##name(lua_State *L) { \
    struct vec3 v;                      \
    GET(L, 1, VEC3, v);                 \
    v.name = number(L, 2);              \
    UPDATE(L, 1, VEC3, v);              \
    return 0;                           \
  }
FIELD(x)
FIELD(y)
FIELD(z)

// ---- quat, mat4 ----

static int quat_new(lua_State *L) {
  struct quat q = {number(L, 1), number(L, 2), number(L, 3), number(L, 4)};
  PUSH(L, QUAT, q);
  return 1;
}

static int quat_mul(lua_State *L) {
  struct quat q;
  struct vec3 v;
  GET(L, 1, QUAT, q);
  GET(L, 2, VEC3, v);
  struct vec3 t = {2 * (q.y * v.z - q.z * v.y), 2 * (q.z * v.x - q.x * v.z),
                   2 * (q.x * v.y - q.y * v.x)};
  v = (struct vec3){v.x + q.w * t.x + (q.y * t.z - q.z * t.y),
                    v.y + q.w * t.y + (q.z * t.x - q.x * t.z),
                    v.z + q.w * t.z + (q.x * t.y - q.y * t.x)};
  PUSH(L, VEC3, v);
  return 1;
}

static int mat4_new(lua_State *L) {
  struct mat4 m = {{{0}}};
  for (int i = 0; i < 4; i++) m.m[i][i] = 1;
  PUSH(L, MAT4, m);
  return 1;
}

static int push_point(lua_State *L, const struct mat4 *a) {
  struct vec3 v;
  const float(*m)[4] = a->m;
  GET(L, 2, VEC3, v);
  v = (struct vec3){m[0][0] * v.x + m[1][0] * v.y + m[2][0] * v.z + m[3][0],
                    m[0][1] * v.x + m[1][1] * v.y + m[2][1] * v.z + m[3][1],
                    m[0][2] * v.x + m[1][2] * v.y + m[2][2] * v.z + m[3][2]};
  PUSH(L, VEC3, v);
  return 1;
}

// Overloads are tried in turn, as xLua's are: a matrix or a point.
static int mat4_mul(lua_State *L) {
  struct mat4 a, b, to;
  if (is_type(L, 2, VEC3)) {
    GET(L, 1, MAT4, a);
    return push_point(L, &a);
  }
  GET(L, 1, MAT4, a);
  GET(L, 2, MAT4, b);
  for (int c = 0; c < 4; c++)
    for (int r = 0; r < 4; r++)
      to.m[c][r] = a.m[0][r] * b.m[c][0] + a.m[1][r] * b.m[c][1] + a.m[2][r] * b.m[c][2] +
                   a.m[3][r] * b.m[c][3];
  PUSH(L, MAT4, to);
  return 1;
}

// ---- vec3[]: an object of the host, elements copied in and out ----

struct array {
  struct head head;
  int count;
  struct vec3 *elements;
};

static int array_new(lua_State *L) {
  struct array *a = lua_newuserdata(L, sizeof *a);
  a->head = (struct head){0, sizeof *a};
  a->count = (int)luaL_checkinteger(L, 1);
  a->elements = calloc((size_t)a->count, sizeof *a->elements);
  if (!a->elements) return luaL_error(L, "not enough memory");
  lua_rawgeti(L, LUA_REGISTRYINDEX, metatables[ARRAY]);
  lua_setmetatable(L, -2);
  return 1;
}

static struct vec3 *check_element(lua_State *L) {
  const struct array *a = (const struct array *)check_head(L, 1, ARRAY);
  lua_Integer i = lua_tointeger(L, 2);
  if (i < 0 || i >= a->count) luaL_error(L, "index out of range");
  return &a->elements[i];
}

static int array_get(lua_State *L) {
  struct vec3 v = *check_element(L);
  PUSH(L, VEC3, v);
  return 1;
}

static int array_set(lua_State *L) {
  struct vec3 v;
  GET(L, 3, VEC3, v);
  *check_element(L) = v;
  return 0;
}

// ---- metatables ----

static const luaL_Reg none[] = {{NULL, NULL}};
static const luaL_Reg vec3_methods[] = {{"add", vec3_add_to},  {"set", vec3_set},
                                        {"get", vec3_get},     {"dot", vec3_dot},
                                        {"cross", vec3_cross}, {"normalize", vec3_normalize},
                                        {NULL, NULL}};
static const luaL_Reg getters[] = {{"x", get_x}, {"y", get_y}, {"z", get_z}, {NULL, NULL}};
static const luaL_Reg setters[] = {{"x", set_x}, {"y", set_y}, {"z", set_z}, {NULL, NULL}};
static const luaL_Reg array_elements[] = {{"get", array_get}, {"set", array_set}, {NULL, NULL}};

// upvalues: methods, getters
static int index_object(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL) return 1;
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

// upvalue: setters
static int newindex_object(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) return luaL_error(L, "no such field");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 3);
  lua_call(L, 2, 0);
  return 0;
}

static void push_table(lua_State *L, const luaL_Reg *functions) {
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
}

static void make_type(lua_State *L, enum type type, const luaL_Reg *methods, const luaL_Reg *reads,
                      const luaL_Reg *writes) {
  lua_newtable(L);
  push_table(L, methods);
  push_table(L, reads);
  lua_pushcclosure(L, index_object, 2);
  lua_setfield(L, -2, "__index");
  push_table(L, writes);
  lua_pushcclosure(L, newindex_object, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushvalue(L, -1);
  metatables[type] = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushinteger(L, metatables[type]);
  lua_rawseti(L, -2, 1);
}

static void set_field(lua_State *L, const char *name, lua_CFunction fn) {
  lua_pushcfunction(L, fn);
  lua_setfield(L, -2, name);
}

void bench_copying_open(lua_State *L) {
  make_type(L, VEC3, vec3_methods, getters, setters);
  set_field(L, "__add", vec3_add);
  make_type(L, QUAT, none, none, none);
  set_field(L, "__mul", quat_mul);
  make_type(L, MAT4, none, none, none);
  set_field(L, "__mul", mat4_mul);
  make_type(L, ARRAY, array_elements, none, none);
  lua_pop(L, 4);
  lua_register(L, "vec3", vec3_new);
  lua_register(L, "quat", quat_new);
  lua_register(L, "mat4", mat4_new);
  lua_register(L, "vec3_array", array_new);
}
