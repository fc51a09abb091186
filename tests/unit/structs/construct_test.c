// T(...): every form, what is refused, and where the message points to.
#include "structs/construct.h"

#include "struct_bench.h"

static void every_form_makes_a_value(void **state) {
  (void)state;
  bench_expect(
      "log(vec3(), vec3(1, 2, 3), vec3{1, 2, 3}, vec3{x = 1, z = 3}, vec3(vec3(4, 5, 6)))\n"
      "log(vec4(vec3(1, 2, 3), 4), vec4(1, vec2(2, 3), 4), vec4(vec2(1, 2), vec2(3, 4)))\n"
      "log(ray(1, 2, 3, 4, 5, 6), ray({1, 2, 3}, vec3(4, 5, 6)), ray{direction = {0, 0, 1}})\n"
      "log(ray{{1, 2, 3}, {4, 5, 6}}, ray{1, 2, 3, 4, 5, 6}, ray(vec3(1, 2, 3), 4, 5, 6))\n"
      "log(dvec3(vec3(1, 2, 3)), vec2(ivec2(1, 2)), ivec2(vec2(1, 2)))\n"
      "log(mat3(1, 2, 3, 4, 5, 6, 7, 8, 9).columns[2], mat3{1, 2, 3, 4, 5, 6, 7, 8, 9})\n"
      "log(mat3{columns = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}},\n"
      "  mat3(vec3(1, 2, 3), {4, 5, 6}, 7, 8, 9))\n"
      "log(segment(ray(1, 2, 3, 4, 5, 6)), vec3.at(bytes(string.pack('<fff', 1, 2, 3))))",
      "vec3(0, 0, 0) vec3(1, 2, 3) vec3(1, 2, 3) vec3(1, 0, 3) vec3(4, 5, 6)\n"
      "vec4(1, 2, 3, 4) vec4(1, 2, 3, 4) vec4(1, 2, 3, 4)\n"
      "ray(vec3(1, 2, 3), vec3(4, 5, 6)) ray(vec3(1, 2, 3), vec3(4, 5, 6)) "
      "ray(vec3(0, 0, 0), vec3(0, 0, 1))\n"
      "ray(vec3(1, 2, 3), vec3(4, 5, 6)) ray(vec3(1, 2, 3), vec3(4, 5, 6)) "
      "ray(vec3(1, 2, 3), vec3(4, 5, 6))\n"
      "dvec3(1, 2, 3) vec2(1, 2) ivec2(1, 2)\n"
      "vec3(4, 5, 6) mat3({vec3(1, 2, 3), vec3(4, 5, 6), vec3(7, 8, 9)})\n"
      "mat3({vec3(1, 2, 3), vec3(4, 5, 6), vec3(7, 8, 9)}) "
      "mat3({vec3(1, 2, 3), vec3(4, 5, 6), vec3(7, 8, 9)})\n"
      "segment(vec3(1, 2, 3), vec3(4, 5, 6)) vec3(1, 2, 3)\ndone\n");
}

static void mixed_structs_take_each_field(void **state) {
  (void)state;
  bench_expect(
      "local Kind = struct.enum('Kind', 'u8', {A = 1, B = 2})\n"
      "local Shot = struct.define('Shot', 't:f32 uv:vec2 prim:u32 kind:Kind tag:u8[4] ok:bool')\n"
      "log(Shot(0.5, vec2(1, 2), 7, 'B', 'ab', true))\n"
      "log(Shot(0.5, 1, 2, 7, Kind.A, {1, 2, 3, 4}, false))\n"
      "log(Shot(0.5, {1, 2}, 7, 2, 1, 2, 3, 4, true), Shot())\n"
      "local s = Shot(Shot(0.5, 1, 2, 7, 'A', 'x', true)) log(s, Shot(s:get()))\n"
      "log(Shot(1, 1, 2, 7, 'A', s.tag, true).tag, fails(Shot, 1, 1, 2, 7, 'A', vec3(), true))",
      "Shot(0.5, vec2(1, 2), 7, B, {97, 98, 0, 0}, true)\n"
      "Shot(0.5, vec2(1, 2), 7, A, {1, 2, 3, 4}, false)\n"
      "Shot(0.5, vec2(1, 2), 7, B, {1, 2, 3, 4}, true) "
      "Shot(0, vec2(0, 0), 0, Kind(0), {0, 0, 0, 0}, false)\n"
      "Shot(0.5, vec2(1, 2), 7, A, {120, 0, 0, 0}, true) "
      "Shot(0.5, vec2(1, 2), 7, A, {120, 0, 0, 0}, true)\n"
      "{120, 0, 0, 0} Shot.tag[4]: true is no u8\ndone\n");
}

