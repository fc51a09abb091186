// Unit tests of server/http/conditional.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "http/conditional.h"

// The file under test: 100 bytes, changed when LATER minus an hour was.
#define BEFORE "Sun, 06 Nov 1994 07:49:37 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 09:49:37 GMT"

static const struct pl_representation file = {PL_STRV("\"v1\""), 784111777, true, 100};

struct field {
  const char *name, *value;
};

static struct pl_verdict evaluate(const struct pl_representation *what, enum pl_method method,
                                  const struct field *fields, size_t count) {
  struct pl_header items[4];
  for (size_t i = 0; i < count; i++)
    items[i] = (struct pl_header){pl_strv_of(fields[i].name), pl_strv_of(fields[i].value)};
  struct pl_headers headers = {items, count};
  return pl_conditional_evaluate(method, &headers, what, 1700000000);
}

#define STATUS(method, ...)                                                    \
  evaluate(&file, PL_METHOD_##method, (const struct field[]){__VA_ARGS__},     \
           sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field)) \
      .status

static void expect_range(uint64_t size, const char *value, int status, uint64_t first,
                         uint64_t length) {
  struct pl_representation what = {.size = size};
  struct field field = {"Range", value};
  struct pl_verdict v = evaluate(&what, PL_METHOD_GET, &field, 1);
  assert_int_equal(v.status, status);
  assert_int_equal(v.first, first);
  assert_int_equal(v.length, length);
}

static void without_conditions_all_is_sent(void **state) {
  (void)state;
  struct pl_verdict v = evaluate(&file, PL_METHOD_GET, NULL, 0);
  assert_int_equal(v.status, 200);
  assert_int_equal(v.length, 100);
}

static void if_none_match_compares_weakly(void **state) {
  (void)state;
  assert_int_equal(STATUS(GET, {"If-None-Match", "\"v1\""}), 304);
  assert_int_equal(STATUS(HEAD, {"If-None-Match", "\"v0\", W/\"v1\""}), 304);
  assert_int_equal(STATUS(GET, {"If-None-Match", "\"v0\",\"v1,x\""}), 200);
  assert_int_equal(STATUS(GET, {"If-None-Match", "*"}), 304);
  assert_int_equal(STATUS(POST, {"If-None-Match", "\"v1\""}), 412);
  assert_int_equal(STATUS(GET, {"If-None-Match", "\"v0\""}, {"if-none-match", "\"v1\""}), 304);
}

static void if_none_match_beats_if_modified_since(void **state) {
  (void)state;
  assert_int_equal(STATUS(GET, {"If-None-Match", "\"v0\""}, {"If-Modified-Since", LATER}), 200);
  assert_int_equal(STATUS(GET, {"If-None-Match", "\"v1\""}, {"If-Modified-Since", BEFORE}), 304);
}

static void if_modified_since_is_for_reading_only(void **state) {
  (void)state;
  assert_int_equal(STATUS(GET, {"If-Modified-Since", BEFORE}), 200);
  assert_int_equal(STATUS(GET, {"If-Modified-Since", SAME}), 304);
  assert_int_equal(STATUS(HEAD, {"If-Modified-Since", LATER}), 304);
  assert_int_equal(STATUS(POST, {"If-Modified-Since", LATER}), 200);
  assert_int_equal(STATUS(GET, {"If-Modified-Since", "tomorrow"}), 200);
}

static void if_match_compares_strongly(void **state) {
  (void)state;
  assert_int_equal(STATUS(PUT, {"If-Match", "\"v1\""}), 200);
  assert_int_equal(STATUS(PUT, {"If-Match", "*"}), 200);
  assert_int_equal(STATUS(PUT, {"If-Match", "\"v0\""}), 412);
  assert_int_equal(STATUS(PUT, {"If-Match", "W/\"v1\""}), 412);
  assert_int_equal(STATUS(PUT, {"If-Match", "v1"}), 412);
  assert_int_equal(STATUS(PUT, {"If-Match", "\"v1\""}, {"If-Unmodified-Since", BEFORE}), 200);
}

static void weak_tag_never_matches_strongly(void **state) {
  (void)state;
  const struct pl_representation weak = {.etag = PL_STRV("W/\"v1\""), .size = 5};
  const struct field if_match = {"If-Match", "W/\"v1\""}, if_none = {"If-None-Match", "\"v1\""};
  const struct field range[] = {{"Range", "bytes=0-1"}, {"If-Range", "W/\"v1\""}};
  assert_int_equal(evaluate(&weak, PL_METHOD_PUT, &if_match, 1).status, 412);
  assert_int_equal(evaluate(&weak, PL_METHOD_GET, range, 2).status, 200);
  assert_int_equal(evaluate(&weak, PL_METHOD_GET, &if_none, 1).status, 304);
}

static void if_unmodified_since_guards_older_copies(void **state) {
  (void)state;
  assert_int_equal(STATUS(PUT, {"If-Unmodified-Since", BEFORE}), 412);
  assert_int_equal(STATUS(PUT, {"If-Unmodified-Since", SAME}), 200);
  assert_int_equal(STATUS(PUT, {"If-Unmodified-Since", "never"}), 200);
}

