// What crosses from state to state arrives as it was, and what cannot cross is named.
#include "hub_bench.h"

// Sends each value to itself and compares type by type, level by level.
static const char same[] =
    "local ch = perilune.channel('test')\n"
    "local function is_same(a, b)\n"
    "  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then return false end\n"
    "  if type(a) ~= 'table' then\n"
    "    return a == b and 1/(a == 0 and a or 1) == 1/(b == 0 and b or 1) or (a ~= a and b ~= b)\n"
    "  end\n"
    "  if a == b or getmetatable(a) ~= getmetatable(b) then return false end\n"
    "  for k, v in pairs(a) do if not is_same(v, b[k]) then return false end end\n"
    "  for k in pairs(b) do if a[k] == nil then return false end end\n"
    "  return true\n"
    "end\n"
    "function cross(v) assert(ch:try_send(v)) return (ch:try_receive()) end\n"
    "function check(v) if not is_same(v, cross(v)) then log('differs', json.encode(v)) end end\n"
    "function refuse(v) log(select(2, pcall(ch.try_send, ch, v))) end\n";

#define SAME(script, expected)                         \
  do {                                                 \
    char text[8192];                                   \
    snprintf(text, sizeof text, "%s%s", same, script); \
    hub_expect(text, expected);                        \
  } while (0)

static void plain_values_arrive_as_they_were(void **state) {
  (void)state;
  SAME("for _, v in ipairs {true, false, 0, 1, -1, 63, 64, -64, -65, 127, 128, 1 << 62,\n"
       "  math.maxinteger, math.mininteger, 0.0, -0.0, 1.5, -1e300, 1/0, -1/0, 2^53, 5e-324,\n"
       "  '', 'x', 'a\\0b', ('long '):rep(1000), '\\xff\\xfe'} do check(v) end\n"
       "check(nil) check(json.null) check(0/0) log(cross(json.null) == json.null)",
       "true\ndone\n");
}

static void tables_arrive_as_copies(void **state) {
  (void)state;
  SAME("check {} check {1} check {1, 2, 3} check {a = 1} check {1, 2, x = 'y', [true] = false}\n"
       "check {[1.5] = 1, [-1] = 2, [0] = 3, [2^53] = 4, [math.mininteger] = 5}\n"
       "check {[3] = 'c', [2] = 'b', [1] = 'a'} check {1, nil, 3, nil, 5, n = 5}\n"
       "check {{}, {{}}, {{{}}}, a = {b = {c = {d = {1, 2, {3}}}}}} check {json.null, false}\n"
       "check(json.array {}) check {json.array {1, json.array {}}}\n"
       "local shared = {1} local got = cross {shared, shared}\n"
       "log(got[1] ~= got[2], got[1] ~= shared, #got)\n"
       "local big = {} for i = 1, 5000 do big[i] = i * i end check(big)\n"
       "log(getmetatable(cross(json.array {})) == getmetatable(json.array {}))",
       "true true 2\ntrue\ndone\n");
}

static void random_values_arrive_as_they_were(void **state) {
  (void)state;
  SAME("math.randomseed(7)\n"
       "local function value(depth)\n"
       "  local kind = math.random(depth > 4 and 5 or 8)\n"
       "  if kind == 1 then return math.random() < .5 end\n"
       "  if kind == 2 then return math.random(0) >> math.random(0, 63) end\n"
       "  if kind == 3 then return -(math.random(0) >> math.random(0, 63)) end\n"
       "  if kind == 4 then return (math.random() - .5) * 10 ^ math.random(-300, 300) end\n"
       "  if kind == 5 then return ('\\0x'):rep(math.random(0, 100)) end\n"
       "  local t = {}\n"
       "  for i = 1, math.random(0, 6) do t[i] = value(depth + 1) end\n"
       "  for _ = 1, math.random(0, 6) do\n"
       "    local k = value(9) t[k] = value(depth + 1)\n"
       "  end\n"
       "  if math.random() < .3 then t[math.random(6)] = nil end\n"
       "  return t\n"
       "end\n"
       "for _ = 1, 2000 do check(value(0)) end",
       "done\n");
}

