// Channels and topics of threads: each letter once, in order per sender, none lost by whoever lets
// go; names and memory.
#include "io/hub.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/hub_queue.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIMIT = 1 << 20, CELL_BYTES = 64 };

struct note {
  struct pl_cell cell;
  int sender, number;
};

static void free_note(struct pl_cell *cell) {
  pl_mem_free(PL_CONTAINER_OF(cell, struct note, cell));
}

static struct pl_cell *new_cell(struct pl_hub *hub, int sender, int number) {
  struct note *note = pl_mem_alloc(sizeof *note);
  bool has_room = pl_hub_budget_take(&hub->budget, CELL_BYTES);
  if (!note || !has_room) abort();
  note->sender = sender;
  note->number = number;
  pl_cell_init(&note->cell, &hub->budget, CELL_BYTES, free_note);
  return &note->cell;
}

static struct pl_letter *new_letter(struct pl_hub *hub, int sender, int number) {
  struct pl_letter *letter = pl_letter_new(new_cell(hub, sender, number));
  if (!letter) abort();
  return letter;
}

static struct note *note_of(const struct pl_letter *letter) {
  return PL_CONTAINER_OF(letter->cell, struct note, cell);
}

struct fixture {
  struct pl_hub hub;
  struct pl_loop loop;
  struct pl_mailbox box;
  struct pl_hub_queue *queue;
  int64_t bytes_before;
};

static int set_up(void **state) {
  int64_t bytes_before = pl_mem_stats().bytes;
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  if (!f) return -1;
  f->bytes_before = bytes_before;
  if (pl_hub_init(&f->hub, LIMIT) || pl_loop_init(&f->loop, NULL, NULL)) return -1;
  if (pl_mailbox_init(&f->box, &f->loop)) return -1;
  return pl_hub_open_channel(&f->hub, PL_STRV("test"), 2, &f->queue);
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  pl_mailbox_close(&f->box);
  int leaked = pl_loop_deinit(&f->loop);
  pl_mailbox_deinit(&f->box);
  if (f->queue) pl_hub_queue_unref(f->queue);
  pl_hub_deinit(&f->hub);
  size_t charged = f->hub.budget.bytes;
  int64_t bytes_before = f->bytes_before;
  pl_mem_free(f);
  return leaked || charged || pl_mem_stats().bytes != bytes_before;
}

