// Listening sockets: binding (on the main thread, once) and accepting (on every worker).
//
// A listener polls unless it is paused, is waiting after an error, or is closed. Several workers
// poll the same socket; who comes first accepts, the others see EAGAIN.
#define _GNU_SOURCE  // accept4
#include "io/listener.h"

#include "io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
  BACKLOG = 4096,         // the kernel lowers it to net.core.somaxconn
  ACCEPTS_PER_TURN = 16,  // so that a flood of new connections does not starve the old ones
  RETRY_MS = 500,
  LOCK_TRIES = 100,
  LOCK_PAUSE_MS = 10,
};

// ---- binding ----

static int set_option(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on) ? -errno : 0;
}

static int set_options(int fd, int family) {
  if (family == AF_UNIX) return 0;
  int rc = set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  if (rc == 0) rc = set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  // [::]:80 means IPv6 only, so that it stands beside 0.0.0.0:80, and no IPv4 client looks mapped.
  if (rc == 0 && family == AF_INET6) rc = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  return rc;
}

// Whether the socket's file may be removed: 0 when nobody listens there any more.
static int check_is_stale(const struct pl_address *address) {
  const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
  struct stat file;
  if (lstat(un->sun_path, &file)) return errno == ENOENT ? 0 : -errno;
  if (!S_ISSOCK(file.st_mode)) return -EEXIST;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int error = connect(fd, (const struct sockaddr *)&address->storage, address->len) ? errno : 0;
  close(fd);
  return error == ECONNREFUSED || error == ENOENT ? 0 : -EADDRINUSE;
}

static int bind_address(int fd, const struct pl_address *address) {
  const struct sockaddr *sockaddr = (const struct sockaddr *)&address->storage;
  if (bind(fd, sockaddr, address->len) == 0) return 0;
  if (errno != EADDRINUSE || !address->is_unix) return -errno;
  int rc = check_is_stale(address);
  if (rc) return rc;
  unlink(((const struct sockaddr_un *)&address->storage)->sun_path);
  return bind(fd, sockaddr, address->len) ? -errno : 0;
}

// Between another process's bind and listen its socket looks stale. So starting servers take turns
// by a lock on the folder. Whoever keeps it for a second is no server of ours: then go on without.
// Returns: a descriptor to close, or -1.
static int lock_folder(const struct pl_address *address) {
  char path[sizeof(struct sockaddr_un)];
  memcpy(path, ((const struct sockaddr_un *)&address->storage)->sun_path,
         sizeof(((const struct sockaddr_un *)0)->sun_path));
  int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
  for (int i = 0; i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB); i++) nanosleep(&pause, NULL);
  return fd;
}

static int bind_and_listen(int fd, const struct pl_address *address) {
  int folder = address->is_unix ? lock_folder(address) : -1;
  int rc = bind_address(fd, address);
  if (rc == 0 && listen(fd, BACKLOG)) rc = -errno;
  if (folder >= 0) close(folder);
  return rc;
}

static int read_back(int fd, struct pl_address *address) {
  struct sockaddr_storage bound = {0};
  socklen_t len = sizeof bound;
  if (address->is_unix) return 0;
  if (getsockname(fd, (struct sockaddr *)&bound, &len)) return -errno;
  pl_address_set(address, &bound, len);
  return 0;
}

int pl_listener_bind(struct pl_address *address, int *fd) {
  int family = address->storage.ss_family;
  int socket_fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return -errno;
  int rc = set_options(socket_fd, family);
  if (rc == 0) rc = bind_and_listen(socket_fd, address);
  if (rc == 0) rc = read_back(socket_fd, address);
  if (rc) {
    close(socket_fd);
    return rc;
  }
  *fd = socket_fd;
  return 0;
}

// The file goes first: while the socket still listens, nobody else can have taken the path over.
void pl_listener_unbind(const struct pl_address *address, int fd) {
  if (address->is_unix) unlink(((const struct sockaddr_un *)&address->storage)->sun_path);
  close(fd);
}

// ---- accepting ----

static void on_pollable(uv_poll_t *poll, int status, int events);

static void update_polling(struct pl_listener *l) {
  if (l->fd < 0) return;  // libuv refuses (by abort) to stop a closed handle
  if (l->is_paused || pl_timer_is_running(&l->retry)) {
    uv_poll_stop(&l->poll);
  } else {
    uv_poll_start(&l->poll, UV_READABLE, on_pollable);
  }
}

static void on_retry(struct pl_timer *timer) {
  update_polling(PL_CONTAINER_OF(timer, struct pl_listener, retry));
}

static void retry_later(struct pl_listener *l, int status) {
  pl_timer_start(&l->loop->wheel, &l->retry, pl_loop_now_ms(l->loop) + RETRY_MS);
  update_polling(l);
  if (l->on_error) l->on_error(l, status);
}

// Errors of a single connection that died in the queue (accept(2)): the next one may be well.
static bool is_of_connection(int error) {
  switch (error) {
  case EINTR:
  case ECONNABORTED:
  case EPROTO:
  case ENOPROTOOPT:
  case ENETDOWN:
  case ENETUNREACH:
  case EHOSTDOWN:
  case EHOSTUNREACH:
  case ENONET:
    return true;
  default:
    return false;
  }
}

// Returns: 1: a connection was accepted, or died in the queue; 0: the queue is empty; or an error.
static int accept_one(struct pl_listener *l) {
  int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return errno == EAGAIN ? 0 : is_of_connection(errno) ? 1 : -errno;
  l->on_accept(l, fd);
  return 1;
}

static void on_pollable(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct pl_listener *l = PL_CONTAINER_OF(poll, struct pl_listener, poll);
  int rc = status ? status : 1;
  // on_accept may pause or close the listener.
  for (int i = 0; i < ACCEPTS_PER_TURN && rc > 0 && !l->is_paused && l->fd >= 0; i++)
    rc = accept_one(l);
  if (rc < 0) retry_later(l, rc);
}

int pl_listener_open(struct pl_listener *l, struct pl_loop *loop, int fd, bool is_unix) {
  l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (l->fd < 0) return -errno;
  int rc = uv_poll_init(&loop->uv, &l->poll, l->fd);
  if (rc) {
    close(l->fd);
    return rc;
  }
  l->loop = loop;
  l->is_unix = is_unix;
  l->is_paused = false;
  l->retry = (struct pl_timer){.fn = on_retry};
  update_polling(l);
  return 0;
}

void pl_listener_pause(struct pl_listener *l) {
  l->is_paused = true;
  update_polling(l);
}

void pl_listener_resume(struct pl_listener *l) {
  l->is_paused = false;
  update_polling(l);
}

static void on_poll_closed(uv_handle_t *handle) {
  struct pl_listener *l = PL_CONTAINER_OF((uv_poll_t *)handle, struct pl_listener, poll);
  if (l->on_closed) l->on_closed(l);
}

void pl_listener_close(struct pl_listener *l, bool drain) {
  if (l->fd < 0) return;
  while (drain && l->fd >= 0 && accept_one(l) > 0) continue;
  if (l->fd < 0) return;  // on_accept has closed it
  pl_timer_stop(&l->loop->wheel, &l->retry);
  uv_close((uv_handle_t *)&l->poll, on_poll_closed);
  close(l->fd);
  l->fd = -1;
}
