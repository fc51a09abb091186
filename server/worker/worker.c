// A worker's life: load the app, serve, drain, stop.
//
//   STARTING --app ready, listeners open--> SERVING --drain--> DRAINING --last request--> STOPPED
//        \--app failed--> FAILED ------------------------------------------------------> STOPPED
#include "worker/worker.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "http/connections.h"
#include "runtime/budget.h"
#include "runtime/run.h"
#include "worker/dispatch.h"
#include "worker/finish.h"
#include "worker/memory.h"

enum { SPARE_CONNECTIONS = 32, PLACING_SLACK = 2 };

// ---- turns ----

static bool run_turn(void *ctx) {
  struct pl_worker *worker = ctx;
  bool has_more = false;
  struct pl_list *node = worker->generations.next;
  while (node != &worker->generations) {
    struct pl_generation *g = PL_CONTAINER_OF(node, struct pl_generation, link);
    node = node->next;
    has_more |= pl_run_turn(&g->vm);
  }
  return has_more;
}

static bool collect_garbage(void *ctx) {
  struct pl_worker *worker = ctx;
  bool has_more = false;
  struct pl_list *node = worker->generations.next;
  for (; node != &worker->generations; node = node->next)
    has_more |= pl_collect_turn(&PL_CONTAINER_OF(node, struct pl_generation, link)->collect);
  return has_more;
}

// ---- connections ----

static void take_connection(struct pl_worker *worker, int fd, bool is_unix) {
  size_t before = worker->http.connection_count;
  pl_http_service_accept(&worker->http, fd, is_unix);
  if (worker->http.connection_count == before) atomic_fetch_sub(&worker->load, 1);
}

struct placed_connection {
  struct pl_message message;
  struct pl_worker *worker;
  int fd;
  bool is_unix;
};

static void deliver_connection(struct pl_message *m) {
  struct placed_connection *placed = PL_CONTAINER_OF(m, struct placed_connection, message);
  take_connection(placed->worker, placed->fd, placed->is_unix);
  pl_mem_free(placed);
}

static void discard_connection(struct pl_message *m) {
  struct placed_connection *placed = PL_CONTAINER_OF(m, struct placed_connection, message);
  atomic_fetch_sub(&placed->worker->load, 1);
  close(placed->fd);
  pl_mem_free(placed);
}

void pl_worker_post_connection(struct pl_worker *worker, int fd, bool is_unix) {
  struct placed_connection *placed = pl_mem_alloc(sizeof *placed);
  if (!placed) {
    atomic_fetch_sub(&worker->load, 1);
    close(fd);
    return;
  }
  *placed = (struct placed_connection){
      {.deliver = deliver_connection, .discard = discard_connection}, worker, fd, is_unix};
  pl_mailbox_post(&worker->mailbox, &placed->message);
}

// The worker with the fewest open connections; this one when it is within PLACING_SLACK of that.
static struct pl_worker *choose_worker(struct pl_worker *own) {
  struct pl_worker *best = own;
  size_t least = atomic_load(&own->load);
  size_t bound = least > PLACING_SLACK ? least - PLACING_SLACK : 0;
  for (unsigned i = 0; i < own->options->worker_count; i++) {
    struct pl_worker *other = &own->options->workers[i];
    size_t load = atomic_load(&other->load);
    if (load < least && load < bound) {
      best = other;
      least = load;
    }
  }
  return best;
}

static void on_accept(struct pl_listener *listener, int fd) {
  struct pl_worker *own = PL_CONTAINER_OF(listener->loop, struct pl_worker, loop);
  // While this one drains, others may have stopped already: they would drop it.
  struct pl_worker *worker = own->state == PL_WORKER_DRAINING ? own : choose_worker(own);
  atomic_fetch_add(&worker->load, 1);
  if (worker == own)
    take_connection(own, fd, listener->is_unix);
  else
    pl_worker_post_connection(worker, fd, listener->is_unix);
}

static void on_accept_error(struct pl_listener *listener, int status) {
  (void)listener;
  pl_log(PL_LOG_WARN, "cannot accept connections for the moment: %s", pl_error_text(status));
}

