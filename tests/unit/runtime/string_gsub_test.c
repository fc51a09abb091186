// gsub: replacements of each kind, what it returns, its errors, and the memory that it may take.
#include "runtime/string_gsub.h"

#include "both_rows.h"

enum { LIMIT = 16 << 20 };

static const char helpers[] =
    "calls = {}\n"
    "function note(...) calls[#calls + 1] = table.concat({...}, ':') end\n"
    "function noted() local text = table.concat(calls, ' ') calls = {} return text end\n"
    "subject = 'hello'\n"
    "return note";

static void a_text_replaces_with_its_captures(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('hello world'):gsub('o', '0')", "hell0 w0rld|2"},
      {"('hello world'):gsub('(%w+)', '<%1>')", "<hello> <world>|2"},
      {"('hello world'):gsub('%w+', '%0 %0', 1)", "hello hello world|1"},
      {"('hello world'):gsub('%w+', '%1')", "hello world|2"},
      {"('hello world from Lua'):gsub('(%w+)%s*(%w+)', '%2 %1')", "world hello Lua from|2"},
      {"('abc'):gsub('%w', '%%%0')", "%a%b%c|3"},
      {"('abc'):gsub('()', '%1')", "1a2b3c4|4"},
      {"('abc'):gsub('', '-')", "-a-b-c-|4"},
      {"('abc'):gsub('b*', '-')", "-a-c-|3"},
      {"('abc'):gsub('^a', 'x')", "xbc|1"},
      {"('aaa'):gsub('^a', 'x')", "xaa|1"},
      {"('aaa'):gsub('a$', 'x')", "aax|1"},
      {"('abc'):gsub('^', 'x')", "xabc|1"},
      {"('abc'):gsub('$', 'x')", "abcx|1"},
      {"('abc'):gsub('b', '')", "ac|1"},
      {"('abc'):gsub('%w', '')", "|3"},
      {"(''):gsub('', 'x')", "x|1"},
      {"(''):gsub('a', 'x')", "|0"},
      {"('abc'):gsub('b', 5)", "a5c|1"},
      {"('abc'):gsub('b', 2.5)", "a2.5c|1"},
      {"string.gsub(121, 2, 3)", "131|1"},
      {"('a\\0b'):gsub('\\0', '%%0')", "a%0b|1"},
      {"('a b c'):gsub(' ', '', 0)", "a b c|0"},
      {"('a b c'):gsub(' ', '', -1)", "a b c|0"},
      {"('a b c'):gsub(' ', '', 1)", "ab c|1"},
      {"('a b c'):gsub(' ', '', 99)", "abc|2"},
  };
  rows_expect(rows, helpers);
}

static void a_table_or_a_function_replaces_what_it_knows(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('$name is $age'):gsub('%$(%w+)', {name = 'Ann', age = 7})", "Ann is 7|2"},
      {"('a b c'):gsub('%a', {a = 'x', b = false})", "x b c|3"},
      {"('abc'):gsub('()b', {[2] = 'two'})", "atwoc|1"},
      {"('ab'):gsub('%a', setmetatable({}, {__index = function(_, k) return k .. k end}))",
       "aabb|2"},
      {"('ab cd'):gsub('%a+', string.upper)", "AB CD|2"},
      {"('ab cd'):gsub('(%a)(%a)', function(x, y) return y .. x end)", "ba dc|2"},
      {"('ab cd'):gsub('()(%a)()', note), noted()", "ab cd|1:a:2 2:b:3 4:c:5 5:d:6"},
      {"('ab'):gsub('%a', function() return false end)", "ab|2"},
      {"('abc'):gsub('%a', function(c) return c == 'b' and 1 or nil end)", "a1c|3"},
      {"('abc'):gsub('b', function() return '%1%' end)", "a%1%c|1"},
      {"('ab'):gsub('%a', function(c) return (c:gsub('.', '%0%0')) end)", "aabb|2"},
      {"rawequal(subject, (subject:gsub('x', 'y')))", "true"},
  };
  rows_expect(rows, helpers);
}

