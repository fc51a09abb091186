// Scripts that index, slice, aim and copy arrays and bytes by anything: the input's bytes choose
// calls and arguments out of a pool of values of every form (moved, frozen, forged, foreign), and
// results go into the pool. Each call is an error or a result; what an index reads is what the
// array's length says.
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"
#include "runtime/vm.h"
#include "structs/library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fixture {
  struct pl_vm vm;
  struct pl_account account;
  struct pl_layouts *layouts;
};

static const char script[] =
    "local struct, geometry, forged = ...\n"
    "local vec2, vec3, mat4, ray, hit = geometry.vec2, geometry.vec3, geometry.mat4, "
    "geometry.ray,\n"
    "  geometry.hit\n"
    "local f32, u8, u32, i64 = struct.f32, struct.u8, struct.u32, struct.i64\n"
    "local Shot = struct.define('Shot', 't:f32 hits:vec2[3] prim:u32 tag:u8[5] n:vec3')\n"
    "local Kind = struct.enum('Kind', 'u8', {A = 1, B = 2})\n"
    "local types = {vec2, vec3, mat4, ray, hit, f32, u8, u32, i64, Shot, Kind, struct.dec128}\n"
    "local names = {'x', 'y', 'origin', 'direction', 'columns', 'hits', 'tag', 'n', '', 'u8', "
    "'f32',\n"
    "  'vec3', 'dec128'}\n"
    "local methods = {'get', 'set', 'at', 'each', 'views', 'slice', 'field', 'bytes', 'clone',\n"
    "  'totable', 'pack', 'select', 'gather', 'scatter', 'sort_by', 'indices', 'add', 'sub', "
    "'mul',\n"
    "  'lt', 'sum', 'aabb', 'argmin', 'count', 'transform', 'sub', 'fill', 'copy', 'tostring',\n"
    "  'same', 'near', 'key', 'normalize', 'nearest', 'inside', 'min', 'clamp', 'lerp', "
    "'is_frozen'}\n"
    "local numbers = {0, 1, 2, 3, 4, -1, -2, 7, 2^31, 2^31 - 1, 1 << 31, 1 << 32, 1 << 53,\n"
    "  math.maxinteger, math.mininteger, math.maxinteger - 1, 1.0, 1.5, 0/0, 1/0, -1/0, 1e300,\n"
    "  '3', 'x', true}\n"
    "local function fresh()\n"
    "  local moved, frozen = vec3.array(3), vec3.array(2):freeze()\n"
    "  moved:move()\n"
    "  local view, rays = vec3.array(2)[2], ray.array(4)\n"
    "  local b = struct.bytes(64)\n"
    "  return {vec3.array(5), vec2.soa(4), mat4.array(2), f32.array{3, 1, 2}, u8.array{1, 0, 1, "
    "1},\n"
    "    u32.array{3, 1, 0, 2}, Shot.array(3), Kind.array(2), moved, frozen, view, rays,\n"
    "    rays:field'direction', vec3(1, 2, 3), vec3.up, Shot().hits, Shot(), Kind.A, b, "
    "b:slice(3),\n"
    "    frozen:bytes(), f32.array(b, 1, 3, 9), i64.array(2), struct.dec128.array(2), forged,\n"
    "    io.stdout, {}, {1, 2, 3}, print, coroutine.create(print), ray.soa(3):field'origin',\n"
    "    vec3.array(0), b:slice(64), geometry.polygon{ring = {{0, 0}, {1, 0}, {0, 1}}}}\n"
    "end\n"
    "local function check(a, i)\n"
    "  local ok, count = pcall(function() return #a, a:is_frozen(), a:clone() end)\n"
    "  if not ok or not pcall(a.views, a) then return end\n"
    "  local is_inside = type(i) == 'number' and math.tointeger(i) and i >= 1 and i <= count\n"
    "  if type(i) == 'number' then assert((a[i] ~= nil) == (is_inside ~= false and is_inside ~= "
    "nil\n"
    "    and is_inside), tostring(i)) end\n"
    "end\n"
    "return function(input)\n"
    "  local pool, at = fresh(), 0\n"
    "  local function byte() at = at + 1 return input:byte(at) or 0 end\n"
    "  local function pick(t) return t[byte() % #t + 1] end\n"
    "  local function any()\n"
    "    local k = byte() % 8\n"
    "    if k < 3 then return pick(numbers) end\n"
    "    if k == 3 then return pick(names) end\n"
    "    if k == 4 then return pick(types) end\n"
    "    if k == 5 then return nil end\n"
    "    return pick(pool)\n"
    "  end\n"
    "  local calls = {\n"
    "    function() return pick(pool)[any()] end,\n"
    "    function() local a = pick(pool) a[any()] = any() end,\n"
    "    function() return pick(pool):slice(any(), any()) end,\n"
    "    function() return pick(pool):at(any(), any()) end,\n"
    "    function() return pick(pool):get(any(), any(), any()) end,\n"
    "    function() return pick(pool):set(any(), any(), any(), any()) end,\n"
    "    function() return pick(types).array(any(), any(), any(), any()) end,\n"
    "    function() return pick(types).soa(any()) end,\n"
    "    function() return pick(types).at(any(), any()) end,\n"
    "    function() return pick(types).unpack(any(), any()) end,\n"
    "    function() return pick(pool):field(pick(names)) end,\n"
    "    function() local f, s = pick(pool):views() return select(2, f(pick(pool), any())) "
    "end,\n"
    "    function() local f, s = pick(pool):each() return f(pick(pool), any()) end,\n"
    "    function() return pick(pool)[pick(methods)](pick(pool), any(), any(), any()) end,\n"
    "    function() local a = pick(pool) return a[pick(methods)](a, any(), any()) end,\n"
    "    function() return pick(pool):move() end,\n"
    "    function() return pick(pool):freeze() end,\n"
    "    function() return pick(pool) + any(), pick(pool) - pick(pool), pick(pool) & any() end,\n"
    "    function() return pick(types)(any(), any(), any()) end,\n"
    "  }\n"
    "  while at < #input do\n"
    "    local place = byte() % #pool + 1\n"
    "    local ok, result = pcall(pick(calls))\n"
    "    if ok and result ~= nil then pool[place] = result end\n"
    "    local a, i = pool[place], pick(numbers)\n"
    "    if type(a) == 'userdata' then pcall(tostring, a) end\n"
    "    if struct.typeof(a) and a ~= forged then check(a, i) end\n"
    "  end\n"
    "end\n";

