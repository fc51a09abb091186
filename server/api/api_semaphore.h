/// Semaphores and mutexes between the tasks of a worker (userdata "perilune.Semaphore",
/// "perilune.Mutex"), and the permits that they give out ("perilune.Permit").
///
/// First come first served: a permit that comes back goes to whoever has waited longest, and nobody
/// who comes later gets it, even when its new owner has not run yet.
#pragma once

#include <lua.h>

/// Makes the metatables. Once per state. May raise out of memory.
void pl_task_semaphore_open(lua_State *L);

/// perilune.task.semaphore(n)
int pl_task_semaphore(lua_State *L);

/// perilune.task.mutex()
int pl_task_mutex(lua_State *L);
