// As much of structured fields as one item needs (RFC 9651, 4.2.3): all bare items are recognized,
// so that a parameter of tomorrow's is passed over and not refused.
#include "geometry/struct_header.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  INTEGER_DIGITS_MAX = 15,
  DECIMAL_DIGITS_MAX = 12,
  FRACTION_DIGITS_MAX = 3,
  HASH_DIGITS = 16
};

enum item_type { ITEM_OTHER, ITEM_INTEGER, ITEM_STRING, ITEM_TOKEN };

struct item {
  enum item_type type;
  struct pl_strv text;  // a string's without its quotes
};

static bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *list) {
  return c && strchr(list, c);
}

static bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~:/");
}

static bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || is_one_of(c, "_-.*");
}

static bool is_base64_char(char c) {
  return is_alpha(c) || is_digit(c) || is_one_of(c, "+/=");
}

static char first_of(struct pl_strv rest) {
  return rest.len ? rest.data[0] : '\0';
}

static void skip(struct pl_strv *rest, size_t count) {
  rest->data += count;
  rest->len -= count;
}

// Takes the characters of a class off the front.
static struct pl_strv take_while(struct pl_strv *rest, bool (*is_member)(char)) {
  struct pl_strv taken = {rest->data, 0};
  while (taken.len < rest->len && is_member(rest->data[taken.len])) taken.len++;
  skip(rest, taken.len);
  return taken;
}

static int read_number(struct pl_strv *rest, struct item *item) {
  const char *begin = rest->data;
  if (first_of(*rest) == '-') skip(rest, 1);
  struct pl_strv digits = take_while(rest, is_digit);
  if (!digits.len || digits.len > INTEGER_DIGITS_MAX) return PL_EINVAL;
  item->type = ITEM_INTEGER;
  if (first_of(*rest) == '.') {
    skip(rest, 1);
    struct pl_strv fraction = take_while(rest, is_digit);
    if (digits.len > DECIMAL_DIGITS_MAX || !fraction.len || fraction.len > FRACTION_DIGITS_MAX)
      return PL_EINVAL;
    item->type = ITEM_OTHER;
  }
  item->text = pl_strv(begin, (size_t)(rest->data - begin));
  return 0;
}

// The text between quotes; escapes stay in it, since no string that is wanted here has any.
static int read_string(struct pl_strv *rest, struct item *item) {
  skip(rest, 1);
  const char *begin = rest->data;
  for (; rest->len && rest->data[0] != '"'; skip(rest, 1)) {
    if (rest->data[0] < ' ' || rest->data[0] > '~') return PL_EINVAL;
    if (rest->data[0] != '\\') continue;
    skip(rest, 1);
    if (!is_one_of(first_of(*rest), "\"\\")) return PL_EINVAL;
  }
  if (!rest->len) return PL_EINVAL;
  item->type = ITEM_STRING;
  item->text = pl_strv(begin, (size_t)(rest->data - begin));
  skip(rest, 1);
  return 0;
}

// ?1
static int read_boolean(struct pl_strv *rest) {
  skip(rest, 1);
  if (!is_one_of(first_of(*rest), "01")) return PL_EINVAL;
  skip(rest, 1);
  return 0;
}

// :base64:
static int read_bytes(struct pl_strv *rest) {
  skip(rest, 1);
  take_while(rest, is_base64_char);
  if (first_of(*rest) != ':') return PL_EINVAL;
  skip(rest, 1);
  return 0;
}

// @1659578233
static int read_date(struct pl_strv *rest) {
  struct item seconds = {ITEM_OTHER, {NULL, 0}};
  skip(rest, 1);
  int err = read_number(rest, &seconds);
  return err || seconds.type != ITEM_INTEGER ? PL_EINVAL : 0;
}

static bool is_lower_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

