// Error objects: what each kind of raised value becomes.
#include "runtime/value.h"

#include "base/error.h"
#include "fake_host.h"

// Runs `script` under the message handler; its error object's fields are then in the log.
static int describe(lua_State *L) {
  lua_settop(L, 1);
  lua_pushcfunction(L, pl_value_on_error);
  lua_insert(L, 1);
  assert_int_not_equal(lua_pcall(L, 0, 0, 1), LUA_OK);
  return 1;
}

static void expect_error(const char *script, const char *expected) {
  struct fake f;
  fake_open(&f);
  lua_register(f.vm.L, "describe", describe);
  fake_start(&f, script);
  fake_run(&f);
  fake_expect(&f, expected);
  fake_close(&f);
}

static void a_string_is_the_message_with_its_position(void **state) {
  (void)state;
  expect_error("local e = describe(function() error('oops') end)\n"
               "log(e.status, e.message, e.code, e.value, tostring(e))",
               "500 test:1: oops nil nil test:1: oops\ndone\n");
}

static void a_table_lends_its_fields(void **state) {
  (void)state;
  expect_error(
      "local e = describe(function()\n"
      "  error{status = 404, message = 'no such row', code = 'ENOENT', headers = {a = 'b'}}\n"
      "end)\n"
      "log(e.status, e.message, e.code, e.headers.a, e.value)",
      "404 no such row ENOENT b nil\ndone\n");
}

static void a_message_may_be_a_table(void **state) {
  (void)state;
  expect_error("local e = describe(function() error{status = 422, message = {field = 'x'}} end)\n"
               "log(e.message.field, tostring(e))",
               "x status 422\ndone\n");
}

static void a_status_out_of_range_is_500(void **state) {
  (void)state;
  expect_error("log(describe(function() error{status = 99} end).status)\n"
               "log(describe(function() error{status = 600} end).status)\n"
               "log(describe(function() error{status = 'x'} end).status)\n"
               "log(describe(function() error{status = 599} end).status)",
               "500\n500\n500\n599\ndone\n");
}

static void any_other_value_is_kept_with_its_text(void **state) {
  (void)state;
  expect_error("local T = {__tostring = function(t) return 'T:' .. t.x end}\n"
               "local v = setmetatable({x = 1}, T)\n"
               "local e = describe(function() error(v) end)\n"
               "log(e.status, e.message, e.value == v)\n"
               "e = describe(function() error(nil) end) log(e.message, e.value)\n"
               "e = describe(function() error(true) end) log(e.message, e.value)\n",
               "500 T:1 true\nnil nil\ntrue true\ndone\n");
}

static void hostile_metamethods_do_no_harm(void **state) {
  (void)state;
  expect_error(
      "local bad = setmetatable({}, {__tostring = function() error('no') end,\n"
      "  __index = function() error('no') end, __name = 5})\n"
      "log(describe(function() error(bad) end).message)\n"
      "log(describe(function() error(setmetatable({}, {__tostring = function() return {} end})) "
      "end).message)",
      "a table whose __tostring failed\na table whose __tostring failed\ndone\n");
}

static void a_response_passes_as_value(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_register(f.vm.L, "describe", describe);
  luaL_newmetatable(f.vm.L, "perilune.Response");
  lua_setglobal(f.vm.L, "Response");
  fake_start(&f, "local r = setmetatable({status = 302, message = 'm'}, Response)\n"
                 "local e = describe(function() error(r) end)\n"
                 "log(e.value == r, e.status)");
  fake_expect(&f, "true 302\ndone\n");
  fake_close(&f);
}

static void an_error_object_keeps_its_first_traceback(void **state) {
  (void)state;
  expect_error("local function inner() error('first') end\n"
               "local e = describe(function() inner() end)\n"
               "local first = e.traceback\n"
               "log(first:find('inner', 1, true) ~= nil)\n"
               "local again = describe(function() error(e) end)\n"
               "log(again == e, again.traceback == first)",
               "true\ntrue true\ndone\n");
}

static void a_stack_overflow_becomes_an_error_object(void **state) {
  (void)state;
  expect_error("local function f() return 1 + f() end\n"
               "local e = describe(f)\n"
               "log(e.status, (e.message:find('stack overflow', 1, true)) ~= nil)\n"
               "local function g() string.gsub('x', 'x', g) end\n"
               "e = describe(g)\n"
               "log(e.status, (e.message:find('overflow', 1, true)) ~= nil)\n",
               "500 true\n500 true\ndone\n");
}

static void cancelled_has_code_and_reason(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  pl_value_push_cancelled(f.vm.L, "client");
  assert_true(pl_value_is_error(f.vm.L, -1));
  lua_setglobal(f.vm.L, "e");
  fake_start(&f, "log(e.code, e.reason, e.status, e)");
  fake_expect(&f, "ECANCELED client 503 cancelled (client)\ndone\n");
  fake_close(&f);
}

static void fail_is_nil_message_code(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_State *L = f.vm.L;
  assert_int_equal(pl_value_fail(L, PL_ETIMEDOUT, "open x"), 3);
  assert_true(lua_isnil(L, -3));
  assert_string_equal(lua_tostring(L, -2), "open x: timed out");
  assert_string_equal(lua_tostring(L, -1), "ETIMEDOUT");
  assert_int_equal(pl_value_fail(L, PL_EOF, NULL), 3);
  assert_string_equal(lua_tostring(L, -2), "end of stream");
  lua_settop(L, 0);
  fake_close(&f);
}

static void text_never_raises(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_State *L = f.vm.L;
  lua_pushliteral(L, "plain");
  assert_string_equal(pl_value_text(L, -1), "plain");
  pl_value_push_error(L, 500, NULL, "message");
  assert_string_equal(pl_value_text(L, -1), "message");
  lua_newtable(L);
  assert_non_null(pl_value_text(L, -1));
  assert_int_equal(lua_gettop(L), 3);
  assert_false(pl_value_is_error(L, -1));
  assert_false(pl_value_is_error(L, 1));
  lua_settop(L, 0);
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_string_is_the_message_with_its_position),
      cmocka_unit_test(a_table_lends_its_fields),
      cmocka_unit_test(a_message_may_be_a_table),
      cmocka_unit_test(a_status_out_of_range_is_500),
      cmocka_unit_test(any_other_value_is_kept_with_its_text),
      cmocka_unit_test(hostile_metamethods_do_no_harm),
      cmocka_unit_test(a_response_passes_as_value),
      cmocka_unit_test(an_error_object_keeps_its_first_traceback),
      cmocka_unit_test(a_stack_overflow_becomes_an_error_object),
      cmocka_unit_test(cancelled_has_code_and_reason),
      cmocka_unit_test(fail_is_nil_message_code),
      cmocka_unit_test(text_never_raises),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
