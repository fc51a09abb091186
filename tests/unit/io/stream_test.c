// Streams over real sockets: the far end is a descriptor that the test drives itself.
#include "io/stream.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "net.h"

enum { BIG_BYTES = 8 * 1024 * 1024 };  // more than any socket buffer here

struct fixture {
  struct pl_loop loop;
  struct pl_stream stream;
  int ends[2];  // ends[0] is the stream's
  char seen[256];
  size_t seen_bytes;
  int ended, end_status;
  int written, written_status;
  int closed;
  bool stop_after_read;
  char *room;  // what lend gives next; NULL: the loop's buffer will do
  size_t room_bytes;
  int lent, declined;
  char *big;
};

static struct fixture *fixture_of(struct pl_stream *s) {
  return PL_CONTAINER_OF(s, struct fixture, stream);
}

static void on_read(struct pl_stream *s, struct pl_strv data) {
  struct fixture *f = fixture_of(s);
  if (data.len == 0) {
    f->declined++;
    return;
  }
  assert_ptr_equal(data.data, f->room ? f->room : f->loop.read_buffer);
  strncat(f->seen, data.data, data.len);
  f->seen_bytes += data.len;
  if (f->stop_after_read) pl_stream_read_stop(s);
}

static void on_end(struct pl_stream *s, int status) {
  struct fixture *f = fixture_of(s);
  f->ended++;
  f->end_status = status;
}

static void on_written(struct pl_stream *s, int status) {
  struct fixture *f = fixture_of(s);
  assert_null(s->write);
  f->written++;
  f->written_status = status;
}

static void on_closed(struct pl_stream *s) {
  fixture_of(s)->closed++;
}

static size_t lend(struct pl_stream *s, char **at) {
  struct fixture *f = fixture_of(s);
  f->lent++;
  *at = f->room;
  return f->room_bytes;
}

static const struct pl_stream_ops ops = {.on_read = on_read,
                                         .on_end = on_end,
                                         .on_written = on_written,
                                         .on_closed = on_closed,
                                         .lend = lend};

static int set_up_with(void **state, void (*connect)(int ends[2]), bool is_unix) {
  signal(SIGPIPE, SIG_IGN);
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  if (!f || pl_loop_init(&f->loop, NULL, NULL)) return -1;
  f->big = pl_mem_alloc(BIG_BYTES);
  for (size_t i = 0; i < BIG_BYTES; i++) f->big[i] = (char)(i * 2654435761u >> 24);
  connect(f->ends);
  return pl_stream_open(&f->stream, &f->loop, f->ends[0], is_unix, &ops);
}

static int set_up(void **state) {
  return set_up_with(state, connect_pair, false);
}

static int set_up_unix(void **state) {
  return set_up_with(state, connect_unix_pair, true);
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  pl_stream_close(&f->stream, false);
  if (f->ends[1] >= 0) close(f->ends[1]);
  int leaked = pl_loop_deinit(&f->loop);
  int closed = f->closed;
  pl_mem_free(f->big);
  pl_mem_free(f);
  return leaked || closed != 1;
}

static void close_far_end(struct fixture *f) {
  close(f->ends[1]);
  f->ends[1] = -1;
}

static void turn(struct fixture *f) {
  uv_run(&f->loop.uv, UV_RUN_ONCE);
}

// ---- reading ----

static void read_delivers_bytes_then_the_end_once(void **state) {
  struct fixture *f = *state;
  pl_stream_read_start(&f->stream);
  pl_stream_read_start(&f->stream);
  send_text(f->ends[1], "hello");
  while (!f->seen[0]) turn(f);
  assert_string_equal(f->seen, "hello");
  close_far_end(f);
  while (!f->ended) turn(f);
  assert_int_equal(f->end_status, PL_EOF);
  assert_false(f->stream.is_reading);
  pl_stream_read_start(&f->stream);
  assert_false(f->stream.is_reading);
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
  assert_int_equal(f->ended, 1);
}

