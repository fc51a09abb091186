// The tree of tasks: who is below whom, what goes down it (a cancellation), and up (a failure).
#include "runtime/tree.h"

#include <lauxlib.h>

#include "runtime/grace.h"
#include "runtime/wait.h"

struct pl_task *pl_task_scope(struct pl_task *task) {
  while (!task->is_scope) task = task->parent;
  return task;
}

// ---- cancelling ----

// A walk visits children before their parent. `is_whole`: shields, too, are entered.
static bool is_sheltered(const struct pl_task *task) {
  return task->is_shield && !task->cancelled;
}

static struct pl_task *first_leaf(struct pl_task *task, bool is_whole) {
  while (!pl_list_is_empty(&task->children)) {
    task = PL_CONTAINER_OF(task->children.next, struct pl_task, sibling);
    if (!is_whole && is_sheltered(task)) break;
  }
  return task;
}

static struct pl_task *next_in_walk(struct pl_task *task, bool is_whole) {
  struct pl_list *next = task->sibling.next;
  if (next == &task->parent->children) return task->parent;
  struct pl_task *sibling = PL_CONTAINER_OF(next, struct pl_task, sibling);
  return !is_whole && is_sheltered(sibling) ? sibling : first_leaf(sibling, is_whole);
}

static void cancel_one(struct pl_task *task, enum pl_cancel_reason reason) {
  if (task->cancelled) return;
  if (task->state == PL_TASK_ENDED) {  // its joiner asks whether all children got to their end
    if (task->joiner) task->cancelled = reason;
    return;
  }
  task->cancelled = reason;
  pl_list_remove(&task->grace);
  pl_grace_begin(task);
  if (task->state == PL_TASK_WAITING) pl_wait_cancel(task);
}

void pl_task_cancel(struct pl_task *task, enum pl_cancel_reason reason) {
  struct pl_task *t = first_leaf(task, false);
  for (; t != task; t = next_in_walk(t, false)) {
    if (is_sheltered(t))
      pl_grace_shelter(t, reason);
    else
      cancel_one(t, reason);
  }
  cancel_one(task, reason);
}

bool pl_task_fail_scope(struct pl_task *scope) {
  bool is_open = scope->state != PL_TASK_ENDED || scope->joiner;
  if (!is_open || scope->cancelled || scope->has_failed || scope->has_failed_child) return false;
  int ref = luaL_ref(scope->vm->L, LUA_REGISTRYINDEX);
  luaL_unref(scope->vm->L, LUA_REGISTRYINDEX,
             scope->failure_ref);  // a finaliser's, run by luaL_ref
  scope->failure_ref = ref;
  scope->has_failed_child = true;
  pl_task_cancel(scope, PL_CANCEL_PARENT);
  return true;
}

struct pl_task *pl_task_find_running(struct pl_task *task) {
  for (struct pl_task *t = first_leaf(task, true); t != task; t = next_in_walk(t, true))
    if (t->state != PL_TASK_ENDED) return t;
  return task->state == PL_TASK_ENDED ? NULL : task;
}

// ---- who waits for whom ----

static bool is_below(const struct pl_task *task, const struct pl_task *ancestor) {
  while (task && task != ancestor) task = task->parent;
  return task;
}

// It ends: an await that would close a circle is refused, and a join is for a new task.
bool pl_task_waits_for(const struct pl_task *task, const struct pl_task *other) {
  while (task->state == PL_TASK_WAITING && task->wait && task->wait->target) {
    const struct pl_task *target = task->wait->target;
    if (target == other || (task->wait->is_join && is_below(other, target))) return true;
    task = target;
  }
  return false;
}
