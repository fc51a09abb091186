/// Tasks that a script starts: how they get their function, and where their failures go.
///
/// Cancelling a task reaches what it has spawned. A child that fails while nobody awaits it is the
/// failure of its scope (runtime/task.h); when that has an outcome already it is logged, and so is
/// what a cancelled task raises. That it was cancelled is no failure.
///
/// Thread: the vm's.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "runtime/task.h"

/// The ops of spawned and background tasks.
extern const struct pl_task_ops pl_task_child_ops;

/// A task that does not run yet. Raises, naming the operation, when memory is short.
/// @param parent NULL for a root
struct pl_task *pl_task_child_new(lua_State *L, struct pl_task *parent,
                                  const struct pl_task_ops *ops, const char *operation);

/// Raises unless the values from stack index `fn` on are a function and arguments that can be moved
/// to a child. Before the child is made: it could not be given back.
void pl_task_child_check(lua_State *L, int fn);

/// Gives it the function at L's index `fn` and the arguments behind it, up to index `last`, and
/// lets it run in the next round. Never raises.
void pl_task_child_start(lua_State *L, struct pl_task *child, int fn, int last);

/// Whether the error object at the top of L's stack says no more than that `task` was cancelled.
bool pl_task_is_cancellation(lua_State *L, const struct pl_task *task);

/// task.spawn(fn, ...) -> task: a child of the running task, and so of its scope
int pl_task_spawn(lua_State *L);

/// spawn_in(task, fn, ...) -> task: a child of that scope; for the g of task.group
int pl_task_spawn_in(lua_State *L);

/// task.background(fn, ...) -> task: a root of its own
int pl_task_background(lua_State *L);
