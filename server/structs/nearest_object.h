/// points:nearest(queries, options): which points are nearest to others; geometry.nearest(points)
/// keeps the index that it is found by.
#pragma once

#include <lua.h>

/* points, queries [, {k = , radius = , dst = , distances = }] -> u32[], f32[] or f64[] */
int pl_nearest_object_call(lua_State *L);

/* geometry.nearest(points) -> an object with the same method */
int pl_nearest_object_new(lua_State *L);

/// Makes its metatable. Once per state.
void pl_nearest_object_open(lua_State *L);
