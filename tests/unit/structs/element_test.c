// Elements in and out of arrays, as structs, as numbers, in rows and in columns; all or nothing.
#include "struct_bench.h"

static void elements_are_stored_whole_or_not(void **state) {
  (void)state;
  bench_expect("for _, a in ipairs{vec3.array{{1, 2, 3}}, vec3.soa{{1, 2, 3}}} do\n"
               "  log(fails(a.set, a, 1, 9, 9, 'x'), select(2, a:get(1)))\n"
               "  log(fails(a.set, a, 1, 9, 1e300, 9), (a:get(1)))\n"
               "  log(fails(a.set, a, 1, 9, 9))\n"
               "  log(fails(a.set, a, 1, 9, 9, 9, 9))\n"
               "  log(fails(a.set, a, 2, 9, 9, 9))\n"
               "  log(fails(function() a[1] = {9, 9, 'x'} end), (a:get(1)))\n"
               "  a:set(1, 7, 8, -(0/0))\n"
               "  log(a:get(1) == 7, select(2, a:get(1)))\n"
               "end\n"
               "local b = struct.bytes(4):fill(7)\n"
               "log(fails(b.set, b, 'u8', 0, 1, 2, 256), b:get('u8', 0))\n"
               "local Big = struct.define('Big', 'a:f32[70] k:u8')\n"
               "local big, numbers = Big.array(1), {}\n"
               "for i = 1, 71 do numbers[i] = i end\n"
               "big:set(1, table.unpack(numbers))\n"
               "numbers[71] = 256 numbers[1] = 99\n"
               "log(fails(big.set, big, 1, table.unpack(numbers)), (big:get(1)))\n",
               "vec3.z: 'x' is no f32 2.0 3.0\n"
               "vec3.y: 1e300 is too large for f32: at most 3.4028234663852886e+38 1.0\n"
               "vec3 takes 3 numbers, not 2\n"
               "vec3 takes 3 numbers, not 4\n"
               "bad argument #2 to '?' (index 2 is outside 1..1)\n"
               "vec3[1].z: 'x' is no f32 1.0\n"
               "true 8.0 nan\n"
               "vec3.z: 'x' is no f32 2.0 3.0\n"
               "vec3.y: 1e300 is too large for f32: at most 3.4028234663852886e+38 1.0\n"
               "vec3 takes 3 numbers, not 2\n"
               "vec3 takes 3 numbers, not 4\n"
               "bad argument #2 to '?' (index 2 is outside 1..1)\n"
               "vec3[1].z: 'x' is no f32 1.0\n"
               "true 8.0 nan\n"
               "u8: 256 is out of range for u8: 0 to 255 7\n"
               "Big.k: 256 is out of range for u8: 0 to 255 1.0\n"
               "done\n");
}

static void columns_take_what_lies_across_them(void **state) {
  (void)state;
  bench_expect("local c = vec3.soa{{1, 2, 3}, {4, 5, 6}}\n"
               "local b = c:bytes()\n"
               "c[2] = vec3.at(b, 8)\n"
               "log(c:get(2)) log(b:get('f32', 0, 6))\n"
               "c = vec2.soa(2) c[1] = vec2.at(c:bytes(), 2) c[2] = c[1] log(c[2])\n",
               "2.0 5.0 3.0\n"
               "1.0 2.0 2.0 5.0 3.0 3.0\n"
               "vec2(0, 0)\n"
               "done\n");
}

static void derived_elements_are_cut_to_their_base(void **state) {
  (void)state;
  bench_expect("local Mass = struct.define('Mass', 'kg:f32', {base = vec3})\n"
               "local a = vec3.array(1)\n"
               "a[1] = Mass(1, 2, 3, 4)\n"
               "log(a[1], fails(function() Mass.array(1)[1] = vec3() end))\n"
               "local m = Mass.array(2)\n"
               "log(#m:length(), m:normalize()[1], fails(function() return m:nothing() end))\n",
               "vec3(1, 2, 3) Mass[1]: Mass or a table is expected, not vec3\n"
               "2 vec3(0, 0, 0) Mass[] has no method 'nothing'\n"
               "done\n");
}

static void mixed_elements_are_read_as_numbers(void **state) {
  (void)state;
  bench_expect(
      "local Kind = struct.enum('Kind', 'u8', {A = 1, B = 2})\n"
      "local Item = struct.define('Item', 'kind:Kind price:dec128 at:vec2 tags:u16[2] ok:bool')\n"
      "local a = Item.array(2)\n"
      "a:set(2, 'B', '1.50', 3, 4, 5, 6, true)\n"
      "log(a:get(2)) log(a:get(1))\n"
      "for i, kind, price in a:each() do log(i, kind, price) end\n"
      "local Wide = struct.define('Wide', 'a:u8[250]')\n"
      "log(fails(Wide.array(1).get, Wide.array(1), 1))\n",
      "B 1.50 3.0 4.0 5 6 true\n"
      "Kind(0) 0 0.0 0.0 0 0 false\n"
      "1 Kind(0) 0\n"
      "2 B 1.50\n"
      "Wide has 250 numbers, more than a call can return\n"
      "done\n");
}

static void a_loop_over_views_takes_arrays_of_its_type_alone(void **state) {
  (void)state;
  bench_expect("local f, s, i = mat4.array(1):views()\n"
               "log(fails(f, struct.u8.array(1), 0))\n"
               "log(fails(f, mat4.soa(1), 0))\n"
               "log(fails(f, forged, 0), fails(f, s, 'x'))\n"
               "log(f(mat4.array(3), 2), f(mat4.array(3), 3), f(s, math.mininteger), f(s, -1))\n"
               "local g = mat4.array(0):views()\n"
               "log(pcall(g, mat4.array(2), 0))\n",
               "bad argument #1 to '?' (mat4[] expected, got u8[])\n"
               "mat4[] in columns has no element in one piece to view: use get and set\n"
               "bad argument #1 to '?' (mat4[] expected, got light userdata) bad argument #2 to "
               "'?' (number expected, got string)\n"
               "3 nil nil\n"
               "true\n"
               "done\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elements_are_stored_whole_or_not),
      cmocka_unit_test(columns_take_what_lies_across_them),
      cmocka_unit_test(derived_elements_are_cut_to_their_base),
      cmocka_unit_test(mixed_elements_are_read_as_numbers),
      cmocka_unit_test(a_loop_over_views_takes_arrays_of_its_type_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
