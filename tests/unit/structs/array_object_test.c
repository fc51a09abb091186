// What scripts do with arrays: indices, numbers, views, slices, fields, ownership.
#include "snippet.h"

static void array_reads_and_writes_elements(void **state) {
  (void)state;
  snippet_passes("local a = vec3.array(3)\n"
                 "assert(#a == 3 and a[1].x == 0)\n"
                 "a[2] = vec3(1, 2, 3)\n"
                 "assert(a[2].x == 1 and a[2].z == 3)\n"
                 "a[3] = {4, 5, 6}\n"
                 "assert(a[3].y == 5)\n"
                 "a[1] = {z = 9}\n"
                 "assert(a[1].z == 9 and a[1].x == 0)\n"
                 "a:set(1, 7, 8, 9)\n"
                 "local x, y, z = a:get(1)\n"
                 "assert(x == 7 and y == 8 and z == 9)\n");
}

static void element_is_a_view_that_writes_through(void **state) {
  (void)state;
  snippet_passes("local a = ray.array(2)\n"
                 "a[1].direction.y = 5\n"
                 "assert(a[1].direction.y == 5)\n"
                 "local v = a[2]\n"
                 "v.origin = vec3(1, 2, 3)\n"
                 "assert(select('#', a:get(2)) == 6 and select(3, a:get(2)) == 3)\n");
}

static void reading_outside_is_nil_so_that_ipairs_ends(void **state) {
  (void)state;
  snippet_passes("local a = vec2.array{{1, 2}, {3, 4}}\n"
                 "assert(a[0] == nil and a[3] == nil and a[-1] == nil and a[1.5] == nil)\n"
                 "assert(a[math.maxinteger] == nil and a[math.mininteger] == nil)\n"
                 "assert(a[2^53] == nil and a[0/0] == nil and a[1/0] == nil)\n"
                 "local n = 0\n"
                 "for i, v in ipairs(a) do n = n + v.x * i end\n"
                 "assert(n == 7)\n");
}

static void writing_outside_raises(void **state) {
  (void)state;
  snippet_fails("vec3.array(2)[3] = vec3()", "test:1: vec3[]: index 3 is outside 1..2");
  snippet_fails("vec3.array(2)[0] = vec3()", "test:1: vec3[]: index 0 is outside 1..2");
  snippet_fails("vec3.array(2)[1.5] = vec3()", "test:1: vec3[]: index 1.5 is outside 1..2");
  snippet_fails("vec3.array(2):set(-1, 1, 2, 3)", "index -1 is outside 1..2");
  snippet_fails("vec3.array(2):get(math.maxinteger)", "is outside 1..2");
  snippet_fails("vec3.array(2).foo = 1", "takes an element number as its index, not foo");
  snippet_fails("vec3.array(2)[1] = vec2()", "vec3");
  snippet_fails("vec3.array(2)[1] = {1, 2, 'x'}", "vec3");
}

static void a_failed_store_changes_nothing(void **state) {
  (void)state;
  snippet_passes("local a = vec3.array{{1, 2, 3}}\n"
                 "assert(not pcall(function() a[1] = {9, 9, 'x'} end))\n"
                 "assert(a[1].x == 1 and a[1].y == 2)\n");
}

static void an_unknown_method_is_named_with_its_neighbour(void **state) {
  (void)state;
  snippet_fails("vec3.array(1):slize(1)", "vec3[] has no method 'slize' (did you mean 'slice'?)");
}

static void each_gives_numbers_and_views_one_view(void **state) {
  (void)state;
  snippet_passes("local a = vec3.array{{1, 2, 3}, {4, 5, 6}}\n"
                 "local sum = 0\n"
                 "for i, x, y, z in a:each() do sum = sum + i * (x + y + z) end\n"
                 "assert(sum == 36)\n"
                 "local seen\n"
                 "for i, v in a:views() do\n"
                 "  assert(seen == nil or rawequal(seen, v))\n"
                 "  seen, v.x = v, i * 10\n"
                 "end\n"
                 "assert(a[1].x == 10 and a[2].x == 20)\n"
                 "for _ in vec3.array(0):views() do error('none') end\n"
                 "for _ in vec3.array(0):each() do error('none') end\n");
}

