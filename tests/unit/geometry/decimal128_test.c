// dec128: text, conversions, arithmetic against Python's decimal module, and .NET's layout.
#include "geometry/decimal128.h"

#include "base/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pl_decimal128 of(const char *text) {
  struct pl_decimal128 value = {1, 1};
  int err = pl_decimal128_read(pl_strv_of(text), &value);
  if (err) print_error("%s\n", text);
  assert_int_equal(err, 0);
  return value;
}

static const char *text_of(struct pl_decimal128 value) {
  static char text[PL_DECIMAL128_TEXT + 1];
  size_t len = pl_decimal128_write(value, text);
  assert_true(len <= PL_DECIMAL128_TEXT);
  text[len] = '\0';
  return text;
}

static void assert_text(struct pl_decimal128 value, const char *text) {
  assert_string_equal(text_of(value), text);
}

static void decimal128_has_the_bytes_of_the_standard(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint64_t hi, lo;
  } rows[] = {
      {"0", 0x3040000000000000, 0},
      {"1", 0x3040000000000000, 1},
      {"-1", 0xb040000000000000, 1},
      {"0.1", 0x303e000000000000, 1},
      {"1e6144", 0x5ffe314dc6448d93, 0x38c15b0a00000000},
      {"1e-6176", 0, 1},
      {"inf", 0x7800000000000000, 0},
      {"-inf", 0xf800000000000000, 0},
      {"nan", 0x7c00000000000000, 0},
      {"9999999999999999999999999999999999", 0x3041ed09bead87c0, 0x378d8e63ffffffff},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    unsigned char bytes[17];
    struct pl_decimal128 value = of(rows[i].text);
    assert_true(value.hi == rows[i].hi && value.lo == rows[i].lo);
    pl_decimal128_store(bytes + 1, value);  // at any alignment
    assert_int_equal(bytes[1], rows[i].lo & 0xff);
    assert_int_equal(bytes[16], rows[i].hi >> 56);
    value = pl_decimal128_load(bytes + 1);
    assert_true(value.hi == rows[i].hi && value.lo == rows[i].lo);
  }
}

static void decimal128_text_comes_back(void **state) {
  (void)state;
  static const char *const same[] = {"0",
                                     "-0",
                                     "0.00",
                                     "1.10",
                                     "-123.456",
                                     "1E+40",
                                     "1.5E+3",
                                     "0.000001",
                                     "1E-7",
                                     "1.0E-7",
                                     "0.0000010",
                                     "0E-7",
                                     "0E+3",
                                     "9.999999999999999999999999999999999E+6144",
                                     "1E-6176",
                                     "0.1234567890123456789012345678901234",
                                     "1234567890123456789012345678901234",
                                     "123456789012345678901234567890123.4",
                                     "inf",
                                     "-inf",
                                     "nan",
                                     "1.000000000000000000000000000000000E+6144"};
  for (size_t i = 0; i < PL_ARRAY_LEN(same); i++) assert_text(of(same[i]), same[i]);
  assert_text(of("+1."), "1");
  assert_text(of(".5e1"), "5");
  assert_text(of("100e-2"), "1.00");
  assert_text(of("1000e37"), "1.000E+40");
  assert_text(of("INF"), "inf");
  assert_text(of("0000000000000000000000000000000000000000001.10"), "1.10");
}

static void decimal128_text_is_exact_or_refused(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int code;
  } bad[] = {
      {"", PL_ESYNTAX},
      {"-", PL_ESYNTAX},
      {".", PL_ESYNTAX},
      {"1e", PL_ESYNTAX},
      {"1e+", PL_ESYNTAX},
      {"1.2.3", PL_ESYNTAX},
      {" 1", PL_ESYNTAX},
      {"1 ", PL_ESYNTAX},
      {"0x10", PL_ESYNTAX},
      {"1,5", PL_ESYNTAX},
      {"infinity", PL_ESYNTAX},
      {"--1", PL_ESYNTAX},
      {"nan0", PL_ESYNTAX},
      {"snan", PL_ESYNTAX},
      {"12345678901234567890123456789012345", PL_ELIMIT},
      {"0.12345678901234567890123456789012345", PL_ELIMIT},
      {"1e6145", PL_ELIMIT},
      {"1e-6177", PL_ELIMIT},
      {"1e9999999", PL_ELIMIT},
      {"1e-99999999999999999999", PL_ELIMIT},
  };
  struct pl_decimal128 value = {7, 7};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    assert_int_equal(pl_decimal128_read(pl_strv_of(bad[i].text), &value), bad[i].code);
    assert_true(value.lo == 7 && value.hi == 7);
  }
  char text[130];
  memset(text, '0', sizeof text);
  assert_int_equal(pl_decimal128_read(pl_strv(text, 128), &value), 0);
  assert_int_equal(pl_decimal128_read(pl_strv(text, 129), &value), PL_ELIMIT);
  assert_int_equal(pl_decimal128_read(pl_strv("1\0", 2), &value), PL_ESYNTAX);
}

