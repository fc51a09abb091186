// `bytes` as scripts see them.
#include "snippet.h"

static void bytes_hold_scalars_at_offsets(void **state) {
  (void)state;
  snippet_passes("local b = bytes(16)\n"
                 "b:set('u32', 1, 0xdeadbeef, 7)\n"
                 "assert(b:get('u32', 1) == 0xdeadbeef)\n"
                 "local x, y = b:get('u32', 1, 2)\n"
                 "assert(x == 0xdeadbeef and y == 7)\n"
                 "assert(b:get('u8', 1) == 0xef)\n"
                 "b:set('f32', 9, 0.5)\n"
                 "assert(b:get('f32', 9) == 0.5)\n"
                 "assert(#b == 16 and tostring(b) == 'bytes: 16')\n");
}

static void offsets_outside_raise(void **state) {
  (void)state;
  snippet_fails("bytes(4):get('u32', 1)", "4 bytes at offset 1 do not lie within 4 bytes");
  snippet_fails("bytes(4):get('u32', -1)", "offset -1");
  snippet_fails("bytes(4):get('u8', math.maxinteger)", "do not lie within");
  snippet_fails("bytes(4):get('u8', math.mininteger)", "do not lie within");
  snippet_fails("bytes(4):get('u8', 0, 5)", "5 bytes at offset 0");
  snippet_fails("bytes(4):get('u8', 0, -1)", "values at once");
  snippet_fails("bytes(4):set('u8', 4, 1)", "do not lie within");
  snippet_fails("bytes(4):set('u8', 0, 256)", "256");
  snippet_fails("bytes(4):get('u33', 0)", "did you mean 'u32'");
  snippet_fails("bytes(4):get('vec3', 0)", "is a struct: use vec3.at");
  snippet_fails("bytes(-1)", "-1 is no size");
  snippet_fails("bytes(math.maxinteger)", "more than");
}

static void sub_and_tostring_are_strings(void **state) {
  (void)state;
  snippet_passes("local b = bytes('hello')\n"
                 "assert(b:tostring() == 'hello' and b:sub(2, 3) == 'el' and b:sub(-2) == 'lo')\n"
                 "assert(b:sub(0) == 'hello' and b:sub(4, 2) == '' and b:sub(-99, 99) == 'hello')\n"
                 "assert(b == bytes('hello') and b ~= bytes('hellO') and b ~= bytes('hell'))\n");
}

static void slices_share_the_bytes(void **state) {
  (void)state;
  snippet_passes("local b = bytes('hello')\n"
                 "local s = b:slice(1, 3)\n"
                 "assert(#s == 3 and s:tostring() == 'ell')\n"
                 "s:set('u8', 0, 69)\n"
                 "assert(b:tostring() == 'hEllo')\n"
                 "assert(s:slice(1):tostring() == 'll')\n"
                 "assert(#b:slice(5) == 0)\n"
                 "local v = u8.array(s)\n"
                 "v[2] = 76\n"
                 "assert(b:tostring() == 'hELlo')\n"
                 "b = nil collectgarbage()\n"
                 "assert(s:tostring() == 'ELl')\n");
  snippet_fails("bytes(4):slice(5)", "offset 5");
  snippet_fails("bytes(4):slice(1, 4)", "4 bytes at offset 1");
  snippet_fails("bytes(4):slice(0, -1)", "-1 is no size");
  snippet_fails("bytes(4):slice(1):move()", "a slice cannot be moved");
}

static void fill_and_copy_stay_inside(void **state) {
  (void)state;
  snippet_passes("local b = bytes(6):fill(65)\n"
                 "b:fill(66, 1, 2):fill(67, 5)\n"
                 "assert(b:tostring() == 'ABBAAC')\n"
                 "b:copy('xy', 4)\n"
                 "assert(b:tostring() == 'ABBAxy')\n"
                 "b:copy(b:slice(0, 4), 1)\n"
                 "assert(b:tostring() == 'AABBAy')\n"
                 "local v = bytes(12):copy(vec3(1, 2, 3))\n"
                 "assert(v:get('f32', 8) == 3)\n");
  snippet_fails("bytes(4):copy('hello')", "5 bytes at offset 0 do not lie within 4");
  snippet_fails("bytes(4):copy('he', 3)", "2 bytes at offset 3");
  snippet_fails("bytes(4):fill(256)", "a byte is 0 to 255");
  snippet_fails("bytes(4):copy({})", "string, bytes, struct or array");
}

