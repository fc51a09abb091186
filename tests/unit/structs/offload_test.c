// Long calls on the thread pool: pieces in order, pins, cancelling, what cannot wait.
#include <pthread.h>
#include <stdlib.h>

#include "snippet.h"

#include "io/loop.h"
#include "structs/offload.h"
#include "structs/operand.h"

/// Counts elements, and notes whether it ran on another thread.
struct counting {
  struct pl_work work;
  struct counted *counted;
  bool is_held;
};

struct counted {
  size_t next;  ///< the element that has to come next
  size_t pieces;
  size_t elsewhere;
  pthread_t home;
  unsigned holds;
  unsigned drops;
  char name;
};

static struct counted counted, second;
static char sequence[32];  // whose pieces ran, in their order

static void count(struct pl_work *work, size_t first, size_t n) {
  struct counted *c = PL_CONTAINER_OF(work, struct counting, work)->counted;
  if (first != c->next) abort();
  c->next += n;
  c->pieces++;
  c->elsewhere += !pthread_equal(pthread_self(), c->home);
  strncat(sequence, &c->name, 1);
}

static void hold(struct pl_work *work) {
  PL_CONTAINER_OF(work, struct counting, work)->counted->holds++;
}

static void drop(struct pl_work *work) {
  PL_CONTAINER_OF(work, struct counting, work)->counted->drops++;
}

static int finish(lua_State *L, struct pl_work *work) {
  lua_pushinteger(L, (lua_Integer)PL_CONTAINER_OF(work, struct counting, work)->counted->next);
  return 1;
}

/* count(elements, rate [, array [, second]]) -> elements */
static int lua_count(lua_State *L) {
  struct pl_operand o = {0};
  struct counting c = {.work = {.name = "test.count",
                                .size = sizeof c,
                                .count = (size_t)luaL_checkinteger(L, 1),
                                .rate = (size_t)luaL_checkinteger(L, 2),
                                .run = count,
                                .hold = hold,
                                .drop = drop,
                                .finish = finish},
                       .counted = lua_toboolean(L, 4) ? &second : &counted};
  if (pl_operand_get(L, 3, &o)) c.work.bytes[0] = o.box->bytes;
  return pl_offload(L, &c.work);
}

struct bench {
  struct snippet snippet;
  struct pl_loop loop;
};

static void open_bench(struct bench *b) {
  counted = (struct counted){.home = pthread_self(), .name = 'a'};
  second = (struct counted){.home = pthread_self(), .name = 'b'};
  sequence[0] = '\0';
  assert_int_equal(pl_loop_init(&b->loop, NULL, NULL), 0);
  snippet_open(&b->snippet, &b->loop);
  lua_register(b->snippet.fake.vm.L, "count", lua_count);
}

// Lets jobs end, and runs whom they wake, until no task is left.
static void finish_tasks(struct bench *b) {
  struct fake *f = &b->snippet.fake;
  fake_run_ready(f);
  while (f->vm.live_tasks > 0) {
    uv_run(&b->loop.uv, UV_RUN_ONCE);
    fake_run_ready(f);
  }
}

static void close_bench(struct bench *b) {
  snippet_close(&b->snippet);
  assert_int_equal(pl_loop_deinit(&b->loop), 0);
}

static void short_calls_run_at_once(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  fake_start(&b.snippet.fake, "return count(5000, 1000)");
  fake_expect(&b.snippet.fake, "done 5000\n");
  assert_int_equal(counted.pieces, 1);
  assert_int_equal(counted.elsewhere, 0);
  assert_int_equal(counted.holds, 0);
  close_bench(&b);
}

static void long_calls_run_in_pieces_on_the_pool(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  fake_start(&b.snippet.fake, "return count(9001, 1000)");
  fake_expect(&b.snippet.fake, "");
  finish_tasks(&b);
  fake_expect(&b.snippet.fake, "done 9001\n");
  assert_int_equal(counted.pieces, 5);  // 2 ms each, and the rest
  assert_int_equal(counted.elsewhere, 5);
  assert_int_equal(counted.holds, 1);
  assert_int_equal(counted.drops, 0);
  close_bench(&b);
}