static void decimal128_random_numbers_come_back(void **state) {
  (void)state;
  unsigned seed = 128;
  for (int i = 0; i < 20000; i++) {
    char digits[64];
    int n = 1 + rand_r(&seed) % 34;
    char *at = digits;
    if (rand_r(&seed) % 2) *at++ = '-';
    *at++ = (char)('1' + rand_r(&seed) % 9);
    for (int k = 1; k < n; k++) *at++ = (char)('0' + rand_r(&seed) % 10);
    int exponent = rand_r(&seed) % (6144 + 6143 - 33) - 6176 + 33;
    sprintf(at, "e%d", exponent < 6111 ? exponent : 6111);
    struct pl_decimal128 value = of(digits), again = of(text_of(value));
    assert_true(value.hi == again.hi && value.lo == again.lo);
  }
}

// What is not canonical (a coefficient of 35 digits) is zero for the library, so it is in text.
static void decimal128_reads_any_bytes(void **state) {
  (void)state;
  unsigned seed = 5;
  assert_text((struct pl_decimal128){UINT64_MAX, 0x3041ffffffffffff}, "0");
  assert_text((struct pl_decimal128){5, 0x6c10000000000000}, "0");
  assert_text((struct pl_decimal128){5, 0x7e00000000000001}, "nan");
  for (int i = 0; i < 100000; i++) {
    struct pl_decimal128 value = {0, 0}, again;
    for (int k = 0; k < 8; k++) {
      value.lo = value.lo << 8 | (uint64_t)(rand_r(&seed) & 0xff);
      value.hi = value.hi << 8 | (uint64_t)(rand_r(&seed) & 0xff);
    }
    again = of(text_of(value));
    int order = pl_decimal128_compare(value, again);
    assert_int_equal(order, pl_decimal128_is_nan(value) ? PL_DECIMAL128_UNORDERED : 0);
  }
}

