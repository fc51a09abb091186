// perilune.log: what scripts may hand it, and that nothing of it raises.
#include "api/api.h"
#include "api/api_log_context.h"
#include "base/log.h"
#include "runtime/value.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// In place of api_request.c's.
void pl_api_log_context(lua_State *L, struct pl_log_field *fields, size_t *count) {
  (void)L;
  fields[0] = (struct pl_log_field){PL_STRV("id"), PL_LOG_STRING, {.string = PL_STRV("r1")}};
  fields[1] = (struct pl_log_field){PL_STRV("task"), PL_LOG_INTEGER, {.integer = 7}};
  *count = 2;
}

static lua_State *make_state(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  pl_value_open(L);
  lua_newtable(L);
  for (const struct pl_api_fn *row = pl_api_log.functions; row->name; row++) {
    lua_pushcfunction(L, row->fn);
    lua_setfield(L, -2, row->name);
  }
  lua_setglobal(L, "log");
  return L;
}

// Runs the code and returns what it logged, without the times. The caller frees it.
static char *logged_by(const char *code) {
  int fds[2];
  assert_int_equal(pipe(fds), 0);
  lua_State *L = make_state();
  assert_int_equal(pl_log_start(PL_LOG_INFO, PL_LOG_TEXT, fds[1]), 0);
  int status = luaL_dostring(L, code);
  pl_log_stop();
  close(fds[1]);
  if (status != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
  lua_close(L);
  char *text = calloc(1, 65536), *to = text;
  assert_true(read(fds[0], text, 65535) >= 0);
  close(fds[0]);
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    size_t len = (size_t)(end - line) + 1 - 25;  // 2026-01-31T12:00:00.000Z and a space
    memmove(to, line + 25, len);
    to += len;
  }
  *to = '\0';
  return text;
}

static void assert_logs(const char *code, const char *expected) {
  char *text = logged_by(code);
  assert_string_equal(text, expected);
  free(text);
}

static void each_level_has_its_function_and_debug_is_off(void **state) {
  (void)state;
  assert_logs("log.debug('d') log.info('i') log.warn('w') log.error('e')",
              "info  i id=r1 task=7\nwarn  w id=r1 task=7\nerror e id=r1 task=7\n");
}

static void fields_of_every_scalar_come_sorted_before_the_requests(void **state) {
  (void)state;
  assert_logs("log.info('m', {b = 1, a = 'x y', d = true, c = 0.5, [3] = 4})",
              "info  m 3=4 a=\"x y\" b=1 c=0.5 d=true id=r1 task=7\n");
}

static void a_name_that_the_script_has_taken_stays_the_scripts(void **state) {
  (void)state;
  assert_logs("log.info('m', {id = 'mine'})", "info  m id=mine task=7\n");
}

static void tables_become_compact_text(void **state) {
  (void)state;
  assert_logs("log.info({1, 'two', {x = true}})", "info  {1, \"two\", {x=true}} id=r1 task=7\n");
  assert_logs("log.info('m', {t = {}})", "info  m t={} id=r1 task=7\n");
  assert_logs("log.info({[1.5] = 1})", "info  {[1.5]=1} id=r1 task=7\n");
  assert_logs("local t = {} t[1] = t log.info(t)", "info  {{{{{...}}}}} id=r1 task=7\n");
}

static void with_adds_fields_and_copies_them(void **state) {
  (void)state;
  assert_logs("local t = {a = 1, b = 2} local l = log.with(t) t.a = 9 "
              "l.info('m') l.with({b = 3, c = 4}).warn('n', {c = 5}) log.info('o')",
              "info  m a=1 b=2 id=r1 task=7\nwarn  n a=1 b=3 c=5 id=r1 task=7\n"
              "info  o id=r1 task=7\n");
}

static void nothing_raises_or_calls_back(void **state) {
  (void)state;
  char *text = logged_by(
      "local bad = setmetatable({}, {__tostring = error, __index = error, __pairs = error,"
      " __name = 1})\n"
      "local deep = {} for i = 1, 1000 do deep = {deep} end\n"
      "local wide = {} for i = 1, 1e5 do wide[i] = i; wide['k' .. i] = i end\n"
      "for _, v in ipairs{bad, print, coroutine.create(print), deep, wide, 1, 0/0, true, "
      "'\\0\\xff',"
      " ('x'):rep(1e6), io.stdout} do\n"
      "  log.info(v) log.info('m', v) log.info('m', {v = v}) log.info('m', {[v == v and v or 1] = "
      "v})\n"
      "  log.with(v).info(v, v)\n"
      "end\n"
      "log.info() log.with().info() log.with(nil).info(nil, nil) log.info('a', 'b', 'c')");
  assert_non_null(strstr(text, "info  a value=b id=r1 task=7\n"));
  assert_non_null(strstr(text, "info  nil id=r1 task=7\n"));
  free(text);
}

static void an_error_object_shows_its_message(void **state) {
  (void)state;
  int fds[2];
  assert_int_equal(pipe(fds), 0);
  lua_State *L = make_state();
  assert_int_equal(pl_log_start(PL_LOG_INFO, PL_LOG_TEXT, fds[1]), 0);
  lua_getglobal(L, "log");
  lua_getfield(L, -1, "error");
  pl_value_push_error(L, 500, NULL, "it broke");
  assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_OK);
  pl_log_stop();
  char text[256] = {0};
  assert_true(read(fds[0], text, sizeof text - 1) > 0);
  assert_non_null(strstr(text, "error it broke id=r1"));
  close(fds[0]);
  close(fds[1]);
  lua_close(L);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_level_has_its_function_and_debug_is_off),
      cmocka_unit_test(fields_of_every_scalar_come_sorted_before_the_requests),
      cmocka_unit_test(a_name_that_the_script_has_taken_stays_the_scripts),
      cmocka_unit_test(tables_become_compact_text),
      cmocka_unit_test(with_adds_fields_and_copies_them),
      cmocka_unit_test(nothing_raises_or_calls_back),
      cmocka_unit_test(an_error_object_shows_its_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
