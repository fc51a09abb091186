// Tasks: what becomes of their results and errors, of their children, and of those who run at the
// wrong moment. The storm at the end has 100,000 tasks that wait, spawn and end in random order.
#include "runtime/task.h"

#include <stdlib.h>

#include "fake_host.h"

static void results_and_errors_reach_on_end(void **state) {
  (void)state;
  fake_script("return 1, nil, 'x'", "done 1 nil x\n");
  fake_script("return", "done\n");
  fake_script("return nil", "done nil\n");
  fake_script("local t = nil return t.x",
              "failed test:1: attempt to index a nil value (local 't')\n");
  fake_script("error{status = 404, message = 'gone'}", "failed gone\n");
}

static int nothing_more(lua_State *L, int status, lua_KContext ctx) {
  (void)L, (void)status, (void)ctx;
  return 0;
}

static int check_and_wait(lua_State *L) {
  struct fake *f = pl_vm_of(L)->host.ctx;
  assert_true(pl_value_is_error(L, 1));
  lua_getfield(L, 1, "traceback");
  assert_non_null(strstr(lua_tostring(L, -1), "stack traceback"));
  fake_line(f, "on_error: ", pl_task_current(L)->has_failed ? "has failed" : "not yet");
  lua_getglobal(L, "wait");
  lua_callk(L, 0, 0, 0, nothing_more);
  return 0;
}

static int raise(lua_State *L) {
  return luaL_error(L, "hook fails");
}

static void on_error_runs_in_the_task_before_on_end(void **state) {
  (void)state;
  static const struct pl_task_ops ops = {
      .on_error = check_and_wait, .on_end = fake_log_result, .on_gone = fake_ignore_gone};
  struct fake f;
  fake_open(&f);
  struct pl_task *task = pl_task_new(&f.vm, NULL, &ops, NULL);
  assert_int_equal(luaL_loadstring(task->co, "error('x', 0)"), LUA_OK);
  pl_run_start(task, 0);
  fake_expect(&f, "on_error: has failed\n");
  assert_int_equal(f.pending_count, 1);
  fake_run(&f);
  fake_expect(&f, "failed x\n");
  fake_close(&f);
}

