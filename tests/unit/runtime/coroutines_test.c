// coroutine.*: against stock Lua's library on random programs with waits sprinkled in, and what
// stock Lua cannot show: chains that are cancelled, deep chains, no memory.
#include "runtime/coroutines.h"

#include <stdlib.h>

#include "fake_host.h"
#include "programs.h"

enum { PROGRAMS = 400, AT_ONCE = 8 };

static void random_programs_write_the_log_of_stock_lua(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_State *stock = open_stock();
  size_t waits = 0;
  for (int first = 0; first < PROGRAMS; first += AT_ONCE) {
    struct pl_buf expected[AT_ONCE] = {0}, actual[AT_ONCE] = {0};
    for (int i = 0; i < AT_ONCE; i++) {
      const char *text = generate(stock, first + i);
      start_program(&f, text, &actual[i]);
      run_stock(stock, text, &expected[i]);
    }
    fake_run_ready(&f);
    for (; f.pending_count > 0; waits++) {
      fake_complete(&f, (size_t)rand() % f.pending_count);
      fake_run_ready(&f);
    }
    for (int i = 0; i < AT_ONCE; i++) {
      if (strcmp(text_of(&actual[i]), text_of(&expected[i])) != 0) {
        fprintf(stderr, "--- program %d\n%s\n--- stock\n%s--- ours\n%s", first + i,
                generate(stock, first + i), text_of(&expected[i]), text_of(&actual[i]));
        fail();
      }
      pl_buf_deinit(&expected[i]);
      pl_buf_deinit(&actual[i]);
    }
  }
  lua_close(stock);
  assert_true(waits > 5000);
  fake_close(&f);
}

static void a_parked_coroutine_is_normal_and_nobodys_to_resume(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "co = coroutine.create(function() wait() log 'went on' end)\n"
                 "coroutine.resume(co) log(coroutine.status(co))");
  fake_start(&f, "log(coroutine.status(co)) log(coroutine.resume(co)) log(pcall(coroutine.close, "
                 "co)) log(coroutine.isyieldable(co))");
  fake_run(&f);
  fake_expect(&f, "normal\nfalse cannot resume non-suspended coroutine\n"
                  "false cannot close a normal coroutine\ntrue\ndone\nwent on\ndead\ndone\n");
  fake_close(&f);
}

static void a_tasks_own_coroutine_is_nobodys_to_resume_or_close(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "own = coroutine.running() wait() log 'went on'");
  fake_start(&f, "log(coroutine.status(own)) log(coroutine.resume(own)) "
                 "log(pcall(coroutine.close, own))");
  fake_run(&f);
  fake_expect(&f, "normal\nfalse cannot resume non-suspended coroutine\n"
                  "false cannot close a normal coroutine\ndone\nwent on\ndone\n");
  fake_close(&f);
}

static void the_coroutine_of_a_task_in_the_pool_is_dead(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "wait() log(coroutine.status(own)) log(coroutine.resume(own, 1, 2))\n"
                 "log(pcall(coroutine.close, own)) log(coroutine.resume(own)) wait()");
  lua_State *own = fake_start(&f, "own = coroutine.running()")->co;
  fake_complete(&f, 0);
  fake_run_ready(&f);
  fake_expect(&f, "done\ndead\nfalse cannot resume dead coroutine\ntrue true\n"
                  "false cannot resume dead coroutine\n");
  assert_ptr_equal(fake_start(&f, "return coroutine.wrap(wait)('used again')")->co, own);
  fake_run(&f);
  fake_expect(&f, "done\ndone used again\n");
  fake_close(&f);
}

static void a_coroutine_moves_from_one_task_to_another(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f,
             "co = coroutine.wrap(function() for i = 1, 9 do coroutine.yield(wait(i)) end end)\n"
             "log('a', co()) log('a', co())");
  fake_run(&f);
  fake_start(&f, "log('b', co()) log('b', co())");
  fake_run(&f);
  fake_expect(&f, "a 1\na 2\ndone\nb 3\nb 4\ndone\n");
  fake_close(&f);
}

static int is_labelled(lua_State *L) {
  lua_pushboolean(L, pl_task_of(L) == pl_task_current(L));
  return 1;
}

static void a_coroutine_belongs_to_the_task_that_resumes_it(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_register(f.vm.L, "is_labelled", is_labelled);
  fake_start(&f, "co = coroutine.wrap(function() while true do coroutine.yield(is_labelled()) end "
                 "end) log(co()) wait()");
  fake_start(&f, "log(co()) wait() log(co())");
  fake_run(&f);
  fake_expect(&f, "true\ntrue\ndone\ntrue\ndone\n");
  fake_close(&f);
}

static void deep_chains_wait_and_come_back(void **state) {
  (void)state;
  fake_script("local function nest(n)\n"
              "  if n == 0 then return wait('bottom') end\n"
              "  return coroutine.wrap(nest)(n - 1)\n"
              "end\n"
              "log(nest(3)) log(nest(4)) log(nest(150))\n"
              "log((pcall(nest, 250))) log(nest(20))",
              "bottom\nbottom\nbottom\nfalse\nbottom\ndone\n");
}

static void cancelling_a_chain_unwinds_every_level(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task = fake_start(
      &f, "local function nest(n)\n"
          "  local c <close> = setmetatable({}, {__close = function() log('closed', n) end})\n"
          "  if n == 0 then return wait() end\n"
          "  local co = coroutine.create(nest)\n"
          "  local ok, e = coroutine.resume(co, n - 1)\n"
          "  log(n, ok, e.code, coroutine.status(co)) error(e, 0)\n"
          "end\n"
          "nest(2)");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run_ready(&f);
  fake_expect(&f, "closed 0\n1 false ECANCELED dead\nclosed 1\n2 false ECANCELED dead\nclosed 2\n"
                  "cancelled cancelled (client)\n");
  fake_close(&f);
}

static void without_memory_a_chain_fails_and_the_next_one_works(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  for (size_t spare = 0; spare < 20000; spare += 200) {
    lua_gc(f.vm.L, LUA_GCCOLLECT);
    struct pl_task *task = pl_task_new(&f.vm, NULL, &fake_ops, NULL);
    assert_non_null(task);
    load_program(task->co, "local function nest(n)\n"
                           "  if n == 0 then return wait(1) end\n"
                           "  return coroutine.wrap(nest)(n - 1)\n"
                           "end\n"
                           "for i = 1, 8 do pcall(nest, i) end");
    pl_heap_set_ceiling(&f.vm.heap, f.vm.heap.bytes + spare);
    pl_run_start(task, 0);
    fake_run(&f);
    pl_heap_set_ceiling(&f.vm.heap, 0);
    pl_buf_clear(&f.text);
    fake_start(&f, "return coroutine.wrap(function() return wait('fine') end)()");
    fake_run(&f);
    fake_expect(&f, "done fine\n");
  }
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_programs_write_the_log_of_stock_lua),
      cmocka_unit_test(a_parked_coroutine_is_normal_and_nobodys_to_resume),
      cmocka_unit_test(a_tasks_own_coroutine_is_nobodys_to_resume_or_close),
      cmocka_unit_test(the_coroutine_of_a_task_in_the_pool_is_dead),
      cmocka_unit_test(a_coroutine_moves_from_one_task_to_another),
      cmocka_unit_test(a_coroutine_belongs_to_the_task_that_resumes_it),
      cmocka_unit_test(deep_chains_wait_and_come_back),
      cmocka_unit_test(cancelling_a_chain_unwinds_every_level),
      cmocka_unit_test(without_memory_a_chain_fails_and_the_next_one_works),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
