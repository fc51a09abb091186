// Types as scripts see them, and as a state makes them: each once, when it is first needed.
#include "structs/type.h"

#include "struct_bench.h"

static void a_type_tells_about_itself(void **state) {
  (void)state;
  bench_expect(
      "log(vec3.name, vec3.sizeof, #vec3.hash, ray.hash ~= segment.hash, vec3)\n"
      "for _, f in ipairs(struct.define('T', 'a:u8[3] b:vec2@4').fields) do\n"
      "  log(f.name, f.type, f.offset, f.count) end\n"
      "log(vec3.is(vec3()), vec3.is(vec2()), vec3.is(1), vec3.is(vec3), fails(vec3.is))\n"
      "log(struct.typeof(vec3()), struct.typeof(ray().origin), struct.typeof(vec3.array(1)),\n"
      "  struct.typeof(1), struct.typeof(vec3), struct.typeof(io.stdout))\n"
      "log(struct.f32, struct.u8.sizeof, struct.f32(0.1), struct.u8(7.0), struct.bool(true))\n"
      "log(struct.nothing, fails(struct.u8, 300), fails(struct.u8, 1, 2), struct.u8())",
      "vec3 12 16 true vec3\n"
      "a u8 0 3\n"
      "b vec2 4 nil\n"
      "true false false false bad argument #1 to '?' (value expected)\n"
      "vec3 vec3 vec3 nil nil nil\n"
      "f32 1 0.10000000149012 7 true\n"
      "nil u8: 300 is out of range for u8: 0 to 255 u8 takes one value 0\n"
      "done\n");
}

static void unknown_members_are_errors(void **state) {
  (void)state;
  bench_expect(
      "log(fails(function() return vec3.siezof end))\n"
      "log(fails(function() return vec3.foo end)) log(fails(function() return vec3[1] end))\n"
      "log(fails(function() vec3.foo = 1 end)) log(fails(function() return vec3.Up end))\n"
      "for _, thing in pairs {1, 'x', {}, forged, io.stdout, vec3()} do\n"
      "  local m = debug.getmetatable(vec3) for _, f in pairs(m) do\n"
      "    if type(f) == 'function' then fails(f, thing, 1) end end end",
      "vec3 has nothing named 'siezof' (did you mean 'sizeof'?)\n"
      "vec3 has nothing named 'foo'\n"
      "vec3 has nothing by a key that is a number\n"
      "vec3 is a type and cannot be changed: methods go into vec3.methods\n"
      "vec3 has nothing named 'Up' (did you mean 'up'?)\n"
      "done\n");
}

// S21, S22: one frozen instance a state, 0 allocations.
static void constants_are_shared_and_frozen(void **state) {
  (void)state;
  bench_expect(
      "log(vec3.up, rawequal(vec3.up, vec3.up), vec3.up:is_frozen(), vec3.zero == vec3())\n"
      "log(fails(function() vec3.up.x = 1 end)) log(fails(vec3.up.set, vec3.up, 1, 2, 3))\n"
      "log(cost(10000, function() return vec3.up end)) log(vec3.up)",
      "vec3(0, 1, 0) true true true\n"
      "this vec3 is frozen: it cannot be changed (clone it)\n"
      "this vec3 is frozen: it cannot be changed (clone it)\n"
      "0 0\n"
      "vec3(0, 1, 0)\n"
      "done\n");
}

// S35, S13.
static void methods_can_be_added_and_replaced(void **state) {
  (void)state;
  bench_expect(
      "function vec3.methods.double(v) return vec3(v.x * 2, v.y * 2, v.z * 2) end\n"
      "log(vec3(1, 2, 3):double(), vec3.double(vec3(1, 2, 3)), ray({1, 2, 3}, "
      "{}).origin:double())\n"
      "function vec3.methods.clone(v) return 'mine' end log(vec3():clone())\n"
      "vec3.methods.x = function() return 'never' end log(vec3().x)\n"
      "local B = struct.define('B', 'x:f32', {methods = {twice = function(b) return b.x * 2 "
      "end}})\n"
      "local D = struct.define('D', 'y:f32', {base = B}) log(D(3, 4):twice(), D.twice(D(5, 6)))\n"
      "function B.methods.later() return 'later' end log(D():later())\n"
      "function D.methods.twice() return 'own' end log(D():twice(), B(1):twice())\n"
      "function vec3.methods.get() return 'hidden' end log(vec3.get(vec3()), vec3():get())",
      "vec3(2, 4, 6) vec3(2, 4, 6) vec3(2, 4, 6)\n"
      "mine\n"
      "0.0\n"
      "6.0 10.0\n"
      "later\n"
      "own 2.0\n"
      "hidden hidden\n"
      "done\n");
}