// A saturated worker does not poll its listeners.
static void adjust_listeners(struct pl_worker *worker) {
  bool is_full =
      worker->http.connection_count >= worker->http.limits.connections + SPARE_CONNECTIONS;
  for (size_t i = 0; i < worker->listener_count; i++) {
    if (is_full)
      pl_listener_pause(&worker->listeners[i]);
    else
      pl_listener_resume(&worker->listeners[i]);
  }
}

static void try_to_stop(struct pl_worker *worker);

static void on_connections(struct pl_http_service *http) {
  struct pl_worker *worker = http->ctx;
  if (http->connection_count < worker->seen_connections) atomic_fetch_sub(&worker->load, 1);
  worker->seen_connections = http->connection_count;
  adjust_listeners(worker);
  if (worker->state == PL_WORKER_DRAINING) try_to_stop(worker);
}

static void on_request(struct pl_http_service *http, struct pl_exchange *x) {
  pl_dispatch_request(http->ctx, x);
}

static void on_finished(struct pl_http_service *http, struct pl_exchange *x, bool was_cut) {
  pl_finish_exchange(http->ctx, x, was_cut);
}

static struct pl_http_limits limits_of(const struct pl_worker *worker) {
  const struct pl_config *c = worker->config;
  return (struct pl_http_limits){.parse = {.request_line = c->limits_request_line_bytes,
                                           .header_bytes = c->limits_header_bytes,
                                           .header_count = c->limits_header_count,
                                           .chunk_ext = c->limits_chunk_ext_bytes},
                                 .connections = worker->options->connections,
                                 .body = c->limits_body_bytes,
                                 .read_ahead = c->limits_read_ahead_bytes,
                                 .discard = c->limits_discard_bytes,
                                 .header_timeout_ms = c->timeouts_header_ms,
                                 .body_timeout_ms = c->timeouts_body_ms,
                                 .idle_timeout_ms = c->timeouts_idle_ms,
                                 .request_timeout_ms = c->timeouts_request_ms,
                                 .write_timeout_ms = c->timeouts_write_ms};
}

// ---- listeners ----

static int open_listeners(struct pl_worker *worker) {
  size_t count = worker->config->listen.count;
  worker->listeners = pl_mem_zalloc(count * sizeof *worker->listeners);
  if (!worker->listeners) return PL_ENOMEM;
  for (size_t i = 0; i < count; i++) {
    struct pl_listener *listener = &worker->listeners[i];
    listener->on_accept = on_accept;
    listener->on_error = on_accept_error;
    int error = pl_listener_open(listener, &worker->loop, worker->options->listen_fds[i],
                                 worker->config->listen.items[i].is_unix);
    if (error) return error;
    worker->listener_count++;
  }
  return 0;
}

static void close_listeners(struct pl_worker *worker, bool drain) {
  for (size_t i = 0; i < worker->listener_count; i++)
    pl_listener_close(&worker->listeners[i], drain);
  worker->listener_count = 0;
}

// ---- generations ----

static void fail_start(struct pl_worker *worker, const char *problem) {
  worker->state = PL_WORKER_FAILED;
  worker->options->on_problem(worker, problem, worker->options->ctx);
  try_to_stop(worker);
}

// New requests go to g.
static void serve_with(struct pl_worker *worker, struct pl_generation *g) {
  worker->current = g;
  worker->http.is_timed = worker->config->log_access || g->table.has_finish;
}

void pl_worker_adopt(struct pl_worker *worker, struct pl_generation *g) {
  struct pl_generation *old = worker->current;
  serve_with(worker, g);
  if (old) pl_generation_retire(old);
  try_to_stop(worker);  // it may have been told to meanwhile
}

static void on_loaded(struct pl_generation *g, void *ctx) {
  struct pl_worker *worker = ctx;
  serve_with(worker, g);
  if (worker->state != PL_WORKER_STARTING) {  // told to stop meanwhile
    try_to_stop(worker);
    return;
  }
  if (g->state == PL_GENERATION_FAILED) {
    fail_start(worker, g->problem ? g->problem : "out of memory");
    return;
  }
  int error = worker->options->is_dry_run ? 0 : open_listeners(worker);
  if (error) {
    fail_start(worker, pl_error_text(error));
    return;
  }
  worker->state = PL_WORKER_SERVING;
  worker->options->on_ready(worker, worker->options->ctx);
}

