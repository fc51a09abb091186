/// What crosses from one worker to another: a cell with somebody's message, which nobody here
/// looks into, and the letter by which it waits in one queue. A message for many is one cell and
/// many letters.
///
/// Thread: a letter belongs to who holds it; a cell does not change once it is shared.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"

/// What all messages on their way, and all that queues them, hold together.
struct pl_hub_budget {
  _Atomic size_t bytes;
  size_t limit;
};

/// Returns: false: that would be more than the limit, and nothing has changed. Thread: any.
PL_MUST_CHECK bool pl_hub_budget_take(struct pl_hub_budget *budget, size_t bytes);
void pl_hub_budget_give(struct pl_hub_budget *budget, size_t bytes);

/// Embed it.
struct pl_cell {
  _Atomic unsigned refs;
  size_t bytes;                  ///< taken from the budget
  struct pl_hub_budget *budget;  ///< gets them back when the cell is freed
  void (*free)(struct pl_cell *cell);
};

/// Makes a cell whose bytes have been taken from the budget, with one reference.
void pl_cell_init(struct pl_cell *cell, struct pl_hub_budget *budget, size_t bytes,
                  void (*free)(struct pl_cell *cell));

/// Thread: any.
struct pl_cell *pl_cell_ref(struct pl_cell *cell);
void pl_cell_unref(struct pl_cell *cell);

struct pl_letter {
  struct pl_list link;   ///< the queue's
  struct pl_cell *cell;  ///< a reference
  uint64_t order;        ///< its place in the queue that it is in, or was taken from
  uint64_t lost;         ///< how many before it were dropped there since the last one was taken
};

/// A letter for the cell, whose reference it takes over. Returns: NULL: out of memory, the
/// reference is still the caller's.
PL_MUST_CHECK struct pl_letter *pl_letter_new(struct pl_cell *cell);

/// NULL is allowed.
void pl_letter_free(struct pl_letter *letter);
