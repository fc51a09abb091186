// Parses the words behind a command: --name VALUE, --name=VALUE, -n VALUE, -nVALUE.
//
// Each -l, -w and --set becomes one flag of config/load.h; all -l together are one list, the first
// of the flags. There cannot be more of them than words, so their arrays are made once.
#include "cli/options.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/message.h"
#include "config/units.h"

#include <string.h>

const struct pl_option_spec pl_option_specs[PL_OPTIONS] = {
    [PL_OPTION_LISTEN] = {"listen", 'l', "ADDR",
                          "serve this address: 8080, 127.0.0.1:8080, [::1]:8080 or\n"
                          "unix:/run/app.sock; may be repeated"},
    [PL_OPTION_WORKERS] = {"workers", 'w', "N|auto",
                           "threads that serve; auto: as many as there are usable CPUs"},
    [PL_OPTION_CONFIG] = {"config", 'c', "FILE",
                          "the configuration (default: perilune.conf.lua beside the app)"},
    [PL_OPTION_EVAL] = {"eval", 'e', "CODE", "the app as text instead of a file"},
    [PL_OPTION_SET] = {"set", 0, "KEY=VALUE",
                       "set a key of the configuration; may be repeated;\n"
                       "perilune config --help lists the keys"},
    [PL_OPTION_DEFAULT] = {"default", 0, NULL, "print the default configuration file"},
    [PL_OPTION_TIMEOUT] = {"timeout", 0, "TIME", "give up after this time (default: 2s)"},
    [PL_OPTION_JSON] = {"json", 0, NULL, "print JSON"},
    [PL_OPTION_HELP] = {"help", 'h', NULL, "show this text"},
};

struct parser {
  struct pl_options *options;
  const struct pl_command *command;
  size_t value_count;      ///< of options->values: those of -w and --set
  struct pl_strv *listen;  ///< where the values of -l stand
  char *const *next;       ///< the next word
  char *const *end;
};

static bool takes(const struct pl_command *command, enum pl_option option) {
  return command->options & 1u << option;
}

static int find_by_name(const struct pl_command *command, struct pl_strv name) {
  for (int i = 0; i < PL_OPTIONS; i++) {
    if (takes(command, i) && pl_strv_eq(name, pl_strv_of(pl_option_specs[i].name))) return i;
  }
  return -1;
}

static int find_by_letter(const struct pl_command *command, char letter) {
  for (int i = 0; i < PL_OPTIONS; i++) {
    if (takes(command, i) && pl_option_specs[i].letter == letter) return i;
  }
  return -1;
}

static int refuse_option(const struct parser *p, struct pl_strv name, const char *word) {
  struct pl_suggest nearest = pl_suggest_for(name);
  for (int i = 0; i < PL_OPTIONS; i++) {
    if (takes(p->command, i)) pl_suggest_offer(&nearest, pl_option_specs[i].name);
  }
  const char *command = p->command->name;
  if (nearest.best) {
    pl_message_error("%s: unknown option %s: did you mean --%s?", command, word, nearest.best);
  } else {
    pl_message_error("%s: unknown option %s (perilune %s --help lists all)", command, word,
                     command);
  }
  return PL_EINVAL;
}

static void add_flag(struct parser *p, const char *flag, struct pl_strv key, struct pl_strv value) {
  struct pl_strv *item = &p->options->values[p->value_count++];
  *item = value;
  p->options->flags[p->options->flag_count++] =
      (struct pl_config_flag){flag, key, {PL_CONFIG_FORM_TEXT, item, 1}};
}

static int take_set(struct parser *p, const char *text) {
  const char *equals = strchr(text, '=');
  if (!equals || equals == text) {
    pl_message_error("--set %s: KEY=VALUE is expected, as in --set limits.body=64m", text);
    return PL_EINVAL;
  }
  add_flag(p, "--set", pl_strv(text, (size_t)(equals - text)), pl_strv_of(equals + 1));
  return 0;
}

static int take_timeout(struct pl_options *options, const char *text) {
  uint64_t ms;
  int rc = pl_units_parse(PL_UNITS_TIME, pl_strv_of(text), &ms);
  bool is_time = rc == 0 && ms >= 1 && ms <= 3600 * 1000;
  if (!is_time) {
    pl_message_error("--timeout %s: a time from 1ms to 1h is expected (500ms, 2s)", text);
    return PL_EINVAL;
  }
  options->timeout_ms = ms;
  return 0;
}

