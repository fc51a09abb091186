// perilune.json in a plain lua_State: rows of Lua chunks, the exact texts of errors, random values
// there and back, and every allocation failing once.
#include "api/api.h"
#include "api/json_codec.h"
#include "api/json_value.h"
#include "base/error.h"
#include "base/mem.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int push_json(lua_State *L) {
  lua_newtable(L);
  for (const struct pl_api_fn *row = pl_api_json.functions; row->name; row++) {
    lua_pushcfunction(L, row->fn);
    lua_setfield(L, -2, row->name);
  }
  pl_api_json.open(L);
  return 1;
}

static int open_state(void **state) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  push_json(L);
  lua_setglobal(L, "json");
  *state = L;
  return 0;
}

static int close_state(void **state) {
  lua_close(*state);
  return 0;
}

// Runs a chunk; what it raises is the failure.
static void run(lua_State *L, const char *chunk) {
  if (luaL_dostring(L, chunk)) fail_msg("%s\n%s", lua_tostring(L, -1), chunk);
  lua_settop(L, 0);
}

struct row {
  const char *expression;
  const char *expected;
};

// Each expression's value, a string, is what is expected.
static void expect_values(lua_State *L, const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    lua_pushfstring(L, "return %s", rows[i].expression);
    if (luaL_dostring(L, lua_tostring(L, -1))) fail_msg("%s", lua_tostring(L, -1));
    assert_string_equal(lua_tostring(L, -1), rows[i].expected);
    lua_settop(L, 0);
  }
}

// Each expression raises exactly this text, behind the position of the chunk.
static void expect_errors(lua_State *L, const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    lua_pushfstring(L, "local v = %s return v", rows[i].expression);
    if (luaL_loadbuffer(L, lua_tostring(L, -1), lua_rawlen(L, -1), "=app") ||
        lua_pcall(L, 0, 1, 0) == LUA_OK) {
      fail_msg("no error: %s", rows[i].expression);
    }
    const char *message = lua_tostring(L, -1);
    assert_memory_equal(message, "app:1: ", 7);
    assert_string_equal(message + 7, rows[i].expected);
    lua_settop(L, 0);
  }
}

#define VALUES(L, rows) expect_values(L, rows, PL_ARRAY_LEN(rows))
#define ERRORS(L, rows) expect_errors(L, rows, PL_ARRAY_LEN(rows))

static void encode_writes_scalars(void **state) {
  static const struct row rows[] = {
      {"json.encode(nil)", "null"},
      {"json.encode(json.null)", "null"},
      {"json.encode(true)", "true"},
      {"json.encode(false)", "false"},
      {"json.encode(1)", "1"},
      {"json.encode(1.0)", "1.0"},
      {"json.encode(-0.0)", "-0.0"},
      {"json.encode(0.1)", "0.1"},
      {"json.encode(1e300)", "1e300"},
      {"json.encode(5e-324)", "5e-324"},
      {"json.encode(math.mininteger)", "-9223372036854775808"},
      {"json.encode(math.maxinteger)", "9223372036854775807"},
      {"json.encode('a\\n\"\\0')", "\"a\\n\\\"\\u0000\""},
      {"json.encode('')", "\"\""},
  };
  VALUES(*state, rows);
}

static void encode_tells_arrays_from_objects(void **state) {
  static const struct row rows[] = {
      {"json.encode({})", "{}"},
      {"json.encode({1, 2, 3})", "[1,2,3]"},
      {"json.encode({{}, {{}}})", "[{},[{}]]"},
      {"json.encode({a = {1}})", "{\"a\":[1]}"},
      {"json.encode({['1'] = true})", "{\"1\":true}"},
      {"json.encode(json.array())", "[]"},
      {"json.encode(json.array({}))", "[]"},
      {"json.encode(json.array({7}))", "[7]"},
      {"json.encode({list = json.array({})})", "{\"list\":[]}"},
      {"json.encode({[3] = 3, [2] = 2, [1] = 1})", "[1,2,3]"},
      {"json.encode({[2] = 2, 1})", "[1,2]"},
      {"json.encode({1, 2, nil})", "[1,2]"},
      {"json.encode({[1.0] = 'one'})", "[\"one\"]"},
      {"json.encode(setmetatable({1}, {__index = {x = 1}, __pairs = error}))", "[1]"},
      {"json.encode({json.null, false})", "[null,false]"},
  };
  VALUES(*state, rows);
  run(*state, "local t = {} for i = 100, 1, -1 do t[i] = i end\n"
              "assert(json.encode(t):match('^%[1,2,3,.*,99,100%]$'))\n"
              "for i = 100, 51, -1 do t[i] = nil end assert(json.encode(t):match(',50%]$'))");
}

