// Scenes, zones, polygons and the nearest points, as scripts ask them.
#include "struct_bench.h"

static const char scenes[] =
    "local scene = geometry.scene{spheres = {{{0, 0, 5}, 1}}, boxes = {aabb({-1, -1, 9}, {1, 1, "
    "10})},\n"
    "  planes = plane.array{{{0, 1, 0}, 3}}}\n"
    "local rays = ray.array{{{0, 0, 0}, {0, 0, 1}}, {{0, 0, 7}, {0, 0, 1}}, {{0, 0, 0}, {0, -1, "
    "0}},\n"
    "  {{0, 0, 0}, {0, 1, 0}}}\n"
    "local hits = scene:intersect(rays)\n"
    "for i, h in hits:views() do log(h.t, h.prim, h.inst, h.normal) end\n"
    "local dst, mask = hit.array(4), struct.u8.array(4)\n"
    "log(rawequal(scene:intersect(rays, dst), dst), dst:pack() == hits:pack())\n"
    "log(rawequal(scene:occluded(rays, mask), mask), mask:get(1), mask:get(4))\n"
    "log(scene:intersect(ray.soa(rays)):pack() == hits:pack(), #scene:intersect(ray.array(0)))\n"
    "log(scene:intersect{{{0, 0, 0}, {0, 0, 1}}}[1].t, #scene:occluded{})\n"
    "log(scene:occluded(segment.array{{{0, 0, 0}, {0, 0, 3}}, {{0, 0, 0}, {0, 0, 5}}}):count())\n"
    "local Aimed = struct.define('Aimed', 'who:u32', {base = ray})\n"
    "log(scene:intersect(Aimed.array{{rays[1].origin, rays[1].direction, 7}})[1].t)\n"
    "log(cost(3, function() scene:intersect(rays, dst) scene:occluded(rays, mask) end))\n"
    "for _, call in ipairs{\n"
    "    function() geometry.scene{sphere = {}} end, function() geometry.scene{spheres = {1}} "
    "end,\n"
    "    function() geometry.scene{spheres = vec3.array(1)} end, function() geometry.scene() end,\n"
    "    function() geometry.scene{planes = 5} end, function() scene:intersect(vec3.array(1)) "
    "end,\n"
    "    function() scene:intersect(rays, hit.array(3)) end,\n"
    "    function() scene:intersect(rays, mask) end,\n"
    "    function() scene.intersect(geometry, rays) end,\n"
    "    function() scene.intersect(geometry.polygon{ring = {{0, 0}, {1, 0}, {0, 1}}}, rays) end,\n"
    "    function() scene:occluded(rays, struct.u8.array(4):freeze()) end} do log(fails(call)) "
    "end\n";

static void scenes_are_asked(void **state) {
  (void)state;
  bench_expect(scenes,
               "4.0 1 1 vec3(0, 0, -1)\n"
               "2.0 1 2 vec3(0, 0, -1)\n"
               "3.0 1 4 vec3(0, 1, 0)\n"
               "inf 0 0 vec3(0, 0, 0)\n"
               "true true\n"
               "true 1 0\n"
               "true 0\n"
               "4.0 0\n"
               "1\n"
               "4.0\n"
               "0 0\n"
               "scene: unknown list 'sphere' (did you mean 'spheres'?)\n"
               "sphere[1]: sphere or a table is expected, not number\n"
               "scene: spheres: sphere[] expected, got vec3[]\n"
               "bad argument #1 to 'scene' (table expected, got no value)\n"
               "scene: planes: plane[] expected, got number\n"
               "bad argument #1 to 'intersect' (ray[] or segment[] expected, got vec3[])\n"
               "bad argument #2 to 'intersect' (dst has 3 elements, 4 are needed)\n"
               "bad argument #2 to 'intersect' (dst must be a hit[])\n"
               "bad argument #1 to 'intersect' (perilune.Scene expected, got table)\n"
               "bad argument #1 to 'intersect' (perilune.Scene expected, got perilune.Polygon)\n"
               "frozen: it cannot be changed any more (clone it)\n"
               "done\n");
}

