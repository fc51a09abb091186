// perilune config: prints the effective configuration, or the default file.
#include "base/error.h"
#include "cli/command.h"
#include "cli/load.h"
#include "cli/message.h"
#include "config/describe.h"

static int print_effective(const struct pl_options *options) {
  struct pl_config config;
  int rc = pl_cli_load_config(options, options->argument, &config);
  if (rc == PL_ENOMEM) return 1;
  struct pl_buf text = {0};
  int code = 1;
  if (rc == 0) code = pl_message_result(pl_config_describe_effective(&config, &text), &text);
  pl_buf_deinit(&text);
  pl_config_deinit(&config);
  return code;
}

static int print_config(const struct pl_options *options) {
  if (!options->is_default) return print_effective(options);
  struct pl_buf text = {0};
  int code = pl_message_result(pl_config_describe_defaults(&text), &text);
  pl_buf_deinit(&text);
  return code;
}

const struct pl_command pl_command_config = {
    .name = "config",
    .arguments = "[APP.lua] [-l ADDR]... [-w N|auto] [-c FILE] [--set KEY=VALUE]... [--default]",
    .summary = "Print the effective configuration and where each value came from.",
    .argument = "APP.lua",
    .options = 1u << PL_OPTION_LISTEN | 1u << PL_OPTION_WORKERS | 1u << PL_OPTION_CONFIG |
               1u << PL_OPTION_SET | 1u << PL_OPTION_DEFAULT | 1u << PL_OPTION_HELP,
    .lists_keys = true,
    .run = print_config,
};
