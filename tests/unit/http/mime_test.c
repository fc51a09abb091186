// Unit tests of server/http/mime.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "http/mime.h"

static void expect(const char *path, const char *type) {
  struct pl_strv found = pl_mime_type(pl_strv_of(path));
  assert_int_equal(found.len, strlen(type));
  assert_memory_equal(found.data, type, found.len);
}

static void every_row_is_found_so_the_list_is_sorted(void **state) {
  (void)state;
#define X(extension, type) expect("/a.b/name." extension, type);
#include "http/mime.def"
#undef X
}

static void extension_is_read_in_any_case_from_the_last_dot(void **state) {
  (void)state;
  expect("INDEX.HTML", "text/html; charset=utf-8");
  expect("a.tar.Gz", "application/gzip");
  expect("x.css.js", "text/javascript; charset=utf-8");
}

static void unknown_and_missing_extensions_are_octets(void **state) {
  (void)state;
  const char *names[] = {"",      "html",    "a.",   "a.html/", "a.css/b",
                         ".html", "/a/.css", "a.zz", "a.htm1",  "a.averyveryverylongextension"};
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) expect(names[i], "application/octet-stream");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_found_so_the_list_is_sorted),
      cmocka_unit_test(extension_is_read_in_any_case_from_the_last_dot),
      cmocka_unit_test(unknown_and_missing_extensions_are_octets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
