// Any allocation may run a finaliser, which may take an array's bytes away: whatever a call was
// about to do, it raises "stale view" or has done it, and never looks at bytes that are gone.
#include "struct_bench.h"

// hurt(name, array, f): calls f while the bytes of the array go with the n-th new object, for every
// n that there is.
#define HURT                                                                                    \
  "local f32, u8, u32 = struct.f32, struct.u8, struct.u32\n"                                    \
  "local stale = 0\n"                                                                           \
  "local function hurt(name, make, f)\n"                                                        \
  "  for n = 1, 12 do\n"                                                                        \
  "    local a = make()\n"                                                                      \
  "    local box = a:bytes()\n"                                                                 \
  "    taken(box, n)\n"                                                                         \
  "    local ok, err = pcall(f, a)\n"                                                           \
  "    taken(box, 0)\n"                                                                         \
  "    if not ok then\n"                                                                        \
  "      stale = stale + 1\n"                                                                   \
  "      if not tostring(err):find'stale view' then error(name .. ': ' .. tostring(err)) end\n" \
  "    end\n"                                                                                   \
  "  end\n"                                                                                     \
  "end\n"                                                                                       \
  "local function points() return vec3.array{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}} end\n"            \
  "local function columns() return vec3.soa(points()) end\n"                                    \
  "local function numbers() return f32.array{1, 2, 3} end\n"                                    \
  "local function mask() return u8.array{1, 0, 1} end\n"                                        \
  "local function indices() return u32.array{1, 3, 2} end\n"

static void run(const char *script) {
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, script);
  fake_run(&b.fake);
  fake_expect(&b.fake, "done\n");
  bench_close(&b);
}

static void verbs_of_values_survive(void **state) {
  (void)state;
  run(HURT "for _, make in ipairs{points} do\n"
           "  hurt('add', make, function(a) return a[1] + a[2] end)\n"
           "  hurt('method', make, function(a) local v, w = a[1], a[2] return v:cross(w) end)\n"
           "  hurt('table', make, function(a) local v = a[1] return v + {1, 2, 3} end)\n"
           "  hurt('number', make, function(a) local v = a[1] return 2 * v, 1 - v end)\n"
           "  hurt('several', make, function(a)\n"
           "    local v, w = a[1], a[2]\n"
           "    return vec3.ortho_normalize(v, w, nil, v)\n"
           "  end)\n"
           "end\n"
           "assert(stale > 10)\n");
}

static void arrays_survive(void **state) {
  (void)state;
  run(HURT
      "for _, make in ipairs{points, columns} do\n"
      "  hurt('clone', make, function(a) return a:clone() end)\n"
      "  hurt('pack', make, function(a) return a:pack() end)\n"
      "  hurt('totable', make, function(a) return a:totable() end)\n"
      "  hurt('array', make, function(a) return vec3.array(a), vec3.soa(a) end)\n"
      "  hurt('slice', make, function(a) return a:slice(1, 2), a:field'x' end)\n"
      "  hurt('index', make, function(a) return a[1].x + a[3].z end)\n"
      "  hurt('each', make, function(a) for i, x in a:each() do local t = {} end end)\n"
      "  hurt('move', make, function(a) return a:move() end)\n"
      "  hurt('add', make, function(a) return a + a end)\n"
      "  hurt('reduce', make, function(a) return a:sum(), a:aabb() end)\n"
      "  hurt('each op', make, function(a) return a:rotate(quat.identity) end)\n"
      "  hurt('value left', make, function(a) return vec3(1, 1, 1) - a end)\n"
      "  hurt('overlap', make, function(a) return a:slice(1, 2):add(1, a:slice(2, 3)) end)\n"
      "end\n"
      "hurt('views', points, function(a) for i, v in a:views() do local t = {v.x} end end)\n"
      "hurt('table', points, function(a) return a + {1, 2, 3} end)\n"
      "hurt('mask', mask, function(a) return a & ~a, a:indices() end)\n"
      "local Kind = struct.enum('Kind', 'u8', {A = 1, B = 2})\n"
      "local Money = struct.define('Money', 'amount:dec128 kind:Kind tax:dec128')\n"
      "hurt('get', function() return Money.array(2) end, function(a) return a:get(2) end)\n"
      "hurt('each', function() return Money.array(2) end, function(a)\n"
      "  for i, amount, kind, tax in a:each() do local t = {tax} end end)\n"
      "hurt('bytes', points, function(a) return a:bytes():get('dec128', 0, 2) end)\n"
      "hurt('clone', points, function(a) return a:bytes():clone(), a:bytes():slice(4):sub(1) end)\n"
      "assert(stale > 60, stale)\n");
}

