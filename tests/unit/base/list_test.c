// The intrusive ring: order, removal from anywhere, removal twice.
#include "base/list.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
  int number;
  struct pl_list node;
};

static int number_of(struct pl_list *node) {
  return node ? PL_CONTAINER_OF(node, struct item, node)->number : -1;
}

static void a_new_list_is_empty(void **state) {
  (void)state;
  struct pl_list head;
  pl_list_init(&head);
  assert_true(pl_list_is_empty(&head));
  assert_null(pl_list_pop_front(&head));
}

static void nodes_leave_in_the_order_they_came(void **state) {
  (void)state;
  struct pl_list head;
  struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
  pl_list_init(&head);
  for (int i = 0; i < 3; i++) pl_list_push_back(&head, &items[i].node);
  for (int i = 0; i < 3; i++) assert_int_equal(number_of(pl_list_pop_front(&head)), i);
  assert_true(pl_list_is_empty(&head));
}

static void a_node_is_removed_from_the_middle(void **state) {
  (void)state;
  struct pl_list head;
  struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
  pl_list_init(&head);
  for (int i = 0; i < 3; i++) pl_list_push_back(&head, &items[i].node);
  pl_list_remove(&items[1].node);
  assert_int_equal(number_of(pl_list_pop_front(&head)), 0);
  assert_int_equal(number_of(pl_list_pop_front(&head)), 2);
  assert_true(pl_list_is_empty(&head));
}

static void removing_twice_is_harmless(void **state) {
  (void)state;
  struct pl_list head;
  struct item a = {.number = 1}, b = {.number = 2};
  pl_list_init(&head);
  pl_list_push_back(&head, &a.node);
  pl_list_push_back(&head, &b.node);
  pl_list_remove(&a.node);
  pl_list_remove(&a.node);
  assert_true(pl_list_is_empty(&a.node));
  assert_int_equal(number_of(pl_list_pop_front(&head)), 2);
  pl_list_remove(&b.node);
  assert_true(pl_list_is_empty(&head));
}

static void a_popped_node_can_join_again(void **state) {
  (void)state;
  struct pl_list head;
  struct item a = {.number = 1};
  pl_list_init(&head);
  for (int i = 0; i < 3; i++) {
    pl_list_push_back(&head, &a.node);
    assert_int_equal(number_of(pl_list_pop_front(&head)), 1);
  }
  assert_null(pl_list_pop_front(&head));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_list_is_empty),
      cmocka_unit_test(nodes_leave_in_the_order_they_came),
      cmocka_unit_test(a_node_is_removed_from_the_middle),
      cmocka_unit_test(removing_twice_is_harmless),
      cmocka_unit_test(a_popped_node_can_join_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
