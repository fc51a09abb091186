// Preconditions and ranges. Each step of pl_conditional_evaluate answers one question of RFC 9110
// 13.2.2, in the order given there.
#include "http/conditional.h"

#include "base/error.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/headers.h"

static bool is_weak(struct pl_strv etag) {
  return etag.len >= 2 && etag.data[0] == 'W' && etag.data[1] == '/';
}

static struct pl_strv strip_weak(struct pl_strv etag) {
  return is_weak(etag) ? pl_strv(etag.data + 2, etag.len - 2) : etag;
}

bool pl_etag_equal_strong(struct pl_strv a, struct pl_strv b) {
  return a.len && !is_weak(a) && !is_weak(b) && pl_strv_eq(a, b);
}

bool pl_etag_equal_weak(struct pl_strv a, struct pl_strv b) {
  return a.len && pl_strv_eq(strip_weak(a), strip_weak(b));
}

static bool is_separator(char c) {
  return c == ',' || c == ' ' || c == '\t';
}

bool pl_etag_next(struct pl_strv *rest, struct pl_strv *etag) {
  size_t i = 0;
  while (i < rest->len && is_separator(rest->data[i])) i++;
  if (i == rest->len) return false;
  struct pl_strv left = {rest->data + i, rest->len - i};
  size_t open = is_weak(left) ? 2 : 0;
  if (open >= left.len || left.data[open] != '"') return false;
  const char *close = memchr(left.data + open + 1, '"', left.len - open - 1);
  if (!close) return false;
  size_t len = (size_t)(close + 1 - left.data);
  if (len < left.len && !is_separator(left.data[len])) return false;
  *etag = pl_strv(left.data, len);
  *rest = pl_strv(left.data + len, left.len - len);
  return true;
}

// Whether any field of that name holds "*" or a tag equal to `etag`.
static bool list_matches(const struct pl_headers *headers, struct pl_strv name, struct pl_strv etag,
                         bool (*is_equal)(struct pl_strv a, struct pl_strv b)) {
  for (size_t i = pl_headers_find(headers, name, 0); i < headers->count;
       i = pl_headers_find(headers, name, i + 1)) {
    struct pl_strv list = headers->items[i].value, candidate;
    if (pl_strv_eq(list, PL_STRV("*"))) return true;
    while (pl_etag_next(&list, &candidate))
      if (is_equal(candidate, etag)) return true;
  }
  return false;
}

static bool has_field(const struct pl_headers *headers, struct pl_strv name) {
  return pl_headers_first(headers, name).data != NULL;
}

// Whether the field of that name holds a date that can be compared with ours.
static bool read_date(const struct pl_headers *headers, struct pl_strv name,
                      const struct pl_representation *what, int64_t now, int64_t *time) {
  return what->has_mtime && !pl_http_date_parse(pl_headers_first(headers, name), now, time);
}

// If-Match, If-Unmodified-Since.
static bool is_wanted(const struct pl_headers *headers, const struct pl_representation *what,
                      int64_t now) {
  const struct pl_strv if_match = PL_STRV("If-Match");
  int64_t since;
  if (has_field(headers, if_match))
    return list_matches(headers, if_match, what->etag, pl_etag_equal_strong);
  if (read_date(headers, PL_STRV("If-Unmodified-Since"), what, now, &since))
    return what->mtime <= since;
  return true;
}

// If-None-Match, If-Modified-Since: whether the client has it already.
static bool is_known(const struct pl_headers *headers, const struct pl_representation *what,
                     bool is_read, int64_t now) {
  const struct pl_strv if_none_match = PL_STRV("If-None-Match");
  int64_t since;
  if (has_field(headers, if_none_match))
    return list_matches(headers, if_none_match, what->etag, pl_etag_equal_weak);
  return is_read && read_date(headers, PL_STRV("If-Modified-Since"), what, now, &since) &&
         what->mtime <= since;
}

// If-Range: whether the part that the client has is of this very representation.
static bool is_range_valid(const struct pl_headers *headers, const struct pl_representation *what,
                           int64_t now) {
  const struct pl_strv if_range = PL_STRV("If-Range");
  struct pl_strv value = pl_headers_first(headers, if_range);
  int64_t time;
  if (!value.data) return true;
  if (memchr(value.data, '"', value.len)) return pl_etag_equal_strong(value, what->etag);
  return read_date(headers, if_range, what, now, &time) && time == what->mtime;
}

// Takes digits off *s; too large a number is as good as the largest. Returns: false: no digit.
static bool take_number(struct pl_strv *s, uint64_t *value) {
  size_t i = 0;
  uint64_t n = 0;
  for (; i < s->len && pl_char_is_digit(s->data[i]); i++)
    if (__builtin_mul_overflow(n, 10u, &n) ||
        __builtin_add_overflow(n, (uint64_t)(s->data[i] - '0'), &n))
      n = UINT64_MAX;
  *s = pl_strv(s->data + i, s->len - i);
  *value = n;
  return i > 0;
}

struct range {
  uint64_t first, last;
  bool has_first, has_last;  // "-5" has no first, "5-" no last
};

// Returns: false: not one range of bytes.
static bool parse_range(struct pl_strv text, struct range *r) {
  const struct pl_strv unit = PL_STRV("bytes=");
  if (text.len < unit.len || !pl_strv_eq_nocase(pl_strv(text.data, unit.len), unit)) return false;
  text = pl_strv_trim(pl_strv(text.data + unit.len, text.len - unit.len));
  r->has_first = take_number(&text, &r->first);
  if (!text.len || text.data[0] != '-') return false;
  text = pl_strv(text.data + 1, text.len - 1);
  r->has_last = take_number(&text, &r->last);
  if (text.len || !(r->has_first || r->has_last)) return false;
  return !r->has_first || !r->has_last || r->first <= r->last;
}

static struct pl_verdict apply_range(const struct range *r, uint64_t size) {
  const struct pl_verdict unsatisfiable = {.status = 416};
  if (!r->has_first) {
    uint64_t length = r->last < size ? r->last : size;
    if (!r->last) return unsatisfiable;
    // The last n bytes of nothing: satisfiable, but no Content-Range can say so.
    return (struct pl_verdict){size ? 206 : 200, size - length, length};
  }
  if (r->first >= size) return unsatisfiable;
  uint64_t last = r->has_last && r->last < size ? r->last : size - 1;
  return (struct pl_verdict){206, r->first, last - r->first + 1};
}

struct pl_verdict pl_conditional_evaluate(enum pl_method method, const struct pl_headers *headers,
                                          const struct pl_representation *what, int64_t now) {
  const struct pl_strv name = PL_STRV("Range");
  bool is_read = method == PL_METHOD_GET || method == PL_METHOD_HEAD;
  if (!is_wanted(headers, what, now)) return (struct pl_verdict){.status = 412};
  if (is_known(headers, what, is_read, now))
    return (struct pl_verdict){.status = is_read ? 304 : 412};
  size_t i = pl_headers_find(headers, name, 0);
  struct range range;
  bool has_range = method == PL_METHOD_GET && i < headers->count &&
                   pl_headers_find(headers, name, i + 1) == headers->count &&
                   is_range_valid(headers, what, now) &&
                   parse_range(headers->items[i].value, &range);
  return has_range ? apply_range(&range, what->size) : (struct pl_verdict){200, 0, what->size};
}
