// Topics: every subscriber gets every message, a slow one loses the oldest and is told how many,
// and a subscription ends with its block, its collection or its state.
#include "api/topic.h"

#include "hub_bench.h"

static void every_subscriber_of_every_worker_gets_it(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0, "log(perilune.topic('news'):publish('nobody hears'))");
  for (int i = 0; i < HUB_WORKERS; i++)
    hub_start(&h, i,
              "sub = perilune.topic('news'):subscribe() log('a', type(sub:receive()), 0)\n"
              "log('a', sub:receive()) log('a', sub:receive())");
  hub_start(&h, 1,
            "local sub <close> = perilune.topic('news'):subscribe()\n"
            "log('b', type(sub:receive()), 0) log('b', sub:receive(1))");
  hub_start(&h, 0,
            "topic = perilune.topic('news') log(topic:publish({x = 1}), topic:publish(nil))");
  hub_run(&h);
  bench_pass(&h.workers[1], 2);
  hub_start(&h, 0, "log(topic:publish('last'))");
  hub_run(&h);
  hub_log(&h, 0,
          "0\ndone\n3 3\ndone\n"
          "a table 0\na nil 0\n2\ndone\na last 0\ndone\n");
  hub_log(&h, 1, "a table 0\na nil 0\nb table 0\nb nil 0\ndone\na last 0\ndone\n");
  hub_close(&h, 0);
}

static void subscribers_see_what_was_sent_in_order(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 1,
            "local sub <close> = perilune.topic('news'):subscribe()\n"
            "for v, lost in sub:each() do log(v.n, lost) if v.n == 3 then break end end");
  hub_start(&h, 0, "for n = 1, 4 do log(perilune.topic('news'):publish {n = n}) end");
  hub_log(&h, 0, "1\n1\n1\n1\ndone\n");
  hub_run(&h);
  hub_log(&h, 1, "1 0\n2 0\n3 0\ndone\n");
  hub_start(&h, 0, "log(perilune.topic('news'):publish(5))");
  hub_log(&h, 0, "0\ndone\n");
  hub_close(&h, 0);
}

static void a_slow_subscriber_is_told_what_it_lost(void **state) {
  (void)state;
  hub_expect("local topic = perilune.topic('news')\n"
             "local slow, usual = topic:subscribe {capacity = 2}, topic:subscribe()\n"
             "for n = 1, 5 do topic:publish(n) end\n"
             "log(#slow, #usual) log(slow:receive()) log(slow:receive()) log(slow:try_receive())\n"
             "log(slow:receive(1)) log(usual:receive())\n"
             "for n = 1, 100 do topic:publish(n) end log(#usual, usual:receive())\n"
             "log(usual:receive())",
             "2 5\n4 3\n5 0\nnil empty EAGAIN\nnil timeout ETIMEDOUT\n1 0\n64 37 40\n38 0\ndone\n");
}

static void a_closed_subscription_is_at_its_end(void **state) {
  (void)state;
  hub_expect("local topic = perilune.topic('news')\n"
             "local sub = topic:subscribe() topic:publish(1)\n"
             "local waits = topic:subscribe()\n"
             "task.spawn(function() log('waits', waits:receive()) log('waits', waits:receive())\n"
             "end)\n"
             "task.sleep(0) sub:close() sub:close() waits:close()\n"
             "log(sub:receive()) log(#sub, topic:publish(2))\n"
             "for v in sub:each() do log(v) end task.sleep(1)",
             "nil closed EOF\n0 0\nwaits nil closed EOF\nwaits nil closed EOF\ndone\n");
}

static void several_tasks_may_share_a_subscription(void **state) {
  (void)state;
  hub_expect("local topic = perilune.topic('news') local sub = topic:subscribe()\n"
             "for i = 1, 3 do task.spawn(function() log(i, sub:receive()) end) end\n"
             "local gone = task.spawn(function() sub:receive() end)\n"
             "task.sleep(0) gone:cancel() for n = 1, 4 do topic:publish(n * n) end\n"
             "task.sleep(1) log(sub:receive())",
             "1 1 0\n2 4 0\n3 9 0\n16 0\ndone\n");
}

static void a_subscription_that_was_collected_or_ended_gets_nothing(void **state) {
  (void)state;
  struct hub_bench h;
  hub_open(&h);
  hub_start(&h, 0, "topic = perilune.topic('news') topic:subscribe() sub = topic:subscribe()");
  hub_start(&h, 1, "sub = perilune.topic('news'):subscribe()");
  lua_gc(h.workers[0].fake.vm.L, LUA_GCCOLLECT);
  hub_start(&h, 0, "log(topic:publish(1))");
  hub_end_worker(&h, 1);
  hub_start(&h, 0, "log(topic:publish(2), #sub)");
  hub_log(&h, 0, "done\n2\ndone\n1 2\ndone\n");
  hub_close(&h, 0);
}

static void arguments_are_checked(void **state) {
  (void)state;
  hub_expect(
      "local function bad(...) log((select(2, pcall(...)))) end\n"
      "local topic = perilune.topic('a') local sub = topic:subscribe()\n"
      "bad(perilune.topic) bad(perilune.topic, '') bad(perilune.topic, 'a', {capacity = 1})\n"
      "bad(topic.publish, topic) bad(topic.publish, topic, {print}) bad(topic.publish, sub, 1)\n"
      "bad(topic.subscribe, topic, {capacity = 0}) bad(topic.subscribe, topic, 1)\n"
      "bad(sub.receive, topic) bad(sub.receive, sub, -1)\n"
      "topic:publish(nil) log(select('#', sub:receive())) topic:publish(nil)\n"
      "bad(function() for _ in sub:each() do end end)\n"
      "log(topic == perilune.topic('a'), topic == perilune.topic('b'))",
      "perilune.topic: the name must be a string, not nil\n"
      "perilune.topic: a name has 1 to 128 bytes, this one has 0\n"
      "perilune.topic: a topic has no options; a subscription has {capacity = 64}\n"
      "bad argument #2 to '?' (value expected)\n"
      "topic:publish: $[1]: a function cannot be sent\n"
      "bad argument #1 to '?' (perilune.Topic expected, got perilune.Subscription)\n"
      "topic:subscribe: the capacity must be an integer from 1 to 536870912, not 0\n"
      "topic:subscribe: the options are a table, {capacity = 64}, not 1\n"
      "bad argument #1 to '?' (perilune.Subscription expected, got perilune.Topic)\n"
      "bad argument #2 to '?' (a number of seconds of at least 0 is expected)\n"
      "2\ntest:8: subscription:each: nil was sent, which a loop cannot tell from the end: use "
      "receive\n"
      "true false\ndone\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_subscriber_of_every_worker_gets_it),
      cmocka_unit_test(subscribers_see_what_was_sent_in_order),
      cmocka_unit_test(a_slow_subscriber_is_told_what_it_lost),
      cmocka_unit_test(a_closed_subscription_is_at_its_end),
      cmocka_unit_test(several_tasks_may_share_a_subscription),
      cmocka_unit_test(a_subscription_that_was_collected_or_ended_gets_nothing),
      cmocka_unit_test(arguments_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
