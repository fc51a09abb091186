/// The script's handle of a task (userdata "perilune.Task"): await, status, cancel, result.
///
/// A handle keeps the task's slot and id, so it never shows another task's data. While the task
/// lives its handle is anchored; when the task goes back to the pool the result moves from the
/// results table into the handle, which answers from then on.
#pragma once

#include <lua.h>
#include <stdint.h>

struct pl_task;

/// Makes the metatable and the table of anchors, and sets the vm's hooks for tasks with a handle.
/// Once per state. May raise out of memory.
void pl_task_handle_open(lua_State *L);

/// Pushes the task's handle; makes it on first use. May raise out of memory.
void pl_task_handle_push(lua_State *L, struct pl_task *task);

/// The id of the task behind the handle at `index`, or 0: that is no handle.
uint64_t pl_task_handle_id(lua_State *L, int index);

/// The task behind the handle at `index`, or NULL: it has gone. Raises when that is no handle.
struct pl_task *pl_task_handle_task(lua_State *L, int index);

/// perilune.task.result(task_or_thread)
int pl_task_handle_result(lua_State *L);
