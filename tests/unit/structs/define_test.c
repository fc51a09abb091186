// struct.define and struct.enum: every form, options, names, and messages.
#include "structs/define.h"

#include "struct_bench.h"

static void every_form_defines_a_struct(void **state) {
  (void)state;
  bench_expect(
      "local A = struct.define('A', 't:f32 uv:vec2 tag:u8[8]')\n"
      "local B = struct.define('B', {{'t', 'f32'}, {'uv', vec2}, {name = 'tag', type = 'u8[8]'}})\n"
      "local C = struct.define('C', '<ffI4') local E = struct.define('E', {{'a', 'u8'}, {'b', "
      "'f32', 8}})\n"
      "log(A.sizeof, B.sizeof, A.hash == B.hash, C.sizeof, E.sizeof, E.fields[2].offset, C())\n"
      "log(struct.define('F', 'a:u8 b:f64', {align = 'natural'}).sizeof,\n"
      "  struct.define('G', 'a:u8 b:f64', {align = 4}).sizeof)\n"
      "log(struct.define('H', 'a:A', {base = A}).fields[4].name)",
      "20 20 true 12 12 8 C(0, 0, 0)\n"
      "16 12\n"
      "a\n"
      "done\n");
}

static void the_same_again_is_the_same_type(void **state) {
  (void)state;
  bench_expect(
      "local A = struct.define('A', 'x:f32', {methods = {one = function() return 1 end}})\n"
      "log(struct.define('A', {{'x', 'f32'}}, {methods = {two = function() return 2 end}}) == A)\n"
      "log(A():one(), A():two(), fails(struct.define, 'A', 'x:f64'))\n"
      "log(fails(struct.define, 'vec3', 'x:f32')) log(fails(struct.enum, 'A', 'u8', {Q = 1}))\n"
      "local E = struct.enum('E', 'u8', {Q = 1}) log(struct.enum('E', 'u8', {Q = 1}) == E)\n"
      "log(fails(struct.enum, 'E', 'u8', {Q = 2})) log(fails(struct.enum, 'f32', 'u8', {Q = 1}))",
      "true\n"
      "1 2 the type A is defined already, otherwise: 4 bytes at test:1, 8 bytes at test:3\n"
      "'vec3' is the name of a built-in type\n"
      "the type A is defined already, otherwise: 4 bytes at test:1, 1 bytes at test:4\n"
      "true\n"
      "the type E is defined already, otherwise: 1 bytes at test:5, 1 bytes at test:6\n"
      "'f32' is the name of a built-in type\n"
      "done\n");
}

static void mistakes_in_fields_are_named(void **state) {
  (void)state;
  bench_expect(
      "local d = struct.define log(fails(d)) log(fails(d, 'A')) log(fails(d, 1, 'x:f32'))\n"
      "log(fails(d, 'A', 'x:f33')) log(fails(d, 'A', 'x:A')) log(fails(d, 'A b', 'x:f32'))\n"
      "log(fails(d, 'A', {{'x'}})) log(fails(d, 'A', {{1, 'f32'}})) log(fails(d, 'A', {'x:f32'}))\n"
      "log(fails(d, 'A', {{'x', 'f32', -1}})) log(fails(d, 'A', {{'x', 'f32', 'q'}}))\n"
      "log(fails(d, 'B', 'x:f32 y:u8[100000]')) local many = {} for i = 1, 257 do\n"
      "  many[i] = {'f' .. i, 'u8'} end log(fails(d, 'B', many))",
      "bad argument #1 to '?' (string expected, got no value)\n"
      "bad argument #2 to '?' (a schema or a list of fields is expected)\n"
      "bad argument #1 to '?' (string expected, got number)\n"
      "A.x: unknown type 'f33' (did you mean 'f32'?), column 3\n"
      "A.x: a struct cannot hold itself, column 3\n"
      "'A b' is no name for a struct: it has letters, digits and _, no digit first, and at most 64 "
      "of them\n"
      "bad argument #2 to '?' (field 1: its type is missing)\n"
      "bad argument #2 to '?' (field 1: its name is missing)\n"
      "bad argument #2 to '?' (field 1: {name, type [, offset]} is expected)\n"
      "bad argument #2 to '?' (field 1: its offset is at least 0)\n"
      "bad argument #2 to '?' (field 1: its offset is at least 0)\n"
      "B: an array's length is from 1 to 65536, column 12\n"
      "bad argument #2 to '?' (257 fields, at most 256 are allowed)\n"
      "done\n");
}

static void mistakes_in_options_are_named(void **state) {
  (void)state;
  bench_expect(
      "local d = struct.define\n"
      "log(fails(d, 'A', 'x:f32', 5)) log(fails(d, 'A', 'x:f32', {algin = 1}))\n"
      "log(fails(d, 'A', 'x:f32', {align = 3})) log(fails(d, 'A', 'x:f32', {base = 'nope'}))\n"
      "log(fails(d, 'A', 'x:f32', {methods = 1})) log(fails(d, 'A', 'x:f32', {methods = {1}}))\n"
      "log(fails(d, 'A', 'x:f32', {methods = {m = 1}})) log(fails(d, 'A', 'x:f32', {statics = "
      "{{}}}))\n"
      "log(fails(d, 'A', 'x:f32', {statics = {one = {y = 1}}}))",
      "bad argument #3 to '?' (table expected, got number)\n"
      "bad argument #3 to '?' (there is no option 'algin')\n"
      "bad argument #3 to '?' (align is 1, 4, 8, 16 or \"natural\")\n"
      "bad argument #3 to '?' (base is a type or its name)\n"
      "bad argument #3 to '?' (methods is a table)\n"
      "A: methods are by name, not by a key that is a number\n"
      "A: the method 'm' is a number, not a function\n"
      "A: statics are by name, not by a key that is a number\n"
      "A: A has no field 'y' (did you mean 'x'?)\n"
      "done\n");
}

