// Places in a queue: a wait, a link and a timer that begin and end together.
#include "api/queue_wait.h"

#include "api/api.h"
#include "base/error.h"
#include "io/loop.h"

static void leave(struct pl_queue_wait *w, int outcome) {
  w->outcome = outcome;
  pl_list_remove(&w->link);
  pl_timer_stop(&w->loop->wheel, &w->timer);
}

static void cancel(struct pl_wait *wait) {
  leave(PL_CONTAINER_OF(wait, struct pl_queue_wait, wait), PL_ECANCELED);
}

static void on_timeout(struct pl_timer *timer) {
  pl_queue_wait_end(PL_CONTAINER_OF(timer, struct pl_queue_wait, timer), PL_ETIMEDOUT);
}

void pl_queue_wait_begin(lua_State *L, struct pl_queue_wait *w, struct pl_list *queue,
                         const char *operation, uint64_t due_ms) {
  w->loop = pl_api_context(L)->loop;
  w->outcome = PL_EAGAIN;
  w->timer = (struct pl_timer){.fn = on_timeout};
  pl_wait_begin(L, &w->wait, operation, cancel);
  pl_list_push_back(queue, &w->link);
  if (due_ms) pl_timer_start(&w->loop->wheel, &w->timer, due_ms);
}

void pl_queue_wait_end(struct pl_queue_wait *w, int outcome) {
  leave(w, outcome);
  pl_wait_complete(&w->wait);
}

void pl_queue_wait_leave(struct pl_queue_wait *w) {
  if (w->loop && w->outcome == PL_EAGAIN) leave(w, PL_ECANCELED);
}

uint64_t pl_queue_wait_check_due(lua_State *L, int index) {
  return lua_isnoneornil(L, index) ? 0 : pl_api_check_due(L, index);
}

static const char *text_of(int outcome, const char *would_wait) {
  switch (outcome) {
  case PL_EAGAIN:
    return would_wait;
  case PL_ETIMEDOUT:
    return "timeout";
  default:
    return "closed";
  }
}

int pl_queue_wait_fail(lua_State *L, int outcome, const char *would_wait) {
  lua_pushnil(L);
  lua_pushstring(L, text_of(outcome, would_wait));
  lua_pushstring(L, pl_error_name(outcome));
  return 3;
}
