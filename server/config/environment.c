// The environment's part of the configuration; see environment.h for its rules.
#include "config/environment.h"

#include "base/suggest.h"

#include <stdio.h>

enum { NAME_BYTES = 64 };

const char *pl_config_environment_find(char *const *environment, const char *name) {
  size_t len = strlen(name);
  for (; environment && *environment; environment++) {
    const char *entry = *environment;
    if (strncmp(entry, name, len) != 0 || entry[len] != '=') continue;
    return entry[len + 1] ? entry + len + 1 : NULL;
  }
  return NULL;
}

static void set_key(struct pl_config *config, int key, const char *variable,
                    enum pl_config_form form, struct pl_strv value,
                    struct pl_config_report *report) {
  struct pl_config_input input = {form, &value, 1};
  pl_config_set(config, key, &input, PL_CONFIG_ENVIRONMENT, variable, report);
}

static void read_port(struct pl_config *config, char *const *environment,
                      struct pl_config_report *report) {
  const char *port = pl_config_environment_find(environment, "PORT");
  if (!port) return;
  struct pl_buf address = {0};
  if (pl_buf_printf(&address, "0.0.0.0:%s", port) < 0) {
    report->is_out_of_memory = true;
  } else {
    set_key(config, PL_CONFIG_KEY_listen, "PORT", PL_CONFIG_FORM_STRING, pl_buf_view(&address),
            report);
  }
  pl_buf_deinit(&address);
}

static bool has_prefix(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void check_name(struct pl_strv name, char names[][NAME_BYTES],
                       struct pl_config_report *report) {
  struct pl_suggest nearest = pl_suggest_for(name);
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    if (pl_strv_eq(name, pl_strv_of(names[key]))) return;
    pl_suggest_offer(&nearest, names[key]);
  }
  if (nearest.best) {
    pl_config_report_warning(report, "unknown variable %.*s: did you mean %s?", (int)name.len,
                             name.data, nearest.best);
  } else {
    pl_config_report_warning(report, "unknown variable %.*s", (int)name.len, name.data);
  }
}

void pl_config_read_environment(struct pl_config *config, char *const *environment,
                                struct pl_config_report *report) {
  char names[PL_CONFIG_KEYS][NAME_BYTES];
  read_port(config, environment, report);
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    pl_config_environment_name(&pl_config_keys[key], names[key], NAME_BYTES);
    const char *value = pl_config_environment_find(environment, names[key]);
    if (!value) continue;
    set_key(config, key, names[key], PL_CONFIG_FORM_TEXT, pl_strv_of(value), report);
  }
  for (; environment && *environment; environment++) {
    const char *entry = *environment;
    bool is_ours = has_prefix(entry, "PERILUNE_") && !has_prefix(entry, "PERILUNE_PORT") &&
                   !has_prefix(entry, "PERILUNE_SERVICE_");
    if (is_ours) check_name(pl_strv(entry, strcspn(entry, "=")), names, report);
  }
}
