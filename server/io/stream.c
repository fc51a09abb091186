// Connected sockets on libuv. A write goes out at once (uv_try_write); only what the kernel does
// not take needs a write request, taken from the loop's free list: an answer that fits the socket's
// buffer costs no request, no allocation and no callback.
#define _GNU_SOURCE  // POLLRDHUP
#include "io/stream.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/loop.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LENT_BYTES_MAX = 1 << 30 };

// Lives from uv_write to its callback, which also comes (ECANCELED) when the stream is closed.
struct pl_stream_write {
  struct pl_spare spare;  // while it is in the loop's free list; first
  uv_write_t uv;
};

static struct pl_stream *stream_of(uv_stream_t *uv) {
  return PL_CONTAINER_OF(uv, struct pl_stream, uv.stream);
}

static int descriptor(const struct pl_stream *s) {
  uv_os_fd_t fd = -1;
  return uv_fileno(&s->uv.handle, &fd) == 0 ? fd : -1;
}

// What libuv would abort on (a descriptor that epoll refuses) is found out before a handle exists:
// a handle cannot be given up at once, only closed in a later turn.
static int check_socket(int fd) {
  int type;
  socklen_t len = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len)) return -errno;
  return type == SOCK_STREAM ? 0 : PL_EINVAL;
}

int pl_stream_open(struct pl_stream *s, struct pl_loop *loop, int fd, bool is_unix,
                   const struct pl_stream_ops *ops) {
  int rc = check_socket(fd);
  if (rc) {
    close(fd);
    return rc;
  }
  s->loop = loop;
  s->ops = ops;
  s->write = NULL;
  s->is_reading = s->has_filled = s->has_ended = s->is_closing = false;
  if (is_unix) {
    uv_pipe_init(&loop->uv, &s->uv.pipe, 0);
    rc = uv_pipe_open(&s->uv.pipe, fd);
  } else {
    uv_tcp_init(&loop->uv, &s->uv.tcp);
    rc = uv_tcp_open(&s->uv.tcp, fd);
  }
  // Not expected of a good socket. The handle is there now, so the stream is, and its first read
  // ends with the error (libuv says ENOTCONN).
  if (rc) close(fd);
  return 0;
}

// ---- reading ----

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  struct pl_stream *s = stream_of((uv_stream_t *)handle);
  pl_loop_begin_turn(s->loop);
  char *at = NULL;
  size_t room = s->has_filled ? PL_STREAM_NOT_NOW : s->ops->lend ? s->ops->lend(s, &at) : 0;
  if (room == 0)
    *buf = uv_buf_init(s->loop->read_buffer, PL_READ_BUFFER_BYTES);
  else if (room == PL_STREAM_NOT_NOW)
    *buf = uv_buf_init(NULL, 0);
  else
    *buf = uv_buf_init(at, (unsigned)(room < LENT_BYTES_MAX ? room : LENT_BYTES_MAX));
}

// libuv reads again after each read that has filled its buffer. Where that was the owner's there is
// nothing to gain: it has no more room yet, or all that it wants. A buffer of no bytes ends it
// (ENOBUFS), and costs no system call.
static void note_filled(struct pl_stream *s, const uv_buf_t *buf, size_t n) {
  s->has_filled = n == buf->len && buf->base != s->loop->read_buffer;
}

static void end_reading(struct pl_stream *s, int status) {
  pl_stream_read_stop(s);
  s->has_ended = true;
  s->ops->on_end(s, status);
}

static void on_read(uv_stream_t *uv, ssize_t n, const uv_buf_t *buf) {
  struct pl_stream *s = stream_of(uv);
  if (n == UV_ENOBUFS) {
    bool is_owners_wish = !s->has_filled;
    s->has_filled = false;
    if (is_owners_wish) s->ops->on_read(s, PL_STRV(""));
  } else if (n > 0) {
    note_filled(s, buf, (size_t)n);
    s->ops->on_read(s, pl_strv(buf->base, (size_t)n));
  } else if (n < 0) {
    end_reading(s, (int)n);
  }
}

void pl_stream_read_start(struct pl_stream *s) {
  if (s->is_reading || s->has_ended || s->is_closing) return;
  int rc = uv_read_start(&s->uv.stream, lend_buffer, on_read);
  if (rc) {
    end_reading(s, rc);
    return;
  }
  s->is_reading = true;
  s->has_filled = false;
}

void pl_stream_read_stop(struct pl_stream *s) {
  if (!s->is_reading) return;
  s->is_reading = false;
  uv_read_stop(&s->uv.stream);
}

// ---- writing ----

static struct pl_stream_write *take_write(struct pl_loop *loop) {
  struct pl_spare *spare = loop->spare_writes;
  if (!spare) return pl_mem_alloc(sizeof(struct pl_stream_write));
  loop->spare_writes = spare->next;
  return PL_CONTAINER_OF(spare, struct pl_stream_write, spare);
}

