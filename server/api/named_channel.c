// A reference to the hub's queue, and what scripts call.
#include "api/named_channel.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/crossing.h"
#include "api/hub_options.h"
#include "api/queue_wait.h"
#include "io/hub.h"
#include "io/hub_queue.h"

static const char *const metatable = "perilune.NamedChannel";

enum { CHANNEL = 1, VALUE };

struct channel {
  struct pl_hub_queue *queue;  // a reference; NULL: finalised
};

static struct pl_hub_queue *check_queue(lua_State *L) {
  struct channel *channel = luaL_checkudata(L, CHANNEL, metatable);
  if (!channel->queue) luaL_error(L, "this channel has been collected");
  return channel->queue;
}

static int channel_send(lua_State *L) {
  struct pl_hub_queue *queue = check_queue(L);
  luaL_checkany(L, VALUE);
  lua_settop(L, 3);
  struct pl_crossing_how how = {"channel:send", PL_CROSSING_WAITS, pl_queue_wait_check_due(L, 3)};
  return pl_crossing_send(L, queue, VALUE, &how);
}

static int channel_try_send(lua_State *L) {
  static const struct pl_crossing_how how = {"channel:try_send", PL_CROSSING_NOW, 0};
  struct pl_hub_queue *queue = check_queue(L);
  luaL_checkany(L, VALUE);
  lua_settop(L, 2);
  return pl_crossing_send(L, queue, VALUE, &how);
}

static int channel_receive(lua_State *L) {
  struct pl_hub_queue *queue = check_queue(L);
  lua_settop(L, 2);
  struct pl_crossing_how how = {"channel:receive", PL_CROSSING_WAITS,
                                pl_queue_wait_check_due(L, 2)};
  return pl_crossing_receive(L, queue, &how);
}

static int channel_try_receive(lua_State *L) {
  static const struct pl_crossing_how how = {"channel:try_receive", PL_CROSSING_NOW, 0};
  return pl_crossing_receive(L, check_queue(L), &how);
}

/* stack: channel, the last value */
static int next_value(lua_State *L) {
  static const struct pl_crossing_how how = {"channel:each", PL_CROSSING_WAITS | PL_CROSSING_EACH,
                                             0};
  struct pl_hub_queue *queue = check_queue(L);
  lua_settop(L, 1);
  return pl_crossing_receive(L, queue, &how);
}

static int channel_each(lua_State *L) {
  check_queue(L);
  lua_pushcfunction(L, next_value);
  lua_pushvalue(L, CHANNEL);
  return 2;
}

static int channel_close(lua_State *L) {
  pl_hub_queue_close(check_queue(L), false);
  return 0;
}

static int channel_length(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)pl_hub_queue_length(check_queue(L)));
  return 1;
}

// Two objects for one channel are equal.
static int channel_equals(lua_State *L) {
  struct channel *a = luaL_testudata(L, 1, metatable), *b = luaL_testudata(L, 2, metatable);
  lua_pushboolean(L, a && b && a->queue == b->queue);
  return 1;
}

static int collect_channel(lua_State *L) {
  struct channel *channel = luaL_checkudata(L, 1, metatable);
  if (channel->queue) pl_hub_queue_unref(channel->queue);
  channel->queue = NULL;
  return 0;
}

static const luaL_Reg methods[] = {{"send", channel_send},
                                   {"try_send", channel_try_send},
                                   {"receive", channel_receive},
                                   {"try_receive", channel_try_receive},
                                   {"each", channel_each},
                                   {"close", channel_close},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__len", channel_length}, {"__eq", channel_equals}, {"__gc", collect_channel}, {NULL, NULL}};

static void push_metatable(lua_State *L) {
  luaL_newmetatable(L, metatable);
  bool is_new = lua_getfield(L, -1, "__index") == LUA_TNIL;  // set last: nothing is half made
  lua_pop(L, 1);
  if (!is_new) return;
  luaL_setfuncs(L, metamethods, 0);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
}

int pl_named_channel(lua_State *L) {
  static const char *const operation = "perilune.channel";
  lua_settop(L, 2);
  struct pl_strv name = pl_hub_options_name(L, operation);
  size_t capacity = pl_hub_options_capacity(L, 2, operation);
  struct channel *channel = lua_newuserdatauv(L, sizeof *channel, 0);
  channel->queue = NULL;
  push_metatable(L);
  lua_setmetatable(L, -2);
  int error = pl_hub_open_channel(pl_api_context(L)->hub, name, capacity, &channel->queue);
  if (error) pl_hub_options_raise(L, error, operation);
  return 1;
}
