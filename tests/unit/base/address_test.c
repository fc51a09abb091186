// Listening addresses: what is accepted, what it becomes, and what is said about the rest.
#include "base/address.h"

#include "base/error.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

#include <cmocka.h>

static struct pl_address parse_good(const char *text) {
  struct pl_address address;
  char error[256] = "";
  int rc = pl_address_parse(pl_strv_of(text), &address, error, sizeof error);
  if (rc) print_error("%s\n", error);
  assert_int_equal(rc, 0);
  return address;
}

static void parse_gives_the_full_text(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"8080", "127.0.0.1:8080"},         {"0", "127.0.0.1:0"},
      {"65535", "127.0.0.1:65535"},       {"127.0.0.1:8080", "127.0.0.1:8080"},
      {"0.0.0.0:80", "0.0.0.0:80"},       {"localhost:8080", "127.0.0.1:8080"},
      {"[::1]:8080", "[::1]:8080"},       {"[::]:1", "[::]:1"},
      {"[0:0:0:0:0:0:0:1]:9", "[::1]:9"}, {"unix:/run/app.sock", "unix:/run/app.sock"},
      {"unix:app.sock", "unix:app.sock"}, {"unix:/run/a:8080", "unix:/run/a:8080"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    struct pl_address address = parse_good(cases[i][0]);
    assert_string_equal(address.text, cases[i][1]);
    assert_int_equal(address.is_unix, strncmp(cases[i][1], "unix:", 5) == 0);
  }
}

static void parse_fills_the_sockaddr(void **state) {
  (void)state;
  struct pl_address a = parse_good("192.0.2.7:8080");
  const struct sockaddr_in *in = (const struct sockaddr_in *)&a.storage;
  assert_int_equal(in->sin_family, AF_INET);
  assert_int_equal(ntohs(in->sin_port), 8080);
  assert_int_equal(ntohl(in->sin_addr.s_addr), 0xC0000207);
  assert_int_equal(a.len, sizeof *in);

  struct pl_address b = parse_good("[2001:db8::1]:443");
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&b.storage;
  assert_int_equal(in6->sin6_family, AF_INET6);
  assert_int_equal(ntohs(in6->sin6_port), 443);
  assert_int_equal(in6->sin6_addr.s6_addr[1], 0x01);
  assert_int_equal(b.len, sizeof *in6);

  struct pl_address c = parse_good("unix:/run/app.sock");
  const struct sockaddr_un *un = (const struct sockaddr_un *)&c.storage;
  assert_int_equal(un->sun_family, AF_UNIX);
  assert_string_equal(un->sun_path, "/run/app.sock");
}

static void parse_names_what_is_wrong(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "an address is expected"},
      {"127.0.0.1", "the port is missing"},
      {"[::1]", "the port is missing"},
      {"65536", "the port must be a number from 0 to 65535"},
      {"127.0.0.1:", "the port must be a number"},
      {"127.0.0.1:http", "the port must be a number"},
      {"127.0.0.1:-1", "the port must be a number"},
      {"127.0.0.1: 80", "the port must be a number"},
      {"127.0.0.1:4294967376", "the port must be a number"},
      {"nonsense", "the port must be a number"},
      {":8080", "the host is missing"},
      {"::1:8080", "in brackets"},
      {"[]:8080", "\"\" is not an IPv6 address"},
      {"[127.0.0.1]:8080", "is not an IPv6 address"},
      {"[fe80::1%eth0]:8080", "\"fe80::1%eth0\" is not an IPv6 address"},
      {"example.com:80", "\"example.com\" is not a numeric address"},
      {"256.0.0.1:80", "\"256.0.0.1\" is not a numeric address"},
      {"127.1:80", "is not a numeric address"},
      {" 127.0.0.1:80", "is not a numeric address"},
      {"http://127.0.0.1:8080", "not a URL"},
      {"unix:", "the path of the unix socket is missing"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    struct pl_address address;
    char error[256] = "", quoted[64];
    struct pl_strv text = pl_strv_of(cases[i][0]);
    assert_int_equal(pl_address_parse(text, &address, error, sizeof error), PL_EINVAL);
    snprintf(quoted, sizeof quoted, "\"%s\": ", cases[i][0]);
    assert_ptr_equal(strstr(error, quoted), error);
    if (!strstr(error, cases[i][1])) fail_msg("%s: no \"%s\"", error, cases[i][1]);
  }
}

static void parse_takes_a_unix_path_of_107_bytes_and_no_more(void **state) {
  (void)state;
  char text[5 + 108 + 1] = "unix:", error[256];
  memset(text + 5, 'a', 107);
  struct pl_address address = parse_good(text);
  assert_string_equal(address.text, text);
  text[5 + 107] = 'a';
  assert_int_equal(pl_address_parse(pl_strv_of(text), &address, error, sizeof error), PL_EINVAL);
  assert_non_null(strstr(error, "may have 107 bytes, this one has 108"));
  assert_int_equal(pl_address_parse(pl_strv("unix:a\0b", 8), &address, error, sizeof error),
                   PL_EINVAL);
}

static void parse_cuts_a_message_that_does_not_fit(void **state) {
  (void)state;
  for (size_t size = 0; size < 64; size++) {
    struct pl_address address;
    char error[65];
    memset(error, '#', sizeof error);
    assert_int_equal(pl_address_parse(PL_STRV("example.com:80"), &address, error, size), PL_EINVAL);
    if (size) assert_true(strlen(error) < size);
    assert_int_equal(error[size], '#');
  }
}

static void url_names_http_or_the_unix_path(void **state) {
  (void)state;
  char url[PL_ADDRESS_TEXT_BYTES + 8];
  struct pl_address address = parse_good("[::1]:8080");
  pl_address_url(&address, url, sizeof url);
  assert_string_equal(url, "http://[::1]:8080");
  address = parse_good("unix:/run/app.sock");
  pl_address_url(&address, url, sizeof url);
  assert_string_equal(url, "unix:/run/app.sock");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parse_gives_the_full_text),
      cmocka_unit_test(parse_fills_the_sockaddr),
      cmocka_unit_test(parse_names_what_is_wrong),
      cmocka_unit_test(parse_takes_a_unix_path_of_107_bytes_and_no_more),
      cmocka_unit_test(parse_cuts_a_message_that_does_not_fit),
      cmocka_unit_test(url_names_http_or_the_unix_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
