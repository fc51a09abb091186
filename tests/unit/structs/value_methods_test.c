// What every value can do, as a method and as a function of its type.
#include "structs/value_methods.h"

#include "struct_bench.h"

static void get_and_set_take_all_scalars(void **state) {
  (void)state;
  bench_expect("local v, r = vec4(1, 2, 3, 4), ray(1, 2, 3, 4, 5, 6) log(v:get()) log(r:get())\n"
               "log(v:get('xz')) log(v:get('w', 'x')) log(r:get('direction')) log(r:get('origin', "
               "'direction'))\n"
               "log(v:set(5, 6, 7, 8), v:set(vec2(1, 2), 3, 4), v:set{w = 9}, v:set(vec4()))\n"
               "log(rawequal(v:set(1, 2, 3, 4), v), vec4.get(v, 'y'), vec4.set(v, 4, 3, 2, 1))\n"
               "log(fails(v.get, v, 'q')) log(fails(v.get, v, 1)) log(fails(v.get, v, 'xyq'))\n"
               "log(fails(v.set, v)) log(fails(v.set, v, 1)) log(select('#', v:get('')))\n"
               "log(#fails(v.get, v, ('x'):rep(245)) > 240) log(fails(vec4.set, vec4.array(2), 1, "
               "2, 3, 4))\n"
               "local Big = struct.define('Big', 'a:u8[300]') log(fails(Big.get, Big()))\n"
               "log(fails(Big().get, Big(), 'a'))",
               "1.0 2.0 3.0 4.0\n"
               "1.0 2.0 3.0 4.0 5.0 6.0\n"
               "1.0 3.0\n"
               "4.0 1.0\n"
               "4.0 5.0 6.0\n"
               "1.0 2.0 3.0 4.0 5.0 6.0\n"
               "vec4(0, 0, 0, 0) vec4(0, 0, 0, 0) vec4(0, 0, 0, 0) vec4(0, 0, 0, 0)\n"
               "true 2.0 vec4(4, 3, 2, 1)\n"
               "bad argument #2 to '?' (vec4 has no field 'q')\n"
               "bad argument #2 to '?' (string expected, got number)\n"
               "bad argument #2 to '?' (vec4 has no field 'xyq')\n"
               "set: values for vec4 are expected\n"
               "vec4.y: a value is missing: 1 given, vec4 takes 4 numbers\n"
               "0\n"
               "true\n"
               "bad argument #1 to '?' (struct expected, got vec4[])\n"
               "Big has 300 numbers, more than a call can return\n"
               "a has more numbers than a call can return\n"
               "done\n");
}

// S16.
static void copies_stand_for_themselves(void **state) {
  (void)state;
  bench_expect(
      "local v = vec3(1, 2, 3) local c = v:clone() c.x = 9 log(v, c, c:copy(v), c)\n"
      "log(rawequal(c:copy(v), c), vec3.copy(c, vec3(7, 8, 9)), vec3.clone(c))\n"
      "local r = ray(1, 2, 3, 4, 5, 6) r.origin:copy(r.direction) log(r)\n"
      "log(r.origin:clone(), vec3.up:clone():set(1, 2, 3)) log(fails(v.copy, v, vec2()))\n"
      "log(fails(v.copy, v)) log(fails(v.copy, v, {1, 2, 3})) log(fails(vec3.copy, 1, v))\n"
      "log(fails(vec3.copy, vec3.up, v))",
      "vec3(1, 2, 3) vec3(1, 2, 3) vec3(1, 2, 3) vec3(1, 2, 3)\n"
      "true vec3(7, 8, 9) vec3(7, 8, 9)\n"
      "ray(vec3(4, 5, 6), vec3(4, 5, 6))\n"
      "vec3(4, 5, 6) vec3(1, 2, 3)\n"
      "bad argument #2 to '?' (vec3 expected, got vec2)\n"
      "bad argument #2 to '?' (vec3 expected, got no value)\n"
      "bad argument #2 to '?' (vec3 expected, got table)\n"
      "bad argument #1 to '?' (struct expected, got number)\n"
      "this vec3 is frozen: it cannot be changed (clone it)\n"
      "done\n");
}