static void decimal128_arithmetic_is_that_of_python(void **state) {
  (void)state;
  static const struct {
    const char *a, *b, *sum, *difference, *product, *quotient, *rest;
    int order;
  } rows[] = {
      {"2.6018159083016613E+19", "0.09", "26018159083016613000.09", "26018159083016612999.91",
       "2.34163431747149517E+18", "289090656477962366666.6666666666667", "0.06", 1},
      {"-9E-40", "8.246E-17", "8.24599999999999999999991E-17", "-8.24600000000000000000009E-17",
       "-7.4214E-56", "-1.091438273102110113994664079553723E-23", "-9E-40", -1},
      {"-8.2199351819093786E+46", "54323194875749.11862527601895559797",
       "-8.219935181909378599999999999999995E+46", "-8.219935181909378600000000000000005E+46",
       "-4.465331407528894548212846114954301E+60", "-1513153856416296690857144974727446",
       "-33870160541509.39725724074225471335", -1},
      {"71049746507529170", "3.6671E+34", "3.667100000000000007104974650752917E+34",
       "-3.667099999999999992895025349247083E+34", "2.605465254177602193070E+51",
       "1.937491383041890594747893430776363E-18", "71049746507529170", -1},
      {"-8.426846563212233079244026859952890E+36", "66176031372159.01092815901396245957",
       "-8.426846563212233079243960683921518E+36", "-8.426846563212233079244093035984262E+36",
       "-5.576552625355030780396988576337912E+50", "-127339859893101729985845.5156162849",
       "-34121439446777.72066382058251521335", -1},
      {"77741215472803852808414852538885.39", "-3387500474395755131373537990.751163",
       "77737827972329457053283479000894.64", "77744602973278248563546226076876.14",
       "-2.633484042942256704401095572958777E+59", "-22949.43308802663119618936279262320",
       "1467085895668298523529189136.950313", 1},
      {"2.2791E+5", "1.803340187801759898347887838483726E+36",
       "1.803340187801759898347887838483954E+36", "-1.803340187801759898347887838483498E+36",
       "4.109992622018990984324671172688260E+41", "1.263821443905258374638905118314365E-31",
       "2.2791E+5", -1},
      {"1E-20", "-4E-40", "9.9999999999999999996E-21", "1.00000000000000000004E-20", "-4E-60",
       "-2.5E+19", "0E-40", 1},
      {"4.2646E+34", "1.4026140141931417E+17", "4.264600000000000014026140141931417E+34",
       "4.264599999999999985973859858068583E+34", "5.98158772492807209382E+51",
       "304046584223901762.5014278753366840", "7.033097650543246E+16", 1},
      {"4.920831240234483478245040008838737E+36", "-8.684335326502014620168493407224704E+34",
       "4.833987886969463332043355074766490E+36", "5.007674593499503624446724942910984E+36",
       "-4.273414857532304661946632398931393E+71", "-56.66330300739961791841017074034795",
       "5.760345739335529095068370079290276E+34", 1},
      {"-4.43198296572492086828890931002516E-8", "8E+30", "8000000000000000000000000000000.000",
       "-8000000000000000000000000000000.000", "-354558637257993669463112.7448020128",
       "-5.53997870715615108536113663753145E-39", "-4.43198296572492086828890931002516E-8", -1},
      {"1.00001", "2.00002", "3.00003", "-1.00001", "2.0000400002", "0.5", "1.00001", -1},
      {"-7", "2", "-5", "-9", "-14", "-3.5", "-1", -1},
      {"7", "-2", "5", "9", "-14", "-3.5", "1", 1},
      {"1.10", "1.1", "2.20", "0.00", "1.210", "1.0", "0.00", 0},
      {"0", "-0", "0", "0", "-0", "nan", "nan", 0},
      {"1", "0", "1", "1", "0", "inf", "nan", 1},
      {"inf", "1", "inf", "inf", "inf", "inf", "nan", 1},
      {"inf", "inf", "inf", "nan", "inf", "nan", "nan", 0},
      {"nan", "1", "nan", "nan", "nan", "nan", "nan", PL_DECIMAL128_UNORDERED},
      {"1", "nan", "nan", "nan", "nan", "nan", "nan", PL_DECIMAL128_UNORDERED},
      {"9e6144", "9e6144", "inf", "0E+6111", "inf", "1", "0E+6111", 0},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    struct pl_decimal128 a = of(rows[i].a), b = of(rows[i].b);
    assert_text(pl_decimal128_add(a, b), rows[i].sum);
    assert_text(pl_decimal128_sub(a, b), rows[i].difference);
    assert_text(pl_decimal128_mul(a, b), rows[i].product);
    assert_text(pl_decimal128_div(a, b), rows[i].quotient);
    assert_text(pl_decimal128_rem(a, b), rows[i].rest);
    assert_int_equal(pl_decimal128_compare(a, b), rows[i].order);
  }
  assert_text(pl_decimal128_neg(of("1.50")), "-1.50");
  assert_text(pl_decimal128_abs(of("-1.50")), "1.50");
  assert_text(pl_decimal128_neg(of("0")), "-0");
}

