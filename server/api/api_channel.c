// A channel holds a ring of values and two queues of waits:
//
//   senders, each with its value --> ring (capacity) --> receivers
//
// Receivers wait only while the ring is empty and nobody sends; senders only while it is full. A
// value for a waiting receiver is handed over at once: it is kept under the receiver's wait until
// that task runs. If the task never does (it was ended from outside), the wait's finaliser gives
// the value to the next receiver, or back to the front of the ring, where room is kept for it.
//
// Whatever allocates may run finalisers, and these may use any channel: the state of a channel is
// looked at after the last allocation.
//
// Waits are used again. A wait stays the key of its value in the table of values for as long as it
// exists (false: none), so that setting the value never allocates.
#include "api/api_channel.h"

#include "api/queue_wait.h"
#include "api/value_ring.h"
#include "base/error.h"

#include <lauxlib.h>
#include <stdbool.h>

static const char *const metatable = "perilune.Channel";
static const char *const waiter_metatable = "perilune.ChannelWaiter";

enum { CHANNEL = 1, VALUE, CAPACITY_MAX = 1 << 29, SPARES_MAX = 64 };

// Upvalues of all functions here: the waits that can be used again, the table of values, and the
// metatable of channels.
enum {
  UPVALUES = 3,
  SPARES = lua_upvalueindex(1),
  VALUES = lua_upvalueindex(2),
  METATABLE = lua_upvalueindex(3)
};

/// User value 1: the ring's table.
struct channel {
  struct pl_value_ring ring;  ///< size >= count + handed, always
  unsigned capacity;
  unsigned handed;  ///< values that were handed over and not taken yet
  bool is_closed;
  struct pl_list senders;
  struct pl_list receivers;
};

/// A wait of a sender or a receiver. User value 1: its channel, while it is in use.
struct waiter {
  struct pl_queue_wait queue;
  struct channel *channel;
  bool is_handed;  ///< a value was handed over, and its task has not taken it yet
};

/// User values 1..count: waiters.
struct spares {
  int count;
};

static struct channel *check_channel(lua_State *L) {
  if (lua_getmetatable(L, CHANNEL)) {  // the quick way to the same answer
    bool is_channel = lua_rawequal(L, -1, METATABLE);
    lua_pop(L, 1);
    if (is_channel) return lua_touserdata(L, CHANNEL);
  }
  return luaL_checkudata(L, CHANNEL, metatable);
}

// ---- waiters ----

static struct waiter *first_of(const struct pl_list *queue) {
  struct pl_queue_wait *w = pl_queue_wait_first(queue);
  return w ? PL_CONTAINER_OF(w, struct waiter, queue) : NULL;
}

// stack: value -> nothing; the value is kept under the waiter
static void set_value(lua_State *L, const struct waiter *w) {
  lua_rawsetp(L, VALUES, w);
}

static void push_value(lua_State *L, const struct waiter *w) {
  lua_rawgetp(L, VALUES, w);
}

static void clear_value(lua_State *L, const struct waiter *w) {
  lua_pushboolean(L, false);
  set_value(L, w);
}

static struct waiter *push_new_waiter(lua_State *L) {
  struct waiter *w = lua_newuserdatauv(L, sizeof *w, 1);
  *w = (struct waiter){0};
  luaL_setmetatable(L, waiter_metatable);
  clear_value(L, w);
  return w;
}

static struct waiter *push_spare_waiter(lua_State *L, struct spares *spares) {
  lua_getiuservalue(L, SPARES, spares->count);
  lua_pushnil(L);
  lua_setiuservalue(L, SPARES, spares->count--);
  return lua_touserdata(L, -1);
}

// Pushes a waiter for the channel.
static struct waiter *push_waiter(lua_State *L, struct channel *ch) {
  struct spares *spares = lua_touserdata(L, SPARES);
  struct waiter *w = spares->count ? push_spare_waiter(L, spares) : push_new_waiter(L);
  w->channel = ch;
  lua_pushvalue(L, CHANNEL);
  lua_setiuservalue(L, -2, 1);
  return w;
}

// The waiter at `index` is not needed any more.
static void retire(lua_State *L, int index, struct waiter *w) {
  clear_value(L, w);
  w->channel = NULL;
  lua_pushnil(L);
  lua_setiuservalue(L, index, 1);
  struct spares *spares = lua_touserdata(L, SPARES);
  if (spares->count == SPARES_MAX) return;
  lua_pushvalue(L, index);
  lua_setiuservalue(L, SPARES, ++spares->count);
}

static void hand_over(lua_State *L, struct channel *ch, struct waiter *receiver, int value) {
  lua_pushvalue(L, value);
  set_value(L, receiver);
  receiver->is_handed = true;
  ch->handed++;
  pl_queue_wait_end(&receiver->queue, 0);
}

