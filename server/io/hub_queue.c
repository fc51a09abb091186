// Whose wait is over is put into a list under the lock, and told by its mailbox after it: the
// mailbox may be closed, and then frees the wait, which may free the queue.
//
//   wait: made -> in senders or receivers -> over (another thread has posted its message) -> freed
//         when its owner has let go and the message has come
#include "io/hub_queue.h"

#include "base/error.h"
#include "base/mem.h"

// ---- references ----

bool pl_hub_give_ref(_Atomic unsigned *refs) {
  unsigned count = atomic_load_explicit(refs, memory_order_relaxed);
  while (count > 1) {
    if (atomic_compare_exchange_weak_explicit(refs, &count, count - 1, memory_order_acq_rel,
                                              memory_order_relaxed))
      return true;
  }
  return false;
}

struct pl_hub_queue *pl_hub_queue_ref(struct pl_hub_queue *queue) {
  atomic_fetch_add_explicit(&queue->refs, 1, memory_order_relaxed);
  return queue;
}

void pl_hub_queue_unref(struct pl_hub_queue *queue) {
  if (!pl_hub_give_ref(&queue->refs)) queue->release(queue);
}

static void unref_wait(struct pl_hub_wait *wait) {
  if (atomic_fetch_sub_explicit(&wait->refs, 1, memory_order_acq_rel) > 1) return;
  pl_hub_queue_unref(wait->queue);
  pl_mem_free(wait);
}

// ---- the ends of waits ----

static struct pl_hub_wait *first_of(const struct pl_list *waits) {
  if (pl_list_is_empty(waits)) return NULL;
  return PL_CONTAINER_OF(waits->next, struct pl_hub_wait, link);
}

static void leave(struct pl_hub_wait *wait, int outcome) {
  wait->outcome = outcome;
  pl_list_remove(&wait->link);
  if (!wait->is_receiver) wait->queue->sender_count--;
}

static void end_wait(struct pl_hub_wait *wait, int outcome, struct pl_list *over) {
  leave(wait, outcome);
  atomic_fetch_add_explicit(&wait->refs, 1, memory_order_relaxed);
  pl_list_push_back(over, &wait->link);
}

void pl_hub_tell(struct pl_list *over) {
  for (struct pl_list *link; (link = pl_list_pop_front(over));) {
    struct pl_hub_wait *wait = PL_CONTAINER_OF(link, struct pl_hub_wait, link);
    pl_mailbox_post(wait->mailbox, &wait->message);
  }
}

static void deliver(struct pl_message *m) {
  struct pl_hub_wait *wait = PL_CONTAINER_OF(m, struct pl_hub_wait, message);
  if (wait->owner) wait->on_over(wait->owner);
  unref_wait(wait);
}

static void discard(struct pl_message *m) {
  unref_wait(PL_CONTAINER_OF(m, struct pl_hub_wait, message));
}

// ---- letters ----

static struct pl_letter *pop(struct pl_hub_queue *queue) {
  struct pl_list *link = pl_list_pop_front(&queue->letters);
  struct pl_letter *letter = PL_CONTAINER_OF(link, struct pl_letter, link);
  queue->count--;
  queue->bytes -= letter->cell->bytes;
  return letter;
}

static void push_before(struct pl_hub_queue *queue, struct pl_list *next,
                        struct pl_letter *letter) {
  pl_list_push_back(next, &letter->link);
  queue->count++;
  queue->bytes += letter->cell->bytes;
}

static void take_lost(struct pl_hub_queue *queue, struct pl_letter *letter) {
  letter->lost = queue->lost;
  queue->lost = 0;
}

static void hand_over(struct pl_hub_queue *queue, struct pl_hub_wait *receiver,
                      struct pl_letter *letter, struct pl_list *over) {
  take_lost(queue, letter);
  receiver->letter = letter;
  end_wait(receiver, 0, over);
}

// What is dropped goes to `dropped`, to be freed without the lock.
static void make_room(struct pl_hub_queue *queue, const struct pl_letter *letter,
                      struct pl_list *dropped) {
  while (queue->count > 0 && (queue->count >= queue->capacity ||
                              queue->bytes + letter->cell->bytes > queue->bytes_max)) {
    pl_list_push_back(dropped, &pop(queue)->link);
    queue->lost++;
  }
}

