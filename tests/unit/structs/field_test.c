// Tables and values into bytes and back: ranges, paths, what a table may have in it.
#include "structs/field.h"

#include "struct_bench.h"

// S27.
static void tables_are_laid_into_structs(void **state) {
  (void)state;
  bench_expect(
      "local P = struct.define('P', 'a:vec2 b:i16[3] c:ray[2] d:u8[4] e:f64')\n"
      "local p = P{a = {1, 2}, b = {1, 2, 3}, c = {{}, {origin = {x = 1}}}, d = 'hi', e = 5}\n"
      "log(p) p.b = {4, 5, 6} p.c = {{{1, 2, 3}, {4, 5, 6}}, ray()} p.d = '' log(p)\n"
      "log(P{{1, 2}, {1, 2, 3}, {ray(), ray()}, {1, 2, 3, 4}, 6})\n"
      "log(P{d = bytes 'abcd'}.d, P{d = struct.u8.array{1, 2, 3, 4}}.d, P{d = p.d}.d)",
      "P(vec2(1, 2), {1, 2, 3}, {ray(vec3(0, 0, 0), vec3(0, 0, 0)), ray(vec3(1, 0, 0), "
      "vec3(0, 0, 0))}, {104, 105, 0, 0}, 5)\n"
      "P(vec2(1, 2), {4, 5, 6}, {ray(vec3(1, 2, 3), vec3(4, 5, 6)), ray(vec3(0, 0, 0), "
      "vec3(0, 0, 0))}, {0, 0, 0, 0}, 5)\n"
      "P(vec2(1, 2), {1, 2, 3}, {ray(vec3(0, 0, 0), vec3(0, 0, 0)), ray(vec3(0, 0, 0), "
      "vec3(0, 0, 0))}, {1, 2, 3, 4}, 6)\n"
      "{97, 98, 99, 100} {1, 2, 3, 4} {0, 0, 0, 0}\ndone\n");
}

// What a table leaves out is 0, whatever stood there and on the C stack.
static void what_is_left_out_becomes_zero(void **state) {
  (void)state;
  bench_expect("local P = struct.define('P', 'a:vec3 b:ray@16 c:u8[4]') local p = P()\n"
               "for i = 1, 3 do p.a, p.b = {7, 7, 7}, {{7, 7, 7}, {7, 7, 7}} p.c = {7, 7, 7, 7}\n"
               "  p.a, p.b, p.c = {y = 1}, {direction = {z = 2}}, 'x' end\n"
               "log(p, p:pack() == P{a = {y = 1}, b = {direction = {z = 2}}, c = 'x'}:pack())\n"
               "p:set(P({7, 7, 7}, ray(7, 7, 7, 7, 7, 7), 'zzzz')) p:set{c = 'y'} log(p)",
               "P(vec3(0, 1, 0), ray(vec3(0, 0, 0), vec3(0, 0, 2)), {120, 0, 0, 0}) true\n"
               "P(vec3(0, 0, 0), ray(vec3(0, 0, 0), vec3(0, 0, 0)), {121, 0, 0, 0})\n"
               "done\n");
}

