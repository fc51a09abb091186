/// The figures that "auto" stands for.
#pragma once

#include <stdint.h>

#include "base/base.h"
#include "config/config.h"

/// Returns: the number of workers: the configured one, or `usable_cpus` (pl_cpu_usable) for "auto",
/// at most as many as the key's bounds allow.
unsigned pl_config_workers(const struct pl_config *config, unsigned usable_cpus);

/// How many connections may be open: "auto" is 10000, or what the limit of open files leaves after
/// 64 and 8 for each worker.
/// @param descriptors the limit of open files, raised (pl_descriptors_raise)
/// Returns: 0; PL_ELIMIT: the configured figure (or not even one connection) cannot be carried, and
/// *connections is what could be: a start error.
PL_MUST_CHECK int pl_config_connections(const struct pl_config *config, uint64_t descriptors,
                                        unsigned workers, uint64_t *connections);