static const char zones[] =
    "local square = {{0, 0}, {4, 0}, {4, 4}, {0, 4}}\n"
    "local zones = geometry.zones{{id = 7, ring = square, holes = {{{1, 1}, {2, 1}, {2, 2}, {1, "
    "2}}}},\n"
    "  {id = 9, ring = dvec2.array{{3, 3}, {6, 3}, {6, 6}, {3, 6}}}}\n"
    "local points = dvec2.array{{3, 1}, {1.5, 1.5}, {3.5, 3.5}, {5, 5}, {9, 9}, {4, 2}}\n"
    "local ids = zones:locate(points)\n"
    "log(ids:get(1), ids:get(2), ids:get(3), ids:get(4), ids:get(5), ids:get(6))\n"
    "local dst = struct.u32.array(6)\n"
    "log(rawequal(zones:locate(points, dst), dst), dst:pack() == ids:pack())\n"
    "log(zones:locate(dvec2.soa(points)):pack() == ids:pack(), #zones:locate(dvec2.array(0)))\n"
    "log(zones:locate{{3, 1}}:get(1), geometry.zones{}:locate(points):get(1))\n"
    "local polygon = geometry.polygon{ring = square}\n"
    "log(polygon:contains(points):count(), points:inside(polygon):count(),\n"
    "  vec2.array{{1, 1}}:inside(polygon):get(1))\n"
    "local big, mask = dvec2.array(3000), struct.u8.array(3000)\n"
    "for i = 1, 3000 do big:set(i, i % 5, 1) end\n"
    "log(big:inside(polygon):count(), rawequal(big:inside(polygon, mask), mask), mask:count())\n"
    "log(cost(3, function() zones:locate(points, dst) big:inside(polygon, mask) end))\n"
    "for _, call in ipairs{\n"
    "    function() geometry.zones{{id = 0, ring = square}} end,\n"
    "    function() geometry.zones{{id = 1.5, ring = square}} end,\n"
    "    function() geometry.zones{5} end, function() geometry.zones{{id = 1}} end,\n"
    "    function() geometry.zones{{id = 1, ring = vec3.array(3)}} end,\n"
    "    function() geometry.zones{{id = 1, ring = {{0, 0}, {1, 'x'}}}} end,\n"
    "    function() geometry.zones{{id = 1, ring = square, hole = {}}} end,\n"
    "    function() geometry.zones{{id = 1, ring = square, holes = {1}}} end,\n"
    "    function() geometry.polygon{ring = {{0, 0}}} end, function() geometry.polygon(5) end,\n"
    "    function() zones:locate(vec3.array(1)) end, function() zones:locate() end,\n"
    "    function() zones.locate(polygon, points) end,\n"
    "    function() zones:locate(points, struct.u32.array(5)) end} do log(fails(call)) end\n";

static void zones_are_asked(void **state) {
  (void)state;
  bench_expect(zones,
               "7 0 7 9 0 7\n"
               "true true\n"
               "true 0\n"
               "7 0\n"
               "4 4 1\n"
               "3000 true 3000\n"
               "0 0\n"
               "zones[1].id: an integer from 1 to 4294967295 is expected, not 0\n"
               "zones[1].id: an integer from 1 to 4294967295 is expected, not 1.5\n"
               "zones[1]: a table {id = , ring = } is expected\n"
               "zones[1].ring: a list or an array of points is expected, not nil\n"
               "zones[1].ring: dvec2[] or vec2[] expected, got vec3[]\n"
               "dvec2[2].y: 'x' is no f64\n"
               "zones[1]: unknown key 'hole': id, ring and holes are known\n"
               "zones[1].holes[1]: a list or an array of points is expected, not number\n"
               "zones[1].ring has fewer than 3 distinct points\n"
               "bad argument #1 to 'polygon' (table expected, got number)\n"
               "bad argument #1 to 'locate' (dvec2[] or vec2[] expected, got vec3[])\n"
               "bad argument #1 to 'locate' (dvec2[] or vec2[] expected, got nil)\n"
               "bad argument #1 to 'locate' (perilune.Zones expected, got perilune.Polygon)\n"
               "bad argument #2 to 'locate' (dst has 5 elements, 6 are needed)\n"
               "done\n");
}

