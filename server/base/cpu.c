// Affinity, and the quotas that the control groups give:
//
//   v2   cpu.max              "150000 100000", "max 100000"
//   v1   cpu.cfs_quota_us     150000, -1 = none
//        cpu.cfs_period_us    100000
#define _GNU_SOURCE  // sched_getaffinity, CPU_COUNT_S
#include "base/cpu.h"

#include "base/cgroup.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>

enum { MOST_CPUS = 16384 };

static unsigned count_affinity(void) {
  union {
    cpu_set_t set;
    unsigned char bytes[MOST_CPUS / CHAR_BIT];
  } mask;
  if (sched_getaffinity(0, sizeof mask, &mask.set) < 0) return 1;
  int count = CPU_COUNT_S(sizeof mask, &mask.set);
  return count < 1 ? 1 : (unsigned)count;
}

// cpu.max: "max 100000" or "150000 100000".
static bool read_quota_v2(const char *folder, double *cpus) {
  char line[PL_CGROUP_LINE_BYTES], *end;
  if (!pl_cgroup_read(folder, "cpu.max", line)) return false;
  long long quota = strtoll(line, &end, 10);
  long long period = strtoll(end, NULL, 10);
  if (end == line || quota <= 0 || period <= 0) return false;
  *cpus = (double)quota / (double)period;
  return true;
}

static long long read_number(const char *folder, const char *name) {
  char line[PL_CGROUP_LINE_BYTES];
  return pl_cgroup_read(folder, name, line) ? strtoll(line, NULL, 10) : -1;
}

static bool read_quota_v1(const char *folder, double *cpus) {
  long long quota = read_number(folder, "cpu.cfs_quota_us");
  long long period = read_number(folder, "cpu.cfs_period_us");
  if (quota <= 0 || period <= 0) return false;
  *cpus = (double)quota / (double)period;
  return true;
}

static unsigned round_up(double cpus, unsigned limit) {
  if (cpus >= limit) return limit;
  unsigned whole = (unsigned)cpus;
  return whole < cpus ? whole + 1 : whole;
}

static void apply_quota(const char *folder, bool is_v2, void *ctx) {
  unsigned *limit = ctx;
  double cpus;
  if (is_v2 ? read_quota_v2(folder, &cpus) : read_quota_v1(folder, &cpus))
    *limit = round_up(cpus, *limit);
}

unsigned pl_cpu_limit_by_cgroup(const char *root, unsigned cpus) {
  pl_cgroup_walk(root, "cpu", apply_quota, &cpus);
  return cpus;
}

unsigned pl_cpu_usable(void) {
  return pl_cpu_limit_by_cgroup("", count_affinity());
}