// S15.
static void accessors_reach_any_depth(void **state) {
  (void)state;
  bench_expect(
      "local T = struct.define('T', 'r:ray[3] t:u8[4] k:u16') local t = T()\n"
      "local get, set = T.path 'r[2].direction.y' set(t, 5) log(get(t), t.r[2].direction.y)\n"
      "log(T.get.k(t), T.set.k(t, 9), t.k, rawequal(T.get.k, T.get.k))\n"
      "get, set = T.path 't[4]' set(t, 7) log(get(t), t.t, T.path 'r[1].origin'(t), T.get.t(t))\n"
      "log(cost(10000, function() set(t, get(t) + 1 & 7) T.set.k(t, T.get.k(t)) end))\n"
      "local x = vec3.get.x log(x(vec3(4, 5, 6)), x(ray({7, 8, 9}, {}).origin))\n"
      "for _, thing in pairs {1, 'x', {}, forged, io.stdout, vec2(), vec3, vec3.array(1)} do\n"
      "  fails(x, thing) fails(vec3.set.x, thing, 1) end log(fails(x)) log(fails(x, vec2()))\n"
      "log(fails(vec3.set.x, vec3(), 'a')) log(fails(vec3.set.x, vec3()))\n"
      "log(fails(vec3.set.x, vec3.up, 1)) log(fails(set, t, 256)) log(fails(T.path, 'r[2].dir'))\n"
      "for _, path in ipairs {'', 'r.x', 'r[4]', 'r[0]', 'r[x]', 'r[1', 'k.x', 'r[1]x', 'r[1].', "
      "'k[1]',\n"
      "  'r[99999999999999999999]'} do log(fails(T.path, path)) end log(fails(T.path, 1))\n"
      "log(fails(function() return vec3.get.q end))",
      "5.0 5.0\n"
      "0 nil 9 true\n"
      "7 {0, 0, 0, 7} vec3(0, 0, 0) {0, 0, 0, 7}\n"
      "0 0\n"
      "4.0 7.0\n"
      "bad argument #1 to '?' (vec3 expected, got no value)\n"
      "bad argument #1 to '?' (vec3 expected, got vec2)\n"
      "vec3.x: 'a' is no f32\n"
      "bad argument #2 to '?' (value expected)\n"
      "this vec3 is frozen: it cannot be changed (clone it)\n"
      "T.t[4]: 256 is out of range for u8: 0 to 255\n"
      "ray has no field 'dir'\n"
      "T has no field ''\n"
      "path: 'r.x': a field's name is expected at '.x'\n"
      "path: r takes an index from [1] to [3]\n"
      "path: r takes an index from [1] to [3]\n"
      "path: r takes an index from [1] to [3]\n"
      "path: r takes an index from [1] to [3]\n"
      "u16 has no field 'x'\n"
      "path: 'r[1]x': a field's name is expected at 'x'\n"
      "ray has no field ''\n"
      "path: k is no fixed array\n"
      "path: r takes an index from [1] to [3]\n"
      "bad argument #1 to '?' (string expected, got number)\n"
      "vec3 has no field 'q' (did you mean 'x'?)\n"
      "done\n");
}

static void packed_text_is_read(void **state) {
  (void)state;
  bench_expect("local s = vec3(1, 2, 3):pack() .. vec3(4, 5, 6):pack() log(vec3.unpack(s))\n"
               "log(vec3.unpack(s, 13)) log(vec3.unpack(s, -12)) log(vec3.unpack(bytes(s), 13))\n"
               "for _, pos in ipairs {0, 14, 26, -25, math.mininteger, math.maxinteger, 0.5} do\n"
               "  log(fails(vec3.unpack, s, pos)) end\n"
               "log(fails(vec3.unpack, '')) log(fails(vec3.unpack, 1)) log(fails(vec3.unpack))",
               "vec3(1, 2, 3) 13\n"
               "vec3(4, 5, 6) 25\n"
               "vec3(4, 5, 6) 25\n"
               "vec3(4, 5, 6) 25\n"
               "bad argument #2 to '?' (position is outside the data)\n"
               "bad argument #1 to '?' (vec3 takes 12 bytes, at position 14 there are 11)\n"
               "bad argument #2 to '?' (position is outside the data)\n"
               "bad argument #2 to '?' (position is outside the data)\n"
               "bad argument #2 to '?' (position is outside the data)\n"
               "bad argument #2 to '?' (position is outside the data)\n"
               "bad argument #2 to '?' (number has no integer representation)\n"
               "bad argument #1 to '?' (vec3 takes 12 bytes, at position 1 there are 0)\n"
               "bad argument #1 to '?' (string or bytes expected, got number)\n"
               "bad argument #1 to '?' (string or bytes expected, got no value)\n"
               "done\n");
}

