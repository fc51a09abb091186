// lla: distances and courses on the sphere, coordinates on the ellipsoid. Reference values: the
// quarter of a meridian, WGS 84's half axes, a destination's distance and course back.
#include "near.h"

enum { RUNS = 10000 };

static const double pi = 3.14159265358979323846;
static const double radius = 6371008.8;

static void distances_are_arcs(void **state) {
  (void)state;
  const double to_pole[] = {0, 10, 0, 90, 55, 0};
  assert_true(fabs(op_number("distance", "lla lla > n", to_pole) - radius * pi / 2) < 1e-6);
  const double half_around[] = {10, 20, 0, -10, -160, 0};
  assert_true(fabs(op_number("distance", "lla lla > n", half_around) - radius * pi) < 1e-6);
  const double over_the_date_line[] = {0, 179.5, 0, 0, -179.5, 0};
  const double wide = op_number("distance", "lla lla > n", over_the_date_line);
  assert_true(fabs(wide - radius * pi / 180) < 1e-6);
  const double near[] = {50, 8, 0, 50, 8 + 1e-9, 0};  // 0.07 mm
  const double tiny = op_number("distance", "lla lla > n", near);
  assert_true(fabs(tiny - radius * (near[4] - near[1]) * pi / 180 * cos(50 * pi / 180)) < 1e-10);
  assert_true(op_number("distance", "lla lla > n", (double[]){1, 2, 3, 1, 2, 900}) == 0);
}

static void destinations_lie_at_distance_and_course(void **state) {
  (void)state;
  uint64_t seed = 121;
  for (int run = 0; run < RUNS; run++) {
    double in[8], place[6];
    in[0] = op_random(&seed, -85, 85);
    in[1] = op_random(&seed, -180, 180);
    in[2] = op_random(&seed, 0, 9000);
    in[3] = op_random(&seed, 1, 1e6);
    in[4] = op_random(&seed, 0, 2 * pi - 1e-6);
    memcpy(place, in, sizeof(double) * 3);
    op_call("destination", "lla n n > lla", in, place + 3);
    assert_true(fabs(op_number("distance", "lla lla > n", place) - in[3]) < 1e-3);
    const double course = op_number("bearing", "lla lla > n", place);
    assert_true(fabs(remainder(course - in[4], 2 * pi)) < 1e-6);
    assert_true(course >= 0 && course < 2 * pi);
    assert_true(place[5] == in[2] && fabs(place[4]) <= 180);
  }
}

static void ecef_is_wgs84_and_comes_back(void **state) {
  (void)state;
  double r[3];
  op_call("to_ecef", "lla > dvec3", (double[]){0, 0, 0}, r);
  assert_close(r, (double[]){6378137, 0, 0}, 3, 1e-6, "0 E");
  op_call("to_ecef", "lla > dvec3", (double[]){90, 0, 0}, r);
  assert_close(r, (double[]){0, 0, 6356752.314245}, 3, 1e-6, "pole");
  op_call("to_ecef", "lla > dvec3", (double[]){0, 90, 1000}, r);
  assert_close(r, (double[]){0, 6379137, 0}, 3, 1e-6, "90 E");
  uint64_t seed = 122;
  for (int run = 0; run < RUNS; run++) {
    const double place[3] = {op_random(&seed, -90, 90), op_random(&seed, -180, 180),
                             op_random(&seed, -10000, 1e6)};
    double back[3];
    op_call("to_ecef", "lla > dvec3", place, r);
    op_call("from_ecef", "lla: dvec3 > lla", r, back);
    assert_close(back, place, 2, 1e-11, "degrees");
    assert_true(fabs(back[2] - place[2]) < 1e-6);
  }
}

static void longitude_comes_first_in_maps(void **state) {
  (void)state;
  double r[3];
  op_call("from", "lla: dvec2 > lla", (double[]){8.5, 47.4}, r);
  assert_close(r, (double[]){47.4, 8.5, 0}, 3, 0, "from");
  op_call("lonlat", "lla > dvec2", (double[]){47.4, 8.5, 3}, r);
  assert_close(r, (double[]){8.5, 47.4}, 2, 0, "lonlat");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distances_are_arcs),
      cmocka_unit_test(destinations_lie_at_distance_and_course),
      cmocka_unit_test(ecef_is_wgs84_and_comes_back),
      cmocka_unit_test(longitude_comes_first_in_maps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
