/// Members of enums by value and by name.
///
/// Thread: any.
#pragma once

#include "geometry/layout.h"

/// Returns: the first member of that value; NULL: it has no name. @param layout an enum
const struct pl_enum_member *pl_enum_by_value(const struct pl_layout *layout, int64_t value);

/// Returns: NULL: there is none of that name.
const struct pl_enum_member *pl_enum_by_name(const struct pl_layout *layout, struct pl_strv name);

/// The member whose name is nearest to a mistyped one, or NULL.
const struct pl_enum_member *pl_enum_suggest(const struct pl_layout *layout, struct pl_strv name);

/// The next member of a value of flags. In the order of their definition, those are given that have
/// all their bits in `value` and a bit that none before had; members of value 0 never.
///
///   int64_t rest = value;
///   for (uint32_t i = 0; (member = pl_enum_next_flag(layout, value, &rest, &i));) ...
///
/// @param rest bits that no member before had; at the end, those without a name
/// @param next 0 at first; where to go on
/// Returns: NULL: there are no more.
const struct pl_enum_member *pl_enum_next_flag(const struct pl_layout *layout, int64_t value,
                                               int64_t *rest, uint32_t *next);