// ---- making types ----

static size_t metas(const struct bench *b) {
  return b->fake.vm.structs->meta_count;
}

// D10: nothing is made before it is asked for, and nothing twice.
static void types_are_made_on_first_use(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  const struct pl_layout *layout;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_struct_spec spec = {
      .name = PL_STRV("Late"), .schema = PL_STRV("a:vec3 b:u8[2]"), .align = 1, .where = "here"};
  const struct pl_layout_scope scope = {NULL, NULL};
  assert_int_equal(pl_layouts_define(b.layouts, &spec, &scope, &layout, problem), 0);
  size_t before = metas(&b);
  struct pl_type *type = pl_type_of(b.fake.vm.L, layout);
  assert_int_equal(metas(&b), before + 4);
  assert_ptr_equal(pl_type_of(b.fake.vm.L, layout), type);
  fake_start(&b.fake, "local function f(v) return v.a.x, v.b[1] end log(pcall(f, 1))");
  fake_run(&b.fake);
  assert_int_equal(metas(&b), before + 4);
  pl_value_push_new(b.fake.vm.L, type);
  lua_setglobal(b.fake.vm.L, "late");
  pl_buf_clear(&b.fake.text);
  fake_start(&b.fake, "log(late.a.x, late.b[1], late.b[2], late)");
  fake_run(&b.fake);
  fake_expect(&b.fake, "0.0 0 0 Late(vec3(0, 0, 0), {0, 0})\ndone\n");
  assert_int_equal(metas(&b), before + 9);  // u8 and its rows
  bench_close(&b);
}

// D10, S22: types that speak of each other, a base that is first met through what derives from it.
static void types_may_need_each_other(void **state) {
  (void)state;
  bench_expect(
      "local A = struct.define('A', 'x:f32')\n"
      "A.methods.other = function(a) return struct.define('B', 'a:A')(a) end\n"
      "local B = struct.define('B', 'a:A', {statics = {first = {{7}}},\n"
      "  methods = {inner = function(b) return b.a end}})\n"
      "log(B.first, B.first:is_frozen(), rawequal(B.first, B.first), A(3):other():inner())\n"
      "local C = struct.define('C', 'y:f32', {base = 'A', statics = {one = {x = 1, y = 1}}})\n"
      "log(C.one, C.one:other())",
      "B(A(7)) true true A(3)\n"
      "C(1, 1) B(A(1))\n"
      "done\n");
}

// Memory ends at each allocation in turn: an error, and when there is some again all works.
static void memory_may_be_short(void **state) {
  (void)state;
  static const char script[] =
      "local K = struct.enum('K', 'u8', {A = 1, B = 2}, {flags = true})\n"
      "local T = struct.define('T', {{'v', 'vec3'}, {'k', 'K'}, {'a', 'u8[3]'}, {'d', 'dec128'}},\n"
      "  {methods = {m = print}, statics = {one = {k = 'A'}}}) local t = T(1, 2, 3, 'B', 'abc', "
      "'1.5')\n"
      "t.v.x = 4 local s = tostring(t) .. t:key() .. t.k.name t:totable() t:clone():freeze()\n"
      "T.path 'v.x' (t) t.a[1] = T.get.k(t).value T.unpack(t:pack()) return s, vec3.up, t.v.xz, "
      "t.d + 1\n";
  bool is_done = false;
  for (unsigned n = 1; !is_done; n++) {
    struct bench b;
    bench_open(&b);
    lua_State *L = b.fake.vm.L;
    for (int turn = 0; turn < 2; turn++) {
      b.is_failing = false;
      b.fails_at = 0;
      assert_int_equal(luaL_loadstring(L, script), LUA_OK);
      b.fails_at = turn == 0 ? n : 0;
      int status = lua_pcall(L, 0, 0, 0);
      if (status != LUA_OK && turn == 1) fail_msg("after %u: %s", n, lua_tostring(L, -1));
      if (status != LUA_OK && !strstr(lua_tostring(L, -1), "not enough memory"))
        fail_msg("at %u: %s", n, lua_tostring(L, -1));
      if (turn == 0) is_done = status == LUA_OK;
      lua_settop(L, 0);
    }
    bench_close(&b);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_type_tells_about_itself),
    cmocka_unit_test(unknown_members_are_errors),
    cmocka_unit_test(constants_are_shared_and_frozen),
    cmocka_unit_test(methods_can_be_added_and_replaced),
    cmocka_unit_test(accessors_reach_any_depth),
    cmocka_unit_test(packed_text_is_read),
    cmocka_unit_test(types_are_made_on_first_use),
    cmocka_unit_test(types_may_need_each_other),
    cmocka_unit_test(memory_may_be_short),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
