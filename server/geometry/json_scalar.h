/// Scalars and enums as JSON (structs.md 4.10): numbers and booleans; i64, u64 and dec128 as
/// strings; NaN and infinities as null, which is not read back; enums by name, flags as a list of
/// names.
///
/// Thread: any.
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/strv.h"
#include "geometry/layout.h"

enum { PL_JSON_SCALAR_PROBLEM_MAX = 256 };

/// Appends the scalar or enum at `at`. A value without a name in its enum is written as its number,
/// as are the bits of flags that have none. Returns: 0; PL_ENOMEM; PL_EINVAL: an enum's name is not
/// UTF-8.
PL_MUST_CHECK int pl_json_scalar_write(struct pl_buf *out, const struct pl_layout *layout,
                                       const char *at);

/// The same for a bare scalar.
PL_MUST_CHECK int pl_json_write_scalar(struct pl_buf *out, enum pl_scalar scalar, const char *at);

/// A token with the text that it was made from.
struct pl_json_item {
  int type;  ///< enum pl_json_type
  union pl_json_token token;
  struct pl_strv text;
};

/// Stores a token that is no bracket as the scalar, as the enum, or as one of a flag enum's bits.
/// Numbers are taken for i64, u64 and dec128, and for enums, too; they must fit exactly into
/// integers, and are rounded to floats, but not to infinity.
/// Returns: 0; PL_EINVAL and in `problem` what is wrong, with the value, the type and its range.
PL_MUST_CHECK int pl_json_scalar_read(const struct pl_json_item *item,
                                      const struct pl_layout *layout, char *at,
                                      char problem[PL_JSON_SCALAR_PROBLEM_MAX]);

/// Room for pl_json_describe.
enum { PL_JSON_DESCRIBE_MAX = 64 };

/// What a message may say of a token: "null", "an object", "300", "\"Sphere\"" (shortened, without
/// control characters). Returns: out.
const char *pl_json_describe(const struct pl_json_item *item, char out[PL_JSON_DESCRIBE_MAX]);
