// Counted by reference, charged to one budget.
#include "io/cell.h"

#include "base/mem.h"

bool pl_hub_budget_take(struct pl_hub_budget *budget, size_t bytes) {
  size_t before = atomic_fetch_add_explicit(&budget->bytes, bytes, memory_order_relaxed);
  if (before <= budget->limit && bytes <= budget->limit - before) return true;
  pl_hub_budget_give(budget, bytes);
  return false;
}

void pl_hub_budget_give(struct pl_hub_budget *budget, size_t bytes) {
  atomic_fetch_sub_explicit(&budget->bytes, bytes, memory_order_relaxed);
}

void pl_cell_init(struct pl_cell *cell, struct pl_hub_budget *budget, size_t bytes,
                  void (*free)(struct pl_cell *cell)) {
  atomic_init(&cell->refs, 1);
  cell->budget = budget;
  cell->bytes = bytes;
  cell->free = free;
}

struct pl_cell *pl_cell_ref(struct pl_cell *cell) {
  atomic_fetch_add_explicit(&cell->refs, 1, memory_order_relaxed);
  return cell;
}

void pl_cell_unref(struct pl_cell *cell) {
  if (atomic_fetch_sub_explicit(&cell->refs, 1, memory_order_acq_rel) > 1) return;
  pl_hub_budget_give(cell->budget, cell->bytes);
  cell->free(cell);
}

struct pl_letter *pl_letter_new(struct pl_cell *cell) {
  struct pl_letter *letter = pl_mem_alloc(sizeof *letter);
  if (!letter) return NULL;
  *letter = (struct pl_letter){.cell = cell};
  pl_list_init(&letter->link);
  return letter;
}

void pl_letter_free(struct pl_letter *letter) {
  if (!letter) return;
  pl_cell_unref(letter->cell);
  pl_mem_free(letter);
}
