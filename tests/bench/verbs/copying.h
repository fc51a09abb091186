/// Vector3, Quaternion, Matrix4x4 and Vector3[] as xLua gives them to scripts (structs.md 2): a
/// userdata with a head {fake_id, len} and the struct's bytes. An operand's type is the number at 1
/// of its metatable; every method copies its operands out, computes on its copy, and pushes a new
/// userdata or writes its copy back.
#pragma once

#include <lua.h>

/// Sets the globals vec3, quat, mat4 (constructors) and vec3_array(n).
void bench_copying_open(lua_State *L);
