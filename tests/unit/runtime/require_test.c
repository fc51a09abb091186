// require: stock semantics, modules that wait while they load, loops, loaders that fail.
#include "runtime/require.h"

#include <stdlib.h>
#include <unistd.h>

#include "fake_host.h"

// Modules of the tests below; loads[name] counts how often a loader began.
static const char modules[] =
    "loads = {}\n"
    "local function define(name, loader)\n"
    "  package.preload[name] = function(...)\n"
    "    loads[name] = (loads[name] or 0) + 1\n"
    "    return loader(...)\n"
    "  end\n"
    "end\n"
    "define('plain', function(...) return {...} end)\n"
    "define('none', function() end)\n"
    "define('no', function() return false end)\n"
    "define('sets', function(name) package.loaded[name] = 'itself' end)\n"
    "define('slow', function() wait() wait() wait() return {} end)\n"
    "define('uses', function() return {slow = require 'slow'} end)\n"
    "define('flaky', function() wait() if loads.flaky == 1 then error('first', 0) end return 2 "
    "end)\n"
    "define('x', function() wait() local y = require 'y' return y end)\n"
    "define('y', function() wait() local x = require 'x' return x end)\n"
    "define('self', function() local self = require 'self' return self end)\n"
    "define('early', function(name)\n"
    "  package.loaded[name] = {partial = true} wait()\n"
    "  local back = require 'late'\n"
    "  return {back = back.found}\n"
    "end)\n"
    "define('late', function() return {found = require('early').partial} end)\n";

static void open_modules(struct fake *f) {
  fake_open(f);
  fake_start(f, modules);
  fake_expect(f, "done\n");
}

static void script(const char *text, const char *expected) {
  struct fake f;
  open_modules(&f);
  fake_start(&f, text);
  fake_run(&f);
  fake_expect(&f, expected);
  fake_close(&f);
}

static void two_scripts(const char *first, const char *second, const char *expected) {
  struct fake f;
  open_modules(&f);
  fake_start(&f, first);
  fake_start(&f, second);
  fake_run(&f);
  fake_expect(&f, expected);
  fake_close(&f);
}

static void results_are_those_of_stock_lua(void **state) {
  (void)state;
  script(
      "local m, data = require 'plain' log(m[1], m[2], data, require('plain') == m)\n"
      "log(require 'none') log(require 'none') log(require 'no') log(require 'no') log(loads.no)\n"
      "log(require 'sets') log(require 'string' == string, require '_G' == _G)\n"
      "package.loaded.plain = nil log(require 'plain' == m, loads.plain)",
      "plain :preload: :preload: true\ntrue :preload:\ntrue\nfalse :preload:\nfalse :preload:\n2\n"
      "itself :preload:\ntrue true\nfalse 2\ndone\n");
}

static void misuse_is_reported_as_stock_lua_does(void **state) {
  (void)state;
  script("package.path, package.cpath = './no/?.lua;./nor/?.lua', './no/?.so'\n"
         "log(select(2, pcall(function() require 'a.b' end)))\n"
         "log(select(2, pcall(require)))\n"
         "log(select(2, pcall(function() require {} end)))\n"
         "package.searchers = nil log(select(2, pcall(function() require 'zzz' end)))",
         "test:2: module 'a.b' not found:\n\tno field package.preload['a.b']\n"
         "\tno file './no/a/b.lua'\n\tno file './nor/a/b.lua'\n"
         "\tno file './no/a/b.so'\n\tno file './no/a.so'\n"
         "bad argument #1 to 'require' (string expected, got no value)\n"
         "test:4: bad argument #1 to 'require' (string expected, got table)\n"
         "test:5: 'package.searchers' must be a table\ndone\n");
}

static void a_second_requirer_waits_for_the_first(void **state) {
  (void)state;
  two_scripts("one = require 'slow' log 'first'", "log(require 'slow' == one, loads.slow)",
              "first\ndone\ntrue 1\ndone\n");
}