static void tables_are_filled_and_reused(void **state) {
  (void)state;
  bench_expect(
      "local K = struct.enum('K', 'u8', {A = 1})\n"
      "local T = struct.define('T', 'o:vec3 l:vec2[2] b:u8[3] k:K') local t = T({1, 2, "
      "3}, {{1, 2}, "
      "{3, 4}}, 'abc', 'A')\n"
      "local out = t:totable() log(out.o.z, out.l[2].x, #out.b, out.b[3], out.k == K.A)\n"
      "local o, l = out.o, out.l[1] t.o.z = 9 log(t:totable(out) == out, out.o == o, o.z, "
      "out.l[1] == l)\n"
      "log(T(out) == t) local v, d = vec3(1, 2, 3), {x = 0, y = 0, z = 0}\n"
      "log(cost(10000, function() v:totable(d) end)) log(d.y) log(fails(v.totable, v, 1))\n"
      "setmetatable(d, {__newindex = error}) d.x = nil log(v:totable(d).x)",
      "3.0 3.0 3 99 true\n"
      "true true 9.0 true\n"
      "true\n"
      "0 0\n"
      "2.0\n"
      "bad argument #2 to '?' (table expected, got number)\n"
      "1.0\n"
      "done\n");
}

static void values_are_compared(void **state) {
  (void)state;
  bench_expect(
      "log(vec3(1, 2, 3) == vec3(1, 2, 3), vec3(1, 2, 3) == vec3(1, 2, 4), vec3(0, 0, 0) == "
      "vec3(-0.0, "
      "0, 0))\n"
      "local n = vec3(0/0, 0, 0) log(n == n, n == n:clone(), n:has_nan(), vec3():has_nan())\n"
      "log(vec3() == ivec3(), vec3() == 1, quat() == vec4(), vec3.up == vec3(0, 1, 0))\n"
      "log(vec3():same(vec3(-0.0, 0, 0)), n:same(n:clone()), vec4():same(quat()))\n"
      "log(vec3(1, 2, 3):near(vec3(1, 2, 3.1), 0.2), vec3(1, 2, 3):near(vec3(1, 2, 3.1)))\n"
      "log(n:near(n, 1), vec3(1/0, 0, 0):near(vec3(1/0, 0, 0)), fails(n.near, n, vec2()))\n"
      "log(fails(n.near, n, n, -1)) log(fails(n.near, n, n, 'x')) log(fails(n.near, n, n, 0/0))\n"
      "local keys = {} keys[vec3(0, 1, 2):key()] = 'found' log(keys[vec3(-0.0, 1, 2):key()])\n"
      "log(#vec3():key(), vec3(1, 0, 0):key() == vec3():key(), vec3(1, 2, 3):pack() == "
      "string.pack('<fff', 1, 2, 3))\n"
      "log(fails(n.same, n, 1)) log(fails(vec3.key, {})) log(fails(vec3.pack, vec3.array(1)))",
      "true false true\n"
      "true false true false\n"
      "false false false true\n"
      "false true false\n"
      "true false\n"
      "false true bad argument #2 to '?' (vec3 expected, got vec2)\n"
      "bad argument #3 to '?' (a distance of at least 0 is expected)\n"
      "bad argument #3 to '?' (number expected, got string)\n"
      "bad argument #3 to '?' (a distance of at least 0 is expected)\n"
      "found\n"
      "12 false true\n"
      "bad argument #2 to '?' (struct expected, got number)\n"
      "bad argument #1 to '?' (struct expected, got table)\n"
      "bad argument #1 to '?' (struct expected, got vec3[])\n"
      "done\n");
}

// S33: what there is of text.
static void text_is_short_and_exact(void **state) {
  (void)state;
  bench_expect(
      "log(vec3(0.1, -0.0, 1e30), dvec2(0.1, 1/3), vec2(1/0, 0/0) == nil, color8(1, 2, 3, 255))\n"
      "log(tostring(vec3.at(bytes(('\\0'):rep(12)))), vec3(1, 2, 3):tostring(), vec3)\n"
      "log(#tostring(struct.define('L', 'a:u8[60000]')()) < 100)\n"
      "log(pcall(function() return vec3() .. 'x' end))",
      "vec3(0.1, -0, 1e30) dvec2(0.1, 0.3333333333333333) false color8(1, 2, 3, 255)\n"
      "vec3(0, 0, 0) vec3(1, 2, 3) vec3\n"
      "true\n"
      "false test:4: attempt to concatenate a vec3 value\n"
      "done\n");
}