// Lets the mailbox's messages come.
static void run(struct fixture *f) {
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

// A wait and what became of it.
struct waiter {
  struct pl_hub_wait *wait;
  int overs;
};

static void on_over(void *owner) {
  ((struct waiter *)owner)->overs++;
}

static void make_waiter(struct fixture *f, struct waiter *w) {
  *w = (struct waiter){.wait = pl_hub_wait_new(f->queue, &f->box, w, on_over)};
  assert_non_null(w->wait);
}

static void begin_receive(struct fixture *f, struct waiter *w) {
  struct pl_letter *letter;
  make_waiter(f, w);
  assert_int_equal(pl_hub_queue_receive(f->queue, &letter, w->wait), PL_EAGAIN);
}

static void begin_send(struct fixture *f, struct waiter *w, int number) {
  make_waiter(f, w);
  assert_int_equal(pl_hub_queue_send(f->queue, new_letter(&f->hub, 0, number), w->wait), PL_EAGAIN);
}

static void send_number(struct fixture *f, int number) {
  assert_int_equal(pl_hub_queue_send(f->queue, new_letter(&f->hub, 0, number), NULL), 0);
}

static struct pl_letter *receive_letter(struct pl_hub_queue *queue) {
  struct pl_letter *letter = NULL;
  assert_int_equal(pl_hub_queue_receive(queue, &letter, NULL), 0);
  return letter;
}

static void expect_from(struct pl_hub_queue *queue, int number, uint64_t lost) {
  struct pl_letter *letter = receive_letter(queue);
  assert_int_equal(note_of(letter)->number, number);
  assert_int_equal(letter->lost, lost);
  pl_letter_free(letter);
}

static void expect_number(struct fixture *f, int number) {
  expect_from(f->queue, number, 0);
}

static void expect_none(struct pl_hub_queue *queue, int rc) {
  struct pl_letter *letter;
  assert_int_equal(pl_hub_queue_receive(queue, &letter, NULL), rc);
}

// The receiver's wait is over with this letter, once.
static void expect_got(struct waiter *w, int number) {
  assert_int_equal(w->overs, 1);
  assert_int_equal(w->wait->outcome, 0);
  struct pl_letter *letter = pl_hub_wait_take(w->wait);
  assert_non_null(letter);
  assert_int_equal(note_of(letter)->number, number);
  pl_letter_free(letter);
  pl_hub_wait_free(w->wait);
}

static void letters_come_in_order_and_only_capacity_many_fit(void **state) {
  struct fixture *f = *state;
  expect_none(f->queue, PL_EAGAIN);
  send_number(f, 1);
  send_number(f, 2);
  struct pl_letter *third = new_letter(&f->hub, 0, 3);
  assert_int_equal(pl_hub_queue_send(f->queue, third, NULL), PL_EAGAIN);
  assert_int_equal(pl_hub_queue_length(f->queue), 2);
  expect_number(f, 1);
  assert_int_equal(pl_hub_queue_send(f->queue, third, NULL), 0);
  expect_number(f, 2);
  expect_number(f, 3);
  expect_none(f->queue, PL_EAGAIN);
}

static void receivers_are_served_in_the_order_in_which_they_came(void **state) {
  struct fixture *f = *state;
  struct waiter a, b;
  begin_receive(f, &a);
  begin_receive(f, &b);
  send_number(f, 1);
  send_number(f, 2);
  expect_none(f->queue, PL_EAGAIN);
  assert_int_equal(a.overs, 0);
  run(f);
  expect_got(&a, 1);
  expect_got(&b, 2);
}

static void senders_that_wait_go_on_in_order_when_there_is_room(void **state) {
  struct fixture *f = *state;
  struct waiter a, b;
  send_number(f, 1);
  send_number(f, 2);
  begin_send(f, &a, 3);
  begin_send(f, &b, 4);
  assert_int_equal(pl_hub_queue_length(f->queue), 4);
  expect_number(f, 1);
  run(f);
  assert_int_equal(a.overs, 1);
  assert_int_equal(b.overs, 0);
  pl_hub_queue_set_capacity(f->queue, 3);
  run(f);
  assert_int_equal(b.overs, 1);
  for (int number = 2; number <= 4; number++) expect_number(f, number);
  pl_hub_wait_free(a.wait);
  pl_hub_wait_free(b.wait);
}

static void a_stopped_wait_is_out_of_the_queue(void **state) {
  struct fixture *f = *state;
  struct waiter receiver, sender;
  begin_receive(f, &receiver);
  assert_int_equal(pl_hub_wait_stop(receiver.wait), PL_EAGAIN);
  send_number(f, 1);
  send_number(f, 2);
  begin_send(f, &sender, 3);
  assert_int_equal(pl_hub_wait_stop(sender.wait), PL_EAGAIN);
  expect_number(f, 1);
  expect_number(f, 2);
  expect_none(f->queue, PL_EAGAIN);
  run(f);
  assert_int_equal(receiver.overs + sender.overs, 0);
  pl_hub_wait_free(receiver.wait);
  pl_hub_wait_free(sender.wait);
}

static void a_wait_that_is_over_cannot_be_stopped(void **state) {
  struct fixture *f = *state;
  struct waiter w;
  begin_receive(f, &w);
  send_number(f, 1);
  assert_int_equal(pl_hub_wait_stop(w.wait), 0);
  run(f);
  expect_got(&w, 1);
}

static void a_receiver_that_lets_go_gives_its_letter_to_the_next(void **state) {
  struct fixture *f = *state;
  struct waiter a, b;
  begin_receive(f, &a);
  begin_receive(f, &b);
  send_number(f, 1);
  pl_hub_wait_free(a.wait);  // its message is on its way
  run(f);
  assert_int_equal(a.overs, 0);
  expect_got(&b, 1);
}

static void letters_that_are_given_back_find_their_places_again(void **state) {
  struct fixture *f = *state;
  struct waiter w[3];
  for (int i = 0; i < 3; i++) begin_receive(f, &w[i]);
  for (int i = 1; i <= 5; i++) send_number(f, i);
  pl_hub_wait_free(w[1].wait);
  pl_hub_wait_free(w[2].wait);
  pl_hub_wait_free(w[0].wait);
  for (int i = 1; i <= 5; i++) expect_number(f, i);
  run(f);
  assert_int_equal(w[0].overs + w[1].overs + w[2].overs, 0);
  send_number(f, 6);
  struct pl_letter *letter = receive_letter(f->queue);
  send_number(f, 7);
  pl_hub_queue_give_back(f->queue, letter);
  expect_number(f, 6);
  expect_number(f, 7);
}

static void a_sender_that_lets_go_has_sent_or_not(void **state) {
  struct fixture *f = *state;
  struct waiter sent, unsent;
  send_number(f, 1);
  send_number(f, 2);
  begin_send(f, &sent, 3);
  begin_send(f, &unsent, 4);
  expect_number(f, 1);
  pl_hub_wait_free(sent.wait);
  pl_hub_wait_free(unsent.wait);
  expect_number(f, 2);
  expect_number(f, 3);
  expect_none(f->queue, PL_EAGAIN);
  run(f);
  assert_int_equal(sent.overs + unsent.overs, 0);
}

static void closing_ends_the_waits_and_leaves_the_letters(void **state) {
  struct fixture *f = *state;
  struct waiter sender, receiver;
  send_number(f, 1);
  send_number(f, 2);
  begin_send(f, &sender, 3);
  pl_hub_queue_close(f->queue, false);
  run(f);
  assert_int_equal(sender.overs, 1);
  assert_int_equal(sender.wait->outcome, PL_EPIPE);
  pl_hub_wait_free(sender.wait);
  struct pl_letter *late = new_letter(&f->hub, 0, 4);
  assert_int_equal(pl_hub_queue_send(f->queue, late, NULL), PL_EPIPE);
  pl_letter_free(late);
  expect_number(f, 1);
  assert_false(pl_hub_queue_is_at_end(f->queue));
  expect_number(f, 2);
  assert_true(pl_hub_queue_is_at_end(f->queue));
  expect_none(f->queue, PL_EOF);
  pl_hub_queue_unref(f->queue);
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("test"), 0, &f->queue), 0);
  begin_receive(f, &receiver);
  pl_hub_queue_close(f->queue, false);
  run(f);
  assert_int_equal(receiver.overs, 1);
  assert_int_equal(receiver.wait->outcome, PL_EOF);
  assert_null(pl_hub_wait_take(receiver.wait));
  pl_hub_wait_free(receiver.wait);
}

