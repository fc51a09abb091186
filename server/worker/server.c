// The server: listeners, workers, and the order in which all of it ends.
//
// Listeners are bound before a worker starts, so that an address in use is told at once. A server
// that cannot start with one of its workers does not start.
#include "worker/server.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/descriptors.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/resolve.h"
#include "geometry/layout.h"
#include "io/hub.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "worker/signals.h"
#include "worker/watchdog.h"
#include "worker/worker.h"

enum { FORCE_DELAY_MS = 1000 };

struct pl_server {
  const struct pl_server_options *options;
  const struct pl_config *config;
  struct pl_loop loop;  // main's: signals and the workers' reports
  struct pl_mailbox mailbox;
  struct pl_hub hub;                // where the workers' scripts meet
  int *listen_fds;                  // one per address; -1: not bound
  struct pl_worker_options shared;  // the workers and what they share
  unsigned ready_count;
  unsigned made_count;          ///< workers that can be sent messages
  unsigned running_count;       // threads that have not stopped
  struct pl_timer force_timer;  // ends the process when a worker does not stop
  unsigned term_count;          // signals to end that have come
  bool has_failed;              // a worker could not start
  struct pl_watchdog watchdog;
  bool is_stopping;
};

static void complain(const char *text) {
  fprintf(stderr, "perilune: %s\n", text);
}

// ---- reports of the workers ----

