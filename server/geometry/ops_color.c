// Ops of colors: color of f32, linear and unbounded; color8 of bytes, which stand for 0 .. 1.
#include <math.h>

#include "geometry/ops_each.h"
#include "geometry/real.h"

// sRGB's curve (IEC 61966-2-1), odd below 0 so that no input is lost.
static double to_gamma(double x) {
  const double size = fabs(x);
  return copysign(size <= 0.0031308 ? size * 12.92 : 1.055 * pow(size, 1 / 2.4) - 0.055, x);
}

static double to_linear(double x) {
  const double size = fabs(x);
  return copysign(size <= 0.04045 ? size / 12.92 : pow((size + 0.055) / 1.055, 2.4), x);
}

static double gray_of(const double *c) {
  return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
}

// The six sides of the hue's hexagon: which of (v, p, q, t) is red, green, blue.
static void from_hsv(double *rgb, double h, double s, double v) {
  const double turn = h * 6, side = floor(turn), f = turn - side;
  const double level[4] = {v, v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))};
  static const unsigned char sides[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3},
                                            {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};
  const double six = side - 6 * floor(side / 6);
  const unsigned char *pick = sides[six >= 0 && six < 6 ? (int)six : 0];
  for (int i = 0; i < 3; i++) rgb[i] = s == 0 ? v : v == 0 ? 0 : level[pick[i]];
}

static void to_hsv(double *hsv, const double *c) {
  const int most = c[2] > c[1] && c[2] > c[0] ? 2 : c[1] > c[0] ? 1 : 0;
  const double v = c[most], next = c[(most + 1) % 3], last = c[(most + 2) % 3];
  const double spread = v - (next > last ? last : next);
  double h = 2 * most + (next - last) / (spread != 0 ? spread : 1);
  h /= 6;
  hsv[0] = v == 0 ? 0 : h < 0 ? h + 1 : h;
  hsv[1] = v == 0 ? 0 : spread / v;
  hsv[2] = v;
}

#define LANES 4

#define VEC color
#define LOAD pl_load_f32
#define STORE pl_store_f32
#define NUMBER(n) ((double)pl_lane_f32(n))
#include "geometry/component_ops.def"

EACH_V(gamma, i < 3 ? to_gamma(x) : x)
EACH_V(linear, i < 3 ? to_linear(x) : x)
EACH_CONSTANT(red, i == 0 || i == 3)
EACH_CONSTANT(green, i == 1 || i == 3)
EACH_CONSTANT(blue, i >= 2)
EACH_CONSTANT(black, i == 3)
EACH_CONSTANT(cyan, i > 0)
EACH_CONSTANT(magenta, i != 1)
EACH_CONSTANT(gray, i == 3 ? 1 : 0.5)
EACH_CONSTANT(yellow, i == 1 ? 0.9215686 : i == 2 ? 0.01568628 : 1)

static void color_hsv_to_rgb(PL_OP_ARGS) {
  double r[4] = {0, 0, 0, 1};
  from_hsv(r, in[0].number, in[1].number, in[2].number);
  STORE(out[0].at, r, 4);
}

static void color_rgb_to_hsv(PL_OP_ARGS) {
  EACH_LOAD(a, 0)
  double hsv[3];
  to_hsv(hsv, a);
  for (int i = 0; i < 3; i++) out[i].number = hsv[i];
}

static void color_grayscale(PL_OP_ARGS) {
  EACH_LOAD(a, 0)
  out[0].number = gray_of(a);
}

static void color_max_color_component(PL_OP_ARGS) {
  EACH_LOAD(a, 0)
  out[0].number = pl_lane_max(pl_lane_max(a[0], a[1]), a[2]);
}

static void color_from_color8(PL_OP_ARGS) {
  double a[4];
  pl_load_u8(a, in[0].at, 4);
  for (int i = 0; i < 4; i++) a[i] /= 255;
  STORE(out[0].at, a, 4);
}

static void color_from_vec4(PL_OP_ARGS) {
  EACH_LOAD(a, 0)
  STORE(out[0].at, a, 4);
}

