/// The table of commands.
#pragma once

#include "cli/command.h"

enum { PL_COMMANDS = 6 };

/// All of them, in the order of --help.
extern const struct pl_command *const pl_commands[PL_COMMANDS];
