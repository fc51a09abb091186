// The server: listeners, workers, and the order in which all of it ends.
//
// Listeners are bound before a worker starts, so that an address in use is told at once. A server
// that cannot start with one of its workers does not start.
#include "worker/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/descriptors.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/resolve.h"
#include "worker/server_state.h"
#include "worker/signals.h"

enum { FORCE_DELAY_MS = 1000 };

static void complain(const char *text) {
  fprintf(stderr, "perilune: %s\n", text);
}

// ---- reports of the workers ----

struct report {
  struct pl_message message;
  struct pl_server *server;
  struct pl_worker *worker;
  char *problem;
};

static void free_report(struct report *report) {
  pl_mem_free(report->problem);
  pl_mem_free(report);
}

static void discard_report(struct pl_message *m) {
  free_report(PL_CONTAINER_OF(m, struct report, message));
}

// A report that cannot be sent would leave the server waiting for ever: out of memory here ends it.
static void post_report(struct pl_server *server, struct pl_worker *worker, char *problem,
                        void (*deliver)(struct pl_message *)) {
  struct report *report = pl_mem_alloc(sizeof *report);
  if (!report) abort();
  *report =
      (struct report){{.deliver = deliver, .discard = discard_report}, server, worker, problem};
  pl_mailbox_post(&server->mailbox, &report->message);
}

// A handler that neither ends nor waits keeps its worker, and no drain gets past it.
static void stop_by_force(struct pl_timer *timer) {
  (void)timer;
  pl_log(PL_LOG_ERROR, "stopping by force: a handler does not end");
  pl_log_stop();
  _exit(0);
}

static void arm_force(struct pl_server *server, uint64_t delay_ms) {
  server->force_timer.fn = stop_by_force;
  pl_timer_start(&server->loop.wheel, &server->force_timer, pl_clock_ms() + delay_ms);
}

static void drain_workers(struct pl_server *server) {
  if (server->is_stopping) return;
  server->is_stopping = true;
  uint64_t limit_ms = server->config->drain_timeout_ms;
  if (limit_ms) arm_force(server, limit_ms + FORCE_DELAY_MS);
  for (unsigned i = 0; i < server->worker_count; i++) pl_worker_post_drain(&server->workers[i]);
}

static void print_start_line(const struct pl_server *server) {
  for (size_t i = 0; i < server->config->listen.count; i++) {
    char url[PL_ADDRESS_TEXT_BYTES + 8];
    pl_address_url(&server->config->listen.items[i], url, sizeof url);
    unsigned cpus = pl_cpu_usable(), n = server->worker_count;
    const char *plural = n == 1 ? "" : "s";
    if (n < cpus)
      fprintf(stderr, "listening on %s (%u worker%s; %u CPUs usable: -w auto)\n", url, n, plural,
              cpus);
    else
      fprintf(stderr, "listening on %s (%u worker%s)\n", url, n, plural);
  }
}

static void on_ready(struct pl_message *m) {
  struct report *report = PL_CONTAINER_OF(m, struct report, message);
  struct pl_server *server = report->server;
  free_report(report);
  if (++server->ready_count < server->worker_count) return;
  if (server->options->is_dry_run)
    drain_workers(server);
  else if (!server->is_stopping)
    print_start_line(server);
}

static void on_problem(struct pl_message *m) {
  struct report *report = PL_CONTAINER_OF(m, struct report, message);
  struct pl_server *server = report->server;
  if (!server->has_failed) complain(report->problem ? report->problem : "out of memory");
  server->has_failed = true;
  free_report(report);
  drain_workers(server);
}

static void on_stopped(struct pl_message *m) {
  struct report *report = PL_CONTAINER_OF(m, struct report, message);
  struct pl_server *server = report->server;
  free_report(report);
  if (--server->running_count == 0) pl_loop_stop(&server->loop);
}

void pl_server_post_ready(struct pl_server *server, struct pl_worker *worker) {
  if (server->options->on_app) server->options->on_app(worker->current);
  post_report(server, worker, NULL, on_ready);
}

void pl_server_post_problem(struct pl_server *server, const char *problem) {
  char *copy = pl_mem_alloc(strlen(problem) + 1);
  if (copy) strcpy(copy, problem);
  post_report(server, NULL, copy, on_problem);
}

void pl_server_post_stopped(struct pl_server *server, struct pl_worker *worker) {
  post_report(server, worker, NULL, on_stopped);
}

void pl_server_end(struct pl_server *server) {
  server->term_count++;
  if (server->term_count == 1) {
    pl_log(PL_LOG_INFO, "stopping: no new connections, running requests finish");
    drain_workers(server);
    return;
  }
  pl_log(PL_LOG_WARN, "stopping at once");
  arm_force(server, FORCE_DELAY_MS);
  for (unsigned i = 0; i < server->worker_count; i++) pl_worker_post_abort(&server->workers[i]);
}

// ---- start ----

