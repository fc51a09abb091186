// Type -> its table of ops, of constants. The tables themselves are in ops_*.c, by concern.
#include "geometry/op.h"

#include "geometry/ops_tables.h"

static const struct pl_op no_ops[] = {{0}};
static const struct pl_constant no_constants[] = {{0}};

const struct pl_op *pl_ops_of(enum pl_builtin type) {
  switch (type) {
#define T(name, bytes, fields) \
  case PL_BUILTIN_##name:      \
    return pl_ops_##name;
#include "geometry/types.def"
#undef T
  default:
    return no_ops;
  }
}

const struct pl_constant *pl_constants_of(enum pl_builtin type) {
  switch (type) {
#define T(name, bytes, fields) \
  case PL_BUILTIN_##name:      \
    return pl_constants_##name;
#include "geometry/types.def"
#undef T
  default:
    return no_constants;
  }
}

const struct pl_op *pl_number_ops(void) {
  return pl_ops_of_numbers;
}
