// Admission on its own: requests are calls on an exchange that only notes its answer, time is the
// test's. Random schedules are compared with a model that keeps one array and looks through all of
// it every time.
#include "worker/admission.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROUTES = 5, IN_FLIGHT = 6, QUEUE = 4, TIMEOUT_MS = 100, SHORT_MS = 10 };

enum state { UNUSED, WAITS, RUNS, REFUSED, LEFT };

struct request {
  struct pl_exchange x;
  struct pl_call call;
  struct fixture *f;
  enum state state;
  bool is_instant;   // its handler ends before start returns
  bool is_released;  // the exchange is
  bool is_cut;
  char detail[512];  // the answer's body
  int retry_after;
  // the model's
  enum state expected;
  uint64_t since_ms;
};

struct fixture {
  struct pl_loop loop;
  struct pl_admission admission;
  struct pl_route routes[ROUTES];
  struct request *requests;
  size_t count, cap;
  size_t started;    // how many have been
  size_t order[64];  // who, the first of them
};

static struct request *request_of(struct pl_exchange *x) {
  return PL_CONTAINER_OF(x, struct request, x);
}

static int respond(struct pl_exchange *x, const struct pl_response *r) {
  struct request *q = request_of(x);
  assert_int_equal(r->status, 503);
  assert_true(q->state == UNUSED || q->state == WAITS);
  assert_null(q->call.lane);
  snprintf(q->detail, sizeof q->detail, "%.*s", (int)r->body.len, r->body.data);
  assert_int_equal(sscanf(r->headers.data, "Retry-After: %d\r\n", &q->retry_after), 1);
  q->state = REFUSED;
  return 0;
}

static void release(struct pl_exchange *x) {
  struct request *q = request_of(x);
  assert_false(q->is_released);
  q->is_released = true;
  memset(&q->call, 0xee, sizeof q->call);  // it goes with the arena
}

static void cut(struct pl_exchange *x) {
  request_of(x)->is_cut = true;
}

static const struct pl_exchange_ops ops = {.respond = respond, .release = release, .cut = cut};

static struct pl_route *route_of(struct request *q) {
  return &q->f->routes[(size_t)(q - q->f->requests) % ROUTES];
}

static void leave(struct request *q) {
  assert_int_equal(q->state, RUNS);
  q->state = LEFT;
  pl_admission_leave(&q->f->admission, route_of(q));
  release(&q->x);
}

// What worker/dispatch.c does.
static void start(struct pl_call *call) {
  struct request *q = request_of(call->x);
  struct fixture *f = q->f;
  assert_null(call->lane);
  if (f->started < PL_ARRAY_LEN(f->order)) f->order[f->started] = (size_t)(q - f->requests);
  f->started++;
  q->state = RUNS;
  pl_admission_take(&f->admission, call->route);
  if (q->is_instant) leave(q);
}

// ---- time and turns ----

static uint64_t now_of(const struct fixture *f) {
  return pl_loop_now_ms(&f->loop);
}

static void advance(struct fixture *f, uint64_t ms) {
  f->loop.uv.time += ms;
  f->loop.turn_end_ms = f->loop.uv.time;
  pl_wheel_advance(&f->loop.wheel, f->loop.uv.time);
}

// The deferred steps of as many turns as it takes.
static void settle(struct fixture *f) {
  struct pl_deferred *later = &f->admission.later;
  while (!pl_list_is_empty(&later->link)) {
    pl_loop_undefer(later);
    later->fn(later);
  }
}

// ---- set-up ----

static int set_up(void **state) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  if (!f || pl_loop_init(&f->loop, NULL, NULL)) return -1;
  f->loop.uv.time = f->loop.turn_end_ms = f->loop.wheel.now_ms;
  f->admission = (struct pl_admission){.loop = &f->loop,
                                       .in_flight_limit = IN_FLIGHT,
                                       .queue_limit = QUEUE,
                                       .timeout_ms = TIMEOUT_MS,
                                       .start = start};
  pl_admission_init(&f->admission);
  for (size_t i = 0; i < ROUTES; i++) {
    f->routes[i] = (struct pl_route){.in_flight_limit = i < 2 ? 0 : i - 1};
    pl_lane_init(&f->routes[i].lane);
  }
  f->cap = 20000;
  f->requests = pl_mem_calloc(f->cap, sizeof *f->requests);
  *state = f;
  return f->requests ? 0 : -1;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  int leaked = pl_loop_deinit(&f->loop);
  pl_mem_free(f->requests);
  pl_mem_free(f);
  return leaked;
}

