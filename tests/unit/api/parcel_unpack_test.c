// Structs, arrays and bytes from state to state: what is copied, how often, and what is not; who
// may use what afterwards; types that have changed.
#include "hub_bench.h"

#include "base/bytes.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/field.h"
#include "structs/operand.h"
#include "structs/type.h"
#include "structs/value.h"

// ---- what scripts make and look at ----

static struct pl_type *check_type(lua_State *L) {
  size_t len;
  const char *name = luaL_checklstring(L, 1, &len);
  struct pl_type *type = pl_type_find(L, pl_strv(name, len));
  return type ? type : (luaL_error(L, "no type %s", name), NULL);
}

/* define(name, schema) */
static int define(lua_State *L) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_struct_spec spec = {.align = 1, .where = "test"};
  spec.name.data = luaL_checklstring(L, 1, &spec.name.len);
  spec.schema.data = luaL_checklstring(L, 2, &spec.schema.len);
  const struct pl_layout_scope scope = {NULL, NULL};
  const struct pl_layout *layout;
  if (pl_layouts_define(pl_structs_of(L)->layouts, &spec, &scope, &layout, problem))
    return luaL_error(L, "%s", problem);
  pl_type_publish(L, pl_type_of(L, layout));
  return 0;
}

/* enumerate(name, count): an enum of u8 with the values A = 1, B = 2, ... */
static int enumerate(lua_State *L) {
  static const struct pl_enum_member members[] = {
      {PL_STRV("A"), 1}, {PL_STRV("B"), 2}, {PL_STRV("C"), 3}};
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_enum_spec spec = {.scalar = PL_SCALAR_U8, .members = members, .where = "test"};
  spec.name.data = luaL_checklstring(L, 1, &spec.name.len);
  spec.member_count = (size_t)luaL_checkinteger(L, 2);
  const struct pl_layout *layout;
  if (pl_layouts_define_enum(pl_structs_of(L)->layouts, &spec, &layout, problem))
    return luaL_error(L, "%s", problem);
  pl_type_publish(L, pl_type_of(L, layout));
  return 0;
}

/* enum(type, value) -> the enum's value */
static int push_enum(lua_State *L) {
  char at = (char)luaL_checkinteger(L, 2);
  pl_field_push_scalar(L, check_type(L)->layout, &at);
  return 1;
}

/* value(type, its bytes) -> an owned struct */
static int make_value(lua_State *L) {
  struct pl_type *type = check_type(L);
  const char *bytes = luaL_checkstring(L, 2);
  memcpy(pl_value_push_new(L, type), bytes, type->layout->size);
  return 1;
}

/* array(type, its bytes) */
static int make_array(lua_State *L) {
  struct pl_type *type = check_type(L);
  size_t len;
  const char *bytes = luaL_checklstring(L, 2, &len);
  struct pl_span span = pl_array_push_new(L, type, len / type->layout->size);
  memcpy(span.data, bytes, span.count * span.stride);
  return 1;
}

/* columns(type, count): an array of zeros with a column for each scalar */
static int make_columns(lua_State *L) {
  pl_array_push_new_columns(L, check_type(L), (size_t)luaL_checkinteger(L, 2));
  return 1;
}

/* bytes(text) */
static int make_bytes(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  struct pl_bytes *bytes = pl_bytes_new(len);
  assert_non_null(bytes);
  memcpy(bytes->data, text, len);
  pl_box_push(L, bytes);
  return 1;
}

static struct pl_operand check_operand(lua_State *L) {
  struct pl_operand o;
  if (!pl_operand_get(L, 1, &o)) luaL_error(L, "no operand");
  return o;
}

/* raw(x) -> its bytes as a string */
static int push_raw(lua_State *L) {
  struct pl_operand o = check_operand(L);
  lua_pushlstring(L, o.span.data, o.span.count * o.span.stride);
  return 1;
}

/* at(x) -> its address */
static int push_address(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)(intptr_t)check_operand(L).span.data);
  return 1;
}

/* kind(x) -> "vec3", or "vec3[2]", or "vec3[2] columns", or "bytes[2]" */
static int push_kind(lua_State *L) {
  struct pl_operand o = check_operand(L);
  const char *name = o.is_bytes ? "bytes" : o.span.layout->name.data;
  if (o.is_array || o.is_bytes)
    lua_pushfstring(L, "%s[%d]%s", name, (int)o.span.count, o.span.column ? " columns" : "");
  else
    lua_pushstring(L, name);
  return 1;
}

