// A recursive-descent reader without look-ahead: each part is known by its first byte.
#include "geometry/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

// Where the reader stands. The first problem stops everything.
struct reader {
  struct pl_strv text;
  size_t at;
  char *problem;
};

// Returns: code, for `return fail(...)`. The column is that of the byte at `at`.
__attribute__((format(printf, 4, 5))) static int fail(struct reader *r, int code, size_t at,
                                                      const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(r->problem, PL_SCHEMA_PROBLEM_MAX, format, args);
  va_end(args);
  if (n >= 0 && n < PL_SCHEMA_PROBLEM_MAX)
    snprintf(r->problem + n, (size_t)(PL_SCHEMA_PROBLEM_MAX - n), ", column %zu", at + 1);
  return code;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// The byte at the reader, or NUL at the end. (A NUL in the text is never what is looked for.)
static char peek(const struct reader *r) {
  return r->at < r->text.len ? r->text.data[r->at] : '\0';
}

static bool take(struct reader *r, char c) {
  if (peek(r) != c || r->at >= r->text.len) return false;
  r->at++;
  return true;
}

static bool take_word(struct reader *r, struct pl_strv word) {
  if (r->text.len - r->at < word.len || memcmp(r->text.data + r->at, word.data, word.len) != 0)
    return false;
  r->at += word.len;
  return true;
}

static void skip_spaces(struct reader *r) {
  while (r->at < r->text.len && is_space(r->text.data[r->at])) r->at++;
}

bool pl_schema_is_name(struct pl_strv text) {
  if (text.len == 0 || text.len > PL_SCHEMA_NAME_MAX || !is_letter(text.data[0])) return false;
  for (size_t i = 1; i < text.len; i++)
    if (!is_letter(text.data[i]) && !is_digit(text.data[i])) return false;
  return true;
}

// @param what "a field's name", "a type"
static int read_name(struct reader *r, const char *what, struct pl_strv *name) {
  size_t from = r->at;
  if (!is_letter(peek(r))) {
    if (r->at >= r->text.len) return fail(r, PL_ESYNTAX, from, "%s is missing at the end", what);
    unsigned char c = (unsigned char)peek(r);
    if (c > ' ' && c < 0x7f) return fail(r, PL_ESYNTAX, from, "%s was expected, not '%c'", what, c);
    return fail(r, PL_ESYNTAX, from, "%s was expected, not the byte 0x%02x", what, c);
  }
  while (is_letter(peek(r)) || is_digit(peek(r))) r->at++;
  *name = pl_strv(r->text.data + from, r->at - from);
  if (name->len > PL_SCHEMA_NAME_MAX)
    return fail(r, PL_ELIMIT, from, "%s has more than %d letters", what, PL_SCHEMA_NAME_MAX);
  return 0;
}

static int read_number(struct reader *r, const char *what, int64_t least, int64_t *out) {
  size_t from = r->at;
  int64_t value = 0;
  while (is_digit(peek(r)) && value <= PL_SCHEMA_COUNT_MAX) {
    value = value * 10 + (peek(r) - '0');
    r->at++;
  }
  if (r->at == from) return fail(r, PL_ESYNTAX, from, "%s is a number", what);
  if (value < least || value > PL_SCHEMA_COUNT_MAX)
    return fail(r, PL_ELIMIT, from, "%s is from %" PRId64 " to %d", what, least,
                PL_SCHEMA_COUNT_MAX);
  *out = value;
  return 0;
}

// "[8]", behind the bracket.
static int read_count(struct reader *r, struct pl_schema_type *type) {
  int64_t count = 0;
  if (type->count) return fail(r, PL_ESYNTAX, r->at - 1, "an array has one length");
  int err = read_number(r, "an array's length", 1, &count);
  if (err) return err;
  if (!take(r, ']')) return fail(r, PL_ESYNTAX, r->at, "']' is missing behind an array's length");
  type->count = (uint32_t)count;
  return 0;
}

static int read_type(struct reader *r, struct pl_schema_type *type) {
  *type = (struct pl_schema_type){.count = 0};
  int err = read_name(r, "a type", &type->name);
  while (!err) {
    size_t from = r->at;
    if (take(r, '[')) {
      err = read_count(r, type);
    } else if (take(r, '(')) {
      if (type->is_finite) return fail(r, PL_ESYNTAX, from, "'(finite)' stands twice");
      if (!take_word(r, PL_STRV("finite)")))
        return fail(r, PL_ESYNTAX, from, "behind a type only '(finite)' may stand in brackets");
      type->is_finite = true;
    } else {
      break;
    }
  }
  return err;
}

static bool is_at_end_of_field(const struct reader *r) {
  return r->at >= r->text.len || is_space(r->text.data[r->at]);
}

static int read_align(struct reader *r, struct pl_schema *schema) {
  size_t from = r->at;
  int64_t align = 0;
  if (schema->align != PL_SCHEMA_ALIGN_UNSAID)
    return fail(r, PL_ESYNTAX, from, "'align=' stands twice");
  if (!take_word(r, PL_STRV("natural"))) {
    int err = read_number(r, "an alignment", 1, &align);
    if (err) return err;
    if (align != 1 && align != 4 && align != 8 && align != 16)
      return fail(r, PL_ESYNTAX, from, "an alignment is natural, 1, 4, 8 or 16");
  }
  if (!is_at_end_of_field(r))
    return fail(r, PL_ESYNTAX, r->at, "white space was expected behind an alignment");
  schema->align = (int)align;
  return 0;
}

static int read_size(struct reader *r, struct pl_schema *schema) {
  size_t from = r->at;
  int64_t size = 0;
  if (schema->size) return fail(r, PL_ESYNTAX, from, "'size=' stands twice");
  int err = read_number(r, "a size", 1, &size);
  if (err) return err;
  if (!is_at_end_of_field(r))
    return fail(r, PL_ESYNTAX, r->at, "white space was expected behind a size");
  schema->size = (uint32_t)size;
  return 0;
}

static int read_field(struct reader *r, struct pl_schema_field *field) {
  size_t from = r->at;
  *field = (struct pl_schema_field){.offset = -1};
  int err = read_name(r, "a field's name", &field->name);
  if (err) return err;
  if (!take(r, ':'))
    return fail(r, PL_ESYNTAX, from, "'%.*s' has no type: write name:type", (int)field->name.len,
                field->name.data);
  field->column = (unsigned)r->at + 1;
  err = read_type(r, &field->type);
  if (!err && take(r, '@')) err = read_number(r, "an offset", 0, &field->offset);
  if (err) return err;
  if (!is_at_end_of_field(r))
    return fail(r, PL_ESYNTAX, r->at, "white space was expected behind the field '%.*s'",
                (int)field->name.len, field->name.data);
  return 0;
}

static int parse_fields(struct reader *r, struct pl_schema *schema) {
  int err = 0;
  for (skip_spaces(r); !err && r->at < r->text.len; skip_spaces(r)) {
    if (take_word(r, PL_STRV("align="))) {
      err = read_align(r, schema);
    } else if (take_word(r, PL_STRV("size="))) {
      err = read_size(r, schema);
    } else if (schema->count == PL_SCHEMA_FIELDS_MAX) {
      err = fail(r, PL_ELIMIT, r->at, "a struct has at most %d fields", PL_SCHEMA_FIELDS_MAX);
    } else {
      err = read_field(r, &schema->fields[schema->count]);
      schema->count += !err;
    }
  }
  return err;
}

int pl_schema_parse(struct pl_strv text, struct pl_schema *schema,
                    char problem[PL_SCHEMA_PROBLEM_MAX]) {
  struct reader r = {.text = text, .problem = problem};
  schema->count = schema->tail = schema->size = 0;
  schema->align = PL_SCHEMA_ALIGN_UNSAID;
  return parse_fields(&r, schema);
}

int pl_schema_parse_type(struct pl_strv text, struct pl_schema_type *type,
                         char problem[PL_SCHEMA_PROBLEM_MAX]) {
  struct reader r = {.text = text, .problem = problem};
  int err = read_type(&r, type);
  if (err || r.at == text.len) return err;
  if (peek(&r) == '@')
    return fail(&r, PL_ESYNTAX, r.at, "an offset stands beside the type, not in it");
  return fail(&r, PL_ESYNTAX, r.at, "something stands behind the type");
}
