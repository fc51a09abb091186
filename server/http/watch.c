// A list and a timer per worker; the timer runs only while the list is not empty.
//
// When memory is no longer tight, all go on; those that wait for it have garbage collected. While
// it stays so, those that have waited longest for their bodies go on at each tick, a few at a time:
// if nobody did, bodies that are half read could hold what the others wait for until all of them
// time out.
#include "http/watch.h"

#include "base/clock.h"
#include "base/error.h"
#include "http/conn.h"

enum {
  WATCH_INTERVAL_MS = 100,
  UNREAD_BYTES = 1024 * 1024,
  ENLARGED_MAX = 64,
  SHARE = 16  // of those that wait for memory one in so many goes on, at least one
};

static size_t count_paused(const struct pl_http_service *service) {
  size_t paused = 0;
  for (struct pl_list *n = service->watched.next; n != &service->watched; n = n->next)
    paused += PL_CONTAINER_OF(n, struct pl_conn, watch)->is_paused;
  return paused;
}

static void look_after(struct pl_conn *conn, size_t *turns) {
  int gone = pl_stream_ask_peer(&conn->stream);
  if (gone == PL_ECONNRESET) {
    pl_conn_cut(conn, PL_ECONNRESET, false);
    return;
  }
  if (gone == PL_EOF && !conn->saw_eof && pl_conn_take_fin(conn)) return;
  if (conn->is_paused && *turns > 0) {
    conn->may_go_on = true;
    (*turns)--;
  }
  pl_conn_continue(conn);
}

static void on_watch(struct pl_timer *timer) {
  struct pl_http_service *service = PL_CONTAINER_OF(timer, struct pl_http_service, watch_timer);
  size_t paused = count_paused(service), turns = 1 + paused / SHARE;
  if (paused) pl_account_relieve(service->account);
  struct pl_list *node = service->watched.next;
  while (node != &service->watched) {
    struct pl_conn *conn = PL_CONTAINER_OF(node, struct pl_conn, watch);
    node = node->next;
    look_after(conn, &turns);
  }
  if (!pl_list_is_empty(&service->watched))
    pl_timer_start(&service->loop->wheel, timer, pl_clock_ms() + WATCH_INTERVAL_MS);
}

// Now, while the client's window is still open: the kernel would not tell it of a larger one.
static void enlarge_unread(struct pl_conn *conn) {
  struct pl_http_service *service = conn->service;
  bool waits_for_fin = conn->state == PL_CONN_HANDLING && !conn->current->x.half_close;
  if (!waits_for_fin || conn->is_enlarged || service->enlarged_count == ENLARGED_MAX) return;
  service->enlarged_count++;
  conn->is_enlarged = true;
  pl_stream_enlarge_unread(&conn->stream, UNREAD_BYTES);
}

void pl_watch_add(struct pl_conn *conn) {
  struct pl_http_service *service = conn->service;
  if (!pl_list_is_empty(&conn->watch)) return;
  enlarge_unread(conn);
  pl_list_push_back(&service->watched, &conn->watch);
  if (pl_timer_is_running(&service->watch_timer)) return;
  service->watch_timer.fn = on_watch;
  pl_timer_start(&service->loop->wheel, &service->watch_timer, pl_clock_ms() + WATCH_INTERVAL_MS);
}