static void selections_survive(void **state) {
  (void)state;
  run(HURT "for _, make in ipairs{points, columns} do\n"
           "  hurt('select', make, function(a) return a:select(mask()) end)\n"
           "  hurt('gather', make, function(a) return a:gather(indices()) end)\n"
           "  hurt('sort', make, function(a) return a:sort_by(numbers()) end)\n"
           "  hurt('sort in place', make, function(a) return a:sort_by(a:field'x', a) end)\n"
           "  hurt('scatter', make, function(a) return a:scatter(indices(), points()) end)\n"
           "end\n"
           "hurt('mask', mask, function(m) return points():select(m) end)\n"
           "hurt('indices', indices, function(i) return points():gather(i) end)\n"
           "hurt('keys', numbers, function(k) return points():sort_by(k) end)\n"
           "assert(stale > 20, stale)\n");
}

static void queries_survive(void **state) {
  (void)state;
  run(HURT
      "local function rays() return ray.array{{{0, 0, -5}, {0, 0, 1}}, {{9, 9, 9}, {0, 1, 0}}} "
      "end\n"
      "local function spheres() return sphere.array{{{0, 0, 0}, 1}} end\n"
      "local function ring() return dvec2.array{{0, 0}, {4, 0}, {4, 4}, {0, 4}} end\n"
      "local function places() return dvec2.array{{1, 1}, {9, 9}} end\n"
      "local world = geometry.scene{spheres = spheres()}\n"
      "local zones = geometry.zones{{id = 7, ring = ring()}}\n"
      "local polygon = geometry.polygon{ring = ring()}\n"
      "local index = geometry.nearest(places())\n"
      "hurt('scene', spheres, function(a)\n"
      "  return geometry.scene{spheres = a, planes = {{{0, 1, 0}, 0}}, boxes = {{}}} end)\n"
      "hurt('intersect', rays, function(a) return world:intersect(a) end)\n"
      "hurt('occluded', rays, function(a) return world:occluded(a) end)\n"
      "hurt('zones', ring, function(a)\n"
      "  return geometry.zones{{id = 1, ring = a}, {id = 2, ring = {{0, 0}, {1, 0}, {1, 1}},\n"
      "    holes = {{{0, 0}, {1, 0}, {1, 1}}}}} end)\n"
      "hurt('polygon', ring, function(a)\n"
      "  return geometry.polygon{ring = a, holes = {{{1, 1}, {2, 1}, {2, 2}}}} end)\n"
      "hurt('locate', places, function(a) return zones:locate(a) end)\n"
      "hurt('contains', places, function(a) return polygon:contains(a), a:inside(polygon) end)\n"
      "hurt('index', places, function(a) return geometry.nearest(a) end)\n"
      "hurt('nearest', places, function(a) return index:nearest(a, {k = 2}) end)\n"
      "hurt('points', places, function(a) return a:nearest({{1, 1}, {2, 2}}, {k = 2}) end)\n"
      "hurt('both', places, function(a) return a:nearest(a) end)\n"
      "assert(stale > 30, stale)\n");
}

// What was counted or checked before dst was made may be otherwise behind that.
static void indices_and_masks_may_be_written_meanwhile(void **state) {
  (void)state;
  run("local points, refused = vec3.array(64), 0\n"
      "local function written_while(make, f)\n"
      "  for n = 1, 8 do\n"
      "    local a = make()\n"
      "    written(a:bytes(), n)\n"
      "    local ok, err = pcall(f, a)\n"
      "    taken(a:bytes(), 0)\n"
      "    if not ok then\n"
      "      refused = refused + 1\n"
      "      assert(err:find'was changed while' or err:find'indices are 1 to 64', err)\n"
      "    end\n"
      "  end\n"
      "end\n"
      "local function mask() local m = struct.u8.array(64) m[1] = 1 return m end\n"
      "local function none() return struct.u32.array(64) end\n"
      "written_while(mask, function(m) return points:select(m) end)\n"
      "written_while(mask, function(m) return m:indices() end)\n"
      "written_while(none, function(i) return points:gather(i) end)\n"
      "assert(refused > 5, refused)\n");
}

// A metamethod of a table of options is a script's, too.
static void options_may_move_what_was_given(void **state) {
  (void)state;
  run("local points, queries = dvec2.array{{1, 1}, {2, 2}}, dvec2.array{{1, 1}}\n"
      "local options = setmetatable({}, {__index = function(_, key)\n"
      "  if key == 'distances' then points:move() end\n"
      "end})\n"
      "assert(fails(points.nearest, points, queries, options):find'stale view')\n"
      "local mask = struct.u8.array{1, 0, 0, 0}\n"
      "local lists = setmetatable({}, {__index = function(_, key)\n"
      "  if key == 'spheres' then return sphere.array(2) end\n"
      "  if key == 'planes' then collectgarbage() end\n"
      "end})\n"
      "geometry.scene(lists)\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verbs_of_values_survive),
      cmocka_unit_test(arrays_survive),
      cmocka_unit_test(selections_survive),
      cmocka_unit_test(queries_survive),
      cmocka_unit_test(indices_and_masks_may_be_written_meanwhile),
      cmocka_unit_test(options_may_move_what_was_given),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