// The receiver will never take what it was handed. stack: waiter, channel
static void give_back(lua_State *L, struct channel *ch, struct waiter *w) {
  push_value(L, w);
  w->is_handed = false;
  ch->handed--;
  struct waiter *receiver = first_of(&ch->receivers);
  if (receiver)
    hand_over(L, ch, receiver, -1);
  else
    pl_value_ring_push_front(L, 2, &ch->ring, -1);
}

static int collect_waiter(lua_State *L) {
  struct waiter *w = luaL_checkudata(L, 1, waiter_metatable);
  pl_queue_wait_leave(&w->queue);
  lua_getiuservalue(L, 1, 1);
  if (w->is_handed) give_back(L, w->channel, w);
  lua_pushnil(L);
  set_value(L, w);
  return 0;
}

// ---- sending ----

static bool can_send(const struct channel *ch) {
  return !pl_list_is_empty(&ch->receivers) || ch->ring.count < ch->capacity;
}

// Returns: 0, PL_EPIPE or PL_EAGAIN. stack: channel, value
static int send_now(lua_State *L, struct channel *ch) {
  while (can_send(ch) && ch->ring.count + ch->handed >= ch->ring.size) {
    pl_value_ring_grow(L, CHANNEL, &ch->ring);
  }
  if (ch->is_closed) return PL_EPIPE;
  if (!can_send(ch)) return PL_EAGAIN;
  struct waiter *receiver = first_of(&ch->receivers);
  if (receiver)
    hand_over(L, ch, receiver, VALUE);
  else
    pl_value_ring_push_back(L, CHANNEL, &ch->ring, VALUE);
  return 0;
}

static int return_sent(lua_State *L, int outcome) {
  if (outcome) return pl_queue_wait_fail(L, outcome, "full");
  lua_pushboolean(L, true);
  return 1;
}

static void check_value(lua_State *L, const char *operation) {
  if (!lua_isnoneornil(L, VALUE)) return;
  luaL_error(L, "%s: nil cannot be sent, since for a receiver it says that the channel is closed",
             operation);
}

/* stack: channel, value, seconds or nil, waiter */
static int send_continue(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  struct waiter *w = lua_touserdata(L, 4);
  int outcome = w->queue.outcome;
  retire(L, 4, w);
  return return_sent(L, outcome);
}

static int channel_send(lua_State *L) {
  struct channel *ch = check_channel(L);
  lua_settop(L, 3);
  check_value(L, "channel:send");
  uint64_t due_ms = pl_queue_wait_check_due(L, 3);
  pl_wait_check(L, "channel:send");
  int rc = send_now(L, ch);
  if (rc != PL_EAGAIN) return return_sent(L, rc);
  struct waiter *w = push_waiter(L, ch);
  rc = send_now(L, ch);
  if (rc != PL_EAGAIN) return return_sent(L, rc);
  lua_pushvalue(L, VALUE);
  set_value(L, w);
  pl_queue_wait_begin(L, &w->queue, &ch->senders, "channel:send", due_ms);
  return pl_wait_yield(L, 0, send_continue);
}

static int channel_try_send(lua_State *L) {
  struct channel *ch = check_channel(L);
  lua_settop(L, 2);
  check_value(L, "channel:try_send");
  return return_sent(L, send_now(L, ch));
}

// ---- receiving ----

// The value of the sender that has waited longest leaves it; pushes the value.
static void take_from(lua_State *L, struct waiter *sender) {
  push_value(L, sender);
  pl_queue_wait_end(&sender->queue, 0);
}

// Pushes a value and returns 0, or returns PL_EOF or PL_EAGAIN. Allocates nothing.
static int receive_now(lua_State *L, struct channel *ch) {
  struct waiter *sender = first_of(&ch->senders);
  if (ch->ring.count > 0) {
    pl_value_ring_pop_front(L, CHANNEL, &ch->ring);
    if (!sender || ch->ring.count >= ch->capacity) return 0;
    take_from(L, sender);
    pl_value_ring_push_back(L, CHANNEL, &ch->ring, -1);
    lua_pop(L, 1);
    return 0;
  }
  if (!sender) return ch->is_closed ? PL_EOF : PL_EAGAIN;
  take_from(L, sender);
  return 0;
}

// stack: ..., the value, when outcome is 0
static int return_received(lua_State *L, int outcome) {
  return outcome ? pl_queue_wait_fail(L, outcome, "empty") : 1;
}

/* stack: channel, seconds or nil, waiter */
static int receive_continue(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  struct waiter *w = lua_touserdata(L, 3);
  int outcome = w->queue.outcome;
  if (w->is_handed) {
    w->is_handed = false;
    w->channel->handed--;
    push_value(L, w);
  }
  retire(L, 3, w);
  return return_received(L, outcome);
}

