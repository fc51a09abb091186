/// coroutine.* that suspend the whole chain: a wait inside a coroutine that the script made
/// suspends every resumer up to the task, and comes back into the innermost one.
///
/// The scheduler resumes the innermost coroutine of the chain; its resumers stay parked in
/// lua_yieldk until it really yields or ends (flat: no C stack per level). A parked coroutine is
/// "normal" to coroutine.status, and Lua's documented meaning holds throughout.
#pragma once

#include <lua.h>

/// Replaces the coroutine library of L by ours.
void pl_coroutines_open(lua_State *L);