static void free_generation(struct pl_deferred *later) {
  struct pl_worker *worker = PL_CONTAINER_OF(later, struct pl_worker, sweep);
  struct pl_list *node = worker->generations.next;
  while (node != &worker->generations) {
    struct pl_generation *g = PL_CONTAINER_OF(node, struct pl_generation, link);
    node = node->next;
    bool is_over = g->state == PL_GENERATION_STOPPED || g->state == PL_GENERATION_FAILED;
    if (!g->is_retired || !is_over || g->vm.live_tasks) continue;
    pl_list_remove(&g->link);
    if (worker->current == g) worker->current = NULL;
    worker->audit.tasks += g->vm.live_tasks;
    worker->audit.results += pl_generation_kept_results(g);
    pl_generation_free(g);
  }
  try_to_stop(worker);
}

static void on_stopped(struct pl_generation *g, void *ctx) {
  struct pl_worker *worker = ctx;
  (void)g;
  pl_loop_defer(&worker->loop, &worker->sweep);
}

static int load_generation(struct pl_worker *worker) {
  const struct pl_worker_options *options = worker->options;
  struct pl_generation_options o = {.config = worker->config,
                                    .loop = &worker->loop,
                                    .mailbox = &worker->mailbox,
                                    .hub = options->hub,
                                    .app_path = options->app_path,
                                    .app_code = options->app_code,
                                    .worker_index = worker->index,
                                    .worker_count = options->worker_count,
                                    .task_counter = &worker->last_task,
                                    .budget = &worker->budget,
                                    .account = &worker->account,
                                    .layouts = options->layouts,
                                    .skip_start = options->is_dry_run,
                                    .ctx = worker,
                                    .on_loaded = on_loaded,
                                    .on_stopped = on_stopped};
  struct pl_generation *g = pl_generation_new(&o);
  if (!g) return PL_ENOMEM;
  pl_list_push_back(&worker->generations, &g->link);
  return 0;
}

// ---- stopping ----

// Children of answered requests and background tasks have no connection that would end them.
static void abort_all(struct pl_worker *worker) {
  pl_http_service_abort(&worker->http);
  struct pl_list *node = worker->generations.next;
  for (; node != &worker->generations; node = node->next)
    pl_generation_cancel(PL_CONTAINER_OF(node, struct pl_generation, link), PL_CANCEL_DRAIN);
}

static void on_drain_timeout(struct pl_timer *timer) {
  struct pl_worker *worker = PL_CONTAINER_OF(timer, struct pl_worker, drain_timer);
  pl_log(PL_LOG_WARN, "drain.timeout is over: %zu requests are cut", worker->admission.in_flight);
  abort_all(worker);
}

// Connections go first, then the requests that they left behind, then the app's stop handlers.
static void try_to_stop(struct pl_worker *worker) {
  if (worker->state == PL_WORKER_SERVING || worker->state == PL_WORKER_STARTING) return;
  if (worker->http.connection_count > 0) return;
  struct pl_generation *g = worker->current;
  if (g && !g->is_retired) {
    pl_generation_retire(g);
    return;
  }
  if (!pl_list_is_empty(&worker->generations) || worker->state == PL_WORKER_STOPPED) return;
  worker->state = PL_WORKER_STOPPED;
  pl_timer_stop(&worker->loop.wheel, &worker->drain_timer);
  pl_mailbox_close(&worker->mailbox);
  pl_loop_stop(&worker->loop);
}

static void cancel_loading(struct pl_worker *worker) {
  struct pl_list *node = worker->generations.next;
  if (node == &worker->generations) return;
  pl_generation_cancel_loading(PL_CONTAINER_OF(node, struct pl_generation, link));
}

static void begin_drain(struct pl_worker *worker) {
  if (worker->state == PL_WORKER_DRAINING || worker->state == PL_WORKER_STOPPED) return;
  bool was_serving = worker->state == PL_WORKER_SERVING;
  bool was_starting = worker->state == PL_WORKER_STARTING;
  if (worker->state != PL_WORKER_FAILED) worker->state = PL_WORKER_DRAINING;
  close_listeners(worker, was_serving);
  pl_http_service_drain(&worker->http);
  uint64_t limit = worker->config->drain_timeout_ms;
  if (limit) pl_timer_start(&worker->loop.wheel, &worker->drain_timer, pl_clock_ms() + limit);
  if (was_serving) try_to_stop(worker);
  if (was_starting) cancel_loading(worker);
}

