/// The commands of the program, one file each; commands.h is the table of them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pl_options;

/// One command.
struct pl_command {
  const char *name;
  const char *arguments;  ///< behind its name in the usage line: "[APP.lua] [options]"
  const char *summary;    ///< one line for the list of commands
  const char *help;       ///< what else --help says; may be NULL
  bool lists_keys;        ///< --help lists the keys of the configuration, too
  const char *argument;   ///< what its one argument is called; NULL: it takes none
  unsigned options;       ///< which it takes: bits 1u << enum pl_option
  /// Returns: the process's exit code.
  int (*run)(const struct pl_options *options);
};

extern const struct pl_command pl_command_run;
extern const struct pl_command pl_command_check;
extern const struct pl_command pl_command_routes;
extern const struct pl_command pl_command_config;
extern const struct pl_command pl_command_healthcheck;
extern const struct pl_command pl_command_version;