static const char nearest[] =
    "local points = vec3.array{{0, 0, 0}, {1, 0, 0}, {5, 0, 0}}\n"
    "local i, d = points:nearest{{0.9, 0, 0}}\n"
    "log(i:get(1), ('%.3f'):format(d:get(1)), struct.typeof(i) == struct.u32)\n"
    "i, d = points:nearest({{0.9, 0, 0}, {9, 0, 0}}, {k = 2, radius = 4.5})\n"
    "log(i:get(1), i:get(2), i:get(3), i:get(4), d:get(4))\n"
    "local index = geometry.nearest(points)\n"
    "local ii, dd = struct.u32.array(2), struct.f32.array(2)\n"
    "local a, b = index:nearest(points:slice(2), {dst = ii, distances = dd})\n"
    "log(rawequal(a, ii), rawequal(b, dd), ii:get(1), ii:get(2), dd:get(2))\n"
    "local q, options = points:slice(2), {dst = ii, distances = dd}\n"
    "log(cost(3, function() index:nearest(q, options) end))\n"
    "points:move()\n"
    "log(index:nearest({{4, 0, 0}}):get(1))\n"
    "local plane = dvec2.array{{0, 0}, {3, 4}}\n"
    "local _, far = plane:nearest({{3, 4}}, {k = 2})\n"
    "log(struct.typeof(far) == struct.f64, far:get(2))\n"
    "log(#plane:nearest({}), dvec2.array(0):nearest({{1, 1}}):get(1))\n"
    "for _, call in ipairs{\n"
    "    function() plane:nearest(vec3.array(1)) end, function() plane:nearest(5) end,\n"
    "    function() plane:nearest({{1, 1}}, {k = 0}) end,\n"
    "    function() plane:nearest({{1, 1}}, {radius = -1}) end,\n"
    "    function() plane:nearest({{1, 1}}, {radius = -(0/0)}) end,\n"
    "    function() plane:nearest({{1, 1}}, {radios = 1}) end,\n"
    "    function() plane:nearest({{1, 1}}, {dst = ii}) end,\n"
    "    function() plane:nearest({{1, 1}}, 5) end, function() geometry.nearest(5) end,\n"
    "    function() index.nearest(forged, plane) end} do log(fails(call)) end\n";

static void nearest_points_are_found(void **state) {
  (void)state;
  bench_expect(
      nearest,
      "2 0.100 true\n"
      "2 1 3 0 inf\n"
      "true true 2 3 0.0\n"
      "0 0\n"
      "3\n"
      "true 5.0\n"
      "0 0\n"
      "bad argument #1 to 'nearest' (vec3[] has not as many dimensions as the points)\n"
      "bad argument #1 to 'nearest' (vec3[] or vec2[] or dvec3[] or dvec2[] expected, got number)\n"
      "k: an integer from 1 to 1024 is expected, not 0\n"
      "radius: a number of at least 0 is expected, not -1\n"
      "radius: a number of at least 0 is expected, not nan\n"
      "nearest: unknown option 'radios': k, radius, dst and distances are known\n"
      "bad argument #3 to 'nearest' (dst has 2 elements, 1 are needed)\n"
      "bad argument #2 to 'nearest' (table expected, got number)\n"
      "bad argument #1 to 'nearest' (vec3[] or vec2[] or dvec3[] or dvec2[] expected, got number)\n"
      "bad argument #1 to 'nearest' (vec3[] or vec2[] or dvec3[] or dvec2[] expected, got light "
      "userdata)\n"
      "done\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scenes_are_asked),
      cmocka_unit_test(zones_are_asked),
      cmocka_unit_test(nearest_points_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
