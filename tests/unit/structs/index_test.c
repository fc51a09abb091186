// Reading and writing fields of values: the scalar itself, views of what is nested, swizzles, who
// may write, and what it costs.
#include "structs/index.h"

#include "struct_bench.h"

// S17, S18, S14.
static void fields_are_read_and_written(void **state) {
  (void)state;
  bench_expect("local v = vec3(1, 2, 3) v.y = 5.5 log(v.x, v.y, v.z, v)\n"
               "local h = hit() h.prim = 7 h.normal.y = 2 h.t = 0.25 log(h)\n"
               "log(h.prim, math.type(h.prim), h.t)",
               "1.0 5.5 3.0 vec3(1, 5.5, 3)\n"
               "hit(0.25, 0, 0, 7, 0, vec3(0, 2, 0))\n7 integer 0.25\ndone\n");
}

// D12, S12: xLua #370 inverted.
static void nested_writes_stick(void **state) {
  (void)state;
  bench_expect("local r = ray() r.origin.z = 10 log(r.origin.z, r)\n"
               "local o = r.origin r.origin = vec3(1, 2, 3) log(o)\n"
               "r.direction = {0, 1, 0} log(r) r.direction = {x = 9} log(r)\n"
               "r.direction = r.origin log(r) r.origin.x = 8 log(r.direction.x)\n"
               "o = nil r = nil collectgarbage()",
               "10.0 ray(vec3(0, 0, 10), vec3(0, 0, 0))\nvec3(1, 2, 3)\n"
               "ray(vec3(1, 2, 3), vec3(0, 1, 0))\nray(vec3(1, 2, 3), vec3(9, 0, 0))\n"
               "ray(vec3(1, 2, 3), vec3(1, 2, 3))\n1.0\ndone\n");
}

static void a_nested_view_keeps_its_owner(void **state) {
  (void)state;
  bench_expect("local o = ray({1, 2, 3}, {4, 5, 6}).direction\n"
               "for i = 1, 100 do local t = ray() end collectgarbage() collectgarbage()\n"
               "o.x = o.x + 1 log(o) local t = transform().rotation t.w = 1 log(t)\n"
               "local b = bytes(string.pack('<ffff', 9, 1, 2, 3))\n"
               "o = ray.is(1) or vec3.at(b, 4) b = nil collectgarbage() log(o)",
               "vec3(5, 5, 6)\nquat(0, 0, 0, 1)\nvec3(1, 2, 3)\ndone\n");
}

static void views_write_through_to_bytes(void **state) {
  (void)state;
  bench_expect("local b = bytes(('\\0'):rep(24)) local r, d = ray.at(b), vec3.at(b, 12)\n"
               "r.direction.y = 2 log(d) d.x = 1 log(r) log(fails(ray.at, b, 1))\n"
               "log(fails(vec3.at, b, 13)) log(fails(vec3.at, b, -1))\n"
               "log(fails(vec3.at, b, math.maxinteger)) log(fails(vec3.at, b, 0.5))\n"
               "log(fails(vec3.at, 'text', 0)) log(vec3.at(r, 12), vec3.at(r.direction, 0))\n"
               "log(fails(vec3.at, r.direction, 4))",
               "vec3(0, 2, 0)\nray(vec3(0, 0, 0), vec3(1, 2, 0))\n"
               "a ray of 24 bytes at offset 1 does not lie within 24 bytes\n"
               "a vec3 of 12 bytes at offset 13 does not lie within 24 bytes\n"
               "bad argument #2 to '?' (an offset of at least 0 is expected)\n"
               "a vec3 of 12 bytes at offset 9223372036854775807 does not lie within 24 bytes\n"
               "bad argument #2 to '?' (number has no integer representation)\n"
               "bad argument #1 to '?' (bytes or a struct are expected)\n"
               "vec3(1, 2, 0) vec3(1, 2, 0)\n"
               "a vec3 of 12 bytes at offset 4 does not lie within 12 bytes\ndone\n");
}

