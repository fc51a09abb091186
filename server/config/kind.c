// Kinds with one value: numbers, booleans, texts, words of a list. The kinds with many values are
// in kind_list.c.
//
// A file may give a number as a string too, because env("NAME", 8080) does.
#include "config/kind.h"

#include "base/error.h"
#include "base/mem.h"
#include "config/units.h"

static bool is_word(const struct pl_config_input *input, const char *word) {
  return input->form != PL_CONFIG_FORM_LIST && pl_strv_eq(input->items[0], pl_strv_of(word));
}

// `false` in a file, "false" in the environment; a file's string "false" is a text.
static bool is_none(const struct pl_config_input *input) {
  bool can_be = input->form == PL_CONFIG_FORM_BOOLEAN || input->form == PL_CONFIG_FORM_TEXT;
  return can_be && is_word(input, "false");
}

static int append(struct pl_buf *out, const char *text) {
  return pl_buf_append(out, text, strlen(text));
}

int pl_config_quote(struct pl_strv text, struct pl_buf *out) {
  int rc = append(out, "\"");
  for (size_t i = 0; i < text.len && rc == 0; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c < ' ' || c == 0x7f) {
      rc = pl_buf_printf(out, "\\x%02x", c);
    } else if (c == '"' || c == '\\') {
      rc = pl_buf_printf(out, "\\%c", c);
    } else {
      rc = pl_buf_append(out, &c, 1);
    }
  }
  return rc == 0 ? append(out, "\"") : rc;
}

// --- numbers -------------------------------------------------------------------------------------

static int parse_number(enum pl_units units, const struct pl_config_key *key,
                        const struct pl_config_input *input, void *member) {
  bool can_be = input->form == PL_CONFIG_FORM_TEXT || input->form == PL_CONFIG_FORM_STRING ||
                input->form == PL_CONFIG_FORM_NUMBER;
  if (!can_be) return PL_EINVAL;
  uint64_t value, min, max;
  int rc = pl_units_parse(units, input->items[0], &value);
  if (rc == 0) rc = pl_units_parse(units, pl_strv_of(key->min), &min);
  if (rc == 0) rc = pl_units_parse(units, pl_strv_of(key->max), &max);
  if (rc < 0) return rc;
  if (value < min || value > max) return PL_ELIMIT;
  *(uint64_t *)member = value;
  return 0;
}

static int format_number(enum pl_units units, uint64_t value, struct pl_buf *out) {
  char text[32];
  pl_units_format(units, value, text, sizeof text);
  bool is_bare = text[strspn(text, "0123456789")] == '\0';
  return pl_buf_printf(out, is_bare ? "%s" : "\"%s\"", text);
}

static int parse_count(const struct pl_config_key *key, const struct pl_config_input *input,
                       void *member, struct pl_config_complaint *complaint) {
  (void)complaint;
  return parse_number(PL_UNITS_COUNT, key, input, member);
}

static int format_count(const struct pl_config_key *key, const void *member, struct pl_buf *out) {
  (void)key;
  return format_number(PL_UNITS_COUNT, *(const uint64_t *)member, out);
}

static int parse_count_or_auto(const struct pl_config_key *key, const struct pl_config_input *input,
                               void *member, struct pl_config_complaint *complaint) {
  if (!is_word(input, "auto")) return parse_count(key, input, member, complaint);
  *(uint64_t *)member = PL_CONFIG_AUTO;
  return 0;
}

static int format_count_or_auto(const struct pl_config_key *key, const void *member,
                                struct pl_buf *out) {
  bool is_auto = *(const uint64_t *)member == PL_CONFIG_AUTO;
  return is_auto ? append(out, "\"auto\"") : format_count(key, member, out);
}

static int parse_size(const struct pl_config_key *key, const struct pl_config_input *input,
                      void *member, struct pl_config_complaint *complaint) {
  (void)complaint;
  return parse_number(PL_UNITS_SIZE, key, input, member);
}

static int format_size(const struct pl_config_key *key, const void *member, struct pl_buf *out) {
  (void)key;
  return format_number(PL_UNITS_SIZE, *(const uint64_t *)member, out);
}

static int parse_size_or_none(const struct pl_config_key *key, const struct pl_config_input *input,
                              void *member, struct pl_config_complaint *complaint) {
  if (!is_none(input)) return parse_size(key, input, member, complaint);
  *(uint64_t *)member = PL_CONFIG_UNBOUNDED;
  return 0;
}

static int format_size_or_none(const struct pl_config_key *key, const void *member,
                               struct pl_buf *out) {
  bool is_unbounded = *(const uint64_t *)member == PL_CONFIG_UNBOUNDED;
  return is_unbounded ? append(out, "false") : format_size(key, member, out);
}

static int parse_time_or_none(const struct pl_config_key *key, const struct pl_config_input *input,
                              void *member, struct pl_config_complaint *complaint) {
  (void)complaint;
  if (!is_none(input)) return parse_number(PL_UNITS_TIME, key, input, member);
  *(uint64_t *)member = 0;
  return 0;
}

