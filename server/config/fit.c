// Arithmetic only; what the machine offers is passed in.
#include "config/fit.h"

#include "base/buf.h"
#include "config/units.h"

#include <stdio.h>

#define MIB ((uint64_t)1 << 20)

enum { SIZE_TEXT = 32 };

// For code, stacks, what is bounded by numbers (connections, requests) and socket buffers.
static uint64_t memory_reserve(uint64_t container, unsigned workers) {
  uint64_t share = container / 8;
  if (share < 16 * MIB) share = 16 * MIB;
  if (share > 256 * MIB) share = 256 * MIB;
  return share + 4 * MIB * workers;
}

static uint64_t key_bound(const char *text) {
  uint64_t bytes = 0;
  return pl_units_parse(PL_UNITS_SIZE, pl_strv_of(text), &bytes) == 0 ? bytes : 0;
}

// Replaces a default. The reason becomes its origin's name.
static void lower(struct pl_config *config, int key, uint64_t *member, uint64_t bytes,
                  const char *reason, struct pl_config_report *report) {
  struct pl_buf name = {0};
  char text[SIZE_TEXT];
  pl_units_format(PL_UNITS_SIZE, bytes, text, sizeof text);
  if (pl_buf_printf(&name, "lowered to %s for %s", text, reason) || pl_buf_append(&name, "", 1)) {
    pl_buf_deinit(&name);
    report->is_out_of_memory = true;
    return;
  }
  *member = bytes;
  config->origins[key].name = name.block;
}

static bool is_default(const struct pl_config *config, int key) {
  return config->origins[key].source == PL_CONFIG_DEFAULT && !config->origins[key].name;
}

static void lower_memory(struct pl_config *config, uint64_t container, unsigned workers,
                         struct pl_config_report *report) {
  uint64_t reserve = memory_reserve(container, workers);
  uint64_t share = container > reserve ? (container - reserve) / workers / 2 : 0;
  uint64_t least = key_bound(pl_config_keys[PL_CONFIG_KEY_limits_memory_bytes].min);
  uint64_t bytes = share / MIB * MIB;
  if (bytes < least) bytes = least;
  if (bytes >= config->limits_memory_bytes) return;
  char text[SIZE_TEXT], reason[64];
  pl_units_format(PL_UNITS_SIZE, container, text, sizeof text);
  snprintf(reason, sizeof reason, "the container's limit of %s", text);
  lower(config, PL_CONFIG_KEY_limits_memory_bytes, &config->limits_memory_bytes, bytes, reason,
        report);
}

static void warn_if_too_large(const struct pl_config *config, uint64_t container, unsigned workers,
                              struct pl_config_report *report) {
  uint64_t reserve = memory_reserve(container, workers), wanted = config->limits_memory_bytes;
  bool is_unbounded = wanted == PL_CONFIG_UNBOUNDED;
  uint64_t room = container > reserve ? (container - reserve) / workers : 0;
  if (!is_unbounded && wanted <= room) return;
  char limit[SIZE_TEXT], value[SIZE_TEXT], fits[SIZE_TEXT], who[48] = "";
  pl_units_format(PL_UNITS_SIZE, container, limit, sizeof limit);
  pl_units_format(PL_UNITS_SIZE, room / MIB * MIB, fits, sizeof fits);
  if (is_unbounded)
    strcpy(value, "false");
  else
    pl_units_format(PL_UNITS_SIZE, wanted, value, sizeof value);
  if (workers > 1) snprintf(who, sizeof who, " for each of %u workers", workers);
  pl_config_report_warning(report,
                           "limits.memory = %s%s does not fit the container's limit of %s (at most "
                           "%s would): the kernel may kill the server",
                           value, who, limit, fits);
}

void pl_config_fit_memory(struct pl_config *config, uint64_t container, unsigned workers,
                          struct pl_config_report *report) {
  int memory = PL_CONFIG_KEY_limits_memory_bytes,
      request = PL_CONFIG_KEY_limits_request_memory_bytes;
  if (container && is_default(config, memory)) lower_memory(config, container, workers, report);
  if (container) warn_if_too_large(config, container, workers, report);
  uint64_t *request_bytes = &config->limits_request_memory_bytes;
  if (is_default(config, request) && *request_bytes > config->limits_memory_bytes)
    lower(config, request, request_bytes, config->limits_memory_bytes, "limits.memory", report);
}
