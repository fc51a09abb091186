/// An intrusive doubly linked ring: the head is a node that carries nothing. A node is in at most
/// one list; one that is in none points to itself, so removing it twice is harmless.
#pragma once

#include <stdbool.h>

struct pl_list {
  struct pl_list *next;
  struct pl_list *prev;
};

static inline void pl_list_init(struct pl_list *node) {
  node->next = node->prev = node;
}

static inline bool pl_list_is_empty(const struct pl_list *head) {
  return head->next == head;
}

static inline void pl_list_push_back(struct pl_list *head, struct pl_list *node) {
  node->prev = head->prev;
  node->next = head;
  head->prev->next = node;
  head->prev = node;
}

static inline void pl_list_remove(struct pl_list *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  pl_list_init(node);
}

/// The first node, taken out of the list; NULL when the list is empty.
static inline struct pl_list *pl_list_pop_front(struct pl_list *head) {
  if (pl_list_is_empty(head)) return 0;
  struct pl_list *node = head->next;
  pl_list_remove(node);
  return node;
}

/// Appends every node of `from` to `to`, in order; `from` is empty afterwards.
static inline void pl_list_move_all(struct pl_list *to, struct pl_list *from) {
  if (pl_list_is_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  pl_list_init(from);
}
