// Accepting, draining and ending connections.
#include "http/connections.h"

#include "base/error.h"
#include "http/conn.h"

void pl_http_service_accept(struct pl_http_service *service, int fd, bool is_unix) {
  struct pl_conn *conn = pl_conn_open(service, fd, is_unix);
  if (!conn) return;
  service->stats.accepted++;
  pl_list_push_back(&service->connections, &conn->link);
  service->connection_count++;
  conn->is_surplus = service->connection_count > service->limits.connections;
  service->on_connections(service);
}

void pl_http_service_drain(struct pl_http_service *service) {
  service->is_draining = true;
  for (struct pl_list *n = service->connections.next; n != &service->connections; n = n->next)
    pl_conn_schedule(PL_CONTAINER_OF(n, struct pl_conn, link));
}

void pl_http_service_abort(struct pl_http_service *service) {
  for (struct pl_list *n = service->connections.next; n != &service->connections; n = n->next)
    pl_conn_cut(PL_CONTAINER_OF(n, struct pl_conn, link), PL_ECANCELED, true);
  pl_exchange_list_tell(&service->adrift, PL_ECANCELED);
}