#define TYPE "color"
const struct pl_op pl_ops_color[] = {
#include "geometry/component_rows.def"
    {"gamma", "color > color", color_gamma, "From linear to sRGB; alpha stays."},
    {"linear", "color > color", color_linear, "From sRGB to linear; alpha stays."},
    {"grayscale", "color > n", color_grayscale, "0.299 r + 0.587 g + 0.114 b."},
    {"max_color_component", "color > n", color_max_color_component, "The greatest of r, g and b."},
    {"rgb_to_hsv", "color > n n n", color_rgb_to_hsv,
     "Hue, saturation and value, each 0 to 1; the hue of grays is 0."},
    {"hsv_to_rgb", "color: n n n > color", color_hsv_to_rgb,
     "From hue, saturation and value, with alpha 1; hues repeat after 1."},
    {"from", "color: color8 > color", color_from_color8, "0 .. 255 to 0 .. 1."},
    {"from", "color: vec4 > color", color_from_vec4, "r, g, b, a from x, y, z, w."},
    {0},
};
#undef TYPE

const struct pl_constant pl_constants_color[] = {
    {"zero", color_zero},
    {"one", color_one},
    {"white", color_one},
    {"clear", color_zero},
    {"black", color_black},
    {"red", color_red},
    {"green", color_green},
    {"blue", color_blue},
    {"yellow", color_yellow},
    {"cyan", color_cyan},
    {"magenta", color_magenta},
    {"gray", color_gray},
    {0},
};

#undef VEC
#undef LOAD
#undef STORE
#undef NUMBER
#define VEC color8
#define LOAD pl_load_u8
#define STORE pl_store_u8
#define NUMBER(n) (n)
EACH_VV(add, x + y)
EACH_VV(sub, x - y)
EACH_VV(mul, (x * y) / 255)
EACH_VN(mul_n, (x * y))
EACH_VN(div_n, x / y)
EACH_VV(min, pl_lane_min(x, y))
EACH_VV(max, pl_lane_max(x, y))
EACH_VVN(lerp, x + (y - x) * pl_lane_clamp01(z))
EACH_CONSTANT(clear, i * 0.0)
EACH_CONSTANT(white, i * 0.0 + 255)
EACH_CONSTANT(black, i == 3 ? 255 : 0)

static void color8_grayscale(PL_OP_ARGS) {
  EACH_LOAD(a, 0)
  out[0].number = gray_of(a) / 255;
}

static void color8_from_color(PL_OP_ARGS) {
  double a[4];
  pl_load_f32(a, in[0].at, 4);
  for (int i = 0; i < 4; i++) a[i] *= 255;
  STORE(out[0].at, a, 4);
}

const struct pl_op pl_ops_color8[] = {
    {"add", "color8 color8 > color8", color8_add, "a + b, at most 255."},
    {"sub", "color8 color8 > color8", color8_sub, "a - b, at least 0."},
    {"mul", "color8 color8 > color8", color8_mul, "a * b / 255: both stand for 0 .. 1."},
    {"mul", "color8 n > color8", color8_mul_n, "Each component times a number."},
    {"div", "color8 n > color8", color8_div_n, "Each component divided by a number."},
    {"min", "color8 color8 > color8", color8_min, "The lesser of each two components."},
    {"max", "color8 color8 > color8", color8_max, "The greater of each two components."},
    {"lerp", "color8 color8 n > color8", color8_lerp,
     "a + (b - a) * t, with t kept between 0 and 1."},
    {"grayscale", "color8 > n", color8_grayscale,
     "0.299 r + 0.587 g + 0.114 b, as a number from 0 to 1."},
    {"from", "color8: color > color8", color8_from_color,
     "0 .. 1 to 0 .. 255, to the nearest, clamped."},
    {0},
};

const struct pl_constant pl_constants_color8[] = {
    {"clear", color8_clear},
    {"white", color8_white},
    {"black", color8_black},
    {0},
};