// The next request, for route number `route`.
static struct request *make(struct fixture *f, size_t route) {
  while (f->count % ROUTES != route) f->count++;
  assert_true(f->count < f->cap);
  struct request *q = &f->requests[f->count++];
  q->f = f;
  q->x = (struct pl_exchange){.ops = &ops, .user = &q->call};
  q->call = (struct pl_call){.x = &q->x, .route = &f->routes[route]};
  return q;
}

static void enter(struct request *q) {
  struct pl_admission *a = &q->f->admission;
  if (pl_admission_has_place(a, q->call.route) || pl_admission_enter(a, &q->call)) start(&q->call);
  if (q->state == UNUSED) q->state = WAITS;
}

static struct request *arrive(struct fixture *f, size_t route) {
  struct request *q = make(f, route);
  enter(q);
  return q;
}

// So many requests that run, for the routes without a limit.
static void fill(struct fixture *f, struct request **out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    out[i] = arrive(f, 0);
    assert_int_equal(out[i]->state, RUNS);
  }
}

static void drop(struct request *q, int reason) {
  assert_true(pl_admission_drop(&q->f->admission, &q->call, reason));
  if (q->state == WAITS) q->state = LEFT;
}

// ---- one rule each ----

static void free_place_goes_to_the_oldest_over_all_lanes(void **state) {
  struct fixture *f = *state;
  struct request *running[IN_FLIGHT];
  fill(f, running, IN_FLIGHT);
  struct request *waiting[] = {arrive(f, 2), arrive(f, 0), arrive(f, 3), arrive(f, 1)};
  for (size_t i = 0; i < 4; i++) assert_int_equal(waiting[i]->state, WAITS);
  assert_int_equal(f->admission.queued, 4);
  for (size_t i = 0; i < 4; i++) {
    leave(running[i]);
    assert_int_equal(waiting[i]->state, WAITS);  // not from within the end of another
    settle(f);
    assert_int_equal(waiting[i]->state, RUNS);
  }
  assert_int_equal(f->admission.queued, 0);
}

static void full_route_stands_in_nobodys_way(void **state) {
  struct fixture *f = *state;
  struct request *first = arrive(f, 2), *second = arrive(f, 2), *other = arrive(f, 0);
  assert_int_equal(first->state, RUNS);
  assert_int_equal(second->state, WAITS);
  assert_int_equal(other->state, RUNS);
  assert_int_equal(arrive(f, 3)->state, RUNS);
  leave(other);
  settle(f);
  assert_int_equal(second->state, WAITS);
  leave(first);
  settle(f);
  assert_int_equal(second->state, RUNS);
}

static void nobody_overtakes_a_request_that_is_about_to_run(void **state) {
  struct fixture *f = *state;
  struct request *running[IN_FLIGHT];
  fill(f, running, IN_FLIGHT);
  struct request *older = arrive(f, 0);
  leave(running[0]);
  struct request *newer = arrive(f, 1);
  assert_int_equal(newer->state, WAITS);
  settle(f);
  assert_int_equal(older->state, RUNS);
  assert_int_equal(newer->state, WAITS);
}

static void lane_is_bounded_and_says_which_limit_it_was(void **state) {
  struct fixture *f = *state;
  struct request *running[IN_FLIGHT];
  arrive(f, 2);
  for (size_t i = 0; i < QUEUE; i++) assert_int_equal(arrive(f, 2)->state, WAITS);
  struct request *one_more = arrive(f, 2);
  assert_int_equal(one_more->state, REFUSED);
  assert_non_null(strstr(one_more->detail, "the route's in_flight, 1"));
  assert_non_null(strstr(one_more->detail, "limits.queue"));
  assert_int_equal(one_more->retry_after, 1);
  fill(f, running, IN_FLIGHT - 1);  // the lane of one route is not the worker's
  assert_false(pl_admission_would_refuse(&f->admission));
  for (size_t i = 0; i < QUEUE; i++) assert_int_equal(arrive(f, 0)->state, WAITS);
  assert_true(pl_admission_would_refuse(&f->admission));
  one_more = arrive(f, 1);
  assert_int_equal(one_more->state, REFUSED);
  assert_non_null(strstr(one_more->detail, "limits.in_flight, 6"));
  assert_int_equal(f->admission.sheds[PL_SHED_QUEUE_FULL], 2);
}

