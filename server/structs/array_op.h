/// A verb on arrays: each of its operands is an array, a value or a number for all elements; the
/// result is an array (dst, or a new one), of reductions a value.
///
/// Where kernels.h has a loop for it, that runs; else the op of a single value runs for each
/// element. Long ones run on the thread pool (offload.h).
#pragma once

#include <lua.h>

struct pl_method;

/// The call of `method` whose arguments are on the stack. Returns as a lua_CFunction does; yields.
int pl_array_op_call(lua_State *L, const struct pl_method *method);
