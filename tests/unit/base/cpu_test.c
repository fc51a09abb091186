// Usable CPUs: quotas of cgroup v1 and v2, read from trees of files made here.
#define _GNU_SOURCE
#include "base/cpu.h"

#include "fake_root.h"

static void cpu_has_no_limit_without_cgroups(void **state) {
  (void)state;
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 7), 7);
}

static void cpu_rounds_a_v2_quota_up(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/app\n");
  put("/sys/fs/cgroup/app/cpu.max", "150000 100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 2);
  put("/sys/fs/cgroup/app/cpu.max", "200000 100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 2);
}

static void cpu_is_at_least_one(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/app\n");
  put("/sys/fs/cgroup/app/cpu.max", "1000 100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 1);
}

static void cpu_never_exceeds_the_affinity(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/app\n");
  put("/sys/fs/cgroup/app/cpu.max", "900000 100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 4), 4);
}

static void cpu_ignores_a_v2_group_without_quota(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/app\n");
  put("/sys/fs/cgroup/app/cpu.max", "max 100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 4), 4);
}

static void cpu_takes_the_smallest_quota_of_the_groups_above(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/slice/app\n");
  put("/sys/fs/cgroup/slice/app/cpu.max", "500000 100000\n");
  put("/sys/fs/cgroup/slice/cpu.max", "300000 100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 3);
}

static void cpu_falls_back_to_the_mounts_root_in_a_container(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/docker/0123\n");  // the host's name, not to be found here
  put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 2);
}

static void cpu_reads_a_v1_quota(void **state) {
  (void)state;
  put("/proc/self/cgroup", "9:memory:/x\n4:cpu,cpuacct:/docker/y\n");
  put("/sys/fs/cgroup/cpu/docker/y/cpu.cfs_quota_us", "250000\n");
  put("/sys/fs/cgroup/cpu/docker/y/cpu.cfs_period_us", "100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 3);
  put("/sys/fs/cgroup/cpu/docker/y/cpu.cfs_quota_us", "-1\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 8);
}

static void cpu_does_not_take_cpuset_for_cpu(void **state) {
  (void)state;
  put("/proc/self/cgroup", "4:cpuset:/y\n3:cpuacct:/y\n");
  put("/sys/fs/cgroup/cpu/y/cpu.cfs_quota_us", "100000\n");
  put("/sys/fs/cgroup/cpu/y/cpu.cfs_period_us", "100000\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 8), 8);
}

static void cpu_survives_nonsense(void **state) {
  (void)state;
  put("/proc/self/cgroup", "\n:\n0:\nx:cpu\n0::\n0::/app\n");
  put("/sys/fs/cgroup/app/cpu.max", "nonsense\n");
  put("/sys/fs/cgroup/cpu.max", "100000 0\n");
  assert_int_equal(pl_cpu_limit_by_cgroup(root, 5), 5);
}

static void cpu_of_this_process_is_within_its_affinity(void **state) {
  (void)state;
  long online = sysconf(_SC_NPROCESSORS_CONF);
  assert_in_range(pl_cpu_usable(), 1, (uintmax_t)online);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ROOT_TEST(cpu_has_no_limit_without_cgroups),
      ROOT_TEST(cpu_rounds_a_v2_quota_up),
      ROOT_TEST(cpu_is_at_least_one),
      ROOT_TEST(cpu_never_exceeds_the_affinity),
      ROOT_TEST(cpu_ignores_a_v2_group_without_quota),
      ROOT_TEST(cpu_takes_the_smallest_quota_of_the_groups_above),
      ROOT_TEST(cpu_falls_back_to_the_mounts_root_in_a_container),
      ROOT_TEST(cpu_reads_a_v1_quota),
      ROOT_TEST(cpu_does_not_take_cpuset_for_cpu),
      ROOT_TEST(cpu_survives_nonsense),
      ROOT_TEST(cpu_of_this_process_is_within_its_affinity),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