static void places_about_to_be_taken_do_not_count_as_waiting(void **state) {
  struct fixture *f = *state;
  struct request *running[IN_FLIGHT];
  fill(f, running, IN_FLIGHT);
  for (size_t i = 0; i < QUEUE; i++) arrive(f, 0);
  leave(running[0]);
  assert_int_equal(arrive(f, 0)->state, WAITS);
  assert_int_equal(arrive(f, 0)->state, REFUSED);
  settle(f);
  assert_int_equal(f->admission.queued, QUEUE);
}

static void without_a_queue_nobody_waits(void **state) {
  struct fixture *f = *state;
  struct request *running[IN_FLIGHT];
  f->admission.queue_limit = 0;
  fill(f, running, IN_FLIGHT);
  assert_true(pl_admission_would_refuse(&f->admission));
  assert_int_equal(arrive(f, 0)->state, REFUSED);
  leave(running[0]);
  assert_false(pl_admission_would_refuse(&f->admission));
  assert_int_equal(arrive(f, 0)->state, RUNS);
}

static void long_wait_ends_with_503(void **state) {
  struct fixture *f = *state;
  struct request *running[IN_FLIGHT];
  fill(f, running, IN_FLIGHT);
  struct request *first = arrive(f, 0);
  advance(f, TIMEOUT_MS / 2);
  struct request *second = arrive(f, 2);
  advance(f, TIMEOUT_MS / 2 - 1);
  assert_int_equal(first->state, WAITS);
  advance(f, 1);
  assert_int_equal(first->state, REFUSED);
  assert_non_null(strstr(first->detail, "limits.in_flight, 6"));
  assert_int_equal(second->state, WAITS);
  advance(f, TIMEOUT_MS / 2);
  assert_int_equal(second->state, REFUSED);
  assert_int_equal(f->admission.sheds[PL_SHED_QUEUE_TIMEOUT], 2);
  assert_int_equal(f->admission.queued, 0);
}

static void wait_in_vain_allows_short_waits_only_until_nobody_waits(void **state) {
  struct fixture *f = *state;
  arrive(f, 2);
  struct request *q[4];
  for (size_t i = 0; i < 4; i++) {
    q[i] = arrive(f, 2);
    advance(f, i == 2 ? TIMEOUT_MS - 60 - 5 : 30);
  }
  // At 95 ms came the last. At 100 ms the first had waited long enough, and with him all but this.
  for (size_t i = 0; i < 3; i++) assert_int_equal(q[i]->state, REFUSED);
  assert_int_equal(q[3]->state, REFUSED);  // at 105
  assert_int_equal(f->admission.sheds[PL_SHED_QUEUE_TIMEOUT], 4);
  // The lane was empty: whoever comes now may wait the whole time again.
  struct request *last = arrive(f, 2);
  advance(f, TIMEOUT_MS - 1);
  assert_int_equal(last->state, WAITS);
  advance(f, 1);
  assert_int_equal(last->state, REFUSED);
}

static void overloaded_lane_serves_those_who_wait_briefly(void **state) {
  struct fixture *f = *state;
  struct request *running = arrive(f, 2);
  arrive(f, 2);
  advance(f, TIMEOUT_MS - 5);
  struct request *first = arrive(f, 2);
  advance(f, 5);
  struct request *second = arrive(f, 2);
  assert_int_equal(first->state, WAITS);
  advance(f, SHORT_MS - 6);
  leave(running);
  settle(f);
  assert_int_equal(first->state, RUNS);
  advance(f, 5);
  assert_int_equal(second->state, WAITS);
  advance(f, 1);
  assert_int_equal(second->state, REFUSED);
}

static void queue_that_stands_but_moves_allows_long_waits(void **state) {
  struct fixture *f = *state;
  struct request *line[20];
  for (size_t i = 0; i < 20; i++) {  // each waits 90 ms, three are always waiting
    line[i] = arrive(f, 2);
    if (i >= 3) {
      leave(line[i - 3]);
      settle(f);
      assert_int_equal(line[i - 2]->state, RUNS);
    }
    advance(f, 30);
  }
  assert_int_equal(f->admission.sheds[PL_SHED_QUEUE_TIMEOUT], 0);
}

