// Listening sockets: what binding refuses and takes over, and how accepting stops and goes on.
#include "io/listener.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "net.h"

enum { MOST_FDS = 64 };

struct fixture {
  struct pl_loop loop;
  struct pl_listener listener;
  struct pl_address address;
  int fd;  // the bound socket
  int accepted[MOST_FDS], accepted_count;
  int clients[MOST_FDS], client_count;
  int errors, error;
  int closed;
  void (*in_accept)(struct pl_listener *l);
  char folder[64];
};

static struct pl_address parse(const char *text) {
  struct pl_address address;
  char error[256];
  assert_int_equal(pl_address_parse(pl_strv_of(text), &address, error, sizeof error), 0);
  return address;
}

static void on_accept(struct pl_listener *l, int fd) {
  struct fixture *f = PL_CONTAINER_OF(l, struct fixture, listener);
  assert_true(f->accepted_count < MOST_FDS);
  f->accepted[f->accepted_count++] = fd;
  if (f->in_accept) f->in_accept(l);
}

static void on_error(struct pl_listener *l, int status) {
  struct fixture *f = PL_CONTAINER_OF(l, struct fixture, listener);
  f->errors++;
  f->error = status;
}

static void on_closed(struct pl_listener *l) {
  PL_CONTAINER_OF(l, struct fixture, listener)->closed++;
}

static int set_up_at(void **state, bool is_unix) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  if (!f || pl_loop_init(&f->loop, NULL, NULL)) return -1;
  strcpy(f->folder, "/tmp/perilune-listener-XXXXXX");
  if (!mkdtemp(f->folder)) return -1;
  char text[128] = "127.0.0.1:0";
  if (is_unix) snprintf(text, sizeof text, "unix:%s/socket", f->folder);
  f->address = parse(text);
  f->listener.on_accept = on_accept;
  f->listener.on_error = on_error;
  f->listener.on_closed = on_closed;
  if (pl_listener_bind(&f->address, &f->fd)) return -1;
  return pl_listener_open(&f->listener, &f->loop, f->fd, f->address.is_unix);
}

static int set_up(void **state) {
  return set_up_at(state, false);
}

static int set_up_unix(void **state) {
  return set_up_at(state, true);
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  pl_listener_close(&f->listener, false);
  pl_listener_unbind(&f->address, f->fd);
  for (int i = 0; i < f->accepted_count; i++) close(f->accepted[i]);
  for (int i = 0; i < f->client_count; i++) close(f->clients[i]);
  int leaked = pl_loop_deinit(&f->loop);
  int closed = f->closed;
  int left = rmdir(f->folder);
  pl_mem_free(f);
  return leaked || closed != 1 || left;
}

static int try_connect(const struct pl_address *address) {
  int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (const struct sockaddr *)&address->storage, address->len) == 0)
    return fd;
  close(fd);
  return -1;
}

static void connect_clients(struct fixture *f, int count) {
  for (int i = 0; i < count; i++) {
    int fd = try_connect(&f->address);
    assert_true(fd >= 0);
    f->clients[f->client_count++] = fd;
  }
}

static void turn(struct fixture *f) {
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

// ---- binding ----

static void bind_writes_the_free_port_back(void **state) {
  struct fixture *f = *state;
  const struct sockaddr_in *in = (const struct sockaddr_in *)&f->address.storage;
  char text[32];
  assert_int_not_equal(ntohs(in->sin_port), 0);
  snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(in->sin_port));
  assert_string_equal(f->address.text, text);
}

static void a_second_bind_fails(void **state) {
  struct fixture *f = *state;
  struct pl_address again = f->address;
  int fd = -1;
  assert_int_equal(pl_listener_bind(&again, &fd), -EADDRINUSE);
  assert_int_equal(fd, -1);
  connect_clients(f, 1);  // the first still lives
}

// Closing first leaves the server's side in TIME_WAIT; only SO_REUSEADDR gets over that.
static void bind_succeeds_right_after_a_server_has_gone(void **state) {
  struct fixture *f = *state;
  struct pl_address other = parse("127.0.0.1:0");
  int fd, again;
  char byte;
  assert_int_equal(pl_listener_bind(&other, &fd), 0);
  int client = try_connect(&other);
  int server = accept(fd, NULL, NULL);
  close(server);
  assert_int_equal(recv(client, &byte, 1, 0), 0);
  close(client);
  pl_listener_unbind(&other, fd);
  assert_int_equal(pl_listener_bind(&other, &again), 0);
  pl_listener_unbind(&other, again);
  (void)f;
}

static void bind_refuses_an_address_that_is_not_ours(void **state) {
  (void)state;
  struct pl_address address = parse("192.0.2.1:0");
  int fd;
  assert_int_equal(pl_listener_bind(&address, &fd), -EADDRNOTAVAIL);
}

