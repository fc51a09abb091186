/// v.xz, v.bgr: several components by their letters, as a new vector.
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geometry/layout.h"

enum { PL_SWIZZLE_MAX = 4 };

/// Packed into 16 bits, so that it fits a Lua integer: count, then 2 bits a component.
struct pl_swizzle {
  unsigned count;
  unsigned component[PL_SWIZZLE_MAX];
};

/// Reads a name of 2 to 4 letters that are all fields of the vector or colour.
bool pl_swizzle_read(const struct pl_layout *layout, struct pl_strv name,
                     struct pl_swizzle *swizzle);

/// What it makes: vec3 of a vec4's xyz, color of a color's bgra. Never NULL.
const struct pl_layout *pl_swizzle_result(const struct pl_layout *layout, unsigned count);

int64_t pl_swizzle_pack(const struct pl_swizzle *swizzle);
struct pl_swizzle pl_swizzle_unpack(int64_t packed);
