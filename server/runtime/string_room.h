/// Whether a string may be built: by its size, before it is.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

/// The memory left to what runs, in bytes.
size_t pl_string_room(lua_State *L);

/// Raises when `bytes` are more than the memory left. What builds a result in a buffer needs its
/// size twice at the end: the buffer and the string made of it.
/// @param function its name, for the message
/// @param result the size of the result, for the message
void pl_string_check_room(lua_State *L, const char *function, size_t bytes, size_t result);

/// The same for a result in a luaL_Buffer that is about to grow by len.
static inline void pl_string_check_growth(lua_State *L, const char *function,
                                          const luaL_Buffer *out, size_t len) {
  if (len <= out->size - out->n) return;
  size_t result = out->n + len;
  pl_string_check_room(L, function, 2 * result - out->size, result);
}
