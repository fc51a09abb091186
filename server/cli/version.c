// perilune version: what this program is and what it was made of.
#include "cli/command.h"
#include "base/json_write.h"
#include "cli/message.h"
#include "cli/options.h"
#include "worker/versions.h"

static int append_json(const struct pl_version *versions, struct pl_buf *out) {
  int rc = 0;
  for (size_t i = 0; i < PL_VERSIONS && rc == 0; i++) {
    rc = pl_buf_printf(out, "%s\"%s\": ", i == 0 ? "{" : ", ", versions[i].name);
    if (rc == 0) rc = pl_json_write_string(out, pl_strv_of(versions[i].text));
  }
  return rc == 0 ? pl_buf_printf(out, "}\n") : rc;
}

static int append_text(const struct pl_version *versions, struct pl_buf *out) {
  int rc = pl_buf_printf(out, "%s %s\n", versions[0].name, versions[0].text);
  for (size_t i = 1; i < PL_VERSIONS && rc == 0; i++) {
    rc = pl_buf_printf(out, "  %-7s %s\n", versions[i].name, versions[i].text);
  }
  return rc;
}

static int print_version(const struct pl_options *options) {
  struct pl_version versions[PL_VERSIONS];
  pl_versions(versions);
  struct pl_buf text = {0};
  int rc = options->is_json ? append_json(versions, &text) : append_text(versions, &text);
  int code = pl_message_result(rc, &text);
  pl_buf_deinit(&text);
  return code;
}

const struct pl_command pl_command_version = {
    .name = "version",
    .arguments = "[--json]",
    .summary = "Print the version, the build and the versions of the libraries.",
    .options = 1u << PL_OPTION_JSON | 1u << PL_OPTION_HELP,
    .run = print_version,
};