static void encode_indents_on_demand(void **state) {
  static const struct row rows[] = {
      {"json.encode({1, {a = 2}, {}, json.array()}, {indent = 2})",
       "[\n  1,\n  {\n    \"a\": 2\n  },\n  {},\n  []\n]"},
      {"json.encode({1}, {indent = 0})", "[1]"},
      {"json.encode({1}, {})", "[1]"},
  };
  VALUES(*state, rows);
}

static void encode_names_the_path_of_what_it_refuses(void **state) {
  static const struct row rows[] = {
      {"json.encode({items = {{price = 1}, {}, {price = 0/0}}})",
       "$.items[3].price: NaN is not JSON"},
      {"json.encode(1/0)", "$: Infinity is not JSON"},
      {"json.encode({-1/0})", "$[1]: Infinity is not JSON"},
      {"json.encode({f = print})", "$.f: a function has no JSON form"},
      {"json.encode({coroutine.create(print)})", "$[1]: a thread has no JSON form"},
      {"json.encode({['a b'] = {['x\\ny'] = print}})",
       "$[\"a b\"][\"x?y\"]: a function has no JSON form"},
      {"json.encode({[''] = print})", "$[\"\"]: a function has no JSON form"},
      {"json.encode({['1st'] = print})", "$[\"1st\"]: a function has no JSON form"},
      {"json.encode({[('k'):rep(61)] = print})",
       "$[\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...\"]: "
       "a function has no JSON form"},
      {"json.encode({name = 'ab\\xff'})", "$.name: the string is not valid UTF-8 at byte 3"},
      {"json.encode({'\\xed\\xa0\\x80'})", "$[1]: the string is not valid UTF-8 at byte 1"},
      {"json.encode({t = {['\\xff'] = 1}})", "$.t[\"?\"]: the key is not valid UTF-8"},
      {"json.encode({['\xc3\xa9'] = print})", "$[\"\xc3\xa9\"]: a function has no JSON form"},
  };
  ERRORS(*state, rows);
}

#define TAIL "; an array has 1..n, an object only strings"

static void encode_refuses_mixed_and_sparse_keys(void **state) {
  static const struct row rows[] = {
      {"json.encode({t = {1, 2, x = 3}})", "$.t: mixed or sparse keys: [\"x\"] among 3" TAIL},
      {"json.encode({x = 1, [1] = 2})", "$: mixed or sparse keys: [\"x\"] among 2" TAIL},
      {"json.encode({{[3] = 1}})", "$[1]: mixed or sparse keys: [3] among 1" TAIL},
      {"json.encode({1, nil, 3})", "$: mixed or sparse keys: [3] among 2" TAIL},
      {"json.encode({[0] = 1})", "$: mixed or sparse keys: [0] among 1" TAIL},
      {"json.encode({[-1] = 1})", "$: mixed or sparse keys: [-1] among 1" TAIL},
      {"json.encode({[1.5] = 1})", "$: mixed or sparse keys: [1.5] among 1" TAIL},
      {"json.encode({[true] = 1})", "$: mixed or sparse keys: a boolean among 1" TAIL},
      {"json.encode({1, [math.maxinteger] = 2})",
       "$: mixed or sparse keys: [9223372036854775807] among 2" TAIL},
      {"json.encode(json.array({x = 1}))", "$: mixed or sparse keys: [\"x\"] among 1" TAIL},
      {"json.encode(json.array({[2] = 1}))", "$: mixed or sparse keys: [2] among 1" TAIL},
  };
  ERRORS(*state, rows);
}