struct order {
  struct pl_message message;
  struct pl_worker *worker;
  bool is_abort;
};

static void deliver_order(struct pl_message *m) {
  struct order *order = PL_CONTAINER_OF(m, struct order, message);
  struct pl_worker *worker = order->worker;
  begin_drain(worker);
  if (order->is_abort) abort_all(worker);
  pl_mem_free(order);
}

static void discard_order(struct pl_message *m) {
  pl_mem_free(PL_CONTAINER_OF(m, struct order, message));
}

static void post_order(struct pl_worker *worker, bool is_abort) {
  struct order *order = pl_mem_alloc(sizeof *order);
  if (!order) return;
  *order = (struct order){{.deliver = deliver_order, .discard = discard_order}, worker, is_abort};
  pl_mailbox_post(&worker->mailbox, &order->message);
}

void pl_worker_post_drain(struct pl_worker *worker) {
  post_order(worker, false);
}

void pl_worker_post_abort(struct pl_worker *worker) {
  post_order(worker, true);
}

// ---- the thread ----

static int init_parts(struct pl_worker *worker) {
  int error = pl_loop_init(&worker->loop, run_turn, worker);
  if (error) return error;
  worker->loop.on_written = collect_garbage;
  worker->http = (struct pl_http_service){.server_header = worker->config->server_header,
                                          .limits = limits_of(worker),
                                          .account = &worker->account,
                                          .ctx = worker,
                                          .on_request = on_request,
                                          .on_finished = on_finished,
                                          .on_connections = on_connections};
  error = pl_http_service_init(&worker->http, &worker->loop);
  if (!error) error = pl_mailbox_init(&worker->mailbox, &worker->loop);
  if (error) {
    pl_loop_deinit(&worker->loop);
    return error;
  }
  pl_dispatch_init(worker);
  pl_worker_memory_init(worker);
  worker->drain_timer.fn = on_drain_timeout;
  worker->sweep.fn = free_generation;
  pl_list_init(&worker->sweep.link);
  pl_list_init(&worker->generations);
  return 0;
}

static struct pl_budget_limits budget_limits_of(const struct pl_config *config) {
  enum { NS_PER_MS = 1000000 };
  return (struct pl_budget_limits){.slice_ns = config->limits_slice_ms * NS_PER_MS,
                                   .cpu_ns = config->limits_cpu_ms * NS_PER_MS,
                                   .stall_ns = config->limits_stall_ms * NS_PER_MS};
}

static void run_thread(void *arg) {
  struct pl_worker *worker = arg;
  pl_budget_attach(&worker->budget);
  if (load_generation(worker)) fail_start(worker, "out of memory");
  if (worker->state != PL_WORKER_STOPPED) pl_loop_run(&worker->loop);
  worker->audit.tasks += worker->http.exchange_count + worker->admission.in_flight;
  pl_http_service_deinit(&worker->http);
  worker->audit.handles = (size_t)pl_loop_deinit(&worker->loop);
  pl_budget_detach();
  assert(worker->account.bytes == 0);  // part of the audit: debug builds only
  worker->options->on_stopped(worker, worker->options->ctx);
}

int pl_worker_init(struct pl_worker *worker, const struct pl_worker_options *options,
                   unsigned index) {
  worker->options = options;
  worker->config = options->config;
  worker->index = index;
  struct pl_budget_limits limits = budget_limits_of(worker->config);
  pl_budget_init(&worker->budget, &limits, index);
  return init_parts(worker);
}

int pl_worker_start(struct pl_worker *worker) {
  return uv_thread_create(&worker->thread, run_thread, worker);
}

void pl_worker_discard(struct pl_worker *worker) {
  pl_http_service_deinit(&worker->http);
  pl_mailbox_close(&worker->mailbox);
  pl_loop_deinit(&worker->loop);
  pl_mailbox_deinit(&worker->mailbox);
}

void pl_worker_join(struct pl_worker *worker) {
  uv_thread_join(&worker->thread);
  pl_mailbox_deinit(&worker->mailbox);
  pl_mem_free(worker->listeners);
}
