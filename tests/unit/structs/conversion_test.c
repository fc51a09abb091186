// Structs and arrays as those of another type: values, arrays in any shape, what does not fit.
#include "structs/conversion.h"

#include "snippet.h"
#include "struct_bench.h"

#include "io/loop.h"
#include "structs/define.h"

#define PAIR                                                        \
  "local A = struct.define('A', 'x:f32 id:u8 at:vec2 tag:u8[2]')\n" \
  "local B = struct.define('B', 'at:dvec2 tag:i32[2] id:i64 x:f64')\n"

static void values_convert_by_the_names_of_their_fields(void **state) {
  (void)state;
  bench_expect(PAIR "local a = A(1.5, 7, 2, 3, {8, 9})\n"
                    "log(B(a), A(B(a)) == a, A():copy(B(a)) == a)\n"
                    "log(struct.define('Yx', 'y:f32 x:f32')(vec2(1, 2)))\n"
                    "log(dvec3(vec3(1, 2, 3)), color(vec4(1, 2, 3, 4)))\n"
                    "log(ray(struct.define('Ray', 'direction:dvec3 origin:ivec3')(4, 5, 6, 1, 2, "
                    "3)))\n",
               "B(dvec2(2, 3), {8, 9}, 7, 1.5) true true\n"
               "Yx(2, 1)\n"
               "dvec3(1, 2, 3) color(1, 2, 3, 4)\n"
               "ray(vec3(1, 2, 3), vec3(4, 5, 6))\n"
               "done\n");
}

static void what_does_not_fit_is_named(void **state) {
  (void)state;
  bench_expect(PAIR "local b, a = B(1, 2, 3, 400, 5, 6), A(1, 2, 3, 4, 5, 6)\n"
                    "log(fails(A, b)) log(fails(a.copy, a, b)) log(a)\n"
                    "log(fails(A, B(0, 0, 0, 0, 256, 0)))\n"
                    "log(fails(A, B(1e300, 0, 0, 0, 0, 0)))\n"
                    "log(fails(a.copy, a, vec3())) log(fails(a.copy, a, A.array(1)))\n",
               "A.tag: 400 is out of range for u8: 0 to 255\n"
               "A.tag: 400 is out of range for u8: 0 to 255\n"
               "A(1, 2, vec2(3, 4), {5, 6})\n"
               "A.id: 256 is out of range for u8: 0 to 255\n"
               "vec2.x: 1e300 is too large for f32: at most 3.4028234663852886e+38\n"
               "bad argument #2 to '?' (A expected, got vec3)\n"
               "bad argument #2 to '?' (A expected, got A[])\n"
               "done\n");
}

static void arrays_convert(void **state) {
  (void)state;
  bench_expect(PAIR "local a = A.array{{1, 2, {3, 4}, {5, 6}}, {7, 8, {9, 10}, {11, 12}}}\n"
                    "local b = B.array(a)\n"
                    "log(b[1], b[2])\n"
                    "local c = A.array(2)\n"
                    "log(rawequal(c:copy(b), c), c[1] == a[1], c[2] == a[2])\n"
                    "log(c:slice(2):copy(b:slice(1, 1))[1] == a[1], c[1] == a[1])\n"
                    "b[2].id = -1\n"
                    "log(fails(A.array, b)) log(fails(c.copy, c, b)) log(c[2])\n"
                    "log(fails(A.array, vec3.array(1))) log(fails(c.copy, c, A.array(3)))\n"
                    "log(fails(c.copy, c, A())) log(fails(c:freeze().copy, c, a))\n",
               "B(dvec2(3, 4), {5, 6}, 2, 1) B(dvec2(9, 10), {11, 12}, 8, 7)\n"
               "true true true\n"
               "true true\n"
               "element 2: A.id: -1 is out of range for u8: 0 to 255\n"
               "element 2: A.id: -1 is out of range for u8: 0 to 255\n"
               "A(1, 2, vec2(3, 4), {5, 6})\n"
               "bad argument #1 to '?' (vec3 has the field 'y', A has not)\n"
               "bad argument #2 to '?' (3 elements, 2 are needed)\n"
               "bad argument #2 to '?' (array expected, got A)\n"
               "frozen: it cannot be changed any more (clone it)\n"
               "done\n");
}

