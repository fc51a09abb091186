/// One request on its way through Lua: what the dispatcher and the bindings share about it.
///
/// Lives in the exchange's arena, from dispatch until its task is gone (the last child included);
/// the script's request object points to it until then and keeps what stays readable afterwards.
///
/// Thread: the worker's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/strv.h"
#include "http/exchange.h"
#include "io/timer.h"
#include "runtime/task.h"
#include "runtime/wait.h"

struct pl_box;

/// Requests that wait for a place, oldest first (worker/admission.h).
struct pl_lane {
  struct pl_list waiting;  ///< pl_call.queue_link
  struct pl_list link;     ///< in the worker's list of lanes in which somebody waits
  size_t count;
  bool is_overloaded;  ///< somebody has waited here in vain since it was empty
};

static inline void pl_lane_init(struct pl_lane *lane) {
  *lane = (struct pl_lane){0};
  pl_list_init(&lane->waiting);
  pl_list_init(&lane->link);
}

/// A route as loaded: one handler (Lua composes pipelines and middleware into one function) and its
/// options. Lives as long as its generation.
struct pl_route {
  int handler;              ///< registry reference
  int on_error;             ///< registry reference of the app's error hook, or LUA_NOREF
  bool wants_request;       ///< the handler declares a parameter: a request object is made for it
  const char *name;         ///< the `name` option, or NULL
  const char *pattern;      ///< "/hello/:name", as declared
  const char *method_text;  ///< "GET", "ANY", "GET|POST": as declared
  const char *where;        ///< "app.lua:12": where it was declared
  const char *places;       ///< "app.lua:3, auth.lua:10": where its handlers are written
  uint64_t body_limit;      ///< bytes; UINT64_MAX: the route's `body = false`
  bool body_is_unlimited;   ///< `body = false`: body(), json(), form() still obey limits.body
  size_t memory_limit;      ///< bytes of a request's charge (runtime/heap.h); 0 = none
  uint64_t timeout_ms;      ///< to the head of the answer; 0 = none
  uint64_t cpu_limit_ns;    ///< of CPU without waiting; 0: limits.cpu; UINT64_MAX: none
  size_t in_flight_limit;   ///< 0 = none of its own
  size_t in_flight;
  struct pl_lane lane;  ///< who waits for a place in in_flight_limit; not of fallbacks
  bool half_close;
  const struct pl_strv *capture_names;
  size_t capture_count;
};

/// Who reads the request's body, and how far that is.
enum pl_body_state {
  PL_BODY_UNREAD,
  PL_BODY_READING,   ///< a task is inside body(), json(), form()
  PL_BODY_KEPT,      ///< whole, in x->body
  PL_BODY_STREAMED,  ///< handed out by chunks(), parts() or save()
  PL_BODY_FAILED
};

/// Strings at least this long are sent from where Lua keeps them.
enum { PL_HELD_BODY_BYTES = 16 * 1024 };

/// Somebody who has something to do when what was written has left; embed it.
struct pl_drain_waiter {
  struct pl_list link;                               ///< in call->drain_waiters
  void (*on_drain)(struct pl_drain_waiter *waiter);  ///< taken out of the list already
};

struct pl_call {
  struct pl_exchange *x;
  struct pl_task *task;  ///< the request's own
  struct pl_vm *vm;
  void *generation;                ///< worker/generation.h's
  struct pl_route *route;          ///< NULL: the app's not_found runs
  struct pl_strv path;             ///< decoded; pl_path.text
  const struct pl_strv *captures;  ///< route->capture_count values; decoded
  int request_slot;  ///< the request object's place in the table of live ones; 0 = none made
  int error;  ///< registry reference of the error that ended it, for the finish handlers; LUA_NOREF
  int held_body;             ///< registry reference of a string that is being sent, or LUA_NOREF
  bool is_finished;          ///< the exchange is: nobody gives the references back any more
  struct pl_wait body_wait;  ///< of the task that waits for body bytes
  bool body_is_awaited;
  struct pl_timer children_timer;  ///< runs while children outlive the answer: when they must end
  struct pl_list drain_waiters;    ///< who waits until what was written has left
  enum pl_body_state body_state;
  int body_error;           ///< FAILED: why, a PL_ code
  size_t body_charged;      ///< bytes of x->body in the request's charge
  struct pl_box *body_box;  ///< KEPT, and given to the script: the body lies in it; else NULL
  int body_box_ref;         ///< registry reference of body_box
  struct pl_buf pieces;     ///< STREAMED: what has come and is not handed out; freed with the arena

  struct pl_lane *lane;       ///< in which it waits for a place (worker/admission.h), or NULL
  struct pl_list queue_link;  ///< in the lane
  uint64_t queue_number;      ///< counts the waiting requests of the worker, in their order
  uint64_t queued_ms;         ///< when it began to wait
  int fallback_status;        ///< 404, 405: the app's not_found is told so; 0: a route was found
  unsigned allowed;           ///< 405: methods that there are, a bit each
};

/// The request object's metatable (api_request.c).
#define PL_REQUEST_TYPE "perilune.Request"

/// What a request object holds: the call, and copies for the time after it.
struct pl_request_object {
  struct pl_call *call;  ///< NULL once the request is over
  const struct pl_route *route;
  enum pl_method method;
  struct pl_strv path;
  struct pl_strv id;
  struct pl_strv *captures;  ///< route->capture_count
  char bytes[];
};

/// Makes the table of live request objects. Once per state. May raise out of memory.
void pl_call_open(lua_State *L);

/// The call behind the request object at stack index `index`; raises when the object is another
/// type, or when the request is over ("the request is over: only id, method, path, params, ctx
/// remain").
struct pl_call *pl_call_check(lua_State *L, int index);

/// The object's call; raises as pl_call_check.
struct pl_call *pl_call_live(lua_State *L, const struct pl_request_object *r);

/// The call that the running task works for (a child's too), or NULL.
struct pl_call *pl_call_current(lua_State *L);

/// Raises an error object with that status and message.
int pl_call_raise(lua_State *L, int status, const char *message);

/// The client has gone, so the running task is cancelled or is about to be: raises what its waits
/// raise then.
int pl_call_raise_gone(lua_State *L);

/// Pushes the call's request object; makes it on first use. May raise out of memory.
void pl_call_push_request(lua_State *L, struct pl_call *call);

/// The task is gone: the request object, when there is one, lets go of the call.
void pl_call_forget_request(struct pl_call *call);

/// The exchange's on_drain: tells everyone in drain_waiters.
void pl_call_on_drain(struct pl_call *call);

/// To be told of the next drain. Stop with pl_list_remove(&waiter->link).
void pl_call_await_drain(struct pl_call *call, struct pl_drain_waiter *waiter);