/* write(x, byte): at its begin */
static int write_byte(lua_State *L) {
  struct pl_operand o;
  if (!pl_operand_get_writable(L, 1, &o)) return luaL_error(L, "no operand");
  o.span.data[0] = luaL_checkstring(L, 2)[0];
  return 0;
}

/* copies() -> how many copies since the last call, and their bytes */
static int count_copies(lua_State *L) {
  static struct pl_bytes_copies before;
  struct pl_bytes_copies now = pl_bytes_copies();
  lua_pushinteger(L, (lua_Integer)(now.count - before.count));
  lua_pushinteger(L, (lua_Integer)(now.bytes - before.bytes));
  before = now;
  return 2;
}

static void open_structs(struct hub_bench *h) {
  static const luaL_Reg functions[] = {
      {"define", define},    {"enumerate", enumerate}, {"enum", push_enum},
      {"value", make_value}, {"array", make_array},    {"columns", make_columns},
      {"bytes", make_bytes}, {"raw", push_raw},        {"at", push_address},
      {"kind", push_kind},   {"write", write_byte},    {"copies", count_copies},
      {NULL, NULL}};
  hub_open(h);
  for (int i = 0; i < HUB_WORKERS; i++) {
    lua_State *L = h->workers[i].fake.vm.L;
    lua_pushglobaltable(L);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
    hub_start(h, i, "ch = perilune.channel('test') topic = perilune.topic('test') copies()");
    hub_log(h, i, "done\n");
  }
}

// ---- copies ----

static void a_struct_is_copied_once(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0, "v = value('vec3', 'abcdefghijkl') copies() ch:send(v) log(copies())");
  hub_start(&h, 1, "v = ch:receive() log(kind(v), raw(v), copies()) write(v, 'X') log(raw(v))");
  hub_start(&h, 0, "log(raw(v))");
  hub_log(&h, 0, "1 12\ndone\nabcdefghijkl\ndone\n");
  hub_log(&h, 1, "vec3 abcdefghijkl 0 0\nXbcdefghijkl\ndone\n");
  hub_close(&h, 0);
}

static void structs_in_tables_are_copied_once_each(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "local m = {id = 7, list = {}}\n"
            "for i = 1, 5 do m.list[i] = value('vec3', ('%012d'):format(i)) end\n"
            "m.ray = value('ray', ('r'):rep(24)) copies() ch:send(m) log(copies())");
  hub_start(&h, 1,
            "local m = ch:receive() for i, v in ipairs(m.list) do log(kind(v), raw(v)) end\n"
            "log(m.id, kind(m.ray), raw(m.ray), at(m.ray) % 16, copies())");
  hub_log(&h, 0, "6 84\ndone\n");
  hub_log(&h, 1,
          "vec3 000000000001\nvec3 000000000002\nvec3 000000000003\nvec3 000000000004\n"
          "vec3 000000000005\n7 ray rrrrrrrrrrrrrrrrrrrrrrrr 0 0 0\ndone\n");
  hub_close(&h, 0);
}

static void a_view_is_copied_alone_and_not_what_it_lies_in(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "a = array('vec3', ('abcdefghijklmnopqrstuvwx'):rep(1000)) copies()\n"
            "ch:send(a[2]) log(copies())");
  hub_start(&h, 1, "log(raw(ch:receive()))");
  hub_log(&h, 0, "1 12\ndone\n");
  hub_log(&h, 1, "mnopqrstuvwx\ndone\n");
  hub_close(&h, 0);
}