static void columns_and_strides_convert(void **state) {
  (void)state;
  bench_expect(
      "local a = vec3.array{{1, 2, 3}, {4, 5, 6}}\n"
      "local s, d = vec3.soa(a), dvec3.soa(a)\n"
      "log(s[2], d[2], vec3.array(d)[1], dvec3.array(s)[2], vec3.soa(d)[1])\n"
      "log(ivec3.array(2):copy(d)[2], s:copy(ivec3.array{{7, 8, 9}, {1, 1, 1}})[1])\n"
      "local b = struct.bytes(64) local r = vec3.array(b, 4, 2, 20)\n"
      "log(r:copy(d)[2], b:get('f32', 4, 3)) log(b:get('f32', 16, 2)) log(b:get('f32', 24, 3))\n"
      "local out = struct.f64.array(a:field('y')) log(out[1], out[2], #out)\n"
      "a:field('z'):copy(struct.u8.array{8, 9}) log(a[1], a[2])",
      "vec3(4, 5, 6) dvec3(4, 5, 6) vec3(1, 2, 3) dvec3(4, 5, 6) vec3(1, 2, 3)\n"
      "ivec3(4, 5, 6) vec3(7, 8, 9)\n"
      "vec3(4, 5, 6) 1.0 2.0 3.0\n"
      "0.0 0.0\n"
      "4.0 5.0 6.0\n"
      "2.0 5.0 2\n"
      "vec3(1, 2, 8) vec3(4, 5, 9)\n"
      "done\n");
}

static void derived_elements_are_those_of_their_base(void **state) {
  (void)state;
  bench_expect("local D = struct.define('D', 'w:f32', {base = vec3})\n"
               "local d = D.array{{1, 2, 3, 4}, {5, 6, 7, 8}}\n"
               "log(vec3.array(d)[2], vec3.soa(d)[1], vec3.array(2):copy(D.soa(d))[2])\n"
               "log(dvec3.array(vec3.array(d))[2], fails(D.array, vec3.array(1)))\n"
               "log(fails(dvec3.array, d))",
               "vec3(5, 6, 7) vec3(1, 2, 3) vec3(5, 6, 7)\n"
               "dvec3(5, 6, 7) bad argument #1 to '?' (D.w: vec3 has no such field)\n"
               "bad argument #1 to '?' (D has the field 'w', dvec3 has not)\n"
               "done\n");
}

static void scalars_and_enums_convert(void **state) {
  (void)state;
  bench_expect("local E = struct.enum('E', 'u8', {one = 1, two = 2})\n"
               "local e = E.array(struct.i32.array{2, 1, 9})\n"
               "log(e[1], e[2], e[3], struct.u16.array(e)[3])\n"
               "log(struct.u64.array(struct.f64.array{2^63})[1], struct.f16.array{0.5}[1])\n"
               "log(fails(struct.u8.array, struct.f32.array{1, 0.5}))\n"
               "log(fails(struct.i64.array, struct.u64.array{1, 2, -1}))\n"
               "log(fails(struct.bool.array, struct.u8.array{1}))\n"
               "log(struct.dec128.array(struct.f64.array{0.1})[1])",
               "two one E(9) 9\n"
               "-9223372036854775808 0.5\n"
               "element 2: 0.5 is no integer, which u8 is: 0 to 255\n"
               "element 3: 18446744073709551615 is out of range for i64: "
               "-9223372036854775808 to 9223372036854775807\n"
               "bad argument #1 to '?' (u8 does not become bool)\n"
               "0.1\n"
               "done\n");
}

// As if what is read was read first.
static void arrays_over_the_same_bytes_convert(void **state) {
  (void)state;
  bench_expect("local a = struct.u8.array{1, 2, 3, 4, 5}\n"
               "a:slice(2):copy(a:slice(1, 4)) log(table.concat(a:totable(), ' '))\n"
               "a:slice(1, 4):copy(a:slice(2)) log(table.concat(a:totable(), ' '))\n"
               "a:copy(a) log(table.concat(a:totable(), ' '))\n"
               "local b = struct.bytes(string.char(1, 2, 3, 4):rep(2))\n"
               "local u8, u16 = struct.u8.array(b, 0, 4), struct.u16.array(b)\n"
               "u16:copy(u8) log(table.concat(u16:totable(), ' '))",
               "1 1 2 3 4\n"
               "1 2 3 4 4\n"
               "1 2 3 4 4\n"
               "1 2 3 4\n"
               "done\n");
}

