// One letter after the other; each is a field, padding, or refused.
#include "geometry/pack_format.h"

#include <stdio.h>

#include "base/error.h"

// The letters without a number: what type each is, or why it cannot be in a struct.
static const struct code {
  char letter;
  struct pl_strv type;
  const char *refused;
} codes[] = {
    {'b', {"i8", 2}, NULL},
    {'B', {"u8", 2}, NULL},
    {'f', {"f32", 3}, NULL},
    {'d', {"f64", 3}, NULL},
    {'h', {0}, "has the size of this machine's short: write i2"},
    {'H', {0}, "has the size of this machine's short: write I2"},
    {'l', {0}, "has the size of this machine's long: write i8"},
    {'L', {0}, "has the size of this machine's long: write I8"},
    {'j', {0}, "has the size of this machine's Lua integer: write i8"},
    {'J', {0}, "has the size of this machine's Lua integer: write I8"},
    {'T', {0}, "has the size of this machine's size_t: write I8"},
    {'n', {0}, "has the size of this machine's Lua number: write d"},
    {'s', {0}, "has no fixed size"},
    {'z', {0}, "has no fixed size"},
    {'X', {0}, "aligns, which a struct does with align= or @offset"},
    {'!', {0}, "aligns, which a struct does with align= or @offset"},
    {'>', {0}, "is big-endian; structs are little-endian: write <"},
    {'=', {0}, "has the byte order of this machine; structs are little-endian: write <"},
};

struct reader {
  struct pl_strv text;
  size_t at;  // behind the letter that is being read, and its number
  struct pl_schema *schema;
  char *problem;
};

static int fail(const struct reader *r, int code, size_t at, const char *what) {
  unsigned char c = (unsigned char)r->text.data[at];
  if (c > ' ' && c < 0x7f)
    snprintf(r->problem, PL_SCHEMA_PROBLEM_MAX, "'%c' %s, column %zu", c, what, at + 1);
  else
    snprintf(r->problem, PL_SCHEMA_PROBLEM_MAX, "the byte 0x%02x %s, column %zu", c, what, at + 1);
  return code;
}

// Returns: the number behind a letter; -1: there is none. Large ones stay large.
static long read_number(struct reader *r) {
  long n = -1;
  for (; r->at < r->text.len && r->text.data[r->at] >= '0' && r->text.data[r->at] <= '9'; r->at++)
    if (n <= PL_SCHEMA_COUNT_MAX) n = (n < 0 ? 0 : n * 10) + (r->text.data[r->at] - '0');
  return n;
}

static int add_field(struct reader *r, size_t letter_at, struct pl_strv type, uint32_t count) {
  struct pl_schema *schema = r->schema;
  if (schema->count == PL_SCHEMA_FIELDS_MAX)
    return fail(r, PL_ELIMIT, letter_at, "is one field too many: a struct has at most 256");
  schema->fields[schema->count++] = (struct pl_schema_field){
      .type = {.name = type, .count = count},
      .offset = -1,
      .skip = schema->tail,
      .column = (unsigned)letter_at + 1,
  };
  schema->tail = 0;
  return 0;
}

static int add_integer(struct reader *r, size_t letter_at, char sign) {
  static const struct pl_strv types[2][4] = {
      {{"i8", 2}, {"i16", 3}, {"i32", 3}, {"i64", 3}},
      {{"u8", 2}, {"u16", 3}, {"u32", 3}, {"u64", 3}},
  };
  long size = read_number(r);
  if (size < 0) return fail(r, PL_ESYNTAX, letter_at, "needs a size: 1, 2, 4 or 8");
  if (size != 1 && size != 2 && size != 4 && size != 8)
    return fail(r, PL_ESYNTAX, letter_at, "has a size of 1, 2, 4 or 8");
  int power = size == 8 ? 3 : (int)size / 2;
  return add_field(r, letter_at, types[sign == 'I'][power], 0);
}

static int add_bytes(struct reader *r, size_t letter_at) {
  long count = read_number(r);
  if (count < 1 || count > PL_SCHEMA_COUNT_MAX)
    return fail(r, PL_ESYNTAX, letter_at, "needs a length from 1 to 65536");
  return add_field(r, letter_at, PL_STRV("u8"), (uint32_t)count);
}

static int read_code(struct reader *r) {
  size_t at = r->at++;
  char c = r->text.data[at];
  if (c == ' ' || c == '<') return 0;
  if (c == 'x') {
    if (++r->schema->tail <= PL_SCHEMA_COUNT_MAX) return 0;
    return fail(r, PL_ELIMIT, at, "is more padding than a struct may have bytes");
  }
  if (c == 'c') return add_bytes(r, at);
  if (c == 'i' || c == 'I') return add_integer(r, at, c);
  for (size_t i = 0; i < PL_ARRAY_LEN(codes); i++) {
    if (codes[i].letter != c) continue;
    if (codes[i].refused) return fail(r, PL_ESYNTAX, at, codes[i].refused);
    return add_field(r, at, codes[i].type, 0);
  }
  return fail(r, PL_ESYNTAX, at, "is no format of string.pack");
}

bool pl_pack_format_is(struct pl_strv text) {
  return text.len && memchr("<>=!", text.data[0], 4) != NULL;
}

int pl_pack_format_parse(struct pl_strv text, struct pl_schema *schema,
                         char problem[PL_SCHEMA_PROBLEM_MAX]) {
  struct reader r = {.text = text, .schema = schema, .problem = problem};
  schema->count = schema->tail = schema->size = 0;
  schema->align = PL_SCHEMA_ALIGN_UNSAID;
  int err = 0;
  while (!err && r.at < text.len) err = read_code(&r);
  return err;
}
