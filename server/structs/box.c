// A box's bytes count three times: for the collector (heap.outside), in the worker's account, and
// in the charge of the request that made it, which may be over when the box goes. A file's do not:
// they are the kernel's.
#include "structs/box.h"

#include <lauxlib.h>

#include "structs/state.h"

// ---- accounting ----

static struct pl_task *root_of(const struct pl_task *task) {
  return PL_CONTAINER_OF(task->charge, struct pl_task, own_charge);
}

static size_t size_that_counts(const struct pl_box *box) {
  return box->bytes->is_file ? 0 : box->size;
}

static void count(lua_State *L, struct pl_box *box) {
  size_t size = size_that_counts(box);
  struct pl_vm *vm = pl_vm_of(L);
  vm->heap.outside += size;
  struct pl_account *account = vm->structs->account;
  if (account) account->bytes += size;
  if (!vm->sched.current) return;
  box->payer = root_of(vm->sched.current);
  box->payer_id = box->payer->id;
  pl_heap_charge_outside(&vm->heap, &box->payer->own_charge, 0, size);
}

static void discount(lua_State *L, struct pl_box *box) {
  size_t size = size_that_counts(box);
  struct pl_vm *vm = pl_vm_of(L);
  vm->heap.outside -= size;
  pl_account_give(vm->structs->account, size);
  if (box->payer && box->payer->id == box->payer_id)
    pl_heap_charge_outside(&vm->heap, &box->payer->own_charge, size, 0);
}

// ---- life ----

static struct pl_bytes *take_bytes(lua_State *L, struct pl_box *box) {
  struct pl_bytes *bytes = box->bytes;
  discount(L, box);
  box->bytes = NULL;
  box->data = NULL;
  box->size = 0;
  return bytes;
}

static void give_bytes(lua_State *L, struct pl_box *box, struct pl_bytes *bytes) {
  box->bytes = bytes;
  box->data = bytes->data;
  box->size = bytes->size;
  box->is_frozen = bytes->is_frozen;
  count(L, box);
}

static int free_box(lua_State *L) {
  struct pl_box *box = lua_touserdata(L, 1);
  if (box->bytes) pl_bytes_unref(take_bytes(L, box));
  luaL_unref(L, LUA_REGISTRYINDEX, box->moved_where);
  box->moved_where = LUA_NOREF;
  return 0;
}

void pl_box_open(lua_State *L) {
  lua_createtable(L, 0, 8);
  lua_pushcfunction(L, free_box);
  lua_setfield(L, -2, "__gc");
  lua_pushliteral(L, "bytes");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  pl_structs_add_meta(L, NULL, PL_FORM_BOX);
  lua_pushvalue(L, -1);
  pl_structs_of(L)->box = luaL_ref(L, LUA_REGISTRYINDEX);
}

// Protected, so that the reference is given back when memory is short. stack: bytes
static int push_protected(lua_State *L) {
  struct pl_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (struct pl_box){.moved_where = LUA_NOREF};
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->box);
  lua_setmetatable(L, -2);
  return 1;
}

struct pl_box *pl_box_push(lua_State *L, struct pl_bytes *bytes) {
  bool has_stack = lua_checkstack(L, 4);
  if (has_stack) lua_pushcfunction(L, push_protected);
  if (!has_stack || lua_pcall(L, 0, 1, 0) != LUA_OK) {
    pl_bytes_unref(bytes);
    if (!has_stack) luaL_error(L, "stack overflow");
    lua_error(L);
  }
  struct pl_box *box = lua_touserdata(L, -1);
  give_bytes(L, box, bytes);
  return box;
}

struct pl_box *pl_box_get(lua_State *L, int index) {
  return pl_structs_meta(L, index)->form == PL_FORM_BOX ? lua_touserdata(L, index) : NULL;
}

// ---- who may do what ----

static int raise_stale(lua_State *L, const struct pl_box *box) {
  const char *where = "another place";
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, box->moved_where) == LUA_TSTRING)
    where = lua_tostring(L, -1);
  return luaL_error(L, "stale view: its bytes were moved away at %s", where);
}

static void check_unused(lua_State *L, const struct pl_box *box) {
  if (box->bytes->pins) luaL_error(L, "the bytes are in use by %s", box->bytes->user);
}

void pl_box_check(lua_State *L, const struct pl_box *box) {
  if (PL_UNLIKELY(!box->data)) raise_stale(L, box);
}

void pl_box_check_writable(lua_State *L, const struct pl_box *box) {
  pl_box_check(L, box);
  if (PL_UNLIKELY(box->is_frozen))
    luaL_error(L, "frozen: it cannot be changed any more (clone it)");
  if (PL_UNLIKELY(box->bytes->pins)) check_unused(L, box);
}

// Where the running script is: the innermost Lua function on the stack. Pushes one string.
static void push_place(lua_State *L) {
  for (int level = 0; level < 8; level++) {
    luaL_where(L, level);
    size_t len;
    const char *where = lua_tolstring(L, -1, &len);
    if (len > 2) {  // "app.lua:12: "
      lua_pushlstring(L, where, len - 2);
      lua_remove(L, -2);
      return;
    }
    lua_pop(L, 1);
  }
  lua_pushliteral(L, "C code");
}

struct pl_bytes *pl_box_move(lua_State *L, struct pl_box *box) {
  pl_box_check(L, box);
  push_place(L);  // allocates: a finaliser may have moved or shared the bytes
  pl_box_check(L, box);
  check_unused(L, box);
  if (!box->is_frozen && !pl_bytes_is_alone(box->bytes))
    luaL_error(L, "the bytes are held elsewhere, too: clone() or freeze() them");
  box->moved_where = luaL_ref(L, LUA_REGISTRYINDEX);
  return take_bytes(L, box);
}

void pl_box_restore(lua_State *L, struct pl_box *box, struct pl_bytes *bytes) {
  luaL_unref(L, LUA_REGISTRYINDEX, box->moved_where);
  box->moved_where = LUA_NOREF;
  give_bytes(L, box, bytes);
}

struct pl_bytes *pl_box_share(lua_State *L, struct pl_box *box) {
  pl_box_check(L, box);
  return pl_bytes_ref(box->bytes);
}

void pl_box_freeze(lua_State *L, struct pl_box *box) {
  pl_box_check(L, box);
  check_unused(L, box);
  box->is_frozen = box->bytes->is_frozen = true;
}