static void wrong_counts_are_errors(void **state) {
  (void)state;
  bench_expect(
      "log(fails(vec3, 1)) log(fails(vec3, 1, 2)) log(fails(vec3, 1, 2, 3, 4))\n"
      "log(fails(vec4, vec3())) log(fails(vec3, vec4())) log(fails(vec3, vec3(), 1))\n"
      "log(fails(ray, vec3())) log(fails(ray, vec3(), vec4())) log(fails(ray, 1, vec3()))\n"
      "log(fails(vec3, {1})) log(fails(vec3, {1, 2, 3, 4})) log(fails(vec3, {}, {}))\n"
      "log(fails(mat3, {1, 2, 3}))",
      "vec3.y: a value is missing: 1 given, vec3 takes 3 numbers\n"
      "vec3.z: a value is missing: 2 given, vec3 takes 3 numbers\n"
      "vec3: too many values: it takes 3 numbers\n"
      "vec4.w: a value is missing: 1 given, vec4 takes 4 numbers\n"
      "vec3: too many values: it takes 3 numbers\n"
      "vec3: too many values: it takes 3 numbers\n"
      "ray.direction.x: a value is missing: 1 given, ray takes 6 numbers\n"
      "ray: too many values: it takes 6 numbers\n"
      "ray.direction.y: a value is missing: 2 given, ray takes 6 numbers\n"
      "vec3: vec3 has 3 fields, not 1\nvec3: vec3 has 3 fields, not 4\n"
      "vec3.x: a number is expected, not table\n"
      "mat3: mat3 has 1 fields, not 3\ndone\n");
}

// D7, S34: every kind of value in every place.
static void any_value_is_an_error_or_a_value(void **state) {
  (void)state;
  bench_expect(
      "local things = {1, 0.5, 'x', '1', true, {}, print, forged, io.stdout, vec2(), vec3, ray(),\n"
      "  bytes 'abcdefghijkl', vec3.array(2), coroutine.create(print), 0/0, 1/0, math.mininteger,\n"
      "  mat3().columns, setmetatable({}, {__index = function() error 'called' end})}\n"
      "local T = struct.define('T', 'a:i16 b:f16 c:vec2 d:u8[2] e:bool f:dec128')\n"
      "for _, make in pairs {vec3, ray, hit, T, color8, mat3} do\n"
      "  for _, a in pairs(things) do pcall(make, a) for _, b in pairs(things) do\n"
      "    pcall(make, a, b) for _, c in pairs(things) do pcall(make, a, b, c) end end end end\n"
      "for _, a in pairs(things) do for _, name in pairs {'a', 'b', 'c', 'd', 'e', 'f'} do\n"
      "  pcall(T, {[name] = a}) local t = T() pcall(function() t[name] = a end) end end\n"
      "log(fails(vec3, nil)) log(fails(vec3, 1, nil, 3)) log(fails(vec3, 1, '2', 3))\n"
      "log(fails(ivec2, 1, 0.5)) log(fails(color8, 1, 2, 256, 4)) log(fails(vec3, 1, 1e300, 3))\n"
      "log(vec3(1/0, -1/0, 1))",
      "vec3.x: a number is expected, not nil\nvec3.y: a number is expected, not nil\n"
      "vec3.y: '2' is no f32\nivec2.y: 0.5 is no integer, which i32 is: -2147483648 to "
      "2147483647\ncolor8.b: 256 is out of range for u8: 0 to 255\n"
      "vec3.y: 1e300 is too large for f32: at most 3.4028234663852886e+38\n"
      "vec3(inf, -inf, 1)\ndone\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_form_makes_a_value),
    cmocka_unit_test(mixed_structs_take_each_field),
    cmocka_unit_test(wrong_counts_are_errors),
    cmocka_unit_test(any_value_is_an_error_or_a_value),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
