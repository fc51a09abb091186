// Verbs of single values: dst, in place, operators, overloads, what is told of wrong arguments.
#include "structs/method.h"

#include "struct_bench.h"

static void dst_is_optional_last_and_returned(void **state) {
  (void)state;
  bench_expect("local v, w, d = vec3(1, 2, 3), vec3(4, 5, 6), vec3()\n"
               "log(v:add(w), v, vec3.add(v, w), rawequal(v:add(w, d), d), d)\n"
               "log(rawequal(v:add(w, v), v), v, rawequal(w:sub(v, v), v), v, v:add(1, nil))\n"
               "local m, p = mat4.identity, vec3(1, 2, 3)\n"
               "log(rawequal(m:mul(p, p), p), p)\n"
               "local a = vec3.array(2)\n"
               "log(rawequal(v:add(w, a[1]), a[1]), a[1], rawequal(w:add({1, 1, 1}, w), w), w)\n"
               "local o, n = vec3(2, 0, 0), vec3(3, 4, 0)\n"
               "local x, y = vec3.ortho_normalize(o, n, o)\n"
               "log(o, n)\n",
               "vec3(5, 7, 9) vec3(1, 2, 3) vec3(5, 7, 9) true vec3(5, 7, 9)\n"
               "true vec3(-1, -2, -3) true vec3(-1, -2, -3) vec3(0, -1, -2)\n"
               "true vec3(1, 2, 3)\n"
               "false vec3(3, 3, 3) true vec3(5, 6, 7)\n"
               "vec3(2, 0, 0) vec3(3, 4, 0)\n"
               "done\n");
}

static void operators_are_the_verbs(void **state) {
  (void)state;
  bench_expect(
      "local v, w = vec3(1, 2, 3), vec3(4, 5, 6)\n"
      "log(v + w, v - w, v * w, w / v, -v)\n"
      "log(v + 1, v - 1, v * 2, v / 2, 2 * v, 1 + v, 1 - v, 6 / v)\n"
      "log(v + {1, 1, 1}, {x = 1} - v, {2, 2, 2} * v)\n"
      "log(mat4.identity * v, quat.identity * v, mat3.identity * mat3.identity)\n"
      "log(2 * color8(10, 20, 30, 40) == color8(10, 20, 30, 40) * 2)\n"
      "log((2 * mat4.identity).columns[2].y, fails(function() return 2 * ray() end))\n"
      "log(fails(function() return v + 'x' end))\n"
      "log(fails(function() return v % w end))\n",
      "vec3(5, 7, 9) vec3(-3, -3, -3) vec3(4, 10, 18) vec3(4, 2.5, 2) vec3(-1, -2, -3)\n"
      "vec3(2, 3, 4) vec3(0, 1, 2) vec3(2, 4, 6) vec3(0.5, 1, 1.5) vec3(2, 4, 6) vec3(2, 3, 4) "
      "vec3(0, -1, -2) vec3(6, 3, 2)\n"
      "vec3(2, 3, 4) vec3(0, -2, -3) vec3(2, 4, 6)\n"
      "vec3(1, 2, 3) vec3(1, 2, 3) mat3({vec3(1, 0, 0), vec3(0, 1, 0), vec3(0, 0, 1)})\n"
      "true\n"
      "2.0 attempt to perform arithmetic on a ray value\n"
      "vec3.add does not take (vec3, string); it takes:\n"
      "  vec3 vec3 > vec3\n"
      "  vec3 n > vec3\n"
      "  vec3: n vec3 > vec3\n"
      "attempt to perform arithmetic on a vec3 value (upvalue 'v')\n"
      "done\n");
}

static void derived_values_stand_for_their_base(void **state) {
  (void)state;
  bench_expect("local Mass = struct.define('Mass', 'kg:f32', {base = vec3})\n"
               "local m, n = Mass(1, 2, 3, 9), Mass(4, 5, 6, 8)\n"
               "log(m + n, m + vec3(1, 1, 1), 2 * m, -m, m:length2(), vec3.dot(m, n))\n"
               "log(rawequal(m:add(n, m), m), m, struct.typeof(m + n) == vec3)\n"
               "log(fails(vec3.add, vec3(), vec3(), vec2()))\n",
               "vec3(5, 7, 9) vec3(2, 3, 4) vec3(2, 4, 6) vec3(-1, -2, -3) 14.0 32.0\n"
               "true Mass(5, 7, 9, 9) true\n"
               "bad argument #3 to 'vec3.add' (dst must be a vec3, not vec2(0, 0))\n"
               "done\n");
}

static void every_operand_is_tried_as_one_before_as_dst(void **state) {
  (void)state;
  bench_expect("local forward, up, q = vec3(1, 0, 0), vec3(0, 0, 1), quat()\n"
               "log(quat.look_rotation(forward, up):near(quat.look_rotation(forward, up, q), 0), \n"
               "  rawequal(quat.look_rotation(forward, q), q))\n"
               "log(select('#', vec3.ortho_normalize(forward, up, vec3(1, 1, 1))))\n",
               "true true\n"
               "3\n"
               "done\n");
}