static void moved_and_frozen_bytes_are_respected(void **state) {
  (void)state;
  bench_expect("local b = bytes(('\\0'):rep(24)) local r = ray.at(b) local d = r.direction\n"
               "pinned(b, true) log(fails(function() d.x = 1 end)) log(d.x) pinned(b, false)\n"
               "d.x = 1 b:freeze() log(fails(function() d.x = 2 end), d.x)\n"
               "b = bytes(('\\0'):rep(24)) r = ray.at(b) d = r.direction b:move()\n"
               "log(fails(function() return d.x end)) log(fails(function() d.x = 1 end))\n"
               "log(fails(function() return r.origin end)) log(fails(d.clone, d))\n"
               "log(fails(tostring, r)) log(fails(function() return d == vec3() end))",
               "the bytes are in use by a test\n0.0\n"
               "frozen: it cannot be changed any more (clone it) 1.0\n"
               "stale view: its bytes were moved away at test:4\n"
               "stale view: its bytes were moved away at test:4\n"
               "stale view: its bytes were moved away at test:4\n"
               "stale view: its bytes were moved away at test:4\n"
               "stale view: its bytes were moved away at test:4\n"
               "stale view: its bytes were moved away at test:4\ndone\n");
}

// D12.
static void frozen_values_cannot_be_changed(void **state) {
  (void)state;
  bench_expect("local r = ray() local o = r.origin r:freeze() log(r:is_frozen(), o:is_frozen())\n"
               "for _, f in ipairs {function() r.origin = vec3() end, function() o.x = 1 end,\n"
               "  function() r.origin.x = 1 end, function() o:set(1, 2, 3) end,\n"
               "  function() r:copy(ray()) end, function() vec3.up.x = 1 end,\n"
               "  function() ray.set.origin(r, vec3()) end} do log(fails(f)) end\n"
               "local c = r:clone() c.origin.x = 1 log(c.origin.x, c:is_frozen(), r.origin)\n"
               "log(rawequal(r:freeze(), r), fails(c.origin.freeze, c.origin))",
               "true true\n"
               "this ray is frozen: it cannot be changed (clone it)\n"
               "this vec3 is frozen: it cannot be changed (clone it)\n"
               "this vec3 is frozen: it cannot be changed (clone it)\n"
               "this vec3 is frozen: it cannot be changed (clone it)\n"
               "this ray is frozen: it cannot be changed (clone it)\n"
               "this vec3 is frozen: it cannot be changed (clone it)\n"
               "this ray is frozen: it cannot be changed (clone it)\n"
               "1.0 false vec3(0, 0, 0)\n"
               "true freeze: a view of vec3 cannot be frozen by itself: freeze what it lies in, or "
               "clone() it\ndone\n");
}

static void swizzles_are_new_values(void **state) {
  (void)state;
  bench_expect(
      "local v = vec4(1, 2, 3, 4) log(v.xz, v.wzyx, v.xxx) local s = v.xy s.x = 9 log(v)\n"
      "log(color(1, 2, 3, 4).bgr, color(1, 2, 3, 4).abgr, ivec3(1, 2, 3).zy)\n"
      "log(quat(1, 2, 3, 4).xyz, dvec2(1, 2).yx, vec3(1, 2, 3).xxxx, v.xz)\n"
      "log(fails(function() return vec2().xz end))\n"
      "log(fails(function() return v.xyzwx end)) log(fails(function() return v.rg end))\n"
      "log(fails(function() v.xy = vec2() end)) log(fails(function() return ray().oo end))\n"
      "log(fails(function() return color8(1, 2, 3, 4).rgb end))",
      "vec2(1, 3) vec4(4, 3, 2, 1) vec3(1, 1, 1)\nvec4(1, 2, 3, 4)\n"
      "vec3(3, 2, 1) color(4, 3, 2, 1) ivec2(3, 2)\n"
      "vec3(1, 2, 3) dvec2(2, 1) vec4(1, 1, 1, 1) vec2(1, 3)\n"
      "vec2 has no field or method 'xz' (did you mean 'x'?)\nvec4 has no field or method 'xyzwx'\n"
      "vec4 has no field or method 'rg'\nvec4.xy is several fields: set them one by one\n"
      "ray has no field or method 'oo'\ncolor8 has no field or method 'rgb'\ndone\n");
}

