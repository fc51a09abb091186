// Every method of every type and every function of perilune.struct and perilune.geometry, called
// with anything: an error or a result, and never a crash (run under ASan and UBSan).
#include "struct_bench.h"

/* stack: list, table: appends the functions in it */
static void append_functions(lua_State *L, int list, int table) {
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    if (lua_type(L, -1) != LUA_TFUNCTION || lua_type(L, -2) != LUA_TSTRING) continue;
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
  }
}

/* functions(T, list): those of T, its values, its arrays, and their metamethods */
static int lua_functions(lua_State *L) {
  const struct pl_type *type = pl_type_get(L, 1);
  const int tables[] = {type->members, type->methods, type->array_methods, type->owned,
                        type->frozen,  type->view,    type->array};
  for (size_t i = 0; i < PL_ARRAY_LEN(tables); i++) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, tables[i]);
    append_functions(L, 2, lua_gettop(L));
    lua_pop(L, 1);
  }
  return 0;
}

static const char script[] =
    "local seed, rounds = ...\n"
    "math.randomseed(seed)\n"
    "local random, unpack = math.random, table.unpack\n"
    "local types, list = {}, {}\n"
    "for _, name in ipairs{'vec2', 'vec3', 'vec4', 'ivec3', 'uvec2', 'dvec3', 'quat', 'color',\n"
    "    'color8', 'mat3', 'mat4', 'affine', 'transform', 'ray', 'segment', 'aabb', 'rect', "
    "'bounds',\n"
    "    'sphere', 'plane', 'triangle', 'capsule', 'obb', 'frustum', 'hit', 'lla', 'drect'} do\n"
    "  types[#types + 1] = geometry[name]\n"
    "end\n"
    "for _, name in ipairs{'bool', 'i8', 'i64', 'u8', 'u32', 'u64', 'f16', 'f32', 'f64', 'dec128'} "
    "do\n"
    "  types[#types + 1] = struct[name]\n"
    "end\n"
    "types[#types + 1] = struct.define('Heavy', 'mass:f32 tag:u8[200]', {base = vec3})\n"
    "types[#types + 1] = struct.define('Mixed', 'a:u16[3] v:vec3 d:dec128 m:mat4[2]')\n"
    "types[#types + 1] = struct.enum('Kind', 'u8', {A = 1, B = 2})\n"
    "for _, T in ipairs(types) do functions(T, list) end\n"
    "for _, module in ipairs{struct, geometry} do\n"
    "  for name, f in pairs(module) do\n"
    "    if type(f) == 'function' then list[#list + 1] = {name, f} end\n"
    "  end\n"
    "end\n"
    "local box, polygon = struct.bytes(100), geometry.polygon{ring = {{0, 0}, {1, 0}, {0, 1}}}\n"
    "local scene = geometry.scene{spheres = {{{0, 0, 0}, 1}}}\n"
    "local index = geometry.nearest(vec3.array(4))\n"
    "for _, object in ipairs{box, scene, polygon, index, geometry.zones{}} do\n"
    "  for _, name in ipairs{'get', 'set', 'sub', 'slice', 'fill', 'copy', 'clone', 'freeze', "
    "'move',\n"
    "      'tostring', 'is_frozen', 'intersect', 'occluded', 'locate', 'contains', 'nearest'} do\n"
    "    local ok, f = pcall(function() return object[name] end)\n"
    "    if ok and type(f) == 'function' then list[#list + 1] = {name, f} end\n"
    "  end\n"
    "end\n"
    "local others = {nil, true, false, 0, 1, 2, 3, -1, 0.5, 1.5, 2^31, 1 << 31, 1 << 53, 0/0, "
    "1/0,\n"
    "  -1/0, 1e300, math.maxinteger, math.mininteger, '', 'x', 'xyz', 'u8', 'vec3', {}, {1, 2},\n"
    "  {1, 2, 3}, {x = 1}, {k = 2}, {ring = {{0, 0}, {1, 0}, {0, 1}}, id = 3}, print, io.stdout,\n"
    "  coroutine.create(print), forged, scene, polygon, index}\n"
    "local function value(T)\n"
    "  local k = random(12)\n"
    "  if k == 1 then return T.array(random(0, 3)) end\n"
    "  if k == 2 then return T.soa(3) end\n"
    "  if k == 3 then return T.array(4):slice(random(1, 5), random(1, 5)) end\n"
    "  if k == 4 then return T.array(2):freeze() end\n"
    "  if k == 5 then local a = T.array(2) a:move() return a end\n"
    "  if k == 6 then return T.array(2)[1] end\n"
    "  if k == 7 then local a = T.array(2) local v = a[2] a:move() return v end\n"
    "  if k == 8 then return T end\n"
    "  if k == 9 then return T.at(struct.bytes(600), random(0, 63)) end\n"
    "  if k == 10 then return T.array(struct.bytes(T.sizeof * 3 + 5), 5, 3, nil) end\n"
    "  return T()\n"
    "end\n"
    "local function any(near)\n"
    "  local k = random(10)\n"
    "  if k <= 3 then return others[random(37)] end\n"
    "  if k == 4 then return struct.bytes(random(0, 40)) end\n"
    "  if k == 5 then return struct.bytes(40):slice(random(0, 40)) end\n"
    "  local ok, v = pcall(value, k <= 7 and near or types[random(#types)])\n"
    "  return ok and v or nil\n"
    "end\n"
    "local passed, failed = 0, 0\n"
    "for round = 1, rounds do\n"
    "  for _, entry in ipairs(list) do\n"
    "    local near, n = types[random(#types)], random(0, 5)\n"
    "    local args = {}\n"
    "    for i = 1, n do args[i] = any(near) end\n"
    "    local ok, err = pcall(entry[2], unpack(args, 1, n))\n"
    "    if ok then passed = passed + 1 else failed = failed + 1 end\n"
    "    if not ok and type(err) ~= 'string' then error(entry[1] .. ' raises a ' .. type(err)) "
    "end\n"
    "    if not ok and #err > 4000 then error(entry[1] .. ': ' .. err) end\n"
    "  end\n"
    "end\n"
    "assert(passed > rounds * 40 and failed > rounds * 400, passed .. ' ' .. failed)\n";

static void calls_with_anything_end(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  bench_global(&b, "functions", lua_functions);
  b.fake.vm.request_memory = (size_t)32 << 20;
  struct pl_buf text = {0};
  const char *head = "local function main(...) ";
  assert_int_equal(pl_buf_printf(&text, "%s%s end main(%d, %d)", head, script, 20261126, 20), 0);
  assert_int_equal(pl_buf_append(&text, "", 1), 0);
  fake_start(&b.fake, pl_buf_view(&text).data);
  fake_run(&b.fake);
  fake_expect(&b.fake, "done\n");
  pl_buf_deinit(&text);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(calls_with_anything_end)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
