// The floor of P1, P2 and P12: the least that a server on one core can do for a request.
//
// One epoll loop, one buffer for all connections, one read, one write with a canned answer. It does
// not parse: a request is what ends in a blank line, so requests must have no body. All requests of
// one read are answered with one write, as a pipelining server does. What a server costs more than
// this is its own work; what this costs is the kernel's.
//
// usage: epoll PORT   (listens on 127.0.0.1, ends on any signal)
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"

enum { EVENTS = 256, READ_BYTES = 65536, ACCEPTS_A_TURN = 64 };

struct floor {
  int epoll_fd;
  int listen_fd;
  unsigned char *matched;  // by descriptor: how much of "\r\n\r\n" its last read ended with
  int descriptors;         // length of `matched`
  char *answers;           // ANSWER over and over, so that any number of answers is one write
  char input[READ_BYTES];
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int open_listener(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited by what it accepts
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, SOMAXCONN)) die("listen");
  return fd;
}

static void watch(struct floor *floor, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(floor->epoll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void accept_connections(struct floor *floor) {
  for (int i = 0; i < ACCEPTS_A_TURN; i++) {
    int fd = accept4(floor->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= floor->descriptors) {
      close(fd);
      continue;
    }
    floor->matched[fd] = 0;
    watch(floor, fd);
  }
}

// Counts the blank lines that end in these bytes; `matched` carries a split one over to the next.
static size_t count_requests(const char *bytes, size_t length, unsigned char *matched) {
  static const char blank_line[] = "\r\n\r\n";
  size_t requests = 0;
  size_t have = *matched;
  for (size_t i = 0; i < length; i++) {
    // Most bytes are no part of a blank line: skip to the next CR.
    if (have == 0) {
      const char *cr = memchr(bytes + i, '\r', length - i);
      if (!cr) break;
      i = (size_t)(cr - bytes);
    }
    if (bytes[i] == blank_line[have])
      have++;
    else
      have = bytes[i] == '\r';
    if (have == 4) {
      requests++;
      have = 0;
    }
  }
  *matched = (unsigned char)have;
  return requests;
}

static void serve(struct floor *floor, int fd) {
  ssize_t got = recv(fd, floor->input, sizeof floor->input, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    close(fd);
    return;
  }
  size_t requests = count_requests(floor->input, (size_t)got, &floor->matched[fd]);
  size_t bytes = requests * (sizeof ANSWER - 1);
  // A client that does not take its answers is no part of the benchmark: it is cut.
  if (bytes && send(fd, floor->answers, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) close(fd);
}

static void allocate(struct floor *floor) {
  struct rlimit limit;
  // The shortest request that a read can hold is a blank line.
  const size_t most = READ_BYTES / 4 + 1;
  if (getrlimit(RLIMIT_NOFILE, &limit)) die("getrlimit");
  floor->descriptors = (int)limit.rlim_cur;
  floor->matched = calloc((size_t)floor->descriptors, 1);
  floor->answers = malloc(most * (sizeof ANSWER - 1));
  if (!floor->matched || !floor->answers) die("malloc");
  for (size_t i = 0; i < most; i++)
    memcpy(floor->answers + i * (sizeof ANSWER - 1), ANSWER, sizeof ANSWER - 1);
}

int main(int argc, char **argv) {
  static struct floor floor;
  struct epoll_event events[EVENTS];
  if (argc != 2) {
    fprintf(stderr, "usage: epoll PORT\n");
    return 2;
  }
  allocate(&floor);
  floor.listen_fd = open_listener(atoi(argv[1]));
  floor.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (floor.epoll_fd < 0) die("epoll_create1");
  watch(&floor, floor.listen_fd);
  for (;;) {
    int ready = epoll_wait(floor.epoll_fd, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == floor.listen_fd)
        accept_connections(&floor);
      else
        serve(&floor, events[i].data.fd);
    }
  }
}
