/// Messages to a loop from other threads: a locked list and a uv_async.
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/base.h"
#include "base/list.h"

struct pl_loop;

struct pl_message {
  struct pl_list link;
  void (*deliver)(struct pl_message *m);  ///< on the receiving loop's thread; owns m from then on
  void (*discard)(struct pl_message *m);  ///< when the mailbox closes first; owns m
};

struct pl_mailbox {
  uv_async_t async;
  uv_mutex_t mutex;
  struct pl_list messages;  ///< guarded by mutex
  bool is_closed;           ///< guarded by mutex
};

PL_MUST_CHECK int pl_mailbox_init(struct pl_mailbox *box, struct pl_loop *loop);

/// Thread: any. In order per sender. When the box is closed m is discarded at once, here.
void pl_mailbox_post(struct pl_mailbox *box, struct pl_message *m);

/// Thread: the loop's. What has not been delivered is discarded. The box must outlive the loop's
/// close callbacks; posts by others stay allowed until pl_mailbox_deinit.
void pl_mailbox_close(struct pl_mailbox *box);
void pl_mailbox_deinit(struct pl_mailbox *box);