static void what_cannot_cross_is_named_with_its_place(void **state) {
  (void)state;
  SAME("refuse(print) refuse {a = {1, 2, print}} refuse {['odd key'] = io.stdout}\n"
       "refuse {x = {[2.5] = {[true] = coroutine.create(print)}}} refuse {[print] = 1}\n"
       "refuse {a = {[{}] = 1}} refuse(setmetatable({}, {})) refuse {h = setmetatable({}, {})}\n"
       "refuse {[('k'):rep(100)] = print} refuse {['a\\nb\"\\xff'] = print} "
       "refuse(perilune.channel 'x')\n"
       "refuse {-1, [-7] = print}",
       "channel:try_send: $: a function cannot be sent\n"
       "channel:try_send: $.a[3]: a function cannot be sent\n"
       "channel:try_send: $[\"odd key\"]: a FILE* cannot be sent\n"
       "channel:try_send: $.x[2.5][true]: a thread cannot be sent\n"
       "channel:try_send: $: a function as a key cannot be sent\n"
       "channel:try_send: $.a: a table as a key cannot be sent\n"
       "channel:try_send: $: a table with a metatable cannot be sent: copy what it holds into a "
       "plain one\n"
       "channel:try_send: $.h: a table with a metatable cannot be sent: copy what it holds into a "
       "plain one\n"
       "channel:try_send: $[\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...\"]: "
       "a function cannot be sent\n"
       "channel:try_send: $[\"a?b??\"]: a function cannot be sent\n"
       "channel:try_send: $: a perilune.NamedChannel cannot be sent\n"
       "channel:try_send: $[-7]: a function cannot be sent\ndone\n");
}

static void depth_and_cycles_have_an_end(void **state) {
  (void)state;
  SAME("local function nest(n) local t = {} for _ = 2, n do t = {t} end return t end\n"
       "check(nest(128)) log((select(2, pcall(cross, nest(129))):gsub('%[1%]%[1%]', '')))\n"
       "local t = {a = {b = {}}} t.a.b.c = t.a refuse(t)\n"
       "local own = {} own[1] = own refuse(own)",
       "test:12: channel:try_send: $: nested deeper than 128 levels\n"
       "channel:try_send: $.a.b.c: a cycle: the table is inside itself\n"
       "channel:try_send: $[1]: a cycle: the table is inside itself\ndone\n");
}

static void what_would_be_large_for_its_receiver_is_refused(void **state) {
  (void)state;
  SAME("local t = {} for _ = 1, 40 do t = {t, t} end\n"
       "log((select(2, pcall(cross, t)):gsub('%$[%[%]12]*', '$')))\n"
       "local s = ('x'):rep(300000) refuse {s, {s, s, s}} check {s, {s, s}}",
       "test:12: channel:try_send: $: the message would hold more than limits.request_memory "
       "allows (1048576 bytes)\n"
       "channel:try_send: $[2][3]: the message would hold more than limits.request_memory allows "
       "(1048576 bytes)\ndone\n");
}

static void messages_that_wait_have_a_bound_together(void **state) {
  (void)state;
  SAME("local n, ok, why = 0, true\n"
       "local many = perilune.channel('many', {capacity = 1000})\n"
       "while ok do ok, why = pcall(many.try_send, many, ('x'):rep(100000)) n = n + 1 end\n"
       "log(n, why) many:try_receive() log(many:try_send(('x'):rep(100000)))\n"
       "while many:try_receive() do end log(#many)",
       "11 channel:try_send: the messages that wait in channels and topics would hold more than "
       "limits.memory allows (1048576 bytes)\ntrue\n0\ndone\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_values_arrive_as_they_were),
      cmocka_unit_test(tables_arrive_as_copies),
      cmocka_unit_test(random_values_arrive_as_they_were),
      cmocka_unit_test(what_cannot_cross_is_named_with_its_place),
      cmocka_unit_test(depth_and_cycles_have_an_end),
      cmocka_unit_test(what_would_be_large_for_its_receiver_is_refused),
      cmocka_unit_test(messages_that_wait_have_a_bound_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