static void encode_refuses_cycles_and_depth(void **state) {
  lua_State *L = *state;
  run(L, "loop = {a = {b = {1}}} loop.a.b[2] = loop.a  self = {} self[1] = self\n"
         "function nest(n) local t = {} for _ = 2, n do t = {t} end return t end");
  static const struct row rows[] = {
      {"json.encode(loop)", "$.a.b[2]: a cycle: the table is inside itself"},
      {"json.encode(self)", "$[1]: a cycle: the table is inside itself"},
      {"json.encode({x = loop})", "$.x.a.b[2]: a cycle: the table is inside itself"},
      {"json.encode(nest(4), {depth = 3})", "$[1][1][1]: nested deeper than 3 levels"},
  };
  ERRORS(L, rows);
  run(L, "local t = {} assert(json.encode({t, t, {t}}) == '[{},{},[{}]]')  -- shared, no cycle\n"
         "assert(json.encode(nest(128)):match('^%[+{}%]+$'))\n"
         "assert(select(2, pcall(json.encode, nest(129))):match('deeper than 128 levels$'))\n"
         "assert(#json.encode(nest(1024), {depth = 1024}) == 2048)");
}

static void decode_makes_lua_values(void **state) {
  run(*state,
      "local function is(text, value)\n"
      "  local v = json.decode(text)\n"
      "  assert(v == value and math.type(v) == math.type(value), text)\n"
      "end\n"
      "is('1', 1) is('1.0', 1.0) is('1e2', 100.0) is('-0', 0) is('true', true) is('false', false)\n"
      "is('9223372036854775807', math.maxinteger) is('-9223372036854775808', math.mininteger)\n"
      "is('9223372036854775808', 2.0^63) is('\"a\\\\u0000b\"', 'a\\0b') is('null', json.null)\n"
      "assert(1 / json.decode('-0.0') == -math.huge)\n"
      "local v = json.decode('{\"a\":[1,{\"b\":null}],\"a b\":\"c\"}')\n"
      "assert(v.a[1] == 1 and v.a[2].b == json.null and v['a b'] == 'c' and #v.a == 2)\n"
      "assert(json.decode('{\"a\":1,\"b\":2,\"a\":null}').a == json.null)  -- the last one counts\n"
      "assert(json.decode('[[1,2,3],[4],[],[5,6]]')[4][2] == 6)");
}

static void null_is_one_truthy_value(void **state) {
  run(*state, "assert(json.null and tostring(json.null) == 'null')\n"
              "assert(json.decode('[null]')[1] == json.null and json.null ~= nil)\n"
              "assert(not pcall(setmetatable, json.null, {}) and not getmetatable(json.null))");
}

static void empty_arrays_and_objects_stay_what_they_were(void **state) {
  run(*state,
      "for _, text in ipairs{'[]', '{}', '[[],{}]', '{\"a\":[],\"b\":{}}', '[[[]]]'} do\n"
      "  local back = json.encode(json.decode(text))\n"
      "  assert(back == text or back == '{\"b\":{},\"a\":[]}', back)\n"
      "end\n"
      "local list = json.decode('[1]') table.remove(list) assert(json.encode(list) == '[]')\n"
      "local object = json.decode('{\"a\":1}') object.a = nil\n"
      "assert(json.encode(object) == '{}')");
}

static void array_marks_its_argument(void **state) {
  lua_State *L = *state;
  run(L, "local t = {1} assert(json.array(t) == t and json.array(json.array(t)) == t)\n"
         "assert(getmetatable(json.array()) == getmetatable(json.decode('[]')))\n"
         "assert(json.array() ~= json.array())");
  static const struct row rows[] = {
      {"json.array(1)", "bad argument #1 to 'array' (table expected, got number)"},
      {"json.array(setmetatable({}, {}))",
       "bad argument #1 to 'array' (the table has a metatable of its own)"},
  };
  ERRORS(L, rows);
}

static void decode_says_where_and_why(void **state) {
  static const struct row rows[] = {
      {"json.decode('')", "line 1, column 1: expected a value, found the end of the text"},
      {"json.decode('{\\n \"a\": NaN}')", "line 2, column 7: NaN and Infinity are not JSON"},
      {"json.decode('[1] 2')", "line 1, column 5: unexpected text behind the value"},
      {"json.decode('[1e400]')", "line 1, column 2: the number is too large"},
      {"json.decode('\\xef\\xbb\\xbf{}')", "line 1, column 1: a byte order mark is not allowed"},
      {"json.decode(('['):rep(129))", "line 1, column 129: nested deeper than 128 levels"},
      {"json.decode('[[]]', {depth = 1})", "line 1, column 2: nested deeper than 1 levels"},
      {"json.decode(('['):rep(1e6))", "line 1, column 129: nested deeper than 128 levels"},
  };
  ERRORS(*state, rows);
}

