// The load: a client that keeps a fixed number of connections busy, or holds them idle.
//
// Why not wrk: on one core it is slower than the floor servers, which then wait for it in smaller
// and smaller turns and look dearer than they are; it opens all its connections at once, so that
// 10,000 of them overflow the listen queue; it cannot hold idle ones, nor say when its warm-up is
// over, nor load a server with two kinds of requests. `run --wrk` uses it as a cross-check.
//
// OPENING and REQUEST are files with what is sent on a connection in one piece: one request, or
// several to pipeline (without bodies). The connections are opened with at most OPENING_AT_ONCE of
// them under way; each sends OPENING once and waits for its answers, which must be 200. Then
//
//   swarm PORT OPENING CONNECTIONS     prints "open" and holds them idle until stdin ends
//   swarm PORT OPENING SECONDS SPREAD PID {REQUEST CONNECTIONS}...
//        keeps one class of connections for each pair busy: REQUEST again as soon as it is
//        answered. The first requests go out evenly over SPREAD seconds. When each connection of
//        the first class has had an answer it prints "begin", SECONDS later "end", and when what
//        was still under way in the first class has been answered, for each class in order
//          class ANSWERS REFUSED LOST UNANSWERED P50_US P99_US P999_US MAX_US
//
// ANSWERS are those with 200, REFUSED those without; a LOST request is one whose connection ended
// before its answer: the connection is opened anew. ANSWERS, REFUSED and LOST are of the measured
// time; the latencies also count what was answered after it, and the UNANSWERED (of the first
// class) by the time that they had waited: who stops answering does not look fast. With a PID other
// than 0 a latency is the CPU time that this process used meanwhile, which no other program
// disturbs. Whoever started it samples the server's CPU at "begin" and "end". When the first class
// gets no answer for PATIENCE_S before "begin" it ends with exit 1. Connections are closed by
// reset: no TIME_WAIT is left over.
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

#include "histogram.h"
#include "reader.h"

enum {
  EVENTS = 512,
  OPENING_AT_ONCE = 64,
  PATIENCE_S = 10,
  CLASSES = 4,
  REQUEST_BYTES = 65536,
  READ_BYTES = 65536,
  OK = 200
};

enum phase { PHASE_OPENING, PHASE_LOADING, PHASE_DRAINING };

struct request {
  char bytes[REQUEST_BYTES];
  size_t length;
  size_t depth;  // requests in it
};

struct class {
  struct request request;
  size_t first, count;  // its connections
  size_t pending;       // of these, those with answers due
  long long answers, refused, lost, unanswered;
  struct histogram latencies;
};

struct connection {
  int fd;
  struct class *class;
  size_t due;         // answers still to come
  long long sent_us;  // when their requests were, by the swarm's clock
  struct reader reader;
};

struct swarm {
  int epoll_fd;
  struct sockaddr_in address;
  struct request opening;
  struct class classes[CLASSES];
  size_t class_count;
  struct connection *connections;
  size_t count;
  enum phase phase;
  clockid_t clock;           // of the latencies
  long long last_answer_us;  // of the first class; while opening, of any
  struct reader_known known;
};

static void die(const char *what) {
  fprintf(stderr, "swarm: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void refuse(const char *what) {
  fprintf(stderr, "swarm: %s\n", what);
  exit(1);
}

static long long read_us(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now)) die("clock_gettime");
  return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long now_us(void) {
  return read_us(CLOCK_MONOTONIC);
}

// ---- connections ----

// A connection that the server has closed meanwhile is found by the next read.
static void send_request(struct swarm *swarm, struct connection *connection,
                         const struct request *request) {
  connection->due = request->depth;
  connection->class->pending++;
  connection->sent_us = read_us(swarm->clock);
  if (send(connection->fd, request->bytes, request->length, MSG_NOSIGNAL) !=
          (ssize_t)request->length &&
      errno != EPIPE && errno != ECONNRESET)
    die("send");
}

// A loopback connection is made within connect(), so a blocking one costs nothing.
static void open_connection(struct swarm *swarm, struct connection *connection) {
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
}

