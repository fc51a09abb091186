// perilune.geometry: the built-in types, made when they are first asked for, functions of numbers,
// and queries.
#include "api/api.h"

#include <lauxlib.h>

#include "geometry/op.h"
#include "structs/method.h"
#include "structs/nearest_object.h"
#include "structs/scene_object.h"
#include "structs/type.h"
#include "structs/zones_object.h"

/* stack: module, name */
static int find_type(lua_State *L) {
  struct pl_strv name;
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  name.data = lua_tolstring(L, 2, &name.len);
  const struct pl_layout *layout = pl_layout_find_builtin(name);
  if (!layout || layout->kind != PL_LAYOUT_STRUCT) return 0;
  pl_type_push(L, pl_type_of(L, layout));
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

static void open_geometry(lua_State *L) {
  pl_method_add_numbers(L, pl_number_ops());
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, find_type);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

static const struct pl_api_fn functions[] = {
    {"scene", pl_scene_object_new, PL_API_YIELDS,
     "(shapes: {spheres?, boxes?, triangles?, planes?})",
     "Shapes that rays and segments are tested against: scene:intersect, scene:occluded."},
    {"zones", pl_zones_object_new, PL_API_PURE, "(zones: {id, ring, holes?}[])",
     "Polygons with ids: zones:locate says in which of them points are."},
    {"polygon", pl_polygon_object_new, PL_API_PURE, "(polygon: {ring, holes?})",
     "One polygon: polygon:contains(points), points:inside(polygon)."},
    {"nearest", pl_nearest_object_new, PL_API_PURE, "(points: array)",
     "Keeps an index of points: index:nearest(queries, {k?, radius?})."},
    {NULL, NULL, 0, NULL, NULL}};

const struct pl_api_module pl_api_geometry = {
    .name = "perilune.geometry", .functions = functions, .open = open_geometry};