static void read_reports_a_reset(void **state) {
  struct fixture *f = *state;
  pl_stream_read_start(&f->stream);
  reset_socket(f->ends[1]);
  f->ends[1] = -1;
  while (!f->ended) turn(f);
  assert_int_equal(f->end_status, PL_ECONNRESET);
}

static void a_stopped_stream_reads_nothing_until_started_again(void **state) {
  struct fixture *f = *state;
  f->stop_after_read = true;
  pl_stream_read_start(&f->stream);
  send_text(f->ends[1], "one");
  while (!f->seen[0]) turn(f);
  assert_false(f->stream.is_reading);
  send_text(f->ends[1], "two");
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
  assert_string_equal(f->seen, "one");
  pl_stream_read_stop(&f->stream);
  pl_stream_read_start(&f->stream);
  while (!f->seen[3]) turn(f);
  assert_string_equal(f->seen, "onetwo");
}

static void bytes_go_where_the_owner_wants_them(void **state) {
  struct fixture *f = *state;
  char room[100];
  f->room = room;
  f->room_bytes = sizeof room;
  pl_stream_read_start(&f->stream);
  send_text(f->ends[1], "hello");
  while (!f->seen[0]) turn(f);
  assert_memory_equal(room, "hello", 5);
  assert_int_equal(f->lent, 1);
}

// A second read in the same turn would be a system call for nothing, or take what has no room yet.
static void a_full_room_ends_the_reading_of_a_turn(void **state) {
  struct fixture *f = *state;
  char room[5];
  f->room = room;
  f->room_bytes = sizeof room;
  pl_stream_read_start(&f->stream);
  send_text(f->ends[1], "helloworld!");
  while (f->seen_bytes < 5) turn(f);
  assert_int_equal(f->lent, 1);
  assert_int_equal(f->declined, 0);
  assert_string_equal(f->seen, "hello");
  f->room = NULL;
  f->room_bytes = 0;
  while (f->seen_bytes < 11) turn(f);
  assert_int_equal(f->lent, 2);
  assert_string_equal(f->seen, "helloworld!");
}

static void an_owner_may_leave_bytes_with_the_kernel(void **state) {
  struct fixture *f = *state;
  f->room_bytes = PL_STREAM_NOT_NOW;
  pl_stream_read_start(&f->stream);
  send_text(f->ends[1], "hello");
  while (f->declined < 3) turn(f);  // asked once a turn, as long as it reads
  assert_int_equal(f->lent, 3);
  assert_int_equal(f->seen_bytes, 0);
  pl_stream_read_stop(&f->stream);
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
  assert_int_equal(f->lent, 3);
  f->room_bytes = 0;
  pl_stream_read_start(&f->stream);
  while (f->seen_bytes < 5) turn(f);
  assert_string_equal(f->seen, "hello");
}

// ---- writing ----

static void a_small_write_is_done_at_once_without_an_allocation(void **state) {
  struct fixture *f = *state;
  const struct pl_strv parts[] = {PL_STRV("a"), PL_STRV(""), PL_STRV("bc"), PL_STRV("def")};
  uint64_t before = pl_mem_stats().allocations;
  assert_int_equal(pl_stream_write(&f->stream, parts, 4), 0);
  assert_int_equal(pl_mem_stats().allocations, before);
  assert_null(f->stream.write);
  char got[7] = "";
  assert_int_equal(recv(f->ends[1], got, 6, MSG_WAITALL), 6);
  assert_string_equal(got, "abcdef");
  assert_int_equal(f->written, 0);
}

static void a_write_of_nothing_does_not_ask_the_kernel(void **state) {
  struct fixture *f = *state;
  reset_socket(f->ends[1]);
  f->ends[1] = -1;
  const struct pl_strv nothing = PL_STRV("");
  assert_int_equal(pl_stream_write(&f->stream, &nothing, 1), 0);
  assert_int_equal(pl_stream_write(&f->stream, NULL, 0), 0);
  assert_null(f->stream.write);
}