static void frozen_and_moved_bytes_refuse(void **state) {
  (void)state;
  snippet_fails("bytes(4):freeze():set('u8', 0, 1)", "frozen");
  snippet_fails("bytes(4):freeze():fill(0)", "frozen");
  snippet_fails("local b = bytes(4)\nlocal c = b:move()\nreturn #b", "moved away at test:2");
  snippet_passes("local b = bytes('abcd')\n"
                 "local c = b:move()\n"
                 "assert(c:tostring() == 'abcd' and tostring(b) == 'bytes (stale)')\n");
}

static void any_offset_and_any_other_operand_is_checked(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    const char *offset = i ? "math.maxinteger" : "math.mininteger";
    char script[80];
    snprintf(script, sizeof script, "bytes(4):slice(%s)", offset);
    snippet_fails(script, "do not lie within 4 bytes");
    snprintf(script, sizeof script, "bytes(4):fill(1, %s)", offset);
    snippet_fails(script, "do not lie within 4 bytes");
  }
  snippet_passes("local b = bytes(4)\n"
                 "assert(not pcall(b.set, b, 'u8', 0, 1, 2, 256) and b:get('u8', 0) == 0)\n"
                 "assert(b ~= io.stdout and io.stdout ~= b and b ~= vec3() and vec3() ~= b)\n"
                 "assert(not (b == 4) and b == bytes(4):slice(0))\n"
                 "assert(select('#', b:get('u8', 0, 0)) == 0 and b:get('u8', 4, 0) == nil)\n");
}

static void memory_is_counted_and_given_back(void **state) {
  (void)state;
  struct snippet s;
  snippet_open(&s, NULL);
  fake_start(&s.fake, "kept = bytes(1 << 20)");
  fake_run(&s.fake);
  assert_int_equal(s.account.bytes, 1 << 20);
  assert_int_equal(s.fake.vm.heap.outside, 1 << 20);
  fake_start(&s.fake, "kept = nil collectgarbage() collectgarbage()");
  fake_run(&s.fake);
  assert_int_equal(s.account.bytes, 0);
  fake_expect(&s.fake, "done\ndone\n");
  snippet_close(&s);
}

static void one_request_may_not_take_more_than_its_limit(void **state) {
  (void)state;
  struct snippet s;
  snippet_open(&s, NULL);
  s.fake.vm.request_memory = 1 << 20;
  fake_start(&s.fake, "return pcall(bytes, (1 << 20) + 1)");
  fake_run(&s.fake);
  fake_expect(&s.fake, "done false 1048577 bytes are more than limits.request_memory allows\n");
  s.account.ceiling = 1 << 20;
  s.fake.vm.request_memory = 0;
  fake_start(&s.fake, "return pcall(vec3.array, 100000)");
  fake_run(&s.fake);
  fake_expect(&s.fake, "done false 100000 vec3 are more than limits.memory allows\n");
  snippet_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_hold_scalars_at_offsets),
      cmocka_unit_test(offsets_outside_raise),
      cmocka_unit_test(sub_and_tostring_are_strings),
      cmocka_unit_test(slices_share_the_bytes),
      cmocka_unit_test(fill_and_copy_stay_inside),
      cmocka_unit_test(frozen_and_moved_bytes_refuse),
      cmocka_unit_test(any_offset_and_any_other_operand_is_checked),
      cmocka_unit_test(memory_is_counted_and_given_back),
      cmocka_unit_test(one_request_may_not_take_more_than_its_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
