// rep and format: as in stock Lua, and refused by size before anything is allocated.
#include "runtime/string_build.h"

#include "both_rows.h"

enum { LIMIT = 16 << 20, SMALL = 4096 };

#define REFUSED(function, size)                     \
  "e:1: string." function ": the result of " size   \
  " bytes needs more than the memory left to this " \
  "request (limits.request_memory)"

static const char helpers[] =
    "object = setmetatable({}, {__tostring = function() return 'obj' end})\n"
    "named = setmetatable({}, {__name = 'Named'})\n"
    "big = setmetatable({}, {__tostring = function() return ('x'):rep(1e6) end})\n"
    "order = {}\n"
    "function ordered(name)\n"
    "  return setmetatable({}, {__tostring = function() order[#order + 1] = name return name "
    "end})\n"
    "end\n"
    "return object";

static void rep_repeats_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('ab'):rep(3)", "ababab"},
      {"('ab'):rep(1)", "ab"},
      {"('ab'):rep(0)", ""},
      {"('ab'):rep(-1)", ""},
      {"('ab'):rep(math.mininteger)", ""},
      {"(''):rep(5)", ""},
      {"('ab'):rep(3, ',')", "ab,ab,ab"},
      {"('ab'):rep(1, ',')", "ab"},
      {"('ab'):rep(0, ',')", ""},
      {"(''):rep(4, ',')", ",,,"},
      {"('a'):rep(5, '--')", "a--a--a--a--a"},
      {"('a\\0'):rep(2) == 'a\\0a\\0'", "true"},
      {"string.rep(12, 2, 3)", "12312"},
      {"('abc'):rep(1e5) == table.concat(setmetatable({}, {__len = function() return 1e5 end,\n"
       "__index = function() return 'abc' end}))",
       "true"},
      {"#('abc'):rep(12345, ', ')", "61723"},
      {"('a'):rep(3.5)", "e:1: bad argument #1 to 'rep' (number has no integer representation)"},
      {"('a'):rep(3, {})", "e:1: bad argument #2 to 'rep' (string expected, got table)"},
      {"('ab'):rep(1 << 30)", "e:1: resulting string too large"},
      {"('a'):rep(1 << 30, ',')", "e:1: resulting string too large"},
      {"('ab'):rep(math.maxinteger)", "e:1: resulting string too large"},
      {"('a'):rep(math.maxinteger, 'b')", "e:1: resulting string too large"},
  };
  rows_expect(rows, helpers);
}

static void format_formats_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('%d %5.2f %s %q %%'):format(1, 2.5, 'x', 'y\\n')", "1  2.50 x \"y\\\n\" %"},
      {"('%s %s %s'):format(nil, true, 12)", "nil true 12"},
      {"('%s|%10s|%-5s|'):format(object, object, object)", "obj|       obj|obj  |"},
      {"(('%s'):format(named):gsub('0x%x+', 'P'))", "Named: P"},
      {"('%s %s'):format(ordered 'a', ordered 'b') .. #order", "a b2"},
      {"(('%p'):format(object)) == ('%p'):format(object)", "true"},
      {"('%s'):format(object, 'more')", "obj"},
      {"('%99.99f'):format(1e300):len()", "401"},
      {"('%d'):format(object)", "e:1: bad argument #1 to 'format' (number expected, got table)"},
      {"('%s %d'):format(object)", "e:1: bad argument #2 to 'format' (no value)"},
      {"('%y'):format(object)", "e:1: invalid conversion '%y' to 'format'"},
      {"('%'):format(object)", "e:1: invalid conversion '%' to 'format'"},
      {"('%0000000000000000000000000000s'):format(object)", "e:1: invalid format (too long)"},
      {"string.format(object)", "e:1: bad argument #1 to 'format' (string expected, got table)"},
      {"string.format()", "e:1: bad argument #1 to 'format' (string expected, got no value)"},
  };
  rows_expect(rows, helpers);
}

static void what_is_larger_than_the_memory_left_is_refused(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('x'):rep(1e10)", REFUSED("rep", "10000000000")},
      {"('xy'):rep(1e10, ', ')", REFUSED("rep", "39999999998")},
      {"('x'):rep(1 << 62)", REFUSED("rep", "4611686018427387904")},
      {"('x'):rep(16 << 20)", REFUSED("rep", "16777216")},
      {"#('x'):rep(4 << 20)", "4194304"},
      {"(''):rep(math.maxinteger)", ""},  // stock Lua counts to that
  };
  rows_expect_ours(rows, helpers, LIMIT);
}

static void format_adds_up_what_it_is_given(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"(function() local t = {} for i = 1, 40 do t[i] = big end\n"
       "local ok, e = pcall(string.format, ('%s'):rep(40), table.unpack(t))\n"
       "return ok, e:match('^string.format: the result of %d+ bytes needs more than') ~= nil "
       "end)()",
       "false|true"},
      {"#('%s%s'):format(big, big)", "2000000"},
      {"(function() local s = ('\\0'):rep(2e6) return (pcall(string.format, '%q%q%q', s, s, s)) "
       "end)()",
       "false"},
      {"(function() local s = ('a'):rep(4e6) return #('%q'):format(s) end)()", "4000002"},
      {"(function() local s = ('a'):rep(4e6) return #('%.3s%%%.10s'):format(s, s) end)()", "14"},
      {"(function() local s = ('a'):rep(2e6)\n"
       "local ok, e = pcall(string.format, ('%s'):rep(9), s, s, s, s, s, s, s, s, s)\n"
       "return ok, e:match('^string.format: the result of %d+ bytes needs more than') ~= nil "
       "end)()",
       "false|true"},
  };
  rows_expect_ours(rows, helpers, LIMIT);
}

static void a_refusal_allocates_nothing(void **state) {
  (void)state;
  static const char *const expressions[] = {
      "pcall(string.rep, 'x', 1e10)",
      "pcall(string.format, ('%s'):rep(20), table.unpack(texts))",
      "pcall(table.concat, texts)",
      "pcall(string.gsub, 'aaaaaaaaaaaaaaaaaaaa', 'a', texts[1])",
  };
  struct both b;
  struct pl_buf out = {0};
  both_open(&b, "texts = {} for i = 1, 20 do texts[i] = ('x'):rep(1e6) end return texts");
  lua_gc(b.vm.L, LUA_GCCOLLECT);
  lua_gc(b.vm.L, LUA_GCSTOP);
  for (size_t i = 0; i < PL_ARRAY_LEN(expressions); i++) {
    pl_heap_set_ceiling(&b.vm.heap,
                        b.vm.heap.bytes + 100000);  // so that not one more text has room
    size_t before = b.vm.heap.bytes;
    rows_evaluate(b.vm.L, expressions[i], &out);
    assert_memory_equal(pl_buf_view(&out).data, "false|", 6);
    assert_non_null(strstr(pl_buf_view(&out).data, "needs more than the memory left"));
    assert_in_range(b.vm.heap.bytes - before, 0, SMALL);
  }
  pl_heap_set_ceiling(&b.vm.heap, 0);
  pl_buf_deinit(&out);
  both_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rep_repeats_as_in_stock_lua),
      cmocka_unit_test(format_formats_as_in_stock_lua),
      cmocka_unit_test(what_is_larger_than_the_memory_left_is_refused),
      cmocka_unit_test(format_adds_up_what_it_is_given),
      cmocka_unit_test(a_refusal_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
