/// The configuration file: a Lua file that returns a table.
///
/// It runs text-only in a Lua state of its own, in an empty environment that holds env(name,
/// default) and nothing else, with bounded memory and a bounded number of steps.
#pragma once

#include "base/strv.h"
#include "config/config.h"
#include "config/report.h"

/// Runs `text` and sets the keys that its table holds. Every problem goes to the report, with
/// `name` in front.
/// @param environment what env() sees, as in pl_config_environment_find
void pl_config_read_text(struct pl_config *config, const char *name, struct pl_strv text,
                         char *const *environment, struct pl_config_report *report);

/// The same for a file. @param is_optional: there may be none
void pl_config_read_file(struct pl_config *config, const char *path, bool is_optional,
                         char *const *environment, struct pl_config_report *report);