static void take_listen(struct parser *p, const char *address) {
  struct pl_config_flag *listen = &p->options->listen;
  p->listen[listen->value.count++] = pl_strv_of(address);
  *listen = (struct pl_config_flag){
      "--listen", PL_STRV("listen"), {PL_CONFIG_FORM_LIST, p->listen, listen->value.count}};
}

static int take_option(struct parser *p, enum pl_option option, const char *value) {
  struct pl_options *options = p->options;
  switch (option) {
  case PL_OPTION_LISTEN:
    take_listen(p, value);
    return 0;
  case PL_OPTION_WORKERS:
    add_flag(p, "--workers", PL_STRV("workers"), pl_strv_of(value));
    return 0;
  case PL_OPTION_CONFIG:
    options->config_path = value;
    return 0;
  case PL_OPTION_EVAL:
    options->code = value;
    return 0;
  case PL_OPTION_SET:
    return take_set(p, value);
  case PL_OPTION_DEFAULT:
    options->is_default = true;
    return 0;
  case PL_OPTION_TIMEOUT:
    return take_timeout(options, value);
  case PL_OPTION_JSON:
    options->is_json = true;
    return 0;
  case PL_OPTION_HELP:
    options->is_help = true;
    return 0;
  case PL_OPTIONS:
    break;
  }
  return PL_EINVAL;
}

// @param value what stood in the same word, or NULL
static int take_with_value(struct parser *p, enum pl_option option, const char *value) {
  const struct pl_option_spec *spec = &pl_option_specs[option];
  if (!spec->value && value) {
    pl_message_error("--%s takes no value", spec->name);
    return PL_EINVAL;
  }
  if (spec->value && !value) {
    if (p->next == p->end) {
      pl_message_error("--%s: %s is missing", spec->name, spec->value);
      return PL_EINVAL;
    }
    value = *p->next++;
  }
  return take_option(p, option, value);
}

static int take_word(struct parser *p, const char *word) {
  if (word[0] != '-' || word[1] == '\0') {
    if (p->command->argument && !p->options->argument) {
      p->options->argument = word;
      return 0;
    }
    pl_message_error("%s: unexpected argument %s", p->command->name, word);
    return PL_EINVAL;
  }
  if (word[1] != '-') {
    int option = find_by_letter(p->command, word[1]);
    if (option < 0) return refuse_option(p, pl_strv_of(word + 1), word);
    return take_with_value(p, option, word[2] ? word + 2 : NULL);
  }
  struct pl_strv name = pl_strv(word + 2, strcspn(word + 2, "="));
  int option = find_by_name(p->command, name);
  if (option < 0) return refuse_option(p, name, word);
  return take_with_value(p, option, name.data[name.len] ? name.data + name.len + 1 : NULL);
}

static int take_words(struct parser *p) {
  bool has_options = true;
  while (p->next < p->end) {
    const char *word = *p->next++;
    int rc = 0;
    if (has_options && strcmp(word, "--") == 0) {
      has_options = false;
    } else if (!has_options && p->command->argument && !p->options->argument) {
      p->options->argument = word;
    } else {
      rc = take_word(p, word);
    }
    if (rc < 0) return rc;
  }
  if (p->options->code && p->options->argument) {
    pl_message_error("give an app or -e CODE, not both");
    return PL_EINVAL;
  }
  return 0;
}

int pl_options_parse(struct pl_options *options, const struct pl_command *command, int count,
                     char *const *words) {
  size_t most = (size_t)count + 1;
  *options = (struct pl_options){
      .flags = pl_mem_alloc(most * sizeof *options->flags),
      .values = pl_mem_alloc(2 * most * sizeof *options->values),
  };
  int rc = options->flags && options->values ? 0 : PL_ENOMEM;
  if (rc == 0) {
    struct parser p = {
        .options = options,
        .command = command,
        .listen = options->values + most,
        .next = words,
        .end = words + count,
    };
    rc = take_words(&p);
    if (rc == 0 && options->listen.value.count > 0) {
      options->flags[options->flag_count++] = options->listen;
    }
  }
  if (rc < 0) pl_options_deinit(options);
  return rc;
}

void pl_options_deinit(struct pl_options *options) {
  pl_mem_free(options->flags);
  pl_mem_free(options->values);
  *options = (struct pl_options){0};
}