static int bind_listeners(struct pl_server *server) {
  const struct pl_config_addresses *listen = &server->config->listen;
  server->listen_fds = pl_mem_alloc(listen->count * sizeof *server->listen_fds);
  if (!server->listen_fds) return PL_ENOMEM;
  for (size_t i = 0; i < listen->count; i++) server->listen_fds[i] = -1;
  for (size_t i = 0; i < listen->count && !server->options->is_dry_run; i++) {
    int error = pl_listener_bind(&listen->items[i], &server->listen_fds[i]);
    if (!error) continue;
    fprintf(stderr, "perilune: cannot listen on %s: %s\n", listen->items[i].text,
            pl_error_text(error));
    return error;
  }
  return 0;
}

static void close_listeners(struct pl_server *server) {
  for (size_t i = 0; server->listen_fds && i < server->config->listen.count; i++) {
    if (server->listen_fds[i] >= 0)
      pl_listener_unbind(&server->config->listen.items[i], server->listen_fds[i]);
  }
  pl_mem_free(server->listen_fds);
}

static int resolve_limits(struct pl_server *server) {
  unsigned wanted = pl_config_workers(server->config, pl_cpu_usable());
  server->worker_count = server->options->is_dry_run ? 1 : wanted;
  int error = pl_config_connections(server->config, pl_descriptors_raise(), server->worker_count,
                                    &server->connections);
  if (error)
    fprintf(
        stderr,
        "perilune: limits.connections = %llu cannot be carried: the limit of open files (ulimit "
        "-n) allows %llu\n",
        (unsigned long long)server->config->limits_connections,
        (unsigned long long)server->connections);
  return error;
}

// Worker threads leave every signal to the main thread.
static int start_workers(struct pl_server *server) {
  sigset_t all, before;
  sigfillset(&all);
  server->workers = pl_mem_zalloc(server->worker_count * sizeof *server->workers);
  if (!server->workers) return PL_ENOMEM;
  for (unsigned i = 0; i < server->worker_count; i++) {
    server->workers[i].server = server;
    server->workers[i].config = server->config;
    server->workers[i].index = i + 1;
  }
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  for (unsigned i = 0; i < server->worker_count && !error; i++) {
    error = pl_worker_start(&server->workers[i]);
    if (!error) server->running_count++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

// The leak audit of debug builds: the tests' harness demands zeros.
static void report_audit(const struct pl_worker *worker) {
#ifndef NDEBUG
  const struct pl_audit *a = &worker->audit;
  if (worker->server->options->is_dry_run) return;
  pl_log(a->handles + a->tasks + a->results ? PL_LOG_ERROR : PL_LOG_INFO,
         "audit: handles=%zu tasks=%zu results=%zu", a->handles, a->tasks, a->results);
#else
  (void)worker;
#endif
}

static void join_workers(struct pl_server *server, unsigned started) {
  for (unsigned i = 0; i < started; i++) {
    pl_worker_join(&server->workers[i]);
    report_audit(&server->workers[i]);
  }
}

static void serve(struct pl_server *server) {
  int error = start_workers(server);
  unsigned started = server->running_count;
  if (error) {
    complain(pl_error_text(error));
    server->has_failed = true;
    server->worker_count = started;
    drain_workers(server);
  }
  if (started) pl_loop_run(&server->loop);
  join_workers(server, started);
  pl_mem_free(server->workers);
}

static int run_loop(struct pl_server *server) {
  struct pl_signals signals = {0};
  int error = pl_loop_init(&server->loop, NULL, NULL);
  if (error) return error;
  error = pl_mailbox_init(&server->mailbox, &server->loop);
  if (!error) error = pl_signals_open(&signals, server);
  if (!error) serve(server);
  pl_timer_stop(&server->loop.wheel, &server->force_timer);
  pl_signals_close(&signals);
  pl_mailbox_close(&server->mailbox);
  pl_loop_deinit(&server->loop);
  pl_mailbox_deinit(&server->mailbox);
  return error;
}

static void set_pool_size(void) {
  char text[16];
  unsigned cpus = pl_cpu_usable();
  snprintf(text, sizeof text, "%u", cpus > 4 ? cpus : 4);
  setenv("UV_THREADPOOL_SIZE", text, 0);
}

static int start_log(const struct pl_config *config) {
  bool is_text = config->log_format == PL_CONFIG_LOG_FORMAT_TEXT ||
                 (config->log_format == PL_CONFIG_LOG_FORMAT_AUTO && isatty(STDERR_FILENO));
  return pl_log_start((enum pl_log_level)config->log_level, is_text ? PL_LOG_TEXT : PL_LOG_JSON,
                      STDERR_FILENO);
}

int pl_server_run(const struct pl_server_options *options) {
  struct pl_server server = {.options = options, .config = options->config};
  set_pool_size();
  uv_replace_allocator(pl_mem_alloc, pl_mem_realloc, pl_mem_calloc, pl_mem_free);
  int error = resolve_limits(&server);
  if (!error) error = bind_listeners(&server);
  if (!error) error = start_log(options->config);
  if (!error) {
    error = run_loop(&server);
    if (error) complain(pl_error_text(error));
    pl_log_stop();
  }
  close_listeners(&server);
  return error || server.has_failed ? 1 : 0;
}
