// Enums: which names and values they may have. A part of the module layout (layout.h).
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "geometry/compile.h"
#include "geometry/problem.h"
#include "geometry/schema.h"

static bool is_integer(enum pl_scalar scalar) {
  return scalar >= PL_SCALAR_I8 && scalar <= PL_SCALAR_U64;
}

// Whether an enum on that scalar can have the value; of u64 the bits count.
static bool fits_scalar(enum pl_scalar scalar, int64_t value) {
  unsigned bits = pl_scalar_size(scalar) * 8;
  if (bits == 64) return true;
  if (scalar >= PL_SCALAR_U8) return value >= 0 && value < INT64_C(1) << bits;
  return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1) << (bits - 1);
}

static int check_member(const struct pl_enum_spec *spec, size_t i, char *problem) {
  const struct pl_enum_member *member = &spec->members[i];
  int len = pl_problem_shown(member->name);
  const char *what = NULL;
  if (!pl_schema_is_name(member->name)) what = "is no name";
  for (size_t k = 0; !what && k < i; k++)
    if (pl_strv_eq(spec->members[k].name, member->name)) what = "stands twice";
  if (what)
    snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "%.*s: member %zu: '%.*s' %s", (int)spec->name.len,
             spec->name.data, i + 1, len, member->name.data, what);
  else if (!fits_scalar(spec->scalar, member->value))
    snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "%.*s.%.*s: %" PRId64 " is no value of %s",
             (int)spec->name.len, spec->name.data, len, member->name.data, member->value,
             pl_scalar_name(spec->scalar).data);
  else
    return 0;
  pl_problem_clean(problem);
  return PL_EINVAL;
}

static int check_enum(const struct pl_enum_spec *spec, char *problem) {
  int err = pl_problem_check_name(spec->name, "an enum", problem);
  if (err) return err;
  if (!is_integer(spec->scalar)) {
    snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "%.*s: an enum is one of i8 to i64 and u8 to u64",
             (int)spec->name.len, spec->name.data);
    return PL_EINVAL;
  }
  if (spec->member_count < 1 || spec->member_count > PL_ENUM_MEMBERS_MAX) {
    snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "%.*s: an enum has from 1 to %d members, not %zu",
             (int)spec->name.len, spec->name.data, PL_ENUM_MEMBERS_MAX, spec->member_count);
    return PL_ELIMIT;
  }
  for (size_t i = 0; !err && i < spec->member_count; i++) err = check_member(spec, i, problem);
  return err;
}

int pl_compile_enum(const struct pl_enum_spec *spec, struct pl_draft *draft,
                    char problem[PL_LAYOUT_PROBLEM_MAX]) {
  int err = check_enum(spec, problem);
  if (err) return err;
  struct pl_layout *layout = &draft->layout;
  uint32_t size = pl_scalar_size(spec->scalar);
  *layout = (struct pl_layout){
      .name = spec->name,
      .kind = PL_LAYOUT_ENUM,
      .scalar = (uint8_t)spec->scalar,
      .size = size,
      .align = 1,
      .natural = (uint8_t)size,
      .is_flags = spec->is_flags,
      .members = spec->members,
      .member_count = (uint32_t)spec->member_count,
      .where = spec->where ? spec->where : "",
  };
  layout->hash = pl_layout_make_hash(layout);
  return 0;
}
