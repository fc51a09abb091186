// The load: a client that keeps a fixed number of connections busy, or holds them idle.
//
// Why not wrk: on one core it is slower than the floor servers, which then wait for it in smaller
// and smaller turns and look dearer than they are; it opens all its connections at once, so that
// 10,000 of them overflow the listen queue; it cannot hold idle ones, nor say when its warm-up is
// over. `run --wrk` uses it all the same, as a cross-check.
//
// The connections are opened with at most OPENING of them under way. REQUEST is a file with what is
// sent on a connection in one piece: one request, or several to pipeline (without bodies). Each
// connection sends it once and waits for its answers. Then
//
//   swarm PORT REQUEST CONNECTIONS          prints "open" and holds them idle until stdin ends
//   swarm PORT REQUEST CONNECTIONS SECONDS  sends it again on each as soon as it is answered, for
//                                           SECONDS from "begin" to "end ANSWERS P50_US P99_US"
//
// Whoever started it samples the server's CPU at these two lines. Anything but a 200 with a
// Content-Length ends it with exit 1. Connections are closed by reset: no TIME_WAIT is left over.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  EVENTS = 512,
  OPENING = 64,
  HEAD_BYTES = 1024,
  REQUEST_BYTES = 65536,
  READ_BYTES = 65536,
  LATENCY_UNIT_US = 10,
  LATENCY_UNITS = 2000000
};

enum phase { PHASE_OPENING, PHASE_MEASURING, PHASE_DONE };

struct connection {
  int fd;
  size_t due;         // answers still to come
  long long sent_us;  // when their requests were
  bool has_head;      // the head of the first of them is complete
  size_t body_left;   // bytes of its body still to come; valid with has_head
  size_t head_length;
  char head[HEAD_BYTES];  // what has come of an unfinished head
};

// The head that came last: most are the same, and comparing is faster than parsing.
struct known_head {
  size_t length;
  size_t body_length;
  char bytes[HEAD_BYTES];
};

struct swarm {
  int epoll_fd;
  struct sockaddr_in address;
  char request[REQUEST_BYTES];
  size_t request_length;
  size_t depth;  // requests in it
  struct connection *connections;
  size_t count;    // of connections, all told
  size_t opened;   // begun so far
  size_t pending;  // begun, their first answers still due
  enum phase phase;
  struct known_head known;
  long long answers;    // in the measured time
  unsigned *latencies;  // answers by latency in LATENCY_UNIT_US
};

static void die(const char *what) {
  fprintf(stderr, "swarm: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void refuse(const char *what) {
  fprintf(stderr, "swarm: %s\n", what);
  exit(1);
}

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void send_request(struct swarm *swarm, struct connection *connection) {
  connection->due = swarm->depth;
  connection->sent_us = now_us();
  if (send(connection->fd, swarm->request, swarm->request_length, MSG_NOSIGNAL) !=
      (ssize_t)swarm->request_length)
    die("send");
}

// A loopback connection is made within connect(), so a blocking one costs nothing.
static void open_connection(struct swarm *swarm) {
  struct connection *connection = &swarm->connections[swarm->opened++];
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  int on = 1;
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->fd < 0) die("socket");
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (connect(connection->fd, (struct sockaddr *)&swarm->address, sizeof swarm->address))
    die("connect");
  if (epoll_ctl(swarm->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event)) die("epoll_ctl");
  swarm->pending++;
  send_request(swarm, connection);
}

// Reads a complete head, which it may change. Returns: the length of the body.
static size_t parse_head(char *head) {
  static const char name[] = "\r\ncontent-length:";
  char *length = strcasestr(head, name);
  if (strncmp(head, "HTTP/1.1 200", 12) != 0 || !length)
    refuse("an answer that is not 200 with a Content-Length");
  return strtoul(length + sizeof name - 1, NULL, 10);
}

// Takes bytes of a head until it is complete. Returns: how many it took.
static size_t take_unknown_head(struct swarm *swarm, struct connection *connection,
                                const char *bytes, size_t length) {
  size_t before = connection->head_length;
  size_t room = HEAD_BYTES - 1 - before;
  size_t added = length < room ? length : room;
  char *head = connection->head;
  memcpy(head + before, bytes, added);
  head[before + added] = 0;
  char *end = strstr(head, "\r\n\r\n");
  if (!end) {
    if (added == room) refuse("the head of an answer is too long");
    connection->head_length += added;
    return added;
  }
  swarm->known.length = (size_t)(end + 4 - head);
  memcpy(swarm->known.bytes, head, swarm->known.length);
  end[2] = 0;  // the search for a header must not reach into the body
  swarm->known.body_length = parse_head(head);
  connection->has_head = true;
  connection->body_left = swarm->known.body_length;
  connection->head_length = 0;
  return swarm->known.length - before;
}

