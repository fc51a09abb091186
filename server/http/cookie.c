// Cookies in both directions. Reading never fails for the shape of one cookie: a browser sends what
// anybody of the domain has set, and one bad piece must not lock its user out.
#include "http/cookie.h"

#include "base/clock.h"
#include "base/error.h"
#include "http/chars.h"
#include "http/headers.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_ATTRIBUTES = 160 };  // bytes of the attributes without path and domain
static const int64_t end_of_9999 = INT64_C(253402300799);

// Takes the next cookie off *rest. Returns: false at the end.
static bool next_cookie(struct pl_strv *rest, struct pl_pair *pair) {
  while (rest->len) {
    const char *semicolon = memchr(rest->data, ';', rest->len);
    size_t len = semicolon ? (size_t)(semicolon - rest->data) : rest->len;
    struct pl_strv piece = pl_strv_trim(pl_strv(rest->data, len));
    size_t used = semicolon ? len + 1 : len;
    *rest = pl_strv(rest->data + used, rest->len - used);
    const char *equals = piece.len ? memchr(piece.data, '=', piece.len) : NULL;
    if (!equals) continue;
    size_t name_len = (size_t)(equals - piece.data);
    pair->name = pl_strv_trim(pl_strv(piece.data, name_len));
    pair->value = pl_strv_trim(pl_strv(equals + 1, piece.len - name_len - 1));
    if (pair->name.len) return true;
  }
  return false;
}

static struct pl_strv unquote(struct pl_strv v) {
  bool is_quoted = v.len >= 2 && v.data[0] == '"' && v.data[v.len - 1] == '"';
  return is_quoted ? pl_strv(v.data + 1, v.len - 2) : v;
}

// Calls with items == NULL only count.
static size_t collect(const struct pl_headers *headers, struct pl_pair *items) {
  const struct pl_strv name = PL_STRV("Cookie");
  size_t count = 0;
  for (size_t i = pl_headers_find(headers, name, 0); i < headers->count;
       i = pl_headers_find(headers, name, i + 1)) {
    struct pl_strv rest = headers->items[i].value;
    struct pl_pair pair;
    while (next_cookie(&rest, &pair)) {
      if (items) items[count] = (struct pl_pair){pair.name, unquote(pair.value)};
      count++;
    }
  }
  return count;
}

int pl_cookies_parse(const struct pl_headers *headers, size_t max, struct pl_arena *arena,
                     struct pl_pairs *out) {
  size_t count = collect(headers, NULL);
  if (count > max) return PL_ELIMIT;
  struct pl_pair *items = NULL;
  if (count) {
    items = pl_arena_alloc(arena, count * sizeof *items);
    if (!items) return PL_ENOMEM;
    collect(headers, items);
  }
  *out = (struct pl_pairs){items, count};
  return 0;
}

// RFC 6265 4.1.1, cookie-octet.
static bool is_value(struct pl_strv value) {
  for (size_t i = 0; i < value.len; i++) {
    char c = value.data[i];
    if (c <= ' ' || c > '~' || c == '"' || c == ',' || c == ';' || c == '\\') return false;
  }
  return true;
}

static bool is_path(struct pl_strv path) {
  for (size_t i = 0; i < path.len; i++)
    if (pl_char_is_control(path.data[i]) || path.data[i] == ';') return false;
  return !path.len || path.data[0] == '/';
}

static bool is_domain(struct pl_strv domain) {
  for (size_t i = 0; i < domain.len; i++)
    if (!pl_char_is_alnum(domain.data[i]) && domain.data[i] != '-' && domain.data[i] != '.')
      return false;
  return true;
}

// Browsers compare these prefixes in any case (RFC 6265bis 5.7).
static bool has_prefix(struct pl_strv name, struct pl_strv prefix) {
  return name.len >= prefix.len && pl_strv_eq_nocase(pl_strv(name.data, prefix.len), prefix);
}

static const char *find_problem(const struct pl_cookie *c) {
  bool is_host = has_prefix(c->name, PL_STRV("__Host-"));
  if (!pl_token_is_valid(c->name)) return "a cookie's name must be a token (no spaces or =;,\")";
  if (!is_value(c->value))
    return "a cookie's value must be visible ASCII without \" , ; and \\ (encode it)";
  if (!is_path(c->path)) return "a cookie's path must begin with / and hold no ; or control bytes";
  if (!is_domain(c->domain)) return "a cookie's domain is letters, digits, - and .";
  if (c->has_expires && (c->expires < 0 || c->expires > end_of_9999))
    return "a cookie's expires must be a time in the years 1970 to 9999";
  if (c->same_site == PL_SAME_SITE_NONE && !c->is_secure)
    return "same_site = \"None\" needs secure = true: browsers drop the cookie otherwise";
  if (!c->is_secure && (is_host || has_prefix(c->name, PL_STRV("__Secure-"))))
    return "a name with __Host- or __Secure- needs secure = true";
  if (is_host && (c->domain.len || !pl_strv_eq(c->path, PL_STRV("/"))))
    return "a name with __Host- needs path = \"/\" and no domain";
  return NULL;
}

static void append(char **to, struct pl_strv text) {
  if (text.len) memcpy(*to, text.data, text.len);
  *to += text.len;
}

static void append_named(char **to, struct pl_strv name, struct pl_strv value) {
  if (!value.len) return;
  append(to, name);
  append(to, value);
}

static void append_times(char **to, const struct pl_cookie *c) {
  if (c->has_max_age) *to += sprintf(*to, "; Max-Age=%" PRId64, c->max_age);
  if (!c->has_expires) return;
  char date[PL_HTTP_DATE_LEN + 1];
  pl_clock_http_date((time_t)c->expires, date);
  append_named(to, PL_STRV("; Expires="), pl_strv(date, PL_HTTP_DATE_LEN));
}

int pl_cookie_write(const struct pl_cookie *c, struct pl_buf *out, const char **problem) {
  static const struct pl_strv same_site[] = {
      [PL_SAME_SITE_UNSET] = {"", 0},
      [PL_SAME_SITE_LAX] = {"Lax", 3},
      [PL_SAME_SITE_STRICT] = {"Strict", 6},
      [PL_SAME_SITE_NONE] = {"None", 4},
  };
  const char *text = find_problem(c);
  if (text) {
    *problem = text;
    return PL_EINVAL;
  }
  size_t size = c->name.len + c->value.len + c->path.len + c->domain.len + MAX_ATTRIBUTES;
  char *start = pl_buf_reserve(out, size), *to = start;
  if (!start) return PL_ENOMEM;
  append(&to, c->name);
  append(&to, PL_STRV("="));
  append(&to, c->value);
  append_named(&to, PL_STRV("; Path="), c->path);
  append_named(&to, PL_STRV("; Domain="), c->domain);
  append_times(&to, c);
  if (c->is_secure) append(&to, PL_STRV("; Secure"));
  if (c->is_http_only) append(&to, PL_STRV("; HttpOnly"));
  append_named(&to, PL_STRV("; SameSite="), same_site[c->same_site]);
  pl_buf_grew(out, (size_t)(to - start));
  return 0;
}