static void lose_connection(struct swarm *swarm, struct connection *connection) {
  if (swarm->phase == PHASE_OPENING) refuse("the server closed a connection");
  close(connection->fd);
  connection->reader = (struct reader){0};
  if (connection->due) {
    connection->class->pending--;
    connection->due = 0;
    if (swarm->phase == PHASE_LOADING)
      connection->class->lost++;
    else
      connection->class->unanswered++;
  }
  if (swarm->phase == PHASE_DRAINING) return;
  open_connection(swarm, connection);
  send_request(swarm, connection, &connection->class->request);
}

static void count_answer(const struct swarm *swarm, const struct connection *connection, int status,
                         long long now) {
  struct class *class = connection->class;
  if (swarm->clock != CLOCK_MONOTONIC) now = read_us(swarm->clock);
  if (status == OK) histogram_add(&class->latencies, now - connection->sent_us);
  if (swarm->phase == PHASE_DRAINING) return;
  if (status == OK)
    class->answers++;
  else
    class->refused++;
}

static void complete_answer(struct swarm *swarm, struct connection *connection, int status) {
  struct class *class = connection->class;
  long long now = now_us();
  if (swarm->phase == PHASE_OPENING && status != OK) refuse("an answer that is not 200");
  if (swarm->phase == PHASE_OPENING || class == &swarm->classes[0]) swarm->last_answer_us = now;
  if (swarm->phase != PHASE_OPENING) count_answer(swarm, connection, status, now);
  connection->due--;
  if (connection->due) return;
  class->pending--;
  if (swarm->phase == PHASE_LOADING) send_request(swarm, connection, &class->request);
}

static void read_answers(struct swarm *swarm, struct connection *connection) {
  static char bytes[READ_BYTES];
  ssize_t got = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    lose_connection(swarm, connection);
    return;
  }
  const char *at = bytes;
  size_t left = (size_t)got;
  while (left) {
    int status;
    if (!connection->due) refuse("bytes after the last answer");
    size_t took = reader_take(&connection->reader, &swarm->known, at, left, &status);
    if (status == READER_REFUSED) refuse("an answer without Content-Length");
    at += took;
    left -= took;
    if (status) complete_answer(swarm, connection, status);
  }
}

static void poll_once(struct swarm *swarm, int timeout_ms) {
  struct epoll_event events[EVENTS];
  int ready = epoll_wait(swarm->epoll_fd, events, EVENTS, timeout_ms);
  if (ready < 0 && errno != EINTR) die("epoll_wait");
  for (int i = 0; i < ready; i++) read_answers(swarm, events[i].data.ptr);
}

static bool is_patience_over(const struct swarm *swarm) {
  return now_us() - swarm->last_answer_us > PATIENCE_S * 1000000LL;
}

static void wait_for_answers(struct swarm *swarm) {
  poll_once(swarm, 100);
  if (is_patience_over(swarm)) refuse("no answer for 10 s");
}

// ---- the load ----

static void open_all(struct swarm *swarm) {
  size_t pending, opened = 0;
  swarm->phase = PHASE_OPENING;
  swarm->last_answer_us = now_us();
  do {
    pending = 0;
    for (size_t i = 0; i < swarm->class_count; i++) pending += swarm->classes[i].pending;
    for (; opened < swarm->count && pending < OPENING_AT_ONCE; opened++, pending++) {
      open_connection(swarm, &swarm->connections[opened]);
      send_request(swarm, &swarm->connections[opened], &swarm->opening);
    }
    if (pending) wait_for_answers(swarm);
  } while (pending || opened < swarm->count);
}

static void send_first(struct swarm *swarm, double spread_s) {
  long long begin_us = now_us();
  for (size_t i = 0; i < swarm->count; i++) {
    double due_us = spread_s * 1e6 * (double)i / (double)swarm->count;
    while ((double)(now_us() - begin_us) < due_us) poll_once(swarm, 1);
    send_request(swarm, &swarm->connections[i], &swarm->connections[i].class->request);
  }
}

static void begin_counting(struct swarm *swarm) {
  for (size_t i = 0; i < swarm->class_count; i++) {
    struct class *class = &swarm->classes[i];
    class->answers = class->refused = class->lost = 0;
    histogram_clear(&class->latencies);
  }
}

