// Ops of lla: places on the Earth, in degrees and metres. Distances and courses are those of the
// sphere of PL_EARTH_RADIUS; coordinates in space (ecef) are those of the WGS 84 ellipsoid.
#include <math.h>

#include "geometry/conventions.h"
#include "geometry/lanes.h"
#include "geometry/ops_tables.h"

struct place {
  double lat, lon, alt;  // radians, metres
};

static struct place load_place(const union pl_slot *in) {
  double d[3];
  pl_load_f64(d, in->at, 3);
  return (struct place){d[0] * (PL_PI / 180), d[1] * (PL_PI / 180), d[2]};
}

// Longitudes are put within -180 .. 180.
static void store_place(union pl_slot *out, struct place place) {
  const double lon = remainder(place.lon * (180 / PL_PI), 360);
  const double d[3] = {place.lat * (180 / PL_PI), lon, place.alt};
  pl_store_f64(out->at, d, 3);
}

static double square(double x) {
  return x * x;
}

// The haversine, exact for near places, where the arc cosine of a dot is not; for places more than
// a quarter around apart that of b's antipode, for the arc sine is not exact near 1.
static double arc_between(struct place a, struct place b) {
  const double across = cos(a.lat) * cos(b.lat), turn = (b.lon - a.lon) / 2;
  const double h = square(sin((b.lat - a.lat) / 2)) + across * square(sin(turn));
  if (h <= 0.5) return 2 * asin(sqrt(h));
  const double rest = square(sin((b.lat + a.lat) / 2)) + across * square(cos(turn));
  return PL_PI - 2 * asin(sqrt(rest));
}

static void lla_distance(PL_OP_ARGS) {
  out[0].number = PL_EARTH_RADIUS * arc_between(load_place(in), load_place(in + 1));
}

static void lla_bearing(PL_OP_ARGS) {
  const struct place a = load_place(in), b = load_place(in + 1);
  const double turn = b.lon - a.lon;
  const double course =
      atan2(sin(turn) * cos(b.lat), cos(a.lat) * sin(b.lat) - sin(a.lat) * cos(b.lat) * cos(turn));
  out[0].number = course < 0 ? course + 2 * PL_PI : course;
}

static void lla_destination(PL_OP_ARGS) {
  const struct place from = load_place(in);
  const double arc = in[1].number / PL_EARTH_RADIUS, course = in[2].number;
  const double sine = sin(from.lat) * cos(arc) + cos(from.lat) * sin(arc) * cos(course);
  const double lat = asin(fmax(-1, fmin(1, sine)));
  const double turn =
      atan2(sin(course) * sin(arc) * cos(from.lat), cos(arc) - sin(from.lat) * sin(lat));
  store_place(out, (struct place){lat, from.lon + turn, from.alt});
}

static const double eccentricity2 = PL_EARTH_FLATTENING * (2 - PL_EARTH_FLATTENING);

// The radius of curvature across the meridian.
static double normal_radius(double lat) {
  return PL_EARTH_AXIS / sqrt(1 - eccentricity2 * square(sin(lat)));
}

static void lla_to_ecef(PL_OP_ARGS) {
  const struct place p = load_place(in);
  const double n = normal_radius(p.lat), out_of_axis = (n + p.alt) * cos(p.lat);
  const double d[3] = {out_of_axis * cos(p.lon), out_of_axis * sin(p.lon),
                       (n * (1 - eccentricity2) + p.alt) * sin(p.lat)};
  pl_store_f64(out[0].at, d, 3);
}

// Bowring's iteration on the reduced latitude: below a nanometre after three steps on and above
// the Earth's surface.
static void lla_from_ecef(PL_OP_ARGS) {
  double d[3];
  pl_load_f64(d, in[0].at, 3);
  const double b = PL_EARTH_AXIS * (1 - PL_EARTH_FLATTENING), r = hypot(d[0], d[1]);
  const double second2 = eccentricity2 / (1 - eccentricity2);
  double reduced = atan2(d[2], r * (1 - PL_EARTH_FLATTENING)), lat = 0;
  for (int i = 0; i < 4; i++) {
    const double s = sin(reduced), c = cos(reduced);
    lat = atan2(d[2] + second2 * b * s * s * s, r - eccentricity2 * PL_EARTH_AXIS * c * c * c);
    reduced = atan2((1 - PL_EARTH_FLATTENING) * sin(lat), cos(lat));
  }
  const double s = sin(lat), c = cos(lat);
  const double alt = r * c + d[2] * s - PL_EARTH_AXIS * sqrt(1 - eccentricity2 * s * s);
  store_place(out, (struct place){lat, atan2(d[1], d[0]), alt});
}

static void lla_from_dvec2(PL_OP_ARGS) {
  double lonlat[2];
  pl_load_f64(lonlat, in[0].at, 2);
  const double d[3] = {lonlat[1], lonlat[0], 0};
  pl_store_f64(out[0].at, d, 3);
}

static void lla_lonlat(PL_OP_ARGS) {
  double d[3];
  pl_load_f64(d, in[0].at, 3);
  const double lonlat[2] = {d[1], d[0]};
  pl_store_f64(out[0].at, lonlat, 2);
}

const struct pl_op pl_ops_lla[] = {
    {"distance", "lla lla > n", lla_distance,
     "Metres along the great circle of a sphere, without the altitudes; to 0.6 % of the "
     "ellipsoid's."},
    {"bearing", "lla lla > n", lla_bearing,
     "The course at which the great circle to b begins: 0 north, pi / 2 east, below 2 pi."},
    {"destination", "lla n n > lla", lla_destination,
     "The place that many metres away at that course: (metres, course)."},
    {"to_ecef", "lla > dvec3", lla_to_ecef,
     "Metres from the Earth's centre: x to 0 E, y to 90 E, z to the north pole (WGS 84)."},
    {"from_ecef", "lla: dvec3 > lla", lla_from_ecef, "The place of such coordinates."},
    {"from", "lla: dvec2 > lla", lla_from_dvec2, "From (lon, lat), as in GeoJSON, at altitude 0."},
    {"lonlat", "lla > dvec2", lla_lonlat, "(lon, lat), as in GeoJSON."},
    {0},
};

const struct pl_constant pl_constants_lla[] = {{0}};
