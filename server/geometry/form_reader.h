/// JSON text to packed structs, strictly: any struct as an object or as the list of its fields,
/// vectors and matrices as flat lists (json_form.h). Every field must be there once, and no other;
/// each list must be as long as it should. So the bytes are at most eight times the text.
///
/// What is wrong is told with line, column and path: "line 1, column 14: $[2].origin[1]: ...",
/// elements counted from 1. The recursion is as deep as structs nest.
///
/// Thread: any.
#pragma once

#include <stddef.h>

#include "base/base.h"
#include "base/bytes.h"
#include "base/strv.h"
#include "geometry/layout.h"

enum { PL_FORM_PROBLEM_MAX = 640 };

/// Reads one value. Bytes between fields become 0.
/// @param at layout->size bytes; undefined after an error
/// Returns: 0; PL_ESYNTAX (no JSON), PL_EINVAL, PL_ELIMIT (nested too deep), each with `problem`;
/// PL_ENOMEM.
PL_MUST_CHECK int pl_form_read(struct pl_strv text, const struct pl_layout *layout, char *at,
                               char problem[PL_FORM_PROBLEM_MAX]);

/// Reads a list of values, one behind the other.
/// @param bytes_max  how many bytes they may be
/// @param out  the caller's reference
/// Returns: as pl_form_read; PL_EMEMORY and `problem` when there are more.
PL_MUST_CHECK int pl_form_read_array(struct pl_strv text, const struct pl_layout *layout,
                                     size_t bytes_max, struct pl_bytes **out,
                                     char problem[PL_FORM_PROBLEM_MAX]);
