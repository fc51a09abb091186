// find, match and gmatch as functions: their place in the libraries, iterators, tasks. What
// patterns match is pattern_test.c's.
#include "runtime/strings.h"

#include "both_rows.h"

static const char helpers[] =
    "function all(...)\n"
    "  local found = {}\n"
    "  for a, b in string.gmatch(...) do found[#found + 1] = b and a .. '=' .. b or a end\n"
    "  return table.concat(found, ',')\n"
    "end\n"
    "return all";

static void gmatch_iterates_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"all('one two', '%a+')", "one,two"},
      {"all('k=v, x=y', '(%w+)=(%w+)')", "k=v,x=y"},
      {"all('abc', '')", ",,,"},
      {"all('abc', '()')", "1,2,3,4"},
      {"all('abc', 'x*')", ",,,"},
      {"all('abcd', 'b*')", ",b,,"},
      {"all('aab', 'a-')", ",,,"},
      {"all('aab', 'a*()')", "3,4"},
      {"all('^a^a', '^a')", "^a,^a"},
      {"all('xuxx uu ppar r', '()(.)%2')", "3=x,6=u,9=p"},
      {"all('abc abc', 'abc', 2)", "abc"},
      {"all('abc abc', '%f[%a]%a', -3)", "a"},
      {"all('abc', '.', 4)", ""},
      {"all('abc', '', 4)", ""},
      {"all('abc', '', 5)", ""},
      {"all('abc', '.', math.maxinteger)", ""},
      {"all('abc', '.', math.mininteger)", "a,b,c"},
      {"all(123, '%d')", "1,2,3"},
      {"select('#', ('a'):gmatch('b')())", "0"},
      {"select('#', ('a'):gmatch('(a)()')())", "2"},
      {"type(('a'):gmatch('[a'))", "function"},
      {"('a'):gmatch('[a')()", "e:1: malformed pattern (missing ']')"},
      {"string.gmatch('a')", "e:1: bad argument #2 to 'gmatch' (string expected, got no value)"},
      {"string.gmatch(nil, 'a')", "e:1: bad argument #1 to 'gmatch' (string expected, got nil)"},
  };
  rows_expect(rows, helpers);
}

static void the_iterator_keeps_its_texts_and_its_place(void **state) {
  (void)state;
  fake_script(
      "local function words() return (('word'):rep(20) .. ' next'):gmatch('%a' .. '+') end\n"
      "local f = words()\n"
      "log(#f()) collectgarbage() collectgarbage() log(wait(f()))\n"
      "log(f(), f())\n"
      "local g, h = words(), words() log(#g(), #h(), g(), h())\n"
      "log(pcall(coroutine.wrap(function() return f() end)))",
      "80\nnext\nnil\n80 80 next next\ntrue\ndone\n");
}

static void a_loop_over_matches_may_wait(void **state) {
  (void)state;
  fake_script("for w in ('a b c'):gmatch('%a') do log(wait(w)) end", "a\nb\nc\ndone\n");
}

static void strings_find_their_functions_as_methods(void **state) {
  (void)state;
  fake_script("local s = getmetatable('').__index\n"
              "for _, name in ipairs {'find', 'match', 'gmatch', 'gsub', 'rep', 'format'} do\n"
              "  log(name, s[name] == string[name])\n"
              "end\n"
              "log(require 'string' == string, require 'table' == table)",
              "find true\nmatch true\ngmatch true\ngsub true\nrep true\nformat true\n"
              "true true\ndone\n");
}

static void errors_name_the_function_as_stock_lua_does(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"pcall(string.find)",
       "false|bad argument #1 to 'string.find' (string expected, got no value)"},
      {"pcall(string.match, 'a')",
       "false|bad argument #2 to 'string.match' (string expected, got no value)"},
      {"pcall(string.rep, 'a')",
       "false|bad argument #2 to 'string.rep' (number expected, got no value)"},
      {"pcall(string.format)",
       "false|bad argument #1 to 'string.format' (string expected, got no value)"},
      {"pcall(table.concat)",
       "false|bad argument #1 to 'table.concat' (table expected, got no value)"},
      {"('x').match()", "e:1: bad argument #1 to 'match' (string expected, got no value)"},
      {"('x'):rep()", "e:1: bad argument #1 to 'rep' (number expected, got no value)"},
      {"('%d'):format('y')", "e:1: bad argument #1 to 'format' (number expected, got string)"},
  };
  rows_expect(rows, helpers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gmatch_iterates_as_in_stock_lua),
      cmocka_unit_test(the_iterator_keeps_its_texts_and_its_place),
      cmocka_unit_test(a_loop_over_matches_may_wait),
      cmocka_unit_test(strings_find_their_functions_as_methods),
      cmocka_unit_test(errors_name_the_function_as_stock_lua_does),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
