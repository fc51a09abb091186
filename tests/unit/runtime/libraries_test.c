// The differences from stock Lua, one by one.
#include "runtime/libraries.h"

#include <stdlib.h>
#include <unistd.h>

#include "fake_host.h"

static void load_takes_text_only(void **state) {
  (void)state;
  fake_script("local binary = string.dump(function() return 1 end)\n"
              "log(load(binary)) log(load(binary, '=b', 'b')) log(load(binary, '=b', 'bt'))\n"
              "log(load('return ...', '=text', 't')(5))\n"
              "log(load('return x', '=env', nil, {x = 6})())\n"
              "log(load('return 7', '=mode', 'b')())\n"
              "local pieces = {'return', ' 8'}\n"
              "log(load(function() return table.remove(pieces, 1) end)())\n"
              "log(load('syntax error here', '=bad'))",
              "nil attempt to load a binary chunk (mode is 't')\n"
              "nil attempt to load a binary chunk (mode is 't')\n"
              "nil attempt to load a binary chunk (mode is 't')\n"
              "5\n6\n7\n8\n"
              "nil bad:1: syntax error near 'error'\ndone\n");
}

static void load_checks_its_arguments_as_stock_does(void **state) {
  (void)state;
  fake_script("log(select(2, pcall(load))) log(select(2, pcall(load, {})))\n"
              "local function f() load('x', {}) end log(select(2, pcall(f)))\n"
              "log(pcall(load('return x', '=e', 't', nil)))",
              "bad argument #1 to 'load' (function expected, got no value)\n"
              "bad argument #1 to 'load' (function expected, got table)\n"
              "test:2: bad argument #2 to 'load' (string expected, got table)\n"
              "false e:1: attempt to index a nil value (upvalue '_ENV')\ndone\n");
}

// Writes the script's function as text and as bytes; runs `use` with both names.
static void with_files(const char *use, const char *expected) {
  struct fake f;
  fake_open(&f);
  char text[] = "/tmp/perilune_text_XXXXXX", bytes[] = "/tmp/perilune_bytes_XXXXXX";
  assert_return_code(close(mkstemp(text)), 0);
  assert_return_code(close(mkstemp(bytes)), 0);
  lua_pushstring(f.vm.L, text);
  lua_setglobal(f.vm.L, "text");
  lua_pushstring(f.vm.L, bytes);
  lua_setglobal(f.vm.L, "bytes");
  fake_start(&f, "local t <close> = io.open(text, 'w') t:write('log(wait(1)) return ..., 2')\n"
                 "local b <close> = io.open(bytes, 'wb')\n"
                 "b:write(string.dump(function() return 1 end))");
  fake_expect(&f, "done\n");
  fake_start(&f, use);
  fake_run(&f);
  unlink(text);
  unlink(bytes);
  fake_expect(&f, expected);
  fake_close(&f);
}

static void loadfile_takes_text_only(void **state) {
  (void)state;
  with_files("log(loadfile(text)(9))\n"
             "local f, e = loadfile(bytes) log(f, (e:gsub('/tmp/%S+ ', '')))\n"
             "f, e = loadfile(bytes, 'b') log(f, (e:gsub('/tmp/%S+ ', '')))\n"
             "loadfile(text, 't', {log = function() log 'env' end, wait = wait})()",
             "1\n9 2\nnil attempt to load a binary chunk (mode is 't')\n"
             "nil attempt to load a binary chunk (mode is 't')\nenv\ndone\n");
}

static void dofile_may_wait(void **state) {
  (void)state;
  with_files("log(dofile(text)) log((pcall(dofile, bytes)))", "1\nnil 2\nfalse\ndone\n");
}

static void what_would_end_or_change_the_process_raises(void **state) {
  (void)state;
  fake_script("local ok, e = pcall(os.exit) log(ok, (e:match 'TERM'))\n"
              "ok, e = pcall(os.exit, true, true) log(ok)\n"
              "ok, e = pcall(os.setlocale, 'C') log(ok, (e:match 'LC_ALL'))\n"
              "ok, e = pcall(debug.sethook) log(ok, (e:match 'sethook'))\n"
              "ok, e = pcall(debug.sethook, print, 'l') log(ok)\n"
              "log(os.getenv 'PERILUNE_NO_SUCH', type(os.time()))",
              "false TERM\nfalse\nfalse LC_ALL\nfalse sethook\nfalse\nnil number\ndone\n");
}

static void move_has_an_end(void **state) {
  (void)state;
  fake_script(
      "log(pcall(table.move, {}, 1, 2^62 | 0, 1))\n"
      "log(pcall(table.move, {}, math.mininteger, math.maxinteger, 1))\n"
      "log(#table.move({1, 2, 3}, 1, 3, 2), #table.move({}, 1, 0, 1))\n"
      "log(table.unpack(table.move({7, 8}, 1, 2, 1, {})))\n"
      "log(pcall(table.move, {}, 1, 'x', 1)) log(pcall(table.move, 5, 1, 2, 1))\n"
      "debug.setmetatable(1, {__index = function(_, k) return k * 2 end,\n"
      "  __newindex = function(_, k, v) log(k, v) end}) table.move(5, 1, 2, 7)\n"
      "debug.setmetatable(1, nil)",
      "false bad argument #3 to 'table.move' (too many elements to move)\n"
      "false bad argument #3 to 'table.move' (too many elements to move)\n4 0\n7 8\n"
      "false bad argument #3 to 'table.move' (number expected, got string)\n"
      "false bad argument #1 to 'table.move' (table expected, got number)\n7 2\n8 4\ndone\n");
}

