/// Scopes: functions that run in a child of the calling task, which waits until the child and
/// everything below it has gone. So nothing that was started inside outlives the call, and whatever
/// cancels the caller reaches all of it.
///
/// The child's result stays in the results table until the caller takes it. What it raised is
/// raised again in the caller: the same error object, with the child's traceback; when a child of
/// the scope failed, that one's.
#pragma once

#include <lua.h>

/// task.timeout(seconds, fn, ...) -> what fn returns. When the time is over first, all of it is
/// cancelled (reason "timeout") and the call raises ETIMEDOUT, status 504.
int pl_task_timeout(lua_State *L);

/// task.shield(fn, ...) -> what fn returns: it may wait although the caller is cancelled, until the
/// grace time is over.
int pl_task_shield(lua_State *L);

/// scope(fn, ...) -> what fn returns: what it spawns ends with it; for task.group and its like
int pl_task_run_scope(lua_State *L);
