/// Values of one layout as another: structs of the same fields in another order or of other types,
/// enums, and single scalars. A plan is made once for two layouts, then run for each value.
///
/// Numbers convert as pl_codec_store stores them: checked, never cut. u64 and i64 convert as
/// numbers, not as bits. bool converts to bool only; arrays to arrays of the same length; enums to
/// integers and back, and to other enums, by their values.
///
/// Thread: a plan may be run on all threads at once.
#pragma once

#include "geometry/codec.h"
#include "geometry/layout.h"

struct pl_convert;

/// Where a value could not be converted: what pl_codec_explain needs.
struct pl_convert_failure {
  enum pl_codec_problem problem;
  struct pl_strv owner;  ///< the struct that the field belongs to, or empty
  struct pl_strv field;  ///< or empty
  const struct pl_layout *type;
  struct pl_value value;
};

/// Returns: 0 and *plan with one reference; PL_EINVAL, and in `problem` which fields do not match;
/// PL_ENOMEM.
PL_MUST_CHECK int pl_convert_new(const struct pl_layout *to, const struct pl_layout *from,
                                 struct pl_convert **plan, char problem[PL_LAYOUT_PROBLEM_MAX]);

/// Returns: plan, for the new holder. Thread: any, as unref.
struct pl_convert *pl_convert_ref(struct pl_convert *plan);

/// NULL is allowed.
void pl_convert_unref(struct pl_convert *plan);

/// Whether each value converts by copying its bytes as they are.
bool pl_convert_is_copy(const struct pl_convert *plan);

/// One value. Bytes between the fields of `to` stay as they are; `to` and `from` do not overlap.
/// Returns: 0; PL_EINVAL, and *failure; `to` has some of the fields then.
PL_MUST_CHECK int pl_convert_run(const struct pl_convert *plan, void *to, const void *from,
                                 struct pl_convert_failure *failure);