static void without_a_time_out_they_wait_for_ever(void **state) {
  struct fixture *f = *state;
  f->admission.timeout_ms = 0;
  struct request *running = arrive(f, 2), *waiting = arrive(f, 2);
  advance(f, 3600 * 1000);
  assert_false(pl_timer_is_running(&f->admission.timer));
  assert_int_equal(waiting->state, WAITS);
  leave(running);
  settle(f);
  assert_int_equal(waiting->state, RUNS);
}

static void places_come_before_time_outs(void **state) {
  struct fixture *f = *state;
  struct request *running = arrive(f, 2), *waiting = arrive(f, 2), *last = arrive(f, 2);
  leave(running);
  advance(f, TIMEOUT_MS);  // a long turn: both have happened by its end
  assert_int_equal(waiting->state, RUNS);
  assert_int_equal(last->state, REFUSED);
}

static void who_leaves_while_waiting_takes_no_place(void **state) {
  struct fixture *f = *state;
  struct request *running = arrive(f, 2);
  struct request *gone = arrive(f, 2), *late = arrive(f, 2), *waiting = arrive(f, 2);
  assert_false(pl_admission_drop(&f->admission, &running->call, PL_ECONNRESET));
  drop(gone, PL_ECONNRESET);
  assert_true(gone->is_released);
  assert_int_equal(gone->state, LEFT);
  advance(f, 5);
  drop(late, PL_ETIMEDOUT);
  assert_int_equal(late->state, REFUSED);
  assert_int_equal(f->admission.queued, 1);
  leave(running);
  settle(f);
  assert_int_equal(waiting->state, RUNS);
  assert_int_equal(f->admission.in_flight, 1);
  assert_int_equal(f->admission.sheds[PL_SHED_QUEUE_TIMEOUT], 1);
}

static void lag_refuses_until_it_is_over(void **state) {
  struct fixture *f = *state;
  f->loop.is_lagging = true;
  f->loop.lag_ms = 2100;
  f->loop.turn_end_ms = now_of(f);
  assert_true(pl_admission_would_refuse(&f->admission));
  struct request *q = arrive(f, 0);
  assert_int_equal(q->state, REFUSED);
  assert_int_equal(q->retry_after, 3);
  assert_non_null(strstr(q->detail, "limits.lag"));
  assert_int_equal(f->admission.sheds[PL_SHED_LAG], 1);
  f->loop.uv.time += 2;  // the poll has waited: nothing was ready
  assert_false(pl_admission_would_refuse(&f->admission));
  assert_int_equal(arrive(f, 0)->state, RUNS);
}

static void burst_that_ends_at_once_is_run_in_steps(void **state) {
  struct fixture *f = *state;
  f->admission.queue_limit = 100;
  struct request *running = arrive(f, 2);
  for (size_t i = 0; i < 50; i++) {
    struct request *q = make(f, 2);
    q->is_instant = true;
    enter(q);
  }
  leave(running);
  pl_loop_undefer(&f->admission.later);
  f->admission.later.fn(&f->admission.later);
  assert_in_range(f->started, 2, 32);  // the loop is not held up
  settle(f);
  assert_int_equal(f->started, 51);
  for (size_t i = 1; i < 51; i++) assert_true(f->order[i] > f->order[i - 1]);
  assert_int_equal(f->admission.in_flight, 0);
}

static void waiting_takes_no_memory(void **state) {
  struct fixture *f = *state;
  f->admission.queue_limit = 1000;
  f->admission.in_flight_limit = 0;
  struct pl_mem_stats before = pl_mem_stats();
  for (size_t i = 0; i < 1000; i++) assert_int_equal(arrive(f, 0)->state, WAITS);
  assert_int_equal(pl_mem_stats().allocations, before.allocations);
  f->admission.in_flight_limit = 1000;
  pl_loop_defer(&f->loop, &f->admission.later);
  settle(f);
  assert_int_equal(f->admission.in_flight, 1000);
  assert_int_equal(pl_mem_stats().allocations, before.allocations);
}

// An answer that memory is too short for is no answer; the books are right all the same.
static void refusal_without_memory_ends_the_connection(void **state) {
  struct fixture *f = *state;
  struct request *running = arrive(f, 2), *q = NULL;
  size_t cuts = 0;
  do {
    f->admission.queue_limit = 0;
    pl_mem_fail_nth(cuts + 1);
    q = arrive(f, 2);
    f->admission.queue_limit = 1;
    pl_mem_fail_nth(0);
    assert_true(q->is_released);
    assert_int_equal(q->is_cut, q->state != REFUSED);
    cuts += q->is_cut;
  } while (q->is_cut);
  assert_true(cuts > 0);
  assert_int_equal(f->admission.sheds[PL_SHED_QUEUE_FULL], cuts + 1);
  leave(running);
  assert_int_equal(f->admission.in_flight + f->admission.queued, 0);
}