// D1.
static void methods_allocate_nothing(void **state) {
  (void)state;
  bench_expect(
      "local v, w, r, b = vec3(1, 2, 3), vec3(1, 2, 3), ray(), bytes(('\\0'):rep(24))\n"
      "local o, s = r.origin, vec3.at(b, 12)\n"
      "log(cost(10000, function() local x, y, z = v:get() w:set(z, y, x) s:set(v) end))\n"
      "log(cost(10000, function() local x, z = v:get('xz') o:copy(v) r:set(v, w) end))\n"
      "log(cost(10000, function() return v == w, v:same(w), v:near(w, 1), v:has_nan() end))\n"
      "log(cost(10000, function() v:set{} end))\n"
      "log(cost(10000, function() return v:clone() end))",
      "0 0\n0 0\n0 0\n1 56\n1 44\ndone\n");
}

// A finaliser may take the bytes away wherever an object is made: then there is a value or "stale
// view", never more.
static void bytes_may_go_while_they_are_read(void **state) {
  (void)state;
  bench_expect("local K = struct.enum('K', 'u16', {A = 1})\n"
               "local T = struct.define('T', 'k:K v:vec3 d:dec128 e:K[3] r:ray w:vec2[2]')\n"
               "local V = struct.define('V', 'a:dec128 b:dec128') local stale, read = 0, 0\n"
               "local list = {function(t) return t.k end, function(t) return t.d end, function(t) "
               "t:get() end,\n"
               "  function(t) t:totable() end, function(t) t:totable {} end, tostring,\n"
               "  function(t) t:clone() end, function(t) t:pack() end, function(t) t:key() end,\n"
               "  function(t) return t.e[2], t.e:totable() end, function(t) return t.e:get() end,\n"
               "  function(t) t.v = {1, 2, 3} end, function(t) t.r.origin:set(1, 2, 3) end,\n"
               "  function(t) return t.v.xy end, function(t) T(t) end, function(t) T(2, t.v, '1', "
               "1, 2, 3, t.r,\n"
               "  t.w) end, function(t) return T.path 'r.origin' (t).x end, function(t, b) "
               "T.unpack(b) end,\n"
               "  function(t, b) V(V.at(b)) end, function(t) t.w[2] = {1, 2} end, function(t) "
               "t:set(t) end,\n"
               "  function(t) t.e = {'A', 5, 9} end, function(t, b) V.at(b, 0):get('a', 'b') end,\n"
               "  function(t) tostring(t.e) end, function(t) return t.d + t.d end, function(t) t.k "
               "= 300 end}\n"
               "for _, f in ipairs(list) do for n = 0, 12 do\n"
               "  local b = bytes(('\\1'):rep(T.sizeof)) local t = T.at(b) collectgarbage()\n"
               "  taken(b, n) local ok, text = pcall(f, t, b) taken(b)\n"
               "  if ok then read = read + 1 else stale = stale + 1\n"
               "    assert(tostring(text):find 'stale view', text) end end end\n"
               "log(read > 100, stale > 20)",
               "true true\ndone\n");
}

// D7.
static void any_self_and_argument_is_checked(void **state) {
  (void)state;
  bench_expect(
      "local things = {1, 'x', true, {}, print, forged, io.stdout, vec2(), vec3, ray(),\n"
      "  bytes 'abcdefghijkl', vec3.array(2), coroutine.create(print), 0/0, mat3().columns}\n"
      "for name, method in pairs(vec3.methods) do\n"
      "  pcall(method) pcall(method, nil, nil)\n"
      "  for _, a in pairs(things) do pcall(method, a) for _, b in pairs(things) do\n"
      "    pcall(method, a, b) pcall(method, vec3(), b) pcall(method, vec3(), vec3(), b)\n"
      "    pcall(method, a, b, a) end end end\n"
      "for _, name in pairs {'get', 'set', 'clone', 'copy', 'totable', 'pack', 'same', 'near',\n"
      "  'has_nan', 'key', 'freeze', 'is_frozen', 'tostring'} do\n"
      "  for _, a in pairs {1, 'x', forged, io.stdout, vec3, {}} do fails(vec3.methods[name], a, "
      "1) end "
      "end",
      "done\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(get_and_set_take_all_scalars),
    cmocka_unit_test(copies_stand_for_themselves),
    cmocka_unit_test(tables_are_filled_and_reused),
    cmocka_unit_test(values_are_compared),
    cmocka_unit_test(text_is_short_and_exact),
    cmocka_unit_test(methods_allocate_nothing),
    cmocka_unit_test(bytes_may_go_while_they_are_read),
    cmocka_unit_test(any_self_and_argument_is_checked),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
