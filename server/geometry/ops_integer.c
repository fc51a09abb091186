// Ops of vectors of integers: computed exactly (every 32-bit integer is a double), then cut and
// clamped to the field (conventions.h), so that no input overflows.
#include "geometry/ops_each.h"
#include "geometry/vector.h"

#define NUMBER(n) (n)

#define LOAD pl_load_i32
#define STORE pl_store_i32
#define OTHER_LOAD pl_load_u32
#define SIGNED 1

#define VEC ivec2
#define OTHER uvec2
#define REAL32 vec2
#define REAL64 dvec2
#define LANES 2
#include "geometry/integer_ops.def"
#undef VEC
#undef OTHER
#undef REAL32
#undef REAL64
#undef LANES

#define VEC ivec3
#define OTHER uvec3
#define REAL32 vec3
#define REAL64 dvec3
#define LANES 3
#include "geometry/integer_ops.def"
#undef VEC
#undef OTHER
#undef REAL32
#undef REAL64
#undef LANES

#define VEC ivec4
#define OTHER uvec4
#define REAL32 vec4
#define REAL64 dvec4
#define LANES 4
#include "geometry/integer_ops.def"
#undef VEC
#undef OTHER
#undef REAL32
#undef REAL64
#undef LANES

#undef LOAD
#undef STORE
#undef OTHER_LOAD
#undef SIGNED

#define LOAD pl_load_u32
#define STORE pl_store_u32
#define OTHER_LOAD pl_load_i32
#define SIGNED 0

#define VEC uvec2
#define OTHER ivec2
#define REAL32 vec2
#define REAL64 dvec2
#define LANES 2
#include "geometry/integer_ops.def"
#undef VEC
#undef OTHER
#undef REAL32
#undef REAL64
#undef LANES

#define VEC uvec3
#define OTHER ivec3
#define REAL32 vec3
#define REAL64 dvec3
#define LANES 3
#include "geometry/integer_ops.def"
#undef VEC
#undef OTHER
#undef REAL32
#undef REAL64
#undef LANES

#define VEC uvec4
#define OTHER ivec4
#define REAL32 vec4
#define REAL64 dvec4
#define LANES 4
#include "geometry/integer_ops.def"
#undef VEC
#undef OTHER
#undef REAL32
#undef REAL64
#undef LANES
