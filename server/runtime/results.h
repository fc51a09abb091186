/// The pointer-hashed table of results, in the Lua registry: its keys are the coroutines
/// themselves, which Lua hashes by address and which the key anchors.
///
///   false          in the pool, or its task runs and has not waited yet: nothing is kept
///   true           its task waits or has waited
///   other          the result: a single value as it is, else a table {n = count, ...}
///
/// An address names a coroutine only while it lives; so the key is the coroutine, not the bare
/// pointer, and whoever asks later brings the task's id. tests/unit/results_bare.c keeps the bare
/// pointer instead and must fail the test.
///
/// Thread: the vm's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/// Makes the table. May raise out of memory: call it protected.
void pl_results_open(lua_State *L);

/// Task `id` on `co` waits for the first time: its entry becomes true. The key must be there
/// (adopt). (A task that never waits keeps its result, if it has one, without this: two writes less
/// for it.)
void pl_results_begin(lua_State *co, uint64_t id);

/// First use of a coroutine on top of L's stack: makes its key, value false; pops it. May raise
/// out of memory: call it protected.
void pl_results_adopt(lua_State *L);

/// Keeps the top `count` values of co's stack as the result of task `id` and pops them. May raise
/// out of memory.
void pl_results_put(lua_State *co, uint64_t id, int count);

/// Pushes the kept values of co's task `id` onto L. Returns: their number, or -1: nothing is kept
/// for that id (it runs, or the coroutine serves another task now); nothing pushed.
int pl_results_push(lua_State *L, lua_State *co, uint64_t id);

/// Drops what is kept for that id: the entry becomes false.
void pl_results_clear(lua_State *co, uint64_t id);

/// The coroutine leaves the pool: its key goes, and the anchor with it.
void pl_results_forget(lua_State *L, lua_State *co);

/// Entries other than false: 0 at idle. Walks the table: for tests and audits.
size_t pl_results_count(lua_State *L);
