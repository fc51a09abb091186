// Two generations of an app side by side. The whole server runs in this process, on a unix socket;
// the test has its worker load a second app while a request of the first one is parked.
//
// A parked handler waits for a file: the test makes it when the handler may go on.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/report.h"
#include "worker/server.h"
#include "worker/worker.h"

enum { TEXT_BYTES = 1024, PATH_BYTES = 100 };

// %1$s: the generation's name, %2$s: the test's folder
static const char app_text[] =
    "local perilune, task = require 'perilune', require 'perilune.task'\n"
    "local app = perilune.app()\n"
    "local function exists(name)\n"
    "  local file = io.open('%2$s/' .. name)\n"
    "  return file and file:close()\n"
    "end\n"
    "app:get('/who', function() return '%1$s ' .. task.id() end)\n"
    "local function park()\n"
    "  io.open('%2$s/parked', 'w'):close()\n"
    "  while not exists('go') do task.sleep(0.002) end\n"
    "  return '%1$s ' .. task.spawn(function() return task.id() end):await()\n"
    "end\n"
    "app:get('/park', park)\n"
    "app:get('/one', {in_flight = 1}, park)\n"
    "app:on('stop', function()\n"
    "  task.sleep(0.001)\n"
    "  io.open('%2$s/%1$s-stopped', 'w'):close()\n"
    "end)\n"
    "return app\n";

struct served {
  char folder[64];
  char app[TEXT_BYTES];
  char second_app[TEXT_BYTES];
  struct pl_config config;
  uv_thread_t thread;
  bool is_told;  // to stop
  int exit_code;
  struct pl_worker *_Atomic worker;
  uv_sem_t switched;  // the second generation has loaded, or has failed to
  struct pl_message order;
};

// The server tells nobody its worker but through its hook, which has no argument of the test's.
static struct served *served;

// ---- files ----

static void path_of(const struct served *s, const char *name, char out[PATH_BYTES]) {
  snprintf(out, PATH_BYTES, "%s/%s", s->folder, name);
}

static bool exists(const struct served *s, const char *name) {
  char path[PATH_BYTES];
  struct stat st;
  path_of(s, name, path);
  return stat(path, &st) == 0;
}

static void wait_for_file(const struct served *s, const char *name) {
  while (!exists(s, name)) usleep(500);
}

static void make_file(const struct served *s, const char *name) {
  char path[PATH_BYTES];
  path_of(s, name, path);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fclose(file);
}

static void remove_files(const struct served *s) {
  static const char *const names[] = {"parked", "go", "first-stopped", "second-stopped", "socket"};
  char path[PATH_BYTES];
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) {
    path_of(s, names[i], path);
    unlink(path);
  }
  assert_int_equal(rmdir(s->folder), 0);
}

// ---- the server ----

static void set(struct pl_config *config, const char *key, const char *value) {
  struct pl_strv item = pl_strv_of(value);
  struct pl_config_input input = {PL_CONFIG_FORM_TEXT, &item, 1};
  struct pl_config_report report = {0};
  int number = pl_config_find_key(pl_strv_of(key));
  pl_config_set(config, number, &input, PL_CONFIG_FLAG, "test", &report);
  assert_int_equal(report.count, 0);
}

static void on_app(struct pl_generation *g) {
  served->worker = g->options.ctx;
}

static void run_server(void *arg) {
  struct served *s = arg;
  struct pl_server_options options = {.config = &s->config, .app_code = s->app, .on_app = on_app};
  s->exit_code = pl_server_run(&options);
}

static int start_server(void **state) {
  struct served *s = calloc(1, sizeof *s);
  char listen[128];
  snprintf(s->folder, sizeof s->folder, "/tmp/perilune-generation-XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  snprintf(s->app, sizeof s->app, app_text, "first", s->folder);
  snprintf(s->second_app, sizeof s->second_app, app_text, "second", s->folder);
  snprintf(listen, sizeof listen, "unix:%s/socket", s->folder);
  assert_int_equal(pl_config_init(&s->config), 0);
  set(&s->config, "listen", listen);
  set(&s->config, "log.access", "false");
  set(&s->config, "timeouts.queue", "60s");
  set(&s->config, "log.level", "error");
  assert_int_equal(uv_sem_init(&s->switched, 0), 0);
  *state = served = s;
  assert_int_equal(uv_thread_create(&s->thread, run_server, s), 0);
  return 0;
}

static int stop_server(void **state) {
  struct served *s = *state;
  if (!s->is_told) kill(getpid(), SIGTERM);
  uv_thread_join(&s->thread);
  assert_int_equal(s->exit_code, 0);
  assert_true(exists(s, "first-stopped"));
  pl_config_deinit(&s->config);
  uv_sem_destroy(&s->switched);
  remove_files(s);
  free(s);
  return 0;
}

// ---- the switch, on the worker's thread ----

static void on_loaded(struct pl_generation *g, void *ctx) {
  if (g->state == PL_GENERATION_READY)
    pl_worker_adopt(ctx, g);
  else
    pl_generation_retire(g);
  uv_sem_post(&served->switched);
}

static void load_second(struct pl_message *m) {
  struct served *s = PL_CONTAINER_OF(m, struct served, order);
  struct pl_worker *worker = s->worker;
  struct pl_generation_options options = worker->current->options;
  options.app_code = s->second_app;
  options.on_loaded = on_loaded;
  struct pl_generation *g = pl_generation_new(&options);
  assert_non_null(g);
  pl_list_push_back(&worker->generations, &g->link);
}

static void discard(struct pl_message *m) {
  (void)m;
}

static void switch_generation(struct served *s) {
  while (!s->worker) usleep(500);
  s->order = (struct pl_message){.deliver = load_second, .discard = discard};
  pl_mailbox_post(&s->worker->mailbox, &s->order);
  uv_sem_wait(&s->switched);
}

// ---- the client ----

// The socket appears when the server listens; connect itself is the wait.
static int connect_to(const struct served *s) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  path_of(s, "socket", address.sun_path);
  for (int tries = 0; tries < 100000; tries++) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    usleep(100);
  }
  fail_msg("the server does not listen");
  return -1;
}