// %"text with %c3%bc"
static int read_display_string(struct pl_strv *rest) {
  skip(rest, 1);
  if (first_of(*rest) != '"') return PL_EINVAL;
  skip(rest, 1);
  for (; rest->len && rest->data[0] != '"'; skip(rest, 1)) {
    if (rest->data[0] < ' ' || rest->data[0] > '~') return PL_EINVAL;
    if (rest->data[0] != '%') continue;
    if (rest->len < 3 || !is_lower_hex(rest->data[1]) || !is_lower_hex(rest->data[2]))
      return PL_EINVAL;
    skip(rest, 2);
  }
  if (!rest->len) return PL_EINVAL;
  skip(rest, 1);
  return 0;
}

static int read_bare_item(struct pl_strv *rest, struct item *item) {
  char c = first_of(*rest);
  *item = (struct item){ITEM_OTHER, {rest->data, 0}};
  if (c == '-' || is_digit(c)) return read_number(rest, item);
  if (c == '"') return read_string(rest, item);
  if (c == '?') return read_boolean(rest);
  if (c == ':') return read_bytes(rest);
  if (c == '@') return read_date(rest);
  if (c == '%') return read_display_string(rest);
  if (c != '*' && !is_alpha(c)) return PL_EINVAL;
  item->type = ITEM_TOKEN;
  item->text = take_while(rest, is_token_char);
  return 0;
}

static int take_hash(const struct item *item, struct pl_struct_header *header) {
  if (item->type != ITEM_STRING || item->text.len != HASH_DIGITS) return PL_EINVAL;
  uint64_t hash = 0;
  for (size_t i = 0; i < HASH_DIGITS; i++) {
    char c = item->text.data[i];
    if (!is_lower_hex(c)) return PL_EINVAL;
    hash = hash << 4 | (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  header->hash = hash;
  header->has_hash = true;
  return 0;
}

static int take_count(const struct item *item, struct pl_struct_header *header) {
  if (item->type != ITEM_INTEGER || item->text.data[0] == '-') return PL_EINVAL;
  header->count = 0;
  for (size_t i = 0; i < item->text.len; i++)
    header->count = header->count * 10 + (uint64_t)(item->text.data[i] - '0');
  header->has_count = true;
  return 0;
}

// ";" SP* key [ "=" bare-item ]
static int read_parameter(struct pl_strv *rest, struct pl_struct_header *header) {
  skip(rest, 1);
  while (first_of(*rest) == ' ') skip(rest, 1);
  char c = first_of(*rest);
  if (c != '*' && !(c >= 'a' && c <= 'z')) return PL_EINVAL;
  struct pl_strv key = take_while(rest, is_key_char);
  struct item item = {ITEM_OTHER, {NULL, 0}};
  if (first_of(*rest) == '=') {
    skip(rest, 1);
    int err = read_bare_item(rest, &item);
    if (err) return err;
  }
  if (pl_strv_eq(key, PL_STRV("hash"))) return take_hash(&item, header);
  if (pl_strv_eq(key, PL_STRV("count"))) return take_count(&item, header);
  return 0;
}

int pl_struct_header_read(struct pl_strv value, struct pl_struct_header *header) {
  struct pl_struct_header read = {.name = {NULL, 0}};
  struct item item;
  while (first_of(value) == ' ') skip(&value, 1);
  while (value.len && value.data[value.len - 1] == ' ') value.len--;
  int err = read_bare_item(&value, &item);
  if (err || (item.type != ITEM_TOKEN && item.type != ITEM_STRING)) return PL_EINVAL;
  read.name = item.text;
  while (first_of(value) == ';') {
    err = read_parameter(&value, &read);
    if (err) return err;
  }
  if (value.len) return PL_EINVAL;
  *header = read;
  return 0;
}

size_t pl_struct_header_write(const struct pl_layout *layout, int64_t count,
                              char out[PL_STRUCT_HEADER_MAX]) {
  const char *quote = is_alpha(layout->name.data[0]) ? "" : "\"";
  int len = snprintf(out, PL_STRUCT_HEADER_MAX, "%s%s%s", quote, layout->name.data, quote);
  if (count >= 0)
    len += snprintf(out + len, PL_STRUCT_HEADER_MAX - (size_t)len, ";count=%" PRId64, count);
  len += snprintf(out + len, PL_STRUCT_HEADER_MAX - (size_t)len, ";hash=\"%016" PRIx64 "\"",
                  layout->hash);
  return (size_t)len;
}