static void at_aims_a_view_again(void **state) {
  (void)state;
  snippet_passes("local a, b = vec3.array{{1, 2, 3}, {4, 5, 6}}, vec3.array{{7, 8, 9}}\n"
                 "local v = a:at(1)\n"
                 "assert(rawequal(a:at(2, v), v) and v.x == 4)\n"
                 "assert(rawequal(b:at(1, v), v) and v.x == 7)\n"
                 "v.x = 70\n"
                 "assert(b[1].x == 70 and a[1].x == 1)\n"
                 "a, b = nil, nil\n"
                 "collectgarbage()\n"
                 "assert(v.x == 70)\n");
  snippet_fails("vec3.array(1):at(1, vec3())", "a view of a vec3 is expected");
  snippet_fails("vec3.array(1):at(1, vec2.array(1)[1])", "a view of a vec3 is expected");
}

static void slice_is_a_view_with_string_sub_bounds(void **state) {
  (void)state;
  snippet_passes("local a = f32.array{1, 2, 3, 4, 5}\n"
                 "local function list(b) return table.concat(b:totable(), ' ') end\n"
                 "assert(list(a:slice(2, 4)) == '2.0 3.0 4.0')\n"
                 "assert(list(a:slice(-2)) == '4.0 5.0')\n"
                 "assert(list(a:slice(0)) == list(a) and list(a:slice(-9, 99)) == list(a))\n"
                 "assert(#a:slice(4, 2) == 0 and #a:slice(6) == 0 and #a:slice(1, -6) == 0)\n"
                 "assert(#a:slice(math.maxinteger) == 0)\n"
                 "assert(#a:slice(math.mininteger, math.maxinteger) == 5)\n"
                 "a:slice(2, 3)[1] = 20\n"
                 "assert(a[2] == 20)\n"
                 "assert(a:slice(2, 4):slice(2, 2)[1] == 3)\n");
}

static void field_is_an_array_over_the_same_bytes(void **state) {
  (void)state;
  snippet_passes("local a = ray.array(2)\n"
                 "local d = a:field('direction')\n"
                 "d[2] = vec3(1, 2, 3)\n"
                 "assert(a[2].direction.z == 3 and a[2].origin.x == 0)\n"
                 "assert(d:field('z')[2] == 3)\n"
                 "local c = ray.soa(a)\n"
                 "assert(c:field('direction'):field('z')[2] == 3)\n"
                 "c:field('direction'):set(1, 7, 8, 9)\n"
                 "assert(select(5, c:get(1)) == 8)\n");
  snippet_fails("ray.array(1):field('dir')", "ray has no field 'dir'");
}

static void columns_hold_the_same_elements(void **state) {
  (void)state;
  snippet_passes("local c = vec3.soa{{1, 2, 3}, {4, 5, 6}}\n"
                 "assert(#c == 2 and select(2, c:get(2)) == 5)\n"
                 "assert(c:pack() == vec3.array{{1, 2, 3}, {4, 5, 6}}:pack())\n"
                 "assert(c[2].z == 6)\n"
                 "c[1] = {7, 8, 9}\n"
                 "assert(vec3.array(c)[1].z == 9)\n"
                 "assert(tostring(c) == 'vec3[2] in columns')\n");
  snippet_fails("vec3.soa(2)[1].x = 5", "frozen");
  snippet_fails("vec3.soa(2):views()", "in columns");
}

