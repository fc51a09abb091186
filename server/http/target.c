// The forms of a request target (RFC 9112 3.2). Bytes are checked first, so that everything behind
// that deals with visible ASCII only.
#include "http/target.h"

#include "base/error.h"
#include "http/chars.h"

#include <arpa/inet.h>

// No early exit, so that the compiler can look at many bytes at once.
static bool is_visible_ascii(struct pl_strv text) {
  unsigned bad = 0;
  for (size_t i = 0; i < text.len; i++) bad |= (unsigned char)(text.data[i] - 0x21) > 0x7e - 0x21;
  return !bad;
}

// Takes what is in front of the first `stop` off *rest, and the stop too; all of it without one.
static struct pl_strv take_until(struct pl_strv *rest, char stop) {
  const char *at = rest->len ? memchr(rest->data, stop, rest->len) : NULL;
  struct pl_strv piece = *rest;
  if (at) piece.len = (size_t)(at - rest->data);
  size_t used = piece.len + (at ? 1 : 0);
  *rest = pl_strv(rest->data + used, rest->len - used);
  return piece;
}

static bool is_ipv6_literal(struct pl_strv host) {
  char text[INET6_ADDRSTRLEN];
  struct in6_addr address;
  if (host.len < 2 || host.data[host.len - 1] != ']' || host.len - 2 >= sizeof text) return false;
  memcpy(text, host.data + 1, host.len - 2);
  text[host.len - 2] = '\0';
  return inet_pton(AF_INET6, text, &address) == 1;
}

// RFC 3986 3.2.2: an IPv6 address in brackets, or a name (IPv4 addresses look like one).
static bool is_host(struct pl_strv host) {
  if (host.len && host.data[0] == '[') return is_ipv6_literal(host);
  for (size_t i = 0; i < host.len; i++) {
    char c = host.data[i];
    if (c == '%') {
      if (host.len - i < 3 || pl_char_hex(host.data[i + 1]) < 0 ||
          pl_char_hex(host.data[i + 2]) < 0)
        return false;
      i += 2;
    } else if (!pl_char_is_alnum(c) && !(c && strchr("-._~!$&'()*+,;=", c))) {
      return false;
    }
  }
  return host.len > 0;
}

static bool is_port(struct pl_strv port) {
  unsigned value = 0;
  for (size_t i = 0; i < port.len; i++) {
    if (!pl_char_is_digit(port.data[i])) return false;
    value = value * 10 + (unsigned)(port.data[i] - '0');
    if (value > 65535) return false;
  }
  return true;
}

// host[:port]; the colon of a port is the first one behind an IPv6 literal's bracket.
static bool is_authority(struct pl_strv authority, bool needs_port) {
  const char *bracket = authority.len ? memchr(authority.data, ']', authority.len) : NULL;
  size_t skip = bracket ? (size_t)(bracket - authority.data) : 0;
  struct pl_strv port = {authority.data + skip, authority.len - skip};
  struct pl_strv host = {authority.data, skip + take_until(&port, ':').len};
  return is_host(host) && is_port(port) && (port.len > 0 || !needs_port);
}

static struct pl_target split_origin(struct pl_strv target) {
  struct pl_strv rest = take_until(&target, '#');
  struct pl_strv path = take_until(&rest, '?');
  return (struct pl_target){.form = PL_TARGET_ORIGIN, .raw_path = path, .raw_query = rest};
}

static bool skip_scheme(struct pl_strv *target) {
  static const struct pl_strv schemes[] = {{"http://", 7}, {"https://", 8}};
  for (size_t i = 0; i < PL_ARRAY_LEN(schemes); i++) {
    size_t len = schemes[i].len;
    if (target->len < len || !pl_strv_eq_nocase(pl_strv(target->data, len), schemes[i])) continue;
    *target = pl_strv(target->data + len, target->len - len);
    return true;
  }
  return false;
}

static int parse_absolute(struct pl_strv method, struct pl_strv target, struct pl_target *out) {
  if (!skip_scheme(&target)) return PL_EINVAL;
  size_t end = 0;
  while (end < target.len && !strchr("/?#", target.data[end])) end++;
  struct pl_strv host = {target.data, end};
  if (!is_authority(host, false)) return PL_EINVAL;
  struct pl_target parsed = split_origin(pl_strv(target.data + end, target.len - end));
  parsed.form = PL_TARGET_ABSOLUTE;
  parsed.host = host;
  bool is_bare = end == target.len || target.data[end] == '#';
  if (is_bare && pl_strv_eq(method, PL_STRV("OPTIONS"))) {
    parsed.form = PL_TARGET_ASTERISK;  // RFC 9112 3.2.4
    parsed.raw_path = PL_STRV("*");
  } else if (!parsed.raw_path.len) {
    parsed.raw_path = PL_STRV("/");
  }
  *out = parsed;
  return 0;
}

int pl_target_parse(struct pl_strv method, struct pl_strv target, struct pl_target *out) {
  if (!target.len || !is_visible_ascii(target)) return PL_EINVAL;
  if (pl_strv_eq(method, PL_STRV("CONNECT"))) {
    if (!is_authority(target, true)) return PL_EINVAL;
    *out = (struct pl_target){.form = PL_TARGET_AUTHORITY, .host = target};
    return 0;
  }
  if (target.data[0] == '/') {
    *out = split_origin(target);
    return 0;
  }
  if (!pl_strv_eq(target, PL_STRV("*"))) return parse_absolute(method, target, out);
  if (!pl_strv_eq(method, PL_STRV("OPTIONS"))) return PL_EINVAL;
  *out = (struct pl_target){.form = PL_TARGET_ASTERISK, .raw_path = target};
  return 0;
}
