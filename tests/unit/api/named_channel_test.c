// Channels between two workers: who is served, what a wait says when it ends, and that no message
// is lost or doubled whatever ends it: a time, a cancellation, closing, the end of a task from
// outside, the end of its state.
#include "api/named_channel.h"

#include "hub_bench.h"

static void a_message_goes_to_whoever_has_waited_longest(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0, "log('first', perilune.channel('a'):receive())");
  hub_start(&h, 1, "log('second', perilune.channel('a'):receive())");
  hub_start(&h, 0, "log('third', perilune.channel('a'):receive())");
  hub_start(&h, 1, "local ch = perilune.channel('a') for i = 1, 4 do ch:send(i) end log(#ch)");
  hub_run(&h);
  hub_log(&h, 0, "first 1\ndone\nthird 3\ndone\n");
  hub_log(&h, 1, "1\ndone\nsecond 2\ndone\n");
  hub_start(&h, 0, "log(perilune.channel('a'):receive())");
  hub_log(&h, 0, "4\ndone\n");
  hub_close(&h, 0);
}

static void a_full_channel_has_its_senders_wait(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0,
            "ch = perilune.channel('a', {capacity = 1}) log(ch:try_send(1), #ch)\n"
            "log(ch:try_send(2)) log('sent', ch:send(2))");
  hub_start(&h, 1,
            "ch = perilune.channel('a') log('sent', ch:send(3))\n"
            "log(ch:receive(), ch:receive())");
  hub_start(&h, 1, "log(#ch)");
  hub_log(&h, 0, "true 1\nnil full EAGAIN\n");
  hub_log(&h, 1, "3\ndone\n");
  hub_start(&h, 0, "log(ch:receive())");
  hub_log(&h, 0, "1\ndone\n");
  hub_run(&h);
  hub_log(&h, 0, "sent true\ndone\n");
  hub_log(&h, 1, "");
  hub_start(&h, 0, "ch = perilune.channel('a', {capacity = 2})");
  hub_run(&h);
  hub_log(&h, 0, "done\n");
  hub_log(&h, 1, "sent true\n2 3\ndone\n");
  hub_close(&h, 0);
}

static void the_usual_capacity_is_64(void **state) {
  (void)state;
  hub_expect("local ch, n = perilune.channel('a'), 0\n"
             "while ch:try_send(n) do n = n + 1 end log(n)\n"
             "for v in ch:each() do if v == 63 then break end end log(ch:try_receive())",
             "64\nnil empty EAGAIN\ndone\n");
}

static void waits_have_a_time(void **state) {
  (void)state;
  hub_expect("local ch = perilune.channel('a', {capacity = 1})\n"
             "log(ch:receive(0)) log(ch:receive(2)) ch:send(1) log(ch:send(2, 3)) log(#ch)\n"
             "log(ch:receive(1), ch:try_receive())",
             "nil timeout ETIMEDOUT\nnil timeout ETIMEDOUT\nnil timeout ETIMEDOUT\n1\n"
             "1 nil empty EAGAIN\ndone\n");
}

static void a_message_on_its_way_beats_the_time(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0, "log(perilune.channel('a'):receive(5))");
  hub_start(&h, 1, "log(perilune.channel('a'):send('x'))");
  bench_pass(&h.workers[0], 6);
  hub_log(&h, 0, "");
  hub_run(&h);
  hub_log(&h, 0, "x\ndone\n");
  hub_close(&h, 0);
}

static void closing_reaches_every_worker(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0, "ch = perilune.channel('a') log(ch:receive())");
  hub_start(&h, 1, "ch = perilune.channel('a', {capacity = 1}) ch:close() ch:close()");
  hub_run(&h);
  hub_log(&h, 0, "nil closed EOF\ndone\n");
  hub_start(&h, 0,
            "log(ch:send(1)) log(ch:try_send(1)) log(ch:receive()) log(ch:try_receive())\n"
            "for v in ch:each() do log(v) end");
  hub_log(&h, 0, "nil closed EPIPE\nnil closed EPIPE\nnil closed EOF\nnil closed EOF\ndone\n");
  hub_start(&h, 1,
            "new = perilune.channel('a', {capacity = 1}) log(new == ch, new:try_send(1))\n"
            "log(new:send(2))");
  hub_start(&h, 0, "ch = perilune.channel('a') ch:close() log(ch:receive()) log(ch:receive())");
  hub_run(&h);
  hub_log(&h, 1, "done\nfalse true\nnil closed EPIPE\ndone\n");
  hub_log(&h, 0, "1\nnil closed EOF\ndone\n");
  hub_close(&h, 0);
}

