/// A queue of letters between threads: a channel's, or what waits for one subscriber of a topic.
///
///   senders, each with its letter --> letters (capacity) --> receivers
///
/// Receivers wait only while there is no letter, senders only while there are `capacity` letters:
/// first come, first served on both sides, whatever thread they are on. A letter for a waiting
/// receiver is handed over at once, and its thread is told by its mailbox. A receiver that lets go
/// of it before anybody has seen it gives it back to the place in the queue that it had.
///
/// Thread: any, but for the owner's functions of a wait. Nothing here blocks but for a lock that is
/// held for a few pointer writes.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/base.h"
#include "base/list.h"
#include "io/cell.h"
#include "io/mailbox.h"

struct pl_hub_queue {
  _Atomic unsigned refs;
  void (*release)(struct pl_hub_queue *queue);  ///< for the last reference; gives it back itself
  uv_mutex_t mutex;                             ///< guards what follows
  struct pl_list letters;                       ///< by their order
  size_t count;                                 ///< of them
  size_t bytes;                                 ///< of their cells
  size_t capacity;                              ///< letters, at least 1
  size_t bytes_max;     ///< with drops_oldest: of the letters' cells, but for the last one
  uint64_t next_order;  ///< of the next letter that comes
  uint64_t lost;        ///< dropped since the last one was taken
  bool drops_oldest;    ///< a full queue makes room by dropping letters; no sender ever waits
  bool is_closed;       ///< no more letters come
  size_t sender_count;
  struct pl_list senders;  ///< pl_hub_wait, who has waited longest first
  struct pl_list receivers;
};

/// A sender or a receiver that waits.
struct pl_hub_wait {
  struct pl_message message;     ///< to its own thread, once it is over
  struct pl_list link;           ///< the queue's
  struct pl_hub_queue *queue;    ///< a reference
  struct pl_mailbox *mailbox;    ///< of its thread
  struct pl_letter *letter;      ///< a sender's until it is taken; what a receiver got
  void *owner;                   ///< NULL once the owner has let go; its thread's only
  void (*on_over)(void *owner);  ///< on the owner's thread
  int outcome;                   ///< PL_EAGAIN: it waits; 0, PL_EOF, PL_EPIPE, PL_ECANCELED
  bool is_receiver;
  _Atomic unsigned refs;  ///< the owner, and a message on its way
};

/// Makes a queue with one reference. Returns: 0 or an error.
PL_MUST_CHECK int pl_hub_queue_init(struct pl_hub_queue *queue, size_t capacity,
                                    void (*release)(struct pl_hub_queue *queue));

/// Frees the letters. Nobody waits any more: who waits has a reference. Returns: how many there
/// were.
size_t pl_hub_queue_deinit(struct pl_hub_queue *queue);

struct pl_hub_queue *pl_hub_queue_ref(struct pl_hub_queue *queue);
void pl_hub_queue_unref(struct pl_hub_queue *queue);

/// Gives a reference back unless it is the last one. Returns: whether it did. For release.
bool pl_hub_give_ref(_Atomic unsigned *refs);

/// Sends the letter. @param wait whom to queue when there is no room, or NULL
/// Returns: 0: it is the queue's now; PL_EAGAIN: no room, `wait` has the letter and waits, or it is
/// still the caller's; PL_EPIPE: closed, still the caller's.
PL_MUST_CHECK int pl_hub_queue_send(struct pl_hub_queue *queue, struct pl_letter *letter,
                                    struct pl_hub_wait *wait);

/// The same; whose wait is over is added to `over`, for pl_hub_tell. For who holds a lock that
/// giving back a queue's last reference takes.
PL_MUST_CHECK int pl_hub_queue_send_quietly(struct pl_hub_queue *queue, struct pl_letter *letter,
                                            struct pl_hub_wait *wait, struct pl_list *over);
void pl_hub_tell(struct pl_list *over);

/// A letter that could not be made counts as dropped.
void pl_hub_queue_lose(struct pl_hub_queue *queue);

/// Takes the first letter. @param wait whom to queue when there is none, or NULL
/// Returns: 0: *letter is the caller's; PL_EAGAIN: none; PL_EOF: none, and closed.
PL_MUST_CHECK int pl_hub_queue_receive(struct pl_hub_queue *queue, struct pl_letter **letter,
                                       struct pl_hub_wait *wait);

/// The letter was taken, and nobody will ever see it: it goes to whoever waits for one, else back
/// to its place.
void pl_hub_queue_give_back(struct pl_hub_queue *queue, struct pl_letter *letter);

/// No more letters. Receivers get what is left, then PL_EOF. @param discard what is left, too
void pl_hub_queue_close(struct pl_hub_queue *queue, bool discard);

/// @param capacity at least 1; senders that have room now go on
void pl_hub_queue_set_capacity(struct pl_hub_queue *queue, size_t capacity);

/// Letters in the queue, and those of senders that wait.
size_t pl_hub_queue_length(struct pl_hub_queue *queue);

/// Whether no letter is left and none will come.
bool pl_hub_queue_is_at_end(struct pl_hub_queue *queue);

// ---- waits; thread: the owner's ----

/// A wait that is not in the queue yet. Returns: NULL: out of memory.
PL_MUST_CHECK struct pl_hub_wait *pl_hub_wait_new(struct pl_hub_queue *queue,
                                                  struct pl_mailbox *mailbox, void *owner,
                                                  void (*on_over)(void *owner));

/// It waits no longer. Returns: PL_EAGAIN: it did until now, and on_over will not be called; else
/// its outcome: on_over has been called or will be.
int pl_hub_wait_stop(struct pl_hub_wait *wait);

/// After on_over, or when it was stopped in time: the letter that a receiver got or that a sender
/// still has, for the caller; NULL: none.
struct pl_letter *pl_hub_wait_take(struct pl_hub_wait *wait);

/// The owner lets go: on_over is not called any more; a letter that a receiver got goes back, one
/// that a sender still has is freed.
void pl_hub_wait_free(struct pl_hub_wait *wait);
