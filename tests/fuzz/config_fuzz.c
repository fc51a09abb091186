// Any bytes as the configuration file: no crash, no endless run, and what is accepted can be shown.
#include "base/error.h"
#include "config/describe.h"
#include "config/read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *const environment[] = {"NAME=value", "PORT=8080", NULL};
  struct pl_config config;
  struct pl_config_report report = {0};
  struct pl_buf text = {0};
  if (pl_config_init(&config) < 0) abort();
  pl_config_read_text(&config, "fuzz.lua", pl_strv((const char *)data, size), environment, &report);
  if (pl_config_describe_effective(&config, &text) < 0) abort();
  pl_buf_deinit(&text);
  pl_config_report_deinit(&report);
  pl_config_deinit(&config);
  return 0;
}
