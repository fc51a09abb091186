// The container's memory: limits of cgroup v1 and v2, read from trees of files made here.
#define _GNU_SOURCE
#include "base/memory_limit.h"

#include "fake_root.h"

static void expect_limit(uint64_t bytes) {
  assert_int_equal(pl_memory_limit_by_cgroup(root), bytes);
}

static void memory_has_no_limit_without_cgroups(void **state) {
  (void)state;
  expect_limit(0);
}

static void memory_reads_a_v2_limit(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/app\n");
  put("/sys/fs/cgroup/app/memory.max", "268435456\n");
  expect_limit(268435456);
  put("/sys/fs/cgroup/app/memory.max", "max\n");
  expect_limit(0);
}

static void memory_takes_the_smallest_limit_of_the_groups_above(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/slice/app\n");
  put("/sys/fs/cgroup/slice/app/memory.max", "300000000\n");
  put("/sys/fs/cgroup/slice/memory.max", "200000000\n");
  put("/sys/fs/cgroup/memory.max", "max\n");
  expect_limit(200000000);
}

static void memory_falls_back_to_the_mounts_root_in_a_container(void **state) {
  (void)state;
  put("/proc/self/cgroup", "4:memory:/docker/0123\n");  // the host's name, not to be found here
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n");
  expect_limit(134217728);
}

static void memory_takes_v1s_huge_figure_for_none(void **state) {
  (void)state;
  put("/proc/self/cgroup", "4:memory:/app\n");
  put("/sys/fs/cgroup/memory/app/memory.limit_in_bytes", "9223372036854771712\n");
  expect_limit(0);
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "500000000\n");
  expect_limit(500000000);
}

static void memory_takes_the_smaller_of_both_versions(void **state) {
  (void)state;
  put("/proc/self/cgroup", "4:memory:/app\n0::/app\n");
  put("/sys/fs/cgroup/memory/app/memory.limit_in_bytes", "400000000\n");
  put("/sys/fs/cgroup/app/memory.max", "300000000\n");
  expect_limit(300000000);
}

static void memory_survives_nonsense(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/app\n");
  put("/sys/fs/cgroup/app/memory.max", "nonsense\n");
  put("/sys/fs/cgroup/memory.max", "-5\n");
  expect_limit(0);
  put("/sys/fs/cgroup/memory.max", "0\n");
  expect_limit(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ROOT_TEST(memory_has_no_limit_without_cgroups),
      ROOT_TEST(memory_reads_a_v2_limit),
      ROOT_TEST(memory_takes_the_smallest_limit_of_the_groups_above),
      ROOT_TEST(memory_falls_back_to_the_mounts_root_in_a_container),
      ROOT_TEST(memory_takes_v1s_huge_figure_for_none),
      ROOT_TEST(memory_takes_the_smaller_of_both_versions),
      ROOT_TEST(memory_survives_nonsense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
