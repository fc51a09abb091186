/// The whole server: binds the listeners, starts the workers, drains and stops them.
///
/// Thread: main. Read-only for the workers once it runs.
#pragma once

#include <stdbool.h>

#include "base/base.h"

struct pl_config;
struct pl_generation;

/// What to load and serve.
struct pl_server_options {
  const struct pl_config *config;           ///< effective; must outlive the server
  const char *app_path;                     ///< or NULL
  const char *app_code;                     ///< -e CODE, or NULL; exactly one of both is set
  void (*on_app)(struct pl_generation *g);  ///< or NULL: called when a worker has loaded the app
  bool is_dry_run;  ///< set by check and routes: load the app, serve nothing
};

/// Serves until a signal ends it (contract 3). Prints the start line and start errors to stderr.
/// Returns: the process's exit code: 0 after a drain, 1 when it could not start.
PL_MUST_CHECK int pl_server_run(const struct pl_server_options *options);

/// perilune check: loads the app (its "start" handlers are not run) and reports every problem to
/// stderr. Returns the exit code.
PL_MUST_CHECK int pl_server_check(const struct pl_server_options *options);

/// perilune routes: prints the routing table to stdout. Returns the exit code.
PL_MUST_CHECK int pl_server_print_routes(const struct pl_server_options *options);
