/// From options to what the server needs: the effective configuration and the app.
#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "cli/options.h"
#include "config/config.h"

struct pl_server_options;

/// Loads the configuration of the file beside the app or of -c, of the environment and of the
/// command line, and says what is wrong with it on stderr.
/// @param app path of the app, NULL = none
/// Returns: 0; PL_EINVAL: said, *config holds what is valid; PL_ENOMEM: said, no deinit.
PL_MUST_CHECK int pl_cli_load_config(const struct pl_options *options, const char *app,
                                     struct pl_config *config);

/// A command that works on an app: loads the configuration, finds the app (app.lua in the current
/// directory where none is given) and calls `work`.
/// @param is_thorough call it in spite of a wrong configuration, with what is valid of it
/// Returns: the exit code: work's; 1 when there is no app or the configuration is wrong.
PL_MUST_CHECK int pl_cli_with_app(const struct pl_options *options, bool is_thorough,
                                  int (*work)(const struct pl_server_options *server));
