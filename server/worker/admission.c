// Lanes, their time-outs, and the answer to those who do not get a place.
//
// A queue that takes a burst is good, but one that is so long that its oldest wait in vain only
// adds to everybody's wait: no more is served than if all waited briefly. So when somebody has
// waited for the whole of timeouts.queue, a tenth of it is all that is allowed in that lane, until
// it has been empty. (CoDel would shorten a queue that stands without overflowing, too; but that is
// what a fixed number of clients looks like who each wait for their answer, and nothing is wrong
// with them.)
#include "worker/admission.h"

#include <stdio.h>

#include "api/problem.h"
#include "base/error.h"
#include "base/log.h"

enum {
  SHORT_WAITS = 10,      // in an overloaded lane so many times less than timeouts.queue
  STARTS_PER_STEP = 16,  // then the loop looks at its sockets
  REPORT_INTERVAL_MS = 1000,
  RETRY_SECONDS_MAX = 60,
  DETAIL_MAX = 160
};

// ---- who may run ----

static struct pl_lane *lane_of(struct pl_admission *a, struct pl_route *route) {
  return route->in_flight_limit ? &route->lane : &a->lane;
}

static struct pl_call *head_of(const struct pl_lane *lane) {
  return PL_CONTAINER_OF(lane->waiting.next, struct pl_call, queue_link);
}

static bool route_is_full(const struct pl_route *route) {
  return route->in_flight_limit && route->in_flight >= route->in_flight_limit;
}

// How many more requests for the route could run right now.
static uint64_t free_places(const struct pl_admission *a, const struct pl_route *route) {
  if (a->in_flight >= a->in_flight_limit || route_is_full(route)) return 0;
  uint64_t free = a->in_flight_limit - a->in_flight;
  uint64_t own = route->in_flight_limit - route->in_flight;
  return route->in_flight_limit && own < free ? own : free;
}

// The oldest request that waits for nothing but its turn, or NULL. Few lanes have waiters at a
// time, at most one per route with a limit, so they are simply looked through.
static struct pl_call *find_next(const struct pl_admission *a) {
  struct pl_call *oldest = NULL;
  if (a->in_flight >= a->in_flight_limit) return NULL;
  for (const struct pl_list *n = a->lanes.next; n != &a->lanes; n = n->next) {
    struct pl_call *call = head_of(PL_CONTAINER_OF(n, struct pl_lane, link));
    if (route_is_full(call->route)) continue;
    if (!oldest || call->queue_number < oldest->queue_number) oldest = call;
  }
  return oldest;
}

static bool may_run(const struct pl_admission *a, const struct pl_route *route) {
  return free_places(a, route) > 0 && !find_next(a);
}

// Places that are free belong to those at the front, who are about to get them: they do not count.
static bool lane_is_full(const struct pl_admission *a, const struct pl_route *route,
                         const struct pl_lane *lane) {
  return lane->count >= a->queue_limit + free_places(a, route);
}

bool pl_admission_would_refuse(const struct pl_admission *a) {
  const struct pl_route any = {0};
  if (pl_loop_is_lagging(a->loop)) return true;
  return !may_run(a, &any) && lane_is_full(a, &any, &a->lane);
}

// ---- lanes ----

// When the lane's oldest has waited too long.
static uint64_t due_of(const struct pl_admission *a, const struct pl_lane *lane) {
  uint64_t allowed = lane->is_overloaded ? a->timeout_ms / SHORT_WAITS : a->timeout_ms;
  return head_of(lane)->queued_ms + allowed;
}

static void arm_timer(struct pl_admission *a, uint64_t due_ms) {
  if (pl_timer_is_running(&a->timer) && a->timer.due_ms <= due_ms) return;
  pl_timer_start(&a->loop->wheel, &a->timer, due_ms);
}

static void put_into(struct pl_admission *a, struct pl_lane *lane, struct pl_call *call) {
  call->lane = lane;
  call->queue_number = ++a->last_number;
  call->queued_ms = pl_loop_now_ms(a->loop);
  pl_list_push_back(&lane->waiting, &call->queue_link);
  a->queued++;
  if (lane->count++ > 0) return;
  pl_list_push_back(&a->lanes, &lane->link);
  if (a->timeout_ms) arm_timer(a, due_of(a, lane));
}

static void take_out(struct pl_admission *a, struct pl_call *call) {
  struct pl_lane *lane = call->lane;
  pl_list_remove(&call->queue_link);
  call->lane = NULL;
  a->queued--;
  if (--lane->count > 0) return;
  lane->is_overloaded = false;
  pl_list_remove(&lane->link);
}

// ---- 503 ----

static const char *const causes[PL_SHED_CAUSES] = {
    [PL_SHED_QUEUE_FULL] = "too many waited for a place (limits.queue; limits.in_flight or the "
                           "in_flight of a route)",
    [PL_SHED_QUEUE_TIMEOUT] = "no place became free in time (timeouts.queue; limits.in_flight or "
                              "the in_flight of a route)",
    [PL_SHED_LAG] = "the worker was behind with its work (limits.lag)",
    [PL_SHED_MEMORY] = "the worker was short of memory (limits.memory)"};

