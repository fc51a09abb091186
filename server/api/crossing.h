/// Sending to and receiving from a queue of the hub, with or without waiting: what named channels
/// and the subscriptions of topics have in common.
///
/// Each function is the end of a lua_CFunction: `return pl_crossing_receive(...)`.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct pl_hub_queue;
struct pl_hub_topic;

enum {
  PL_CROSSING_NOW = 0,  ///< does not wait
  PL_CROSSING_WAITS = 1 << 0,
  PL_CROSSING_EACH = 1 << 1,  ///< for an iterator: a nil that was sent is an error
  PL_CROSSING_LOST = 1 << 2   ///< the second value is how many were lost before
};

/// What is done, and how.
struct pl_crossing_how {
  const char *operation;  ///< "channel:send", static storage
  unsigned flags;
  uint64_t due_ms;  ///< with WAITS; 0: for ever
};

/// Sends the value at stack index `value`. Returns: true; or nil, "timeout" | "closed" | "full",
/// code, and what was moved is the sender's again. Raises as pl_parcel_pack, and with WAITS as
/// pl_wait_check.
int pl_crossing_send(lua_State *L, struct pl_hub_queue *queue, int value,
                     const struct pl_crossing_how *how);

/// Returns: the value, and with LOST a number; or nil, "timeout" | "closed" | "empty", code.
/// When it raises for want of memory the message is still in the queue.
int pl_crossing_receive(lua_State *L, struct pl_hub_queue *queue,
                        const struct pl_crossing_how *how);

/// Publishes the value at stack index `value`. Returns: how many subscribers get it. Raises as
/// pl_parcel_pack.
int pl_crossing_publish(lua_State *L, struct pl_hub_topic *topic, int value);
