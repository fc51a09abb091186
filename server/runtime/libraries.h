/// Lua's own libraries with our differences (contract 5.6 "Differences from stock Lua"); the
/// coroutine library is coroutines.h's, require is require.h's, matching and building strings is
/// strings.h's, which pl_libraries_open calls.
#pragma once

#include <lua.h>

/// Opens Lua's libraries and replaces what a shared server cannot let a script do: load, loadfile
/// and dofile take text only; os.exit and os.setlocale raise; debug.sethook raises while a task
/// runs; collectgarbage may not stop or tune the collector in a task; print goes to host.print.
/// May raise out of memory: call it protected.
void pl_libraries_open(lua_State *L);

/// From now on a request's task (one with an owner) that assigns a global which does not exist yet
/// is reported through host.warn, once per name, with file:line. Call it when the app has loaded.
/// An app that has set a `__newindex` of its own on _G keeps it. May raise out of memory: call it
/// protected.
void pl_libraries_guard_globals(lua_State *L);
