// Unit tests of server/http/request_line.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/request_line.h"

#include <stdlib.h>

static int parse(struct pl_strv line, struct pl_request *request) {
  const char *problem = NULL;
  char *copy = malloc(line.len ? line.len : 1);
  if (line.len) memcpy(copy, line.data, line.len);
  *request = (struct pl_request){0};
  int status = pl_request_line_parse(pl_strv(copy, line.len), request, &problem);
  if (status) assert_non_null(problem);
  if (!status) request->target.data = line.data + (request->target.data - copy);
  free(copy);
  return status;
}

static int status_of(const char *line) {
  struct pl_request request;
  return parse(pl_strv_of(line), &request);
}

static void line_gives_method_target_and_version(void **state) {
  (void)state;
  struct pl_request request;
  assert_int_equal(parse(PL_STRV("DELETE /a?b=%20 HTTP/1.0"), &request), 0);
  assert_int_equal(request.method, PL_METHOD_DELETE);
  assert_int_equal(request.target.len, 8);
  assert_memory_equal(request.target.data, "/a?b=%20", 8);
  assert_int_equal(request.http_minor, 0);
  assert_int_equal(parse(PL_STRV("OPTIONS * HTTP/1.1"), &request), 0);
  assert_int_equal(request.method, PL_METHOD_OPTIONS);
  assert_int_equal(request.http_minor, 1);
}

static void line_of_another_shape_is_malformed(void **state) {
  (void)state;
  static const char *const lines[] = {"",
                                      "GET",
                                      "GET ",
                                      "GET /",
                                      "GET / ",
                                      "GET  / HTTP/1.1",
                                      "GET / HTTP/1.1 ",
                                      "GET /  HTTP/1.1",
                                      "GET /\tHTTP/1.1",
                                      " / HTTP/1.1",
                                      "GET / HTTP/1",
                                      "GET / HTTP/1.",
                                      "GET / HTTP/11",
                                      "GET / HTTP/1.10",
                                      "GET / http/1.1",
                                      "GET / HTTP/a.1",
                                      "GET / HTTP/1.a",
                                      "GET / HTTP 1.1",
                                      "GE@T / HTTP/1.1",
                                      "G\xc3T / HTTP/1.1"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    if (status_of(lines[i]) != 400) print_error("%s\n", lines[i]);
    assert_int_equal(status_of(lines[i]), 400);
  }
}

static void version_other_than_1_0_and_1_1_is_told(void **state) {
  (void)state;
  assert_int_equal(status_of("GET / HTTP/1.2"), 505);
  assert_int_equal(status_of("GET / HTTP/2.0"), 505);
  assert_int_equal(status_of("GET / HTTP/0.9"), 505);
  assert_int_equal(status_of("BREW / HTTP/3.0"), 505);
}

static void method_that_nobody_routes_is_told(void **state) {
  (void)state;
  assert_int_equal(status_of("BREW / HTTP/1.1"), 501);
  assert_int_equal(status_of("CONNECT a:1 HTTP/1.1"), 501);
  assert_int_equal(status_of("get / HTTP/1.1"), 501);
  assert_int_equal(status_of("GETS / HTTP/1.1"), 501);
  assert_int_equal(status_of("!#$%&'*+-.^_`|~ / HTTP/1.1"), 501);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(line_gives_method_target_and_version),
      cmocka_unit_test(line_of_another_shape_is_malformed),
      cmocka_unit_test(version_other_than_1_0_and_1_1_is_told),
      cmocka_unit_test(method_that_nobody_routes_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
