// Applies the sources of a configuration, weakest first.
#include "config/load.h"

#include "base/error.h"
#include "config/environment.h"
#include "config/read.h"

static void set_flag(struct pl_config *config, const struct pl_config_flag *flag,
                     struct pl_config_report *report) {
  int key = pl_config_find_key(flag->key);
  if (key < 0) {
    pl_config_report_unknown_key(report, flag->flag, flag->key);
  } else {
    pl_config_set(config, key, &flag->value, PL_CONFIG_FLAG, flag->flag, report);
  }
}

int pl_config_load(struct pl_config *config, const struct pl_config_sources *sources,
                   struct pl_config_report *report) {
  int rc = pl_config_init(config);
  if (rc < 0) return rc;
  if (sources->file) {
    pl_config_read_file(config, sources->file, sources->is_file_optional, sources->environment,
                        report);
  }
  pl_config_read_environment(config, sources->environment, report);
  for (size_t i = 0; i < sources->flag_count; i++) set_flag(config, &sources->flags[i], report);
  if (!report->is_out_of_memory) return report->errors == 0 ? 0 : PL_EINVAL;
  pl_config_deinit(config);
  return PL_ENOMEM;
}
