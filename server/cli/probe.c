// One request over a non-blocking socket; each step waits in poll for what is left of the time.
#include "cli/probe.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_LINE_BYTES = 12 };  // "HTTP/1.1 204"

struct probe {
  int fd;
  uint64_t deadline_ms;  ///< pl_clock_ms() time
};

static int wait_for(const struct probe *p, short events) {
  for (;;) {
    uint64_t now_ms = pl_clock_ms();
    if (now_ms >= p->deadline_ms) return PL_ETIMEDOUT;
    struct pollfd item = {.fd = p->fd, .events = events};
    int rc = poll(&item, 1, (int)(p->deadline_ms - now_ms));
    if (rc > 0) return 0;
    if (rc < 0 && errno != EINTR) return -errno;
  }
}

// Where a server that listens everywhere can be reached from here.
static void use_loopback(struct sockaddr_storage *storage) {
  if (storage->ss_family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)storage;
    if (in->sin_addr.s_addr == htonl(INADDR_ANY)) in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else if (storage->ss_family == AF_INET6) {
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
    if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)) in6->sin6_addr = in6addr_loopback;
  }
}

static int connect_to(const struct probe *p, const struct pl_address *address) {
  struct sockaddr_storage storage = address->storage;
  use_loopback(&storage);
  if (connect(p->fd, (struct sockaddr *)&storage, address->len) == 0) return 0;
  if (errno != EINPROGRESS) return -errno;
  int rc = wait_for(p, POLLOUT);
  if (rc < 0) return rc;
  int error = 0;
  socklen_t len = sizeof error;
  getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len);
  return -error;
}

static int send_all(const struct probe *p, const char *data, size_t len) {
  while (len > 0) {
    int rc = wait_for(p, POLLOUT);
    if (rc < 0) return rc;
    ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return -errno;
    if (n <= 0) continue;
    data += n;
    len -= (size_t)n;
  }
  return 0;
}

static int read_status(const struct probe *p, int *status) {
  char line[STATUS_LINE_BYTES + 1];
  size_t len = 0;
  while (len < STATUS_LINE_BYTES) {
    int rc = wait_for(p, POLLIN);
    if (rc < 0) return rc;
    ssize_t n = recv(p->fd, line + len, STATUS_LINE_BYTES - len, 0);
    if (n == 0) return PL_EPROTO;
    if (n < 0 && errno != EAGAIN && errno != EINTR) return -errno;
    if (n > 0) len += (size_t)n;
  }
  line[len] = '\0';
  int code, end = 0;
  bool is_http = sscanf(line, "HTTP/1.%*1[01] %3d%n", &code, &end) == 1;
  if (!is_http || end != STATUS_LINE_BYTES || code < 100) return PL_EPROTO;
  *status = code;
  return 0;
}

static int ask(const struct probe *p, const struct pl_address *address, const char *method,
               const char *target, int *status) {
  char request[1024];
  int len = snprintf(request, sizeof request,
                     "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: perilune-healthcheck\r\n"
                     "Connection: close\r\n\r\n",
                     method, target, address->is_unix ? "localhost" : address->text);
  if (len < 0 || (size_t)len >= sizeof request) return -ENAMETOOLONG;
  int rc = connect_to(p, address);
  if (rc == 0) rc = send_all(p, request, (size_t)len);
  return rc == 0 ? read_status(p, status) : rc;
}

int pl_probe(const struct pl_address *address, const char *method, const char *target,
             uint64_t timeout_ms, int *status) {
  int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  struct probe p = {.fd = socket(address->storage.ss_family, type, 0),
                    .deadline_ms = pl_clock_ms() + timeout_ms};
  if (p.fd < 0) return -errno;
  int rc = ask(&p, address, method, target, status);
  close(p.fd);
  return rc;
}
