// What is gathered gets a box, too, so that it is counted until it has left.
#include "api/packed.h"

#include "api/box_hold.h"
#include "base/bytes.h"
#include "base/error.h"
#include "structs/box.h"
#include "structs/memory.h"
#include "structs/operand.h"

static bool is_one_piece(const struct pl_span *span) {
  return pl_span_is_dense(span) || (!span->column && span->count <= 1);
}

static void copy_element(char *to, const struct pl_span *span, size_t i) {
  if (!span->column) {
    pl_bytes_copy(to, pl_span_at(span, i), span->layout->size);
    return;
  }
  size_t size = pl_scalar_size((enum pl_scalar)span->layout->part);
  for (uint32_t k = 0; k < span->layout->part_count; k++)
    pl_bytes_copy(to + k * size, pl_span_at(span, i) + k * span->column, size);
}

// Pushes a box with the elements one behind the other.
static void push_gathered(lua_State *L, const struct pl_span *span) {
  size_t size = span->layout->size;
  struct pl_bytes *bytes = pl_memory_take(L, span->count, size, span->layout->name.data);
  for (size_t i = 0; i < span->count; i++) copy_element(bytes->data + i * size, span, i);
  pl_box_push(L, bytes);
}

void pl_packed_take(lua_State *L, const struct pl_call *call, int index,
                    const struct pl_operand *operand, struct pl_packed *packed) {
  const struct pl_span *span = &operand->span;
  *packed = (struct pl_packed){.text = {span->data, span->count * span->layout->size}};
  if (!packed->text.len) return;
  if (!is_one_piece(span)) {
    push_gathered(L, span);
    packed->text.data = pl_box_get(L, -1)->data;
  } else if (operand->box) {
    pl_operand_push_box(L, index);
  } else {
    return;
  }
  pl_box_hold(L, call, -1, &packed->hold);
  lua_pop(L, 1);
}

void pl_packed_release(const struct pl_packed *packed, int result) {
  bool is_taken = result == 0 || result == PL_EAGAIN;
  if (packed->hold.bytes && !is_taken) pl_box_hold_drop(&packed->hold);
}