static int format_time_or_none(const struct pl_config_key *key, const void *member,
                               struct pl_buf *out) {
  (void)key;
  uint64_t ms = *(const uint64_t *)member;
  return ms == 0 ? append(out, "false") : format_number(PL_UNITS_TIME, ms, out);
}

// --- booleans, texts, words ----------------------------------------------------------------------

static int parse_boolean(const struct pl_config_key *key, const struct pl_config_input *input,
                         void *member, struct pl_config_complaint *complaint) {
  (void)key;
  (void)complaint;
  bool is_true = is_word(input, "true");
  if (!is_true && !is_word(input, "false")) return PL_EINVAL;
  *(bool *)member = is_true;
  return 0;
}

static int format_boolean(const struct pl_config_key *key, const void *member, struct pl_buf *out) {
  (void)key;
  return append(out, *(const bool *)member ? "true" : "false");
}

static void clear_text(void *member) {
  char **text = member;
  pl_mem_free(*text);
  *text = NULL;
}

// Control bytes have no place in a header field nor in a path.
static bool is_printable(struct pl_strv text) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c < ' ' || c == 0x7f) return false;
  }
  return true;
}

static int parse_text_or_none(const struct pl_config_key *key, const struct pl_config_input *input,
                              void *member, struct pl_config_complaint *complaint) {
  (void)complaint;
  if (is_none(input)) {
    clear_text(member);
    return 0;
  }
  bool can_be = input->form == PL_CONFIG_FORM_TEXT || input->form == PL_CONFIG_FORM_STRING;
  if (!can_be || !is_printable(input->items[0])) return PL_EINVAL;
  struct pl_strv text = input->items[0];
  uint64_t min, max;
  int rc = pl_units_parse(PL_UNITS_COUNT, pl_strv_of(key->min), &min);
  if (rc == 0) rc = pl_units_parse(PL_UNITS_COUNT, pl_strv_of(key->max), &max);
  if (rc < 0) return rc;
  if (text.len < min || text.len > max) return PL_ELIMIT;
  char *copy = pl_mem_alloc(text.len + 1);
  if (!copy) return PL_ENOMEM;
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  clear_text(member);
  *(char **)member = copy;
  return 0;
}

static int format_text_or_none(const struct pl_config_key *key, const void *member,
                               struct pl_buf *out) {
  (void)key;
  const char *text = *(char *const *)member;
  return text ? pl_config_quote(pl_strv_of(text), out) : append(out, "false");
}

// The word at the front of "a|b|c".
static struct pl_strv first_word(const char *words) {
  return pl_strv(words, strcspn(words, "|"));
}

static const char *skip_word(const char *words) {
  words += strcspn(words, "|");
  return *words ? words + 1 : words;
}

static int parse_choice(const struct pl_config_key *key, const struct pl_config_input *input,
                        void *member, struct pl_config_complaint *complaint) {
  (void)complaint;
  bool can_be = input->form == PL_CONFIG_FORM_TEXT || input->form == PL_CONFIG_FORM_STRING;
  if (!can_be) return PL_EINVAL;
  unsigned place = 0;
  for (const char *words = key->min; *words; words = skip_word(words), place++) {
    if (!pl_strv_eq(first_word(words), input->items[0])) continue;
    *(unsigned *)member = place;
    return 0;
  }
  return PL_EINVAL;
}

static int format_choice(const struct pl_config_key *key, const void *member, struct pl_buf *out) {
  const char *words = key->min;
  for (unsigned place = *(const unsigned *)member; place > 0; place--) words = skip_word(words);
  return pl_config_quote(first_word(words), out);
}

// --- the kinds -----------------------------------------------------------------------------------

const struct pl_config_kind pl_config_kind_COUNT = {
    .expected = "a whole number is expected",
    .parse = parse_count,
    .format = format_count,
};
const struct pl_config_kind pl_config_kind_COUNT_OR_AUTO = {
    .expected = "a whole number or \"auto\" is expected",
    .parse = parse_count_or_auto,
    .format = format_count_or_auto,
};
const struct pl_config_kind pl_config_kind_SIZE = {
    .expected = "a size is expected (64k, 8m, 2g)",
    .parse = parse_size,
    .format = format_size,
};
const struct pl_config_kind pl_config_kind_SIZE_OR_NONE = {
    .expected = "a size is expected (64k, 8m, 2g; false = none)",
    .parse = parse_size_or_none,
    .format = format_size_or_none,
};
const struct pl_config_kind pl_config_kind_TIME_OR_NONE = {
    .expected = "a time is expected (250ms, 10s, 2m, 24h; false = none)",
    .parse = parse_time_or_none,
    .format = format_time_or_none,
};
const struct pl_config_kind pl_config_kind_BOOLEAN = {
    .expected = "true or false is expected",
    .parse = parse_boolean,
    .format = format_boolean,
};
const struct pl_config_kind pl_config_kind_TEXT_OR_NONE = {
    .expected = "a text without control characters is expected (false = none)",
    .unit = " bytes",
    .parse = parse_text_or_none,
    .format = format_text_or_none,
    .clear = clear_text,
};
const struct pl_config_kind pl_config_kind_CHOICE = {
    .expected = "one of these is expected: ",
    .lists_words = true,
    .parse = parse_choice,
    .format = format_choice,
};