// ---- random schedules against a model ----

struct model {
  size_t in_flight, own[ROUTES];
  bool is_overloaded[ROUTES];  // the lane that the route uses
  size_t sheds;
};

static size_t lane_number(size_t route) {
  return route < 2 ? 0 : route;
}

static size_t number_of(struct request *q) {
  return (size_t)(route_of(q) - q->f->routes);
}

static bool has_room(const struct model *m, const struct fixture *f, size_t route) {
  size_t limit = f->routes[route].in_flight_limit;
  return m->in_flight < IN_FLIGHT && (!limit || m->own[route] < limit);
}

static struct request *model_next(const struct model *m, struct fixture *f) {
  for (size_t i = 0; i < f->count; i++) {
    struct request *q = &f->requests[i];
    if (q->expected == WAITS && has_room(m, f, i % ROUTES)) return q;
  }
  return NULL;
}

static struct request *model_head(struct fixture *f, size_t lane, size_t *count) {
  struct request *head = NULL;
  *count = 0;
  for (size_t i = 0; i < f->count; i++) {
    if (f->requests[i].expected != WAITS || lane_number(i % ROUTES) != lane) continue;
    if (!head) head = &f->requests[i];
    ++*count;
  }
  return head;
}

static void model_start(struct model *m, struct request *q) {
  q->expected = q->is_instant ? LEFT : RUNS;
  if (q->is_instant) return;
  m->in_flight++;
  m->own[number_of(q)]++;
}

static void model_settle(struct model *m, struct fixture *f) {
  for (struct request *q; (q = model_next(m, f));) {
    model_start(m, q);
  }
}

static void model_enter(struct model *m, struct request *q, bool is_lagging) {
  struct fixture *f = q->f;
  size_t route = number_of(q), lane = lane_number(route), count, free = 0;
  if (!model_head(f, lane, &count)) m->is_overloaded[lane] = false;
  if (has_room(m, f, route)) {
    free = IN_FLIGHT - m->in_flight;
    size_t limit = f->routes[route].in_flight_limit;
    if (limit && limit - m->own[route] < free) free = limit - m->own[route];
  }
  if (is_lagging || (count >= QUEUE + free && (!free || model_next(m, f)))) {
    q->expected = REFUSED;
    m->sheds++;
  } else if (free && !model_next(m, f)) {
    model_start(m, q);
  } else {
    q->expected = WAITS;
    q->since_ms = now_of(f);
  }
}

static void model_expire(struct model *m, struct fixture *f, uint64_t now) {
  for (size_t lane = 0; lane < ROUTES; lane++) {
    size_t count;
    for (struct request *q; (q = model_head(f, lane, &count));) {
      if (now - q->since_ms < (m->is_overloaded[lane] ? SHORT_MS : TIMEOUT_MS)) break;
      m->is_overloaded[lane] = true;
      q->expected = REFUSED;
      m->sheds++;
    }
  }
}

static void model_advance(struct model *m, struct fixture *f, uint64_t ms) {
  model_settle(m, f);  // as time passes between turns only
  for (uint64_t t = 1; t <= ms; t++) model_expire(m, f, now_of(f) + t);
}

static void model_leave(struct model *m, struct request *q) {
  if (q->expected == RUNS) {
    m->in_flight--;
    m->own[number_of(q)]--;
  }
  q->expected = LEFT;
}

static void assert_same(const struct model *m, const struct fixture *f, unsigned seed) {
  size_t waiting = 0, sheds = 0;
  for (size_t i = 0; i < f->count; i++) {
    const struct request *q = &f->requests[i];
    if (q->state != q->expected) {
      print_error("seed %u: request %zu is %d, not %d\n", seed, i, q->state, q->expected);
      fail();
    }
    waiting += q->state == WAITS;
  }
  for (size_t i = 0; i < PL_SHED_CAUSES; i++) sheds += f->admission.sheds[i];
  assert_int_equal(f->admission.queued, waiting);
  assert_int_equal(f->admission.in_flight, m->in_flight);
  assert_int_equal(sheds, m->sheds);
}

