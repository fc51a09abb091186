// Raising may be refused (a sandbox); then what was allowed before still holds.
#include "base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

uint64_t pl_descriptors_raise(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  rlim_t holds = setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
  return holds == RLIM_INFINITY ? UINT64_MAX : holds;
}

int pl_descriptors_fill_standard(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) < 0) return -errno;
  }
  return 0;
}
