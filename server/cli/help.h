/// The --help texts, made from the tables of commands and options.
#pragma once

#include "base/base.h"
#include "base/buf.h"

struct pl_command;

/// Appends what `perilune --help` says. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_help_program(struct pl_buf *out);

/// Appends what `perilune COMMAND --help` says. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_help_command(const struct pl_command *command, struct pl_buf *out);
