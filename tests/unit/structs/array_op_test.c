// Verbs on whole arrays: the one rule of dst, in place, operators, operands of every kind, what is
// told of wrong ones.
#include "struct_bench.h"

#define LIST                                                              \
  "local function list(a)\n"                                              \
  "  local t = {}\n"                                                      \
  "  for i, x, y, z in a:each() do\n"                                     \
  "    for _, c in ipairs{x, y, z} do t[#t + 1] = ('%g'):format(c) end\n" \
  "  end\n"                                                               \
  "  return table.concat(t, ' ')\n"                                       \
  "end\n"                                                                 \
  "local f32, f64, u8, u32 = struct.f32, struct.f64, struct.u8, struct.u32\n"

static void results_go_to_dst_or_are_new(void **state) {
  (void)state;
  bench_expect(LIST
               "local a, b = vec3.array{{1, 2, 3}, {4, 5, 6}}, vec3.array{{1, 1, 1}, {2, 2, 2}}\n"
               "local c = a:add(b)\n"
               "log(list(c), list(a))\n"
               "local dst = vec3.array(2)\n"
               "log(rawequal(a:add(b, dst), dst), list(dst), rawequal(vec3.add(a, b, dst), dst))\n"
               "log(rawequal(a:sub(b, a), a), list(a), rawequal(b:sub(a, a), a), list(a))\n"
               "log(list(a:neg()), list(a:mul(2, a)), rawequal(a:add(b, nil), a))\n",
               "2 3 4 6 7 8 1 2 3 4 5 6\n"
               "true 2 3 4 6 7 8 true\n"
               "true 0 1 2 2 3 4 true 1 0 -1 0 -1 -2\n"
               "-1 -0 1 -0 1 2 2 0 -2 0 -2 -4 false\n"
               "done\n");
}

static void operators_are_the_verbs(void **state) {
  (void)state;
  bench_expect(LIST
               "local a, b = vec3.array{{1, 2, 3}, {4, 5, 6}}, vec3.array{{1, 1, 1}, {2, 2, 2}}\n"
               "log(list(a + b), list(a - b), list(a * b), list(a / b), list(-a))\n"
               "log(list(a * 2), list(a + vec3(1, 0, 0)), list(a + {0, 0, 1}))\n"
               "log(list(2 * a), list(1 + a), list(10 - a), list(60 / a))\n"
               "log(list(vec3(1, 1, 1) - a), list({1, 1, 1} - a))\n"
               "local f = f32.array{1, 2, 4}\n"
               "log(list(1 - f), list(8 / f), list(f / 2), list(3 + f), list(2 * f))\n",
               "2 3 4 6 7 8 0 1 2 2 3 4 1 2 3 8 10 12 1 2 3 2 2.5 3 -1 -2 -3 -4 -5 -6\n"
               "2 4 6 8 10 12 2 2 3 5 5 6 1 2 4 4 5 7\n"
               "2 4 6 8 10 12 2 3 4 5 6 7 9 8 7 6 5 4 60 30 20 15 12 10\n"
               "0 -1 -2 -3 -4 -5 0 -1 -2 -3 -4 -5\n"
               "0 -1 -3 8 4 2 0.5 1 2 4 5 7 2 4 8\n"
               "done\n");
}

static void masks_are_combined(void **state) {
  (void)state;
  bench_expect(LIST
               "local f = f32.array{1, 2, 3, 4}\n"
               "local low, even = f:lt(3), u8.array{0, 1, 0, 1}\n"
               "log(list(low & even), list(low | even), list(~low), list(~(low & even)))\n"
               "log((low & even):count(), low:any(), low:all(), (~low & low):any())\n"
               "log(list(f:ge(2)), list(f:eq(2)), list(f:ne(f)), list(f:le(f)), list(f:gt(3)))\n"
               "local dst = u8.array(4)\n"
               "log(rawequal(f:lt(2, dst), dst), list(dst), list(low:band(even, low)))\n",
               "0 1 0 0 1 1 0 1 0 0 1 1 1 0 1 1\n"
               "1 true false false\n"
               "0 1 1 1 0 1 0 0 0 0 0 0 1 1 1 1 0 0 0 1\n"
               "true 1 0 0 0 0 1 0 0\n"
               "done\n");
}