static void ask(int fd, const char *path) {
  char text[128];
  int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
  assert_int_equal(write(fd, text, (size_t)len), len);
}

// Reads one answer and no byte more; its body is "<generation> <task id>". Returns the id.
static unsigned long long read_answer(int fd, const char *generation) {
  char text[TEXT_BYTES], who[32];
  unsigned long long id = 0;
  size_t len = 0, body = 0;
  while (!body || len < body) {
    assert_true(len < sizeof text - 1);
    assert_int_equal(read(fd, text + len, 1), 1);
    text[++len] = '\0';
    if (body || len < 4 || strcmp(text + len - 4, "\r\n\r\n") != 0) continue;
    const char *length = strstr(text, "Content-Length: ");
    assert_non_null(length);
    body = len + strtoul(length + 16, NULL, 10);
  }
  assert_int_equal(sscanf(strstr(text, "\r\n\r\n"), "%31s %llu", who, &id), 2);
  assert_string_equal(who, generation);
  return id;
}

static unsigned long long request(int fd, const char *path, const char *generation) {
  ask(fd, path);
  return read_answer(fd, generation);
}

// ---- the tests ----

static void
new_requests_go_to_the_new_generation_and_the_old_ends_with_its_last_task(void **state) {
  struct served *s = *state;
  int parked = connect_to(s), open = connect_to(s);
  unsigned long long ids[5];
  ids[0] = request(open, "/who", "first");
  ask(parked, "/park");
  wait_for_file(s, "parked");

  switch_generation(s);
  ids[1] = request(open, "/who", "second");  // the same connection
  assert_false(exists(s, "first-stopped"));

  ask(parked, "/who");  // pipelined behind a request of the first one
  make_file(s, "go");
  ids[2] = read_answer(parked, "first");
  ids[3] = read_answer(parked, "second");
  ids[4] = request(open, "/who", "second");
  wait_for_file(s, "first-stopped");
  assert_false(exists(s, "second-stopped"));
  for (size_t i = 0; i < PL_ARRAY_LEN(ids); i++)
    for (size_t j = 0; j < i; j++) assert_true(ids[i] != ids[j]);
  close(parked);
  close(open);
}

// One waits for a place when the app is replaced; the next generation's route has places of its
// own.
static void waiting_request_runs_in_the_generation_that_it_came_to(void **state) {
  struct served *s = *state;
  int parked = connect_to(s), waiting = connect_to(s), open = connect_to(s);
  request(open, "/who", "first");
  ask(parked, "/one");
  wait_for_file(s, "parked");
  ask(waiting, "/one");
  request(open, "/who", "first");  // read behind it

  switch_generation(s);
  ask(open, "/one");
  make_file(s, "go");
  read_answer(open, "second");
  read_answer(parked, "first");
  read_answer(waiting, "first");
  wait_for_file(s, "first-stopped");
  close(parked);
  close(waiting);
  close(open);
}

static void parked_requests_of_both_are_cancelled_by_their_clients(void **state) {
  struct served *s = *state;
  int first = connect_to(s), second = connect_to(s);
  ask(first, "/park");
  wait_for_file(s, "parked");
  switch_generation(s);
  ask(second, "/park");
  close(first);
  wait_for_file(s, "first-stopped");  // nobody made "go"
  close(second);
}

static void generation_that_fails_to_load_changes_nothing(void **state) {
  struct served *s = *state;
  snprintf(s->second_app, sizeof s->second_app, "error 'not today'");
  int fd = connect_to(s);
  request(fd, "/who", "first");
  switch_generation(s);
  request(fd, "/who", "first");
  assert_false(exists(s, "first-stopped"));
  close(fd);
}

static void server_told_to_stop_ends_both(void **state) {
  struct served *s = *state;
  int fd = connect_to(s);
  ask(fd, "/park");
  wait_for_file(s, "parked");
  switch_generation(s);
  kill(getpid(), SIGTERM);
  s->is_told = true;
  make_file(s, "go");
  read_answer(fd, "first");
  close(fd);
  wait_for_file(s, "first-stopped");
  wait_for_file(s, "second-stopped");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          new_requests_go_to_the_new_generation_and_the_old_ends_with_its_last_task, start_server,
          stop_server),
      cmocka_unit_test_setup_teardown(waiting_request_runs_in_the_generation_that_it_came_to,
                                      start_server, stop_server),
      cmocka_unit_test_setup_teardown(parked_requests_of_both_are_cancelled_by_their_clients,
                                      start_server, stop_server),
      cmocka_unit_test_setup_teardown(generation_that_fails_to_load_changes_nothing, start_server,
                                      stop_server),
      cmocka_unit_test_setup_teardown(server_told_to_stop_ends_both, start_server, stop_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
