// Unit tests of server/geometry/struct_header.c
#include "geometry/struct_header.h"
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

// A copy without a terminator behind it, so that a sanitizer sees a read too far.
static int read_copy(const char *text, struct pl_struct_header *header) {
  size_t len = strlen(text);
  char *copy = malloc(len ? len : 1);
  assert_non_null(copy);
  if (len) memcpy(copy, text, len);
  int err = pl_struct_header_read(pl_strv(copy, len), header);
  if (!err) {
    size_t at = (size_t)(header->name.data - copy);
    header->name = pl_strv(text + at, header->name.len);
  }
  free(copy);
  return err;
}

static void what_is_written_reads_back(void **state) {
  (void)state;
  const struct pl_layout *vec3 = pl_layout_builtin(PL_BUILTIN_vec3);
  char text[PL_STRUCT_HEADER_MAX];
  struct pl_struct_header header;
  size_t len = pl_struct_header_write(vec3, 12, text);
  assert_int_equal(len, strlen(text));
  assert_int_equal(read_copy(text, &header), 0);
  assert_true(pl_strv_eq(header.name, PL_STRV("vec3")));
  assert_true(header.has_count && header.has_hash);
  assert_int_equal(header.count, 12);
  assert_true(header.hash == vec3->hash);
  pl_struct_header_write(vec3, -1, text);
  assert_null(strstr(text, "count"));
  assert_int_equal(read_copy(text, &header), 0);
  assert_false(header.has_count);
}

static void names_that_are_no_tokens_are_strings(void **state) {
  (void)state;
  struct pl_layout layout = {.name = PL_STRV("_Shot"), .hash = 0xfe};
  char text[PL_STRUCT_HEADER_MAX];
  struct pl_struct_header header;
  pl_struct_header_write(&layout, INT64_MAX, text);
  assert_string_equal(text, "\"_Shot\";count=9223372036854775807;hash=\"00000000000000fe\"");
  pl_struct_header_write(&layout, 0, text);
  assert_int_equal(read_copy(text, &header), 0);
  assert_true(pl_strv_eq(header.name, PL_STRV("_Shot")));
  assert_true(header.hash == 0xfe);
}

static void longest_names_fit(void **state) {
  (void)state;
  char name[PL_LAYOUT_NAME_MAX + 1], text[PL_STRUCT_HEADER_MAX];
  memset(name, '_', PL_LAYOUT_NAME_MAX);
  name[PL_LAYOUT_NAME_MAX] = '\0';
  struct pl_layout layout = {.name = {name, PL_LAYOUT_NAME_MAX}, .hash = UINT64_MAX};
  size_t len = pl_struct_header_write(&layout, INT64_MAX, text);
  assert_true(len < PL_STRUCT_HEADER_MAX);
  assert_string_equal(text + len - 18, "\"ffffffffffffffff\"");
}

static void other_parameters_are_passed_over(void **state) {
  (void)state;
  const char *good[] = {
      "ray;a;hash=\"00000000000000ff\"",
      "ray; *x=?0;hash=\"00000000000000ff\"",
      "ray;a=1.125;b=-3;c=\"x\\\"y\";d=tok/en:1;e=:aGk=:;f=@-12;g=%\"%c3%bc\";"
      "hash=\"00000000000000ff\"",
      "  ray;hash=\"0000000000000001\";hash=\"00000000000000ff\"  ",
      "\"ray\";  hash=\"00000000000000ff\"",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(good); i++) {
    struct pl_struct_header header = {.hash = 0};
    if (read_copy(good[i], &header)) fail_msg("%s", good[i]);
    assert_true(pl_strv_eq(header.name, PL_STRV("ray")));
    assert_true(header.hash == 0xff && header.has_hash && !header.has_count);
  }
}

static void what_is_no_such_item_is_refused(void **state) {
  (void)state;
  const char *bad[] = {
      "",
      " ",
      ";count=1",
      "1;count=1",
      "?1",
      "ray,vec3",
      "ray ;count=1",
      "ray;",
      "ray;=1",
      "ray;Count=1",
      "ray;count=",
      "ray;count",
      "ray;count=-1",
      "ray;count=1.0",
      "ray;count=\"1\"",
      "ray;count=1234567890123456",
      "ray;count=+1",
      "ray;hash=ff",
      "ray;hash=\"ff\"",
      "ray;hash=\"00000000000000FF\"",
      "ray;hash=\"00000000000000fg\"",
      "ray;hash=\"000000000000000ff\"",
      "ray;hash=\"00000000000000ff",
      "ray;hash",
      "\"ray",
      "\"r\\ay\"",
      "ray;a=\"\x01\"",
      "ray;a=:&:",
      "ray;a=:aa",
      "ray;a=@1.5",
      "ray;a=@",
      "ray;a=%x",
      "ray;a=%\"%C3\"",
      "ray;a=%\"%c",
      "ray;a=?2",
      "ray;a=1.",
      "ray;a=1.1234",
      "ray;a=-",
      "ray;a==",
      "ray\t",
      "ray\x80",
      "_ray",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    struct pl_struct_header header = {.count = 77};
    if (read_copy(bad[i], &header) != PL_EINVAL) fail_msg("%s", bad[i]);
    assert_int_equal(header.count, 77);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_reads_back),
      cmocka_unit_test(names_that_are_no_tokens_are_strings),
      cmocka_unit_test(longest_names_fit),
      cmocka_unit_test(other_parameters_are_passed_over),
      cmocka_unit_test(what_is_no_such_item_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
