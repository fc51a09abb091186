/// The tree of tasks: scopes, and what goes down and up in them. Part of what task.h offers.
///
///   root (a request's task, a background task) -- scope
///     +- child, spawned              cancelled with its parent; its failure, when nobody awaits
///     |    +- child of that one      it, is its scope's
///     +- scope (task.group, ...)     joined by its parent, which waits for all of it
///
/// Thread: the vm's.
#pragma once

#include <stdbool.h>

#include "runtime/state.h"

/// The scope that `task` runs in: what it spawns are children of that one.
struct pl_task *pl_task_scope(struct pl_task *task);

/// Cancels the task and what is below it, children first, level-triggered: the wait is cancelled
/// and raises, and so does every later one. The first reason stays. A shield below it is left alone
/// until the grace time is over. Runs nothing now. Harmless on an ended task, whose children are
/// still cancelled.
void pl_task_cancel(struct pl_task *task, enum pl_cancel_reason reason);

/// A child of `scope` has failed with the error object on top of the main state's stack (nil: that
/// was lost), and nobody awaits it: pops it, makes it the scope's outcome and cancels the scope.
/// Returns: false when it was not taken: the scope has another outcome, or it has ended and nobody
/// joins it. May raise out of memory, for nil never.
bool pl_task_fail_scope(struct pl_task *scope);

/// Whether `task` cannot go on before `other` has ended: it awaits it, or a scope that it is in, or
/// a task that does. No more than one way is followed: false may be wrong, true is not.
bool pl_task_waits_for(const struct pl_task *task, const struct pl_task *other);

/// The first task below `task`, children first, that has not ended; NULL: there is none.
struct pl_task *pl_task_find_running(struct pl_task *task);