/* stack: channel, seconds or nil */
static int receive(lua_State *L, struct channel *ch, const char *operation, uint64_t due_ms) {
  pl_wait_check(L, operation);
  int rc = receive_now(L, ch);
  if (rc != PL_EAGAIN) return return_received(L, rc);
  struct waiter *w = push_waiter(L, ch);
  rc = receive_now(L, ch);
  if (rc != PL_EAGAIN) return return_received(L, rc);
  pl_queue_wait_begin(L, &w->queue, &ch->receivers, operation, due_ms);
  return pl_wait_yield(L, 0, receive_continue);
}

static int channel_receive(lua_State *L) {
  struct channel *ch = check_channel(L);
  lua_settop(L, 2);
  return receive(L, ch, "channel:receive", pl_queue_wait_check_due(L, 2));
}

static int channel_try_receive(lua_State *L) {
  struct channel *ch = check_channel(L);
  return return_received(L, receive_now(L, ch));
}

/* stack: channel, the last value */
static int next_value(lua_State *L) {
  struct channel *ch = check_channel(L);
  lua_settop(L, 1);
  lua_pushnil(L);
  return receive(L, ch, "channel:each", 0);
}

static int channel_each(lua_State *L) {
  check_channel(L);
  lua_pushvalue(L, SPARES);
  lua_pushvalue(L, VALUES);
  lua_pushvalue(L, METATABLE);
  lua_pushcclosure(L, next_value, UPVALUES);
  lua_pushvalue(L, CHANNEL);
  return 2;
}

// ---- the rest ----

static void end_all(struct pl_list *queue, int outcome) {
  for (struct pl_queue_wait *w; (w = pl_queue_wait_first(queue));) pl_queue_wait_end(w, outcome);
}

static int channel_close(lua_State *L) {
  struct channel *ch = check_channel(L);
  ch->is_closed = true;
  end_all(&ch->receivers, PL_EOF);
  end_all(&ch->senders, PL_EPIPE);
  return 0;
}

static int channel_length(lua_State *L) {
  struct channel *ch = check_channel(L);
  lua_Integer count = ch->ring.count;
  for (struct pl_list *node = ch->senders.next; node != &ch->senders; node = node->next) count++;
  lua_pushinteger(L, count);
  return 1;
}

static lua_Integer check_capacity(lua_State *L) {
  lua_settop(L, 1);
  int is_integer = true;
  lua_Integer capacity = lua_isnil(L, 1) ? 0 : lua_tointegerx(L, 1, &is_integer);
  if (is_integer && capacity >= 0 && capacity <= CAPACITY_MAX) return capacity;
  return luaL_error(L, "task.channel: the capacity must be an integer from 0 to %d, not %s",
                    CAPACITY_MAX, luaL_tolstring(L, 1, NULL));
}

int pl_task_channel(lua_State *L) {
  lua_Integer capacity = check_capacity(L);
  struct channel *ch = lua_newuserdatauv(L, sizeof *ch, 1);
  *ch = (struct channel){.capacity = (unsigned)capacity};
  pl_list_init(&ch->senders);
  pl_list_init(&ch->receivers);
  luaL_setmetatable(L, metatable);
  return 1;
}

// ---- opening ----

static const luaL_Reg methods[] = {{"send", channel_send},
                                   {"try_send", channel_try_send},
                                   {"receive", channel_receive},
                                   {"close", channel_close},
                                   {"each", channel_each},
                                   {"try_receive", channel_try_receive},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__len", channel_length}, {NULL, NULL}};
static const luaL_Reg waiter_metamethods[] = {{"__gc", collect_waiter}, {NULL, NULL}};

// Sets functions in the table on top; their upvalues stand at `first` and behind it.
static void set_functions(lua_State *L, int first, const luaL_Reg *functions) {
  for (int i = 0; i < UPVALUES; i++) lua_pushvalue(L, first + i);
  luaL_setfuncs(L, functions, UPVALUES);
}

// stack: ..., metatable of channels
static void fill_metatables(lua_State *L) {
  struct spares *spares = lua_newuserdatauv(L, sizeof *spares, SPARES_MAX);
  spares->count = 0;
  lua_newtable(L);
  lua_pushvalue(L, -3); /* stack: ..., metatable, spares, values, metatable */
  int first = lua_absindex(L, -3);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  set_functions(L, first, metamethods);
  luaL_newmetatable(L, waiter_metatable);
  set_functions(L, first, waiter_metamethods);
  lua_newtable(L);
  set_functions(L, first, methods);
  lua_setfield(L, first + 2, "__index");
  lua_settop(L, first - 1);
}

void pl_task_channel_open(lua_State *L) {
  luaL_newmetatable(L, metatable);
  bool is_new = lua_getfield(L, -1, "__index") == LUA_TNIL;  // set last: nothing is half made
  lua_pop(L, 1);
  if (is_new) fill_metatables(L);
  lua_pop(L, 1);
}
