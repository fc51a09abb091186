/// New off-heap bytes for scripts, within what the request and the worker may hold.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stddef.h>

#include "base/bytes.h"

/// `count` times `size` zeros, with one reference. Raises when one request may not hold so many
/// (limits.request_memory), when the worker would go over its ceiling (limits.memory), or when
/// there is no memory. What a request makes beyond its limit in several pieces ends it, as
/// everything else does (runtime/overdraft.h), garbage not counted.
/// @param what of what there are so many, for the message: "vec3", "bytes"
struct pl_bytes *pl_memory_take(lua_State *L, size_t count, size_t size, const char *what);
