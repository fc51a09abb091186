// perilune routes: prints an app's routing table.
#include "cli/command.h"
#include "cli/load.h"
#include "worker/server.h"

static int print_routes(const struct pl_options *options) {
  return pl_cli_with_app(options, false, pl_server_print_routes);
}

const struct pl_command pl_command_routes = {
    .name = "routes",
    .arguments = "[APP.lua] [-c FILE] [-e CODE] [--set KEY=VALUE]...",
    .summary = "Print the routing table: method, pattern, name, handlers with file:line.",
    .argument = "APP.lua",
    .options =
        1u << PL_OPTION_CONFIG | 1u << PL_OPTION_EVAL | 1u << PL_OPTION_SET | 1u << PL_OPTION_HELP,
    .run = print_routes,
};
