// The carrier takes a reference of its own, and tells when the bytes may be written again.
#include "api/packed.h"

#include "base/bytes.h"
#include "base/error.h"
#include "structs/box.h"
#include "structs/memory.h"
#include "structs/operand.h"

static void unpin(void *bytes) {
  pl_bytes_unpin(bytes);
}

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

static struct pl_bytes *gather(lua_State *L, const struct pl_span *span) {
  size_t size = span->layout->size;
  struct pl_bytes *bytes = pl_memory_take(L, span->count, size, span->layout->name.data);
  for (size_t i = 0; i < span->count; i++) copy_element(bytes->data + i * size, span, i);
  return bytes;
}

void pl_packed_take(lua_State *L, const struct pl_operand *operand, struct pl_packed *packed) {
  const struct pl_span *span = &operand->span;
  *packed = (struct pl_packed){.text = {span->data, span->count * span->layout->size}};
  if (!is_one_piece(span)) {
    packed->hold.bytes = gather(L, span);
    packed->text.data = packed->hold.bytes->data;
  } else if (operand->box && packed->text.len) {
    packed->hold = (struct pl_hold){pl_bytes_ref(operand->box->bytes), unpin, operand->box->bytes};
    pl_bytes_pin(operand->box->bytes, "the answer");
  }
}

void pl_packed_release(struct pl_packed *packed, int result) {
  bool is_taken = result == 0 || result == PL_EAGAIN;
  if (!is_taken && packed->hold.on_sent) packed->hold.on_sent(packed->hold.ctx);
  pl_bytes_unref(packed->hold.bytes);
}