static void options_and_arguments_are_checked(void **state) {
  static const struct row rows[] = {
      {"json.decode()", "bad argument #1 to 'decode' (string expected, got no value)"},
      {"json.decode({})", "bad argument #1 to 'decode' (string expected, got table)"},
      {"json.encode()", "bad argument #1 to 'encode' (value expected)"},
      {"json.encode(1, 2)", "bad argument #2 to 'encode' (table expected, got number)"},
      {"json.encode(1, {ident = 2})", "unknown option 'ident', did you mean 'indent'?"},
      {"json.encode(1, {colour = 2})", "unknown option 'colour'"},
      {"json.encode(1, {true})", "options are named"},
      {"json.encode(1, {indent = 17})", "option indent: an integer from 0 to 16 is expected"},
      {"json.encode(1, {indent = 'x'})", "option indent: an integer from 0 to 16 is expected"},
      {"json.decode('1', {depth = 0})", "option depth: an integer from 1 to 1024 is expected"},
      {"json.decode('1', {indent = 1})", "unknown option 'indent'"},
  };
  ERRORS(*state, rows);
}

// Presizing from the last sibling must not make tables of other sizes wrong, nor cost memory that
// the text does not account for: 1 MB of small objects behind a large one.
static void siblings_of_any_size_are_right_and_small(void **state) {
  run(*state,
      "local big = {} for i = 1, 20000 do big[i] = string.format('\"k%d\":%d', i, i) end\n"
      "local text = '[{' .. table.concat(big, ',') .. '}' .. (',{\"a\":1}'):rep(20000) .. ']'\n"
      "collectgarbage() local before = collectgarbage('count')\n"
      "local v = json.decode(text) text = nil\n"
      "collectgarbage() local used = collectgarbage('count') - before\n"
      "assert(v[1].k20000 == 20000 and v[2].a == 1 and #v == 20001)\n"
      "assert(used < 8192, used)");
}

static const char random_values[] =
    "math.randomseed(seed)\n"
    "local random = math.random\n"
    "local function scalar()\n"
    "  local kind = random(8)\n"
    "  if kind == 1 then return random() < 0.5 end\n"
    "  if kind == 2 then return json.null end\n"
    "  if kind == 3 then return random(0) >> random(0, 63) end\n"
    "  if kind == 4 then return random(-1000, 1000) / 8 end\n"
    "  if kind == 5 then\n"
    "    local f = string.unpack('d', string.pack('j', random(0)))\n"
    "    return f - f == 0 and f or 0.0\n"
    "  end\n"
    "  if kind == 6 then return (random() - 0.5) * 10.0 ^ random(-20, 20) end\n"
    "  local codes = {}\n"
    "  for i = 1, random(0, 20) do\n"
    "    local c = random(4) == 1 and random(0, 0x10ffff) or random(0, 127)\n"
    "    codes[i] = utf8.char((c < 0xd800 or c > 0xdfff) and c or 65)\n"
    "  end\n"
    "  return table.concat(codes)\n"
    "end\n"
    "local function value(depth)\n"
    "  local kind = depth > 0 and random(4) or 3\n"
    "  if kind > 2 then return scalar() end\n"
    "  local t = kind == 1 and json.array() or {}\n"
    "  for i = 1, random(0, 9) do\n"
    "    if kind == 1 then t[i] = value(depth - 1) else t[tostring(scalar())] = value(depth - 1) "
    "end\n"
    "  end\n"
    "  return t\n"
    "end\n"
    "local function same(a, b)\n"
    "  if type(a) ~= 'table' then\n"
    "    return a == b and math.type(a) == math.type(b) and (a ~= 0 or 1 / a == 1 / b)\n"
    "  end\n"
    "  if type(b) ~= 'table' or getmetatable(a) ~= getmetatable(b) then return false end\n"
    "  for k, v in pairs(a) do if not same(v, b[k]) then return false end end\n"
    "  for k in pairs(b) do if a[k] == nil then return false end end\n"
    "  return true\n"
    "end\n"
    "for i = 1, 5000 do\n"
    "  local v = value(5)\n"
    "  local options = {indent = random(0, 3)}\n"
    "  local text = json.encode(v, options)\n"
    "  assert(same(v, json.decode(text)), text)\n"
    "end\n";