static void frozen_arrays_are_shared(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "a = array('f32', 'aaaabbbbcccc') a:freeze() copies() ch:send(a) ch:send {a, a}\n"
            "ch:send(a:slice(2, 3)) log(copies()) address = at(a)");
  hub_start(&h, 1,
            "a = ch:receive() log(kind(a), raw(a)) log(pcall(write, a, 'x'))\n"
            "both = ch:receive() log(at(both[1]) == at(a), at(both[2]) == at(a))\n"
            "part = ch:receive() log(kind(part), raw(part), at(part) - at(a), copies())\n"
            "shared = at(a)");
  hub_start(&h, 0, "log(raw(a))");
  hub_log(&h, 0, "0 0\ndone\naaaabbbbcccc\ndone\n");
  hub_log(&h, 1,
          "f32[3] aaaabbbbcccc\nfalse frozen: it cannot be changed any more (clone it)\n"
          "true true\nf32[2] bbbbcccc 4 0 0\ndone\n");
  lua_getglobal(h.workers[0].fake.vm.L, "address");
  lua_getglobal(h.workers[1].fake.vm.L, "shared");
  assert_int_equal(lua_tointeger(h.workers[0].fake.vm.L, -1),
                   lua_tointeger(h.workers[1].fake.vm.L, -1));
  lua_pop(h.workers[0].fake.vm.L, 1);
  lua_pop(h.workers[1].fake.vm.L, 1);
  hub_close(&h, 0);
}

static void moved_arrays_change_hands(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "a = array('f32', 'aaaabbbb') copies()\n"
            "ch:send(a:move()) log(copies()) log(pcall(raw, a))\n"
            "b = array('f32', 'cccc'):move() ch:send {b, {b}} log(pcall(raw, b))");
  hub_start(&h, 1,
            "a = ch:receive() write(a, 'X') log(kind(a), raw(a), copies())\n"
            "m = ch:receive() write(m[1], 'Y') log(raw(m[2][1]))\n"
            "ch:send(a:move()) log(pcall(raw, a))");
  hub_start(&h, 0, "a = ch:receive() log(raw(a))");
  hub_log(&h, 0,
          "0 0\nfalse stale view: its bytes were moved away at test:2\n"
          "false stale view: its bytes were moved away at test:3\ndone\nXaaabbbb\ndone\n");
  hub_log(&h, 1,
          "f32[2] Xaaabbbb 0 0\nYccc\n"
          "false stale view: its bytes were moved away at test:3\ndone\n");
  hub_close(&h, 0);
}

static void bytes_and_columns_cross_as_they_are(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "b = bytes('hello bytes') b:freeze() c = columns('vec3', 5) c:freeze()\n"
            "copies() ch:send {b = b, part = b:slice(6, 3), c = c}\n"
            "ch:send(bytes('mine'):move()) log(copies())");
  hub_start(&h, 1,
            "local m = ch:receive()\n"
            "log(kind(m.b), raw(m.b), kind(m.part), raw(m.part), at(m.part) - at(m.b))\n"
            "log(kind(m.c), copies()) b = ch:receive() write(b, 'M') log(raw(b))");
  hub_log(&h, 0, "0 0\ndone\n");
  hub_log(&h, 1, "bytes[11] hello bytes bytes[3] byt 6\nvec3[5] columns 0 0\nMine\ndone\n");
  hub_close(&h, 0);
}

static void what_is_neither_frozen_nor_moved_is_refused(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "a = array('f32', 'aaaa')\n"
            "local function bad(v) log(select(2, pcall(ch.try_send, ch, v))) end\n"
            "bad(a) bad {x = {1, a}} bad(bytes('b')) bad {array('f32', 'm'):move(), a}\n"
            "m = array('f32', 'mmmm'):move() bad {m, print} log(raw(m))\n"
            "gone = a:move() bad {y = a} log(#ch)");
  hub_log(&h, 0,
          "channel:try_send: $: freeze(), move() or clone() it: an array is not copied\n"
          "channel:try_send: $.x[2]: freeze(), move() or clone() it: an array is not copied\n"
          "channel:try_send: $: freeze(), move() or clone() it: bytes is not copied\n"
          "channel:try_send: $[2]: freeze(), move() or clone() it: an array is not copied\n"
          "channel:try_send: $[2]: a function cannot be sent\nmmmm\n"
          "stale view: its bytes were moved away at test:5\n0\ndone\n");
  hub_close(&h, 0);
}