// Reads what the stream wrote, while the loop writes on, and compares it with `parts`.
static void receive_all(struct fixture *f, const struct pl_strv *parts, size_t count) {
  static char got[65536];
  for (size_t i = 0; i < count; i++) {
    for (size_t at = 0; at < parts[i].len;) {
      size_t want = parts[i].len - at < sizeof got ? parts[i].len - at : sizeof got;
      ssize_t n = recv(f->ends[1], got, want, MSG_DONTWAIT);
      if (n > 0) {
        assert_memory_equal(got, parts[i].data + at, (size_t)n);
        at += (size_t)n;
      } else {
        turn(f);
      }
    }
  }
}

static void a_big_write_goes_on_by_itself_and_ends_in_on_written(void **state) {
  struct fixture *f = *state;
  const struct pl_strv parts[] = {pl_strv(f->big, 3), pl_strv(f->big + 7, BIG_BYTES / 2),
                                  pl_strv(f->big + 5, 100), pl_strv(f->big, BIG_BYTES / 2)};
  assert_int_equal(pl_stream_write(&f->stream, parts, 4), PL_EAGAIN);
  assert_non_null(f->stream.write);
  assert_in_range(pl_stream_unsent(&f->stream), 1, BIG_BYTES + 102);
  receive_all(f, parts, 4);
  while (!f->written) turn(f);
  assert_int_equal(f->written, 1);
  assert_int_equal(f->written_status, 0);
  assert_int_equal(pl_stream_unsent(&f->stream), 0);
}

static void a_second_pending_write_takes_the_spare_request(void **state) {
  struct fixture *f = *state;
  const struct pl_strv part = pl_strv(f->big, BIG_BYTES);
  uint64_t before = pl_mem_stats().allocations;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(pl_stream_write(&f->stream, &part, 1), PL_EAGAIN);
    receive_all(f, &part, 1);
    while (f->written <= i) turn(f);
  }
  assert_int_equal(pl_mem_stats().allocations, before + 1);
}

static void a_write_without_memory_for_its_rest_fails(void **state) {
  struct fixture *f = *state;
  const struct pl_strv part = pl_strv(f->big, BIG_BYTES);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_stream_write(&f->stream, &part, 1), PL_ENOMEM);
  assert_null(f->stream.write);
}

static void a_pending_write_reports_a_reset(void **state) {
  struct fixture *f = *state;
  const struct pl_strv part = pl_strv(f->big, BIG_BYTES);
  assert_int_equal(pl_stream_write(&f->stream, &part, 1), PL_EAGAIN);
  reset_socket(f->ends[1]);
  f->ends[1] = -1;
  while (!f->written) turn(f);
  assert_true(f->written_status == PL_ECONNRESET || f->written_status == PL_EPIPE);
  assert_int_equal(f->written, 1);
}

static void a_write_to_a_closed_far_end_fails(void **state) {
  struct fixture *f = *state;
  const struct pl_strv part = PL_STRV("x");
  reset_socket(f->ends[1]);
  f->ends[1] = -1;
  int rc = pl_stream_write(&f->stream, &part, 1);
  assert_true(rc == PL_ECONNRESET || rc == PL_EPIPE);
  assert_null(f->stream.write);
}

static void shutdown_sends_a_fin_and_reading_goes_on(void **state) {
  struct fixture *f = *state;
  char byte;
  pl_stream_shutdown_write(&f->stream);
  assert_int_equal(recv(f->ends[1], &byte, 1, 0), 0);
  send_text(f->ends[1], "late");
  pl_stream_read_start(&f->stream);
  while (!f->seen[0]) turn(f);
  assert_string_equal(f->seen, "late");
}

// ---- the other side ----

static void ask_peer_sees_a_fin_behind_unread_bytes(void **state) {
  struct fixture *f = *state;
  assert_int_equal(pl_stream_ask_peer(&f->stream), 0);
  send_text(f->ends[1], "unread");
  assert_int_equal(pl_stream_ask_peer(&f->stream), 0);
  shutdown(f->ends[1], SHUT_WR);
  assert_int_equal(pl_stream_ask_peer(&f->stream), PL_EOF);
  pl_stream_read_start(&f->stream);
  while (!f->ended) turn(f);
  assert_string_equal(f->seen, "unread");
}

