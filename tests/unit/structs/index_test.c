// Reading and writing fields of values: the scalar itself, views of what is nested, swizzles, who
// may write, and what it costs.
#include "structs/index.h"

#include "struct_bench.h"

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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fields_are_read_and_written),
    cmocka_unit_test(nested_writes_stick),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