static void a_chain_of_requirers_gets_one_module(void **state) {
  (void)state;
  two_scripts("one = require 'slow' log 'first'",
              "log(require 'uses'.slow == require 'slow', loads.slow, loads.uses)",
              "first\ndone\ntrue 1 1\ndone\n");
}

static void when_the_first_fails_the_next_tries_again(void **state) {
  (void)state;
  two_scripts("log(pcall(require, 'flaky'))", "log(require 'flaky', loads.flaky)",
              "false first\ndone\n2 2\ndone\n");
}

static void two_tasks_that_require_each_others_module_both_fail(void **state) {
  (void)state;
  two_scripts("log(pcall(require, 'x'))", "log(pcall(require, 'y'))",
              "false test:16: module 'x' is required in a loop: y -> x -> y\ndone\n"
              "false test:16: module 'x' is required again while it loads (a loop of modules)\n"
              "done\n");
}

static void a_module_that_requires_itself_fails(void **state) {
  (void)state;
  script("local ok, e = pcall(require, 'self') log(ok, e) log(pcall(require, 'self'))\n"
         "log(loads.self)",
         "false test:17: module 'self' is required again while it loads (a loop of modules)\n"
         "false test:17: module 'self' is required again while it loads (a loop of modules)\n"
         "2\ndone\n");
}

static void a_loop_through_an_early_entry_in_loaded_works(void **state) {
  (void)state;
  script("log(require('early').back)", "true\ndone\n");
}

static void others_do_not_see_an_early_entry(void **state) {
  (void)state;
  two_scripts("require 'early'", "log(require('early').partial, require('early').back)",
              "done\nnil true\ndone\n");
}

static void a_cancelled_loader_leaves_the_name_free(void **state) {
  (void)state;
  struct fake f;
  open_modules(&f);
  struct pl_task *first = fake_start(&f, "require 'slow'");
  fake_start(&f, "log(type(require 'slow'), loads.slow)");
  pl_task_cancel(first, PL_CANCEL_CLIENT);
  fake_run(&f);
  fake_expect(&f, "cancelled cancelled (client)\ntable 2\ndone\n");
  fake_close(&f);
}

static void a_cancelled_waiter_disturbs_nobody(void **state) {
  (void)state;
  struct fake f;
  open_modules(&f);
  fake_start(&f, "require 'slow' log 'loaded'");
  struct pl_task *second = fake_start(&f, "require 'slow'");
  fake_start(&f, "require 'slow' log(loads.slow)");
  pl_task_cancel(second, PL_CANCEL_DEADLINE);
  fake_run(&f);
  fake_expect(&f, "cancelled cancelled (deadline)\nloaded\ndone\n1\ndone\n");
  fake_close(&f);
}

static void a_loader_that_is_never_resumed_again_is_given_up(void **state) {
  (void)state;
  struct fake f;
  open_modules(&f);
  fake_start(&f, "package.preload.lazy = function()\n"
                 "  loads.lazy = (loads.lazy or 0) + 1\n"
                 "  if loads.lazy == 1 then coroutine.yield() end\n"
                 "  return 'loaded'\n"
                 "end\n"
                 "co = coroutine.create(function() require 'lazy' end)\n"
                 "coroutine.resume(co)");
  fake_start(&f, "log(require 'lazy', loads.lazy)");
  fake_expect(&f, "done\n");
  fake_start(&f, "co = nil collectgarbage() collectgarbage()");
  fake_run(&f);
  fake_expect(&f, "done\nloaded 2\ndone\n");
  fake_close(&f);
}

static void a_wait_that_is_over_makes_no_loop(void **state) {
  (void)state;
  struct fake f;
  open_modules(&f);
  fake_start(&f, "require 'slow'");
  fake_start(&f, "require 'slow' log 'waited'\n"
                 "package.preload.other = function() wait() wait() wait() return 'other' end\n"
                 "log(require 'other')");
  for (int i = 0; i < 3; i++) {
    fake_complete(&f, 0);
    fake_run_ready(&f);
  }
  fake_expect(&f, "done\nwaited\n");
  fake_start(&f, "package.loaded.slow = nil\n"
                 "package.preload.slow = function() return require 'other' end\n"
                 "log(require 'slow')");
  fake_run(&f);
  fake_expect(&f, "other :preload:\ndone\nother :preload:\ndone\n");
  fake_close(&f);
}