struct report {
  struct pl_message message;
  struct pl_server *server;
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
static void post_report(struct pl_server *server, char *problem,
                        void (*deliver)(struct pl_message *)) {
  struct report *report = pl_mem_alloc(sizeof *report);
  if (!report) abort();
  *report = (struct report){{.deliver = deliver, .discard = discard_report}, server, problem};
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

// A unix socket's file goes first, while the socket still listens.
static void close_listeners(struct pl_server *server) {
  if (!server->listen_fds) return;
  for (size_t i = 0; i < server->config->listen.count; i++)
    if (server->listen_fds[i] >= 0)
      pl_listener_unbind(&server->config->listen.items[i], server->listen_fds[i]);
  pl_mem_free(server->listen_fds);
  server->listen_fds = NULL;
}

static void drain_workers(struct pl_server *server) {
  if (server->is_stopping) return;
  server->is_stopping = true;
  uint64_t limit_ms = server->config->drain_timeout_ms;
  if (limit_ms) arm_force(server, limit_ms + FORCE_DELAY_MS);
  // With descriptors of its own left open the kernel would go on accepting for nobody. A worker
  // that is still starting may be about to duplicate them: then they stay until the end.
  if (server->ready_count == server->shared.worker_count) close_listeners(server);
  for (unsigned i = 0; i < server->made_count; i++)
    pl_worker_post_drain(&server->shared.workers[i]);
}

static void print_start_line(const struct pl_server *server) {
  for (size_t i = 0; i < server->config->listen.count; i++) {
    char url[PL_ADDRESS_TEXT_BYTES + 8];
    pl_address_url(&server->config->listen.items[i], url, sizeof url);
    unsigned cpus = pl_cpu_usable(), n = server->shared.worker_count;
    const char *plural = n == 1 ? "" : "s";
    if (n < cpus)
      fprintf(stderr, "listening on %s (%u worker%s; %u CPUs usable: -w auto)\n", url, n, plural,
              cpus);
    else
      fprintf(stderr, "listening on %s (%u worker%s)\n", url, n, plural);
  }
}

static void deliver_ready(struct pl_message *m) {
  struct report *report = PL_CONTAINER_OF(m, struct report, message);
  struct pl_server *server = report->server;
  free_report(report);
  if (++server->ready_count < server->shared.worker_count) return;
  if (server->options->is_dry_run)
    drain_workers(server);
  else if (!server->is_stopping)
    print_start_line(server);
}

static void deliver_problem(struct pl_message *m) {
  struct report *report = PL_CONTAINER_OF(m, struct report, message);
  struct pl_server *server = report->server;
  if (!server->has_failed) complain(report->problem ? report->problem : "out of memory");
  server->has_failed = true;
  free_report(report);
  drain_workers(server);
}

static void deliver_stopped(struct pl_message *m) {
  struct report *report = PL_CONTAINER_OF(m, struct report, message);
  struct pl_server *server = report->server;
  free_report(report);
  if (--server->running_count == 0) pl_loop_stop(&server->loop);
}

// Thread: the worker's, as in the two that follow.
static void on_ready(struct pl_worker *worker, void *ctx) {
  struct pl_server *server = ctx;
  if (server->options->on_app) server->options->on_app(worker->current);
  post_report(server, NULL, deliver_ready);
}

static void on_problem(struct pl_worker *worker, const char *problem, void *ctx) {
  (void)worker;
  char *copy = pl_mem_alloc(strlen(problem) + 1);
  if (copy) strcpy(copy, problem);
  post_report(ctx, copy, deliver_problem);
}

static void on_stopped(struct pl_worker *worker, void *ctx) {
  (void)worker;
  post_report(ctx, NULL, deliver_stopped);
}

// A signal asks for the end: the first drains, the second stops at once.
static void on_end_signal(void *ctx) {
  struct pl_server *server = ctx;
  server->term_count++;
  if (server->term_count == 1) {
    pl_log(PL_LOG_INFO, "stopping: no new connections, running requests finish");
    drain_workers(server);
    return;
  }
  pl_log(PL_LOG_WARN, "stopping at once");
  arm_force(server, FORCE_DELAY_MS);
  for (unsigned i = 0; i < server->made_count; i++)
    pl_worker_post_abort(&server->shared.workers[i]);
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

// How many workers, and how many connections each may have.
static int resolve_limits(struct pl_server *server) {
  unsigned wanted = pl_config_workers(server->config, pl_cpu_usable());
  unsigned count = server->options->is_dry_run ? 1 : wanted;
  uint64_t connections = 0;
  int error = pl_config_connections(server->config, pl_descriptors_raise(), count, &connections);
  if (error)
    fprintf(
        stderr,
        "perilune: limits.connections = %llu cannot be carried: the limit of open files (ulimit "
        "-n) allows %llu\n",
        (unsigned long long)server->config->limits_connections, (unsigned long long)connections);
  server->shared.worker_count = count;
  server->shared.connections = (connections + count - 1) / count;
  return error;
}

static int make_workers(struct pl_server *server) {
  struct pl_worker_options *shared = &server->shared;
  shared->workers = pl_mem_zalloc(shared->worker_count * sizeof *shared->workers);
  shared->config = server->config;
  shared->app_path = server->options->app_path;
  shared->app_code = server->options->app_code;
  shared->is_dry_run = server->options->is_dry_run;
  shared->listen_fds = server->listen_fds;
  shared->hub = &server->hub;
  shared->ctx = server;
  shared->on_ready = on_ready;
  shared->on_problem = on_problem;
  shared->on_stopped = on_stopped;
  if (!shared->workers) return PL_ENOMEM;
  int error = 0;
  for (unsigned i = 0; i < shared->worker_count && !error; i++) {
    error = pl_worker_init(&shared->workers[i], shared, i + 1);
    if (!error) server->made_count++;
  }
  return error;
}

static int start_watchdog(struct pl_server *server) {
  unsigned count = server->running_count;
  struct pl_budget **budgets = pl_mem_alloc((count + 1) * sizeof *budgets);
  if (!budgets) return PL_ENOMEM;
  for (unsigned i = 0; i < count; i++) budgets[i] = &server->shared.workers[i].budget;
  int error = pl_watchdog_start(&server->watchdog, budgets, count);
  pl_mem_free(budgets);
  return error;
}

// Worker threads leave every signal but the watchdog's to the main thread.
static int start_workers(struct pl_server *server) {
  sigset_t all, before;
  sigfillset(&all);
  int error = make_workers(server);
  if (error) return error;
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (unsigned i = 0; i < server->shared.worker_count && !error; i++) {
    error = pl_worker_start(&server->shared.workers[i]);
    if (!error) server->running_count++;
  }
  if (!error) error = start_watchdog(server);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

// The leak audit of debug builds: the tests' harness demands zeros. "copied" is what the process
// has copied of packed bytes so far.
static void report_audit(const struct pl_worker *worker) {
#ifndef NDEBUG
  const struct pl_audit *a = &worker->audit;
  if (worker->options->is_dry_run) return;
  pl_log(a->handles + a->tasks + a->results ? PL_LOG_ERROR : PL_LOG_INFO,
         "audit: handles=%zu tasks=%zu results=%zu copied=%" PRIu64, a->handles, a->tasks,
         a->results, pl_bytes_copies().bytes);
#else
  (void)worker;
#endif
}

static void join_workers(struct pl_server *server, unsigned started) {
  for (unsigned i = 0; i < started; i++) {
    pl_worker_join(&server->shared.workers[i]);
    report_audit(&server->shared.workers[i]);
  }
  for (unsigned i = started; i < server->made_count; i++)
    pl_worker_discard(&server->shared.workers[i]);
}

static void serve(struct pl_server *server) {
  int error = start_workers(server);
  unsigned started = server->running_count;
  if (error) {
    complain(pl_error_text(error));
    server->has_failed = true;
    drain_workers(server);
  }
  if (started) pl_loop_run(&server->loop);
  pl_watchdog_stop(&server->watchdog);
  join_workers(server, started);
  pl_mem_free(server->shared.workers);
}

static int run_loop(struct pl_server *server) {
  struct pl_signals signals = {.ctx = server, .on_end = on_end_signal};
  int error = pl_loop_init(&server->loop, NULL, NULL);
  if (error) return error;
  error = pl_mailbox_init(&server->mailbox, &server->loop);
  if (!error) error = pl_signals_open(&signals, &server->loop);
  if (!error) serve(server);
  pl_timer_stop(&server->loop.wheel, &server->force_timer);
  pl_signals_close(&signals);
  pl_mailbox_close(&server->mailbox);
  pl_loop_deinit(&server->loop);
  pl_mailbox_deinit(&server->mailbox);
  return error;
}

static int run_with_hub(struct pl_server *server) {
  uint64_t limit = server->config->limits_memory_bytes;
  int error = pl_hub_init(&server->hub, limit > SIZE_MAX ? SIZE_MAX : (size_t)limit);
  if (error) return error;
  error = run_loop(server);
  size_t left = pl_hub_deinit(&server->hub);
  if (left && !server->options->is_dry_run)
    pl_log(PL_LOG_WARN, "messages left in channels, which nobody has received: %zu", left);
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
  server.shared.layouts = pl_layouts_new();
  int error = server.shared.layouts ? 0 : PL_ENOMEM;
  if (error) complain(pl_error_text(error));
  if (!error) error = resolve_limits(&server);
  if (!error) error = bind_listeners(&server);
  if (!error) error = start_log(options->config);
  if (!error) {
    error = run_with_hub(&server);
    if (error) complain(pl_error_text(error));
    pl_log_stop();
  }
  close_listeners(&server);
  pl_layouts_free(server.shared.layouts);
  return error || server.has_failed ? 1 : 0;
}
