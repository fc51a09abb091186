// References to the hub's topic and to the queue of a subscription, and what scripts call.
#include "api/topic.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/crossing.h"
#include "api/hub_options.h"
#include "api/queue_wait.h"
#include "io/hub.h"
#include "io/hub_queue.h"

static const char *const topic_metatable = "perilune.Topic";
static const char *const subscription_metatable = "perilune.Subscription";

struct topic {
  struct pl_hub_topic *topic;  // a reference; NULL: finalised
};

struct subscription {
  struct pl_hub_queue *queue;  // a reference; NULL: finalised
};

static void push_metatable(lua_State *L, const char *name, const luaL_Reg *metamethods,
                           const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  bool is_new = lua_getfield(L, -1, "__index") == LUA_TNIL;  // set last: nothing is half made
  lua_pop(L, 1);
  if (!is_new) return;
  luaL_setfuncs(L, metamethods, 0);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
}

// ---- subscriptions ----

static struct pl_hub_queue *check_queue(lua_State *L) {
  struct subscription *s = luaL_checkudata(L, 1, subscription_metatable);
  if (!s->queue) luaL_error(L, "this subscription has been collected");
  return s->queue;
}

static int subscription_receive(lua_State *L) {
  struct pl_hub_queue *queue = check_queue(L);
  lua_settop(L, 2);
  struct pl_crossing_how how = {"subscription:receive", PL_CROSSING_WAITS | PL_CROSSING_LOST,
                                pl_queue_wait_check_due(L, 2)};
  return pl_crossing_receive(L, queue, &how);
}

static int subscription_try_receive(lua_State *L) {
  static const struct pl_crossing_how how = {"subscription:try_receive", PL_CROSSING_LOST, 0};
  return pl_crossing_receive(L, check_queue(L), &how);
}

/* stack: subscription, the last value */
static int next_value(lua_State *L) {
  static const struct pl_crossing_how how = {
      "subscription:each", PL_CROSSING_WAITS | PL_CROSSING_EACH | PL_CROSSING_LOST, 0};
  struct pl_hub_queue *queue = check_queue(L);
  lua_settop(L, 1);
  return pl_crossing_receive(L, queue, &how);
}

static int subscription_each(lua_State *L) {
  check_queue(L);
  lua_pushcfunction(L, next_value);
  lua_pushvalue(L, 1);
  return 2;
}

static int subscription_close(lua_State *L) {
  pl_hub_unsubscribe(check_queue(L));
  return 0;
}

static int subscription_length(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)pl_hub_queue_length(check_queue(L)));
  return 1;
}

static int collect_subscription(lua_State *L) {
  struct subscription *s = luaL_checkudata(L, 1, subscription_metatable);
  struct pl_hub_queue *queue = s->queue;
  s->queue = NULL;
  if (!queue) return 0;
  pl_hub_unsubscribe(queue);  // a crossing may hold on to it
  pl_hub_queue_unref(queue);
  return 0;
}

static const luaL_Reg subscription_methods[] = {{"receive", subscription_receive},
                                                {"try_receive", subscription_try_receive},
                                                {"each", subscription_each},
                                                {"close", subscription_close},
                                                {NULL, NULL}};

static const luaL_Reg subscription_metamethods[] = {{"__len", subscription_length},
                                                    {"__close", subscription_close},
                                                    {"__gc", collect_subscription},
                                                    {NULL, NULL}};

// ---- topics ----

static struct pl_hub_topic *check_topic(lua_State *L) {
  struct topic *topic = luaL_checkudata(L, 1, topic_metatable);
  if (!topic->topic) luaL_error(L, "this topic has been collected");
  return topic->topic;
}

static int topic_publish(lua_State *L) {
  struct pl_hub_topic *topic = check_topic(L);
  luaL_checkany(L, 2);
  return pl_crossing_publish(L, topic, 2);
}

static int topic_subscribe(lua_State *L) {
  static const char *const operation = "topic:subscribe";
  struct pl_hub_topic *topic = check_topic(L);
  size_t capacity = pl_hub_options_capacity(L, 2, operation);
  struct subscription *s = lua_newuserdatauv(L, sizeof *s, 0);
  s->queue = NULL;
  push_metatable(L, subscription_metatable, subscription_metamethods, subscription_methods);
  lua_setmetatable(L, -2);
  int error = pl_hub_subscribe(topic, capacity ? capacity : PL_HUB_CAPACITY, &s->queue);
  if (error) pl_hub_options_raise(L, error, operation);
  return 1;
}

static int topic_equals(lua_State *L) {
  struct topic *a = luaL_testudata(L, 1, topic_metatable);
  struct topic *b = luaL_testudata(L, 2, topic_metatable);
  lua_pushboolean(L, a && b && a->topic == b->topic);
  return 1;
}

static int collect_topic(lua_State *L) {
  struct topic *topic = luaL_checkudata(L, 1, topic_metatable);
  if (topic->topic) pl_hub_topic_unref(topic->topic);
  topic->topic = NULL;
  return 0;
}

static const luaL_Reg topic_methods[] = {
    {"publish", topic_publish}, {"subscribe", topic_subscribe}, {NULL, NULL}};

static const luaL_Reg topic_metamethods[] = {
    {"__eq", topic_equals}, {"__gc", collect_topic}, {NULL, NULL}};

int pl_topic(lua_State *L) {
  static const char *const operation = "perilune.topic";
  lua_settop(L, 2);
  struct pl_strv name = pl_hub_options_name(L, operation);
  if (!lua_isnoneornil(L, 2))
    luaL_error(L, "%s: a topic has no options; a subscription has {capacity = 64}", operation);
  struct topic *topic = lua_newuserdatauv(L, sizeof *topic, 0);
  topic->topic = NULL;
  push_metatable(L, topic_metatable, topic_metamethods, topic_methods);
  lua_setmetatable(L, -2);
  int error = pl_hub_open_topic(pl_api_context(L)->hub, name, &topic->topic);
  if (error) pl_hub_options_raise(L, error, operation);
  return 1;
}