static void what_could_not_be_sent_is_the_senders_again(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "ch = perilune.channel('small', {capacity = 1}) ch:send(0)\n"
            "m = array('f32', 'mmmm'):move() log(ch:try_send(m)) log(raw(m))\n"
            "log(ch:send({m, m}, 1)) log(raw(m)) write(m, 'X')");
  hub_run(&h);
  bench_pass(&h.workers[0], 2);
  hub_log(&h, 0, "nil full EAGAIN\nmmmm\nnil timeout ETIMEDOUT\nmmmm\ndone\n");
  hub_start(&h, 0, "log(ch:send(m))");
  hub_start(&h, 0, "log(pcall(raw, m)) ch:close()");
  hub_run(&h);
  hub_log(&h, 0,
          "false stale view: its bytes were moved away at test:1\ndone\n"
          "nil closed EPIPE\ndone\n");
  hub_start(&h, 0, "log(raw(m)) ch:receive()");
  hub_log(&h, 0, "Xmmm\ndone\n");
  hub_close(&h, 0);
}

static void what_is_published_is_frozen(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  for (int i = 0; i < HUB_WORKERS; i++) {
    hub_start(&h, i, "sub = topic:subscribe()");
    hub_log(&h, i, "done\n");
  }
  hub_start(&h, 0,
            "m = array('f32', 'mmmm') copies()\n"
            "topic:publish {v = value('vec3', 'abcdefghijkl'), a = m:move()}\n"
            "log(copies()) log(pcall(raw, m))");
  hub_log(&h, 0, "1 12\nfalse stale view: its bytes were moved away at test:2\ndone\n");
  for (int i = 0; i < HUB_WORKERS; i++) {
    hub_start(&h, i,
              "m = sub:receive() log(raw(m.v), raw(m.a), copies())\n"
              "log(pcall(write, m.v, 'x')) log(pcall(write, m.a, 'x'))");
    hub_log(&h, i,
            "abcdefghijkl mmmm 0 0\nfalse frozen: it cannot be changed any more (clone it)\n"
            "false frozen: it cannot be changed any more (clone it)\ndone\n");
  }
  hub_close(&h, 0);
}

// ---- types ----

static void a_type_of_the_sender_need_not_be_known_to_the_receiver(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0, "define('Shot', 't:f32 n:vec3') ch:send(value('Shot', '0123456789abcdef'))");
  hub_start(&h, 1,
            "v = ch:receive() log(kind(v), raw(v)) define('Shot', 't:f32 n:vec3')\n"
            "ch:send(v)");
  hub_start(&h, 0, "log(kind(ch:receive()))");
  hub_log(&h, 0, "done\nShot\ndone\n");
  hub_log(&h, 1, "Shot 0123456789abcdef\ndone\n");
  hub_close(&h, 0);
}

static void a_type_that_has_changed_is_named_and_its_message_is_gone(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0,
            "define('Shot', 't:f32 n:vec3') s = value('Shot', '0123456789abcdef')\n"
            "ch:send {1, {s}} ch:send(2)");
  hub_start(&h, 1,
            "define('Shot', 't:f32 n:vec3 prim:u32')\n"
            "local ok, why = pcall(ch.receive, ch)\n"
            "log(ok, (why:gsub('#%x%x%x%x', '#hash'))) log(ch:receive()) log(#ch)");
  hub_log(&h, 0, "done\n");
  hub_log(&h, 1, "false channel:receive: Shot changed: 16 B #hash -> 20 B #hash\n2\n0\ndone\n");
  hub_close(&h, 0);
}

static void values_of_enums_are_the_receivers_own(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 0, "enumerate('Kind', 2) ch:send {enum('Kind', 1), [2] = enum('Kind', 7)}");
  hub_start(&h, 1,
            "enumerate('Kind', 3) m = ch:receive()\n"
            "log(rawequal(m[1], enum('Kind', 1)), rawequal(m[2], enum('Kind', 7)))\n"
            "log(rawequal(m[1], enum('Kind', 2)), kind(m[1]))");
  hub_log(&h, 0, "done\n");
  hub_log(&h, 1, "true true\nfalse Kind\ndone\n");
  hub_close(&h, 0);
}

// ---- what may come between ----

static void what_is_given_back_still_has_its_arrays(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  hub_start(&h, 1, "child = task.background(function() ch:receive() end)");
  hub_run(&h);
  hub_start(&h, 0, "ch:send {array('f32', 'mmmm'):move(), value('vec3', 'abcdefghijkl')}");
  hub_start(&h, 1, "child:cancel()");
  hub_start(&h, 0, "m = ch:receive() write(m[1], 'X') log(raw(m[1]), raw(m[2]))");
  hub_run(&h);
  hub_log(&h, 0, "done\nXmmm abcdefghijkl\ndone\n");
  hub_close(&h, 0);
}

