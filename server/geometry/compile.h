/// Definitions to layouts that are not registered yet: checks, places fields, counts, hashes.
/// A part of the module layout (layout.h).
///
/// Thread: any; nothing is allocated, so that finding a type may raise.
#pragma once

#include "geometry/layout.h"

/// How types are found.
struct pl_resolver {
  const struct pl_layout *(*find)(void *ctx, struct pl_strv name);
  const char *(*suggest)(void *ctx, struct pl_strv name);  ///< the nearest name, or NULL
  void *ctx;
};

/// A layout whose names are still the definition's.
struct pl_draft {
  struct pl_layout layout;
  struct pl_field fields[PL_STRUCT_FIELDS_MAX];  ///< layout.fields, unless it is an enum
  char made[PL_STRUCT_FIELDS_MAX][8];            ///< names that the definition did not give
};

/// As pl_layouts_define; layout.id stays 0.
PL_MUST_CHECK int pl_compile_struct(const struct pl_struct_spec *spec,
                                    const struct pl_resolver *resolver, struct pl_draft *draft,
                                    char problem[PL_LAYOUT_PROBLEM_MAX]);

/// As pl_layouts_define_enum.
PL_MUST_CHECK int pl_compile_enum(const struct pl_enum_spec *spec, struct pl_draft *draft,
                                  char problem[PL_LAYOUT_PROBLEM_MAX]);

/// Bytes of the block that the draft's layout takes with all its names.
size_t pl_draft_size(const struct pl_draft *draft);

/// Makes the layout in that block, which is aligned as from malloc.
struct pl_layout *pl_draft_place(const struct pl_draft *draft, void *block);

/// The hash that the layout's contents make.
uint64_t pl_layout_make_hash(const struct pl_layout *layout);