static void decimal128_converts_integers_exactly(void **state) {
  (void)state;
  int64_t integer = 7;
  uint64_t bits = 7;
  assert_text(pl_decimal128_from_integer(INT64_MIN), "-9223372036854775808");
  assert_text(pl_decimal128_from_unsigned(UINT64_MAX), "18446744073709551615");
  assert_int_equal(pl_decimal128_to_integer(of("-9223372036854775808"), &integer), 0);
  assert_true(integer == INT64_MIN);
  assert_int_equal(pl_decimal128_to_integer(of("12.00"), &integer), 0);
  assert_int_equal(integer, 12);
  assert_int_equal(pl_decimal128_to_integer(of("1.2E+3"), &integer), 0);
  assert_int_equal(integer, 1200);
  assert_int_equal(pl_decimal128_to_integer(of("12.5"), &integer), PL_EINVAL);
  assert_int_equal(pl_decimal128_to_integer(of("1e-6176"), &integer), PL_EINVAL);
  assert_int_equal(pl_decimal128_to_integer(of("nan"), &integer), PL_EINVAL);
  assert_int_equal(pl_decimal128_to_integer(of("9223372036854775808"), &integer), PL_ELIMIT);
  assert_int_equal(pl_decimal128_to_integer(of("-inf"), &integer), PL_ELIMIT);
  assert_int_equal(pl_decimal128_to_integer(of("1e6000"), &integer), PL_ELIMIT);
  assert_int_equal(integer, 1200);
  assert_int_equal(pl_decimal128_to_unsigned(of("18446744073709551615"), &bits), 0);
  assert_true(bits == UINT64_MAX);
  assert_int_equal(pl_decimal128_to_unsigned(of("-1"), &bits), PL_ELIMIT);
  assert_int_equal(pl_decimal128_to_unsigned(of("18446744073709551616"), &bits), PL_ELIMIT);
}

static void decimal128_converts_floats_by_their_shortest_text(void **state) {
  (void)state;
  static const struct {
    double number;
    const char *text;
  } rows[] = {{0.1, "0.1"},
              {3.0, "3"},
              {100.0, "100"},
              {-0.0, "-0"},
              {1e300, "1E+300"},
              {5e-324, "5E-324"},
              {1.7976931348623157e308, "1.7976931348623157E+308"},
              {HUGE_VAL, "inf"},
              {-HUGE_VAL, "-inf"}};
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    struct pl_decimal128 value = pl_decimal128_from_double(rows[i].number);
    assert_text(value, rows[i].text);
    assert_true(pl_decimal128_to_double(value) == rows[i].number);
  }
  assert_text(pl_decimal128_from_double(NAN), "nan");
  assert_true(isnan(pl_decimal128_to_double(of("nan"))));
  assert_true(isinf(pl_decimal128_to_double(of("1e309"))));
  srand48(10);
  for (int i = 0; i < 20000; i++) {
    double number = ldexp(drand48() - 0.5, (int)(lrand48() % 2000) - 1000);
    assert_true(pl_decimal128_to_double(pl_decimal128_from_double(number)) == number);
    char text[48];
    snprintf(text, sizeof text, "%ld.%09lde%ld", lrand48() % 10, lrand48() % 1000000000,
             lrand48() % 600 - 300);
    assert_true(pl_decimal128_to_double(of(text)) == strtod(text, NULL));
  }
}

static void decimal128_rounds_as_told(void **state) {
  (void)state;
  static const struct {
    const char *value;
    int places;
    const char *results[5];  // in the order of enum pl_decimal128_rounding
  } rows[] = {
      {"2.345", 2, {"2.34", "2.34", "2.35", "2.34", "2.35"}},
      {"-2.345", 2, {"-2.34", "-2.35", "-2.34", "-2.34", "-2.35"}},
      {"2.5", 0, {"2", "2", "3", "2", "3"}},
      {"1250", -2, {"1.2E+3", "1.2E+3", "1.3E+3", "1.2E+3", "1.3E+3"}},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++)
    for (int mode = 0; mode < 5; mode++)
      assert_text(pl_decimal128_quantize(of(rows[i].value), rows[i].places,
                                         (enum pl_decimal128_rounding)mode),
                  rows[i].results[mode]);
  assert_text(pl_decimal128_quantize(of("1.5"), 3, PL_DECIMAL128_HALF_EVEN), "1.500");
  assert_text(pl_decimal128_round(of("1.5"), 3, PL_DECIMAL128_HALF_EVEN), "1.5");
  assert_text(pl_decimal128_round(of("1.2345"), 3, PL_DECIMAL128_CEIL), "1.235");
  assert_text(pl_decimal128_quantize(of("1"), 34, PL_DECIMAL128_HALF_EVEN), "nan");
  assert_text(pl_decimal128_quantize(of("1"), 100000, PL_DECIMAL128_HALF_EVEN), "nan");
  assert_text(pl_decimal128_quantize(of("1"), -6111, PL_DECIMAL128_HALF_EVEN), "0E+6111");
  assert_text(pl_decimal128_quantize(of("1"), -6112, PL_DECIMAL128_HALF_EVEN), "nan");
  assert_text(pl_decimal128_quantize(of("inf"), 2, PL_DECIMAL128_HALF_EVEN), "nan");
  assert_text(pl_decimal128_round(of("inf"), 2, PL_DECIMAL128_HALF_EVEN), "inf");
  assert_text(pl_decimal128_round(of("1"), 1000000, PL_DECIMAL128_HALF_EVEN), "1");
}

