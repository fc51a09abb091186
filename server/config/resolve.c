// Arithmetic only; what the machine offers is passed in.
#include "config/resolve.h"

#include "base/error.h"
#include "config/units.h"

enum {
  AUTO_CONNECTIONS = 10000,
  RESERVED_DESCRIPTORS = 64,  ///< listeners, logs, files being sent
  DESCRIPTORS_PER_WORKER = 8  ///< epoll, event and signal descriptors, dups of listeners
};

unsigned pl_config_workers(const struct pl_config *config, unsigned usable_cpus) {
  if (config->workers != PL_CONFIG_AUTO) return (unsigned)config->workers;
  uint64_t most;
  int rc =
      pl_units_parse(PL_UNITS_COUNT, pl_strv_of(pl_config_keys[PL_CONFIG_KEY_workers].max), &most);
  return rc == 0 && usable_cpus > most ? (unsigned)most : usable_cpus;
}

int pl_config_connections(const struct pl_config *config, uint64_t descriptors, unsigned workers,
                          uint64_t *connections) {
  uint64_t reserved = RESERVED_DESCRIPTORS + (uint64_t)DESCRIPTORS_PER_WORKER * workers;
  uint64_t possible = descriptors > reserved ? descriptors - reserved : 0;
  uint64_t wanted = config->limits_connections;
  if (wanted == PL_CONFIG_AUTO) {
    *connections = possible < AUTO_CONNECTIONS ? possible : AUTO_CONNECTIONS;
    return possible > 0 ? 0 : PL_ELIMIT;
  }
  *connections = wanted < possible ? wanted : possible;
  return wanted <= possible ? 0 : PL_ELIMIT;
}