static void a_name_is_one_channel_until_it_is_closed_and_empty(void **state) {
  struct fixture *f = *state;
  struct pl_hub_queue *again, *other;
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("test"), 0, &again), 0);
  assert_ptr_equal(again, f->queue);
  assert_int_equal(again->capacity, 2);
  pl_hub_queue_unref(again);
  assert_int_equal(pl_hub_open_channel(&f->hub, pl_strv("te\0st", 5), 5, &other), 0);
  assert_ptr_not_equal(other, f->queue);
  assert_int_equal(other->capacity, 5);
  pl_hub_queue_unref(other);
  send_number(f, 1);
  pl_hub_queue_close(f->queue, false);
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("test"), 0, &again), 0);
  assert_ptr_equal(again, f->queue);
  expect_number(f, 1);
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("test"), 0, &other), 0);
  assert_ptr_not_equal(other, f->queue);
  assert_int_equal(other->capacity, PL_HUB_CAPACITY);
  pl_hub_queue_unref(again);
  pl_hub_queue_unref(other);
}

static void letters_wait_for_a_receiver_while_nobody_holds_their_channel(void **state) {
  struct fixture *f = *state;
  size_t charged = f->hub.budget.bytes;
  send_number(f, 1);
  pl_hub_queue_unref(f->queue);
  assert_true(f->hub.budget.bytes > charged);
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("test"), 0, &f->queue), 0);
  expect_number(f, 1);
  pl_hub_queue_unref(f->queue);
  assert_int_equal(f->hub.budget.bytes, 0);
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("test"), 0, &f->queue), 0);
  send_number(f, 2);
  pl_hub_queue_unref(f->queue);
  f->queue = NULL;
  assert_int_equal(pl_hub_deinit(&f->hub), 1);
  assert_int_equal(pl_hub_init(&f->hub, LIMIT), 0);
}

