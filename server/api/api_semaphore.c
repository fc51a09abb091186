// A semaphore counts its free permits and has a queue of waits; nobody waits while one is free. A
// mutex is a semaphore of one permit that knows which task it gave it to.
//
// The permit that a script gets is also the wait with which it was waited for. It owes its
// semaphore a permit from the moment it was served until release, `<close>` or its finaliser gives
// it back, so none is lost when its task is ended in between.
#include "api/api_semaphore.h"

#include "api/queue_wait.h"
#include "base/error.h"

#include <lauxlib.h>
#include <stdbool.h>

static const char *const semaphore_metatable = "perilune.Semaphore";
static const char *const mutex_metatable = "perilune.Mutex";
static const char *const permit_metatable = "perilune.Permit";

struct semaphore {
  lua_Integer free;        ///< permits that nobody has; 0 while somebody waits
  bool is_mutex;           ///< of one permit
  uint64_t owner;          ///< id of the task that was given a permit last; 0: it came back
  struct pl_list waiting;  ///< waits of permits
};

enum permit_state {
  PERMIT_NONE,    ///< not served yet, or given back
  PERMIT_SERVED,  ///< it was given one while it waited; its task has not run yet
  PERMIT_TAKEN    ///< a script has it
};

/// User value 1: its semaphore.
struct permit {
  struct pl_queue_wait queue;
  struct semaphore *semaphore;
  enum permit_state state;
};

// ---- giving and giving back ----

static uint64_t current_task_id(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  return task ? task->id : 0;
}

// Pushes a permit for the semaphore at index 1 that has not got one yet.
static struct permit *push_permit(lua_State *L, struct semaphore *s) {
  struct permit *p = lua_newuserdatauv(L, sizeof *p, 1);
  *p = (struct permit){.semaphore = s};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, permit_metatable);
  return p;
}

static bool take_free(lua_State *L, struct semaphore *s, struct permit *p) {
  if (s->free == 0) return false;
  s->free--;
  s->owner = current_task_id(L);
  p->state = PERMIT_TAKEN;
  return true;
}

static void give_back(struct permit *p) {
  struct semaphore *s = p->semaphore;
  p->state = PERMIT_NONE;
  struct pl_queue_wait *next = pl_queue_wait_first(&s->waiting);
  if (!next) {
    s->free++;
    s->owner = 0;
    return;
  }
  PL_CONTAINER_OF(next, struct permit, queue)->state = PERMIT_SERVED;
  s->owner = next->wait.task_id;
  pl_queue_wait_end(next, 0);
}

// ---- acquire and lock ----

/* stack: semaphore, seconds or nil, permit */
static int acquire_continue(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  struct permit *p = lua_touserdata(L, 3);
  if (p->state != PERMIT_SERVED) return pl_queue_wait_fail(L, p->queue.outcome, NULL);
  p->state = PERMIT_TAKEN;
  return 1;
}

/* stack: semaphore, seconds or nil */
static int acquire(lua_State *L, struct semaphore *s, const char *operation) {
  lua_settop(L, 2);
  uint64_t due_ms = pl_queue_wait_check_due(L, 2);
  pl_wait_check(L, operation);
  if (s->is_mutex && s->owner == current_task_id(L)) {
    return luaL_error(L, "%s: this task has locked the mutex already, and would wait for itself",
                      operation);
  }
  struct permit *p = push_permit(L, s);  // first: it may run a finaliser that takes or releases one
  if (take_free(L, s, p)) return 1;
  pl_queue_wait_begin(L, &p->queue, &s->waiting, operation, due_ms);
  return pl_wait_yield(L, 0, acquire_continue);
}

static int try_acquire(lua_State *L, struct semaphore *s, const char *none_free) {
  if (s->free == 0 || !take_free(L, s, push_permit(L, s)))
    return pl_queue_wait_fail(L, PL_EAGAIN, none_free);
  return 1;
}

static int semaphore_acquire(lua_State *L) {
  return acquire(L, luaL_checkudata(L, 1, semaphore_metatable), "semaphore:acquire");
}

static int semaphore_try_acquire(lua_State *L) {
  return try_acquire(L, luaL_checkudata(L, 1, semaphore_metatable), "no permit is free");
}

static int mutex_lock(lua_State *L) {
  return acquire(L, luaL_checkudata(L, 1, mutex_metatable), "mutex:lock");
}

static int mutex_try_lock(lua_State *L) {
  return try_acquire(L, luaL_checkudata(L, 1, mutex_metatable), "locked");
}

// ---- permits ----

/* release and __close */
static int permit_release(lua_State *L) {
  struct permit *p = luaL_checkudata(L, 1, permit_metatable);
  if (p->state == PERMIT_TAKEN) give_back(p);
  return 0;
}

static int collect_permit(lua_State *L) {
  struct permit *p = luaL_checkudata(L, 1, permit_metatable);
  pl_queue_wait_leave(&p->queue);
  bool is_forgotten = p->state == PERMIT_TAKEN;
  if (p->state != PERMIT_NONE) give_back(p);
  struct pl_vm *vm = pl_vm_of(L);
  if (!is_forgotten || vm->is_closing) return 0;
  vm->host.warn(vm->host.ctx, p->semaphore->is_mutex
                                  ? "a mutex was unlocked by the garbage collector: nobody called "
                                    "release, or kept the permit in a local <close>"
                                  : "a semaphore's permit was given back by the garbage collector: "
                                    "nobody called release, or kept it in a local <close>");
  return 0;
}

// ---- making ----

// Pushes a semaphore with that metatable.
static void push_semaphore(lua_State *L, lua_Integer permits, const char *metatable) {
  struct semaphore *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (struct semaphore){.free = permits, .is_mutex = metatable == mutex_metatable};
  pl_list_init(&s->waiting);
  luaL_setmetatable(L, metatable);
}

int pl_task_semaphore(lua_State *L) {
  lua_settop(L, 1);
  int is_integer;
  lua_Integer permits = lua_tointegerx(L, 1, &is_integer);
  if (!is_integer || permits < 1) {
    return luaL_error(L,
                      "task.semaphore: the number of permits must be an integer of at least 1, "
                      "not %s",
                      luaL_tolstring(L, 1, NULL));
  }
  push_semaphore(L, permits, semaphore_metatable);
  return 1;
}

int pl_task_mutex(lua_State *L) {
  push_semaphore(L, 1, mutex_metatable);
  return 1;
}

// ---- opening ----

static const luaL_Reg semaphore_methods[] = {
    {"acquire", semaphore_acquire}, {"try_acquire", semaphore_try_acquire}, {NULL, NULL}};
static const luaL_Reg mutex_methods[] = {
    {"lock", mutex_lock}, {"try_lock", mutex_try_lock}, {NULL, NULL}};
static const luaL_Reg permit_methods[] = {{"release", permit_release}, {NULL, NULL}};
static const luaL_Reg permit_metamethods[] = {
    {"__close", permit_release}, {"__gc", collect_permit}, {NULL, NULL}};

// Leaves the metatable on the stack.
static void push_metatable(lua_State *L, const char *name, const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
}

void pl_task_semaphore_open(lua_State *L) {
  push_metatable(L, semaphore_metatable, semaphore_methods);
  push_metatable(L, mutex_metatable, mutex_methods);
  push_metatable(L, permit_metatable, permit_methods);
  luaL_setfuncs(L, permit_metamethods, 0);
  lua_pop(L, 3);
}
