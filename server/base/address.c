// Listening addresses: text -> sockaddr -> text. The text is rebuilt from the sockaddr, so that
// messages show what is really bound, however it was written.
#define _GNU_SOURCE  // memmem, memrchr
#include "base/address.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/un.h>

enum { LARGEST_PORT = 65535, LARGEST_PORT_DIGITS = 5 };

struct message {
  struct pl_strv text;  // what is being parsed, for the quotation
  char *out;
  size_t size;
};

PL_PRINTF(2, 3) static int refuse(const struct message *m, const char *format, ...) {
  int quoted = snprintf(m->out, m->size, "\"%.*s\": ", (int)m->text.len, m->text.data);
  if (quoted < 0 || (size_t)quoted >= m->size) return PL_EINVAL;
  va_list args;
  va_start(args, format);
  vsnprintf(m->out + quoted, m->size - (size_t)quoted, format, args);
  va_end(args);
  return PL_EINVAL;
}

static bool has_prefix(struct pl_strv s, struct pl_strv prefix) {
  return s.len >= prefix.len && pl_strv_eq_nocase(pl_strv(s.data, prefix.len), prefix);
}

// The digits' value, or -1: not a port.
static int read_port(struct pl_strv digits) {
  if (digits.len == 0 || digits.len > LARGEST_PORT_DIGITS) return -1;
  int port = 0;
  for (size_t i = 0; i < digits.len; i++) {
    if (digits.data[i] < '0' || digits.data[i] > '9') return -1;
    port = port * 10 + (digits.data[i] - '0');
  }
  return port <= LARGEST_PORT ? port : -1;
}

static int parse_unix(struct pl_strv path, struct pl_address *address, const struct message *m) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  if (path.len == 0) return refuse(m, "the path of the unix socket is missing");
  if (memchr(path.data, '\0', path.len)) return refuse(m, "a path cannot hold a NUL byte");
  if (path.len >= sizeof un.sun_path)
    return refuse(m, "the path of a unix socket may have %zu bytes, this one has %zu",
                  sizeof un.sun_path - 1, path.len);
  memcpy(un.sun_path, path.data, path.len);
  struct sockaddr_storage storage = {0};
  memcpy(&storage, &un, sizeof un);
  pl_address_set(address, &storage, sizeof un);
  return 0;
}

// inet_pton wants a terminated string.
static bool read_numeric(int family, struct pl_strv host, void *to) {
  char text[INET6_ADDRSTRLEN];
  if (host.len >= sizeof text) return false;
  memcpy(text, host.data, host.len);
  text[host.len] = '\0';
  return inet_pton(family, text, to) == 1;
}

static int parse_ipv6(struct pl_strv host, int port, struct pl_address *address,
                      const struct message *m) {
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  if (!read_numeric(AF_INET6, host, &in6.sin6_addr))
    return refuse(m, "\"%.*s\" is not an IPv6 address", (int)host.len, host.data);
  struct sockaddr_storage storage = {0};
  memcpy(&storage, &in6, sizeof in6);
  pl_address_set(address, &storage, sizeof in6);
  return 0;
}

static int parse_ipv4(struct pl_strv host, int port, struct pl_address *address,
                      const struct message *m) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (host.len == 0)
    return refuse(m, "the host is missing before the colon (127.0.0.1, or 0.0.0.0 for all)");
  if (memchr(host.data, ':', host.len))
    return refuse(m, "an IPv6 address goes in brackets, as in [::1]:8080");
  if (pl_strv_eq_nocase(host, PL_STRV("localhost"))) host = PL_STRV("127.0.0.1");
  if (!read_numeric(AF_INET, host, &in.sin_addr))
    return refuse(m, "\"%.*s\" is not a numeric address, and names are not looked up",
                  (int)host.len, host.data);
  struct sockaddr_storage storage = {0};
  memcpy(&storage, &in, sizeof in);
  pl_address_set(address, &storage, sizeof in);
  return 0;
}

int pl_address_parse(struct pl_strv text, struct pl_address *address, char *error,
                     size_t error_size) {
  const struct message m = {text, error, error_size};
  if (text.len == 0) return refuse(&m, "an address is expected: 8080, 127.0.0.1:8080, unix:PATH");
  if (has_prefix(text, PL_STRV("unix:"))) {
    return parse_unix(pl_strv(text.data + 5, text.len - 5), address, &m);
  }
  if (memmem(text.data, text.len, "://", 3))
    return refuse(&m, "an address is expected, not a URL: 127.0.0.1:8080");
  const char *colon = memrchr(text.data, ':', text.len);
  const char *bracket = memrchr(text.data, ']', text.len);
  struct pl_strv host = PL_STRV("127.0.0.1"), port_text = text;
  if (colon && (!bracket || colon > bracket)) {
    host = pl_strv(text.data, (size_t)(colon - text.data));
    port_text = pl_strv(colon + 1, text.len - host.len - 1);
  } else if (memchr(text.data, '.', text.len) || bracket) {
    return refuse(&m, "the port is missing behind the host");
  }
  int port = read_port(port_text);
  if (port < 0) return refuse(&m, "the port must be a number from 0 to %d", LARGEST_PORT);
  if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
    return parse_ipv6(pl_strv(host.data + 1, host.len - 2), port, address, &m);
  return parse_ipv4(host, port, address, &m);
}

void pl_address_set(struct pl_address *address, const struct sockaddr_storage *storage,
                    socklen_t len) {
  address->storage = *storage;
  address->len = len;
  address->is_unix = storage->ss_family == AF_UNIX;
  char host[INET6_ADDRSTRLEN] = "?";
  if (address->is_unix) {
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
    snprintf(address->text, sizeof address->text, "unix:%.*s", (int)sizeof un->sun_path,
             un->sun_path);
  } else if (storage->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(address->text, sizeof address->text, "[%s]:%d", host, ntohs(in6->sin6_port));
  } else {
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    snprintf(address->text, sizeof address->text, "%s:%d", host, ntohs(in->sin_port));
  }
}

void pl_address_url(const struct pl_address *address, char *out, size_t size) {
  snprintf(out, size, "%s%s", address->is_unix ? "" : "http://", address->text);
}
