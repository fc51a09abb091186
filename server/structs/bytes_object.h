/// `bytes` as scripts see them: struct.bytes, and the methods of boxes and of slices of them.
#pragma once

#include <lua.h>
#include <stddef.h>

/// Fills the boxes' metatable and makes that of slices. Once per state.
void pl_bytes_object_open(lua_State *L);

/* struct.bytes(size | string) */
int pl_bytes_object_new(lua_State *L);

/// Pushes a part of the box at `holder`, in which it must lie. May raise out of memory.
void pl_bytes_object_push_slice(lua_State *L, int holder, size_t offset, size_t size);