// What has happened since the last report; nothing: no more reports until something does.
static void report(struct pl_admission *a) {
  bool has_news = false;
  for (int cause = 0; cause < PL_SHED_CAUSES; cause++) {
    uint64_t news = a->sheds[cause] - a->reported[cause];
    if (!news) continue;
    pl_log(PL_LOG_WARN, "load shed, %llu answered with 503: %s", (unsigned long long)news,
           causes[cause]);
    a->reported[cause] = a->sheds[cause];
    has_news = true;
  }
  if (has_news)
    pl_timer_start(&a->loop->wheel, &a->report_timer, pl_loop_now_ms(a->loop) + REPORT_INTERVAL_MS);
}

static void on_report_timer(struct pl_timer *timer) {
  report(PL_CONTAINER_OF(timer, struct pl_admission, report_timer));
}

// Which limit it was, for the client.
static void describe(const struct pl_admission *a, const struct pl_route *route, enum pl_shed cause,
                     char *out) {
  static const char *const simple[PL_SHED_CAUSES] = {
      [PL_SHED_LAG] = "the worker is behind with its work (limits.lag)",
      [PL_SHED_MEMORY] = "the worker is short of memory (limits.memory)"};
  if (simple[cause]) {
    snprintf(out, DETAIL_MAX, "%s", simple[cause]);
    return;
  }
  const char *why = cause == PL_SHED_QUEUE_FULL ? "and as many as limits.queue allows are waiting"
                                                : "and none has ended in time";
  bool is_route = route_is_full(route);
  uint64_t limit = is_route ? route->in_flight_limit : a->in_flight_limit;
  snprintf(out, DETAIL_MAX, "too many requests at once (%s, %llu) %s",
           is_route ? "the route's in_flight" : "limits.in_flight", (unsigned long long)limit, why);
}

// @param waited_ms how long one has to wait here at the moment
static void refuse(struct pl_admission *a, struct pl_call *call, enum pl_shed cause,
                   uint64_t waited_ms) {
  char detail[DETAIL_MAX], header[40];
  uint64_t seconds = (waited_ms + 999) / 1000;
  if (seconds < 1) seconds = 1;
  if (seconds > RETRY_SECONDS_MAX) seconds = RETRY_SECONDS_MAX;
  snprintf(header, sizeof header, "Retry-After: %u\r\n", (unsigned)seconds);
  describe(a, call->route, cause, detail);
  pl_api_send_problem(call, 503, detail, header);
  call->x->ops->release(call->x);
  a->sheds[cause]++;
  if (!pl_timer_is_running(&a->report_timer)) report(a);
}

void pl_admission_refuse(struct pl_admission *a, struct pl_call *call, enum pl_shed cause) {
  refuse(a, call, cause, cause == PL_SHED_LAG ? a->loop->lag_ms : 0);
}

// ---- coming and going ----

static uint64_t wait_of(const struct pl_admission *a, const struct pl_call *call) {
  uint64_t now = pl_loop_now_ms(a->loop);
  return now > call->queued_ms ? now - call->queued_ms : 0;
}

bool pl_admission_enter(struct pl_admission *a, struct pl_call *call) {
  struct pl_lane *lane = lane_of(a, call->route);
  if (pl_loop_is_lagging(a->loop)) {
    pl_admission_refuse(a, call, PL_SHED_LAG);
    return false;
  }
  if (may_run(a, call->route)) return true;
  if (lane_is_full(a, call->route, lane))
    refuse(a, call, PL_SHED_QUEUE_FULL, lane->count ? wait_of(a, head_of(lane)) : 0);
  else
    put_into(a, lane, call);
  return false;
}

bool pl_admission_drop(struct pl_admission *a, struct pl_call *call, int reason) {
  if (!call->lane) return false;
  take_out(a, call);
  if (reason == PL_ETIMEDOUT)
    refuse(a, call, PL_SHED_QUEUE_TIMEOUT, wait_of(a, call));
  else
    call->x->ops->release(call->x);
  return true;
}

static void start_waiting(struct pl_admission *a) {
  for (int started = 0; started < STARTS_PER_STEP; started++) {
    struct pl_call *call = find_next(a);
    if (!call) return;
    take_out(a, call);
    a->start(call);
  }
  pl_loop_defer(a->loop, &a->later);
}

static void on_places(struct pl_deferred *later) {
  start_waiting(PL_CONTAINER_OF(later, struct pl_admission, later));
}

// After a long turn there may be free places as well as overdue requests: the places come first.
static void on_timer(struct pl_timer *timer) {
  struct pl_admission *a = PL_CONTAINER_OF(timer, struct pl_admission, timer);
  uint64_t now = a->loop->wheel.target_ms, next = UINT64_MAX;
  start_waiting(a);
  for (struct pl_list *n = a->lanes.next; n != &a->lanes;) {
    struct pl_lane *lane = PL_CONTAINER_OF(n, struct pl_lane, link);
    n = n->next;
    while (lane->count && due_of(a, lane) <= now) {
      struct pl_call *call = head_of(lane);
      lane->is_overloaded = true;
      take_out(a, call);
      refuse(a, call, PL_SHED_QUEUE_TIMEOUT, wait_of(a, call));
    }
    if (lane->count && due_of(a, lane) < next) next = due_of(a, lane);
  }
  if (next != UINT64_MAX) arm_timer(a, next);
}

void pl_admission_init(struct pl_admission *a) {
  pl_lane_init(&a->lane);
  pl_list_init(&a->lanes);
  pl_list_init(&a->later.link);
  a->later.fn = on_places;
  a->timer.fn = on_timer;
  a->report_timer.fn = on_report_timer;
}
