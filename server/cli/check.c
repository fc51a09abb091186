// perilune check: loads configuration and app without serving.
#include "cli/command.h"
#include "cli/load.h"
#include "worker/server.h"

static int check(const struct pl_options *options) {
  return pl_cli_with_app(options, true, pl_server_check);
}

const struct pl_command pl_command_check = {
    .name = "check",
    .arguments = "[APP.lua] [-l ADDR]... [-w N|auto] [-c FILE] [-e CODE] [--set KEY=VALUE]...",
    .summary = "Load the configuration and the app, and report every problem.",
    .argument = "APP.lua",
    .options = 1u << PL_OPTION_LISTEN | 1u << PL_OPTION_WORKERS | 1u << PL_OPTION_CONFIG |
               1u << PL_OPTION_EVAL | 1u << PL_OPTION_SET | 1u << PL_OPTION_HELP,
    .run = check,
};