static void names_are_refused_when_they_hold_too_much(void **state) {
  struct fixture *f = *state;
  enum { MANY = 100000 };
  struct pl_hub_queue *queue;
  int error = 0, count = 0;
  for (; !error && count < MANY; count++) {
    char name[16];
    int len = snprintf(name, sizeof name, "%d", count);
    error = pl_hub_open_channel(&f->hub, pl_strv(name, (size_t)len), 0, &queue);
    if (error) break;
    struct pl_letter *letter = new_letter(&f->hub, 0, 0);
    assert_int_equal(pl_hub_queue_send(queue, letter, NULL), 0);
    pl_hub_queue_unref(queue);
    if (f->hub.budget.bytes > LIMIT - 2 * CELL_BYTES) break;
  }
  assert_true(count < MANY);
  size_t left = LIMIT - f->hub.budget.bytes;
  assert_true(pl_hub_budget_take(&f->hub.budget, left));
  assert_false(pl_hub_budget_take(&f->hub.budget, 1));
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("x"), 0, &queue), PL_ELIMIT);
  pl_hub_budget_give(&f->hub.budget, left);
}

static void every_subscriber_gets_what_is_published(void **state) {
  struct fixture *f = *state;
  struct pl_hub_topic *topic, *same;
  struct pl_hub_queue *a, *b;
  assert_int_equal(pl_hub_open_topic(&f->hub, PL_STRV("test"), &topic), 0);
  assert_int_equal(pl_hub_open_topic(&f->hub, PL_STRV("test"), &same), 0);
  assert_ptr_equal(topic, same);
  pl_hub_topic_unref(same);
  struct pl_cell *cell = new_cell(&f->hub, 0, 1);
  assert_int_equal(pl_hub_publish(topic, cell), 0);
  assert_int_equal(pl_hub_subscribe(topic, 3, &a), 0);
  assert_int_equal(pl_hub_subscribe(topic, 3, &b), 0);
  assert_int_equal(pl_hub_publish(topic, cell), 2);
  pl_cell_unref(cell);
  expect_from(a, 1, 0);
  expect_none(a, PL_EAGAIN);
  pl_hub_unsubscribe(a);
  pl_hub_queue_unref(a);
  expect_from(b, 1, 0);
  pl_hub_topic_unref(topic);
  pl_hub_queue_unref(b);
}

static void a_slow_subscriber_loses_the_oldest_and_is_told(void **state) {
  struct fixture *f = *state;
  struct pl_hub_topic *topic;
  struct pl_hub_queue *slow, *fast;
  assert_int_equal(pl_hub_open_topic(&f->hub, PL_STRV("test"), &topic), 0);
  assert_int_equal(pl_hub_subscribe(topic, 2, &slow), 0);
  assert_int_equal(pl_hub_subscribe(topic, 1, &fast), 0);
  for (int i = 1; i <= 5; i++) {
    struct pl_cell *cell = new_cell(&f->hub, 0, i);
    assert_int_equal(pl_hub_publish(topic, cell), 2);
    pl_cell_unref(cell);
    expect_from(fast, i, 0);
  }
  struct pl_letter *letter = receive_letter(slow);
  assert_int_equal(letter->lost, 3);
  pl_hub_queue_give_back(slow, letter);  // with what it said
  expect_from(slow, 4, 3);
  expect_from(slow, 5, 0);
  pl_hub_queue_lose(slow);
  struct pl_cell *cell = new_cell(&f->hub, 0, 6);
  assert_int_equal(pl_hub_publish(topic, cell), 2);
  pl_cell_unref(cell);
  expect_from(slow, 6, 1);
  pl_hub_queue_unref(slow);
  pl_hub_queue_unref(fast);
  pl_hub_topic_unref(topic);
}

static void a_subscriber_holds_a_bounded_number_of_bytes(void **state) {
  struct fixture *f = *state;
  struct pl_hub_topic *topic;
  struct pl_hub_queue *slow;
  assert_int_equal(pl_hub_open_topic(&f->hub, PL_STRV("test"), &topic), 0);
  assert_int_equal(pl_hub_subscribe(topic, SIZE_MAX, &slow), 0);
  for (int i = 0; i < LIMIT / CELL_BYTES; i++) {
    struct pl_cell *cell = new_cell(&f->hub, 0, i);
    assert_int_equal(pl_hub_publish(topic, cell), 1);
    pl_cell_unref(cell);
  }
  assert_int_equal(pl_hub_queue_length(slow), LIMIT / 8 / CELL_BYTES);
  pl_hub_queue_unref(slow);
  pl_hub_topic_unref(topic);
}

