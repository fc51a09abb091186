// Colors: arithmetic, HSV there and back and against tolua's cases, sRGB's curve, bytes.
#include "near.h"

enum { RUNS = 10000 };

// tolua's: by the number of the hexagon's side.
static void ref_hsv(const double *hsv, double *rgb) {
  const double h = hsv[0] * 6, s = hsv[1], v = hsv[2], f = h - floor(h);
  const double p = v * (1 - s), q = v * (1 - s * f), t = v * (1 - s * (1 - f));
  const double sides[7][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v},
                              {t, p, v}, {v, p, q}, {v, t, p}};
  memcpy(rgb, sides[(int)floor(h)], sizeof(double) * 3);
  rgb[3] = 1;
}

static void hsv_agrees_with_tolua_and_comes_back(void **state) {
  (void)state;
  uint64_t seed = 21;
  for (int run = 0; run < RUNS; run++) {
    const double hsv[3] = {op_random(&seed, 0, 1), op_random(&seed, 0.01, 1),
                           op_random(&seed, 0.01, 1)};
    double rgb[4], wanted[4], back[3];
    op_call("hsv_to_rgb", "color: n n n > color", hsv, rgb);
    ref_hsv(hsv, wanted);
    assert_near_f32(rgb, wanted, 4, 1, "hsv_to_rgb");
    op_call("rgb_to_hsv", "color > n n n", rgb, back);
    assert_close(back + 1, hsv + 1, 2, 1e-6, "rgb_to_hsv");
    const double turn = fabs(back[0] - hsv[0]);
    assert_true(fmin(turn, 1 - turn) * hsv[1] < 1e-5);
  }
  double back[3];
  op_call("rgb_to_hsv", "color > n n n", (double[]){0.5, 0.5, 0.5, 1}, back);
  assert_near_f32(back, (double[]){0, 0, 0.5}, 3, 0, "gray");
  op_call("rgb_to_hsv", "color > n n n", (double[]){0, 0, 0, 1}, back);
  assert_near_f32(back, (double[]){0, 0, 0}, 3, 0, "black");
  op_call("rgb_to_hsv", "color > n n n", (double[]){0, 0, 1, 1}, back);
  assert_near_f32(back, (double[]){2.0 / 3, 1, 1}, 3, 1, "blue");
}

static void gamma_is_srgb_and_linear_undoes_it(void **state) {
  (void)state;
  uint64_t seed = 22;
  double c[4], g[4], back[4];
  for (int run = 0; run < RUNS; run++) {
    random_f32(&seed, c, 4, 2);
    op_call("gamma", "color > color", c, g);
    op_call("linear", "color > color", g, back);
    assert_close(back, c, 4, 2e-6, "linear");
    assert_true(g[3] == c[3]);
  }
  op_call("gamma", "color > color", (double[]){0.5, 0.002, 1, 0.5}, g);
  assert_close(g, (double[]){0.735356983, 0.02584, 1, 0.5}, 4, 1e-6, "gamma");
}

static void colors_add_multiply_and_mix(void **state) {
  (void)state;
  const double ab[] = {0.25, 0.5, 0.75, 1, 0.5, 0.5, 2, 0.5, 0.5};
  double r[4];
  op_call("add", "color color > color", ab, r);
  assert_near_f32(r, (double[]){0.75, 1, 2.75, 1.5}, 4, 0, "add");
  op_call("mul", "color color > color", ab, r);
  assert_near_f32(r, (double[]){0.125, 0.25, 1.5, 0.5}, 4, 0, "mul");
  op_call("lerp", "color color n > color", ab, r);
  assert_near_f32(r, (double[]){0.375, 0.5, 1.375, 0.75}, 4, 0, "lerp");
  op_call("div", "color n > color", (double[]){1, 2, 3, 4, 2}, r);
  assert_near_f32(r, (double[]){0.5, 1, 1.5, 2}, 4, 0, "div");
  const double gray = op_number("grayscale", "color > n", ab);
  assert_true(fabs(gray - (0.299 * 0.25 + 0.587 * 0.5 + 0.114 * 0.75)) < 1e-12);
  assert_true(op_number("max_color_component", "color > n", (double[]){1, 2, 3, 9}) == 3);
}

static void bytes_are_rounded_and_clamped(void **state) {
  (void)state;
  double r[4];
  op_call("from", "color8: color > color8", (double[]){-1, 0.5, 1.2, 1.0 / 255}, r);
  assert_near_f32(r, (double[]){0, 128, 255, 1}, 4, 0, "from color");
  for (int i = 0; i < 256; i++) {
    const double bytes[] = {i, i, i, i};
    double c[4];
    op_call("from", "color: color8 > color", bytes, c);
    op_call("from", "color8: color > color8", c, r);
    assert_true(r[0] == i);
  }
  op_call("add", "color8 color8 > color8", (double[]){200, 1, 2, 3, 100, 1, 1, 1}, r);
  assert_near_f32(r, (double[]){255, 2, 3, 4}, 4, 0, "add");
  op_call("sub", "color8 color8 > color8", (double[]){1, 1, 2, 3, 100, 1, 1, 1}, r);
  assert_near_f32(r, (double[]){0, 0, 1, 2}, 4, 0, "sub");
  op_call("mul", "color8 color8 > color8", (double[]){255, 128, 255, 0, 255, 128, 7, 3}, r);
  assert_near_f32(r, (double[]){255, 64, 7, 0}, 4, 0, "mul");
  op_call("mul", "color8 n > color8", (double[]){255, 128, 3, 0, 0.5}, r);
  assert_near_f32(r, (double[]){128, 64, 2, 0}, 4, 0, "mul n");
  op_call("lerp", "color8 color8 n > color8", (double[]){0, 10, 20, 30, 255, 20, 20, 0, 0.5}, r);
  assert_near_f32(r, (double[]){128, 15, 20, 15}, 4, 0, "lerp");
  assert_true(fabs(op_number("grayscale", "color8 > n", (double[]){255, 255, 255, 0}) - 1) < 1e-12);
}

static void constants_are_toluas(void **state) {
  (void)state;
  static const struct {
    const char *name;
    float rgba[4];
  } wanted[] = {
      {"red", {1, 0, 0, 1}},     {"green", {0, 1, 0, 1}},
      {"blue", {0, 0, 1, 1}},    {"white", {1, 1, 1, 1}},
      {"black", {0, 0, 0, 1}},   {"cyan", {0, 1, 1, 1}},
      {"magenta", {1, 0, 1, 1}}, {"gray", {0.5f, 0.5f, 0.5f, 1}},
      {"clear", {0, 0, 0, 0}},   {"yellow", {1, 0.9215686f, 0.01568628f, 1}},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    const struct pl_constant *c = pl_constants_of(PL_BUILTIN_color);
    while (c->name && strcmp(c->name, wanted[i].name)) c++;
    assert_non_null(c->name);
    float got[4];
    c->run(&(union pl_slot){.at = got}, NULL);
    assert_memory_equal(got, wanted[i].rgba, sizeof got);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hsv_agrees_with_tolua_and_comes_back),
      cmocka_unit_test(gamma_is_srgb_and_linear_undoes_it),
      cmocka_unit_test(colors_add_multiply_and_mix),
      cmocka_unit_test(bytes_are_rounded_and_clamped),
      cmocka_unit_test(constants_are_toluas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
