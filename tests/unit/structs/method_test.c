// Verbs as methods: where results go, and operands whose bytes move away while a result is made.
#include "structs/method.h"

#include "struct_bench.h"

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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(results_go_where_they_are_sent),
    cmocka_unit_test(bytes_that_move_meanwhile_are_not_read),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
