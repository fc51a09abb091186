// Chooses the command. The first word is one unless it ends in .lua, contains a slash or is an
// option: then the command is run.
#include "cli/cli.h"

#include "base/error.h"
#include "base/suggest.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/message.h"
#include "cli/options.h"

#include <stdbool.h>
#include <string.h>

enum { USAGE_ERROR = 2 };

static bool is_app(const char *word) {
  size_t len = strlen(word);
  return strchr(word, '/') || (len >= 4 && strcmp(word + len - 4, ".lua") == 0);
}

static const struct pl_command *find_command(const char *word) {
  for (size_t i = 0; i < PL_COMMANDS; i++) {
    if (strcmp(word, pl_commands[i]->name) == 0) return pl_commands[i];
  }
  return NULL;
}

static int refuse_command(const char *word) {
  struct pl_suggest nearest = pl_suggest_for(pl_strv_of(word));
  for (size_t i = 0; i < PL_COMMANDS; i++) pl_suggest_offer(&nearest, pl_commands[i]->name);
  if (nearest.best) {
    pl_message_error("unknown command %s: did you mean %s?", word, nearest.best);
  } else {
    pl_message_error("unknown command %s (perilune --help lists all)", word);
  }
  return USAGE_ERROR;
}

static int print_help(const struct pl_command *command) {
  struct pl_buf text = {0};
  int rc = command ? pl_help_command(command, &text) : pl_help_program(&text);
  int code = pl_message_result(rc, &text);
  pl_buf_deinit(&text);
  return code;
}

static int run_command(const struct pl_command *command, int count, char *const *words) {
  struct pl_options options;
  int rc = pl_options_parse(&options, command, count, words);
  if (rc == PL_EINVAL) return USAGE_ERROR;
  if (rc < 0) {
    pl_message_error("%s", pl_error_text(rc));
    return 1;
  }
  int code = options.is_help ? print_help(command) : command->run(&options);
  pl_options_deinit(&options);
  return code;
}

int pl_cli_main(int count, char *const *words) {
  const char *first = count > 0 ? words[0] : "";
  if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) return print_help(NULL);
  if (strcmp(first, "--version") == 0) return run_command(&pl_command_version, 0, NULL);
  if (count == 0 || first[0] == '-' || is_app(first)) {
    return run_command(&pl_command_run, count, words);
  }
  const struct pl_command *command = find_command(first);
  return command ? run_command(command, count - 1, words + 1) : refuse_command(first);
}