static void wake(void *ctx) {
  (void)ctx;
}

static void warn(void *ctx, const char *text) {
  (void)ctx;
  (void)text;
}

static void print(void *ctx, const char *text, size_t len) {
  (void)ctx;
  (void)text;
  (void)len;
}

/* stack: fixture -> the fuzzing function */
static int open_protected(lua_State *L) {
  struct fixture *f = lua_touserdata(L, 1);
  pl_structs_open(L, f->layouts, &f->account, NULL);
  if (luaL_loadstring(L, script) != LUA_OK) return lua_error(L);
  pl_api_push_module(L, &pl_api_struct);
  pl_api_push_module(L, &pl_api_geometry);
  lua_pushlightuserdata(L, f);
  lua_call(L, 3, 1);
  return 1;
}

static void require(lua_State *L, int status) {
  if (status == LUA_OK) return;
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  abort();
}

// One for all inputs: a state takes far longer to make than an input to run.
static struct fixture *open_fixture(void) {
  static struct fixture f;
  struct pl_host host = {.ctx = &f, .wake = wake, .warn = warn, .print = print};
  pl_account_init(&f.account, (size_t)16 << 20);
  f.layouts = pl_layouts_new();
  if (!f.layouts || pl_vm_init(&f.vm, &host, 3, 0)) abort();
  lua_pushcfunction(f.vm.L, open_protected);
  lua_pushlightuserdata(f.vm.L, &f);
  require(f.vm.L, lua_pcall(f.vm.L, 1, 1, 0));
  return &f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { INPUT_MAX = 2000 };
  static struct fixture *fixture;
  if (!fixture) fixture = open_fixture();
  lua_State *L = fixture->vm.L;
  lua_pushvalue(L, 1);
  lua_pushlstring(L, (const char *)data, size < INPUT_MAX ? size : INPUT_MAX);
  require(L, lua_pcall(L, 1, 0, 0));
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}