static void messages_name_the_path(void **state) {
  (void)state;
  bench_expect(
      "struct.define('H', 't:f32 n:vec3 k:u8') local S = struct.define('S', 'name:u8[2] "
      "hits:H[3]')\n"
      "log(fails(S, {hits = {{}, {}, {t = 'x'}}})) log(fails(S, {hits = {{}, {n = {1, true, 3}}, "
      "{}}}))\n"
      "log(fails(S, {hits = {{}, {k = -1}, {}}})) log(fails(S, {hits = {{}, {q = 1}, {}}}))\n"
      "log(fails(S, {hits = {{}}})) log(fails(S, {hits = 5})) log(fails(S, {name = 'abc'}))\n"
      "log(fails(S, {hits = {{}, vec3(), {}}})) log(fails(S, {hits = {{}, 'x', {}}}))\n"
      "log(fails(S, {hit = {}})) log(fails(S, {1})) log(fails(S, {[0] = 1})) log(fails(S, {[{}] = "
      "1}))\n"
      "log(fails(vec3, {1, 2, 3, x = 1})) log(fails(vec3, {1, 2, x = 1}))\n"
      "log(fails(S, {hits = {{}, {n = {1, 2}}, {}}})) log(fails(vec3, {1, 2, 'z'}))\n"
      "local s = S() log(fails(function() s.hits[2].n.x = 'a' end))\n"
      "log(fails(function() s.hits[2] = {k = 300} end)) log(fails(function() s.hits[4] = {} end))",
      "S.hits[3].t: 'x' is no f32\nS.hits[2].n.y: true is no f32\n"
      "S.hits[2].k: -1 is out of range for u8: 0 to 255\nS.hits[2]: H has no field 'q' (did you "
      "mean 't'?)\n"
      "S.hits: 3 elements are expected (H[3]), not 1\nS.hits: a list of 3 H is expected, not "
      "number\n"
      "S.name: 2 elements are expected (u8[2]), not 3\n"
      "S.hits[2]: H or a table is expected, not vec3\n"
      "S.hits[2]: H or a table is expected, not string\n"
      "S: S has no field 'hit' (did you mean 'hits'?)\nS: S has 2 fields, not 1\n"
      "S: S takes its fields by name or by position, not by a key that is a number\n"
      "S: S takes its fields by name or by position, not by a key that is a table\n"
      "vec3: vec3 takes its fields by name or by position, not both\n"
      "vec3: vec3 takes its fields by name or by position, not both\n"
      "S.hits[2].n: vec3 has 3 fields, not 2\nvec3.z: 'z' is no f32\n"
      "vec3.x: 'a' is no f32\nH.k: 300 is out of range for u8: 0 to 255\n"
      "H[3] takes an index from 1 to 3\ndone\n");
}

static void a_failed_write_changes_nothing(void **state) {
  (void)state;
  bench_expect("local r = ray(1, 2, 3, 4, 5, 6) log(fails(function() r.origin = {9, 9, 'x'} end))\n"
               "log(r, fails(r.set, r, 9, 9, 9, 9, 9, 'x'), r)\n"
               "local P = struct.define('P', 'v:ray[20]') local p = P()\n"
               "local list = {} for i = 1, 19 do list[i] = r end list[20] = {origin = 1}\n"
               "log(fails(function() p.v = list end), p.v[1])\n"
               "log(fails(p.set, p, {v = list}), p.v[1])",
               "ray.origin.z: 'x' is no f32\n"
               "ray(vec3(1, 2, 3), vec3(4, 5, 6)) ray.direction.z: 'x' is no f32 "
               "ray(vec3(1, 2, 3), vec3(4, 5, 6))\n"
               "P.v[20].origin: vec3 or a table is expected, not number "
               "ray(vec3(0, 0, 0), vec3(0, 0, 0))\n"
               "P.v[20].origin: vec3 or a table is expected, not number "
               "ray(vec3(0, 0, 0), vec3(0, 0, 0))\ndone\n");
}

// S27: rawget.
static void tables_are_read_without_metamethods(void **state) {
  (void)state;
  bench_expect("local called = 0\n"
               "local mt = {__index = function() called = called + 1 return 1 end,\n"
               "  __len = function() called = called + 1 return 3 end,\n"
               "  __pairs = function() called = called + 1 return next, {x = 1} end}\n"
               "log(vec3(setmetatable({}, mt)), vec3(setmetatable({y = 2}, mt)), called)",
               "vec3(0, 0, 0) vec3(0, 2, 0) 0\ndone\n");
}

