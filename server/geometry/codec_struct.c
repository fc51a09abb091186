// Whole structs component by component (codec.h). Arrays of one scalar kind are loops; nothing here
// recurses deeper than structs are nested.
#include <math.h>

#include "geometry/codec.h"

// What is asked of each pair of components. eps < 0: equality.
struct question {
  double eps;
};

static bool are_close(const struct question *question, double a, double b) {
  if (a == b) return true;
  return question->eps >= 0 && fabs(a - b) <= question->eps;  // false for NaN and inf - inf
}

// Exact however far apart they are.
static double difference(bool is_unsigned, int64_t a, int64_t b) {
  bool is_less = is_unsigned ? (uint64_t)a < (uint64_t)b : a < b;
  return (double)(is_less ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b);
}

static bool are_decimals_close(const struct question *question, struct pl_decimal128 a,
                               struct pl_decimal128 b) {
  int order = pl_decimal128_compare(a, b);
  if (order == 0) return true;
  if (order == PL_DECIMAL128_UNORDERED || question->eps < 0) return false;
  return fabs(pl_decimal128_to_double(pl_decimal128_sub(a, b))) <= question->eps;
}

static bool are_scalars_close(const struct question *question, const struct pl_layout *type,
                              const char *a, const char *b) {
  struct pl_value x = pl_codec_load(type, a), y = pl_codec_load(type, b);
  switch (x.kind) {
  case PL_VALUE_BOOL:
    return x.boolean == y.boolean;
  case PL_VALUE_INTEGER:
    if (x.integer == y.integer) return true;
    return type->kind == PL_LAYOUT_SCALAR && question->eps >= 0 &&
           difference(type->scalar == PL_SCALAR_U64, x.integer, y.integer) <= question->eps;
  case PL_VALUE_DECIMAL:
    return are_decimals_close(question, x.decimal, y.decimal);
  default:
    return are_close(question, x.number, y.number);
  }
}

static bool are_values_close(const struct question *question, const struct pl_layout *layout,
                             const char *a, const char *b) {
  if (layout->kind != PL_LAYOUT_STRUCT) return are_scalars_close(question, layout, a, b);
  uint32_t count = 0;
  if (layout->part != PL_SCALAR_NONE) {
    const struct pl_layout *part = pl_layout_scalar((enum pl_scalar)layout->part);
    for (uint32_t i = 0; i < layout->part_count; i++)
      if (!are_scalars_close(question, part, a + i * part->size, b + i * part->size)) return false;
    return true;
  }
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    count = field->count ? field->count : 1;
    for (uint32_t k = 0; k < count; k++) {
      uint32_t at = field->offset + k * field->type->size;
      if (!are_values_close(question, field->type, a + at, b + at)) return false;
    }
  }
  return true;
}

bool pl_codec_same_values(const struct pl_layout *layout, const void *a, const void *b) {
  return are_values_close(&(struct question){.eps = -1}, layout, a, b);
}

bool pl_codec_near(const struct pl_layout *layout, const void *a, const void *b, double eps) {
  return are_values_close(&(struct question){.eps = eps}, layout, a, b);
}

static bool is_scalar_nan(const struct pl_layout *type, const char *at) {
  struct pl_value value = pl_codec_load(type, at);
  if (value.kind == PL_VALUE_DECIMAL) return pl_decimal128_is_nan(value.decimal);
  return value.kind == PL_VALUE_NUMBER && isnan(value.number);
}

static bool can_be_nan(uint8_t scalar) {
  return scalar >= PL_SCALAR_F16;
}

bool pl_codec_has_nan(const struct pl_layout *layout, const void *at) {
  const char *bytes = at;
  if (layout->kind != PL_LAYOUT_STRUCT) return is_scalar_nan(layout, bytes);
  if (layout->part != PL_SCALAR_NONE && !can_be_nan(layout->part)) return false;
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    uint32_t count = field->count ? field->count : 1;
    for (uint32_t k = 0; k < count; k++)
      if (pl_codec_has_nan(field->type, bytes + field->offset + k * field->type->size)) return true;
  }
  return false;
}
