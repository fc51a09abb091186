// Finds the configuration and the app; used by the commands that need them.
#include "cli/load.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/memory_limit.h"
#include "cli/message.h"
#include "config/fit.h"
#include "config/resolve.h"
#include "worker/server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static const char default_app[] = "app.lua";
static const char default_config[] = "perilune.conf.lua";

// The configuration's path beside the app. Returns: an owned text, or NULL: out of memory.
static char *path_beside(const char *app) {
  const char *slash = app ? strrchr(app, '/') : NULL;
  size_t folder = slash ? (size_t)(slash - app) + 1 : 0;
  char *path = pl_mem_alloc(folder + sizeof default_config);
  if (!path) return NULL;
  if (folder) memcpy(path, app, folder);
  memcpy(path + folder, default_config, sizeof default_config);
  return path;
}

static void print_report(const struct pl_config_report *report) {
  for (size_t i = 0; i < report->count; i++) {
    const struct pl_config_note *note = &report->notes[i];
    if (note->is_warning) {
      pl_message_warning("%s", note->text);
    } else {
      pl_message_error("%s", note->text);
    }
  }
}

// What depends on the machine. Returns: rc; PL_ENOMEM: config needs no deinit.
static int fit(struct pl_config *config, struct pl_config_report *report, int rc) {
  unsigned workers = pl_config_workers(config, pl_cpu_usable());
  pl_config_fit_memory(config, pl_memory_limit_by_cgroup(""), workers, report);
  if (!report->is_out_of_memory) return rc;
  pl_config_deinit(config);
  return PL_ENOMEM;
}

int pl_cli_load_config(const struct pl_options *options, const char *app,
                       struct pl_config *config) {
  char *beside = path_beside(app);
  int rc = PL_ENOMEM;
  if (beside) {
    struct pl_config_sources sources = {
        .file = options->config_path ? options->config_path : beside,
        .is_file_optional = !options->config_path,
        .environment = environ,
        .flags = options->flags,
        .flag_count = options->flag_count,
    };
    struct pl_config_report report = {0};
    rc = pl_config_load(config, &sources, &report);
    if (rc != PL_ENOMEM) rc = fit(config, &report, rc);
    print_report(&report);
    pl_config_report_deinit(&report);
  }
  if (rc == PL_ENOMEM) pl_message_error("%s", pl_error_text(rc));
  pl_mem_free(beside);
  return rc;
}

int pl_cli_with_app(const struct pl_options *options, bool is_thorough,
                    int (*work)(const struct pl_server_options *server)) {
  const char *app = options->argument;
  if (!app && !options->code) {
    if (access(default_app, F_OK) < 0) {
      pl_message_error("no app: there is no app.lua here. Create it, name another file "
                       "(perilune APP.lua), or try:\n"
                       "  perilune -e 'return function(req) return \"Hello, \" .. req.path end'");
      return 1;
    }
    app = default_app;
  }
  struct pl_config config;
  int rc = pl_cli_load_config(options, app, &config);
  if (rc == PL_ENOMEM) return 1;
  int code = 1;
  if (rc == 0 || is_thorough) {
    struct pl_server_options server = {
        .config = &config, .app_path = options->code ? NULL : app, .app_code = options->code};
    code = work(&server);
  }
  pl_config_deinit(&config);
  return rc < 0 ? 1 : code;
}
