/// Packed structs as JSON text (structs.md 4.10): vectors, quaternions, colours and matrices are
/// flat arrays of numbers, other structs objects in field order, fixed arrays arrays; scalars and
/// enums as json_scalar.h says. form_reader.h is the way back.
///
/// Thread: any.
#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "geometry/layout.h"
#include "geometry/span.h"

/// Whether a struct's JSON is a flat array of its scalars, `part_count` of `part`: vec2 ... dvec4,
/// quat, dquat, color, color8, mat3, mat4, affine.
bool pl_json_form_is_flat(const struct pl_layout *layout);

/// Appends what is at `at`. Returns: 0; PL_ENOMEM; PL_EINVAL: an enum's name is not UTF-8. After an
/// error `out` may end in a part of it.
PL_MUST_CHECK int pl_json_form_write(struct pl_buf *out, const struct pl_layout *layout,
                                     const char *at);

/// Appends elements first .. first + count - 1 with commas in between and no brackets: a long array
/// can be written in pieces. SoA, too. Returns: as pl_json_form_write.
PL_MUST_CHECK int pl_json_form_write_elements(struct pl_buf *out, const struct pl_span *span,
                                              size_t first, size_t count);

/// Appends the whole array. Returns: as pl_json_form_write.
PL_MUST_CHECK int pl_json_form_write_span(struct pl_buf *out, const struct pl_span *span);
