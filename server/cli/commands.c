// A row for each command.
#include "cli/commands.h"

const struct pl_command *const pl_commands[PL_COMMANDS] = {
    &pl_command_run,    &pl_command_check,       &pl_command_routes,
    &pl_command_config, &pl_command_healthcheck, &pl_command_version,
};
