// Enums: identity, names, flags, unknown values, order, what they cost.
#include "structs/enum.h"

#include "struct_bench.h"

// D11, S24.
static void equality_is_identity(void **state) {
  (void)state;
  bench_expect(
      "local K = struct.enum('K', 'u8', {A = 1, B = 2, C = 2})\n"
      "local T = struct.define('T', 'k:K') local t = T('A')\n"
      "log(rawequal(K(1), K.A), rawequal(K'A', K.A), rawequal(t.k, K.A), rawequal(K.B, K.C))\n"
      "log(K.A == K.B, K.A ~= K.B, ({[K.A] = 'a'})[K(1)], ({[K.A] = 'a'})[t.k])\n"
      "t.k = 77 local u = t.k log(u, u.value, u.name, rawequal(u, t.k), rawequal(u, K(77)))\n"
      "t.k = K.B log(t) t.k = 'C' log(t, K.C, K.A.name, K.A.value)\n"
      "local packed = T(200):pack() log(T.unpack(packed).k, T.unpack(packed):pack() == packed)\n"
      "log(struct.typeof(K.A) == K, K.is(K.A), K.is(1), T.is(K.A))",
      "true true true true\nfalse true a a\nK(77) 77 nil true true\n"
      "T(B)\nT(B) B A 1\nK(200) true\ntrue true false false\ndone\n");
}

static void pushing_a_value_allocates_nothing(void **state) {
  (void)state;
  bench_expect("local K = struct.enum('K', 'u8', {A = 1, B = 2})\n"
               "local t = struct.define('T', 'k:K')('A') local odd = K(9)\n"
               "log(cost(300000, function() t.k = K.B local a = t.k, K(1), t:get() end))\n"
               "log(cost(10000, function() t.k = odd local a = t.k t.k = 'A' t.k = 9 end))",
               "0 0\n0 0\ndone\n");
}

static void names_and_numbers_are_checked(void **state) {
  (void)state;
  bench_expect(
      "local K = struct.enum('Kind', 'i8', {Alpha = -1, Beta = 2})\n"
      "log(fails(K, 'Alpa')) log(fails(K, 128)) log(fails(K, 1.5)) log(fails(K, {}))\n"
      "log(fails(K, 1, 2)) log(K(), K(-1), fails(function() return K.Bta end))\n"
      "log(fails(function() return K.Alpha.foo end), fails(K, vec3())) log(fails(function() "
      "K.Alpha.x = 1 end))\n"
      "log(fails(function() K.New = 1 end)) local L = struct.enum('L', 'i8', {Alpha = 1})\n"
      "log(K.Alpha == L.Alpha, fails(K, L.Alpha))\n"
      "for name, value in pairs(K) do log(name, value.value) end\n"
      "log(K.Alpha < K.Beta, K.Beta <= K.Alpha, K.Alpha < 0, fails(function() return K.Alpha < "
      "{} end))\n"
      "log(fails(function() return K.Alpha | K.Beta end))",
      "Kind: Kind has no value 'Alpa' (did you mean 'Alpha'?)\n"
      "Kind: 128 is out of range for Kind: -128 to 127\n"
      "Kind: 1.5 is no integer, which Kind is: -128 to 127\n"
      "Kind: a Kind, its name or its number is expected, not table\n"
      "Kind takes one value or name\n"
      "Kind(0) Alpha Kind has nothing named 'Bta' (did you mean 'Beta'?)\n"
      "Kind has no field or method 'foo' Kind: a Kind, its name or its number is expected, not "
      "vec3\n"
      "Kind: an enum's value cannot be changed\n"
      "Kind is a type and cannot be changed: methods go into Kind.methods\n"
      "false Kind: a Kind, its name or its number is expected, not L\n"
      "Alpha -1\n"
      "Beta 2\n"
      "true false true Kind: a Kind, its name or its number is expected, not table\n"
      "attempt to perform bitwise operation on a Kind value (field 'Alpha')\n"
      "done\n");
}

static void flags_are_combined(void **state) {
  (void)state;
  bench_expect(
      "local F = struct.enum('F', 'u8', {R = 1, W = 2, X = 4}, {flags = true})\n"
      "local rw = F.R | F.W log(rw, rawequal(rw, F(3)), rw & F.W, rw ~ F.R, ~F.R, rw:has(F.R))\n"
      "log(rw:has(F.X), F'R|X', F(0), F(0x48), rw & ~F.W, F.R | 4, 'X' | F.R)\n"
      "log(fails(F, 'R|Q')) log(fails(function() return F.R | 256 end)) log((F.R | F.W).name)\n"
      "local S = struct.enum('S', 'i64', {A = 1, B = math.mininteger}, {flags = true})\n"
      "log(~S.A & S.B, S.A | S.B, (~S.A).value)\n"
      "local U = struct.enum('U', 'u64', {Low = 1, High = -1}) log(U.Low < U.High, U(-2))",
      "R|W true W W W|X|0xf8 true\n"
      "false R|X 0 0x48 R R|X R|X\n"
      "F: F has no value 'R|Q'\n"
      "F: 256 is out of range for F: 0 to 255\n"
      "nil\n"
      "B B|A -2\n"
      "true U(18446744073709551614)\n"
      "done\n");
}

static void values_of_large_enums_do_not_pile_up(void **state) {
  (void)state;
  bench_expect("local K = struct.enum('K', 'u32', {A = 1})\n"
               "local before = collectgarbage('count')\n"
               "for i = 1, 200000 do local k = K(i) end collectgarbage() collectgarbage()\n"
               "log(collectgarbage('count') - before < 6000, rawequal(K.A, K(1)))",
               "true true\ndone\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(equality_is_identity),
    cmocka_unit_test(pushing_a_value_allocates_nothing),
    cmocka_unit_test(names_and_numbers_are_checked),
    cmocka_unit_test(flags_are_combined),
    cmocka_unit_test(values_of_large_enums_do_not_pile_up),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
