// Messages from other threads to a loop: none lost, in order per sender, discarded once closed.
#include "io/mailbox.h"

#include "base/mem.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SENDERS = 4, MESSAGES = 5000 };

struct fixture {
  struct pl_loop loop;
  struct pl_mailbox box;
  int delivered, discarded;  // the loop's thread; discarded: also a sender's, under `mutex`
  int last[SENDERS];
  int wrong;
  int close_after;  // deliveries; 0 = never
  uv_mutex_t mutex;
};

struct letter {
  struct pl_message message;
  struct fixture *f;
  int sender, number;
};

static void discard(struct pl_message *m) {
  struct letter *letter = PL_CONTAINER_OF(m, struct letter, message);
  uv_mutex_lock(&letter->f->mutex);
  letter->f->discarded++;
  uv_mutex_unlock(&letter->f->mutex);
  pl_mem_free(letter);
}

static void deliver(struct pl_message *m) {
  struct letter *letter = PL_CONTAINER_OF(m, struct letter, message);
  struct fixture *f = letter->f;
  f->wrong += letter->number != f->last[letter->sender] + 1;
  f->last[letter->sender] = letter->number;
  f->delivered++;
  if (f->delivered == f->close_after) pl_mailbox_close(&f->box);
  pl_mem_free(letter);
}

static void post(struct fixture *f, int sender, int number) {
  struct letter *letter = pl_mem_alloc(sizeof *letter);
  *letter = (struct letter){{.deliver = deliver, .discard = discard}, f, sender, number};
  pl_mailbox_post(&f->box, &letter->message);
}

struct sender {
  struct fixture *f;
  int index;
  uv_thread_t thread;
};

static void send_all(void *arg) {
  struct sender *sender = arg;
  for (int i = 1; i <= MESSAGES; i++) post(sender->f, sender->index, i);
}

static void start_senders(struct fixture *f, struct sender senders[SENDERS]) {
  for (int i = 0; i < SENDERS; i++) {
    senders[i] = (struct sender){.f = f, .index = i};
    assert_int_equal(uv_thread_create(&senders[i].thread, send_all, &senders[i]), 0);
  }
}

static void join_senders(struct sender senders[SENDERS]) {
  for (int i = 0; i < SENDERS; i++) uv_thread_join(&senders[i].thread);
}

static int set_up(void **state) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  if (!f || uv_mutex_init(&f->mutex) || pl_loop_init(&f->loop, NULL, NULL)) return -1;
  return pl_mailbox_init(&f->box, &f->loop);
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  pl_mailbox_close(&f->box);
  int leaked = pl_loop_deinit(&f->loop);
  pl_mailbox_deinit(&f->box);
  uv_mutex_destroy(&f->mutex);
  pl_mem_free(f);
  return leaked;
}

static void every_message_is_delivered_in_order_per_sender(void **state) {
  struct fixture *f = *state;
  struct sender senders[SENDERS];
  f->close_after = SENDERS * MESSAGES;  // and with the box closed the loop ends
  start_senders(f, senders);
  pl_loop_run(&f->loop);
  join_senders(senders);
  assert_int_equal(f->delivered, SENDERS * MESSAGES);
  assert_int_equal(f->discarded, 0);
  assert_int_equal(f->wrong, 0);
}

static void a_box_closed_meanwhile_delivers_or_discards_each_message_once(void **state) {
  struct fixture *f = *state;
  struct sender senders[SENDERS];
  f->close_after = MESSAGES / 2;
  start_senders(f, senders);
  pl_loop_run(&f->loop);
  join_senders(senders);
  assert_int_equal(f->delivered, MESSAGES / 2);
  assert_int_equal(f->discarded, SENDERS * MESSAGES - MESSAGES / 2);
  assert_int_equal(f->wrong, 0);
}

static void close_discards_what_was_not_delivered(void **state) {
  struct fixture *f = *state;
  for (int i = 1; i <= 3; i++) post(f, 0, i);
  pl_mailbox_close(&f->box);
  assert_int_equal(f->discarded, 3);
  post(f, 0, 4);
  assert_int_equal(f->discarded, 4);
  pl_mailbox_close(&f->box);
  pl_loop_run(&f->loop);
  assert_int_equal(f->delivered, 0);
}

static void close_inside_a_delivery_discards_the_rest(void **state) {
  struct fixture *f = *state;
  f->close_after = 2;
  for (int i = 1; i <= 5; i++) post(f, 0, i);
  pl_loop_run(&f->loop);
  assert_int_equal(f->delivered, 2);
  assert_int_equal(f->discarded, 3);
}

struct echo {
  struct pl_message message;
  struct fixture *f;
  int left;
};

static void deliver_echo(struct pl_message *m) {
  struct echo *echo = PL_CONTAINER_OF(m, struct echo, message);
  if (echo->left-- > 0) {
    pl_mailbox_post(&echo->f->box, m);
  } else {
    pl_mailbox_close(&echo->f->box);
  }
}

static void a_message_can_be_posted_again_while_it_is_delivered(void **state) {
  struct fixture *f = *state;
  struct echo echo = {{.deliver = deliver_echo}, f, 3};
  pl_mailbox_post(&f->box, &echo.message);
  pl_loop_run(&f->loop);
  assert_int_equal(echo.left, -1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(every_message_is_delivered_in_order_per_sender),
      TEST(a_box_closed_meanwhile_delivers_or_discards_each_message_once),
      TEST(close_discards_what_was_not_delivered),
      TEST(close_inside_a_delivery_discards_the_rest),
      TEST(a_message_can_be_posted_again_while_it_is_delivered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
