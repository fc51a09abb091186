// concat: plain tables, which are measured first, and others; the memory that it may take.
#include "runtime/table_concat.h"

#include "both_rows.h"

enum { LIMIT = 16 << 20 };

static const char helpers[] =
    "function proxy(t, n)\n"
    "  return setmetatable({}, {__index = t, __len = function() return n or #t end})\n"
    "end\n"
    "function counted(n) local t = {} for i = 1, n do t[i] = 'v' .. i end return t end\n"
    "return proxy";

static void a_list_is_joined_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"table.concat({})", ""},
      {"table.concat({}, 'x')", ""},
      {"table.concat({'a'}, ',')", "a"},
      {"table.concat({'a', 'b', 'c'})", "abc"},
      {"table.concat({'a', 'b', 'c'}, ', ')", "a, b, c"},
      {"table.concat({'a', 1, 2.5, -7, 1e100, 1e15, 0.1, -0.0, 1/0}, ' ')",
       "a 1 2.5 -7 1e+100 1e+15 0.1 -0.0 inf"},
      {"table.concat({math.mininteger, math.maxinteger, 0, 9, 10, -9, -10}, ' ')",
       "-9223372036854775808 9223372036854775807 0 9 10 -9 -10"},
      {"table.concat({-1.2345678901234e-308}, '')", "-1.2345678901234e-308"},
      {"table.concat({'a', 'b', 'c'}, ',', 2)", "b,c"},
      {"table.concat({'a', 'b', 'c'}, ',', 2, 2)", "b"},
      {"table.concat({'a', 'b', 'c'}, ',', 3, 2)", ""},
      {"table.concat({[-1] = 'x', [0] = 'y', 'z'}, ',', -1)", "x,y,z"},
      {"table.concat({'a', '', 'c'}, 1)", "a11c"},
      {"table.concat({[math.maxinteger] = 'x', [math.maxinteger - 1] = 'y'}, ',',\n"
       "math.maxinteger - 1, math.maxinteger)",
       "y,x"},
      {"table.concat({[math.mininteger] = 'x'}, ',', math.mininteger, math.mininteger)", "x"},
      {"table.concat({'a\\0', '\\0b'}) == 'a\\0\\0b'", "true"},
      {"#table.concat(counted(1000), ', ')", "5891"},
      {"table.concat(counted(40))",
       "v1v2v3v4v5v6v7v8v9v10v11v12v13v14v15v16v17v18v19v20v21v22v23v24v25v26v27v28v29v30v31v32v33"
       "v34v35v36v37v38v39v40"},
      {"table.concat(proxy({'a', 5, 'c'}), ',')", "a,5,c"},
      {"table.concat(proxy({'a', 'b', 'c'}, 2), ',')", "a,b"},
      {"#table.concat(proxy(counted(1000)), ', ')", "5891"},
      {"table.concat(setmetatable({'a', 'b'}, {}), ',')", "a,b"},
      {"table.concat(setmetatable({'a', 'b'}, {__index = {[3] = 'c'}}), ',', 1, 3)", "a,b,c"},
  };
  rows_expect(rows, helpers);
}

static void errors_are_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"table.concat({'a', {}, 'c'})",
       "e:1: invalid value (table) at index 2 in table for 'concat'"},
      {"table.concat({'a'}, '', 1, 2)",
       "e:1: invalid value (nil) at index 2 in table for 'concat'"},
      {"table.concat({true})", "e:1: invalid value (boolean) at index 1 in table for 'concat'"},
      {"table.concat({}, '', math.maxinteger, math.maxinteger)",
       "e:1: invalid value (nil) at index 9223372036854775807 in table for 'concat'"},
      {"table.concat(proxy({'a', false}), ',')",
       "e:1: invalid value (boolean) at index 2 in table for 'concat'"},
      {"table.concat(3)", "e:1: bad argument #1 to 'concat' (table expected, got number)"},
      {"table.concat('abc')", "e:1: bad argument #1 to 'concat' (table expected, got string)"},
      {"table.concat({}, {})", "e:1: bad argument #2 to 'concat' (string expected, got table)"},
      {"table.concat({}, '', 'x')",
       "e:1: bad argument #3 to 'concat' (number expected, got string)"},
      {"table.concat({}, '', 1, 1.5)",
       "e:1: bad argument #4 to 'concat' (number has no integer representation)"},
      {"table.concat(setmetatable({}, {__len = function() return 'x' end}))",
       "e:1: object length is not an integer"},
      {"table.concat(proxy({}, 2), nil, 1)",
       "e:1: invalid value (nil) at index 1 in table for 'concat'"},
  };
  rows_expect(rows, helpers);
}

static void what_is_larger_than_the_memory_left_is_refused(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"(function() local t, s = {}, ('x'):rep(1e6) for i = 1, 20 do t[i] = s end\n"
       "return table.concat(t, ',') end)()",
       "e:2: table.concat: the result of 20000019 bytes needs more than the memory left to this "
       "request (limits.request_memory)"},
      {"(function() local t = {} for i = 1, 1000 do t[i] = '' end\n"
       "return table.concat(t, ('y'):rep(1e6)) end)()",
       "e:2: table.concat: the result of 999000000 bytes needs more than the memory left to this "
       "request (limits.request_memory)"},
      {"(function() local s = ('x'):rep(1e6)\n"
       "local ok, e = pcall(table.concat, proxy(setmetatable({}, {__index = function() return s "
       "end}), 1000))\n"
       "return ok, e:match('^table.concat: the result of') ~= nil end)()",
       "false|true"},
      {"#table.concat(counted(1e5), ',')", "688894"},
  };
  rows_expect_ours(rows, helpers, LIMIT);
}

// Each number becomes a string while the list is copied, so that the collector runs there now and
// then, and with it a finaliser: after the list was measured.
static void a_list_that_a_finaliser_changes_does_no_harm(void **state) {
  (void)state;
  struct both b;
  both_open(&b, "collectgarbage('generational', 1, 1)\n"
                "local list, long = {}, ('long'):rep(10000)\n"
                "local function lengthen()\n"
                "  for i = 1, 100 do list[i] = long end\n"
                "end\n"
                "return function()\n"
                "  for i = 1, 100 do list[i] = i + 0.5 end\n"
                "  setmetatable({}, {__gc = lengthen})\n"
                "  return pcall(table.concat, list, ' ')\n"
                "end");
  lua_State *L = b.vm.L;
  unsigned changed = 0;
  for (int i = 0; i < 1000; i++) {
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    assert_int_equal(lua_pcall(L, 0, 2, 0), LUA_OK);
    if (lua_toboolean(L, 2)) continue;
    assert_string_equal(lua_tostring(L, 3), "table.concat: a finaliser has changed the table "
                                            "meanwhile");
    changed++;
  }
  assert_in_range(changed, 1, 1000);
  both_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_is_joined_as_in_stock_lua),
      cmocka_unit_test(errors_are_as_in_stock_lua),
      cmocka_unit_test(what_is_larger_than_the_memory_left_is_refused),
      cmocka_unit_test(a_list_that_a_finaliser_changes_does_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
