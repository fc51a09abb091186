// The end of patience with cancelled tasks.
#include "runtime/overdue.h"

#include "runtime/grace.h"
#include "runtime/kill.h"
#include "runtime/task.h"

enum { SLICES = 8 };  // what it takes to unwind, at most

// Children first, so that nobody sees a child outlive its scope. Each kill changes the tree.
static void kill_tree(struct pl_task *task) {
  uint64_t id = task->id;
  struct pl_task *next;
  while (task->id == id && (next = pl_task_find_running(task))) pl_kill_task(next, PL_KILL_GRACE);
}

static void give_time(struct pl_task *task, uint64_t now_ms) {
  pl_grace_add(task, now_ms + task->vm->grace_ms);
}

// Whether the task, or the first of those that it waits for, has not had the CPU that it needs: it
// stands in the run queue with its cancellation, or was preempted while it unwinds. With many tasks
// that queue may be longer than the grace time.
static bool is_in_queue(struct pl_task *task) {
  struct pl_task *first = task->joined ? pl_task_find_running(task->joined) : task;
  if (!first || first->state != PL_TASK_READY || !first->cancelled) return false;
  return !first->has_heard || (first->late_slices > 0 && first->late_slices < SLICES);
}

static void end_one(struct pl_task *task, uint64_t now_ms) {
  if (task->is_shield && !task->cancelled) {
    pl_task_cancel(task, task->sheltered_from);
  } else if (is_in_queue(task)) {
    give_time(task, now_ms);
  } else if (task->joined && !task->is_overdue) {
    task->is_overdue = true;
    give_time(task, now_ms);
  } else {
    kill_tree(task);
  }
}

// Those that are due now; what becomes of them may add others, or take them out of the list.
void pl_overdue_end(struct pl_vm *vm, uint64_t now_ms) {
  struct pl_list due;
  pl_list_init(&due);
  while (!pl_list_is_empty(&vm->grace) && pl_grace_task_at(vm->grace.next)->grace_due_ms <= now_ms)
    pl_list_push_back(&due, pl_list_pop_front(&vm->grace));
  while (!pl_list_is_empty(&due)) end_one(pl_grace_task_at(pl_list_pop_front(&due)), now_ms);
  pl_grace_set_timer(vm);
}