static void a_tail_call_is_no_reason_to_name_our_own_file(void **state) {
  (void)state;
  script("package.preload.tail = function() return require 'tail' end\n"
         "local ok, e = pcall(function() local m = require 'tail' return m end) log(ok, e)",
         "false test:2: module 'tail' is required again while it loads (a loop of modules)\n"
         "done\n");
}

static void require_works_outside_tasks(void **state) {
  (void)state;
  struct fake f;
  open_modules(&f);
  assert_int_equal(luaL_dostring(f.vm.L, "log(require('plain')[1])"), LUA_OK);
  assert_int_not_equal(luaL_dostring(f.vm.L, "require 'slow'"), LUA_OK);
  lua_settop(f.vm.L, 0);
  fake_expect(&f, "plain\n");
  fake_close(&f);
}

static void files_are_loaded_as_text_with_their_name(void **state) {
  (void)state;
  struct fake f;
  open_modules(&f);
  char folder[] = "/tmp/perilune_require_XXXXXX";
  assert_non_null(mkdtemp(folder));
  lua_pushstring(f.vm.L, folder);
  lua_setglobal(f.vm.L, "folder");
  fake_start(&f, "package.path = folder .. '/?.lua'\n"
                 "local function write(name, text)\n"
                 "  local file <close> = io.open(folder .. name, 'wb') file:write(text)\n"
                 "end\n"
                 "write('/good.lua', 'wait() return {...}')\n"
                 "write('/bad.lua', 'x x')\n"
                 "write('/bytes.lua', string.dump(function() end))\n"
                 "local m, where = require 'good'\n"
                 "log(m[1], m[2] == where, where == folder .. '/good.lua')\n"
                 "for _, name in ipairs {'bad', 'bytes'} do\n"
                 "  local ok, e = pcall(require, name)\n"
                 "  log(ok, (e:gsub(folder, ''):gsub('%s+', ' ')))\n"
                 "end\n"
                 "for _, n in ipairs {'good', 'bad', 'bytes'} do\n"
                 "  os.remove(folder .. '/' .. n .. '.lua') end os.remove(folder)");
  fake_run(&f);
  fake_expect(&f, "good true true\n"
                  "false error loading module 'bad' from file '/bad.lua': "
                  "/bad.lua:1: syntax error near 'x'\n"
                  "false error loading module 'bytes' from file '/bytes.lua': "
                  "attempt to load a binary chunk (mode is 't')\ndone\n");
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_are_those_of_stock_lua),
      cmocka_unit_test(misuse_is_reported_as_stock_lua_does),
      cmocka_unit_test(a_second_requirer_waits_for_the_first),
      cmocka_unit_test(a_chain_of_requirers_gets_one_module),
      cmocka_unit_test(when_the_first_fails_the_next_tries_again),
      cmocka_unit_test(two_tasks_that_require_each_others_module_both_fail),
      cmocka_unit_test(a_module_that_requires_itself_fails),
      cmocka_unit_test(a_loop_through_an_early_entry_in_loaded_works),
      cmocka_unit_test(others_do_not_see_an_early_entry),
      cmocka_unit_test(a_cancelled_loader_leaves_the_name_free),
      cmocka_unit_test(a_cancelled_waiter_disturbs_nobody),
      cmocka_unit_test(a_loader_that_is_never_resumed_again_is_given_up),
      cmocka_unit_test(a_wait_that_is_over_makes_no_loop),
      cmocka_unit_test(a_tail_call_is_no_reason_to_name_our_own_file),
      cmocka_unit_test(require_works_outside_tasks),
      cmocka_unit_test(files_are_loaded_as_text_with_their_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