// The bytes between fields are nobody's.
static void gaps_stay_as_they_are(void **state) {
  (void)state;
  bench_expect("local G = struct.define('G', 'a:u8 b:f32', {align = 'natural'})\n"
               "local b = struct.bytes(('x'):rep(16)) local g = G.array(b)\n"
               "g:copy(struct.define('H', 'b:f64 a:i8').array(2))\n"
               "log((b:tostring():gsub('%z', '0')))",
               "0xxx00000xxx0000\n"
               "done\n");
}

static void values_convert_without_an_allocation(void **state) {
  (void)state;
  bench_expect("local v, d = vec3(1, 2, 3), dvec3()\n"
               "log(cost(1000, function() d:copy(v) end)) log(d)\n"
               "log(cost(1000, function() return dvec3(v) end))",
               "0 0\n"
               "dvec3(1, 2, 3)\n"
               "1 56\n"
               "done\n");
}

static void bytes_may_go_while_it_is_planned(void **state) {
  (void)state;
  bench_expect("for n = 1, 12 do\n"
               "  local b = bytes(('x'):rep(24))\n"
               "  local v = vec3.at(b) taken(b, n)\n"
               "  local ok, why = pcall(struct.define('P' .. n, 'x:f64 y:f64 z:f64'), v)\n"
               "  taken(b, 0)\n"
               "  assert(ok or why:find('stale view'), why)\n"
               "end",
               "done\n");
}

// ---- on the thread pool ----

struct pool {
  struct snippet snippet;
  struct pl_loop loop;
};

static void open_pool(struct pool *p) {
  assert_int_equal(pl_loop_init(&p->loop, NULL, NULL), 0);
  snippet_open(&p->snippet, &p->loop);
  lua_register(p->snippet.fake.vm.L, "define", pl_define_struct);
}

static void close_pool(struct pool *p) {
  uv_run(&p->loop.uv, UV_RUN_DEFAULT);
  snippet_close(&p->snippet);
  assert_int_equal(pl_loop_deinit(&p->loop), 0);
}

static void finish_tasks(struct pool *p) {
  struct fake *f = &p->snippet.fake;
  fake_run_ready(f);
  while (f->vm.live_tasks > 0) {
    uv_run(&p->loop.uv, UV_RUN_ONCE);
    fake_run_ready(f);
  }
}

static void long_arrays_convert_on_the_pool(void **state) {
  (void)state;
  struct pool p;
  open_pool(&p);
  fake_start(&p.snippet.fake, "local a = u32.array(300000)\n"
                              "for i = 1, #a do a[i] = i end\n"
                              "local f = f64.array(a)\n"
                              "for i = 1, #a do assert(f[i] == i) end\n"
                              "f[299999] = -1\n"
                              "log(select(2, pcall(a.copy, a, f)))\n"
                              "a[299999], a[300000] = 1, 2\n"
                              "return #f");
  fake_expect(&p.snippet.fake, "");
  finish_tasks(&p);
  fake_expect(&p.snippet.fake, "element 299999: -1.0 is out of range for u32: 0 to 4294967295\n"
                               "done 300000\n");
  close_pool(&p);
}

// The plan outlives its state.
static void the_state_may_end_while_it_converts(void **state) {
  (void)state;
  struct pool p;
  open_pool(&p);
  int64_t before = p.snippet.fake.bytes_before;
  struct pl_task *task = fake_start(&p.snippet.fake, "return f64.array(u32.array(300000))");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run_ready(&p.snippet.fake);
  pl_vm_deinit(&p.snippet.fake.vm);
  pl_buf_deinit(&p.snippet.fake.text);
  uv_run(&p.loop.uv, UV_RUN_DEFAULT);
  pl_layouts_free(p.snippet.layouts);
  assert_int_equal(pl_mem_stats().bytes, before);
  assert_int_equal(pl_loop_deinit(&p.loop), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_convert_by_the_names_of_their_fields),
      cmocka_unit_test(what_does_not_fit_is_named),
      cmocka_unit_test(arrays_convert),
      cmocka_unit_test(columns_and_strides_convert),
      cmocka_unit_test(derived_elements_are_those_of_their_base),
      cmocka_unit_test(scalars_and_enums_convert),
      cmocka_unit_test(arrays_over_the_same_bytes_convert),
      cmocka_unit_test(gaps_stay_as_they_are),
      cmocka_unit_test(values_convert_without_an_allocation),
      cmocka_unit_test(bytes_may_go_while_it_is_planned),
      cmocka_unit_test(long_arrays_convert_on_the_pool),
      cmocka_unit_test(the_state_may_end_while_it_converts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
