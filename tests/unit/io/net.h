// Sockets for the tests of io/: connected pairs over loopback, and blocking helpers for the far
// end. To be included after cmocka.h.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// A TCP connection over 127.0.0.1; both ends block (libuv changes that for the one it gets).
static inline void connect_pair(int ends[2]) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof in;
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(listening, (const struct sockaddr *)&in, len), 0);
  assert_int_equal(listen(listening, 1), 0);
  assert_int_equal(getsockname(listening, (struct sockaddr *)&in, &len), 0);
  ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(ends[1], (const struct sockaddr *)&in, len), 0);
  ends[0] = accept(listening, NULL, NULL);
  assert_true(ends[0] >= 0);
  close(listening);
}

// The same over unix sockets.
static inline void connect_unix_pair(int ends[2]) {
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static inline void send_text(int fd, const char *text) {
  assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

// A close that sends a RST.
static inline void reset_socket(int fd) {
  const struct linger drop = {.l_onoff = 1, .l_linger = 0};
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &drop, sizeof drop), 0);
  close(fd);
}
