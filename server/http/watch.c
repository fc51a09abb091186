// A list and a timer per worker; the timer runs only while the list is not empty.
#include "http/watch.h"

#include "base/clock.h"
#include "base/error.h"
#include "http/conn.h"

enum { WATCH_INTERVAL_MS = 100 };

static void on_watch(struct pl_timer *timer) {
  struct pl_http_service *service = PL_CONTAINER_OF(timer, struct pl_http_service, watch_timer);
  struct pl_list *node = service->watched.next;
  while (node != &service->watched) {
    struct pl_conn *conn = PL_CONTAINER_OF(node, struct pl_conn, watch);
    node = node->next;
    int gone = pl_stream_ask_peer(&conn->stream);
    if (gone == PL_ECONNRESET)
      pl_conn_cut(conn, PL_ECONNRESET, false);
    else if (gone == PL_EOF && !conn->saw_eof)
      pl_conn_take_fin(conn);
  }
  if (!pl_list_is_empty(&service->watched))
    pl_timer_start(&service->loop->wheel, timer, pl_clock_ms() + WATCH_INTERVAL_MS);
}

void pl_watch_add(struct pl_conn *conn) {
  struct pl_http_service *service = conn->service;
  if (!pl_list_is_empty(&conn->watch)) return;
  pl_list_push_back(&service->watched, &conn->watch);
  if (pl_timer_is_running(&service->watch_timer)) return;
  service->watch_timer.fn = on_watch;
  pl_timer_start(&service->loop->wheel, &service->watch_timer, pl_clock_ms() + WATCH_INTERVAL_MS);
}