static void unknown_names_are_errors(void **state) {
  (void)state;
  bench_expect(
      "local v = vec3() log(fails(function() return v.foo end))\n"
      "log(fails(function() return v.clon end))\n"
      "log(fails(function() v.orign = 1 end)) log(fails(function() v.X = 1 end))\n"
      "log(fails(function() return ray().orign end))\n"
      "for _, key in ipairs {1, 0.5, true, {}} do log(fails(function() return v[key] end)) "
      "end\n"
      "log(fails(function() return v[nil] end)) log(fails(function() v[1] = 2 end))\n"
      "log(fails(function() v.x = nil end)) log(fails(function() v.get = 1 end))",
      "vec3 has no field or method 'foo'\n"
      "vec3 has no field or method 'clon' (did you mean 'clone'?)\n"
      "vec3 has no field 'orign'\nvec3 has no field 'X' (did you mean 'x'?)\n"
      "ray has no field or method 'orign' (did you mean 'origin'?)\n"
      "vec3 has no field or method by a key that is a number\n"
      "vec3 has no field or method by a key that is a number\n"
      "vec3 has no field or method by a key that is a boolean\n"
      "vec3 has no field or method by a key that is a table\n"
      "vec3 has no field or method by a key that is a nil\n"
      "vec3 has no field by a key that is a number\n"
      "vec3.x: a number is expected, not nil\nvec3 has no field 'get'\ndone\n");
}

// D7: whoever gets hold of the metamethods calls them with anything.
static void self_is_checked(void **state) {
  (void)state;
  bench_expect("local m = debug.getmetatable(vec3())\n"
               "for _, self in pairs {1, 'x', true, {}, print, forged, io.stdout, vec2(), vec3, \n"
               "  bytes 'abcdefghijkl', vec3.array(2), coroutine.create(print)} do\n"
               "  for _, name in pairs {'__index', '__newindex', '__tostring'} do\n"
               "    if name ~= '__tostring' or not vec2.is(self) then\n"
               "      fails(m[name], self, 'x', 1) end end\n"
               "  assert(not m.__eq(self, vec3()) and not m.__eq(vec3(), self)) end\n"
               "fails(m.__index) fails(m.__newindex) fails(m.__tostring)\n"
               "fails(m.__index, nil, 'x') assert(not m.__eq() and not m.__eq(vec3(), forged))\n"
               "log(getmetatable(vec3()), getmetatable(vec3))",
               "false false\ndone\n");
}

// D1.
static void reading_and_writing_allocate_nothing(void **state) {
  (void)state;
  bench_expect("local r, v, b = ray(), vec3(), bytes(('\\0'):rep(24)) local w = vec3.at(b, 3)\n"
               "local o = r.origin\n"
               "log(cost(10000, function() local x = v.x v.y = x + 1 w.x = w.y + 1 o.x = 2 end))\n"
               "log(cost(10000, function() r.origin = v r.direction = o end))\n"
               "log(cost(10000, function() local f = v.get end))",
               "0 0\n0 0\n0 0\ndone\n");
}

static void new_values_are_one_block(void **state) {
  (void)state;
  bench_expect("local v, m = vec4(), mat4()\n"
               "log(cost(10000, function() return vec3(1, 2, 3) end))\n"
               "log(cost(10000, function() return v.xyzw end))\n"
               "log(cost(10000, function() return m:clone() end))",
               "1 44\n1 48\n1 96\ndone\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fields_are_read_and_written),
    cmocka_unit_test(nested_writes_stick),
    cmocka_unit_test(a_nested_view_keeps_its_owner),
    cmocka_unit_test(views_write_through_to_bytes),
    cmocka_unit_test(moved_and_frozen_bytes_are_respected),
    cmocka_unit_test(frozen_values_cannot_be_changed),
    cmocka_unit_test(swizzles_are_new_values),
    cmocka_unit_test(unknown_names_are_errors),
    cmocka_unit_test(self_is_checked),
    cmocka_unit_test(reading_and_writing_allocate_nothing),
    cmocka_unit_test(new_values_are_one_block),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