static void sethook_works_outside_tasks(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  assert_int_equal(luaL_dostring(f.vm.L, "debug.sethook(print, 'l', 0) debug.sethook()"), LUA_OK);
  lua_settop(f.vm.L, 0);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void the_collector_is_not_for_tasks(void **state) {
  (void)state;
  fake_script("log(collectgarbage(), collectgarbage('count') > 1, collectgarbage('isrunning'))\n"
              "log(type(collectgarbage('step', 10)), math.type(collectgarbage 'collect'))\n"
              "for _, option in ipairs {'stop', 'restart', 'setpause', 'setstepmul',\n"
              "  'incremental', 'generational'} do\n"
              "  log((pcall(collectgarbage, option, 100)))\n"
              "end\n"
              "log(select(2, pcall(collectgarbage, 'explode')))\n"
              "log(collectgarbage('isrunning'))",
              "0 true true\nboolean integer\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\n"
              "bad argument #1 to 'collectgarbage' (invalid option 'explode')\ntrue\ndone\n");
}

static void the_collector_is_free_outside_tasks(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  assert_int_equal(luaL_dostring(f.vm.L, "collectgarbage 'stop' collectgarbage 'restart'"), LUA_OK);
  fake_close(&f);
}

static void print_goes_to_the_host(void **state) {
  (void)state;
  fake_script("print() print('a', nil, 1.5, true) print(setmetatable({}, {__tostring = function() "
              "return 'T' end}), string.rep('x', 3000):sub(-1))",
              "print: \nprint: a\tnil\t1.5\ttrue\nprint: T\tx\ndone\n");
}

static void start_request(struct fake *f, const char *script) {
  struct pl_task *task = pl_task_new(&f->vm, NULL, &fake_ops, f);
  assert_non_null(task);
  assert_int_equal(luaL_loadbufferx(task->co, script, strlen(script), "=test", "t"), LUA_OK);
  pl_run_start(task, 0);
}

static void guard(struct fake *f) {
  pl_libraries_guard_globals(f->vm.L);
}

static void an_undeclared_global_is_reported_once_with_its_place(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "declared = 1");
  guard(&f);
  pl_buf_clear(&f.text);
  start_request(&f, "declared = 2\nfresh = 1\nfresh = 2\nfresh = nil\nfresh = 3\nlog(fresh)\n"
                    "function named() end log(type(named)) unset = nil _G[5] = 6 log(_G[5])");
  fake_expect(&f,
              "warn: test:2: the undeclared global 'fresh' was assigned in a request: every "
              "request of this worker shares it; write local fresh, or set it once where the file "
              "begins\n3\n"
              "warn: test:7: the undeclared global 'named' was assigned in a request: every "
              "request of this worker shares it; write local named, or set it once where the file "
              "begins\nfunction\n6\ndone\n");
  fake_close(&f);
}

static void globals_made_by_the_thousand_do_not_flood_the_log(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  guard(&f);
  start_request(&f, "for i = 1, 1000 do _G['g' .. i] = i end return g1000");
  size_t lines = 0;
  struct pl_strv text = pl_buf_view(&f.text);
  for (size_t i = 0; i < text.len; i++) lines += text.data[i] == '\n';
  assert_int_equal(lines, 100 + 1);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void an_apps_own_newindex_stays(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "setmetatable(_G, {__newindex = function(t, k, v) log('own', k) end, x = 1})");
  guard(&f);
  start_request(&f, "fresh = 1");
  fake_expect(&f, "done\nown fresh\ndone\n");
  fake_close(&f);
}

static void an_apps_other_metamethods_stay(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "setmetatable(_G, {__index = function(_, k) return k end})");
  guard(&f);
  start_request(&f, "fresh = 1 log(missing)");
  struct pl_strv text = pl_buf_view(&f.text);
  assert_memory_equal(text.data, "done\nwarn: test:1:", 17);
  assert_memory_equal(text.data + text.len - 13, "missing\ndone\n", 13);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void outside_requests_globals_are_free(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  guard(&f);
  fake_start(&f, "fresh = 1 log(fresh)");
  assert_int_equal(luaL_dostring(f.vm.L, "outside = 1 log(outside)"), LUA_OK);
  fake_expect(&f, "1\ndone\n1\n");
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(load_takes_text_only),
      cmocka_unit_test(load_checks_its_arguments_as_stock_does),
      cmocka_unit_test(loadfile_takes_text_only),
      cmocka_unit_test(dofile_may_wait),
      cmocka_unit_test(what_would_end_or_change_the_process_raises),
      cmocka_unit_test(move_has_an_end),
      cmocka_unit_test(sethook_works_outside_tasks),
      cmocka_unit_test(the_collector_is_not_for_tasks),
      cmocka_unit_test(the_collector_is_free_outside_tasks),
      cmocka_unit_test(print_goes_to_the_host),
      cmocka_unit_test(an_undeclared_global_is_reported_once_with_its_place),
      cmocka_unit_test(outside_requests_globals_are_free),
      cmocka_unit_test(globals_made_by_the_thousand_do_not_flood_the_log),
      cmocka_unit_test(an_apps_own_newindex_stays),
      cmocka_unit_test(an_apps_other_metamethods_stay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
