// Enums by value, by name, and flags taken apart.
#include "geometry/enum.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct pl_enum_member MEMBERS[] = {
    {PL_STRV("None"), 0},  {PL_STRV("A"), 1},  {PL_STRV("B"), 2},
    {PL_STRV("AB"), 3},    {PL_STRV("BC"), 6}, {PL_STRV("High"), INT64_MIN},
    {PL_STRV("Again"), 1},
};
static const struct pl_layout layout = {.name = PL_STRV("F"),
                                        .kind = PL_LAYOUT_ENUM,
                                        .scalar = PL_SCALAR_U64,
                                        .size = 8,
                                        .is_flags = true,
                                        .members = MEMBERS,
                                        .member_count = PL_ARRAY_LEN(MEMBERS)};

static void enum_finds_members(void **state) {
  (void)state;
  assert_ptr_equal(pl_enum_by_value(&layout, 1), &MEMBERS[1]);
  assert_ptr_equal(pl_enum_by_value(&layout, INT64_MIN), &MEMBERS[5]);
  assert_null(pl_enum_by_value(&layout, 4));
  assert_ptr_equal(pl_enum_by_name(&layout, PL_STRV("Again")), &MEMBERS[6]);
  assert_null(pl_enum_by_name(&layout, PL_STRV("again")));
  assert_null(pl_enum_by_name(&layout, PL_STRV("")));
  assert_ptr_equal(pl_enum_suggest(&layout, PL_STRV("Hihg")), &MEMBERS[5]);
  assert_null(pl_enum_suggest(&layout, PL_STRV("Something")));
}

static void check_flags(int64_t value, const char *const *names, size_t count,
                        int64_t wanted_rest) {
  int64_t rest = value, all = 0;
  uint32_t next = 0;
  size_t n = 0;
  const struct pl_enum_member *member = NULL;
  while ((member = pl_enum_next_flag(&layout, value, &rest, &next))) {
    assert_true(n < count);
    assert_string_equal(member->name.data, names[n++]);
    all |= member->value;
  }
  assert_int_equal(n, count);
  assert_int_equal(rest, wanted_rest);
  assert_int_equal(all | rest, value);
}

static void enum_takes_flags_apart(void **state) {
  (void)state;
  check_flags(0, NULL, 0, 0);
  check_flags(3, (const char *[]){"A", "B"}, 2, 0);
  check_flags(7, (const char *[]){"A", "B", "BC"}, 3, 0);
  check_flags(4, NULL, 0, 4);
  check_flags(INT64_MIN | 9, (const char *[]){"A", "High"}, 2, 8);
  check_flags(-1, (const char *[]){"A", "B", "BC", "High"}, 4, INT64_MAX & ~INT64_C(7));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(enum_finds_members),
      cmocka_unit_test(enum_takes_flags_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
