/// The effective configuration: flag > environment > file > default.
#pragma once

#include "config/config.h"
#include "config/report.h"

/// One key set on the command line.
struct pl_config_flag {
  const char *flag;    ///< as its user knows it: "--listen", "--set"
  struct pl_strv key;  ///< may be unknown: an error
  struct pl_config_input value;
};

/// Where to look.
struct pl_config_sources {
  const char *file;                    ///< path, or NULL
  bool is_file_optional;               ///< no error when there is none
  char *const *environment;            ///< as environ; NULL = none
  const struct pl_config_flag *flags;  ///< later ones win
  size_t flag_count;
};

/// Reads all sources; every problem of every one of them is in the report, also when it succeeds
/// (warnings). An overridden value must be valid too.
/// Returns: 0; PL_EINVAL: there are errors, *config holds what is valid; PL_ENOMEM: *config needs
/// no deinit.
PL_MUST_CHECK int pl_config_load(struct pl_config *config, const struct pl_config_sources *sources,
                                 struct pl_config_report *report);