static void take_in(struct pl_hub_queue *queue, struct pl_letter *letter, struct pl_list *over) {
  letter->order = queue->next_order++;
  struct pl_hub_wait *receiver = first_of(&queue->receivers);
  if (receiver)
    hand_over(queue, receiver, letter, over);
  else
    push_before(queue, &queue->letters, letter);
}

// Senders that wait go on while there is room.
static void admit(struct pl_hub_queue *queue, struct pl_list *over) {
  while (queue->count < queue->capacity) {
    struct pl_hub_wait *sender = first_of(&queue->senders);
    if (!sender) return;
    take_in(queue, sender->letter, over);
    sender->letter = NULL;
    end_wait(sender, 0, over);
  }
}

static void free_all(struct pl_list *letters) {
  for (struct pl_list *link; (link = pl_list_pop_front(letters));)
    pl_letter_free(PL_CONTAINER_OF(link, struct pl_letter, link));
}

static bool has_room(const struct pl_hub_queue *queue) {
  return queue->drops_oldest || queue->count < queue->capacity;
}

static int send_locked(struct pl_hub_queue *queue, struct pl_letter *letter,
                       struct pl_hub_wait *wait, struct pl_list *over, struct pl_list *dropped) {
  if (queue->is_closed) return PL_EPIPE;
  if (has_room(queue)) {
    if (queue->drops_oldest) make_room(queue, letter, dropped);
    take_in(queue, letter, over);
    return 0;
  }
  if (!wait) return PL_EAGAIN;
  wait->letter = letter;
  pl_list_push_back(&queue->senders, &wait->link);
  queue->sender_count++;
  return PL_EAGAIN;
}

int pl_hub_queue_send_quietly(struct pl_hub_queue *queue, struct pl_letter *letter,
                              struct pl_hub_wait *wait, struct pl_list *over) {
  struct pl_list dropped;
  pl_list_init(&dropped);
  uv_mutex_lock(&queue->mutex);
  int rc = send_locked(queue, letter, wait, over, &dropped);
  uv_mutex_unlock(&queue->mutex);
  free_all(&dropped);
  return rc;
}

int pl_hub_queue_send(struct pl_hub_queue *queue, struct pl_letter *letter,
                      struct pl_hub_wait *wait) {
  struct pl_list over;
  pl_list_init(&over);
  int rc = pl_hub_queue_send_quietly(queue, letter, wait, &over);
  pl_hub_tell(&over);
  return rc;
}

void pl_hub_queue_lose(struct pl_hub_queue *queue) {
  uv_mutex_lock(&queue->mutex);
  queue->lost++;
  uv_mutex_unlock(&queue->mutex);
}

int pl_hub_queue_receive(struct pl_hub_queue *queue, struct pl_letter **letter,
                         struct pl_hub_wait *wait) {
  struct pl_list over;
  int rc = 0;
  pl_list_init(&over);
  uv_mutex_lock(&queue->mutex);
  if (queue->count > 0) {
    *letter = pop(queue);
    take_lost(queue, *letter);
    admit(queue, &over);
  } else if (queue->is_closed) {
    rc = PL_EOF;
  } else {
    rc = PL_EAGAIN;
    if (wait) {
      wait->is_receiver = true;
      pl_list_push_back(&queue->receivers, &wait->link);
    }
  }
  uv_mutex_unlock(&queue->mutex);
  pl_hub_tell(&over);
  return rc;
}

// With the lock. Several may come back in any order: each finds its place.
static void put_back(struct pl_hub_queue *queue, struct pl_letter *letter, struct pl_list *over) {
  queue->lost += letter->lost;
  struct pl_hub_wait *receiver = first_of(&queue->receivers);
  if (receiver) {
    hand_over(queue, receiver, letter, over);
    return;
  }
  struct pl_list *next = queue->letters.next;
  while (next != &queue->letters &&
         PL_CONTAINER_OF(next, struct pl_letter, link)->order < letter->order)
    next = next->next;
  push_before(queue, next, letter);
}

void pl_hub_queue_give_back(struct pl_hub_queue *queue, struct pl_letter *letter) {
  struct pl_list over;
  pl_list_init(&over);
  uv_mutex_lock(&queue->mutex);
  put_back(queue, letter, &over);
  uv_mutex_unlock(&queue->mutex);
  pl_hub_tell(&over);
}

// ---- the queue ----

