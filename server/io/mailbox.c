// Messages between loops. The async is sent under the lock and only to an empty box: it cannot be
// closed meanwhile, and a burst of messages costs one wake-up.
#include "io/mailbox.h"

#include "io/loop.h"

static void discard_all(struct pl_list *messages) {
  for (struct pl_list *link; (link = pl_list_pop_front(messages));) {
    struct pl_message *m = PL_CONTAINER_OF(link, struct pl_message, link);
    m->discard(m);
  }
}

static void take_all(struct pl_mailbox *box, struct pl_list *messages) {
  pl_list_init(messages);
  pl_list_move_all(messages, &box->messages);
}

// Delivered without the lock: a message may post others, or close the box, which only this thread
// does and which ends the delivery.
static void on_async(uv_async_t *async) {
  struct pl_mailbox *box = PL_CONTAINER_OF(async, struct pl_mailbox, async);
  struct pl_list taken;
  uv_mutex_lock(&box->mutex);
  take_all(box, &taken);
  uv_mutex_unlock(&box->mutex);
  while (!pl_list_is_empty(&taken) && !box->is_closed) {
    struct pl_message *m = PL_CONTAINER_OF(pl_list_pop_front(&taken), struct pl_message, link);
    m->deliver(m);
  }
  discard_all(&taken);
}

int pl_mailbox_init(struct pl_mailbox *box, struct pl_loop *loop) {
  box->is_closed = false;
  pl_list_init(&box->messages);
  int rc = uv_mutex_init(&box->mutex);
  if (rc) return rc;
  rc = uv_async_init(&loop->uv, &box->async, on_async);
  if (rc) uv_mutex_destroy(&box->mutex);
  return rc;
}

void pl_mailbox_post(struct pl_mailbox *box, struct pl_message *m) {
  uv_mutex_lock(&box->mutex);
  bool is_closed = box->is_closed;
  if (!is_closed) {
    bool was_empty = pl_list_is_empty(&box->messages);
    pl_list_push_back(&box->messages, &m->link);
    if (was_empty) uv_async_send(&box->async);
  }
  uv_mutex_unlock(&box->mutex);
  if (is_closed) m->discard(m);
}

void pl_mailbox_close(struct pl_mailbox *box) {
  struct pl_list rest;
  uv_mutex_lock(&box->mutex);
  bool was_closed = box->is_closed;
  box->is_closed = true;
  take_all(box, &rest);
  uv_mutex_unlock(&box->mutex);
  if (!was_closed) uv_close((uv_handle_t *)&box->async, NULL);
  discard_all(&rest);
}

void pl_mailbox_deinit(struct pl_mailbox *box) {
  uv_mutex_destroy(&box->mutex);
}