static void what_on_error_raises_is_reported(void **state) {
  (void)state;
  static const struct pl_task_ops ops = {
      .on_error = raise, .on_end = fake_log_result, .on_gone = fake_ignore_gone};
  struct fake f;
  fake_open(&f);
  struct pl_task *task = pl_task_new(&f.vm, NULL, &ops, NULL);
  assert_int_equal(luaL_loadstring(task->co, "error('x', 0)"), LUA_OK);
  pl_run_start(task, 0);
  fake_run(&f);
  struct pl_strv text = pl_buf_view(&f.text);
  assert_memory_equal(text.data, "warn: ", 6);
  assert_memory_equal(text.data + text.len - 9, "failed x\n", 9);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

// ---- children ----

static void log_gone(struct pl_task *task) {
  struct fake *f = task->vm->host.ctx;
  fake_line(f, "gone ", task->parent ? "child" : "root");
}

static const struct pl_task_ops child_ops = {.on_end = fake_log_result, .on_gone = log_gone};

// child(script): starts a child of the running task.
static int lua_child(lua_State *L) {
  struct fake *f = lua_touserdata(L, lua_upvalueindex(1));
  struct pl_task *child = pl_task_new(&f->vm, pl_task_current(L), &child_ops, NULL);
  assert_non_null(child);
  if (luaL_loadstring(child->co, luaL_checkstring(L, 1))) fail();
  pl_run_start(child, 0);
  return 0;
}

static struct pl_task *start_parent(struct fake *f, const char *script) {
  fake_open(f);
  fake_global(f, "child", lua_child);
  struct pl_task *task = pl_task_new(&f->vm, NULL, &child_ops, f);
  assert_int_equal(luaL_loadstring(task->co, script), LUA_OK);
  pl_run_start(task, 0);
  return task;
}

static void a_parent_is_gone_after_its_last_child(void **state) {
  (void)state;
  struct fake f;
  start_parent(&f, "child [[wait() child 'wait() wait() return 3' return 2]] return 1");
  assert_int_equal(f.vm.live_tasks, 2);
  fake_run(&f);
  fake_expect(&f, "done 1\ndone 2\ndone 3\ngone child\ngone child\ngone root\n");
  fake_close(&f);
}

static void children_inherit_the_owner(void **state) {
  (void)state;
  struct fake f;
  struct pl_task *parent = start_parent(&f, "child 'wait()' wait()");
  fake_run_ready(&f);
  struct pl_task *child = PL_CONTAINER_OF(parent->children.next, struct pl_task, sibling);
  assert_ptr_equal(child->parent, parent);
  assert_ptr_equal(child->owner, parent->owner);
  assert_true(child->id != parent->id);
  fake_run(&f);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void cancelling_reaches_children_of_an_ended_parent_too(void **state) {
  (void)state;
  struct fake f;
  struct pl_task *parent = start_parent(&f, "child 'wait()' child [[child 'wait()']] return 1");
  fake_run_ready(&f);
  fake_expect(&f, "done 1\ndone\n");
  pl_task_cancel(parent, PL_CANCEL_CLIENT);
  fake_run_ready(&f);
  fake_expect(&f, "cancelled cancelled (client)\ngone child\ncancelled cancelled (client)\n"
                  "gone child\ngone child\ngone root\n");
  fake_close(&f);
}

static void a_task_cancelled_before_it_began_runs_until_its_first_wait(void **state) {
  (void)state;
  struct fake f;
  struct pl_task *parent = start_parent(&f, "child [[log 'begins' wait() log 'no']] wait()");
  pl_task_cancel(parent, PL_CANCEL_DRAIN);
  fake_run(&f);
  fake_expect(&f, "begins\ncancelled cancelled (drain)\ngone child\ncancelled cancelled (drain)\n"
                  "gone root\n");
  fake_close(&f);
}

static void a_failure_set_for_a_task_is_raised_instead_of_the_cancellation(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task = fake_start(&f, "log(pcall(wait)) wait()");
  lua_pushliteral(f.vm.L, "the child's");
  int ref = luaL_ref(f.vm.L, LUA_REGISTRYINDEX);
  task->failure_ref = ref;
  pl_task_cancel(task, PL_CANCEL_PARENT);
  fake_run(&f);
  fake_expect(&f, "false the child's\ncancelled the child's\n");
  task = fake_start(&f, "wait()");  // the same slot: nothing is left
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run(&f);
  fake_expect(&f, "cancelled cancelled (client)\n");
  lua_pushliteral(f.vm.L, "the reference is free again");
  assert_int_equal(luaL_ref(f.vm.L, LUA_REGISTRYINDEX), ref);
  fake_close(&f);
}

static void cancelling_visits_the_whole_tree_children_first(void **state) {
  (void)state;
  struct fake f;
  struct pl_task *parent = start_parent(
      &f, "name = function(n) return string.format('log(pcall(wait, %q)) log %q', n, n) end\n"
          "child(name 'a' .. ' ')\n"
          "child([[child(name 'b1') child(name 'b2') ]] .. name 'b')\n"
          "child(name 'c') wait() ");
  fake_run_ready(&f);
  assert_int_equal(f.pending_count, 6);
  pl_task_cancel(parent, PL_CANCEL_KILL);
  assert_int_equal(f.pending_count, 0);
  fake_run(&f);
  fake_expect(&f, "false cancelled (killed)\na\ndone\ngone child\n"
                  "false cancelled (killed)\nb1\ndone\ngone child\n"
                  "false cancelled (killed)\nb2\ndone\ngone child\n"
                  "false cancelled (killed)\nb\ndone\ngone child\n"
                  "false cancelled (killed)\nc\ndone\ngone child\n"
                  "cancelled cancelled (killed)\ngone root\n");
  fake_close(&f);
}

static const struct pl_task_ops quiet_ops = {.on_gone = fake_ignore_gone};

// line(n): the running task ends with one child, which does the same, n times; the last one waits.
static int lua_line(lua_State *L) {
  struct fake *f = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer n = luaL_checkinteger(L, 1);
  struct pl_task *child = pl_task_new(&f->vm, pl_task_current(L), &quiet_ops, NULL);
  assert_non_null(child);
  lua_getglobal(child->co, n > 0 ? "line" : "wait");
  lua_pushinteger(child->co, n - 1);
  pl_run_start(child, 1);
  return 0;
}

static void a_long_line_of_descendants_is_cancelled_and_leaves(void **state) {
  (void)state;
  enum { GENERATIONS = 100000 };
  struct fake f;
  fake_open(&f);
  fake_global(&f, "line", lua_line);
  struct pl_task *root = pl_task_new(&f.vm, NULL, &quiet_ops, NULL);
  lua_getglobal(root->co, "line");
  lua_pushinteger(root->co, GENERATIONS);
  pl_run_start(root, 1);
  fake_run_ready(&f);
  assert_int_equal(f.pending_count, 1);
  assert_int_equal(f.vm.live_tasks, GENERATIONS + 2);
  pl_task_cancel(root, PL_CANCEL_CLIENT);
  assert_int_equal(f.cancels, 1);
  fake_run_ready(&f);
  fake_close(&f);
}

// ---- the storm ----

enum { STORM_TASKS = 100000, STORM_AT_ONCE = 500 };

struct storm {
  struct fake fake;
  size_t started;
  size_t gone;
  size_t wrong;
};

static void storm_end(struct pl_task *task) {
  struct storm *s = task->owner;
  lua_State *L = task->vm->L;
  int count = pl_results_push(L, task->co, task->id);
  if (!task->has_failed && !(count == 1 && (uint64_t)lua_tointeger(L, -1) == task->id)) s->wrong++;
  if (task->has_failed && !task->cancelled) s->wrong++;
  lua_settop(L, 0);
}

static void storm_gone(struct pl_task *task) {
  ((struct storm *)task->owner)->gone++;
}

static const struct pl_task_ops storm_ops = {.on_end = storm_end, .on_gone = storm_gone};

static void storm_start(struct storm *s, struct pl_task *parent) {
  struct pl_task *task = pl_task_new(&s->fake.vm, parent, &storm_ops, s);
  assert_non_null(task);
  s->started++;
  lua_getglobal(task->co, "body");
  lua_pushinteger(task->co, (lua_Integer)task->id);
  pl_run_start(task, 1);
}

static int lua_storm_child(lua_State *L) {
  struct storm *s = pl_task_current(L)->owner;
  if (s->started < STORM_TASKS) storm_start(s, pl_task_current(L));
  return 0;
}

static const char storm_body[] =
    "local random = math.random\n"
    "function body(id)\n"
    "  local n = random(0, 3)\n"
    "  for i = 1, n do\n"
    "    if random(3) == 1 then child() end\n"
    "    if random(4) == 1 then\n"
    "      assert(coroutine.wrap(function() return wait(id) end)() == id)\n"
    "    else\n"
    "      assert(wait(id) == id)\n"
    "    end\n"
    "  end\n"
    "  return id\n"
    "end\n";

static void storm_step(struct storm *s) {
  struct fake *f = &s->fake;
  if (s->started < STORM_TASKS && f->pending_count < STORM_AT_ONCE) storm_start(s, NULL);
  if (f->pending_count == 0) return;
  size_t n = (size_t)rand() % (f->pending_count < 64 ? f->pending_count : 64);
  if (rand() % 16 == 0) {
    struct pl_list *node = f->pending.next;
    struct fake_wait *w = PL_CONTAINER_OF(node, struct fake_wait, link);
    pl_task_cancel(w->wait.task, PL_CANCEL_KILL);
  } else {
    fake_complete(f, n);
  }
  if (rand() % 8 == 0) pl_run_turn(&f->vm);
}

static void a_hundred_thousand_tasks_leave_nothing(void **state) {
  (void)state;
  struct storm s = {0};
  fake_open(&s.fake);
  fake_global(&s.fake, "child", lua_storm_child);
  assert_int_equal(luaL_dostring(s.fake.vm.L, storm_body), LUA_OK);
  srand(1);
  while (s.gone < STORM_TASKS) {
    storm_step(&s);
    if (s.fake.pending_count == 0) fake_run_ready(&s.fake);
  }
  assert_int_equal(s.started, STORM_TASKS);
  assert_int_equal(s.wrong, 0);
  assert_true(s.fake.cancels > 1000);
  fake_close(&s.fake);
}

// ---- no memory ----

static void with_little_memory_tasks_fail_and_nothing_leaks(void **state) {
  (void)state;
  int failed = 0, done = 0;
  for (size_t spare = 0; spare < 30000; spare += 100) {
    struct fake f;
    fake_open(&f);
    fake_global(&f, "child", lua_child);
    struct pl_task *task = pl_task_new(&f.vm, NULL, &fake_ops, NULL);
    assert_non_null(task);
    const char *script = "local t = {} for i = 1, 50 do t[i] = {wait(i)} end\n"
                         "coroutine.wrap(function() wait() error({}) end)()";
    assert_int_equal(luaL_loadstring(task->co, script), LUA_OK);
    lua_gc(f.vm.L, LUA_GCCOLLECT);
    pl_heap_set_ceiling(&f.vm.heap, f.vm.heap.bytes + spare);
    pl_run_start(task, 0);
    fake_run(&f);
    pl_heap_set_ceiling(&f.vm.heap, 0);
    struct pl_strv text = pl_buf_view(&f.text);
    failed += text.len >= 6 && memcmp(text.data, "failed", 6) == 0;
    pl_buf_clear(&f.text);
    fake_start(&f, "wait() return 'fine'");
    fake_run(&f);
    fake_expect(&f, "done fine\n");
    done++;
    fake_close(&f);
  }
  assert_int_equal(failed, done);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_and_errors_reach_on_end),
      cmocka_unit_test(on_error_runs_in_the_task_before_on_end),
      cmocka_unit_test(what_on_error_raises_is_reported),
      cmocka_unit_test(a_parent_is_gone_after_its_last_child),
      cmocka_unit_test(children_inherit_the_owner),
      cmocka_unit_test(cancelling_reaches_children_of_an_ended_parent_too),
      cmocka_unit_test(a_task_cancelled_before_it_began_runs_until_its_first_wait),
      cmocka_unit_test(a_failure_set_for_a_task_is_raised_instead_of_the_cancellation),
      cmocka_unit_test(cancelling_visits_the_whole_tree_children_first),
      cmocka_unit_test(a_long_line_of_descendants_is_cancelled_and_leaves),
      cmocka_unit_test(a_hundred_thousand_tasks_leave_nothing),
      cmocka_unit_test(with_little_memory_tasks_fail_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
