// Which folders of the control groups are visited, in what order; and reading a file of one.
#define _GNU_SOURCE
#include "base/cgroup.h"

#include "fake_root.h"

static char visited[1024];

static void note(const char *folder, bool is_v2, void *ctx) {
  assert_ptr_equal(ctx, visited);
  size_t len = strlen(visited);
  snprintf(visited + len, sizeof visited - len, "%s%s ",
           is_v2 ? "2:" : "1:", folder + strlen(root));
}

static void expect_visits(const char *controller, const char *expected) {
  visited[0] = '\0';
  pl_cgroup_walk(root, controller, note, visited);
  assert_string_equal(visited, expected);
}

static void walk_goes_up_to_the_root_of_v2(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/slice/app\n");
  expect_visits("memory", "2:/sys/fs/cgroup/slice/app 2:/sys/fs/cgroup/slice 2:/sys/fs/cgroup ");
}

static void walk_takes_the_controllers_hierarchy_of_v1(void **state) {
  (void)state;
  put("/proc/self/cgroup", "3:cpuset:/a\n2:cpu,memory:/b\n1:name=systemd:/c\n");
  expect_visits("memory", "1:/sys/fs/cgroup/memory/b 1:/sys/fs/cgroup/memory ");
  expect_visits("cpu", "1:/sys/fs/cgroup/cpu/b 1:/sys/fs/cgroup/cpu ");
  expect_visits("mem", "");
}

static void walk_survives_nonsense_and_nothing(void **state) {
  (void)state;
  expect_visits("memory", "");
  put("/proc/self/cgroup", "\n:\n0:\nx:memory\n");
  expect_visits("memory", "");
}

static void read_gives_the_first_line(void **state) {
  (void)state;
  char line[PL_CGROUP_LINE_BYTES];
  put("/group/empty", "");
  put("/group/two", "first\nsecond\n");
  assert_false(pl_cgroup_read(root, "group/none", line));
  assert_false(pl_cgroup_read(root, "group/empty", line));
  assert_true(pl_cgroup_read(root, "group/two", line));
  assert_string_equal(line, "first\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ROOT_TEST(walk_goes_up_to_the_root_of_v2),
      ROOT_TEST(walk_takes_the_controllers_hierarchy_of_v1),
      ROOT_TEST(walk_survives_nonsense_and_nothing),
      ROOT_TEST(read_gives_the_first_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
