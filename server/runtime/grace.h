/// The time that a cancelled task has to end by itself, and that a shield has below a cancelled
/// task; here is who has how long, overdue.h says what becomes of those whose time is over.
///
/// The caller has one timer per vm: host.set_grace_timer says when pl_overdue_end is due.
///
/// Thread: the vm's.
#pragma once

#include <stdint.h>

#include "runtime/state.h"

/// The task has just been cancelled: its grace time begins.
void pl_grace_begin(struct pl_task *task);

/// The shield's parent was cancelled with that reason; harmless when repeated.
void pl_grace_shelter(struct pl_task *shield, enum pl_cancel_reason reason);

/// A shield that opens in a task whose grace time is running: it has what is left of that.
void pl_grace_share(struct pl_task *shield, const struct pl_task *cancelled);

/// The task has until due_ms. It must not be in the list.
void pl_grace_add(struct pl_task *task, uint64_t due_ms);

/// Asks for the timer when somebody is in the list.
void pl_grace_set_timer(struct pl_vm *vm);

/// The task that is the node of vm->grace, or of a list made of such.
struct pl_task *pl_grace_task_at(struct pl_list *node);