static void ipv6_stands_beside_ipv4_on_the_same_port(void **state) {
  (void)state;
  struct pl_address v4 = parse("0.0.0.0:0"), v6;
  int fd4, fd6;
  char text[32];
  assert_int_equal(pl_listener_bind(&v4, &fd4), 0);
  snprintf(text, sizeof text, "[::]:%s", strrchr(v4.text, ':') + 1);
  v6 = parse(text);
  int rc = pl_listener_bind(&v6, &fd6);
  pl_listener_unbind(&v4, fd4);
  if (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL) skip();  // no IPv6 on this machine
  assert_int_equal(rc, 0);
  pl_listener_unbind(&v6, fd6);
}

static void a_unix_socket_with_a_live_server_is_refused(void **state) {
  struct fixture *f = *state;
  struct pl_address again = f->address;
  int fd;
  assert_int_equal(pl_listener_bind(&again, &fd), -EADDRINUSE);
  connect_clients(f, 1);
}

static void a_unix_socket_left_by_a_dead_server_is_taken_over(void **state) {
  struct fixture *f = *state;
  pl_listener_close(&f->listener, false);
  close(f->fd);  // as after kill -9: the file stays
  assert_int_equal(try_connect(&f->address), -1);
  assert_int_equal(pl_listener_bind(&f->address, &f->fd), 0);
  connect_clients(f, 1);
}

