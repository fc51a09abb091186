// perilune run: serves an app until a signal ends it.
#include "cli/command.h"
#include "cli/load.h"
#include "worker/server.h"

static int run(const struct pl_options *options) {
  return pl_cli_with_app(options, false, pl_server_run);
}

const struct pl_command pl_command_run = {
    .name = "run",
    .arguments = "[APP.lua] [-l ADDR]... [-w N|auto] [-c FILE] [-e CODE] [--set KEY=VALUE]...",
    .summary = "Serve an app (default: app.lua in the current directory).",
    .help = "The app is a Lua file that returns an app or a function. TERM, QUIT and INT let\n"
            "running requests finish; a second one stops at once.\n"
            "What comes first wins: options, environment (PERILUNE_LOG_LEVEL for log.level; PORT\n"
            "for the address), configuration file, default.\n",
    .argument = "APP.lua",
    .options = 1u << PL_OPTION_LISTEN | 1u << PL_OPTION_WORKERS | 1u << PL_OPTION_CONFIG |
               1u << PL_OPTION_EVAL | 1u << PL_OPTION_SET | 1u << PL_OPTION_HELP,
    .run = run,
};
