/// The meeting place of a server's workers: channels and topics by name.
///
/// A channel lives as long as somebody has a reference or letters wait in it; one that is closed
/// and empty gives its name free at once. A topic lives as long as somebody has a reference or a
/// subscription. All of them, and what waits in them, are charged to one budget.
///
/// Thread: any, but for init and deinit.
#pragma once

#include <uv.h>

#include "base/base.h"
#include "base/strv.h"
#include "io/cell.h"

struct pl_hub_queue;
struct pl_hub_topic;

enum { PL_HUB_NAME_MAX = 128, PL_HUB_CAPACITY = 64 };

struct pl_hub {
  uv_mutex_t mutex;
  void *names;  ///< guarded by mutex; tsearch's root
  struct pl_hub_budget budget;
};

/// @param limit bytes that everything in it may hold
PL_MUST_CHECK int pl_hub_init(struct pl_hub *hub, size_t limit);

/// When no worker runs any more. Returns: how many letters nobody has received.
size_t pl_hub_deinit(struct pl_hub *hub);

/// The channel of that name, made when there is none.
/// @param name 1 to PL_HUB_NAME_MAX bytes, copied
/// @param capacity of the channel from now on; 0: PL_HUB_CAPACITY, or what it has
/// @param queue a reference, for the caller
/// Returns: 0, PL_ENOMEM, PL_ELIMIT (the budget) or an error of libuv's.
PL_MUST_CHECK int pl_hub_open_channel(struct pl_hub *hub, struct pl_strv name, size_t capacity,
                                      struct pl_hub_queue **queue);

/// The topic of that name; the rest as above.
PL_MUST_CHECK int pl_hub_open_topic(struct pl_hub *hub, struct pl_strv name,
                                    struct pl_hub_topic **topic);
void pl_hub_topic_unref(struct pl_hub_topic *topic);

/// A queue that gets what is published from now on; the oldest letter is dropped, and counted, when
/// there are more than `capacity`, or when they hold more than an eighth of the budget.
PL_MUST_CHECK int pl_hub_subscribe(struct pl_hub_topic *topic, size_t capacity,
                                   struct pl_hub_queue **queue);

/// Nothing more comes, and what has not been received is freed. The reference stays the caller's.
/// Giving the last one back does it, too.
void pl_hub_unsubscribe(struct pl_hub_queue *queue);

/// Gives every subscriber a letter for the cell, which stays the caller's. Returns: how many there
/// are; one for whose letter there is no memory has lost it.
size_t pl_hub_publish(struct pl_hub_topic *topic, struct pl_cell *cell);
