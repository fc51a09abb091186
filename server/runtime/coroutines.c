// coroutine.*: Lua's library, with resumes that a wait can pass through.
//
// A resume that comes back because the task waits parks its caller with lua_yieldk, all the way up.
// The scheduler later resumes the innermost coroutine; when that one yields or ends, the scheduler
// leaves its outcome in task->child_status and resumes the parked caller, which goes on in
// resume_parked as if its own lua_resume had just returned.
//
// Texts of errors are those of Lua's own library, so that scripts and tests find what they expect.
#include "runtime/coroutines.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "runtime/kill.h"
#include "runtime/sched.h"
#include "runtime/state.h"

enum { DEEPEST_CHAIN = 195, FIRST_CHAIN = 4, PARKED = PL_TASK_PARKED_BIT };

static uintptr_t *label_of(lua_State *co) {
  return (uintptr_t *)lua_getextraspace(co);
}

static bool is_parked(lua_State *co) {
  return *label_of(co) & PARKED;
}

// Which task a coroutine works for: the one that resumes it, or, before that, that made it.
static void label(lua_State *co, lua_State *L) {
  struct pl_vm *vm = pl_vm_of(L);
  *label_of(co) = (uintptr_t)(vm->sched.current ? vm->sched.current : vm->root);
}

// A task's own coroutine is nobody's to resume, close or label: while the task waits it is busy,
// like a parked one, and in the pool it is dead.
static bool is_task_of_its_own(lua_State *co) {
  struct pl_task *task = pl_task_of(co);
  return task && task->co == co;
}

static const char *status_of_task(lua_State *co) {
  return pl_task_of(co)->id ? "normal" : "dead";
}

static int grow_chain(struct pl_task *task) {
  bool is_alone = task->chain == &task->co;
  uint16_t cap = is_alone ? FIRST_CHAIN : (uint16_t)(2 * task->chain_cap);
  lua_State **grown = pl_mem_realloc(is_alone ? NULL : task->chain, cap * sizeof *grown);
  if (!grown) return PL_ENOMEM;
  grown[0] = task->co;
  task->chain = grown;
  task->chain_cap = cap;
  return 0;
}

static const char *push_chain(struct pl_task *task, lua_State *co) {
  if (task->depth >= DEEPEST_CHAIN) return "C stack overflow";
  if (task->depth == task->chain_cap && grow_chain(task)) return "not enough memory";
  task->chain[task->depth++] = co;
  return NULL;
}

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "thread");
  return co;
}

// Closes co's pending to-be-closed variables; they cannot wait. Its error, if any, is on its stack.
static int close_coroutine(lua_State *co, lua_State *from) {
  struct pl_vm *vm = pl_vm_of(from);
  struct pl_task *task = vm->sched.current;
  bool is_pushed = task && !push_chain(task, co);
  int status = pl_sched_close(vm, co, from);
  if (is_pushed) task->depth--;
  return status;
}

// ---- resume and wrap ----

