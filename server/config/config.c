// The table of keys, expanded from config.def, and everything that works on one key at a time.
#include "config/config.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "config/kind.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

enum { LONGEST_SHOWN_VALUE = 60 };

const struct pl_config_key pl_config_keys[PL_CONFIG_KEYS] = {
#define X(field, key, kind, standard, min, max, doc) \
  {key, &pl_config_kind_##kind, offsetof(struct pl_config, field), standard, min, max, doc},
#include "config/config.def"
#undef X
};

static void *member_of(struct pl_config *config, int key) {
  return (char *)config + pl_config_keys[key].offset;
}

int pl_config_init(struct pl_config *config) {
  memset(config, 0, sizeof *config);
  struct pl_config_report report = {0};
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    struct pl_strv standard = pl_strv_of(pl_config_keys[key].standard);
    struct pl_config_input input = {PL_CONFIG_FORM_TEXT, &standard, 1};
    pl_config_set(config, key, &input, PL_CONFIG_DEFAULT, NULL, &report);
  }
  bool is_out_of_memory = report.is_out_of_memory;
  assert(is_out_of_memory || report.errors == 0);  // a row whose default is out of its own bounds
  pl_config_report_deinit(&report);
  if (is_out_of_memory) pl_config_deinit(config);
  return is_out_of_memory ? PL_ENOMEM : 0;
}

void pl_config_deinit(struct pl_config *config) {
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    const struct pl_config_kind *kind = pl_config_keys[key].kind;
    if (kind->clear) kind->clear(member_of(config, key));
    pl_mem_free(config->origins[key].name);
    config->origins[key] = (struct pl_config_origin){0};
  }
}

int pl_config_find_key(struct pl_strv name) {
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    if (pl_strv_eq(name, pl_strv_of(pl_config_keys[key].name))) return key;
  }
  return -1;
}

// A value as its author wrote it, shortened.
static int show_item(enum pl_config_form form, struct pl_strv item, struct pl_buf *out) {
  if (form == PL_CONFIG_FORM_OTHER) {
    return pl_buf_printf(out, "<%.*s>", (int)item.len, item.data);
  }
  bool is_long = item.len > LONGEST_SHOWN_VALUE;
  if (is_long) item.len = LONGEST_SHOWN_VALUE;
  bool is_bare = form == PL_CONFIG_FORM_NUMBER || form == PL_CONFIG_FORM_BOOLEAN;
  int rc = is_bare ? pl_buf_append(out, item.data, item.len) : pl_config_quote(item, out);
  return rc == 0 && is_long ? pl_buf_append(out, "...", 3) : rc;
}

static int show_input(const struct pl_config_input *input, struct pl_strv culprit,
                      struct pl_buf *out) {
  if (culprit.data) return show_item(PL_CONFIG_FORM_STRING, culprit, out);
  if (input->form != PL_CONFIG_FORM_LIST) return show_item(input->form, input->items[0], out);
  const char *plural = input->count == 1 ? "" : "s";
  return pl_buf_printf(out, "<a list of %zu value%s>", input->count, plural);
}

// Appends `limits.body = "10s": a size is expected (64k, 8m, 2g)`.
static int explain(const struct pl_config_key *key, const struct pl_config_input *input,
                   const struct pl_config_complaint *complaint, int reason, struct pl_buf *out) {
  int rc = pl_buf_printf(out, "%s = ", key->name);
  if (rc == 0) rc = show_input(input, complaint->culprit, out);
  if (rc < 0) return rc;
  const struct pl_config_kind *kind = key->kind;
  if (reason == PL_ELIMIT) {
    return pl_buf_printf(out, ": out of bounds: %s to %s%s", key->min, key->max,
                         kind->unit ? kind->unit : "");
  }
  if (*complaint->reason) return pl_buf_printf(out, ": %s", complaint->reason);
  return pl_buf_printf(out, ": %s%s", kind->expected, kind->lists_words ? key->min : "");
}

static void report_refused(const struct pl_config_key *key, const struct pl_config_input *input,
                           const struct pl_config_complaint *complaint, int reason,
                           const char *where, struct pl_config_report *report) {
  struct pl_buf text = {0};
  if (explain(key, input, complaint, reason, &text) < 0) {
    report->is_out_of_memory = true;
  } else {
    pl_config_report_error(report, "%s: %.*s", where ? where : "config.def", (int)pl_buf_len(&text),
                           pl_buf_view(&text).data);
  }
  pl_buf_deinit(&text);
}

static char *copy_text(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = pl_mem_alloc(size);
  if (copy) memcpy(copy, text, size);
  return copy;
}

void pl_config_set(struct pl_config *config, int key, const struct pl_config_input *input,
                   enum pl_config_source source, const char *where,
                   struct pl_config_report *report) {
  const struct pl_config_key *row = &pl_config_keys[key];
  char *name = where ? copy_text(where) : NULL;
  struct pl_config_complaint complaint = {0};
  int rc =
      where && !name ? PL_ENOMEM : row->kind->parse(row, input, member_of(config, key), &complaint);
  if (rc == 0) {
    pl_mem_free(config->origins[key].name);
    config->origins[key] = (struct pl_config_origin){source, name};
    return;
  }
  pl_mem_free(name);
  if (rc == PL_ENOMEM) {
    report->is_out_of_memory = true;
  } else {
    report_refused(row, input, &complaint, rc, where, report);
  }
}

void pl_config_report_unknown_key(struct pl_config_report *report, const char *where,
                                  struct pl_strv name) {
  struct pl_suggest nearest = pl_suggest_for(name);
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    pl_suggest_offer(&nearest, pl_config_keys[key].name);
  }
  struct pl_buf quoted = {0};
  if (pl_config_quote(name, &quoted) < 0) {
    report->is_out_of_memory = true;
  } else if (nearest.best) {
    pl_config_report_error(report, "%s: unknown key %.*s: did you mean \"%s\"?", where,
                           (int)pl_buf_len(&quoted), pl_buf_view(&quoted).data, nearest.best);
  } else {
    pl_config_report_error(report, "%s: unknown key %.*s (perilune config --help lists all)", where,
                           (int)pl_buf_len(&quoted), pl_buf_view(&quoted).data);
  }
  pl_buf_deinit(&quoted);
}

void pl_config_environment_name(const struct pl_config_key *key, char *out, size_t size) {
  snprintf(out, size, "PERILUNE_%s", key->name);
  for (char *c = out; *c; c++) *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

int pl_config_format(const struct pl_config *config, int key, struct pl_buf *out) {
  const struct pl_config_key *row = &pl_config_keys[key];
  return row->kind->format(row, (const char *)config + row->offset, out);
}
