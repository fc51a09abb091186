// Accept: each range is weighed by how exactly it names the type, the most exact one decides.
#include "http/accept.h"

#include "base/error.h"
#include "http/chars.h"
#include "http/headers.h"

enum { FULL_QUALITY = 1000, MALFORMED = -1 };

// RFC 9110 12.4.2: "0", "1", "0.7", "0.125", "1.000".
static int parse_quality(struct pl_strv q) {
  if (!q.len || q.len > 5 || (q.data[0] != '0' && q.data[0] != '1')) return MALFORMED;
  if (q.len > 1 && q.data[1] != '.') return MALFORMED;
  int value = (q.data[0] - '0') * FULL_QUALITY;
  for (size_t i = 2, weight = 100; i < q.len; i++, weight /= 10) {
    if (!pl_char_is_digit(q.data[i])) return MALFORMED;
    value += (q.data[i] - '0') * (int)weight;
  }
  return value <= FULL_QUALITY ? value : MALFORMED;
}

// What the parameters say; FULL_QUALITY when there is no q among them.
static int read_quality(struct pl_strv params) {
  struct pl_header_param param;
  int err = pl_header_next_param(&params, &param);
  for (; !err; err = pl_header_next_param(&params, &param))
    if (pl_strv_eq_nocase(param.name, PL_STRV("q"))) return parse_quality(param.value);
  return err == PL_EOF ? FULL_QUALITY : MALFORMED;
}

// How exactly a range covers the type: 3 type/subtype, 2 type/*, 1 */*, 0 not at all.
static int measure_fit(struct pl_strv range, struct pl_strv type) {
  if (pl_strv_eq_nocase(range, type)) return 3;
  if (pl_strv_eq(range, PL_STRV("*/*"))) return 1;
  const char *slash = memchr(type.data, '/', type.len);
  size_t main_len = (size_t)(slash - type.data) + 1;
  bool is_main = range.len == main_len + 1 && range.data[main_len] == '*' &&
                 pl_strv_eq_nocase(pl_strv(range.data, main_len), pl_strv(type.data, main_len));
  return is_main ? 2 : 0;
}

int pl_accept_quality(const struct pl_headers *headers, struct pl_strv type) {
  const struct pl_strv name = PL_STRV("Accept");
  int best_fit = 0, best = 0;
  size_t i = pl_headers_find(headers, name, 0);
  if (i == headers->count) return FULL_QUALITY;
  for (; i < headers->count; i = pl_headers_find(headers, name, i + 1)) {
    struct pl_strv list = headers->items[i].value, item;
    while (pl_header_next_item(&list, &item)) {
      int fit = measure_fit(pl_header_take_type(&item), type);
      int quality = fit > best_fit ? read_quality(item) : MALFORMED;
      if (quality == MALFORMED) continue;
      best_fit = fit;
      best = quality;
    }
  }
  return best;
}

bool pl_accept_prefers_html(const struct pl_headers *headers) {
  int html = pl_accept_quality(headers, PL_STRV("text/html"));
  return html > pl_accept_quality(headers, PL_STRV("application/json")) &&
         html > pl_accept_quality(headers, PL_STRV("application/problem+json"));
}

enum pl_accept_form pl_accept_form(const struct pl_headers *headers) {
  int packed = pl_accept_quality(headers, PL_STRV("application/octet-stream"));
  int json = pl_accept_quality(headers, PL_STRV("application/json"));
  if (json > packed) return PL_ACCEPT_JSON;
  return packed ? PL_ACCEPT_PACKED : PL_ACCEPT_NEITHER;
}