static void random_values_read_back_the_same(void **state) {
  lua_State *L = *state;
  lua_Integer seed = (lua_Integer)time(NULL);
  print_message("api_json_test: seed %lld\n", (long long)seed);
  lua_pushinteger(L, seed);
  lua_setglobal(L, "seed");
  run(L, random_values);
}

static void encode_value_appends_and_keeps_the_stack(void **state) {
  lua_State *L = *state;
  struct pl_buf out = {0};
  assert_int_equal(pl_buf_append(&out, "x=", 2), 0);
  lua_pushboolean(L, 1);
  lua_pushinteger(L, 5);
  pl_json_encode_value(L, 1, &out);
  pl_json_encode_value(L, -1, &out);
  assert_int_equal(lua_gettop(L), 2);
  assert_true(pl_strv_eq(pl_buf_view(&out), PL_STRV("x=true5")));
  pl_buf_deinit(&out);
  lua_settop(L, 0);
}

static void decode_value_pushes_the_value_or_the_message(void **state) {
  lua_State *L = *state;
  lua_pushinteger(L, 7);
  assert_int_equal(pl_json_decode_value(L, PL_STRV("[1]"), 1), 0);
  assert_int_equal(lua_gettop(L), 2);
  assert_int_equal(lua_type(L, 2), LUA_TTABLE);
  lua_settop(L, 1);
  assert_int_equal(pl_json_decode_value(L, PL_STRV("[[1]"), 1), PL_ELIMIT);
  assert_int_equal(pl_json_decode_value(L, PL_STRV("[1"), 1), PL_ESYNTAX);
  assert_int_equal(lua_gettop(L), 3);
  assert_string_equal(lua_tostring(L, 2), "line 1, column 2: nested deeper than 1 levels");
  lua_settop(L, 0);
}

// ---- out of memory

struct failing {
  unsigned long left;  // allocations until one fails; 0 = none does
};

static void *allocate(void *user, void *block, size_t old_size, size_t size) {
  struct failing *f = user;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if ((!block || size > old_size) && f->left && --f->left == 0) return NULL;
  return realloc(block, size);
}

static const char document[] =
    "{\"list\":[1,2.5,\"es\\ncaped\",[],{\"a\":null}],\"text\":\"\xc3\xa9\\u00e9\",\"more\":"
    "[[1,2],[3,4],{\"k\":\"v\",\"l\":true}]}";

static int round_trip(lua_State *L) {
  struct pl_json_codec *codec = pl_json_codec_push(L);
  pl_json_codec_release(codec);
  if (pl_json_decode_value(L, pl_strv_of(document), 16)) return lua_error(L);
  pl_json_encode_value(L, -1, &codec->scratch);
  lua_pushlstring(L, codec->scratch.block, codec->scratch.end);
  return 1;
}

// Fails Lua's nth allocation, or ours, until nothing fails. Returns: how many failed.
static unsigned long fail_each(bool is_ours) {
  unsigned long nth = 0;
  int status;
  do {
    struct failing f = {0};
    int64_t bytes = pl_mem_stats().bytes;
    lua_State *L = lua_newstate(allocate, &f);
    assert_non_null(L);
    nth++;
    lua_pushcfunction(L, round_trip);
    f.left = is_ours ? 0 : nth;
    pl_mem_fail_nth(is_ours ? nth : 0);
    status = lua_pcall(L, 0, 1, 0);
    f.left = 0;
    pl_mem_fail_nth(0);
    if (status != LUA_OK) assert_non_null(strstr(lua_tostring(L, -1), "not enough memory"));
    lua_close(L);
    assert_int_equal(pl_mem_stats().bytes, bytes);
  } while (status != LUA_OK);
  return nth - 1;
}

static void every_failing_allocation_raises_and_leaks_nothing(void **state) {
  (void)state;
  // Lua tries again after a collection, so that a single failure passes unless it is ours.
  assert_true(fail_each(true) >= 1);
  fail_each(false);
}

