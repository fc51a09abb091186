/// The configuration: one member per key of config.def, and where each value came from.
///
/// Plain C without Lua; made once at start by pl_config_load (load.h), then read-only on all
/// threads. Sizes are bytes, times milliseconds; what "none" and "auto" are is in config.def.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/log_line.h"
#include "base/strv.h"
#include "config/kind.h"
#include "config/report.h"

/// Values of log.format, in the order of config.def. (Those of log.level are enum pl_log_level.)
enum pl_config_log_format {
  PL_CONFIG_LOG_FORMAT_AUTO,
  PL_CONFIG_LOG_FORMAT_TEXT,
  PL_CONFIG_LOG_FORMAT_JSON
};

/// Which sources can set a value, weakest first.
enum pl_config_source { PL_CONFIG_DEFAULT, PL_CONFIG_FILE, PL_CONFIG_ENVIRONMENT, PL_CONFIG_FLAG };

/// Where a value came from.
struct pl_config_origin {
  enum pl_config_source source;
  char *name;  ///< the file's path, the variable's or the flag's name; owned; of a default: why it
               ///< is not config.def's, or NULL
};

/// The number of each key: PL_CONFIG_KEY_listen, ...
enum pl_config_key_number {
#define X(field, key, kind, standard, min, max, doc) PL_CONFIG_KEY_##field,
#include "config/config.def"
#undef X
  PL_CONFIG_KEYS
};

struct pl_config {
#define X(field, key, kind, standard, min, max, doc) PL_CONFIG_C_##kind field;
#include "config/config.def"
#undef X
  struct pl_config_origin origins[PL_CONFIG_KEYS];
};

/// The rows, in the order of config.def.
extern const struct pl_config_key pl_config_keys[PL_CONFIG_KEYS];

/// All defaults. Returns: 0, or PL_ENOMEM and a config that needs no deinit.
PL_MUST_CHECK int pl_config_init(struct pl_config *config);

/// Frees what the config owns.
void pl_config_deinit(struct pl_config *config);

/// Returns: the key's number, or -1.
int pl_config_find_key(struct pl_strv name);

/// Reports `where: unknown key "limits.boddy": did you mean "limits.body"?`
void pl_config_report_unknown_key(struct pl_config_report *report, const char *where,
                                  struct pl_strv name);

/// Understands `input`, checks it against the key's bounds and stores it. When it is refused,
/// nothing is changed and the report gets a line such as
/// `perilune.conf.lua: limits.body = "10s": a size is expected (64k, 8m, 2g)`.
/// @param where name of the origin (copied); NULL for a default
void pl_config_set(struct pl_config *config, int key, const struct pl_config_input *input,
                   enum pl_config_source source, const char *where,
                   struct pl_config_report *report);

/// Writes the key's environment name, "PERILUNE_LOG_LEVEL", and a terminator; 64 bytes are enough.
void pl_config_environment_name(const struct pl_config_key *key, char *out, size_t size);

/// Appends the key's value as a Lua expression. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_config_format(const struct pl_config *config, int key, struct pl_buf *out);
