// Names in messages.
#include "geometry/problem.h"

#include <stdio.h>

#include "base/error.h"
#include "geometry/schema.h"

int pl_problem_shown(struct pl_strv name) {
  return name.len > PL_LAYOUT_NAME_MAX ? PL_LAYOUT_NAME_MAX : (int)name.len;
}

void pl_problem_clean(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f) *text = '?';
}

int pl_problem_check_name(struct pl_strv name, const char *kind,
                          char problem[PL_LAYOUT_PROBLEM_MAX]) {
  if (pl_schema_is_name(name)) return 0;
  snprintf(problem, PL_LAYOUT_PROBLEM_MAX,
           "'%.*s' is no name for %s: it has letters, digits and _, no digit first, and at most %d "
           "of them",
           pl_problem_shown(name), name.data, kind, PL_LAYOUT_NAME_MAX);
  pl_problem_clean(problem);
  return PL_EINVAL;
}
