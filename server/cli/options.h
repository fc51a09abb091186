/// The options of the command line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "config/load.h"

struct pl_command;

/// Every option there is; a command takes some of them.
enum pl_option {
  PL_OPTION_LISTEN,
  PL_OPTION_WORKERS,
  PL_OPTION_CONFIG,
  PL_OPTION_EVAL,
  PL_OPTION_SET,
  PL_OPTION_DEFAULT,
  PL_OPTION_TIMEOUT,
  PL_OPTION_JSON,
  PL_OPTION_HELP,
  PL_OPTIONS
};

/// How an option is written, for the parser and for --help.
struct pl_option_spec {
  const char *name;   ///< "listen", used as --listen
  char letter;        ///< 'l', used as -l; 0: none
  const char *value;  ///< "ADDR"; NULL: it takes none
  const char *doc;
};

extern const struct pl_option_spec pl_option_specs[PL_OPTIONS];

/// What the command line said. The strings are argv's.
struct pl_options {
  const char *argument;          ///< APP.lua or URL; NULL: not given
  const char *code;              ///< -e; NULL: not given
  const char *config_path;       ///< -c; NULL: not given
  struct pl_config_flag *flags;  ///< owned: keys that -l, -w and --set give
  size_t flag_count;
  struct pl_strv *values;        ///< owned: what the flags' values are made of
  struct pl_config_flag listen;  ///< all -l together; no items: not given
  uint64_t timeout_ms;           ///< --timeout; 0: not given
  bool is_default;               ///< --default
  bool is_json;                  ///< --json
  bool is_help;                  ///< --help
};

/// Parses the words behind the command. Options and the argument may stand in any order; `--`
/// ends the options. What is wrong is said on stderr.
/// Returns: 0, PL_EINVAL: wrong usage, PL_ENOMEM; on failure nothing needs a deinit.
PL_MUST_CHECK int pl_options_parse(struct pl_options *options, const struct pl_command *command,
                                   int count, char *const *words);

void pl_options_deinit(struct pl_options *options);