static void array_is_made_of_bytes_in_place(void **state) {
  (void)state;
  snippet_passes("local b = bytes(4 + 24)\n"
                 "local a = vec3.array(b, 4)\n"
                 "assert(#a == 2)\n"
                 "a[2].z = 5\n"
                 "assert(b:get('f32', 4 + 20) == 5)\n"
                 "local every_other = f32.array(b, 4, 3, 8)\n"
                 "b:set('f32', 4 + 8, 9)\n"
                 "assert(every_other[2] == 9 and #every_other == 3)\n"
                 "assert(#vec3.array(b, 28) == 0)\n");
  snippet_fails("vec3.array(bytes(25))", "25 bytes are no multiple of vec3's 12: 1 would be left");
  snippet_fails("vec3.array(bytes(24), 12, 2)", "do not lie within");
  snippet_fails("vec3.array(bytes(24), 25)", "offset 25");
  snippet_fails("vec3.array(bytes(24), 0, 2, 4)", "overlap");
  snippet_fails("vec3.array(bytes(24), 0, math.maxinteger, math.maxinteger)", "do not lie within");
  snippet_fails("vec3.array(bytes(24), -1)", "-1");
  snippet_fails("vec3.array(-1)", "-1 elements");
  snippet_fails("vec3.array(math.maxinteger)", "more than");
  snippet_fails("vec3.array(2^53)", "more than any machine allows");
  snippet_fails("vec3.array('abc')", "3 bytes are no multiple");
  snippet_fails("vec3.array()", "count, list, bytes, string or array");
  snippet_fails("vec3.array(io.stdout)", "count, list, bytes, string or array");
}

static void moved_arrays_are_stale_and_say_where(void **state) {
  (void)state;
  snippet_passes(
      "local a = vec3.array{{1, 2, 3}}\n"
      "local view, part, field = a[1], a:slice(1), a:field('x')\n"
      "local b = a:move()\n"
      "assert(b[1].x == 1 and #b == 1)\n"
      "for _, use in ipairs{function() return view.x end, function() return a[1] end,\n"
      "    function() return part:get(1) end, function() field[1] = 2 end,\n"
      "    function() view.y = 1 end, function() return a:move() end,\n"
      "    function() return a:clone() end, function() a:freeze() end} do\n"
      "  local ok, err = pcall(use)\n"
      "  assert(not ok and err:find('stale view: its bytes were moved away at test:3'),\n"
      "    err)\n"
      "end\n"
      "assert(tostring(a) == 'vec3[1] (stale)')\n");
}

static void frozen_arrays_are_read_only_for_ever(void **state) {
  (void)state;
  snippet_passes("local a = vec3.array{{1, 2, 3}}\n"
                 "local view, part = a[1], a:slice(1)\n"
                 "assert(rawequal(a:freeze(), a) and a:is_frozen() and part:is_frozen())\n"
                 "for _, use in ipairs{function() view.x = 1 end, function() a[1] = vec3() end,\n"
                 "    function() part:set(1, 1, 2, 3) end, function() a:field('x')[1] = 1 end} do\n"
                 "  local ok, err = pcall(use)\n"
                 "  assert(not ok and err:find('frozen'), err)\n"
                 "end\n"
                 "assert(a[1].z == 3 and view.z == 3)\n"
                 "local c = a:clone()\n"
                 "c[1].x = 9\n"
                 "assert(a[1].x == 1 and c[1].x == 9)\n");
}

static void a_view_keeps_its_bytes_alive(void **state) {
  (void)state;
  snippet_passes("local v = vec3.array{{1, 2, 3}}[1]\n"
                 "collectgarbage()\n"
                 "collectgarbage()\n"
                 "assert(v.z == 3)\n");
}

static void methods_refuse_every_other_self(void **state) {
  (void)state;
  snippet_passes(
      "local a = vec3.array(1)\n"
      "local others = {false, 1, 'x', {}, print, io.stdout, vec3, bytes(3), "
      "coroutine.create(print)}\n"
      "others[#others + 1] = vec3()\n"
      "for _, name in ipairs{'get', 'set', 'at', 'each', 'views', 'slice', 'field', 'bytes',\n"
      "    'freeze', 'move', 'clone', 'pack', 'totable', 'is_frozen'} do\n"
      "  for _, other in ipairs(others) do\n"
      "    local ok, err = pcall(a[name], other, 1, 1, 1, 1)\n"
      "    assert(not ok and err:find('array expected'), name)\n"
      "  end\n"
      "end\n");
}

