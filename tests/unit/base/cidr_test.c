// Networks and the list of trusted proxies.
#include "base/cidr.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_format(const char *text, const char *expected) {
  struct pl_network network;
  char out[64];
  assert_int_equal(pl_network_parse(pl_strv_of(text), &network), 0);
  pl_network_format(&network, out, sizeof out);
  assert_string_equal(out, expected);
}

static void parse_clears_the_bits_behind_the_prefix(void **state) {
  (void)state;
  check_format("10.1.2.3/8", "10.0.0.0/8");
  check_format("10.1.2.255/25", "10.1.2.128/25");
  check_format("fd00::1/8", "fd00::/8");
  check_format("0.0.0.0/0", "0.0.0.0/0");
}

static void parse_takes_an_address_as_a_network_of_one(void **state) {
  (void)state;
  check_format("127.0.0.1", "127.0.0.1");
  check_format("::1", "::1");
  check_format("127.0.0.1/32", "127.0.0.1");
}

static void parse_turns_a_mapped_network_into_ipv4(void **state) {
  (void)state;
  check_format("::ffff:10.0.0.1", "10.0.0.1");
  check_format("::ffff:10.0.0.0/104", "10.0.0.0/8");
}

static void parse_rejects_what_is_no_network(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "",
      "localhost",
      "10.0.0",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "10.0.0.0/8x",
      "::/129",
      "10.0.0.0/0008",
      " 10.0.0.1",
      "::ffff:10.0.0.0/95",
      "1/8/9",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(wrong); i++) {
    struct pl_network network = {.prefix = 77};
    assert_int_equal(pl_network_parse(pl_strv_of(wrong[i]), &network), PL_EINVAL);
    assert_int_equal(network.prefix, 77);
  }
  struct pl_network network;
  assert_int_equal(pl_network_parse(pl_strv("10.0.0.1\0x", 10), &network), PL_EINVAL);
}

static struct pl_trusted make_list(const char *const *items, size_t count) {
  struct pl_trusted list = {0};
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(pl_trusted_add(&list, pl_strv_of(items[i])), 0);
  }
  return list;
}

static void trusted_contains_the_network_and_nothing_beside_it(void **state) {
  (void)state;
  static const char *const items[] = {"10.0.0.0/8", "192.168.4.0/22", "fd00::/9", "::1"};
  struct pl_trusted list = make_list(items, PL_ARRAY_LEN(items));
  static const char *const in[] = {"10.0.0.0", "10.255.255.255",  "192.168.7.255", "fd7f::1",
                                   "::1",      "::ffff:10.9.8.7", "fd00::1%eth0"};
  static const char *const out[] = {"9.255.255.255", "11.0.0.0", "192.168.8.0", "fd80::1", "::2",
                                    "unix:",         "",         "nonsense"};
  for (size_t i = 0; i < PL_ARRAY_LEN(in); i++) assert_true(pl_trusted_contains(&list, in[i]));
  for (size_t i = 0; i < PL_ARRAY_LEN(out); i++) assert_false(pl_trusted_contains(&list, out[i]));
  pl_trusted_deinit(&list);
}

static void trusted_keeps_the_families_apart(void **state) {
  (void)state;
  static const char *const v6[] = {"::/0"};
  struct pl_trusted list = make_list(v6, 1);
  assert_true(pl_trusted_contains(&list, "2001:db8::1"));
  assert_false(pl_trusted_contains(&list, "10.0.0.1"));
  assert_false(pl_trusted_contains(&list, "::ffff:10.0.0.1"));
  pl_trusted_deinit(&list);
}

static void trusted_unix_means_unix_sockets_only(void **state) {
  (void)state;
  static const char *const items[] = {"unix"};
  struct pl_trusted list = make_list(items, 1);
  assert_true(pl_trusted_contains(&list, "unix:"));
  assert_true(pl_trusted_contains(&list, "unix:/run/app.sock"));
  assert_false(pl_trusted_contains(&list, "127.0.0.1"));
  pl_trusted_deinit(&list);
}

static void trusted_is_empty_by_default(void **state) {
  (void)state;
  struct pl_trusted list = {0};
  assert_false(pl_trusted_contains(&list, "127.0.0.1"));
  assert_false(pl_trusted_contains(&list, "unix:"));
}

static void trusted_add_out_of_memory_changes_nothing(void **state) {
  (void)state;
  static const char *const items[] = {"10.0.0.0/8"};
  struct pl_trusted list = make_list(items, 1);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_trusted_add(&list, PL_STRV("11.0.0.0/8")), PL_ENOMEM);
  pl_mem_fail_nth(0);
  assert_int_equal(list.count, 1);
  assert_true(pl_trusted_contains(&list, "10.1.1.1"));
  pl_trusted_deinit(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parse_clears_the_bits_behind_the_prefix),
      cmocka_unit_test(parse_takes_an_address_as_a_network_of_one),
      cmocka_unit_test(parse_turns_a_mapped_network_into_ipv4),
      cmocka_unit_test(parse_rejects_what_is_no_network),
      cmocka_unit_test(trusted_contains_the_network_and_nothing_beside_it),
      cmocka_unit_test(trusted_keeps_the_families_apart),
      cmocka_unit_test(trusted_unix_means_unix_sockets_only),
      cmocka_unit_test(trusted_is_empty_by_default),
      cmocka_unit_test(trusted_add_out_of_memory_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