static void its_bytes_may_be_read_but_not_changed(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  fake_start(&b.snippet.fake, "a = vec3.array(3)\n"
                              "log(count(9000, 1000, a))\n"
                              "a[1].x = 5\n"
                              "return a:move()[1].x");
  fake_start(&b.snippet.fake, "log(#a, a[1].x)\n"
                              "log(pcall(function() a[1].x = 1 end))\n"
                              "log(pcall(a.move, a))\n"
                              "log(pcall(a.freeze, a))");
  fake_expect(&b.snippet.fake, "3 0.0\n"
                               "false test:2: the bytes are in use by test.count\n"
                               "false the bytes are in use by test.count\n"
                               "false the bytes are in use by test.count\n"
                               "done\n");
  finish_tasks(&b);
  fake_expect(&b.snippet.fake, "9000\ndone 5.0\n");
  lua_pushnil(b.snippet.fake.vm.L);
  lua_setglobal(b.snippet.fake.vm.L, "a");
  close_bench(&b);
}

static void cancelled_calls_end_with_their_piece(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  struct pl_task *task = fake_start(&b.snippet.fake, "local a = vec3.array(3)\n"
                                                     "return count(1 << 40, 1, a)");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run_ready(&b.snippet.fake);
  assert_int_equal(b.snippet.fake.vm.live_tasks, 0);
  lua_gc(b.snippet.fake.vm.L, LUA_GCCOLLECT, 0);  // the array's box goes, its bytes stay
  uv_run(&b.loop.uv, UV_RUN_DEFAULT);
  assert_int_equal(counted.drops, 1);
  assert_in_range(counted.pieces, 0, 1);
  pl_buf_clear(&b.snippet.fake.text);
  close_bench(&b);
}

static void the_state_may_end_before_a_cancelled_piece(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  struct pl_task *task = fake_start(&b.snippet.fake, "return count(1 << 40, 1)");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run_ready(&b.snippet.fake);
  pl_buf_clear(&b.snippet.fake.text);
  pl_vm_deinit(&b.snippet.fake.vm);
  pl_buf_deinit(&b.snippet.fake.text);
  pl_layouts_free(b.snippet.layouts);
  uv_run(&b.loop.uv, UV_RUN_DEFAULT);
  assert_int_equal(counted.drops, 1);
  assert_int_equal(pl_loop_deinit(&b.loop), 0);
}

static void calls_take_turns(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  fake_start(&b.snippet.fake, "return count(6001, 1000)");
  fake_start(&b.snippet.fake, "return count(6001, 1000, nil, true)");
  finish_tasks(&b);
  fake_expect(&b.snippet.fake, "done 6001\ndone 6001\n");
  assert_string_equal(sequence, "abababab");
  close_bench(&b);
}

static void where_it_cannot_wait_it_runs_at_once_and_is_counted(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  fake_start(&b.snippet.fake, "local n\n"
                              "table.sort({2, 1}, function(a, b)\n"
                              "  n = n or count(9000, 1000)\n"
                              "  return a < b\n"
                              "end)\n"
                              "return n");
  fake_expect(&b.snippet.fake, "done 9000\n");
  assert_int_equal(counted.elsewhere, 0);
  assert_int_equal(pl_offload_unwaited(b.snippet.fake.vm.structs->offload), 1);
  close_bench(&b);
}

/// Looks at what a call has pinned by the time that it makes its first object.
struct watch {
  lua_Alloc allocate;
  void *ctx;
  const struct pl_bytes *bytes;
  uint32_t pins;
  bool has_seen;
};

static void *watch_allocation(void *ctx, void *block, size_t old_size, size_t size) {
  struct watch *w = ctx;
  if (w->bytes && !w->has_seen && !block && old_size == LUA_TUSERDATA) {
    w->has_seen = true;
    w->pins = w->bytes->pins;
  }
  return w->allocate(w->ctx, block, old_size, size);
}

static void its_bytes_are_pinned_before_anything_is_allocated(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  lua_State *L = b.snippet.fake.vm.L;
  struct watch watch = {0};
  fake_start(&b.snippet.fake, "a = vec3.array(3) b = a:bytes()");
  fake_expect(&b.snippet.fake, "done\n");
  lua_getglobal(L, "b");
  watch.bytes = pl_box_get(L, -1)->bytes;
  lua_pop(L, 1);
  watch.allocate = lua_getallocf(L, &watch.ctx);
  lua_setallocf(L, watch_allocation, &watch);
  fake_start(&b.snippet.fake, "return count(9001, 1000, a)");
  lua_setallocf(L, watch.allocate, watch.ctx);
  finish_tasks(&b);
  fake_expect(&b.snippet.fake, "done 9001\n");
  assert_true(watch.has_seen);
  assert_int_equal(watch.pins, 1);
  fake_start(&b.snippet.fake, "a = nil b = nil");
  fake_expect(&b.snippet.fake, "done\n");
  close_bench(&b);
}