// What is still under way in the first class counts by its latency alone.
static void drain(struct swarm *swarm) {
  struct class *class = &swarm->classes[0];
  swarm->phase = PHASE_DRAINING;
  swarm->last_answer_us = now_us();
  while (class->pending && !is_patience_over(swarm)) poll_once(swarm, 100);
  for (size_t i = class->first; i < class->first + class->count; i++) {
    const struct connection *connection = &swarm->connections[i];
    class->unanswered += (long long)connection->due;
    for (size_t n = 0; n < connection->due; n++)
      histogram_add(&class->latencies, read_us(swarm->clock) - connection->sent_us);
  }
}

static void print_class(const struct class *class) {
  const struct histogram *latencies = &class->latencies;
  printf("class %lld %lld %lld %lld %lld %lld %lld %lld\n", class->answers, class->refused,
         class->lost, class->unanswered, histogram_percentile(latencies, 0.5),
         histogram_percentile(latencies, 0.99), histogram_percentile(latencies, 0.999),
         latencies->greatest_us);
}

static void measure(struct swarm *swarm, double seconds, double spread_s) {
  const struct class *first = &swarm->classes[0];
  swarm->phase = PHASE_LOADING;
  swarm->last_answer_us = now_us();
  send_first(swarm, spread_s);
  // One full turn first: nobody measures the wave of the start.
  while (first->answers + first->refused < (long long)first->count) wait_for_answers(swarm);
  begin_counting(swarm);
  puts("begin");
  long long end_us = now_us() + (long long)(seconds * 1e6);
  while (now_us() < end_us) poll_once(swarm, 100);
  puts("end");
  drain(swarm);
  for (size_t i = 0; i < swarm->class_count; i++) print_class(&swarm->classes[i]);
}

static void hold_idle(void) {
  char byte;
  puts("open");
  while (read(STDIN_FILENO, &byte, 1) > 0)
    ;
}

// ---- the command line ----

static void read_request(struct request *request, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  request->length = fread(request->bytes, 1, REQUEST_BYTES - 1, file);
  fclose(file);
  for (const char *at = request->bytes; (at = strstr(at, "\r\n\r\n")); at += 4) request->depth++;
  if (!request->depth) refuse("no request in the file");
}

static void add_class(struct swarm *swarm, const char *request, const char *connections) {
  struct class *class = &swarm->classes[swarm->class_count++];
  read_request(&class->request, request);
  class->first = swarm->count;
  class->count = strtoul(connections, NULL, 10);
  swarm->count += class->count;
  if (histogram_init(&class->latencies)) die("malloc");
}

static void allocate(struct swarm *swarm) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit)) die("setrlimit");
  swarm->connections = calloc(swarm->count, sizeof *swarm->connections);
  if (!swarm->connections) die("malloc");
  for (size_t i = 0; i < swarm->class_count; i++) {
    struct class *class = &swarm->classes[i];
    for (size_t n = class->first; n < class->first + class->count; n++)
      swarm->connections[n].class = class;
  }
}

int main(int argc, char **argv) {
  static struct swarm swarm;
  bool is_idle = argc == 4;
  if (!is_idle && (argc < 8 || argc % 2 != 0 || argc > 6 + 2 * CLASSES)) {
    fprintf(stderr, "usage: swarm PORT OPENING CONNECTIONS\n"
                    "       swarm PORT OPENING SECONDS SPREAD PID {REQUEST CONNECTIONS}...\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  read_request(&swarm.opening, argv[2]);
  swarm.clock = CLOCK_MONOTONIC;
  if (!is_idle && atoi(argv[5]) && clock_getcpuclockid(atoi(argv[5]), &swarm.clock))
    refuse("no such process");
  if (is_idle) add_class(&swarm, argv[2], argv[3]);
  for (int i = 6; i < argc; i += 2) add_class(&swarm, argv[i], argv[i + 1]);
  allocate(&swarm);
  swarm.address.sin_family = AF_INET;
  swarm.address.sin_port = htons((unsigned short)atoi(argv[1]));
  swarm.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  swarm.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (swarm.epoll_fd < 0) die("epoll_create1");
  open_all(&swarm);
  if (is_idle)
    hold_idle();
  else
    measure(&swarm, strtod(argv[3], NULL), strtod(argv[4], NULL));
  return 0;
}