static void a_message_that_a_finaliser_changes_is_refused_or_whole(void **state) {
  (void)state;
  struct hub_bench h;
  open_structs(&h);
  lua_gc(h.workers[0].fake.vm.L, LUA_GCRESTART);
  lua_gc(h.workers[0].fake.vm.L, LUA_GCINC, 10, 1000, 1);  // a collection at every chance
  hub_start(
      &h, 0,
      "local changed, sent = 0, 0\n"
      "for round = 1, 3000 do\n"
      "  local m = {value('vec3', 'abcdefghijkl'), {}, round}\n"
      "  for _ = 1, round % 7 do\n"
      "    setmetatable({}, {__gc = function() m[2][#m[2] + 1] = ('x'):rep(50) m[1] = nil end})\n"
      "  end\n"
      "  local ok, why = pcall(ch.try_send, ch, m)\n"
      "  if ok then sent = sent + 1 assert(ch:receive()[3] == round)\n"
      "  else changed = changed + 1 assert(why:find('a finaliser has changed', 1, true), why) end\n"
      "end\n"
      "log(sent > 0, changed > 0, sent + changed, #ch)");
  hub_log(&h, 0, "true true 3000 0\ndone\n");
  hub_close(&h, 0);
}

static const char exchange[] =
    "sent, got = 0, 0\n"
    "m = array('f32', 'mmmm'):move()\n"
    "if ch:try_send {value('vec3', 'abcdefghijkl'), m, {m}} then sent = 1 end\n"
    "local v = ch:try_receive() if v then got = 1 assert(raw(v[2]) == 'mmmm') end\n";

static void without_memory_no_message_is_lost(void **state) {
  (void)state;
  bool is_reached = true;
  for (uint64_t nth = 1; is_reached; nth++) {
    struct hub_bench h;
    open_structs(&h);
    struct bench *b = &h.workers[0];
    struct bench_failing failing = {.heap = &b->fake.vm.heap};
    lua_setallocf(b->fake.vm.L, bench_allocate, &failing);
    struct pl_task *task = pl_task_new(&b->fake.vm, NULL, &fake_ops, NULL);
    assert_int_equal(luaL_loadstring(task->co, exchange), LUA_OK);
    failing.nth = nth;
    pl_run_start(task, 0);
    is_reached = failing.count >= nth;
    failing.nth = 0;
    lua_gc(b->fake.vm.L, LUA_GCCOLLECT);
    pl_buf_clear(&b->fake.text);
    hub_start(&h, 0,
              "local v = ch:try_receive() if v then got = got + 1 raw(v[1]) end\n"
              "if sent ~= got then log('sent', sent, 'got', got) end");
    hub_log(&h, 0, "done\n");
    lua_setallocf(b->fake.vm.L, pl_heap_allocate, &b->fake.vm.heap);
    hub_close(&h, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_struct_is_copied_once),
      cmocka_unit_test(structs_in_tables_are_copied_once_each),
      cmocka_unit_test(a_view_is_copied_alone_and_not_what_it_lies_in),
      cmocka_unit_test(frozen_arrays_are_shared),
      cmocka_unit_test(moved_arrays_change_hands),
      cmocka_unit_test(bytes_and_columns_cross_as_they_are),
      cmocka_unit_test(what_is_neither_frozen_nor_moved_is_refused),
      cmocka_unit_test(what_could_not_be_sent_is_the_senders_again),
      cmocka_unit_test(what_is_published_is_frozen),
      cmocka_unit_test(a_type_of_the_sender_need_not_be_known_to_the_receiver),
      cmocka_unit_test(a_type_that_has_changed_is_named_and_its_message_is_gone),
      cmocka_unit_test(values_of_enums_are_the_receivers_own),
      cmocka_unit_test(what_is_given_back_still_has_its_arrays),
      cmocka_unit_test(a_message_that_a_finaliser_changes_is_refused_or_whole),
      cmocka_unit_test(without_memory_no_message_is_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
