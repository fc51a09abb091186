// Raising may be refused (a sandbox); then what was allowed before still holds.
#include "base/descriptors.h"

#include <sys/resource.h>

uint64_t pl_descriptors_raise(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  rlim_t holds = setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
  return holds == RLIM_INFINITY ? UINT64_MAX : holds;
}