static void ask_peer_sees_a_reset(void **state) {
  struct fixture *f = *state;
  reset_socket(f->ends[1]);
  f->ends[1] = -1;
  assert_int_equal(pl_stream_ask_peer(&f->stream), PL_ECONNRESET);
}

// By itself the kernel keeps 64 to 128 KiB for one who does not read.
static void enlarged_buffer_lets_a_fin_arrive_behind_a_megabyte(void **state) {
  struct fixture *f = *state;
  static const char unread[1024 * 1024];
  pl_stream_enlarge_unread(&f->stream, sizeof unread);
  assert_int_equal(send(f->ends[1], unread, sizeof unread, MSG_NOSIGNAL), sizeof unread);
  close_far_end(f);
  for (int i = 0; i < 10000 && pl_stream_ask_peer(&f->stream) == 0; i++) poll(NULL, 0, 1);
  assert_int_equal(pl_stream_ask_peer(&f->stream), PL_EOF);
  int mark;
  assert_int_equal(
      getsockopt(f->ends[0], SOL_SOCKET, SO_RCVLOWAT, &mark, &(socklen_t){sizeof mark}), 0);
  assert_int_equal(mark, 1);  // one byte is still enough to be read
  pl_stream_read_start(&f->stream);
  while (!f->ended) turn(f);
  assert_int_equal(f->seen_bytes, sizeof unread);
}

// Where the FIN has been read already libuv asks the kernel for nothing any more.
static void ask_peer_sees_a_reset_behind_a_fin_that_was_read(void **state) {
  struct fixture *f = *state;
  pl_stream_read_start(&f->stream);
  shutdown(f->ends[1], SHUT_WR);
  while (!f->ended) turn(f);
  assert_int_equal(pl_stream_ask_peer(&f->stream), PL_EOF);
  reset_socket(f->ends[1]);
  f->ends[1] = -1;
  assert_int_equal(pl_stream_ask_peer(&f->stream), PL_ECONNRESET);
}

static void ask_peer_sees_a_unix_socket_closed_behind_its_fin(void **state) {
  struct fixture *f = *state;
  shutdown(f->ends[1], SHUT_WR);
  assert_int_equal(pl_stream_ask_peer(&f->stream), PL_EOF);
  close(f->ends[1]);
  f->ends[1] = -1;
  assert_int_equal(pl_stream_ask_peer(&f->stream), PL_ECONNRESET);
}

static void peer_is_address_and_port(void **state) {
  struct fixture *f = *state;
  struct sockaddr_in in;
  socklen_t len = sizeof in;
  assert_int_equal(getsockname(f->ends[1], (struct sockaddr *)&in, &len), 0);
  char text[64];
  int port;
  pl_stream_peer(&f->stream, text, sizeof text, &port);
  assert_string_equal(text, "127.0.0.1");
  assert_int_equal(port, ntohs(in.sin_port));
}

static void peer_of_a_unix_socket_has_no_port(void **state) {
  struct fixture *f = *state;
  char text[64];
  int port = 1;
  pl_stream_peer(&f->stream, text, sizeof text, &port);
  assert_string_equal(text, "unix:");
  assert_int_equal(port, 0);
}

// ---- the end ----

static void close_calls_on_closed_once_and_nothing_else(void **state) {
  struct fixture *f = *state;
  pl_stream_read_start(&f->stream);
  send_text(f->ends[1], "never read");
  pl_stream_close(&f->stream, false);
  pl_stream_close(&f->stream, true);
  assert_int_equal(f->closed, 0);
  pl_stream_read_start(&f->stream);
  const struct pl_strv part = PL_STRV("x");
  assert_int_equal(pl_stream_write(&f->stream, &part, 1), PL_ECANCELED);
  while (!f->closed) turn(f);
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
  assert_int_equal(f->closed, 1);
  assert_int_equal(f->ended, 0);
  assert_string_equal(f->seen, "");
}