int pl_hub_queue_init(struct pl_hub_queue *queue, size_t capacity,
                      void (*release)(struct pl_hub_queue *queue)) {
  *queue = (struct pl_hub_queue){.release = release, .capacity = capacity, .bytes_max = SIZE_MAX};
  atomic_init(&queue->refs, 1);
  pl_list_init(&queue->letters);
  pl_list_init(&queue->senders);
  pl_list_init(&queue->receivers);
  return uv_mutex_init(&queue->mutex);
}

size_t pl_hub_queue_deinit(struct pl_hub_queue *queue) {
  size_t count = queue->count;
  free_all(&queue->letters);
  uv_mutex_destroy(&queue->mutex);
  return count;
}

void pl_hub_queue_close(struct pl_hub_queue *queue, bool discard) {
  struct pl_list over, dropped;
  pl_list_init(&over);
  pl_list_init(&dropped);
  uv_mutex_lock(&queue->mutex);
  queue->is_closed = true;
  for (struct pl_hub_wait *w; (w = first_of(&queue->receivers));) end_wait(w, PL_EOF, &over);
  for (struct pl_hub_wait *w; (w = first_of(&queue->senders));) end_wait(w, PL_EPIPE, &over);
  while (discard && queue->count > 0) pl_list_push_back(&dropped, &pop(queue)->link);
  uv_mutex_unlock(&queue->mutex);
  free_all(&dropped);
  pl_hub_tell(&over);
}

void pl_hub_queue_set_capacity(struct pl_hub_queue *queue, size_t capacity) {
  struct pl_list over;
  pl_list_init(&over);
  uv_mutex_lock(&queue->mutex);
  queue->capacity = capacity;
  admit(queue, &over);
  uv_mutex_unlock(&queue->mutex);
  pl_hub_tell(&over);
}

size_t pl_hub_queue_length(struct pl_hub_queue *queue) {
  uv_mutex_lock(&queue->mutex);
  size_t length = queue->count + queue->sender_count;
  uv_mutex_unlock(&queue->mutex);
  return length;
}

bool pl_hub_queue_is_at_end(struct pl_hub_queue *queue) {
  uv_mutex_lock(&queue->mutex);
  bool is_at_end = queue->is_closed && queue->count == 0;
  uv_mutex_unlock(&queue->mutex);
  return is_at_end;
}

// ---- waits ----

struct pl_hub_wait *pl_hub_wait_new(struct pl_hub_queue *queue, struct pl_mailbox *mailbox,
                                    void *owner, void (*on_over)(void *owner)) {
  struct pl_hub_wait *wait = pl_mem_zalloc(sizeof *wait);
  if (!wait) return NULL;
  wait->message = (struct pl_message){.deliver = deliver, .discard = discard};
  wait->queue = pl_hub_queue_ref(queue);
  wait->mailbox = mailbox;
  wait->owner = owner;
  wait->on_over = on_over;
  wait->outcome = PL_EAGAIN;
  atomic_init(&wait->refs, 1);
  pl_list_init(&wait->link);
  return wait;
}

// With the lock. It may never have been in the queue.
static int stop(struct pl_hub_wait *wait) {
  int outcome = wait->outcome;
  if (outcome != PL_EAGAIN) return outcome;
  wait->outcome = PL_ECANCELED;
  if (!pl_list_is_empty(&wait->link)) leave(wait, PL_ECANCELED);
  return outcome;
}

int pl_hub_wait_stop(struct pl_hub_wait *wait) {
  uv_mutex_lock(&wait->queue->mutex);
  int outcome = stop(wait);
  uv_mutex_unlock(&wait->queue->mutex);
  return outcome;
}

struct pl_letter *pl_hub_wait_take(struct pl_hub_wait *wait) {
  struct pl_letter *letter = wait->letter;
  wait->letter = NULL;
  return letter;
}

void pl_hub_wait_free(struct pl_hub_wait *wait) {
  struct pl_list over;
  pl_list_init(&over);
  uv_mutex_lock(&wait->queue->mutex);
  stop(wait);
  struct pl_letter *letter = wait->letter;
  wait->letter = NULL;
  if (letter && wait->is_receiver) put_back(wait->queue, letter, &over);
  uv_mutex_unlock(&wait->queue->mutex);
  if (letter && !wait->is_receiver) pl_letter_free(letter);
  pl_hub_tell(&over);
  wait->owner = NULL;
  unref_wait(wait);
}