static void wrong_calls_name_what_is_taken(void **state) {
  (void)state;
  bench_expect("log(fails(vec3.cross, vec3(), 1))\n"
               "log(fails(vec3.cross))\n"
               "log(fails(vec3.dot, vec3(), vec3(), vec3(), vec3()))\n"
               "log(fails(vec3.cross, vec3(), vec3(), vec3():freeze()))\n"
               "log(fails(vec3.cross, vec3(), vec3(), vec3.array(1)))\n"
               "log(fails(vec3.add, vec3(), {1, 2}))\n"
               "log(fails(vec3.add, vec3(), {1, 2, 'x'}))\n"
               "log(fails(geometry.clamp, 1, 2, vec3()))\n"
               "log(fails(geometry.clamp, 1, 2, 3, struct.f32.array(1)))\n"
               "local many = {} for i = 1, 240 do many[i] = i end\n"
               "log(#fails(vec3.cross, table.unpack(many)) > 400)\n"
               "many[1] = vec3.array(1)\n"
               "log(#fails(vec3.cross, table.unpack(many)) > 400)\n"
               "for _, self in ipairs{false, 1, 'x', print, io.stdout, forged, vec3, "
               "struct.bytes(4)} do\n"
               "  assert(not pcall(vec3.cross, self, vec3()))\n"
               "end\n",
               "vec3.cross does not take (vec3, number); it takes:\n"
               "  vec3 vec3 > vec3\n"
               "vec3.cross does not take (); it takes:\n"
               "  vec3 vec3 > vec3\n"
               "vec3.dot does not take (vec3, vec3, vec3, vec3); it takes:\n"
               "  vec3 vec3 > n\n"
               "this vec3 is frozen: it cannot be changed (clone it)\n"
               "bad argument #3 to 'vec3.cross' (dst must be a vec3, not vec3[1])\n"
               "vec3: vec3 has 3 fields, not 2\n"
               "vec3.z: 'x' is no f32\n"
               "geometry.clamp does not take (number, number, vec3); it takes:\n"
               "  n n n > n\n"
               "geometry.clamp of arrays does not take (number, number, number, f32[])\n"
               "true\n"
               "true\n"
               "done\n");
}

static void results_go_where_they_are_sent(void **state) {
  (void)state;
  bench_expect("local a, b, r = vec3(1, 2, 3), vec3(4, 5, 6), vec3()\n"
               "log(a:add(b), rawequal(a:add(b, r), r), r, rawequal(a:add(b, a), a), a)\n"
               "log(fails(a.add, a, b, quat()))\n"
               "log(fails(a.add, a, b, vec3(1, 2, 3):freeze()))\n"
               "local q, v = vec3(0, 1, 0), 0\n"
               "local angle, axis = quat.angle_axis(1, q):to_angle_axis(r)\n"
               "log(angle > 0.99 and angle < 1.01, rawequal(axis, r), r:near(q, 1e-6))",
               "vec3(5, 7, 9) true vec3(5, 7, 9) true vec3(5, 7, 9)\n"
               "bad argument #3 to 'vec3.add' (dst must be a vec3, not quat(0, 0, 0, 0))\n"
               "this vec3 is frozen: it cannot be changed (clone it)\n"
               "true true true\ndone\n");
}

// A finaliser runs inside the allocation of a result and moves the operand's bytes away: the call
// must not read where they were.
static void bytes_that_move_meanwhile_are_not_read(void **state) {
  (void)state;
  bench_expect("local ended, late = 0, 0\n"
               "for round = 1, 20 do\n"
               "  local array, is_moved = vec3.array(64), false\n"
               "  local v, w = array[1], vec3(1, 2, 3)\n"
               "  setmetatable({}, {__gc = function() array:move() is_moved = true end})\n"
               "  local ok, problem = pcall(function()\n"
               "    for i = 1, 1000000 do\n"
               "      local sum = v + w\n"
               "      if is_moved then late = late + 1 end\n"
               "    end\n"
               "  end)\n"
               "  if is_moved and not ok and problem:find('stale view', 1, true) then\n"
               "    ended = ended + 1\n"
               "  end\n"
               "end\n"
               "log(ended, late)",
               "20 0\ndone\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dst_is_optional_last_and_returned),
      cmocka_unit_test(operators_are_the_verbs),
      cmocka_unit_test(derived_values_stand_for_their_base),
      cmocka_unit_test(every_operand_is_tried_as_one_before_as_dst),
      cmocka_unit_test(wrong_calls_name_what_is_taken),
      cmocka_unit_test(results_go_where_they_are_sent),
      cmocka_unit_test(bytes_that_move_meanwhile_are_not_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