static void each_ends_when_the_channel_is_closed_and_empty(void **state) {
  (void)state;
  hub_expect("local ch = perilune.channel('a')\n"
             "task.spawn(function() for i = 1, 3 do ch:send(i) task.sleep(1) end ch:close() end)\n"
             "for v in ch:each() do log(v) end log('over')\n"
             "ch = perilune.channel('a') ch:send(nil) ch:send(false)\n"
             "log(select('#', ch:receive()), ch:receive()) ch:send(nil)\n"
             "log(pcall(function() for v in ch:each() do log(v) end end))",
             "1\n2\n3\nover\n1 false\n"
             "false test:6: channel:each: nil was sent, which a loop cannot tell from the end: use "
             "receive\ndone\n");
}

static void arguments_are_checked(void **state) {
  (void)state;
  hub_expect(
      "local function bad(...) log((select(2, pcall(...)):gsub('0x%x+', '0x'))) end\n"
      "local ch = perilune.channel('a')\n"
      "bad(perilune.channel) bad(perilune.channel, 1) bad(perilune.channel, '')\n"
      "bad(perilune.channel, ('x'):rep(129)) bad(perilune.channel, 'a', 5)\n"
      "bad(perilune.channel, 'a', {capacity = 0}) bad(perilune.channel, 'a', {capacity = '5'})\n"
      "bad(perilune.channel, 'a', {capacity = 1.5}) bad(perilune.channel, 'a', {capacty = 5})\n"
      "bad(perilune.channel, 'a', {5}) bad(ch.send, ch) bad(ch.send, {}, 1) bad(ch.send, ch, 1, "
      "-1)\n"
      "bad(ch.send, ch, 1, 'x') bad(ch.receive, ch, {}) bad(ch.try_send, ch)\n"
      "log(perilune.channel(('x'):rep(128)) == perilune.channel(('x'):rep(128)))\n"
      "log(perilune.channel('a\\0b') == perilune.channel('a\\0c'), ch == perilune.channel('a'))\n"
      "log(getmetatable(ch), perilune.channel('\\xff\\n'):try_send(1),\n"
      "    perilune.channel('\\xff\\n'):receive())",
      "perilune.channel: the name must be a string, not nil\n"
      "perilune.channel: the name must be a string, not 1\n"
      "perilune.channel: a name has 1 to 128 bytes, this one has 0\n"
      "perilune.channel: a name has 1 to 128 bytes, this one has 129\n"
      "perilune.channel: the options are a table, {capacity = 64}, not 5\n"
      "perilune.channel: the capacity must be an integer from 1 to 536870912, not 0\n"
      "perilune.channel: the capacity must be an integer from 1 to 536870912, not 5\n"
      "perilune.channel: the capacity must be an integer from 1 to 536870912, not 1.5\n"
      "perilune.channel: unknown option 'capacty', did you mean 'capacity'?\n"
      "perilune.channel: unknown option '1'\n"
      "bad argument #2 to '?' (value expected)\n"
      "bad argument #1 to '?' (perilune.NamedChannel expected, got table)\n"
      "bad argument #3 to '?' (a number of seconds of at least 0 is expected)\n"
      "bad argument #3 to '?' (number expected, got string)\n"
      "bad argument #2 to '?' (number expected, got table)\n"
      "bad argument #2 to '?' (value expected)\n"
      "true\nfalse true\nfalse true 1\ndone\n");
}

// ---- what ends a wait ----

static void a_cancelled_receiver_is_passed_over(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 1,
            "child = task.background(function() log(pcall(function()\n"
            "  perilune.channel('a'):receive() end)) end)");
  hub_start(&h, 0, "log(perilune.channel('a'):receive())");
  hub_run(&h);
  hub_start(&h, 1, "child:cancel() perilune.channel('a'):send('x')");
  hub_run(&h);
  hub_log(&h, 0, "x\ndone\n");
  hub_log(&h, 1, "done\ndone\nfalse cancelled (parent)\n");
  hub_close(&h, 0);
}

