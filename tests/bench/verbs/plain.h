/// P8's other side: the plain loops of kernels/plain.c over packed vec3, and memcpy, as functions
/// of Lua that run a loop n times, so that kernels called from Lua are compared with them.
#pragma once

#include <lua.h>

/// Pushes the table name -> function(n): small_VERB over 4,096 elements, large_VERB over 2,000,000,
/// copy_VERB: memcpy of as many bytes as large_VERB reads and writes.
void bench_plain_push(lua_State *L);
