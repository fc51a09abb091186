/// geometry.scene{...}: shapes that rays are tested against, as a Lua object.
#pragma once

#include <lua.h>

/* geometry.scene{spheres = , boxes = , triangles = , planes = } -> scene. May wait. */
int pl_scene_object_new(lua_State *L);

/// Makes the scenes' metatable. Once per state.
void pl_scene_object_open(lua_State *L);