static void *allocate_up_to(void *user, void *block, size_t old_size, size_t size) {
  size_t *left = user;
  size_t old = block ? old_size : 0;
  if (size > old && size - old > *left) return NULL;
  *left += old;
  *left -= size;
  if (size) return realloc(block, size);
  free(block);
  return NULL;
}

static void every_heap_limit_raises_or_suffices_and_leaks_nothing(void **state) {
  (void)state;
  bool has_raised = false, has_passed = false;
  for (size_t room = 0; room < 8192; room += 16) {
    size_t left = SIZE_MAX / 2;
    int64_t bytes = pl_mem_stats().bytes;
    lua_State *L = lua_newstate(allocate_up_to, &left);
    assert_non_null(L);
    lua_pushcfunction(L, round_trip);
    left = room;
    int status = lua_pcall(L, 0, 1, 0);
    *(status == LUA_OK ? &has_passed : &has_raised) = true;
    left = SIZE_MAX / 4;
    lua_close(L);
    assert_int_equal(pl_mem_stats().bytes, bytes);
  }
  assert_true(has_raised && has_passed);
}

static void a_large_text_does_not_stay_in_scratch(void **state) {
  lua_State *L = *state;
  static const char *const chunks[] = {
      "local s = ('x'):rep(1 << 20) assert(#json.encode(s) == #s + 2)",
      "local s = ('x'):rep(1 << 20) assert(#json.decode('\"' .. s .. '\\\\n\"') == #s + 1)",
      "local s = ('x'):rep(1 << 20) assert(not pcall(json.decode, '\"\\\\n' .. s))",
      "local s = ('x'):rep(1 << 20) assert(not pcall(json.encode, {s, print})) json.encode(1)",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(chunks); i++) {
    run(L, chunks[i]);
    assert_true(pl_json_codec_push(L)->scratch.cap <= 64 * 1024);
    lua_settop(L, 0);
  }
}

// A finaliser that runs while the codec is in use, and one that runs when it has been closed.
static void finalisers_may_use_the_codec(void **state) {
  (void)state;
  int64_t bytes = pl_mem_stats().bytes;
  lua_State *other = luaL_newstate();
  luaL_openlibs(other);
  run(other, "late = setmetatable({}, {__gc = function() json.encode({('y'):rep(1000)}) end})");
  push_json(other);
  lua_setglobal(other, "json");
  run(other,
      "local function litter()\n"
      "  setmetatable({}, {__gc = function()\n"
      "    assert(json.decode('\"in\\\\tner\"') == 'in\\tner') json.encode({1}) litter_count = "
      "(litter_count or 0) + 1\n"
      "  end})\n"
      "end\n"
      "local row = '\"a\\\\nb\"' local text = '[' .. (row .. ','):rep(2000) .. row .. ']'\n"
      "collectgarbage('setpause', 100) collectgarbage('setstepmul', 1000)\n"
      "for _ = 1, 200 do\n"
      "  for _ = 1, 20 do litter() end\n"
      "  local v = json.decode(text)\n"
      "  for i = 1, 2001 do assert(v[i] == 'a\\nb') end\n"
      "  assert(#json.encode(v) == #text)\n"
      "end\n"
      "assert(litter_count > 100)");
  lua_close(other);
  assert_int_equal(pl_mem_stats().bytes, bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_state, close_state)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(encode_writes_scalars),
      TEST(encode_tells_arrays_from_objects),
      TEST(encode_indents_on_demand),
      TEST(encode_names_the_path_of_what_it_refuses),
      TEST(encode_refuses_mixed_and_sparse_keys),
      TEST(encode_refuses_cycles_and_depth),
      TEST(decode_makes_lua_values),
      TEST(null_is_one_truthy_value),
      TEST(empty_arrays_and_objects_stay_what_they_were),
      TEST(array_marks_its_argument),
      TEST(decode_says_where_and_why),
      TEST(options_and_arguments_are_checked),
      TEST(siblings_of_any_size_are_right_and_small),
      TEST(random_values_read_back_the_same),
      TEST(encode_value_appends_and_keeps_the_stack),
      TEST(decode_value_pushes_the_value_or_the_message),
      TEST(every_failing_allocation_raises_and_leaks_nothing),
      TEST(every_heap_limit_raises_or_suffices_and_leaks_nothing),
      TEST(a_large_text_does_not_stay_in_scratch),
      TEST(finalisers_may_use_the_codec),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