// A random one that is in `state`, or NULL.
static struct request *pick(struct fixture *f, enum state state) {
  size_t from = f->count ? (size_t)rand() % f->count : 0;
  for (size_t i = 0; i < f->count; i++) {
    struct request *q = &f->requests[(from + i) % f->count];
    if (q->state == state) return q;
  }
  return NULL;
}

static void arrive_at_random(struct fixture *f, struct model *m) {
  bool is_lagging = rand() % 20 == 0;
  struct request *q = make(f, (size_t)rand() % ROUTES);
  q->is_instant = rand() % 4 == 0;
  f->loop.is_lagging = is_lagging;
  model_enter(m, q, is_lagging);
  enter(q);
  f->loop.is_lagging = false;
}

static void step_at_random(struct fixture *f, struct model *m) {
  int dice = rand() % 10;
  struct request *q = pick(f, dice < 8 ? RUNS : WAITS);
  if (dice < 5) {
    arrive_at_random(f, m);
  } else if (dice < 8 && q) {
    model_leave(m, q);
    leave(q);
  } else if (dice == 8 && q) {
    model_leave(m, q);
    drop(q, PL_ECONNRESET);
  } else {
    uint64_t ms = (uint64_t)(rand() % 4 ? rand() % 5 : rand() % 60);
    settle(f);
    model_advance(m, f, ms);
    advance(f, ms);
  }
  if (rand() % 2) {
    settle(f);
    model_settle(m, f);
  }
}

static void run_schedule(unsigned seed, int steps) {
  void *state;
  struct model m = {0};
  assert_int_equal(set_up(&state), 0);
  struct fixture *f = state;
  pl_timer_start(&f->loop.wheel, &f->admission.report_timer, now_of(f) + 86400000);  // no log
  srand(seed);
  for (int i = 0; i < steps; i++) {
    step_at_random(f, &m);
    assert_same(&m, f, seed);
  }
  for (struct request *q; (q = pick(f, RUNS)) || pick(f, WAITS);) {  // it empties
    if (q) leave(q);
    settle(f);
    if (!q) advance(f, TIMEOUT_MS);
  }
  assert_int_equal(f->admission.queued + f->admission.in_flight, 0);
  assert_true(pl_list_is_empty(&f->admission.lanes));
  for (size_t i = 0; i < ROUTES; i++) assert_int_equal(f->routes[i].in_flight, 0);
  assert_int_equal(tear_down(&state), 0);
}

static void random_schedules_behave_as_the_model(void **state) {
  (void)state;
  const char *text = getenv("PL_SEED");
  unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : (unsigned)time(NULL);
  print_message("PL_SEED=%u\n", seed);
  for (unsigned i = 0; i < 200; i++) run_schedule(seed + i, 400);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(free_place_goes_to_the_oldest_over_all_lanes, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(full_route_stands_in_nobodys_way, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nobody_overtakes_a_request_that_is_about_to_run, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(lane_is_bounded_and_says_which_limit_it_was, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(places_about_to_be_taken_do_not_count_as_waiting, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(without_a_queue_nobody_waits, set_up, tear_down),
      cmocka_unit_test_setup_teardown(long_wait_ends_with_503, set_up, tear_down),
      cmocka_unit_test_setup_teardown(wait_in_vain_allows_short_waits_only_until_nobody_waits,
                                      set_up, tear_down),
      cmocka_unit_test_setup_teardown(overloaded_lane_serves_those_who_wait_briefly, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(queue_that_stands_but_moves_allows_long_waits, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(without_a_time_out_they_wait_for_ever, set_up, tear_down),
      cmocka_unit_test_setup_teardown(places_come_before_time_outs, set_up, tear_down),
      cmocka_unit_test_setup_teardown(who_leaves_while_waiting_takes_no_place, set_up, tear_down),
      cmocka_unit_test_setup_teardown(lag_refuses_until_it_is_over, set_up, tear_down),
      cmocka_unit_test_setup_teardown(burst_that_ends_at_once_is_run_in_steps, set_up, tear_down),
      cmocka_unit_test_setup_teardown(waiting_takes_no_memory, set_up, tear_down),
      cmocka_unit_test_setup_teardown(refusal_without_memory_ends_the_connection, set_up,
                                      tear_down),
      cmocka_unit_test(random_schedules_behave_as_the_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