static void destinations_that_overlap_are_as_if_read_first(void **state) {
  (void)state;
  bench_expect(LIST "local a = f32.array{1, 2, 3, 4, 5}\n"
                    "a:slice(1, 4):add(0, a:slice(2, 5))\n"
                    "log(list(a))\n"
                    "a = f32.array{1, 2, 3, 4, 5}\n"
                    "local head, tail = a:slice(1, 4), a:slice(2, 5)\n"
                    "log(rawequal(head:add(tail, head), head), list(a))\n"
                    "a = f32.array{1, 2, 3, 4, 5}\n"
                    "log(rawequal(tail:add(head, tail), tail))\n"
                    "a:slice(1, 4):add(a:slice(2, 5), a:slice(2, 5))\n"
                    "log(list(a))\n"
                    "local b = struct.bytes(40)\n"
                    "local odd, even = f32.array(b, 0, 5, 8), f32.array(b, 4, 5, 8)\n"
                    "odd:add(1, odd) odd:add(1, even)\n"
                    "log(list(odd), list(even))\n"
                    "local rays = ray.array{{{1, 2, 3}, {1, 0, 0}}, {{4, 5, 6}, {0, 1, 0}}}\n"
                    "local o, d = rays:field'origin', rays:field'direction'\n"
                    "o:add(d, o)\n"
                    "log(list(o), list(d), cost(9, function() o:add(d, o) end))\n"
                    "local c = vec3.soa{{1, 2, 3}, {4, 5, 6}}\n"
                    "c:slice(1, 1):add(1, c:slice(2, 2))\n"
                    "log(list(c))\n"
                    "c:field'x':add(10, c:field'y')\n"
                    "log(list(c))\n",
               "1 1 2 3 4\n"
               "true 3 5 7 9 5\n"
               "true\n"
               "1 3 5 7 9\n"
               "1 1 1 1 1 2 2 2 2 2\n"
               "2 2 3 4 6 6 1 0 0 0 1 0 0 0\n"
               "1 2 3 2 3 4\n"
               "1 11 3 2 12 4\n"
               "done\n");
}

static void reductions_give_values(void **state) {
  (void)state;
  bench_expect(LIST "local a = vec3.array{{1, 2, 3}, {4, 5, 9}}\n"
                    "log(a:sum(), a:mean(), a:aabb().max, f32.array{3, 1, 2}:argmin())\n"
                    "local v, box = vec3(), aabb()\n"
                    "log(rawequal(a:sum(v), v), v, rawequal(a:aabb(box), box), box.min)\n"
                    "log(rawequal(a:sum(a[1]), a[1]), list(a))\n"
                    "log(fails(a.sum, a, vec2()))\n"
                    "log(fails(a.sum, a, vec3():freeze()))\n"
                    "log(fails(f32.array(3).sum, f32.array(3), 1))\n"
                    "log(fails(f32.array(3).argmax, f32.array(3), f32.array(3)))\n"
                    "log(#vec3.array(0):add(1), vec3.array(0):sum(), f32.array(0):mean() ~= 1)\n",
               "vec3(5, 7, 12) vec3(2.5, 3.5, 6) vec3(4, 5, 9) 2\n"
               "true vec3(5, 7, 12) true vec3(1, 2, 3)\n"
               "false 5 7 12 4 5 9\n"
               "bad argument #2 to '?' (dst must be a vec3)\n"
               "this vec3 is frozen: it cannot be changed (clone it)\n"
               "bad argument #2 to '?' (the result is a number: there is no dst)\n"
               "bad argument #2 to '?' (the result is a number: there is no dst)\n"
               "0 vec3(0, 0, 0) true\n"
               "done\n");
}

static void operands_may_be_derived_or_of_numbers(void **state) {
  (void)state;
  bench_expect(LIST
               "local Big = struct.define('Big', 'tag:u8[300]', {base = vec3})\n"
               "local Heavy = struct.define('Heavy', 'mass:f32', {base = vec3})\n"
               "local big = Big.array(2)\n"
               "big[1] = {x = 3, y = 4} big[2] = {z = 2}\n"
               "log(list(vec3.length(big)), list(vec3.normalize(big)))\n"
               "local heavy = Heavy.soa{{1, 2, 3, 9}, {4, 5, 6, 9}}\n"
               "log(list(vec3.length2(heavy)), list(vec3.array(heavy)), list(vec3.soa(big)))\n"
               "log(list(heavy:length2()), list(heavy + heavy), heavy:sum(), heavy[1] + heavy[2])\n"
               "heavy:add(heavy, heavy) heavy:slice(1, 1):mul(2, heavy:slice(1, 1))\n"
               "log(list(heavy), list(heavy:field'mass'))\n"
               "log(list(vec3.array{{1, 1, 1}, {1, 1, 1}}:distance(big)))\n"
               "log(list(vec3.array(2):lerp({1, 2, 3}, f32.array{0.5, 1})))\n"
               "log(list(vec3.array{{1, 2, 3}, {4, 5, 6}}:mul(f32.array{2, 3})))\n",
               "5 2 0.6 0.8 0 0 0 1\n"
               "14 77 1 2 3 4 5 6 3 4 0 0 0 2\n"
               "14 77 2 4 6 8 10 12 vec3(5, 7, 9) vec3(5, 7, 9)\n"
               "4 8 12 8 10 12 9 9\n"
               "3.74166 1.73205\n"
               "0.5 1 1.5 1 2 3\n"
               "2 4 6 12 15 18\n"
               "done\n");
}