static void a_message_for_a_task_that_was_cancelled_first_goes_back(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 1, "child = task.background(function() perilune.channel('a'):receive() end)");
  hub_run(&h);
  hub_start(&h, 0,
            "ch = perilune.channel('a') log(ch:send('x'), ch:send('y')) log(ch:try_receive())");
  hub_log(&h, 0, "true true\ny\ndone\n");
  hub_start(&h, 0, "ch:send('z')");
  hub_start(&h, 1, "child:cancel()");
  hub_start(&h, 0, "log(ch:try_receive()) log(ch:try_receive()) log(ch:try_receive())");
  hub_log(&h, 0, "done\nx\nz\nnil empty EAGAIN\ndone\n");
  hub_run(&h);
  hub_close(&h, 0);
}

static void what_completed_before_the_cancellation_is_delivered(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 1,
            "child = task.background(function() log(perilune.channel('a'):receive())\n"
            "log(pcall(task.sleep, 1)) end)");
  hub_run(&h);
  hub_start(&h, 0, "perilune.channel('a'):send('x')");
  hub_take_mail(&h, 1);
  hub_start(&h, 1, "child:cancel()");
  hub_run(&h);
  hub_log(&h, 1, "done\ndone\nx\nfalse cancelled (parent)\n");
  hub_close(&h, 0);
}

static void a_cancelled_sender_has_sent_or_not(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0, "ch = perilune.channel('a', {capacity = 1}) ch:send(1)");
  hub_start(&h, 1,
            "children = {} for i = 2, 3 do children[i] = task.background(function()\n"
            "  perilune.channel('a'):send(i) end) end");
  hub_run(&h);
  hub_start(&h, 0, "log(#ch, ch:receive())");  // the first sender's is in the channel now
  hub_start(&h, 1, "children[2]:cancel() children[3]:cancel()");
  hub_start(&h, 0, "log(ch:try_receive()) log(ch:try_receive())");
  hub_run(&h);
  hub_log(&h, 0, "done\n3 1\ndone\n2\nnil empty EAGAIN\ndone\n");
  hub_close(&h, 0);
}

// Ends the waiting task from outside; its continuation never runs.
// @param takes_mail before that
static void begin_killed_receive(struct hub_bench *h, bool takes_mail) {
  hub_start(h, 1, "function receive() perilune.channel('a'):receive() end");
  hub_start(h, 1,
            takes_mail ? "local waits = task.spawn(receive) wait() mail() kill(waits)"
                       : "local waits = task.spawn(receive) wait() kill(waits)");
  hub_run(h);
}

static void finish_kill(struct hub_bench *h) {
  fake_complete(&h->workers[1].fake, 0);
  hub_run_tasks(h, 1);
}

static void the_message_of_a_task_that_was_ended_goes_back(void **state) {
  (void)state;
  struct hub_bench h;
  for (int stage = 0; stage < 3; stage++) {
    hub_open(&h);
    begin_killed_receive(&h, stage == 2);
    if (stage == 0) finish_kill(&h);  // while it waits
    hub_start(&h, 0, "ch = perilune.channel('a') ch:send('x') ch:send('y')");
    if (stage > 0) finish_kill(&h);
    lua_gc(h.workers[1].fake.vm.L, LUA_GCCOLLECT);
    hub_start(&h, 0, "log(ch:try_receive()) log(ch:try_receive()) log(ch:try_receive())");
    hub_run(&h);
    hub_log(&h, 0, "done\nx\ny\nnil empty EAGAIN\ndone\n");
    hub_close(&h, 0);
  }
}

static void a_state_that_ends_gives_back_what_it_has_not_read(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  begin_killed_receive(&h, true);
  hub_start(&h, 0, "ch = perilune.channel('a') ch:send('x') ch:send('y')");
  finish_kill(&h);
  hub_start(&h, 1, "keep = perilune.channel('b') keep:send('z')");
  hub_end_worker(&h, 1);
  hub_start(&h, 0, "log(ch:receive(), ch:receive(), perilune.channel('b'):receive())");
  hub_log(&h, 0, "done\nx y z\ndone\n");
  hub_close(&h, 0);
}

static void messages_wait_while_nobody_holds_the_channel(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 1, "perilune.channel('a'):send({1}) perilune.channel('b'):send(2)");
  hub_end_worker(&h, 1);
  hub_start(&h, 0, "log(perilune.channel('a'):receive()[1])");
  hub_log(&h, 0, "1\ndone\n");
  hub_close(&h, 1);
}

