// Header look-up is a walk over the list: a request has a dozen fields, and comparing a length
// rejects most of them, so a table would cost more to fill than it saves.
#include "http/headers.h"

#include "base/error.h"
#include "http/chars.h"

size_t pl_headers_find(const struct pl_headers *headers, struct pl_strv name, size_t from) {
  size_t i = from;
  while (i < headers->count && !pl_strv_eq_nocase(headers->items[i].name, name)) i++;
  return i < headers->count ? i : headers->count;
}

struct pl_strv pl_headers_first(const struct pl_headers *headers, struct pl_strv name) {
  size_t i = pl_headers_find(headers, name, 0);
  return i < headers->count ? headers->items[i].value : pl_strv(NULL, 0);
}

bool pl_token_is_valid(struct pl_strv text) {
  for (size_t i = 0; i < text.len; i++)
    if (!pl_char_is_token(text.data[i])) return false;
  return text.len > 0;
}

bool pl_header_value_is_valid(struct pl_strv value) {
  for (size_t i = 0; i < value.len; i++)
    if (pl_char_is_control(value.data[i]) && value.data[i] != '\t') return false;
  return true;
}

// The offset of the first `stop` outside quoted strings, or text.len.
static size_t find_unquoted(struct pl_strv text, char stop) {
  bool is_quoted = false;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    if (c == '"')
      is_quoted = !is_quoted;
    else if (c == '\\' && is_quoted)
      i++;
    else if (c == stop && !is_quoted)
      return i;
  }
  return text.len;
}

// Takes the text in front of the next `stop` off *rest, and the stop too.
static struct pl_strv take_until(struct pl_strv *rest, char stop) {
  size_t end = find_unquoted(*rest, stop);
  struct pl_strv piece = pl_strv_trim(pl_strv(rest->data, end));
  size_t used = end < rest->len ? end + 1 : end;
  *rest = pl_strv(rest->data + used, rest->len - used);
  return piece;
}

bool pl_header_next_item(struct pl_strv *rest, struct pl_strv *item) {
  while (rest->len) {
    *item = take_until(rest, ',');
    if (item->len) return true;
  }
  return false;
}

bool pl_header_has_token(struct pl_strv value, struct pl_strv token) {
  struct pl_strv item;
  while (pl_header_next_item(&value, &item))
    if (pl_strv_eq_nocase(item, token)) return true;
  return false;
}

struct pl_strv pl_header_take_type(struct pl_strv *rest) {
  return take_until(rest, ';');
}

// `value` with its quotes taken off, if it is one whole quoted string.
static int unquote(struct pl_strv value, struct pl_header_param *param) {
  param->is_quoted = value.len > 0 && value.data[0] == '"';
  param->value = value;
  if (!param->is_quoted) return pl_token_is_valid(value) ? 0 : PL_EINVAL;
  size_t i = 1;
  while (i < value.len && value.data[i] != '"') i += value.data[i] == '\\' ? 2 : 1;
  if (i + 1 != value.len) return PL_EINVAL;
  param->value = pl_strv(value.data + 1, value.len - 2);
  return 0;
}

int pl_header_next_param(struct pl_strv *rest, struct pl_header_param *param) {
  struct pl_strv piece = {0};
  while (rest->len && !piece.len) piece = take_until(rest, ';');
  if (!piece.len) return PL_EOF;
  const char *equals = memchr(piece.data, '=', piece.len);
  if (!equals) return PL_EINVAL;
  param->name = pl_strv(piece.data, (size_t)(equals - piece.data));
  if (!pl_token_is_valid(param->name)) return PL_EINVAL;
  return unquote(pl_strv(equals + 1, piece.len - param->name.len - 1), param);
}