// stack: ..., error value -> false, error value; or raised with its position, for wrap
static int fail_resume(lua_State *L, bool is_wrap) {
  if (!is_wrap) {
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  if (lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int fail_resume_text(lua_State *L, bool is_wrap, const char *text) {
  lua_pushstring(L, text);
  return fail_resume(L, is_wrap);
}

static int return_values(lua_State *L, lua_State *co, int count, bool is_wrap) {
  if (!lua_checkstack(L, count + 1)) {
    lua_pop(co, count);
    return fail_resume_text(L, is_wrap, "too many results to resume");
  }
  if (!is_wrap) lua_pushboolean(L, 1);
  lua_xmove(co, L, count);
  return count + !is_wrap;
}

// Whether errors are being raised at each instruction (budget.c). A hook's error leaves hooks off
// for ever in the coroutine that it ends: what loops in there afterwards could not be stopped.
static bool is_being_ended(const struct pl_task *task) {
  return task && task->was_interrupted && task->vm->sched.hook;
}

// co has yielded, ended or failed. A coroutine that failed keeps its to-be-closed variables pending
// until somebody closes it; wrap does so at once, and so do we when the task is cancelled, since
// nobody will come back to it.
static int finish_resume(lua_State *L, lua_State *co, int status, int count, bool is_wrap) {
  if (status == LUA_OK || status == LUA_YIELD) return return_values(L, co, count, is_wrap);
  struct pl_task *task = pl_vm_of(L)->sched.current;
  bool is_dead = co != L && lua_status(co) > LUA_YIELD && !is_being_ended(task);
  if (is_dead && (is_wrap || (task && task->cancelled))) close_coroutine(co, L);
  if (co != L) lua_xmove(co, L, 1);
  return fail_resume(L, is_wrap);
}

static int resume_parked(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  lua_State *co = (lua_State *)(ctx & ~(lua_KContext)1);
  struct pl_task *task = pl_vm_of(L)->sched.current;
  *label_of(co) &= ~(uintptr_t)PARKED;
  return finish_resume(L, co, task->child_status, task->child_results, ctx & 1);
}

// Nothing waits where its resumers cannot, but a task that is to be ended has yielded there.
static int cut_chain(lua_State *L, struct pl_task *task, lua_State *co, bool is_wrap) {
  pl_kill_cut(task, co, L);
  return fail_resume_text(L, is_wrap, "the task is being ended");
}

// stack: ..., `args` arguments
static int resume(lua_State *L, lua_State *co, int args, bool is_wrap) {
  struct pl_vm *vm = pl_vm_of(L);
  struct pl_task *task = vm->sched.current;
  if (co != L && is_task_of_its_own(co) && !pl_task_of(co)->id)
    return fail_resume_text(L, is_wrap, "cannot resume dead coroutine");
  if (is_parked(co) || (co != L && is_task_of_its_own(co)))
    return fail_resume_text(L, is_wrap, "cannot resume non-suspended coroutine");
  if (!lua_checkstack(co, args))
    return fail_resume_text(L, is_wrap, "too many arguments to resume");
  const char *problem = task ? push_chain(task, co) : NULL;
  if (problem) return fail_resume_text(L, is_wrap, problem);
  bool is_fresh = co != L && lua_status(co) <= LUA_YIELD;
  lua_xmove(L, co, args);
  uintptr_t old_label = *label_of(co);
  if (is_fresh) label(co, L);
  int count;
  int status = pl_sched_enter(vm, co, L, args, &count);
  if (status == LUA_YIELD && task && task->is_suspended) {
    if (!lua_isyieldable(L)) return cut_chain(L, task, co, is_wrap);
    *label_of(co) |= PARKED;
    return lua_yieldk(L, 0, (lua_KContext)co | is_wrap, resume_parked);
  }
  if (!is_fresh) *label_of(co) = old_label;
  if (task) task->depth--;
  return finish_resume(L, co, status, count, is_wrap);
}

static int coroutine_resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  return resume(L, co, lua_gettop(L) - 1, false);
}

static int call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return resume(L, co, lua_gettop(L), true);
}

static int coroutine_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  label(co, L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int coroutine_wrap(lua_State *L) {
  coroutine_create(L);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

// ---- the others ----

// Whether L is a coroutine that a script made, and not a task's own or the main state.
static bool is_own_coroutine(lua_State *L) {
  struct pl_vm *vm = pl_vm_of(L);
  if (L == vm->L) return false;
  struct pl_task *task = pl_task_of(L);
  return !task || task->co != L;
}

static int coroutine_yield(lua_State *L) {
  if (!is_own_coroutine(L))
    return luaL_error(
        L, "attempt to yield from outside a coroutine (to give way to other tasks: task.sleep(0))");
  return lua_yield(L, lua_gettop(L));
}

static const char *status_of(lua_State *L, lua_State *co) {
  lua_Debug ar;
  if (L == co) return "running";
  if (is_parked(co)) return "normal";
  switch (lua_status(co)) {
  case LUA_YIELD:
    return "suspended";
  case LUA_OK:
    if (lua_getstack(co, 0, &ar)) return "normal";
    return lua_gettop(co) == 0 ? "dead" : "suspended";
  default:
    return "dead";
  }
}

static int coroutine_status(lua_State *L) {
  lua_State *co = check_coroutine(L);
  const char *status = status_of(L, co);
  if (co != L && is_task_of_its_own(co)) status = status_of_task(co);
  lua_pushstring(L, status);
  return 1;
}

static int coroutine_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : check_coroutine(L);
  lua_pushboolean(L, lua_isyieldable(co) && is_own_coroutine(co));
  return 1;
}

static int coroutine_running(lua_State *L) {
  lua_pushthread(L);
  lua_pushboolean(L, !is_own_coroutine(L));
  return 2;
}

static int coroutine_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  const char *status = status_of(L, co);
  if (co != L && is_task_of_its_own(co)) status = status_of_task(co);
  if (status[0] != 's' && status[0] != 'd')
    return luaL_error(L, "cannot close a %s coroutine", status);
  if (is_task_of_its_own(co) || close_coroutine(co, L) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

static const luaL_Reg functions[] = {{"close", coroutine_close},
                                     {"create", coroutine_create},
                                     {"isyieldable", coroutine_isyieldable},
                                     {"resume", coroutine_resume},
                                     {"running", coroutine_running},
                                     {"status", coroutine_status},
                                     {"wrap", coroutine_wrap},
                                     {"yield", coroutine_yield},
                                     {NULL, NULL}};

void pl_coroutines_open(lua_State *L) {
  luaL_newlib(L, functions);
  lua_pushvalue(L, -1);
  lua_setglobal(L, LUA_COLIBNAME);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_insert(L, -2);
  lua_setfield(L, -2, LUA_COLIBNAME);
  lua_pop(L, 1);
}
