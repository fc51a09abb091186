/// The built-in structs by number. Their bytes are read and written with memcpy (span.h, op.h):
/// they stand at any offset of a body, so no C struct is ever laid over them.
#pragma once

enum pl_builtin {
  PL_BUILTIN_NONE,
#define T(name, bytes, fields) PL_BUILTIN_##name,
#include "geometry/types.def"
#undef T
  PL_BUILTIN_COUNT
};
