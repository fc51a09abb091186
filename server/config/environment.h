/// What the environment says: PERILUNE_<KEY> for each key, and PORT for `listen`.
///
/// A variable that is empty counts as not set.
#pragma once

#include "config/config.h"
#include "config/report.h"

/// @param environment "NAME=value" entries, NULL-terminated; NULL = none
/// Returns: the variable's value, or NULL when it is not set or empty.
const char *pl_config_environment_find(char *const *environment, const char *name);

/// Sets what the variables say; PORT gives way to PERILUNE_LISTEN. Wrong values are errors, unknown
/// PERILUNE_ variables warnings, except PERILUNE_PORT* and PERILUNE_SERVICE_*, which Kubernetes
/// sets for a Service of that name.
void pl_config_read_environment(struct pl_config *config, char *const *environment,
                                struct pl_config_report *report);
