/// Figures of the configuration that depend on the machine's memory.
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "config/report.h"

/// Fits limits.memory into the container: a default is lowered so that all workers together, each
/// at its ceiling of twice that, stay below the limit less a reserve for code, stacks and the
/// kernel's socket buffers; a figure of the user's that cannot fit, without any ceiling, is a
/// warning. A default of limits.request_memory is lowered to limits.memory.
/// @param container bytes (pl_memory_limit_by_cgroup), 0 = none
void pl_config_fit_memory(struct pl_config *config, uint64_t container, unsigned workers,
                          struct pl_config_report *report);
