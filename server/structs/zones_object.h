/// geometry.zones and geometry.polygon as Lua objects.
#pragma once

#include <lua.h>
#include <stdbool.h>

/* geometry.zones{{id = , ring = , holes = }, ...} -> zones */
int pl_zones_object_new(lua_State *L);

/* geometry.polygon{ring = , holes = } -> polygon */
int pl_polygon_object_new(lua_State *L);

/// Whether a polygon is at `index`: then points:inside is pl_polygon_object_inside.
bool pl_polygon_object_is(lua_State *L, int index);

/* points, polygon, dst -> mask */
int pl_polygon_object_inside(lua_State *L);

/// Makes their metatables. Once per state.
void pl_zones_object_open(lua_State *L);
