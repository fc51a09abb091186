//   v2   memory.max               "268435456", "max"
//   v1   memory.limit_in_bytes    268435456; without one, 2^63 less a page
#include "base/memory_limit.h"

#include "base/cgroup.h"

#include <stdlib.h>

// No machine has as much: it is how v1 says that there is no limit.
static const uint64_t NO_LIMIT = (uint64_t)1 << 60;

static void apply_limit(const char *folder, bool is_v2, void *ctx) {
  uint64_t *least = ctx;
  char line[PL_CGROUP_LINE_BYTES], *end;
  if (!pl_cgroup_read(folder, is_v2 ? "memory.max" : "memory.limit_in_bytes", line)) return;
  unsigned long long bytes = strtoull(line, &end, 10);
  bool is_limit = end != line && line[0] != '-' && bytes > 0 && bytes < NO_LIMIT;
  if (is_limit && (*least == 0 || bytes < *least)) *least = bytes;
}

uint64_t pl_memory_limit_by_cgroup(const char *root) {
  uint64_t least = 0;
  pl_cgroup_walk(root, "memory", apply_limit, &least);
  return least;
}
