/// How much memory this process may use before the kernel ends it: the limit of its control group.
#pragma once

#include <stdint.h>

/// Bytes: the smallest limit of the group (v1 or v2) and of those above it; 0 = none.
/// @param root stands in front of /proc and /sys, for tests; "" = the real ones
uint64_t pl_memory_limit_by_cgroup(const char *root);
