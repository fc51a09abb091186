// Ops of vectors of f32 and f64: one template, expanded for each type.
#include "geometry/conventions.h"
#include "geometry/ops_each.h"
#include "geometry/real.h"
#include "geometry/vector.h"

#define LOAD pl_load_f32
#define STORE pl_store_f32
#define NUMBER(n) ((double)pl_lane_f32(n))
#define SHORT PL_NORMALIZE_MIN_F32
#define QUAT quat
#define OTHER_LOAD pl_load_f64
#define HAS_TRANSFORMS 1  // matrices are of f32

#define VEC vec2
#define OTHER dvec2
#define IVEC ivec2
#define UVEC uvec2
#define LANES 2
#include "geometry/vector_ops.def"
#undef VEC
#undef OTHER
#undef IVEC
#undef UVEC
#undef LANES

#define VEC vec3
#define OTHER dvec3
#define IVEC ivec3
#define UVEC uvec3
#define LANES 3
#include "geometry/vector_ops.def"
#undef VEC
#undef OTHER
#undef IVEC
#undef UVEC
#undef LANES

#define VEC vec4
#define OTHER dvec4
#define IVEC ivec4
#define UVEC uvec4
#define LANES 4
#include "geometry/vector_ops.def"
#undef VEC
#undef OTHER
#undef IVEC
#undef UVEC
#undef LANES

#undef LOAD
#undef STORE
#undef NUMBER
#undef SHORT
#undef QUAT
#undef OTHER_LOAD
#undef HAS_TRANSFORMS
#define LOAD pl_load_f64
#define STORE pl_store_f64
#define NUMBER(n) (n)
#define SHORT PL_NORMALIZE_MIN_F64
#define QUAT dquat
#define OTHER_LOAD pl_load_f32
#define HAS_TRANSFORMS 0

#define VEC dvec2
#define OTHER vec2
#define IVEC ivec2
#define UVEC uvec2
#define LANES 2
#include "geometry/vector_ops.def"
#undef VEC
#undef OTHER
#undef IVEC
#undef UVEC
#undef LANES

#define VEC dvec3
#define OTHER vec3
#define IVEC ivec3
#define UVEC uvec3
#define LANES 3
#include "geometry/vector_ops.def"
#undef VEC
#undef OTHER
#undef IVEC
#undef UVEC
#undef LANES

#define VEC dvec4
#define OTHER vec4
#define IVEC ivec4
#define UVEC uvec4
#define LANES 4
#include "geometry/vector_ops.def"
