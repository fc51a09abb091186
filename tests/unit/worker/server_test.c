// What a request costs once the server is warm: no allocation at all. The whole server runs in this
// process, on a unix socket; malloc, Lua's allocator and libuv's all go through base/mem.h.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/report.h"
#include "worker/generation.h"
#include "worker/server.h"

enum { WARM_UP = 1000, REQUESTS = 10000 };

static const char app[] = "local app = require 'perilune'.app()\n"
                          "app:get('/constant', function() return 'Hello, World!' end)\n"
                          "app:get('/path', function(req) return req.path end)\n"
                          "return app\n";

struct served {
  struct pl_config config;
  char path[64];
  uv_thread_t thread;
  const struct pl_heap *_Atomic heap;  ///< of the app's state
  int exit_code;
};

static void set(struct pl_config *config, const char *key, const char *value) {
  struct pl_strv item = pl_strv_of(value);
  struct pl_config_input input = {PL_CONFIG_FORM_TEXT, &item, 1};
  struct pl_config_report report = {0};
  int number = pl_config_find_key(pl_strv_of(key));
  pl_config_set(config, number, &input, PL_CONFIG_FLAG, "test", &report);
  assert_int_equal(report.count, 0);
}

static struct served *serving;

static void keep_heap(struct pl_generation *g) {
  serving->heap = &g->vm.heap;
}

static void run_server(void *arg) {
  struct served *s = arg;
  struct pl_server_options options = {.config = &s->config, .app_code = app, .on_app = keep_heap};
  s->exit_code = pl_server_run(&options);
}

static int start_server(void **state) {
  static struct served s;
  serving = &s;
  char listen[80];
  snprintf(s.path, sizeof s.path, "/tmp/perilune-steady-%d.sock", (int)getpid());
  snprintf(listen, sizeof listen, "unix:%s", s.path);
  assert_int_equal(pl_config_init(&s.config), 0);
  set(&s.config, "listen", listen);
  set(&s.config, "log.access", "false");
  assert_int_equal(uv_thread_create(&s.thread, run_server, &s), 0);
  *state = &s;
  return 0;
}

static int stop_server(void **state) {
  struct served *s = *state;
  kill(getpid(), SIGTERM);
  uv_thread_join(&s->thread);
  pl_config_deinit(&s->config);
  return s->exit_code;
}

// The socket appears when the server listens; connect itself is the wait.
static int connect_to(const struct served *s) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", s->path);
  for (int tries = 0; tries < 100000; tries++) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    usleep(100);
  }
  return -1;
}

static void request(int fd, const char *path) {
  char text[128], answer[1024];
  int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
  assert_int_equal(write(fd, text, (size_t)len), len);
  ssize_t got = read(fd, answer, sizeof answer);
  assert_true(got > 15);
  assert_memory_equal(answer, "HTTP/1.1 200 OK", 15);
}

// base/mem.h's, libuv's among them, and those that Lua got from its own heap.
static uint64_t allocations_so_far(const struct served *s) {
  return pl_mem_stats().allocations + pl_heap_allocations(s->heap);
}

static uint64_t allocations_of(const struct served *s, const char *path) {
  int fd = connect_to(s);
  assert_true(fd >= 0);
  for (int i = 0; i < WARM_UP; i++) request(fd, path);
  uint64_t before = allocations_so_far(s);
  for (int i = 0; i < REQUESTS; i++) request(fd, path);
  uint64_t made = allocations_so_far(s) - before;
  close(fd);
  return made;
}

static void constant_answer_costs_no_allocation(void **state) {
  assert_int_equal(allocations_of(*state, "/constant"), 0);
}

// The counter counts: a handler that looks at its request has an object made for it.
static void request_object_costs_one_allocation(void **state) {
  uint64_t made = allocations_of(*state, "/path");
  assert_in_range(made, REQUESTS, 2 * REQUESTS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constant_answer_costs_no_allocation),
      cmocka_unit_test(request_object_costs_one_allocation),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
