// Unit tests of server/http/framing.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/framing.h"

enum { FIELDS_MAX = 8 };

static struct pl_header fields[FIELDS_MAX];

// A request with the fields {name, value, ..., NULL}.
static struct pl_request make_request(uint8_t http_minor, const char *const *list) {
  struct pl_request request = {.http_minor = http_minor, .headers = {.items = fields}};
  for (size_t i = 0; list[2 * i]; i++) {
    assert_true(i < FIELDS_MAX);
    fields[i] = (struct pl_header){pl_strv_of(list[2 * i]), pl_strv_of(list[2 * i + 1])};
    request.headers.count++;
  }
  return request;
}

static int check(struct pl_request *request) {
  const char *problem = NULL;
  int status = pl_framing_check(request, &problem);
  if (status) assert_non_null(problem);
  return status;
}

#define REQUEST(minor, ...) make_request(minor, (const char *const[]){__VA_ARGS__, NULL})
#define STATUS(minor, ...) status_of(REQUEST(minor, __VA_ARGS__))

static int status_of(struct pl_request request) {
  return check(&request);
}

static void host_comes_once_and_has_only_bytes_of_hosts(void **state) {
  (void)state;
  assert_int_equal(STATUS(1, "Host", "example.org:80"), 0);
  assert_int_equal(STATUS(1, "Host", ""), 0);
  assert_int_equal(STATUS(1, "HOST", "-._~!$&'()*+,;=%:[]aZ09"), 0);
  assert_int_equal(STATUS(1, "Hosts", "a"), 400);
  assert_int_equal(STATUS(0, "Accept", "a"), 0);
  assert_int_equal(STATUS(1, "Host", "a", "Accept", "b", "host", "a"), 400);
  assert_int_equal(STATUS(0, "Host", "a", "Host", ""), 400);
  for (int c = 1; c < 256; c++) {
    char host[] = {'a', (char)c, '\0'};
    bool may = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               strchr("-._~!$&'()*+,;=%:[]", c);
    assert_int_equal(STATUS(1, "Host", host), may ? 0 : 400);
  }
}

static void content_length_is_a_number_that_fits(void **state) {
  (void)state;
  struct pl_request r = REQUEST(1, "Host", "a", "Content-Length", "0042");
  assert_int_equal(check(&r), 0);
  assert_int_equal(r.content_length, 42);
  assert_true(r.has_body);
  r = REQUEST(1, "Host", "a", "content-length", "0");
  assert_int_equal(check(&r), 0);
  assert_false(r.has_body);
  r = REQUEST(1, "Host", "a", "content-length", "9223372036854775807");
  assert_int_equal(check(&r), 0);
  assert_true(r.content_length == INT64_MAX);
  static const char *const bad[] = {"",
                                    "-1",
                                    "+1",
                                    "1 2",
                                    "1,1",
                                    "0x1",
                                    "1e1",
                                    "1.0",
                                    "1_0",
                                    "٣",
                                    "9223372036854775808",
                                    "18446744073709551616",
                                    "00000000000000000001"};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++)
    assert_int_equal(STATUS(1, "Host", "a", "Content-Length", bad[i]), 400);
  assert_int_equal(STATUS(1, "Host", "a", "Content-Length", "1", "Content-Length", "1"), 400);
}

static void transfer_encoding_is_chunked_and_nothing_else(void **state) {
  (void)state;
  struct pl_request r = REQUEST(1, "Host", "a", "Transfer-Encoding", "Chunked");
  assert_int_equal(check(&r), 0);
  assert_int_equal(r.content_length, -1);
  assert_true(r.has_body);
  static const char *const bad[] = {
      "",         "identity", "gzip",        "gzip, chunked", "chunked, chunked",
      ",chunked", "chunked,", "chunked;a=b", "\"chunked\""};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++)
    assert_int_equal(STATUS(1, "Host", "a", "Transfer-Encoding", bad[i]), 400);
  assert_int_equal(STATUS(0, "Transfer-Encoding", "chunked"), 400);
  assert_int_equal(STATUS(1, "Host", "a", "Transfer-Encoding", "chunked", "Content-Length", "0"),
                   400);
  assert_int_equal(
      STATUS(1, "Host", "a", "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"), 400);
}

static void content_type_comes_once(void **state) {
  (void)state;
  assert_int_equal(STATUS(1, "Host", "a", "Content-Type", "a/b"), 0);
  assert_int_equal(STATUS(1, "Host", "a", "Content-Type", "a/b", "content-type", "a/b"), 400);
}

static void expectations_are_met_or_refused(void **state) {
  (void)state;
  struct pl_request r = REQUEST(1, "Host", "a", "Expect", "100-Continue", "Content-Length", "1");
  assert_int_equal(check(&r), 0);
  assert_true(r.expects_continue);
  r = REQUEST(1, "Host", "a", "Expect", "100-continue");  // there is nothing to wait for
  assert_int_equal(check(&r), 0);
  assert_false(r.expects_continue);
  r = REQUEST(0, "Expect", "100-continue", "Content-Length", "1");
  assert_int_equal(check(&r), 0);
  assert_false(r.expects_continue);
  assert_int_equal(STATUS(0, "Expect", "a-miracle"), 0);
  assert_int_equal(STATUS(1, "Host", "a", "Expect", "a-miracle"), 417);
  assert_int_equal(STATUS(1, "Host", "a", "Expect", "100-continue, a-miracle"), 417);
  assert_int_equal(STATUS(1, "Host", "a", "Expect", "100-continue", "Expect", "a-miracle"), 417);
  assert_int_equal(STATUS(1, "Host", "a", "Expect", "a-miracle", "Expect", "100-continue"), 417);
}

static void trailers_may_not_decide_framing_or_routing(void **state) {
  (void)state;
  const char *problem = NULL;
  struct pl_request r = REQUEST(1, "X-Sum", "1", "Date", "2");
  assert_int_equal(pl_framing_check_trailers(&r.headers, &problem), 0);
  static const char *const bad[] = {"Host", "content-length", "TRANSFER-ENCODING"};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    r = REQUEST(1, "X-Sum", "1", bad[i], "2");
    problem = NULL;
    assert_int_equal(pl_framing_check_trailers(&r.headers, &problem), 400);
    assert_non_null(problem);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(host_comes_once_and_has_only_bytes_of_hosts),
      cmocka_unit_test(content_length_is_a_number_that_fits),
      cmocka_unit_test(transfer_encoding_is_chunked_and_nothing_else),
      cmocka_unit_test(content_type_comes_once),
      cmocka_unit_test(expectations_are_met_or_refused),
      cmocka_unit_test(trailers_may_not_decide_framing_or_routing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
