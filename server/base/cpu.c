// /proc/self/cgroup names the group; its quota and that of every group above it count. In a
// container without a cgroup namespace that name is the host's and not to be found below
// /sys/fs/cgroup: walking up ends at the mount's root, which is the container's own group.
//
//   v2   0::/system.slice/x       /sys/fs/cgroup/system.slice/x/cpu.max   "150000 100000" | "max
//   ..." v1   4:cpu,cpuacct:/docker/y  /sys/fs/cgroup/cpu/docker/y/cpu.cfs_quota_us (-1 = none)
//                                                             cpu.cfs_period_us
#define _GNU_SOURCE  // sched_getaffinity, CPU_COUNT_S
#include "base/cpu.h"

#include "base/base.h"
#include "base/strv.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CPUS = 16384, LINE_BYTES = 4096 };

static unsigned count_affinity(void) {
  union {
    cpu_set_t set;
    unsigned char bytes[MOST_CPUS / CHAR_BIT];
  } mask;
  if (sched_getaffinity(0, sizeof mask, &mask.set) < 0) return 1;
  int count = CPU_COUNT_S(sizeof mask, &mask.set);
  return count < 1 ? 1 : (unsigned)count;
}

// Reads the first line of a file. Returns: whether there is one.
static bool read_line(const char *path, char line[LINE_BYTES]) {
  FILE *file = fopen(path, "re");
  if (!file) return false;
  bool has_line = fgets(line, LINE_BYTES, file) != NULL;
  fclose(file);
  return has_line;
}

// cpu.max: "max 100000" or "150000 100000".
static bool read_quota_v2(const char *folder, double *cpus) {
  char path[PATH_MAX], line[LINE_BYTES];
  int len = snprintf(path, sizeof path, "%s/cpu.max", folder);
  if (len < 0 || (size_t)len >= sizeof path || !read_line(path, line)) return false;
  char *end;
  long long quota = strtoll(line, &end, 10);
  long long period = strtoll(end, NULL, 10);
  if (end == line || quota <= 0 || period <= 0) return false;
  *cpus = (double)quota / (double)period;
  return true;
}

static long long read_number(const char *folder, const char *name) {
  char path[PATH_MAX], line[LINE_BYTES];
  int len = snprintf(path, sizeof path, "%s/%s", folder, name);
  if (len < 0 || (size_t)len >= sizeof path || !read_line(path, line)) return -1;
  return strtoll(line, NULL, 10);
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

typedef bool read_quota(const char *folder, double *cpus);

// The smallest quota from `group` up to the root of the hierarchy mounted at `mount`.
static unsigned limit_by_groups(const char *mount, const char *group, read_quota *read,
                                unsigned limit) {
  char folder[PATH_MAX];
  int len = snprintf(folder, sizeof folder, "%s%s", mount, group);
  if (len < 0 || (size_t)len >= sizeof folder) return limit;
  size_t mount_len = strlen(mount);
  for (;;) {
    double cpus;
    if (read(folder, &cpus)) limit = round_up(cpus, limit);
    char *slash = strrchr(folder + mount_len, '/');
    if (!slash) return limit;
    *slash = '\0';
  }
}

// Whether "cpu" is one of the names in "cpu,cpuacct".
static bool has_cpu(const char *controllers) {
  for (const char *name = controllers; *name;) {
    size_t len = strcspn(name, ",");
    if (pl_strv_eq(pl_strv(name, len), PL_STRV("cpu"))) return true;
    name += len + (name[len] == ',');
  }
  return false;
}

// One line of /proc/self/cgroup: "number:controllers:group".
static unsigned limit_by_line(const char *root, char *line, unsigned limit) {
  line[strcspn(line, "\n")] = '\0';
  char *controllers = strchr(line, ':');
  char *group = controllers ? strchr(controllers + 1, ':') : NULL;
  if (!group) return limit;
  *group++ = '\0';
  controllers++;
  char mount[PATH_MAX];
  bool is_v2 = *controllers == '\0';
  if (!is_v2 && !has_cpu(controllers)) return limit;
  int len = snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, is_v2 ? "" : "/cpu");
  if (len < 0 || (size_t)len >= sizeof mount) return limit;
  return limit_by_groups(mount, group, is_v2 ? read_quota_v2 : read_quota_v1, limit);
}

unsigned pl_cpu_limit_by_cgroup(const char *root, unsigned cpus) {
  char line[LINE_BYTES];
  int len = snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
  FILE *file = len > 0 && (size_t)len < sizeof line ? fopen(line, "re") : NULL;
  if (!file) return cpus;
  while (fgets(line, sizeof line, file)) cpus = limit_by_line(root, line, cpus);
  fclose(file);
  return cpus;
}

unsigned pl_cpu_usable(void) {
  return pl_cpu_limit_by_cgroup("", count_affinity());
}
