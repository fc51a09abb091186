/// The configuration as text: the default file, the effective values, the list of keys for --help.
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "config/config.h"

/// Appends config/perilune.conf.lua: every key with its default and a comment. Returns: 0,
/// PL_ENOMEM.
PL_MUST_CHECK int pl_config_describe_defaults(struct pl_buf *out);

/// Appends a line for each key: `limits.body = "8m"   -- default`. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_config_describe_effective(const struct pl_config *config, struct pl_buf *out);

/// Appends each key with its default, bounds, environment name and doc. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_config_describe_keys(struct pl_buf *out);
