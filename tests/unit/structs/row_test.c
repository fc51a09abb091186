// Fixed arrays inside structs: they write through, keep their owner, and end where they end.
#include "structs/row.h"

#include "struct_bench.h"

static void elements_are_read_and_written(void **state) {
  (void)state;
  bench_expect(
      "local m = mat3(1, 2, 3, 4, 5, 6, 7, 8, 9) local c = m.columns\n"
      "c[2].y = 50 c[3] = {0, 0, 1} c[1] = vec3(9, 9, 9) log(m) log(#c, c[2], c[0], c[4])\n"
      "for i, v in ipairs(c) do log(i, v) end log(c:get()) log(c)\n"
      "local T = struct.define('T', 'a:u16[3] r:ray[2]') local t = T()\n"
      "t.a[1] = 7 t.a[3] = 65535 t.r[2].direction.z = 4 log(t) log(t.a:totable()[3],\n"
      "  t.r:totable()[2].direction.z, t.a:pack() == string.pack('<I2I2I2', 7, 0, 65535))\n"
      "t.a = t.a log(t.a) t.a = {1, 2, 3} log(t.a)\n"
      "local at = T.at(bytes(('\\0'):rep(100)), 1) at.a[2] = 3 at.r[1].origin.x = 1 log(at)",
      "mat3({vec3(9, 9, 9), vec3(4, 50, 6), vec3(0, 0, 1)})\n"
      "3 vec3(4, 50, 6) nil nil\n"
      "1 vec3(9, 9, 9)\n"
      "2 vec3(4, 50, 6)\n"
      "3 vec3(0, 0, 1)\n"
      "9.0 9.0 9.0 4.0 50.0 6.0 0.0 0.0 1.0\n"
      "{vec3(9, 9, 9), vec3(4, 50, 6), vec3(0, 0, 1)}\n"
      "T({7, 0, 65535}, {ray(vec3(0, 0, 0), vec3(0, 0, 0)), ray(vec3(0, 0, 0), vec3(0, 0, 4))})\n"
      "65535 4.0 true\n"
      "{7, 0, 65535}\n"
      "{1, 2, 3}\n"
      "T({0, 3, 0}, {ray(vec3(1, 0, 0), vec3(0, 0, 0)), ray(vec3(0, 0, 0), vec3(0, 0, 0))})\n"
      "done\n");
}

static void mistakes_are_named(void **state) {
  (void)state;
  bench_expect(
      "local T = struct.define('T', 'a:u8[3] r:vec2[2]') local t = T() local a = t.a\n"
      "for _, i in pairs {0, 4, -1, 1.5, math.mininteger, 'x', true} do\n"
      "  log(fails(function() a[i] = 1 end)) end log(a[1.0], a[1.5], a[math.maxinteger])\n"
      "log(fails(function() a[1] = 256 end)) log(fails(function() t.r[1] = {1} end))\n"
      "log(fails(function() return a.x end)) log(fails(function() t.a = {1, 2} end))\n"
      "log(fails(function() t.a = t.r end)) log(fails(a.get, 1)) log(fails(a.pack, "
      "vec3.array(1)))\n"
      "local m = debug.getmetatable(a) for _, thing in pairs {1, 'x', {}, forged, io.stdout, t} "
      "do\n"
      "  for _, f in pairs(m) do if type(f) == 'function' then fails(f, thing, 1, 1) end end end",
      "u8[3] takes an index from 1 to 3\n"
      "u8[3] takes an index from 1 to 3\n"
      "u8[3] takes an index from 1 to 3\n"
      "u8[3] takes an index from 1 to 3\n"
      "u8[3] takes an index from 1 to 3\n"
      "u8[3] takes an index from 1 to 3\n"
      "u8[3] takes an index from 1 to 3\n"
      "0 nil nil\n"
      "u8: 256 is out of range for u8: 0 to 255\n"
      "vec2: vec2 has 2 fields, not 1\n"
      "u8[3] has no method 'x'\n"
      "T.a: 3 elements are expected (u8[3]), not 2\n"
      "T.a: a list of 3 u8 is expected, not vec2[N]\n"
      "bad argument #1 to '?' (fixed array expected, got number)\n"
      "bad argument #1 to '?' (fixed array expected, got vec3[])\n"
      "done\n");
}

static void frozen_moved_and_used_ones_are_respected(void **state) {
  (void)state;
  bench_expect(
      "local T = struct.define('T', 'a:u8[3]') local t = T() local a = t.a t:freeze()\n"
      "log(fails(function() a[1] = 1 end), a[1])\n"
      "local b = bytes 'abc' a = T.at(b).a pinned(b, true) log(fails(function() a[1] = 1 end))\n"
      "pinned(b, false) a[1] = 1 b:move() log(fails(function() return a[1] end))\n"
      "log(fails(function() a[1] = 1 end)) log(fails(tostring, a)) log(#a)\n"
      "a = T('xyz').a collectgarbage() collectgarbage() log(a)\n"
      "local r = mat3(1, 2, 3, 4, 5, 6, 7, 8, 9).columns[3] collectgarbage() log(r)",
      "this u8[3] is frozen: it cannot be changed (clone the struct) 0\n"
      "the bytes are in use by a test\n"
      "stale view: its bytes were moved away at test:4\n"
      "stale view: its bytes were moved away at test:4\n"
      "stale view: its bytes were moved away at test:4\n"
      "3\n"
      "{120, 121, 122}\n"
      "vec3(7, 8, 9)\n"
      "done\n");
}

static void numbers_cost_nothing(void **state) {
  (void)state;
  bench_expect("local a = struct.define('T', 'a:u8[3]')().a\n"
               "log(cost(10000, function() a[1] = a[2] + 1 local x, y, z = a:get() end))",
               "0 0\ndone\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(elements_are_read_and_written),
    cmocka_unit_test(mistakes_are_named),
    cmocka_unit_test(frozen_moved_and_used_ones_are_respected),
    cmocka_unit_test(numbers_cost_nothing),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
