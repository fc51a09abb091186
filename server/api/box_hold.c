// A hold is a userdata in the registry whose user value is the box. The carrier ends it before the
// exchange's on_finished, so the state that it is in is open. It is ended from the loop as well as
// from inside a task, and by the state's main thread, which neither uses meanwhile.
#include "api/box_hold.h"

#include <lauxlib.h>
#include <stdio.h>

#include "api/call.h"
#include "runtime/state.h"
#include "structs/box.h"

struct box_hold {
  lua_State *main;
  struct pl_box *box;
  int self;     // registry reference
  char user[];  // what errors call it
};

static void end_hold(void *ctx) {
  struct box_hold *h = ctx;
  pl_bytes_unpin(h->box->bytes);
  luaL_unref(h->main, LUA_REGISTRYINDEX, h->self);
}

void pl_box_hold(lua_State *L, const struct pl_call *call, int index, struct pl_hold *hold) {
  static const char what[] = "the answer to request ";
  struct pl_box *box = pl_box_get(L, index);
  struct pl_strv id = call->x->id;
  size_t size = sizeof what + id.len;
  pl_box_check(L, box);
  index = lua_absindex(L, index);
  struct box_hold *h = lua_newuserdatauv(L, sizeof *h + size, 1);
  h->main = pl_vm_of(L)->L;
  h->box = box;
  snprintf(h->user, size, "%s%.*s", what, (int)id.len, id.data);
  lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, 1);
  h->self = luaL_ref(L, LUA_REGISTRYINDEX);
  pl_bytes_pin(box->bytes, h->user);
  *hold = (struct pl_hold){.bytes = box->bytes, .on_sent = end_hold, .ctx = h};
}

void pl_box_hold_drop(const struct pl_hold *hold) {
  hold->on_sent(hold->ctx);
}