static void errors_are_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('a'):gsub('a', {a = true})", "e:1: invalid replacement value (a boolean)"},
      {"('a'):gsub('a', {a = {}})", "e:1: invalid replacement value (a table)"},
      {"('a'):gsub('a', function() return print end)",
       "e:1: invalid replacement value (a function)"},
      {"('a'):gsub('a')",
       "e:1: bad argument #2 to 'gsub' (string/function/table expected, got no value)"},
      {"('a'):gsub('a', true)",
       "e:1: bad argument #2 to 'gsub' (string/function/table expected, got boolean)"},
      {"('a'):gsub('a', true, 'x')",
       "e:1: bad argument #3 to 'gsub' (number expected, got string)"},
      {"('a'):gsub({}, 'x')", "e:1: bad argument #1 to 'gsub' (string expected, got table)"},
      {"('a'):gsub('a', function() error('mine', 0) end)", "mine"},
      {"coroutine.wrap(function() return ('a'):gsub('a', coroutine.yield) end)()",
       "e:1: attempt to yield across a C-call boundary"},
  };
  rows_expect(rows, helpers);
}

static void a_callback_cannot_wait_and_is_told_why(void **state) {
  (void)state;
  fake_script("log(select(2, pcall(string.gsub, 'x', 'x', function() wait() end)))\n"
              "log(select(2, pcall(string.gsub, 'x', 'x', setmetatable({}, {__index = wait}))))\n"
              "log((('ab'):gsub('%a', function(c) return c .. c end)), wait 'after')",
              "test:1: test.wait cannot wait inside 'string.gsub': Lua cannot suspend that "
              "function\n"
              "test.wait cannot wait inside 'string.gsub': Lua cannot suspend that function\n"
              "aabb after\ndone\n");
}

static void long_results_are_whole(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"(('ab'):rep(1e5):gsub('b', 'cd')) == ('acd'):rep(1e5)", "true"},
      {"(('ab'):rep(1e5):gsub('(a)(b)', '%2%1')) == ('ba'):rep(1e5)", "true"},
      {"(('a,b'):rep(1e4):gsub(',', ('x'):rep(500))) == ('a' .. ('x'):rep(500) .. 'b'):rep(1e4)",
       "true"},
      {"(('ab'):rep(1e4):gsub('a', function(a) return a:rep(100) end)) == "
       "(('a'):rep(100) .. 'b'):rep(1e4)",
       "true"},
      {"(('a'):rep(1e5):gsub('%a()', '%1,')):sub(-14)", "100000,100001,"},
      {"(('ab'):rep(1e5):gsub('b', function() end)) == ('ab'):rep(1e5)", "true"},
  };
  rows_expect(rows, helpers);
}

static void a_result_beyond_the_memory_left_is_refused(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"(select(2, pcall(string.gsub, ('a'):rep(1000), 'a', ('x'):rep(1e6))):gsub('%d+', 'N'))",
       "string.gsub: the result of N bytes needs more than the memory left to this request "
       "(limits.request_memory)"},
      {"(pcall(string.gsub, ('a'):rep(1000), 'a', function() return ('x'):rep(1e6) end))", "false"},
      {"(pcall(string.gsub, ('a'):rep(1000), 'a', {a = ('x'):rep(1e6)}))", "false"},
      {"(pcall(string.gsub, ('a'):rep(1e6), 'a', '%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0'))", "false"},
      {"(select(2, pcall(string.gsub, ('a'):rep(1e6), '()a', ('%1'):rep(4))):gsub('%d+', 'N'))",
       "string.gsub: the result of N bytes needs more than the memory left to this request "
       "(limits.request_memory)"},
      {"#(('a'):rep(1000):gsub('a', ('x'):rep(3000)))", "3000000"},
  };
  rows_expect_ours(rows, helpers, LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_text_replaces_with_its_captures),
      cmocka_unit_test(a_table_or_a_function_replaces_what_it_knows),
      cmocka_unit_test(errors_are_as_in_stock_lua),
      cmocka_unit_test(a_callback_cannot_wait_and_is_told_why),
      cmocka_unit_test(long_results_are_whole),
      cmocka_unit_test(a_result_beyond_the_memory_left_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
