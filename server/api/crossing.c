// A crossing is a userdata on the stack of who sends or receives. From the moment on that a letter
// is not in a queue it is in a crossing, until Lua has made a value of it; whatever comes in
// between (no memory, the end of the task from outside, the end of the state), its finaliser gives
// the letter back to the queue, or frees it when it was to be sent.
//
// While it waits, a pl_hub_wait stands in the queue for it; that is no part of the userdata because
// the message that ends it may come when the userdata has gone.
#include "api/crossing.h"

#include <lauxlib.h>
#include <stdio.h>

#include "api/api.h"
#include "api/parcel.h"
#include "api/queue_wait.h"
#include "base/error.h"
#include "geometry/layout.h"
#include "io/hub.h"
#include "io/hub_queue.h"
#include "io/loop.h"
#include "runtime/wait.h"

static const char *const metatable = "perilune.Crossing";

enum { SPARES_MAX = 64 };

struct crossing {
  struct pl_wait wait;
  struct pl_timer timer;
  struct pl_loop *loop;
  struct pl_hub_queue *queue;   // a reference while it is in use
  struct pl_hub_wait *pending;  // stands in the queue
  struct pl_letter *letter;     // to be sent, or received
  struct pl_crossing_how how;
  bool is_sender;
  int outcome;
};

// Crossings that can be used again: user values 1..count.
struct spares {
  int count;
};

// Its address is the registry key of the spares.
static const char spares_key = 0;

// ---- crossings ----

static void stop_waiting(struct crossing *c) {
  if (!c->pending) return;
  pl_timer_stop(&c->loop->wheel, &c->timer);
  pl_hub_wait_free(c->pending);
  c->pending = NULL;
}

static void release(struct crossing *c) {
  stop_waiting(c);
  if (c->letter && c->is_sender)
    pl_letter_free(c->letter);
  else if (c->letter)
    pl_hub_queue_give_back(c->queue, c->letter);
  c->letter = NULL;
  if (c->queue) pl_hub_queue_unref(c->queue);
  c->queue = NULL;
}

static int collect_crossing(lua_State *L) {
  release(luaL_checkudata(L, 1, metatable));
  return 0;
}

static struct spares *push_spares(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &spares_key) == LUA_TNIL) {
    lua_pop(L, 1);
    struct spares *made = lua_newuserdatauv(L, sizeof *made, SPARES_MAX);
    made->count = 0;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &spares_key);
  }
  return lua_touserdata(L, -1);
}

static void set_metatable(lua_State *L) {
  luaL_newmetatable(L, metatable);
  if (lua_getfield(L, -1, "__gc") == LUA_TNIL) {
    lua_pushcfunction(L, collect_crossing);
    lua_setfield(L, -3, "__gc");
  }
  lua_pop(L, 1);
  lua_setmetatable(L, -2);
}

static void push_unused(lua_State *L) {
  struct spares *spares = push_spares(L);
  if (spares->count > 0) {
    lua_getiuservalue(L, -1, spares->count);
    lua_pushnil(L);
    lua_setiuservalue(L, -3, spares->count--);
  } else {
    struct crossing *made = lua_newuserdatauv(L, sizeof *made, 0);
    *made = (struct crossing){0};
    set_metatable(L);
  }
  lua_remove(L, -2);
}

// Pushes a crossing for the queue, or for none.
static struct crossing *push_crossing(lua_State *L, struct pl_hub_queue *queue,
                                      const struct pl_crossing_how *how, bool is_sender) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  push_unused(L);
  struct crossing *c = lua_touserdata(L, -1);
  *c = (struct crossing){.loop = pl_api_context(L)->loop,
                         .queue = queue ? pl_hub_queue_ref(queue) : NULL,
                         .how = *how,
                         .is_sender = is_sender};
  return c;
}

// The crossing at `index` is not needed any more.
static void retire(lua_State *L, int index, struct crossing *c) {
  release(c);
  struct spares *spares = push_spares(L);
  if (spares->count < SPARES_MAX) {
    lua_pushvalue(L, index);
    lua_setiuservalue(L, -2, ++spares->count);
  }
  lua_pop(L, 1);
}

// ---- waiting ----

static void end(struct crossing *c, int outcome) {
  c->outcome = outcome;
  if (!c->letter) c->letter = pl_hub_wait_take(c->pending);
  stop_waiting(c);
  pl_wait_complete(&c->wait);
}

static void on_over(void *owner) {
  struct crossing *c = owner;
  end(c, c->pending->outcome);
}

// A letter that is on its way counts.
static void on_timeout(struct pl_timer *timer) {
  struct crossing *c = PL_CONTAINER_OF(timer, struct crossing, timer);
  if (pl_hub_wait_stop(c->pending) == PL_EAGAIN) end(c, PL_ETIMEDOUT);
}

static void cancel(struct pl_wait *wait) {
  release(PL_CONTAINER_OF(wait, struct crossing, wait));
}

// Sends or receives, and has `pending`, when there is one, wait for it.
static int attempt(struct crossing *c) {
  if (!c->is_sender) return pl_hub_queue_receive(c->queue, &c->letter, c->pending);
  int rc = pl_hub_queue_send(c->queue, c->letter, c->pending);
  if (rc == 0 || (rc == PL_EAGAIN && c->pending)) c->letter = NULL;
  return rc;
}

