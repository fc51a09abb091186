// The watchdog's thread. It only reads what workers write, and decides by its own clock, which
// advances by at most two ticks at a time: when the process was stopped, or this thread did not get
// to run, no worker has used up anything.
#include "worker/watchdog.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { IDLE_NS = 100000000, ANSWER_NS = 1000000000, TICKS_PER_PERIOD = 4 };

static void advance_clock(struct pl_watchdog *dog) {
  uint64_t real = pl_clock_ns(), passed = real - dog->read_ns;
  dog->read_ns = real;
  dog->now_ns += passed < 2 * dog->tick_ns ? passed : 2 * dog->tick_ns;
}

// ---- one worker ----

static void end_process(void) {
  static const char text[] =
      "perilune: a worker is stuck for longer than limits.stall and does not "
      "even take a signal: the process ends\n";
  ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  (void)ignored;
  abort();
}

static void send_signal(struct pl_watched *w, uint64_t now) {
  atomic_store(&w->budget->watched, w->seen);
  w->signalled_ns = now;
  pthread_kill(w->budget->thread, PL_BUDGET_SIGNAL);
}

static void tell_to_end(struct pl_watched *w, uint64_t now) {
  atomic_store(&w->budget->stalled, w->seen);
  w->told_ns = now;
  send_signal(w, now);
}

// Returns: whether the worker does anything.
static bool look(struct pl_watched *w, uint64_t now) {
  const struct pl_budget_limits *limits = &w->budget->limits;
  uint64_t seen = atomic_load(&w->budget->switches);
  if (seen != w->seen) {
    w->seen = seen;
    w->since_ns = w->signalled_ns = now;
    w->told_ns = 0;
    return true;
  }
  if (!(seen & 1)) return false;
  if (w->told_ns && now - w->told_ns >= ANSWER_NS) end_process();
  if (!w->told_ns && limits->stall_ns && now - w->since_ns >= limits->stall_ns)
    tell_to_end(w, now);
  else if (now - w->signalled_ns >= pl_budget_period_ns(limits))
    send_signal(w, now);
  return true;
}

// ---- all of them ----

static void look_at_all(struct pl_watchdog *dog) {
  advance_clock(dog);
  for (unsigned i = 0; i < dog->count; i++)
    if (look(&dog->workers[i], dog->now_ns)) dog->busy_ns = dog->now_ns;
}

static void mark_unwatched(struct pl_watchdog *dog, bool is_unwatched) {
  for (unsigned i = 0; i < dog->count; i++)
    atomic_store(&dog->workers[i].budget->is_unwatched, is_unwatched);
}

// Whoever began to run Lua before it could see that we sleep, we see here (pl_budget_begin).
static bool all_are_idle(const struct pl_watchdog *dog) {
  for (unsigned i = 0; i < dog->count; i++)
    if (atomic_load(&dog->workers[i].budget->switches) != dog->workers[i].seen) return false;
  return true;
}

// With the mutex held.
static void sleep_until_woken(struct pl_watchdog *dog) {
  mark_unwatched(dog, true);
  if (all_are_idle(dog))
    while (!dog->is_woken && !dog->is_stopping) uv_cond_wait(&dog->cond, &dog->mutex);
  dog->is_woken = false;
  mark_unwatched(dog, false);
  advance_clock(dog);
  dog->busy_ns = dog->now_ns;
}

static void run_thread(void *arg) {
  struct pl_watchdog *dog = arg;
  uv_mutex_lock(&dog->mutex);
  while (!dog->is_stopping) {
    uv_cond_timedwait(&dog->cond, &dog->mutex, dog->tick_ns);
    look_at_all(dog);
    if (dog->now_ns - dog->busy_ns >= IDLE_NS) sleep_until_woken(dog);
  }
  uv_mutex_unlock(&dog->mutex);
}

// Thread: a worker's.
static void wake(void *ctx) {
  struct pl_watchdog *dog = ctx;
  uv_mutex_lock(&dog->mutex);
  dog->is_woken = true;
  uv_cond_signal(&dog->cond);
  uv_mutex_unlock(&dog->mutex);
}

// ---- start and stop ----

static uint64_t tick_of(const struct pl_budget_limits *limits) {
  uint64_t period = pl_budget_period_ns(limits), stall = limits->stall_ns;
  return (stall && stall < period ? stall : period) / TICKS_PER_PERIOD;
}

static void fill(struct pl_watchdog *dog, struct pl_budget *const *budgets) {
  dog->tick_ns = tick_of(&budgets[0]->limits);
  dog->read_ns = pl_clock_ns();
  for (unsigned i = 0; i < dog->count; i++) {
    dog->workers[i].budget = budgets[i];
    budgets[i]->wake = wake;
    budgets[i]->wake_ctx = dog;
  }
}

static int start_thread(struct pl_watchdog *dog) {
  int error = uv_mutex_init(&dog->mutex);
  if (error) return error;
  error = uv_cond_init(&dog->cond);
  if (!error) {
    error = uv_thread_create(&dog->thread, run_thread, dog);
    if (!error) return 0;
    uv_cond_destroy(&dog->cond);
  }
  uv_mutex_destroy(&dog->mutex);
  return error;
}

int pl_watchdog_start(struct pl_watchdog *dog, struct pl_budget *const *budgets, unsigned count) {
  *dog = (struct pl_watchdog){.count = count};
  if (count == 0 || !pl_budget_is_limited(&budgets[0]->limits)) return 0;
  dog->workers = pl_mem_zalloc(count * sizeof *dog->workers);
  if (!dog->workers) return UV_ENOMEM;
  fill(dog, budgets);
  pl_budget_catch_signals();
  int error = start_thread(dog);
  if (!error) return 0;
  pl_mem_free(dog->workers);
  dog->workers = NULL;
  return error;
}

void pl_watchdog_stop(struct pl_watchdog *dog) {
  if (!dog->workers) return;
  uv_mutex_lock(&dog->mutex);
  dog->is_stopping = true;
  uv_cond_signal(&dog->cond);
  uv_mutex_unlock(&dog->mutex);
  uv_thread_join(&dog->thread);
  uv_cond_destroy(&dog->cond);
  uv_mutex_destroy(&dog->mutex);
  pl_mem_free(dog->workers);
  dog->workers = NULL;
}
