/// A string.pack format as a struct's definition, for people who have one: "<ffI4". Its fields are
/// f1, f2, ...; what has no fixed size, or a size or byte order of the machine, is refused.
///
/// Thread: any; nothing is allocated.
#pragma once

#include "geometry/schema.h"

/// Whether the text is meant as one: it begins with "<", ">", "=" or "!".
bool pl_pack_format_is(struct pl_strv text);

/// As pl_schema_parse. The names of the fields stay empty.
PL_MUST_CHECK int pl_pack_format_parse(struct pl_strv text, struct pl_schema *schema,
                                       char problem[PL_SCHEMA_PROBLEM_MAX]);
