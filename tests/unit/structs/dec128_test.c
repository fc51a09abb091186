// Decimals as Lua values, and unsigned integers.
#include "structs/dec128.h"

#include "struct_bench.h"

// S25, S33.
static void decimals_are_computed_with(void **state) {
  (void)state;
  bench_expect(
      "local D = struct.dec128 local a, b = D '1.10', D(3)\n"
      "log(a + b, a - b, a * b, b / 4, b % 2, -a, a + 1, 1 + a, '0.1' + a, a + 0.25)\n"
      "log(a == D '1.1', a < b, a <= 1.1, a > '2', D(1) == 1, D(), D(math.maxinteger) + 1)\n"
      "log(a:tonumber(), b:tointeger(), a:tointeger(), a:round(1), D '2.5':round(), D "
      "'2.5':round(0, "
      "'away'))\n"
      "log(D '1e400', D 'inf', D 'nan':is_nan(), D(1) / 0, D 'nan' == D 'nan')\n"
      "log(D.from_net((D '12.34'):to_net()), D(D '5'), a:abs(), D.add(a, 2))\n"
      "log(cost(10000, function() return a + b end))",
      "4.10 -1.90 3.30 0.75 1 -1.10 2.10 2.10 1.20 1.35\n"
      "true true true false false 0 9223372036854775808\n"
      "1.1 3 nil 1.1 2 3\n"
      "1E+400 inf true inf false\n"
      "12.34 5 1.10 3.10\n"
      "1 48\n"
      "done\n");
}

static void fields_keep_them_exactly(void **state) {
  (void)state;
  bench_expect(
      "local T = struct.define('T', 'd:dec128 n:u8 e:dec128[2]') local t = T()\n"
      "t.d = '12.340' log(t, t.d) t.d = t.d + 1 log(t.d) t.e = {1, '2'} log(t.e[2] + t.e[1])\n"
      "log(T('1.0', 1, 2, 3) == T('1', 1, 2, 3), T('1.0', 1, 2, 3):same(T('1', 1, 2, 3)))\n"
      "log(fails(function() t.d = {} end)) log(fails(function() t.d = 'x' end))\n"
      "log(fails(function() t.d.x = 1 end)) log(fails(function() t.d = vec3() end))",
      "T(12.340, 0, {0, 0}) 12.340\n"
      "13.340\n"
      "3\n"
      "true false\n"
      "T.d: a number is expected, not table\n"
      "T.d: 'x' is no number for dec128\n"
      "a dec128 cannot be changed\n"
      "T.d: a number is expected, not vec3\n"
      "done\n");
}

static void any_operand_is_checked(void **state) {
  (void)state;
  bench_expect(
      "local D = struct.dec128 local m = debug.getmetatable(D(1))\n"
      "for name, f in pairs(m) do if type(f) == 'function' then\n"
      "  for _, x in pairs {true, {}, forged, io.stdout, vec3(), vec3, print} do pcall(f, x, "
      "D(1))\n"
      "    pcall(f, D(1), x) pcall(f, x) pcall(f) end end end\n"
      "for name, f in pairs(D.methods) do for _, x in pairs {true, {}, forged, vec3()} do\n"
      "  fails(f, x, 1) end end\n"
      "log(fails(function() return D(1) + {} end)) log(fails(function() return D(1) < 'x' end))\n"
      "log(fails(D, 'x')) log(fails(D, 1, 2)) log(fails(D, ('9'):rep(40))) log(fails(D.from_net, "
      "'x'))\n"
      "log(fails(D.to_net, D 'inf')) log(fails(D.round, D(1), 1e9)) log(fails(function() return "
      "D(1).nothing end))",
      "dec128: a number is expected, not table\n"
      "dec128: 'x' is no number for dec128\n"
      "dec128: 'x' is no number for dec128\n"
      "dec128 takes one value\n"
      "dec128: '9999999999999999999999999999999999999999' has more than the 34 digits, or a larger "
      "exponent, than dec128 has\n"
      "bad argument #1 to '?' (16 bytes are expected)\n"
      "to_net: inf is not finite\n"
      "bad argument #2 to '?' (places from -6200 to 6200 are expected)\n"
      "dec128 has no method 'nothing'\n"
      "done\n");
}

// S26.
static void unsigned_integers_have_helpers(void **state) {
  (void)state;
  bench_expect(
      "local u = struct.u64 log(u.tostring(-1), u.divide(-1, 10), u.remainder(-1, 10), "
      "u.compare(-1, 1))\n"
      "log(u.compare(1, 1), u.compare(1, 2), u.parse '18446744073709551615', u.parse '7')\n"
      "log(u.parse '18446744073709551616') log(u.parse '') log(u.parse '-1') "
      "log(u.tostring(2^63))\n"
      "log(fails(u.divide, 1, 0)) log(fails(u.remainder, 1, 0)) log(fails(u.tostring, 'x'))\n"
      "log(fails(u.tostring)) log(fails(u.compare, 1)) log(u.sizeof, u(-1), u "
      "'18446744073709551615')",
      "18446744073709551615 1844674407370955161 5 1\n"
      "0 -1 -1 7\n"
      "nil no decimal number from 0 to 18446744073709551615\n"
      "nil no decimal number from 0 to 18446744073709551615\n"
      "nil no decimal number from 0 to 18446744073709551615\n"
      "9223372036854775808\n"
      "bad argument #2 to '?' (division by zero)\n"
      "bad argument #2 to '?' (division by zero)\n"
      "u64: 'x' is no number for u64\n"
      "bad argument #1 to '?' (value expected)\n"
      "bad argument #2 to '?' (value expected)\n"
      "8 -1 -1\n"
      "done\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(decimals_are_computed_with),
    cmocka_unit_test(fields_keep_them_exactly),
    cmocka_unit_test(any_operand_is_checked),
    cmocka_unit_test(unsigned_integers_have_helpers),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
