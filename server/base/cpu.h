/// How many CPUs this process may use: its affinity, and the quota of its control group.
#pragma once

/// CPUs of the affinity mask, or what the quotas of the cgroup (v1 or v2) and of those above it
/// allow, rounded up, if that is less. At least 1.
unsigned pl_cpu_usable(void);

/// The part that reads files, for tests: `root` stands in front of /proc and /sys ("" = the real
/// ones), `cpus` (at least 1) is what the affinity allows.
unsigned pl_cpu_limit_by_cgroup(const char *root, unsigned cpus);