static void collected_channels_cost_nothing(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0,
            "for i = 1, 300 do local ch = perilune.channel('c' .. i) ch:send(i)\n"
            "perilune.topic('t' .. i):subscribe() perilune.topic('t' .. i):publish(i)\n"
            "assert(ch:receive() == i) if i % 20 == 0 then collectgarbage() end end");
  lua_gc(h.workers[0].fake.vm.L, LUA_GCCOLLECT);
  hub_log(&h, 0, "done\n");
  assert_int_equal(h.hub.budget.bytes, 0);
  hub_close(&h, 0);
}

// ---- without memory ----

static const char exchange[] = "sent, got = 0, 0\n"
                               "local ch = perilune.channel('a', {capacity = 2})\n"
                               "if ch:try_send({1, {x = 'y'}, 2.5}) then sent = 1 end\n"
                               "if ch:try_receive() then got = 1 end\n"
                               "task.spawn(function() if ch:receive() then got = got + 1 end end)\n"
                               "task.sleep(0)\n"
                               "if ch:send({'z'}) then sent = sent + 1 end\n";

static const char count_rest[] = "local ch = perilune.channel('a')\n"
                                 "while ch:try_receive() do got = got + 1 end\n"
                                 "if sent ~= got then log('sent', sent, 'got', got) end";

// The nth allocation of Lua's, or of C's, fails. Returns: whether there were that many.
static bool exchange_without(uint64_t nth, bool is_ours) {
  struct hub_bench h;
  hub_open(&h);
  struct bench *b = &h.workers[0];
  struct bench_failing failing = {.heap = &b->fake.vm.heap};
  lua_setallocf(b->fake.vm.L, bench_allocate, &failing);
  struct pl_task *task = pl_task_new(&b->fake.vm, NULL, &fake_ops, NULL);
  assert_int_equal(luaL_loadstring(task->co, exchange), LUA_OK);
  failing.nth = is_ours ? 0 : nth;
  pl_mem_fail_nth(is_ours ? nth : 0);
  pl_run_start(task, 0);
  for (int i = 0; i < 5; i++) {
    hub_run(&h);
    bench_pass(b, 1);
  }
  bool is_reached = failing.count >= nth;
  pl_mem_fail_nth(0);
  failing.nth = 0;
  for (struct pl_list *n = b->fake.vm.roots.next; n != &b->fake.vm.roots; n = n->next)
    pl_task_cancel(PL_CONTAINER_OF(n, struct pl_task, sibling), PL_CANCEL_DRAIN);
  hub_run(&h);
  lua_gc(b->fake.vm.L, LUA_GCCOLLECT);
  pl_buf_clear(&b->fake.text);
  hub_start(&h, 0, count_rest);
  hub_log(&h, 0, "done\n");
  lua_setallocf(b->fake.vm.L, pl_heap_allocate, &b->fake.vm.heap);
  hub_close(&h, 0);
  return is_reached;
}

static void without_memory_no_message_is_lost(void **state) {
  (void)state;
  for (uint64_t nth = 1; exchange_without(nth, false); nth++) continue;
  for (uint64_t nth = 1; nth < 100; nth++) exchange_without(nth, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_goes_to_whoever_has_waited_longest),
      cmocka_unit_test(a_full_channel_has_its_senders_wait),
      cmocka_unit_test(the_usual_capacity_is_64),
      cmocka_unit_test(waits_have_a_time),
      cmocka_unit_test(a_message_on_its_way_beats_the_time),
      cmocka_unit_test(closing_reaches_every_worker),
      cmocka_unit_test(each_ends_when_the_channel_is_closed_and_empty),
      cmocka_unit_test(arguments_are_checked),
      cmocka_unit_test(a_cancelled_receiver_is_passed_over),
      cmocka_unit_test(a_message_for_a_task_that_was_cancelled_first_goes_back),
      cmocka_unit_test(what_completed_before_the_cancellation_is_delivered),
      cmocka_unit_test(a_cancelled_sender_has_sent_or_not),
      cmocka_unit_test(the_message_of_a_task_that_was_ended_goes_back),
      cmocka_unit_test(a_state_that_ends_gives_back_what_it_has_not_read),
      cmocka_unit_test(messages_wait_while_nobody_holds_the_channel),
      cmocka_unit_test(collected_channels_cost_nothing),
      cmocka_unit_test(without_memory_no_message_is_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