static void dst_and_operands_are_in_use_until_it_is_done(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  fake_start(&b.snippet.fake, "a, b = f32.array(4000000), f32.array(4000000)\n"
                              "a:add(1, b)\n"
                              "log(b[1], pcall(b.set, b, 1, 7), pcall(a.set, a, 1, 7))\n"
                              "a, b = nil, nil");
  fake_start(&b.snippet.fake, "log(pcall(b.set, b, 1, 2))\n"
                              "log(pcall(a.set, a, 1, 2))");
  fake_expect(&b.snippet.fake, "false the bytes are in use by f32.add\n"
                               "false the bytes are in use by f32.add\n"
                               "done\n");
  finish_tasks(&b);
  fake_expect(&b.snippet.fake, "1.0 true true f32[4000000]\ndone\n");
  close_bench(&b);
}

enum { GATES = 64 };  // more than the pool has threads

static uv_sem_t gate;

static void wait_at_gate(uv_work_t *work) {
  (void)work;
  uv_sem_wait(&gate);
}

static void close_gates(struct bench *b, uv_work_t *gates) {
  assert_int_equal(uv_sem_init(&gate, 0), 0);
  for (int i = 0; i < GATES; i++)
    assert_int_equal(uv_queue_work(&b->loop.uv, &gates[i], wait_at_gate, NULL), 0);
}

static void open_gates(void) {
  for (int i = 0; i < GATES; i++) uv_sem_post(&gate);
}

// dst overlaps what is read: the result is written elsewhere first, and that goes with the job.
static void a_cancelled_call_keeps_what_it_writes(void **state) {
  (void)state;
  struct bench b;
  uv_work_t gates[GATES];
  open_bench(&b);
  close_gates(&b, gates);
  struct pl_task *task = fake_start(&b.snippet.fake, "local a = f32.array(4000000)\n"
                                                     "return a:slice(1, -2):add(1, a:slice(2))");
  assert_int_equal(b.snippet.fake.vm.live_tasks, 1);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run_ready(&b.snippet.fake);
  lua_gc(b.snippet.fake.vm.L, LUA_GCCOLLECT, 0);
  open_gates();  // its piece runs now, when nothing of Lua has its bytes any more
  uv_run(&b.loop.uv, UV_RUN_DEFAULT);
  uv_sem_destroy(&gate);
  pl_buf_clear(&b.snippet.fake.text);
  close_bench(&b);
}

static void long_calls_give_what_short_ones_give(void **state) {
  (void)state;
  struct bench b;
  open_bench(&b);
  fake_start(&b.snippet.fake,
             "local n = 2000000\n"
             "local a = f32.array(n)\n"
             "for i = 1, n, 1000 do a[i] = i end\n"
             "log(rawequal(a:slice(1, -2):add(1, a:slice(2)), a), a[1], a[1000], a[n])\n"
             "local sum = a:sum()\n"
             "a:mul(2, a)\n"
             "log(a:sum() == 2 * sum, a[1000], (2 - a)[1000], a:lt(3):count() < n)\n"
             "local v = vec3.array(100000)\n"
             "v[7] = {3, 4, 0}\n"
             "log(v:angle(vec3.up)[7] > 0, v:sort_by(v:field('x'))[100000])");
  finish_tasks(&b);
  fake_expect(&b.snippet.fake, "false 1.0 1.0 1.0\n"
                               "true 2.0 0.0 true\n"
                               "true vec3(3, 4, 0)\n"
                               "done\n");
  close_bench(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_calls_run_at_once),
      cmocka_unit_test(long_calls_run_in_pieces_on_the_pool),
      cmocka_unit_test(its_bytes_may_be_read_but_not_changed),
      cmocka_unit_test(cancelled_calls_end_with_their_piece),
      cmocka_unit_test(the_state_may_end_before_a_cancelled_piece),
      cmocka_unit_test(its_bytes_are_pinned_before_anything_is_allocated),
      cmocka_unit_test(dst_and_operands_are_in_use_until_it_is_done),
      cmocka_unit_test(a_cancelled_call_keeps_what_it_writes),
      cmocka_unit_test(long_calls_give_what_short_ones_give),
      cmocka_unit_test(calls_take_turns),
      cmocka_unit_test(where_it_cannot_wait_it_runs_at_once_and_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