static void passes_over_arrays_allocate_nothing(void **state) {
  (void)state;
  snippet_passes("local a = vec3.array(1000)\n"
                 "local v, sum = a:at(1), 0\n"
                 "collectgarbage() collectgarbage()\n"
                 "local before = collectgarbage('count')\n"
                 "for _ = 1, 100 do\n"
                 "  for i, x, y, z in a:each() do sum = sum + x end\n"
                 "  for i = 1, #a do a:set(i, i, 2, 3) local x, y = a:get(i) sum = sum + y end\n"
                 "  for i = 1, #a do a:at(i, v) end\n"
                 "end\n"
                 "assert(collectgarbage('count') == before)\n");
}

static void lists_nest_as_deep_as_the_type(void **state) {
  (void)state;
  snippet_passes("local p = {{normal = {0, 1, 0}, d = 4}, {{1, 0, 0}, 5}}\n"
                 "for i = 3, 6 do p[i] = plane({0, 0, 1}, i) end\n"
                 "local f = frustum.array{{p}, {planes = p}}\n"
                 "assert(#f == 2 and f[2].planes[1].normal.y == 1 and f[1].planes[2].d == 5)\n"
                 "assert(f[1].planes[6].d == 6)\n"
                 "local r = ray.array{{{1, 2, 3}, {4, 5, 6}}, ray(vec3.one, vec3.up), {}}\n"
                 "assert(r[1].direction.z == 6 and r[2].direction.y == 1 and #r == 3)\n");
  snippet_fails("ray.array{{{1, 2, 3}, {4, 5, 6}}, {{1, 2, 3}, {4, 'x', 6}}}", "direction.y");
  snippet_fails("vec3.array{1}", "vec3");
}

static void every_scalar_has_arrays(void **state) {
  (void)state;
  snippet_passes("for _, T in ipairs{i8, i16, i32, i64, u8, u16, u32, u64, f16, f32, f64} do\n"
                 "  local a = T.array{0, 1, 100}\n"
                 "  a[1] = 7\n"
                 "  assert(#a == 3 and a[1] == 7 and a[3] == 100 and a:get(2) == 1)\n"
                 "  assert(#a:pack() == 3 * T.sizeof and a[4] == nil)\n"
                 "end\n"
                 "local b = bool.array{true, false}\n"
                 "assert(b[1] == true and b[2] == false)\n");
  snippet_fails("u8.array{1, 256}", "256 is out of range for u8: 0 to 255");
}

static void what_makes_no_array_is_refused(void **state) {
  (void)state;
  snippet_fails("vec2.array(-1)", "-1 elements: none is the least");
  snippet_fails("vec2.array(math.maxinteger)", "vec2");
  snippet_fails("vec2.array(true)", "count, list, bytes, string or array expected");
  snippet_fails("vec2.soa(bytes(8))", "count, list, string or array expected");
  snippet_fails("vec2.array()", "count, list, bytes, string or array expected");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(array_reads_and_writes_elements),
      cmocka_unit_test(element_is_a_view_that_writes_through),
      cmocka_unit_test(reading_outside_is_nil_so_that_ipairs_ends),
      cmocka_unit_test(writing_outside_raises),
      cmocka_unit_test(a_failed_store_changes_nothing),
      cmocka_unit_test(an_unknown_method_is_named_with_its_neighbour),
      cmocka_unit_test(each_gives_numbers_and_views_one_view),
      cmocka_unit_test(at_aims_a_view_again),
      cmocka_unit_test(slice_is_a_view_with_string_sub_bounds),
      cmocka_unit_test(field_is_an_array_over_the_same_bytes),
      cmocka_unit_test(columns_hold_the_same_elements),
      cmocka_unit_test(array_is_made_of_bytes_in_place),
      cmocka_unit_test(moved_arrays_are_stale_and_say_where),
      cmocka_unit_test(frozen_arrays_are_read_only_for_ever),
      cmocka_unit_test(a_view_keeps_its_bytes_alive),
      cmocka_unit_test(methods_refuse_every_other_self),
      cmocka_unit_test(passes_over_arrays_allocate_nothing),
      cmocka_unit_test(lists_nest_as_deep_as_the_type),
      cmocka_unit_test(every_scalar_has_arrays),
      cmocka_unit_test(what_makes_no_array_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