static size_t take_head(struct swarm *swarm, struct connection *connection, const char *bytes,
                        size_t length) {
  const struct known_head *known = &swarm->known;
  if (connection->head_length == 0 && known->length && length >= known->length &&
      memcmp(bytes, known->bytes, known->length) == 0) {
    connection->has_head = true;
    connection->body_left = known->body_length;
    return known->length;
  }
  return take_unknown_head(swarm, connection, bytes, length);
}

static void count_answer(struct swarm *swarm, const struct connection *connection) {
  long long units = (now_us() - connection->sent_us) / LATENCY_UNIT_US;
  swarm->answers++;
  swarm->latencies[units < LATENCY_UNITS ? units : LATENCY_UNITS - 1]++;
}

static void complete_answer(struct swarm *swarm, struct connection *connection) {
  connection->has_head = false;
  connection->due--;
  if (swarm->phase == PHASE_MEASURING) count_answer(swarm, connection);
  if (connection->due) return;
  if (swarm->phase == PHASE_OPENING)
    swarm->pending--;
  else if (swarm->phase == PHASE_MEASURING)
    send_request(swarm, connection);
}

static void read_answers(struct swarm *swarm, struct connection *connection) {
  static char bytes[READ_BYTES];
  ssize_t got = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) refuse("the server closed a connection");
  const char *at = bytes;
  size_t left = (size_t)got;
  while (left) {
    size_t took;
    if (!connection->due) refuse("bytes after the last answer");
    if (connection->has_head) {
      took = left < connection->body_left ? left : connection->body_left;
      connection->body_left -= took;
    } else {
      took = take_head(swarm, connection, at, left);
    }
    at += took;
    left -= took;
    if (connection->has_head && connection->body_left == 0) complete_answer(swarm, connection);
  }
}

static void poll_once(struct swarm *swarm, int timeout_ms) {
  struct epoll_event events[EVENTS];
  int ready = epoll_wait(swarm->epoll_fd, events, EVENTS, timeout_ms);
  if (ready < 0 && errno != EINTR) die("epoll_wait");
  for (int i = 0; i < ready; i++) read_answers(swarm, events[i].data.ptr);
}

static void open_all(struct swarm *swarm) {
  swarm->phase = PHASE_OPENING;
  while (swarm->opened < swarm->count || swarm->pending) {
    while (swarm->opened < swarm->count && swarm->pending < OPENING) open_connection(swarm);
    poll_once(swarm, 1000);
  }
}

static long long percentile_us(const struct swarm *swarm, double share) {
  long long wanted = (long long)((double)swarm->answers * share);
  long long seen = 0;
  int unit = 0;
  while (unit < LATENCY_UNITS - 1 && (seen += swarm->latencies[unit]) <= wanted) unit++;
  return (long long)unit * LATENCY_UNIT_US;
}

static void measure(struct swarm *swarm, double seconds) {
  swarm->phase = PHASE_MEASURING;
  for (size_t i = 0; i < swarm->count; i++) send_request(swarm, &swarm->connections[i]);
  // One full turn first: nobody measures the wave of the start.
  while (swarm->answers < (long long)swarm->count) poll_once(swarm, 1000);
  swarm->answers = 0;
  memset(swarm->latencies, 0, LATENCY_UNITS * sizeof *swarm->latencies);
  puts("begin");
  long long end_us = now_us() + (long long)(seconds * 1e6);
  while (now_us() < end_us) poll_once(swarm, 100);
  printf("end %lld %lld %lld\n", swarm->answers, percentile_us(swarm, 0.5),
         percentile_us(swarm, 0.99));
  swarm->phase = PHASE_DONE;
}

static void hold_idle(void) {
  char byte;
  puts("open");
  while (read(STDIN_FILENO, &byte, 1) > 0)
    ;
}

static void allocate(struct swarm *swarm, size_t count) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit)) die("setrlimit");
  swarm->count = count;
  swarm->connections = calloc(count, sizeof *swarm->connections);
  swarm->latencies = calloc(LATENCY_UNITS, sizeof *swarm->latencies);
  if (!swarm->connections || !swarm->latencies) die("malloc");
}

static void read_request(struct swarm *swarm, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  swarm->request_length = fread(swarm->request, 1, REQUEST_BYTES - 1, file);
  fclose(file);
  for (const char *at = swarm->request; (at = strstr(at, "\r\n\r\n")); at += 4) swarm->depth++;
  if (!swarm->depth) refuse("no request in the file");
}

int main(int argc, char **argv) {
  static struct swarm swarm;
  if (argc < 4 || argc > 5) {
    fprintf(stderr, "usage: swarm PORT REQUEST CONNECTIONS [SECONDS]\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  read_request(&swarm, argv[2]);
  allocate(&swarm, strtoul(argv[3], NULL, 10));
  swarm.address.sin_family = AF_INET;
  swarm.address.sin_port = htons((unsigned short)atoi(argv[1]));
  swarm.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  swarm.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (swarm.epoll_fd < 0) die("epoll_create1");
  open_all(&swarm);
  if (argc == 5)
    measure(&swarm, strtod(argv[4], NULL));
  else
    hold_idle();
  return 0;
}