static void a_file_that_is_no_socket_is_left_alone(void **state) {
  struct fixture *f = *state;
  char text[128];
  struct stat file;
  snprintf(text, sizeof text, "unix:%s/file", f->folder);
  struct pl_address address = parse(text);
  close(open(text + 5, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  int fd;
  assert_int_equal(pl_listener_bind(&address, &fd), -EEXIST);
  assert_int_equal(lstat(text + 5, &file), 0);
  assert_true(S_ISREG(file.st_mode));
  assert_int_equal(unlink(text + 5), 0);
}

static void a_folder_that_is_missing_is_reported(void **state) {
  (void)state;
  struct pl_address address = parse("unix:/nonexistent/socket");
  int fd;
  assert_int_equal(pl_listener_bind(&address, &fd), -ENOENT);
}

static void unbind_removes_the_sockets_file(void **state) {
  struct fixture *f = *state;
  char text[128];
  snprintf(text, sizeof text, "unix:%s/other", f->folder);
  struct pl_address address = parse(text);
  int fd;
  assert_int_equal(pl_listener_bind(&address, &fd), 0);
  assert_int_equal(access(text + 5, F_OK), 0);
  pl_listener_unbind(&address, fd);
  assert_int_equal(access(text + 5, F_OK), -1);
}

enum { RACERS = 6, RACES = 30 };

struct race {
  struct pl_address address;
  uv_barrier_t barrier;
  int fds[RACERS];
  int next;
  uv_mutex_t mutex;
};

static void race_for_address(void *arg) {
  struct race *race = arg;
  uv_mutex_lock(&race->mutex);
  int *fd = &race->fds[race->next++];
  uv_mutex_unlock(&race->mutex);
  struct pl_address address = race->address;
  uv_barrier_wait(&race->barrier);
  if (pl_listener_bind(&address, fd)) *fd = -1;
}

// The path always holds a dead server's socket at first, so that all of them find it stale.
static void of_servers_that_start_at_once_on_a_stale_socket_one_wins(void **state) {
  struct fixture *f = *state;
  pl_listener_close(&f->listener, false);
  for (int round = 0; round < RACES; round++) {
    close(f->fd);
    struct race race = {.address = f->address};
    uv_barrier_init(&race.barrier, RACERS);
    uv_mutex_init(&race.mutex);
    uv_thread_t threads[RACERS];
    for (int i = 0; i < RACERS; i++) uv_thread_create(&threads[i], race_for_address, &race);
    for (int i = 0; i < RACERS; i++) uv_thread_join(&threads[i]);
    uv_barrier_destroy(&race.barrier);
    uv_mutex_destroy(&race.mutex);
    int winners = 0;
    for (int i = 0; i < RACERS; i++) {
      if (race.fds[i] < 0) continue;
      winners++;
      f->fd = race.fds[i];
    }
    assert_int_equal(winners, 1);
  }
}

static void bind_in_thread(void *arg) {
  struct race *race = arg;
  race->next = pl_listener_bind(&race->address, &race->fds[0]);
}

// The test is the other server, which holds the folder's lock from its bind to its listen. The
// pause only gives a bind that ignores the lock the time to do its damage.
static void a_server_between_bind_and_listen_is_not_taken_for_dead(void **state) {
  struct fixture *f = *state;
  char text[128];
  snprintf(text, sizeof text, "unix:%s/other", f->folder);
  struct race race = {.address = parse(text)};
  const struct sockaddr *sockaddr = (const struct sockaddr *)&race.address.storage;
  int folder = open(f->folder, O_RDONLY | O_CLOEXEC);
  int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(flock(folder, LOCK_EX), 0);
  assert_int_equal(bind(other, sockaddr, race.address.len), 0);
  uv_thread_t thread;
  assert_int_equal(uv_thread_create(&thread, bind_in_thread, &race), 0);
  uv_sleep(50);
  assert_int_equal(listen(other, 1), 0);
  close(folder);
  uv_thread_join(&thread);
  assert_int_equal(race.next, -EADDRINUSE);
  pl_listener_unbind(&race.address, other);
}

static void a_lock_held_on_the_folder_only_delays_binding(void **state) {
  struct fixture *f = *state;
  char text[128];
  int folder = open(f->folder, O_RDONLY | O_CLOEXEC), fd;
  assert_int_equal(flock(folder, LOCK_EX), 0);
  snprintf(text, sizeof text, "unix:%s/other", f->folder);
  struct pl_address address = parse(text);
  assert_int_equal(pl_listener_bind(&address, &fd), 0);
  pl_listener_unbind(&address, fd);
  close(folder);
}

// ---- accepting ----

static void accepted_sockets_do_not_block_nor_leak_into_children(void **state) {
  struct fixture *f = *state;
  connect_clients(f, 1);
  turn(f);
  assert_int_equal(f->accepted_count, 1);
  assert_true(fcntl(f->accepted[0], F_GETFL) & O_NONBLOCK);
  assert_true(fcntl(f->accepted[0], F_GETFD) & FD_CLOEXEC);
  assert_true(fcntl(f->listener.fd, F_GETFD) & FD_CLOEXEC);
  assert_true(fcntl(f->fd, F_GETFD) & FD_CLOEXEC);
  int nodelay = 0;
  socklen_t len = sizeof nodelay;
  assert_int_equal(getsockopt(f->accepted[0], IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
  assert_true(nodelay);
}

static void a_turn_accepts_16_at_most(void **state) {
  struct fixture *f = *state;
  connect_clients(f, 20);
  turn(f);
  assert_int_equal(f->accepted_count, 16);
  turn(f);
  assert_int_equal(f->accepted_count, 20);
}

static void a_paused_listener_accepts_nothing_until_resumed(void **state) {
  struct fixture *f = *state;
  pl_listener_pause(&f->listener);
  pl_listener_pause(&f->listener);
  connect_clients(f, 3);
  turn(f);
  assert_int_equal(f->accepted_count, 0);
  pl_listener_resume(&f->listener);
  pl_listener_resume(&f->listener);
  turn(f);
  assert_int_equal(f->accepted_count, 3);
}

static void a_pause_inside_on_accept_ends_the_round(void **state) {
  struct fixture *f = *state;
  f->in_accept = pl_listener_pause;
  connect_clients(f, 3);
  turn(f);
  turn(f);
  assert_int_equal(f->accepted_count, 1);
}

static void close_here(struct pl_listener *l) {
  pl_listener_close(l, false);
}

static void a_close_inside_on_accept_ends_the_round(void **state) {
  struct fixture *f = *state;
  f->in_accept = close_here;
  connect_clients(f, 3);
  turn(f);
  turn(f);
  assert_int_equal(f->accepted_count, 1);
  assert_int_equal(f->closed, 1);
  pl_listener_pause(&f->listener);  // harmless now
  pl_listener_resume(&f->listener);
}

static void close_with_drain_accepts_the_whole_queue_first(void **state) {
  struct fixture *f = *state;
  pl_listener_pause(&f->listener);
  connect_clients(f, 40);
  pl_listener_close(&f->listener, true);
  assert_int_equal(f->accepted_count, 40);
  assert_int_equal(f->closed, 0);
  turn(f);
  assert_int_equal(f->closed, 1);
}

static void close_without_drain_accepts_nothing(void **state) {
  struct fixture *f = *state;
  connect_clients(f, 3);
  pl_listener_close(&f->listener, false);
  turn(f);
  assert_int_equal(f->accepted_count, 0);
}

static void two_listeners_share_a_socket(void **state) {
  struct fixture *f = *state;
  struct fixture *second = pl_mem_zalloc(sizeof *second);
  assert_non_null(second);
  assert_int_equal(pl_loop_init(&second->loop, NULL, NULL), 0);
  second->listener.on_accept = on_accept;
  assert_int_equal(pl_listener_open(&second->listener, &second->loop, f->fd, false), 0);
  connect_clients(f, 20);
  turn(f);
  turn(second);
  assert_int_equal(f->accepted_count, 16);
  assert_int_equal(second->accepted_count, 4);
  pl_listener_close(&second->listener, false);
  connect_clients(f, 1);  // the first one's dup still listens
  turn(f);
  assert_int_equal(f->accepted_count, 17);
  for (int i = 0; i < 4; i++) close(second->accepted[i]);
  assert_int_equal(pl_loop_deinit(&second->loop), 0);
  pl_mem_free(second);
}

// ---- no descriptors left ----

// Leaves this process without a free descriptor. Returns: the limit to restore.
static rlim_t exhaust_descriptors(void) {
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlim_t before = limit.rlim_cur;
  int lowest_free = dup(STDERR_FILENO);
  close(lowest_free);
  limit.rlim_cur = (rlim_t)lowest_free;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  return before;
}

static void restore_descriptors(rlim_t before) {
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = before;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void emfile_stops_polling_for_500_ms_and_then_recovers(void **state) {
  struct fixture *f = *state;
  connect_clients(f, 2);
  uint64_t start = f->loop.wheel.now_ms;
  rlim_t limit = exhaust_descriptors();
  for (int i = 0; i < 5; i++) turn(f);
  restore_descriptors(limit);
  assert_int_equal(f->errors, 1);  // it did not spin
  assert_int_equal(f->error, -EMFILE);
  assert_false(uv_is_active((const uv_handle_t *)&f->listener.poll));
  uint64_t due = f->listener.retry.due_ms;
  assert_true(due >= start + 500);
  pl_wheel_advance(&f->loop.wheel, due - 1);
  assert_false(uv_is_active((const uv_handle_t *)&f->listener.poll));
  pl_wheel_advance(&f->loop.wheel, due);
  turn(f);
  assert_int_equal(f->accepted_count, 2);
  assert_int_equal(f->errors, 1);
}

static void a_resume_does_not_cut_the_wait_after_emfile_short(void **state) {
  struct fixture *f = *state;
  connect_clients(f, 1);
  rlim_t limit = exhaust_descriptors();
  turn(f);
  restore_descriptors(limit);
  pl_listener_pause(&f->listener);
  pl_listener_resume(&f->listener);
  assert_false(uv_is_active((const uv_handle_t *)&f->listener.poll));
  pl_listener_pause(&f->listener);
  pl_wheel_advance(&f->loop.wheel, f->listener.retry.due_ms);
  assert_false(uv_is_active((const uv_handle_t *)&f->listener.poll));
  pl_listener_resume(&f->listener);
  turn(f);
  assert_int_equal(f->accepted_count, 1);
}

static void open_without_a_free_descriptor_fails_cleanly(void **state) {
  struct fixture *f = *state;
  struct pl_listener other = {.on_accept = on_accept};
  rlim_t limit = exhaust_descriptors();
  int rc = pl_listener_open(&other, &f->loop, f->fd, false);
  restore_descriptors(limit);
  assert_int_equal(rc, -EMFILE);
}

int main(void) {
#define TCP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define UNIX(name) \
  { #name " (unix)", name, set_up_unix, tear_down, NULL }
  const struct CMUnitTest tests[] = {
      TCP(bind_writes_the_free_port_back),
      TCP(a_second_bind_fails),
      TCP(bind_succeeds_right_after_a_server_has_gone),
      cmocka_unit_test(bind_refuses_an_address_that_is_not_ours),
      cmocka_unit_test(ipv6_stands_beside_ipv4_on_the_same_port),
      UNIX(a_unix_socket_with_a_live_server_is_refused),
      UNIX(a_unix_socket_left_by_a_dead_server_is_taken_over),
      UNIX(a_file_that_is_no_socket_is_left_alone),
      cmocka_unit_test(a_folder_that_is_missing_is_reported),
      UNIX(unbind_removes_the_sockets_file),
      UNIX(of_servers_that_start_at_once_on_a_stale_socket_one_wins),
      UNIX(a_server_between_bind_and_listen_is_not_taken_for_dead),
      UNIX(a_lock_held_on_the_folder_only_delays_binding),
      TCP(accepted_sockets_do_not_block_nor_leak_into_children),
      TCP(a_turn_accepts_16_at_most),
      UNIX(a_turn_accepts_16_at_most),
      TCP(a_paused_listener_accepts_nothing_until_resumed),
      TCP(a_pause_inside_on_accept_ends_the_round),
      TCP(a_close_inside_on_accept_ends_the_round),
      TCP(close_with_drain_accepts_the_whole_queue_first),
      UNIX(close_with_drain_accepts_the_whole_queue_first),
      TCP(close_without_drain_accepts_nothing),
      TCP(two_listeners_share_a_socket),
      TCP(emfile_stops_polling_for_500_ms_and_then_recovers),
      TCP(a_resume_does_not_cut_the_wait_after_emfile_short),
      TCP(open_without_a_free_descriptor_fails_cleanly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