static void without_memory_nothing_is_left_behind(void **state) {
  struct fixture *f = *state;
  size_t charged = f->hub.budget.bytes;
  struct pl_hub_queue *queue;
  struct pl_hub_topic *topic;
  pl_mem_fail_nth(1);
  assert_int_equal(pl_hub_open_channel(&f->hub, PL_STRV("x"), 0, &queue), PL_ENOMEM);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_hub_open_topic(&f->hub, PL_STRV("x"), &topic), PL_ENOMEM);
  pl_mem_fail_nth(0);
  assert_int_equal(pl_hub_open_topic(&f->hub, PL_STRV("x"), &topic), 0);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_hub_subscribe(topic, 1, &queue), PL_ENOMEM);
  pl_mem_fail_nth(0);
  assert_int_equal(pl_hub_subscribe(topic, 1, &queue), 0);
  struct pl_cell *cell = new_cell(&f->hub, 0, 1);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_hub_publish(topic, cell), 1);
  pl_mem_fail_nth(0);
  assert_int_equal(pl_hub_publish(topic, cell), 1);
  pl_cell_unref(cell);
  expect_from(queue, 1, 1);
  pl_hub_queue_unref(queue);
  pl_hub_topic_unref(topic);
  assert_int_equal(f->hub.budget.bytes, charged);
}

// ---- threads ----

enum { THREADS = 4, MESSAGES = 3000 };

// A thread with a loop that has one receiver and one sender, both waiting and letting go at random.
struct worker {
  struct fixture *f;
  int index;
  uv_thread_t thread;
  struct pl_loop loop;
  struct pl_mailbox box;
  uint64_t random;
  bool lets_go;
  struct pl_deferred step;
  struct waiter receiver, sender;  // wait: NULL when idle
  int next;                        // the next number to send
  int last[THREADS];               // received of each sender
  int received, wrong, given_back;
  _Atomic int *left;  // letters that nobody has received yet
};

static int draw(struct worker *w, int n) {
  w->random = w->random * 6364136223846793005u + 1442695040888963407u;
  return (int)((w->random >> 33) % (unsigned)n);
}

static void note_received(struct worker *w, struct pl_letter *letter) {
  const struct note *note = note_of(letter);
  w->wrong += note->number <= w->last[note->sender];
  w->last[note->sender] = note->number;
  w->received++;
  pl_letter_free(letter);
  if (atomic_fetch_sub(w->left, 1) == 1) pl_hub_queue_close(w->f->queue, false);
}

static void go_on(struct worker *w) {
  pl_loop_defer(&w->loop, &w->step);
}

static void on_sent(void *owner) {
  struct worker *w = PL_CONTAINER_OF(owner, struct worker, sender);
  w->next += w->sender.wait->outcome == 0;
  pl_hub_wait_free(w->sender.wait);
  w->sender.wait = NULL;
  go_on(w);
}

static void on_received(void *owner) {
  struct worker *w = PL_CONTAINER_OF(owner, struct worker, receiver);
  struct pl_letter *letter = pl_hub_wait_take(w->receiver.wait);
  bool is_over = w->receiver.wait->outcome == PL_EOF;
  pl_hub_wait_free(w->receiver.wait);
  w->receiver.wait = NULL;
  if (is_over) {
    pl_mailbox_close(&w->box);
    return;
  }
  note_received(w, letter);
  go_on(w);
}

static void step_sender(struct worker *w) {
  if (w->sender.wait || w->next > MESSAGES) return;
  struct pl_letter *letter = new_letter(&w->f->hub, w->index, w->next);
  w->sender.wait = pl_hub_wait_new(w->f->queue, &w->box, &w->sender, on_sent);
  int rc = pl_hub_queue_send(w->f->queue, letter, w->sender.wait);
  if (rc == PL_EAGAIN) return;
  pl_hub_wait_free(w->sender.wait);
  w->sender.wait = NULL;
  w->next++;
}

