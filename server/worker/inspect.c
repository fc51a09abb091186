// perilune check and perilune routes: the app is loaded as for serving, in one worker, and nothing
// is served.
#include <stdio.h>

#include "api/route_table.h"
#include "worker/generation.h"
#include "worker/server.h"

int pl_server_check(const struct pl_server_options *options) {
  struct pl_server_options dry = *options;
  dry.is_dry_run = true;
  return pl_server_run(&dry);
}

static void print_list(const struct pl_route_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    const struct pl_route *route = &list->items[i];
    printf("%-8s %-32s %-16s %s\n", route->method_text, route->pattern,
           route->name ? route->name : "-", route->places);
  }
}

static void print_routes(struct pl_generation *g) {
  print_list(&g->table.routes);
  print_list(&g->table.statics);
  fflush(stdout);
}

int pl_server_print_routes(const struct pl_server_options *options) {
  struct pl_server_options dry = *options;
  dry.is_dry_run = true;
  dry.on_app = print_routes;
  return pl_server_run(&dry);
}