static void mistakes_in_enums_are_named(void **state) {
  (void)state;
  bench_expect(
      "local e = struct.enum\n"
      "log(fails(e, 'E', 'f32', {A = 1})) log(fails(e, 'E', 'u8', {A = 256}))\n"
      "log(fails(e, 'E', 'u8', {'A'})) log(fails(e, 'E', 'u8', {A = 'x'})) log(fails(e, 'E', "
      "'u8'))\n"
      "log(fails(e, 'E', 'u9', {A = 1})) log(fails(e, 'E', 'u8', {A = 1}, {flag = true}))\n"
      "log(fails(e, 'E', 'u8', {}))",
      "bad argument #2 to '?' (i8, i16, i32, i64, u8, u16, u32 or u64 is expected)\n"
      "E.A: 256 is no value of u8\n"
      "bad argument #3 to '?' ({NAME = number, ...} is expected)\n"
      "bad argument #3 to '?' (A is no integer)\n"
      "bad argument #3 to '?' (table expected, got nil)\n"
      "bad argument #2 to '?' (no type has the name 'u9' (did you mean 'u8'?))\n"
      "bad argument #4 to '?' (there is no option 'flag')\n"
      "E: an enum has from 1 to 1024 members, not 0\n"
      "done\n");
}

static void statics_are_taken_and_frozen(void **state) {
  (void)state;
  bench_expect(
      "local v = vec3(1, 2, 3) local A = struct.define('A', 'x:f32', {statics = {one = {1},\n"
      "  v = v, n = 5, up = vec3.up, make = function() return 'made' end}}) v.x = 9\n"
      "log(A.one, A.v, A.n, A.up == vec3.up, A.make(), A.v:is_frozen(), v:is_frozen())\n"
      "log(fails(function() A.one.x = 1 end))",
      "A(1) vec3(1, 2, 3) 5 true made true false\n"
      "this A is frozen: it cannot be changed (clone it)\n"
      "done\n");
}

static void a_field_that_hides_a_method_is_warned_of(void **state) {
  (void)state;
  bench_expect("local T\nfor _ = 1, 2 do\n"
               "T = struct.define('T', 'key:u8 x:f32')\nend local t = T(7, 1)\n"
               "log(t.key, #T.key(t), #T.methods.key(t))",
               "warn: test:3: T.key: the field hides the method of this name; T.key(v) calls it\n"
               "7 5 5\ndone\n");
}

// D7.
static void any_argument_is_checked(void **state) {
  (void)state;
  bench_expect(
      "local things = {1, 'x', 'x:f32', true, {}, print, forged, io.stdout, vec2(), vec3, {{}},\n"
      "  bytes 'abcdefghijkl', vec3.array(2), coroutine.create(print), 0/0, ('x'):rep(70000), "
      "'\\0'}\n"
      "for _, f in pairs {struct.define, struct.enum, struct.typeof} do pcall(f)\n"
      "  for _, a in pairs(things) do pcall(f, a) for _, b in pairs(things) do pcall(f, a, b)\n"
      "    for _, c in pairs(things) do pcall(f, a, b, c) pcall(f, 'E', 'u8', {a = c}, b)\n"
      "      pcall(f, 'T', {{a, b, c}}) end end end end",
      "done\n");
}

// A finaliser that changes what is being read.
static void a_changing_table_does_no_harm(void **state) {
  (void)state;
  bench_expect(
      "local fields = {} local n = 0\n"
      "local function spoil() for i = 1, #fields do fields[i][1] = nil fields[i] = nil end\n"
      "  n = n + 1 if n < 5000 then setmetatable({}, {__gc = spoil}) end end\n"
      "setmetatable({}, {__gc = spoil})\n"
      "for i = 1, 300 do for k = 1, 50 do\n"
      "    fields[k] = {('field%d_%d'):format(i, k), ('u%d'):format(8)} end\n"
      "  pcall(struct.define, 'Spoilt' .. i, fields) end log(n > 0)",
      "true\ndone\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_form_defines_a_struct),
    cmocka_unit_test(the_same_again_is_the_same_type),
    cmocka_unit_test(mistakes_in_fields_are_named),
    cmocka_unit_test(mistakes_in_options_are_named),
    cmocka_unit_test(mistakes_in_enums_are_named),
    cmocka_unit_test(statics_are_taken_and_frozen),
    cmocka_unit_test(a_field_that_hides_a_method_is_warned_of),
    cmocka_unit_test(any_argument_is_checked),
    cmocka_unit_test(a_changing_table_does_no_harm),
};

int main(void) {
  return cmocka_run_group_tests(tests, NULL, NULL);
}
