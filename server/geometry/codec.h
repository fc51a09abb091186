/// Scalars between packed bytes, at any alignment, and what scripts have; whole structs compared.
///
/// Loading never fails and stores the same bytes again, but for a bool that is neither 0 nor 1.
/// Storing checks: nothing is cut, and a value that does not fit changes nothing.
///
///   bool         a bool only
///   i8 .. u64    an integer in range, or a float that is one; i64 and u64 also decimal text. u64
///   is
///                the same 64 bits as the integer: negative from 2^63 up
///   f16 f32 f64  a number, rounded to nearest; a finite one that would become infinite is refused
///   dec128       a number, a decimal, or its text; exact but for floats
///   (pl_decimal128_from_double) an enum      what its scalar takes; values without a name, too
///
/// A decimal is taken by every number type as what it stands for.
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"
#include "geometry/decimal128.h"
#include "geometry/layout.h"

enum pl_value_kind {
  PL_VALUE_BOOL,
  PL_VALUE_INTEGER,
  PL_VALUE_NUMBER,
  PL_VALUE_DECIMAL,
  PL_VALUE_TEXT
};

struct pl_value {
  enum pl_value_kind kind;
  union {
    bool boolean;
    int64_t integer;
    double number;
    struct pl_decimal128 decimal;
    struct pl_strv text;  ///< only to store
  };
};

enum pl_codec_problem {
  PL_CODEC_OK,
  PL_CODEC_KIND,        ///< such a value never fits
  PL_CODEC_RANGE,       ///< an integer out of range
  PL_CODEC_FRACTION,    ///< a number that is no integer
  PL_CODEC_OVERFLOW,    ///< a finite number that would become infinite
  PL_CODEC_NOT_FINITE,  ///< where the schema says finite
  PL_CODEC_TEXT,        ///< text that is no number
  PL_CODEC_DIGITS       ///< text with more digits than a dec128 has
};

/// @param type a scalar or an enum
/// Returns: bool, integer (of enums, too), number, or decimal.
struct pl_value pl_codec_load(const struct pl_layout *type, const void *at);

/// @param is_finite of the field
/// Returns: PL_CODEC_OK; else nothing was written.
PL_MUST_CHECK enum pl_codec_problem pl_codec_store(const struct pl_layout *type, bool is_finite,
                                                   void *at, const struct pl_value *value);

/// The message for a script: "Shot.prim: -1 is out of range for u32: 0 to 4294967295".
/// @param owner the struct's name, or empty  @param field its field, or empty
/// Returns: out, terminated, cut at `size`.
char *pl_codec_explain(char *out, size_t size, enum pl_codec_problem problem, struct pl_strv owner,
                       struct pl_strv field, const struct pl_layout *type,
                       const struct pl_value *value);

/// Whether all components are equal as numbers: -0 equals 0, NaN equals nothing. Bytes between
/// fields do not count. @param layout anything; a and b are its bytes
bool pl_codec_same_values(const struct pl_layout *layout, const void *a, const void *b);

/// Whether all components differ by at most eps; infinities of one sign are near, bools and enums
/// only when they are equal. With an eps below 0, or NaN: as pl_codec_same_values.
bool pl_codec_near(const struct pl_layout *layout, const void *a, const void *b, double eps);

/// Whether any component is NaN.
bool pl_codec_has_nan(const struct pl_layout *layout, const void *at);