static void failed_condition_comes_before_304_and_range(void **state) {
  (void)state;
  assert_int_equal(STATUS(GET, {"If-Match", "\"v0\""}, {"If-None-Match", "\"v1\""}), 412);
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"If-None-Match", "\"v1\""}), 304);
}

static void one_range_is_served(void **state) {
  (void)state;
  expect_range(100, "bytes=0-0", 206, 0, 1);
  expect_range(100, "bytes=10-19", 206, 10, 10);
  expect_range(100, "Bytes= 90-", 206, 90, 10);
  expect_range(100, "bytes=-30", 206, 70, 30);
  expect_range(100, "bytes=-300", 206, 0, 100);
  expect_range(100, "bytes=99-5000", 206, 99, 1);
  expect_range(100, "bytes=1-99999999999999999999999", 206, 1, 99);
  expect_range(100, "bytes=-99999999999999999999999", 206, 0, 100);
}

static void range_behind_the_end_is_416(void **state) {
  (void)state;
  expect_range(100, "bytes=100-", 416, 0, 0);
  expect_range(100, "bytes=99999999999999999999999-", 416, 0, 0);
  expect_range(100, "bytes=18446744073709551616-", 416, 0, 0);  // 2^64
  expect_range(100, "bytes=-0", 416, 0, 0);
  expect_range(0, "bytes=0-", 416, 0, 0);
  expect_range(0, "bytes=-5", 200, 0, 0);
}

static void odd_ranges_are_ignored(void **state) {
  (void)state;
  const char *odd[] = {"",           "bytes",         "bytes=",        "bytes=-",   "bytes=a-b",
                       "bytes=5-4",  "bytes=0-1,5-6", "bytes=0-1,",    "items=0-1", "bytes=1",
                       "bytes=0-1x", "bytes=--1",     "bytes=0x1-0x2", "bytes 0-1", "bytes=+1-2"};
  for (size_t i = 0; i < PL_ARRAY_LEN(odd); i++) expect_range(100, odd[i], 200, 0, 100);
  assert_int_equal(STATUS(HEAD, {"Range", "bytes=0-1"}), 200);
  assert_int_equal(STATUS(POST, {"Range", "bytes=0-1"}), 200);
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"Range", "bytes=0-1"}), 200);
}

static void if_range_decides_whether_the_range_counts(void **state) {
  (void)state;
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"If-Range", "\"v1\""}), 206);
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"If-Range", "W/\"v1\""}), 200);
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"If-Range", "\"v0\""}), 200);
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"If-Range", SAME}), 206);
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"If-Range", LATER}), 200);
  assert_int_equal(STATUS(GET, {"Range", "bytes=0-1"}, {"If-Range", "junk"}), 200);
  assert_int_equal(STATUS(GET, {"Range", "bytes=900-"}, {"If-Range", "\"v0\""}), 200);
}

static void without_validators_nothing_matches(void **state) {
  (void)state;
  struct pl_representation bare = {.size = 5};
  const struct field fields[] = {
      {"If-None-Match", "\"\""}, {"If-Modified-Since", LATER}, {"If-Range", "\"\""}};
  for (size_t i = 0; i < PL_ARRAY_LEN(fields); i++)
    assert_int_equal(evaluate(&bare, PL_METHOD_GET, &fields[i], 1).status, 200);
}

static void etag_list_ends_where_it_is_malformed(void **state) {
  (void)state;
  struct pl_strv rest = PL_STRV(" , \"a,b\" ,W/\"\",\"c\"x"), tag;
  assert_true(pl_etag_next(&rest, &tag));
  assert_true(pl_strv_eq(tag, PL_STRV("\"a,b\"")));
  assert_true(pl_etag_next(&rest, &tag));
  assert_true(pl_strv_eq(tag, PL_STRV("W/\"\"")));
  assert_false(pl_etag_next(&rest, &tag));
  const char *bad[] = {"", "\"", "W/", "W/\"", "abc", "w/\"a\"", "*", " ,"};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    rest = pl_strv_of(bad[i]);
    assert_false(pl_etag_next(&rest, &tag));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_conditions_all_is_sent),
      cmocka_unit_test(if_none_match_compares_weakly),
      cmocka_unit_test(if_none_match_beats_if_modified_since),
      cmocka_unit_test(if_modified_since_is_for_reading_only),
      cmocka_unit_test(if_match_compares_strongly),
      cmocka_unit_test(weak_tag_never_matches_strongly),
      cmocka_unit_test(if_unmodified_since_guards_older_copies),
      cmocka_unit_test(failed_condition_comes_before_304_and_range),
      cmocka_unit_test(one_range_is_served),
      cmocka_unit_test(range_behind_the_end_is_416),
      cmocka_unit_test(odd_ranges_are_ignored),
      cmocka_unit_test(if_range_decides_whether_the_range_counts),
      cmocka_unit_test(without_validators_nothing_matches),
      cmocka_unit_test(etag_list_ends_where_it_is_malformed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