// @param index the crossing's
static int wait_for(lua_State *L, struct crossing *c, int index, lua_KFunction k) {
  c->pending = pl_hub_wait_new(c->queue, pl_api_context(L)->mailbox, c, on_over);
  if (!c->pending) {
    if (c->is_sender) pl_parcel_restore(L, index + 1, c->letter->cell);
    return luaL_error(L, "not enough memory");
  }
  c->timer.fn = on_timeout;
  pl_wait_begin(L, &c->wait, c->how.operation, cancel);
  int rc = attempt(c);
  if (rc != PL_EAGAIN)
    end(c, rc);
  else if (c->how.due_ms)
    pl_timer_start(&c->loop->wheel, &c->timer, c->how.due_ms);
  return pl_wait_yield(L, index, k);
}

// ---- sending ----

// stack at index: the crossing, what pl_parcel_restore needs
static int return_sent(lua_State *L, int index, int outcome) {
  struct crossing *c = lua_touserdata(L, index);
  if (c->letter) pl_parcel_restore(L, index + 1, c->letter->cell);
  retire(L, index, c);
  if (outcome) return pl_queue_wait_fail(L, outcome, "full");
  lua_pushboolean(L, true);
  return 1;
}

static int send_continue(lua_State *L, int status, lua_KContext index) {
  (void)status;
  struct crossing *c = lua_touserdata(L, (int)index);
  return return_sent(L, (int)index, c->outcome);
}

int pl_crossing_send(lua_State *L, struct pl_hub_queue *queue, int value,
                     const struct pl_crossing_how *how) {
  bool waits = how->flags & PL_CROSSING_WAITS;
  if (waits) pl_wait_check(L, how->operation);
  struct crossing *c = push_crossing(L, queue, how, true);
  int index = lua_gettop(L);
  pl_parcel_pack(L, value, how->operation, false, &c->letter);
  int rc = attempt(c);
  if (rc == PL_EAGAIN && waits) return wait_for(L, c, index, send_continue);
  return return_sent(L, index, rc);
}

// ---- receiving ----

enum { FORM_BYTES = 32 };

// "24 B #1a2b"
static void write_form(char text[FORM_BYTES], const struct pl_layout *layout) {
  snprintf(text, FORM_BYTES, "%u B #%04x", layout->size, (unsigned)(layout->hash >> 48));
}

// A message of a type that this state has under the same name, but otherwise: nobody here can make
// anything of it, so it is gone.
static void check_types(lua_State *L, struct crossing *c) {
  const struct pl_layout *now, *then = pl_parcel_changed(L, c->letter->cell, &now);
  if (!then) return;
  pl_letter_free(c->letter);
  c->letter = NULL;
  char old_form[FORM_BYTES], new_form[FORM_BYTES];
  write_form(old_form, then);
  write_form(new_form, now);
  luaL_error(L, "%s: %s changed: %s -> %s", c->how.operation, then->name.data, old_form, new_form);
}

// When the value is a nil that was sent, a for loop would take it for the end.
static void check_each(lua_State *L, const struct crossing *c) {
  if ((c->how.flags & PL_CROSSING_EACH) && lua_isnil(L, -1))
    luaL_error(L, "%s: nil was sent, which a loop cannot tell from the end: use receive",
               c->how.operation);
}

static int return_received(lua_State *L, int index, int outcome) {
  struct crossing *c = lua_touserdata(L, index);
  if (!c->letter) {
    retire(L, index, c);
    return pl_queue_wait_fail(L, outcome, "empty");
  }
  check_types(L, c);
  pl_parcel_unpack(L, c->letter->cell);
  uint64_t lost = c->letter->lost;
  pl_letter_free(c->letter);
  c->letter = NULL;
  check_each(L, c);
  bool tells_lost = c->how.flags & PL_CROSSING_LOST;
  retire(L, index, c);
  if (tells_lost) lua_pushinteger(L, (lua_Integer)lost);
  return tells_lost ? 2 : 1;
}

static int receive_continue(lua_State *L, int status, lua_KContext index) {
  (void)status;
  struct crossing *c = lua_touserdata(L, (int)index);
  return return_received(L, (int)index, c->outcome);
}

int pl_crossing_receive(lua_State *L, struct pl_hub_queue *queue,
                        const struct pl_crossing_how *how) {
  bool waits = how->flags & PL_CROSSING_WAITS;
  if (waits) pl_wait_check(L, how->operation);
  struct crossing *c = push_crossing(L, queue, how, false);
  int rc = attempt(c);
  if (rc == PL_EAGAIN && waits) return wait_for(L, c, lua_gettop(L), receive_continue);
  return return_received(L, lua_gettop(L), rc);
}

// ---- publishing ----

int pl_crossing_publish(lua_State *L, struct pl_hub_topic *topic, int value) {
  static const struct pl_crossing_how how = {"topic:publish", PL_CROSSING_NOW, 0};
  struct crossing *c = push_crossing(L, NULL, &how, true);
  int index = lua_gettop(L);
  pl_parcel_pack(L, value, how.operation, true, &c->letter);
  size_t count = pl_hub_publish(topic, c->letter->cell);
  retire(L, index, c);
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}
