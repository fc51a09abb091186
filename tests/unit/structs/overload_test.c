// Overloads find the right op, and nothing is boxed (structs.md 4.6, D1 and D2): every op of every
// built-in type, from the tables that the methods are made of, so that none is left out.
#include "struct_bench.h"

#include "geometry/op.h"

/* ops() -> {{type, name, signature}, ...} */
static int lua_ops(lua_State *L) {
  lua_newtable(L);
  for (int type = PL_BUILTIN_NONE + 1; type < PL_BUILTIN_COUNT; type++) {
    for (const struct pl_op *op = pl_ops_of((enum pl_builtin)type); op->name; op++) {
      lua_createtable(L, 0, 3);
      lua_pushstring(L, pl_layout_builtin((enum pl_builtin)type)->name.data);
      lua_setfield(L, -2, "type");
      lua_pushstring(L, op->name);
      lua_setfield(L, -2, "name");
      lua_pushstring(L, op->signature);
      lua_setfield(L, -2, "signature");
      lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
  }
  return 1;
}

// each(see): see(op, function, operands, result types, arguments) for every op, with values that
// lie in bytes every other time.
#define EACH                                                                               \
  "local unpack, N = table.unpack, 20\n"                                                   \
  "local function value(T)\n"                                                              \
  "  local v, n = T(), select('#', T():get())\n"                                           \
  "  local t = {}\n"                                                                       \
  "  for i = 1, n do t[i] = (i % 3) + 1 end\n"                                             \
  "  return T(unpack(t))\n"                                                                \
  "end\n"                                                                                  \
  "local function boxed(T) local a = T.array(1) a[1] = value(T) return a[1] end\n"         \
  "local function each(see)\n"                                                             \
  "  local count = 0\n"                                                                    \
  "  for _, op in ipairs(ops()) do\n"                                                      \
  "    local left, right = op.signature:gsub('^%a%w*:', ''):match('^(.-)>(.*)$')\n"        \
  "    op.operands, op.results = {}, {}\n"                                                 \
  "    for word in left:gmatch('%S+') do table.insert(op.operands, word) end\n"            \
  "    for word in right:gmatch('%S+') do table.insert(op.results, word) end\n"            \
  "    op.label = op.type .. '.' .. op.name .. ' ' .. op.signature\n"                      \
  "    op.args = {}\n"                                                                     \
  "    for i, name in ipairs(op.operands) do\n"                                            \
  "      local T = _G[name]\n"                                                             \
  "      op.args[i] = not T and 0.5 or count % 2 == 0 and value(T) or boxed(T)\n"          \
  "    end\n"                                                                              \
  "    op.fn = _G[op.type][op.name]\n"                                                     \
  "    count = count + 1\n"                                                                \
  "    see(op)\n"                                                                          \
  "  end\n"                                                                                \
  "  assert(count > 800, count)\n"                                                         \
  "end\n"                                                                                  \
  "local function call(fn, args, n)\n"                                                     \
  "  return function() fn(unpack(args, 1, n)) end\n"                                       \
  "end\n"                                                                                  \
  "local function free(label, f)\n"                                                        \
  "  local blocks, size = cost(N, f)\n"                                                    \
  "  if blocks ~= 0 or size ~= 0 then error(label .. ': ' .. blocks .. ' ' .. size) end\n" \
  "end\n"

static void run(const char *script) {
  struct bench b;
  bench_open(&b);
  bench_global(&b, "ops", lua_ops);
  fake_start(&b.fake, script);
  fake_run(&b.fake);
  fake_expect(&b.fake, "done\n");
  bench_close(&b);
}

static void ops_into_dst_allocate_nothing(void **state) {
  (void)state;
  run(EACH
      "each(function(op)\n"
      "  local args, n = {unpack(op.args)}, #op.args\n"
      "  for _, name in ipairs(op.results) do\n"
      "    if _G[name] then n = n + 1 args[n] = (n % 2 == 0 and boxed or value)(_G[name]) end\n"
      "  end\n"
      "  local got = {op.fn(unpack(args, 1, n))}\n"
      "  local dst = #op.args\n"
      "  for i, name in ipairs(op.results) do\n"
      "    if _G[name] then dst = dst + 1 assert(rawequal(got[i], args[dst]), op.label) end\n"
      "  end\n"
      "  free(op.label, call(op.fn, args, n))\n"
      "end)\n");
}

static void ops_in_place_allocate_nothing_and_give_the_same(void **state) {
  (void)state;
  run(EACH "each(function(op)\n"
           "  local T = _G[op.results[1]]\n"
           "  if not T or #op.results > 1 then return end\n"
           "  local expected = op.fn(unpack(op.args))\n"
           "  for i, name in ipairs(op.operands) do\n"
           "    if name == op.results[1] then\n"
           "      local args = {unpack(op.args)}\n"
           "      args[i] = args[i]:clone()\n"
           "      args[#args + 1] = args[i]\n"
           "      assert(rawequal(op.fn(unpack(args)), args[i]), op.label)\n"
           "      assert(args[i]:same(expected), op.label)\n"
           "      free(op.label, call(op.fn, args, #args))\n"
           "    end\n"
           "  end\n"
           "end)\n");
}

static void new_results_are_one_block_each(void **state) {
  (void)state;
  run(EACH "each(function(op)\n"
           "  local blocks, size = 0, 0\n"
           "  for _, name in ipairs(op.results) do\n"
           "    local T = _G[name]\n"
           "    if T then blocks, size = blocks + 1, size + 32 + T.sizeof end\n"
           "  end\n"
           "  local a, b = cost(N, call(op.fn, op.args, #op.args))\n"
           "  assert(a == blocks and b == size, op.label .. ' ' .. a .. ' ' .. b)\n"
           "end)\n"
           "local v, w, m = vec3(1, 2, 3), vec3(4, 5, 6), mat4.identity\n"
           "for T, f in pairs{[vec3] = function() return v + w end, [mat4] = function() return m * "
           "m end,\n"
           "    [vec2] = function() return -vec2.up end} do\n"
           "  local blocks, size = cost(1000, f)\n"
           "  assert(blocks == 1 and size == 32 + T.sizeof)\n"
           "end\n"
           "for _, f in ipairs{function() return 2 * v end, function() return 1 - v end,\n"
           "    function() return v * 2 end} do\n"
           "  local blocks, size = cost(1000, f)\n"
           "  assert(blocks == 1 and size == 44)\n"
           "end\n");
}

static void tables_as_operands_allocate_nothing(void **state) {
  (void)state;
  run(EACH "local seen, given = {}, 0\n"
           "each(function(op)\n"
           "  local first = not seen[op.type .. op.name]\n"
           "  seen[op.type .. op.name] = true\n"
           "  local args, n, tables = {}, #op.args, 0\n"
           "  for i, a in ipairs(op.args) do\n"
           "    local is_struct = type(a) == 'userdata'\n"
           "    args[i] = is_struct and a:totable() or a\n"
           "    if is_struct then tables = tables + 1 end\n"
           "  end\n"
           "  if tables == 0 then return end\n"
           "  for _, name in ipairs(op.results) do\n"
           "    if _G[name] then n = n + 1 args[n] = value(_G[name]) end\n"
           "  end\n"
           "  local ok, err = pcall(op.fn, unpack(args, 1, n))\n"
           "  if not ok and not first then return end\n"
           "  assert(ok, err)\n"
           "  if first and #op.results == 1 and _G[op.results[1]] then\n"
           "    assert(args[n]:same(op.fn(unpack(op.args))), op.label)\n"
           "  end\n"
           "  given = given + 1\n"
           "  free(op.label, call(op.fn, args, n))\n"
           "end)\n"
           "assert(given > 400, given)\n");
}

static void ops_over_arrays_into_dst_allocate_nothing(void **state) {
  (void)state;
  run(EACH "local done = 0\n"
           "each(function(op)\n"
           "  local args, arrays = {unpack(op.args)}, 0\n"
           "  if #args > 4 then return end\n"
           "  for i, name in ipairs(op.operands) do\n"
           "    if _G[name] and (i == 1 or done % 2 == 0) then\n"
           "      arrays = arrays + 1\n"
           "      local is_soa, soa = pcall(_G[name].soa, 3)\n"
           "      args[i] = done % 3 == 0 and is_soa and soa or _G[name].array(3)\n"
           "      for k = 1, 3 do args[i][k] = op.args[i] end\n"
           "    end\n"
           "  end\n"
           "  if arrays == 0 or #op.results > 1 then return end\n"
           "  local result = op.fn(unpack(args))\n"
           "  assert(#result == 3, op.label)\n"
           "  local one = op.fn(unpack(op.args))\n"
           "  local T, n = struct.typeof(result), #args + 1\n"
           "  args[n] = T.array(3)\n"
           "  assert(rawequal(op.fn(unpack(args, 1, n)), args[n]), op.label)\n"
           "  assert(args[n]:pack() == result:pack(), op.label)\n"
           "  if type(one) == 'boolean' then\n"
           "    assert(result[2] == (one and 1 or 0), op.label)\n"
           "  elseif type(one) == 'number' then\n"
           "    assert(one ~= one or one == result[2] or math.abs(result[2] - one) <= 1e-3 * "
           "math.abs(one), op.label)\n"
           "  else\n"
           "    assert(result[2]:near(one, 1e-3), op.label)\n"
           "  end\n"
           "  free(op.label, call(op.fn, args, n))\n"
           "  done = done + 1\n"
           "end)\n"
           "assert(done > 600, done)\n");
}

static void verbs_of_arrays_allocate_nothing(void **state) {
  (void)state;
  run(EACH
      "local f32, u8, u32 = struct.f32, struct.u8, struct.u32\n"
      "local a, b = vec3.array(100), vec3.array(100)\n"
      "local f, g, mask, idx = f32.array(100), f32.array(100), u8.array(100), u32.array(100)\n"
      "local v, box, m, rot = vec3(1, 2, 3), aabb(), mat4.identity, quat.identity\n"
      "for i = 1, 100 do idx[i], mask[i] = i, 1 end\n"
      "local places, view = u32.array(100), a:at(1)\n"
      "local t = {1, 2, 3}\n"
      "local soa, soa2 = vec3.soa(100), vec3.soa(100)\n"
      "for name, f in pairs{\n"
      "  sum = function() a:sum(v) end, mean = function() a:mean(v) end,\n"
      "  aabb = function() a:aabb(box) end, argmin = function() return f:argmin() end,\n"
      "  total = function() return f:sum(), f:mean() end,\n"
      "  masks = function() return mask:any(), mask:all(), mask:count() end,\n"
      "  lt = function() f:lt(g, mask) f:ge(2, mask) end,\n"
      "  band = function() mask:band(mask, mask) mask:bnot(mask) mask:bnot(mask) end,\n"
      "  transform = function() a:transform(m, b) a:transform_direction(rot, b) end,\n"
      "  table = function() a:add(t, b) a:clamp(t, t, b) end,\n"
      "  mul_add = function() a:mul_add(b, 2, a) a:lerp(b, 0.5, a) a:abs(a) end,\n"
      "  inside = function() a:inside(box, mask) end,\n"
      "  indices = function() mask:eq(mask, mask) mask:indices(places) end,\n"
      "  gather = function() a:gather(idx, b) a:scatter(idx, b) a:scatter(idx, v) end,\n"
      "  select = function() mask:eq(mask, mask) a:select(mask, b) end,\n"
      "  columns = function() soa:add(soa2, soa) soa:add(a, soa2) a:add(soa, a) soa:sum(v) end,\n"
      "  at = function() a:at(7, view) a:set(3, 1, 2, 3) return a:get(4) end,\n"
      "  pass = function() for i, x, y, z in a:each() do end end,\n"
      "  soapass = function() for i, x, y, z in soa:each() do end soa:set(2, 1, 2, 3) end,\n"
      "} do free(name, f) end\n");
}

static void a_pass_over_a_million_elements_allocates_nothing(void **state) {
  (void)state;
  run("local n = 1000000\n"
      "local a = vec3.array(n)\n"
      "local view, dst, sum = a:at(1), vec3(), 0\n"
      "local function pass()\n"
      "  for i, x, y, z in a:each() do sum = sum + z end\n"
      "  for i = 1, n do a:at(i, view) end\n"
      "  a:add(1, a) a:sum(dst)\n"
      "end\n"
      "local blocks, size = cost(1, pass)\n"
      "assert(blocks == 0 and size == 0)\n"
      "assert(dst.x == dst.z and dst.x >= 9 * n)\n");
}

static void storage_is_the_elements_and_the_pad(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  for (int n = 0; n < 300; n += 7) {
    int64_t before = pl_mem_stats().bytes;
    struct pl_bytes *bytes = pl_bytes_new((size_t)n * 12);
    assert_non_null(bytes);
    assert_int_equal(bytes->cap, n * 12);
    size_t room = (size_t)(pl_mem_stats().bytes - before);
    assert_true(room <= (size_t)n * 12 + PL_BYTES_PAD + PL_BYTES_ALIGN + sizeof *bytes + 64);
    pl_bytes_unref(bytes);
  }
  bench_close(&b);
  run("local before = select(2, cost(1, function() end))\n"
      "assert(before == 0)\n"
      "local blocks = cost(3, function() return vec3.array(1000) end)\n"
      "assert(blocks == 2)\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ops_into_dst_allocate_nothing),
      cmocka_unit_test(ops_in_place_allocate_nothing_and_give_the_same),
      cmocka_unit_test(new_results_are_one_block_each),
      cmocka_unit_test(tables_as_operands_allocate_nothing),
      cmocka_unit_test(ops_over_arrays_into_dst_allocate_nothing),
      cmocka_unit_test(verbs_of_arrays_allocate_nothing),
      cmocka_unit_test(a_pass_over_a_million_elements_allocates_nothing),
      cmocka_unit_test(storage_is_the_elements_and_the_pad),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
