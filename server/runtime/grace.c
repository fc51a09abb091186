// A list in the order of the due times. All have the same time to go, so a new one belongs at the
// end; only a shield that shares what is left of another's is put in further ahead.
#include "runtime/grace.h"

#include "base/base.h"
#include "base/clock.h"

struct pl_task *pl_grace_task_at(struct pl_list *node) {
  return PL_CONTAINER_OF(node, struct pl_task, grace);
}

void pl_grace_set_timer(struct pl_vm *vm) {
  if (!pl_list_is_empty(&vm->grace))
    vm->host.set_grace_timer(vm->host.ctx, pl_grace_task_at(vm->grace.next)->grace_due_ms);
}

void pl_grace_add(struct pl_task *task, uint64_t due_ms) {
  struct pl_vm *vm = task->vm;
  if (!vm->grace_ms || !vm->host.set_grace_timer) return;
  task->grace_due_ms = due_ms;
  struct pl_list *before = &vm->grace;
  while (before->prev != &vm->grace && pl_grace_task_at(before->prev)->grace_due_ms > due_ms)
    before = before->prev;
  pl_list_push_back(before, &task->grace);
  if (vm->grace.next == &task->grace) pl_grace_set_timer(vm);
}

void pl_grace_begin(struct pl_task *task) {
  pl_grace_add(task, pl_clock_ms() + task->vm->grace_ms);
}

void pl_grace_shelter(struct pl_task *shield, enum pl_cancel_reason reason) {
  if (shield->sheltered_from) return;
  shield->sheltered_from = reason;
  pl_grace_begin(shield);
}

void pl_grace_share(struct pl_task *shield, const struct pl_task *cancelled) {
  shield->sheltered_from = cancelled->cancelled;
  pl_grace_add(shield, cancelled->grace_due_ms);
}