static void decimal128_has_the_layout_of_net(void **state) {
  (void)state;
  static const struct {
    const char *text;
    unsigned char net[16];
  } rows[] = {
      {"0", {0}},
      {"-0.00", {0, 0, 2, 0x80}},
      {"1.10", {0, 0, 2, 0, 0, 0, 0, 0, 110}},
      {"-79228162514264337593543950335",
       {0, 0, 0, 0x80, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
      {"7.9228162514264337593543950335",
       {0, 0, 28, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
      {"18446744073709551616", {0, 0, 0, 0, 1}},
  };
  unsigned char net[17];
  struct pl_decimal128 value;
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    assert_int_equal(pl_decimal128_to_net(of(rows[i].text), net + 1), 0);
    assert_memory_equal(net + 1, rows[i].net, 16);
    assert_int_equal(pl_decimal128_from_net(net + 1, &value), 0);
    assert_text(value, rows[i].text);
  }
}

static void decimal128_makes_numbers_fit_net_or_refuses(void **state) {
  (void)state;
  static const struct {
    const char *text, *back;  // NULL: refused
    int code;
  } rows[] = {
      {"1E+28", "10000000000000000000000000000", 0},
      {"7.9E+28", "79000000000000000000000000000", 0},
      {"8E+28", NULL, PL_ELIMIT},
      {"1E+6144", NULL, PL_ELIMIT},
      {"1E-28", "1E-28", 0},
      {"1E-29", NULL, PL_ELIMIT},
      {"1.0E-28", "1E-28", 0},
      {"1.0000000000000000000000000000000", "1.0000000000000000000000000000", 0},
      {"79228162514264337593543950336", NULL, PL_ELIMIT},
      {"79228162514264337593543950335.0", "79228162514264337593543950335", 0},
      {"0E-100", "0E-28", 0},
      {"0E+6111", "0", 0},
      {"nan", NULL, PL_EINVAL},
      {"-inf", NULL, PL_EINVAL},
  };
  unsigned char net[16];
  struct pl_decimal128 value;
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    memset(net, 0xee, sizeof net);
    assert_int_equal(pl_decimal128_to_net(of(rows[i].text), net), rows[i].code);
    if (rows[i].code) {
      assert_int_equal(net[0], 0xee);
      continue;
    }
    assert_int_equal(pl_decimal128_from_net(net, &value), 0);
    assert_text(value, rows[i].back);
  }
  static const unsigned char bad[][4] = {{1}, {0, 1}, {0, 0, 29}, {0, 0, 0, 1}, {0, 0, 0, 0xff}};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    memset(net, 0, sizeof net);
    memcpy(net, bad[i], 4);
    assert_int_equal(pl_decimal128_from_net(net, &value), PL_EINVAL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decimal128_has_the_bytes_of_the_standard),
      cmocka_unit_test(decimal128_text_comes_back),
      cmocka_unit_test(decimal128_text_is_exact_or_refused),
      cmocka_unit_test(decimal128_random_numbers_come_back),
      cmocka_unit_test(decimal128_reads_any_bytes),
      cmocka_unit_test(decimal128_arithmetic_is_that_of_python),
      cmocka_unit_test(decimal128_converts_integers_exactly),
      cmocka_unit_test(decimal128_converts_floats_by_their_shortest_text),
      cmocka_unit_test(decimal128_rounds_as_told),
      cmocka_unit_test(decimal128_has_the_layout_of_net),
      cmocka_unit_test(decimal128_makes_numbers_fit_net_or_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
