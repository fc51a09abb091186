// Elements chosen, moved and sorted.
#include "struct_bench.h"

#define LIST                                                     \
  "local function list(a)\n"                                     \
  "  local t = {}\n"                                             \
  "  for i, x in a:each() do t[#t + 1] = ('%g'):format(x) end\n" \
  "  return table.concat(t, ' ')\n"                              \
  "end\n"                                                        \
  "local f32, u8, u32 = struct.f32, struct.u8, struct.u32\n"

static void chosen_elements_are_brought_together(void **state) {
  (void)state;
  bench_expect(
      LIST "local a, mask = f32.array{5, 3, 9, 1}, u8.array{1, 0, 7, 0}\n"
           "log(list(mask:indices()), list(a:select(mask)), list(a:gather(u32.array{4, 0, 1})))\n"
           "local dst, two = f32.array(2), u32.array(2)\n"
           "log(rawequal(a:select(mask, dst), dst), list(dst), rawequal(mask:indices(two), two))\n"
           "local b = f32.array(4)\n"
           "log(rawequal(b:scatter(u32.array{4, 0, 2}, f32.array{1, 2, 3}), b), list(b))\n"
           "local p = vec3.array(3)\n"
           "p:scatter(u32.array{1, 3}, vec3(7, 0, 0))\n"
           "log(list(p), list(vec3.soa(p):select(u8.array{1, 1, 0})))\n",
      "1 3 5 9 1 0 5\n"
      "true 5 9 true\n"
      "true 0 3 0 1\n"
      "7 0 7 7 0\n"
      "done\n");
}

static void sorting_is_by_keys_and_may_be_in_place(void **state) {
  (void)state;
  bench_expect(LIST "local a = vec3.array{{3, 1, 0}, {1, 2, 0}, {2, 3, 0}}\n"
                    "log(list(a:sort_by(a:field'x')), list(a))\n"
                    "log(rawequal(a:sort_by(a:field'x', a), a), list(a), list(a:field'y'))\n"
                    "local k = f32.array{2, -(0/0), -1}\n"
                    "log(list(k:sort_by(k)), list(k:sort_by(k, k)))\n"
                    "local c = vec3.soa{{3, 1, 0}, {1, 2, 0}}\n"
                    "log(rawequal(c:sort_by(c:field'x', c), c), list(c), list(c:field'y'))\n"
                    "log(#f32.array(0):sort_by(f32.array(0)), #f32.array(0):select(u8.array(0)),\n"
                    "  #u8.array(0):indices(), #f32.array(0):gather(u32.array(0)),\n"
                    "  #f32.array(3):gather(u32.array(0)), #f32.array(0):scatter(u32.array(0), 1 "
                    "and f32.array(0)))\n",
               "1 2 3 3 1 2\n"
               "true 1 2 3 2 3 1\n"
               "-1 2 nan -1 2 nan\n"
               "true 1 3 2 1\n"
               "0 0 0 0 0 0\n"
               "done\n");
}

static void destinations_over_what_is_read_are_as_if_read_first(void **state) {
  (void)state;
  bench_expect(LIST "local a = u32.array{3, 1, 2, 4, 5}\n"
                    "log(list(a:slice(1, 3):gather(a:slice(1, 3), a:slice(1, 3))), list(a))\n"
                    "a = f32.array{1, 2, 3, 4, 5}\n"
                    "a:slice(1, 4):select(u8.array{0, 1, 1, 1}, a:slice(3, 5))\n"
                    "log(list(a))\n",
               "2 3 1 2 3 1 4 5\n"
               "1 2 2 3 4\n"
               "done\n");
}

static void wrong_arguments_are_named(void **state) {
  (void)state;
  bench_expect(LIST "local a = f32.array{1, 2, 3}\n"
                    "log(fails(a.select, a, u8.array(2)))\n"
                    "log(fails(a.select, a, a))\n"
                    "log(fails(a.select, a, u8.array{1, 0, 1}, f32.array(1)))\n"
                    "log(fails(a.select, a, u8.array{1, 0, 1}, struct.f64.array(2)))\n"
                    "log(fails(a.gather, a, u32.array{1, 4}))\n"
                    "log(fails(a.gather, a, {1, 2}))\n"
                    "log(fails(a.scatter, a, u32.array{1}, f32.array(2)))\n"
                    "log(fails(a.scatter, a, u32.array{1}, 3))\n"
                    "log(fails(a.scatter, a, u32.array{1, 2}, a:slice(2, 3)))\n"
                    "log(fails(a.scatter, f32.array(1):freeze(), u32.array{1}, f32.array(1)))\n"
                    "log(fails(a.sort_by, a, vec3.array(3)))\n"
                    "log(fails(a.sort_by, a, f32.array(2)))\n"
                    "log(fails(a.indices, a))\n"
                    "log(fails(u8.array(2).indices, u8.array{1, 0}, u32.array(2)))\n",
               "bad argument #2 to '?' (2 elements where 3 are needed)\n"
               "bad argument #2 to '?' (a u8[] is expected, not a f32[])\n"
               "bad argument #3 to '?' (dst has 1 elements, 2 are needed)\n"
               "bad argument #3 to '?' (dst must be a f32[])\n"
               "bad argument #2 to '?' (element 2 is 4: indices are 1 to 3, or 0 for none)\n"
               "bad argument #2 to '?' (array expected, got table)\n"
               "bad argument #3 to '?' (2 elements where 1 are needed)\n"
               "bad argument #3 to '?' (a f32 or an array of them is expected)\n"
               "bad argument #1 to '?' (the indices or values lie in the array that is written: "
               "clone() them)\n"
               "frozen: it cannot be changed any more (clone it)\n"
               "bad argument #2 to '?' (a vec3[] of 3 gives no order: up to 2^32 numbers do)\n"
               "bad argument #2 to '?' (2 elements where 3 are needed)\n"
               "bad argument #1 to '?' (a u8[] is expected, not a f32[])\n"
               "bad argument #2 to '?' (dst has 2 elements, 1 are needed)\n"
               "done\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chosen_elements_are_brought_together),
      cmocka_unit_test(sorting_is_by_keys_and_may_be_in_place),
      cmocka_unit_test(destinations_over_what_is_read_are_as_if_read_first),
      cmocka_unit_test(wrong_arguments_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