static void put_write(struct pl_loop *loop, struct pl_stream_write *write) {
  write->spare.next = loop->spare_writes;
  loop->spare_writes = &write->spare;
}

static void on_written(uv_write_t *uv, int status) {
  struct pl_stream *s = stream_of(uv->handle);
  put_write(s->loop, s->write);
  s->write = NULL;
  if (!s->is_closing) s->ops->on_written(s, status);
}

static int queue_rest(struct pl_stream *s, const uv_buf_t *bufs, unsigned count) {
  struct pl_stream_write *write = take_write(s->loop);
  if (!write) return PL_ENOMEM;
  int rc = uv_write(&write->uv, &s->uv.stream, bufs, count, on_written);
  if (rc) {
    put_write(s->loop, write);
    return rc;
  }
  s->write = write;
  return PL_EAGAIN;
}

int pl_stream_write(struct pl_stream *s, const struct pl_strv *parts, size_t count) {
  assert(!s->write && count <= PL_STREAM_PARTS);
  if (s->is_closing) return PL_ECANCELED;
  uv_buf_t bufs[PL_STREAM_PARTS];
  unsigned used = 0;
  for (size_t i = 0; i < count; i++) {
    if (parts[i].len == 0) continue;
    bufs[used].base = (char *)parts[i].data;
    bufs[used++].len = parts[i].len;
  }
  if (used == 0) return 0;
  int sent = uv_try_write(&s->uv.stream, bufs, used);
  if (sent < 0 && sent != UV_EAGAIN) return sent;
  size_t taken = sent > 0 ? (size_t)sent : 0;
  unsigned first = 0;
  while (first < used && taken >= bufs[first].len) taken -= bufs[first++].len;
  if (first == used) return 0;
  bufs[first].base += taken;
  bufs[first].len -= taken;
  return queue_rest(s, bufs + first, used - first);
}

size_t pl_stream_unsent(const struct pl_stream *s) {
  return s->write ? uv_stream_get_write_queue_size(&s->uv.stream) : 0;
}

void pl_stream_shutdown_write(struct pl_stream *s) {
  assert(!s->write);
  if (!s->is_closing) shutdown(descriptor(s), SHUT_WR);  // fails when the connection is gone: fine
}

// ---- the other side ----

int pl_stream_ask_peer(const struct pl_stream *s) {
  if (s->is_closing) return PL_ECONNRESET;
  struct pollfd p = {.fd = descriptor(s), .events = POLLRDHUP};  // POLLHUP, POLLERR: always told
  if (poll(&p, 1, 0) <= 0) return 0;
  return p.revents & (POLLHUP | POLLERR) ? PL_ECONNRESET : PL_EOF;
}

// A receive buffer grows with the low-water mark and does not shrink with it. SO_RCVBUF would be
// bounded by net.core.rmem_max, and end the kernel's own tuning.
void pl_stream_enlarge_unread(const struct pl_stream *s, size_t bytes) {
  if (s->is_closing || s->uv.handle.type != UV_TCP) return;
  const int marks[] = {(int)bytes, 1};
  for (size_t i = 0; i < PL_ARRAY_LEN(marks); i++)
    setsockopt(descriptor(s), SOL_SOCKET, SO_RCVLOWAT, &marks[i], sizeof marks[i]);
}

void pl_stream_peer(const struct pl_stream *s, char *text, size_t size, int *port) {
  struct sockaddr_storage peer;
  socklen_t len = sizeof peer;
  *port = 0;
  if (size) text[0] = '\0';
  if (s->uv.handle.type == UV_NAMED_PIPE) {
    snprintf(text, size, "unix:");
    return;
  }
  if (s->is_closing || getpeername(descriptor(s), (struct sockaddr *)&peer, &len)) return;
  if (peer.ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&peer;
    if (inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)size)) *port = ntohs(in6->sin6_port);
  } else if (peer.ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)&peer;
    if (inet_ntop(AF_INET, &in->sin_addr, text, (socklen_t)size)) *port = ntohs(in->sin_port);
  }
}

// ---- the end ----

static void on_closed(uv_handle_t *handle) {
  struct pl_stream *s = stream_of((uv_stream_t *)handle);
  s->ops->on_closed(s);
}

void pl_stream_close(struct pl_stream *s, bool reset) {
  if (s->is_closing) return;
  s->is_closing = true;
  s->is_reading = false;
  if (reset && s->uv.handle.type == UV_TCP) {
    // Lingering for 0 seconds: close() drops what is unsent and sends a RST.
    const struct linger drop = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor(s), SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
  }
  uv_close(&s->uv.handle, on_closed);
}