// Returns: whether the worker has ended.
static bool step_receiver(struct worker *w) {
  struct pl_letter *letter;
  if (w->receiver.wait) {
    if (!w->lets_go || draw(w, 3)) return false;
    pl_hub_wait_free(w->receiver.wait);  // with or without a letter on its way
    w->receiver.wait = NULL;
    w->given_back++;
  }
  w->receiver.wait = pl_hub_wait_new(w->f->queue, &w->box, &w->receiver, on_received);
  int rc = pl_hub_queue_receive(w->f->queue, &letter, w->receiver.wait);
  if (rc == PL_EAGAIN) return false;
  pl_hub_wait_free(w->receiver.wait);
  w->receiver.wait = NULL;
  if (rc == PL_EOF) {
    pl_mailbox_close(&w->box);
    return true;
  }
  note_received(w, letter);
  return false;
}

static void on_step(struct pl_deferred *d) {
  struct worker *w = PL_CONTAINER_OF(d, struct worker, step);
  for (int i = draw(w, 4); i > 0; i--) step_sender(w);
  if (step_receiver(w)) return;
  if (!w->receiver.wait || !w->sender.wait) go_on(w);
}

static void run_worker(void *arg) {
  struct worker *w = arg;
  go_on(w);
  pl_loop_run(&w->loop);
  if (w->sender.wait) pl_hub_wait_free(w->sender.wait);
  if (w->receiver.wait) pl_hub_wait_free(w->receiver.wait);
}

// Returns: how often a thread got a sender's letters in another order.
static int run_workers(struct fixture *f, bool let_go) {
  static struct worker workers[THREADS];
  _Atomic int left = THREADS * MESSAGES;
  for (int i = 0; i < THREADS; i++) {
    struct worker *w = &workers[i];
    *w = (struct worker){
        .f = f, .index = i, .random = (unsigned)i, .lets_go = let_go, .next = 1, .left = &left};
    w->step.fn = on_step;
    pl_list_init(&w->step.link);
    assert_int_equal(pl_loop_init(&w->loop, NULL, NULL), 0);
    assert_int_equal(pl_mailbox_init(&w->box, &w->loop), 0);
  }
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(uv_thread_create(&workers[i].thread, run_worker, &workers[i]), 0);
  int received = 0, wrong = 0, given_back = 0;
  for (int i = 0; i < THREADS; i++) uv_thread_join(&workers[i].thread);
  for (int i = 0; i < THREADS; i++) {
    received += workers[i].received;
    wrong += workers[i].wrong;
    given_back += workers[i].given_back;
    assert_int_equal(pl_loop_deinit(&workers[i].loop), 0);
    pl_mailbox_deinit(&workers[i].box);
  }
  assert_int_equal(received, THREADS * MESSAGES);
  assert_int_equal(atomic_load(&left), 0);
  assert_int_equal(given_back > 0, let_go);
  return wrong;
}

static void many_threads_get_every_letter_once_and_in_order(void **state) {
  assert_int_equal(run_workers(*state, false), 0);
}

// What is given back may come behind what others have received meanwhile.
static void many_threads_get_every_letter_once_when_receivers_let_go(void **state) {
  run_workers(*state, true);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(letters_come_in_order_and_only_capacity_many_fit),
      TEST(receivers_are_served_in_the_order_in_which_they_came),
      TEST(senders_that_wait_go_on_in_order_when_there_is_room),
      TEST(a_stopped_wait_is_out_of_the_queue),
      TEST(a_wait_that_is_over_cannot_be_stopped),
      TEST(a_receiver_that_lets_go_gives_its_letter_to_the_next),
      TEST(letters_that_are_given_back_find_their_places_again),
      TEST(a_sender_that_lets_go_has_sent_or_not),
      TEST(closing_ends_the_waits_and_leaves_the_letters),
      TEST(a_name_is_one_channel_until_it_is_closed_and_empty),
      TEST(letters_wait_for_a_receiver_while_nobody_holds_their_channel),
      TEST(names_are_refused_when_they_hold_too_much),
      TEST(every_subscriber_gets_what_is_published),
      TEST(a_slow_subscriber_loses_the_oldest_and_is_told),
      TEST(a_subscriber_holds_a_bounded_number_of_bytes),
      TEST(without_memory_nothing_is_left_behind),
      TEST(many_threads_get_every_letter_once_and_in_order),
      TEST(many_threads_get_every_letter_once_when_receivers_let_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
