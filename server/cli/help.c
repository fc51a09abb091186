// Help texts. pl_buf_printf fails only when memory is short.
#include "cli/help.h"

#include "cli/commands.h"
#include "cli/options.h"
#include "config/describe.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_WIDTH = 26, COMMAND_WIDTH = 14 };

int pl_help_program(struct pl_buf *out) {
  int rc = pl_buf_printf(out, "Perilune, a networked scripting server: handlers in Lua 5.4, one "
                              "coroutine per request.\n\n"
                              "Usage:\n"
                              "  perilune APP.lua            serve an app (the same as: run)\n"
                              "  perilune -e CODE            serve an app given as text\n"
                              "  perilune COMMAND [--help]\n\n"
                              "Commands:\n");
  for (size_t i = 0; i < PL_COMMANDS && rc == 0; i++) {
    rc = pl_buf_printf(out, "  %-*s%s\n", COMMAND_WIDTH, pl_commands[i]->name,
                       pl_commands[i]->summary);
  }
  if (rc < 0) return rc;
  return pl_buf_printf(out,
                       "\nExit codes: 0 success, 1 failure, 2 wrong usage.\n\n"
                       "For example:\n"
                       "  perilune -e 'return function(req) return \"Hello, \" .. req.path end'\n");
}

// The left column: "  -l, --listen ADDR".
static void write_option(const struct pl_option_spec *spec, char *out, size_t size) {
  char letter[] = {'-', spec->letter, ',', ' ', '\0'};
  snprintf(out, size, "  %s--%s%s%s", spec->letter ? letter : "    ", spec->name,
           spec->value ? " " : "", spec->value ? spec->value : "");
}

static int append_option(const struct pl_option_spec *spec, struct pl_buf *out) {
  char left[64];
  write_option(spec, left, sizeof left);
  int rc = 0;
  for (const char *line = spec->doc; line && rc == 0;) {
    const char *end = strchr(line, '\n');
    int len = end ? (int)(end - line) : (int)strlen(line);
    rc = pl_buf_printf(out, "%-*s %.*s\n", OPTION_WIDTH, left, len, line);
    left[0] = '\0';
    line = end ? end + 1 : NULL;
  }
  return rc;
}

int pl_help_command(const struct pl_command *command, struct pl_buf *out) {
  int rc = pl_buf_printf(out, "Usage: perilune %s %s\n\n%s\n", command->name, command->arguments,
                         command->summary);
  if (rc == 0 && command->help) rc = pl_buf_printf(out, "\n%s", command->help);
  if (rc == 0) rc = pl_buf_printf(out, "\nOptions:\n");
  for (size_t i = 0; i < PL_OPTIONS && rc == 0; i++) {
    if (command->options & 1u << i) rc = append_option(&pl_option_specs[i], out);
  }
  if (rc < 0 || !command->lists_keys) return rc;
  rc = pl_buf_printf(out, "\nKeys, their defaults and environment variables:\n");
  return rc == 0 ? pl_config_describe_keys(out) : rc;
}