static void close_with_a_pending_write_gives_its_bytes_back_at_once(void **state) {
  struct fixture *f = *state;
  const struct pl_strv part = pl_strv(f->big, BIG_BYTES);
  assert_int_equal(pl_stream_write(&f->stream, &part, 1), PL_EAGAIN);
  pl_stream_close(&f->stream, false);
  pl_mem_free(f->big);  // ASan watches
  f->big = NULL;
  while (!f->closed) turn(f);
  assert_int_equal(f->written, 0);
  assert_null(f->stream.write);
}

static int read_to_the_end(int fd) {
  static char got[65536];
  ssize_t n;
  while ((n = recv(fd, got, sizeof got, 0)) > 0) continue;
  return n < 0 ? errno : 0;
}

static void close_sends_a_fin(void **state) {
  struct fixture *f = *state;
  pl_stream_close(&f->stream, false);
  assert_int_equal(read_to_the_end(f->ends[1]), 0);
}

static void close_with_reset_sends_a_rst(void **state) {
  struct fixture *f = *state;
  pl_stream_close(&f->stream, true);
  assert_int_equal(read_to_the_end(f->ends[1]), ECONNRESET);
}

static void open_refuses_what_is_no_connected_socket_and_closes_it(void **state) {
  struct fixture *f = *state;
  struct pl_stream other;
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  assert_int_equal(pl_stream_open(&other, &f->loop, fd, false, &ops), -ENOTSOCK);
  assert_int_equal(fcntl(fd, F_GETFD), -1);
  assert_int_equal(pl_stream_open(&other, &f->loop, -1, false, &ops), -EBADF);
  fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(pl_stream_open(&other, &f->loop, fd, false, &ops), PL_EINVAL);
  assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void) {
#define TCP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define UNIX(name) \
  { #name " (unix)", name, set_up_unix, tear_down, NULL }
  const struct CMUnitTest tests[] = {
      TCP(read_delivers_bytes_then_the_end_once),
      UNIX(read_delivers_bytes_then_the_end_once),
      TCP(read_reports_a_reset),
      TCP(a_stopped_stream_reads_nothing_until_started_again),
      TCP(bytes_go_where_the_owner_wants_them),
      UNIX(bytes_go_where_the_owner_wants_them),
      TCP(a_full_room_ends_the_reading_of_a_turn),
      TCP(an_owner_may_leave_bytes_with_the_kernel),
      TCP(a_small_write_is_done_at_once_without_an_allocation),
      UNIX(a_small_write_is_done_at_once_without_an_allocation),
      TCP(a_write_of_nothing_does_not_ask_the_kernel),
      TCP(a_big_write_goes_on_by_itself_and_ends_in_on_written),
      UNIX(a_big_write_goes_on_by_itself_and_ends_in_on_written),
      TCP(a_second_pending_write_takes_the_spare_request),
      TCP(a_write_without_memory_for_its_rest_fails),
      TCP(a_pending_write_reports_a_reset),
      TCP(a_write_to_a_closed_far_end_fails),
      TCP(shutdown_sends_a_fin_and_reading_goes_on),
      UNIX(shutdown_sends_a_fin_and_reading_goes_on),
      TCP(ask_peer_sees_a_fin_behind_unread_bytes),
      UNIX(ask_peer_sees_a_fin_behind_unread_bytes),
      TCP(ask_peer_sees_a_reset),
      TCP(enlarged_buffer_lets_a_fin_arrive_behind_a_megabyte),
      TCP(ask_peer_sees_a_reset_behind_a_fin_that_was_read),
      UNIX(ask_peer_sees_a_unix_socket_closed_behind_its_fin),
      TCP(peer_is_address_and_port),
      UNIX(peer_of_a_unix_socket_has_no_port),
      TCP(close_calls_on_closed_once_and_nothing_else),
      UNIX(close_calls_on_closed_once_and_nothing_else),
      TCP(close_with_a_pending_write_gives_its_bytes_back_at_once),
      TCP(close_sends_a_fin),
      TCP(close_with_reset_sends_a_rst),
      TCP(open_refuses_what_is_no_connected_socket_and_closes_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