// S4, S6: thirteen kinds, at any offset, never beyond their struct.
static void scalars_keep_their_ranges(void **state) {
  (void)state;
  bench_expect(
      "for _, row in ipairs {{'i8', -128, 127}, {'u8', 0, 255}, {'i16', -32768, 32767},\n"
      "  {'u16', 0, 65535}, {'i32', -2^31, 2^31 - 1}, {'u32', 0, 2^32 - 1},\n"
      "  {'i64', math.mininteger, math.maxinteger}} do local name, low, high = table.unpack(row)\n"
      "  local T = struct.define('T' .. name, 'p:u8 v:' .. name .. ' q:u8') local t = T()\n"
      "  for _, v in ipairs {low, high, 0, 1} do t.v = v assert(t.v == v and t.p == 0 and t.q == "
      "0)\n"
      "    assert(math.type(t.v) == 'integer') end\n"
      "  if name ~= 'i64' then fails(T, 0, low - 1, 0) fails(T, 0, high + 1, 0) end\n"
      "  for _, v in ipairs {0.5, 0/0, 1/0, -1/0, 2^63, -2^64, 'x', '', {}, true} do\n"
      "    fails(T, 0, v, 0) end end\n"
      "local U = struct.define('U', 'v:u64 f:f16 b:bool d:dec128') local u = U()\n"
      "for _, v in ipairs {-1, '18446744073709551615'} do u.v = v log(u.v, u) end\n"
      "u.v = 2^63 log(u.v == math.mininteger) u.v = '7' log(u.v) for _, v in ipairs {-1.0, 2^64,\n"
      "  '18446744073709551616', '-1', '1.5', 'ff'} do log(fails(function() u.v = v end)) end\n"
      "u.f = 65504 log(u.f) log(fails(function() u.f = 65520 end)) u.f = 0.1 log(u) u.b = true\n"
      "log(u.b, fails(function() u.b = 1 end)) u.d = '1.10' log(u.d, u) u.d = 2 u.d = u.d * 3\n"
      "log(u.d) log(fails(function() u.d = 'x' end))",
      "-1 U(18446744073709551615, 0, false, 0)\n-1 U(18446744073709551615, 0, false, 0)\n"
      "true\n7\n"
      "U.v: -1.0 is out of range for u64: 0 to 18446744073709551615\n"
      "U.v: 1.8446744073709552e19 is out of range for u64: 0 to 18446744073709551615\n"
      "U.v: '18446744073709551616' is out of range for u64: 0 to 18446744073709551615\n"
      "U.v: '-1' is out of range for u64: 0 to 18446744073709551615\n"
      "U.v: '1.5' is no number for u64\nU.v: 'ff' is no number for u64\n"
      "65504.0\nU.f: 65520 is too large for f16: at most 65504\n"
      "U(7, 0.1, false, 0)\ntrue U.b: 1 is no bool\n1.10 U(7, 0.1, true, 1.10)\n6\n"
      "U.d: 'x' is no number for dec128\ndone\n");
}

static void finite_fields_refuse_the_rest(void **state) {
  (void)state;
  bench_expect(
      "local F = struct.define('F', 'x:f32(finite) y:f64') local f = F()\n"
      "for _, v in ipairs {1/0, -1/0, 0/0} do log(fails(function() f.x = v end))\n"
      "  log(fails(F, v, 1)) log(fails(F, {x = v})) log(fails(f.set, f, v, 1)) f.y = v end\n"
      "F(1, 2) f.x = 1",
      "F.x: inf is not finite, which this f32 has to be\n"
      "F.x: inf is not finite, which this f32 has to be\n"
      "F.x: inf is not finite, which this f32 has to be\n"
      "F.x: inf is not finite, which this f32 has to be\n"
      "F.x: -inf is not finite, which this f32 has to be\n"
      "F.x: -inf is not finite, which this f32 has to be\n"
      "F.x: -inf is not finite, which this f32 has to be\n"
      "F.x: -inf is not finite, which this f32 has to be\n"
      "F.x: nan is not finite, which this f32 has to be\n"
      "F.x: nan is not finite, which this f32 has to be\n"
      "F.x: nan is not finite, which this f32 has to be\n"
      "F.x: nan is not finite, which this f32 has to be\ndone\n");
}

static void derived_values_stand_for_their_base(void **state) {
  (void)state;
  bench_expect(
      "local B = struct.define('B', 'x:f32 y:f32') \n"
      "local D = struct.define('D', 'z:f32', {base = B})\n"
      "local H = struct.define('H', 'b:B n:u8') local d = D(1, 2, 3) log(d, B(d), H(d, 4))\n"
      "local h = H() h.b = d log(h, B.is(d), D.is(B())) B():copy(d)\n"
      "log(fails(function() h.b = vec2() end)) log(fails(D, B()))\n"
      "log(B.get.x(d), B.copy(d, D(7, 8, 9)), fails(D.get.x, B()))",
      "D(1, 2, 3) B(1, 2) H(B(1, 2), 4)\nH(B(1, 2), 0) true false\n"
      "H.b: B or a table is expected, not vec2\n"
      "D.z: a value is missing: 1 given, D takes 3 numbers\n"
      "1.0 D(7, 8, 9) bad argument #1 to '?' (D expected, got B)\ndone\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tables_are_laid_into_structs),
    cmocka_unit_test(what_is_left_out_becomes_zero),
    cmocka_unit_test(messages_name_the_path),
    cmocka_unit_test(a_failed_write_changes_nothing),
    cmocka_unit_test(tables_are_read_without_metamethods),
    cmocka_unit_test(scalars_keep_their_ranges),
    cmocka_unit_test(finite_fields_refuse_the_rest),
    cmocka_unit_test(derived_values_stand_for_their_base),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
