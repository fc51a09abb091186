/// What the messages about definitions have in common. Names in them are a script's: they may hold
/// any bytes, and any number of them. A part of the module layout (layout.h).
///
/// Thread: any.
#pragma once

#include "geometry/layout.h"

/// How much of a name is shown, for "%.*s".
int pl_problem_shown(struct pl_strv name);

/// Makes everything but printable ASCII a '?'.
void pl_problem_clean(char *text);

/// Whether the name may be a type's. @param kind "a struct"
/// Returns: 0; PL_EINVAL, and the reason in `problem`.
PL_MUST_CHECK int pl_problem_check_name(struct pl_strv name, const char *kind,
                                        char problem[PL_LAYOUT_PROBLEM_MAX]);