#define SHOW "local function show(a) return table.concat(a:totable(), ' ') end\n"

static void every_verb_of_floats_is_there(void **state) {
  (void)state;
  bench_expect(
      SHOW
      "local a = struct.f32.array{-1.5, 0.5, 2.25}\n"
      "log(show(a:floor())) log(show(a:ceil())) log(show(a:round())) \n"
      "log(show(a:abs():sqrt():round()), show(a:lerp_unclamped(a:neg(), 2)))\n"
      "local P = struct.define('P', 'lon:f64 lat:f64 up:f64')\n"
      "local p = P.array{{3, 0, 4}, {0, 0, 2}}\n"
      "log(show(p:length()), show(p:length2()), show(p:dot(p)), show(p:distance(P(0, 0, 1))))\n"
      "log(p:normalize()[2], p:cross(P(1, 0, 0))[1])\n"
      "log(dvec3.array{{1.5, -0.5, 2}}:round()[1], fails(a.cross, a, a))",
      "-2.0 0.0 2.0\n"
      "-1.0 1.0 3.0\n"
      "-1.0 1.0 2.0\n"
      "1.0 1.0 2.0 4.5 -1.5 -6.75\n"
      "5.0 2.0 25.0 4.0 25.0 4.0 4.2426406871193 1.0\n"
      "P(0, 0, 1) P(0, 4, 0)\n"
      "dvec3(2, 0, 2) f32.cross of arrays does not take (f32[], f32[])\n"
      "done\n");
}

static void large_integers_stay_exact(void **state) {
  (void)state;
  bench_expect(SHOW "local max, min = math.maxinteger, math.mininteger\n"
                    "local i = struct.i64.array{max, max - 1, min, 0}\n"
                    "log(show(i:sub(max - 1)), show(i:eq(max - 1)), show(i:lt(max)))\n"
                    "log(show(i:clamp(min + 1, max - 2)), show(max + i), show(i:ge(min)))\n"
                    "local u = struct.u64.array{max, 1, 0} log(show(u:add(max)), show(u:eq(max)))\n"
                    "log(show(u:gt(-1)), show(u:sub(-1)))",
               "1 0 -9223372036854775808 -9223372036854775806 0 1 0 0 0 1 1 1\n"
               "9223372036854775805 9223372036854775805 -9223372036854775807 0 "
               "9223372036854775807 9223372036854775807 -1 9223372036854775807 1 1 1 1\n"
               "-2 -9223372036854775808 9223372036854775807 1 0 0\n"
               "1 1 1 -9223372036854775808 2 1\n"
               "done\n");
}

static void enums_are_compared_with_their_own(void **state) {
  (void)state;
  bench_expect(SHOW "local E = struct.enum('E', 'i16', {low = -1, one = 1, two = 2})\n"
                    "local F = struct.enum('F', 'i16', {one = 1})\n"
                    "local e = E.array{E.two, E.low, E.one}\n"
                    "log(show(e:eq(E.low)), show(e:lt(E.one)), show(e:ge(e)), show(e:ne(E(7))))\n"
                    "log(#e:select(e:gt(E.low)), e:eq(E.one):indices()[1])\n"
                    "log(fails(e.eq, e, F.one)) log(fails(e.eq, e, 1)) log(fails(e.add, e, e))\n"
                    "log(fails(e.eq, e, F.array(3)))",
               "0 1 0 0 1 0 1 1 1 1 1 1\n"
               "2 3\n"
               "E.eq of arrays does not take (E[], F)\n"
               "E.eq of arrays does not take (E[], number)\n"
               "E.add of arrays does not take (E[], E[])\n"
               "E.eq of arrays does not take (E[], F[])\n"
               "done\n");
}

static void integer_vectors_have_sums(void **state) {
  (void)state;
  bench_expect("local i = ivec3.array{{1, 2, 3}, {2147483647, -5, 0}}\n"
               "log(i:sum(), i:mean()) log(uvec2.array{{4294967295, 1}, {4294967295, 2}}:sum())",
               "dvec3(2147483648, -3, 3) dvec3(1073741824, -1.5, 1.5)\n"
               "dvec2(8589934590, 3)\n"
               "done\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_go_to_dst_or_are_new),
      cmocka_unit_test(operators_are_the_verbs),
      cmocka_unit_test(masks_are_combined),
      cmocka_unit_test(destinations_that_overlap_are_as_if_read_first),
      cmocka_unit_test(reductions_give_values),
      cmocka_unit_test(operands_may_be_derived_or_of_numbers),
      cmocka_unit_test(every_verb_of_floats_is_there),
      cmocka_unit_test(large_integers_stay_exact),
      cmocka_unit_test(enums_are_compared_with_their_own),
      cmocka_unit_test(integer_vectors_have_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
