// Forwarded and X-Forwarded-*. Elements are read from the right: the last was written by the peer.
#include "api/remote.h"

#include <stdio.h>

#include "config/config.h"
#include "http/chars.h"
#include "http/exchange.h"
#include "http/headers.h"

// Takes the last element off a comma-separated list; empty when there is none.
static struct pl_strv take_last(struct pl_strv *list) {
  size_t start = list->len;
  while (start > 0 && list->data[start - 1] != ',') start--;
  struct pl_strv element = pl_strv_trim(pl_strv(list->data + start, list->len - start));
  list->len = start > 0 ? start - 1 : 0;
  return element;
}

// The elements of all fields of one name, from the right: a proxy may add a field of its own behind
// those that its client has sent.
struct elements {
  const struct pl_headers *headers;
  struct pl_strv name;
  size_t next;          // the fields in front of this index have not been looked at
  struct pl_strv rest;  // of the field that is being read
};

static struct elements elements_of(const struct pl_headers *headers, struct pl_strv name) {
  return (struct elements){.headers = headers, .name = name, .next = headers->count};
}

// Returns: false when there are no more.
static bool take_element(struct elements *e, struct pl_strv *element) {
  while (e->rest.len == 0) {
    if (e->next == 0) return false;
    const struct pl_header *field = &e->headers->items[--e->next];
    if (pl_strv_eq_nocase(field->name, e->name)) e->rest = field->value;
  }
  *element = take_last(&e->rest);
  return true;
}

// The last element of all, or an empty view.
static struct pl_strv last_element(const struct pl_headers *headers, struct pl_strv name) {
  struct elements e = elements_of(headers, name);
  struct pl_strv element = {0};
  return take_element(&e, &element) ? element : pl_strv(NULL, 0);
}

static struct pl_strv unquote(struct pl_strv s) {
  if (s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"')
    return pl_strv(s.data + 1, s.len - 2);
  return s;
}

// The value of parameter `name` in one element of Forwarded: for=...;proto=...;host=...
static struct pl_strv parameter(struct pl_strv element, struct pl_strv name) {
  while (element.len) {
    const char *end = memchr(element.data, ';', element.len);
    size_t len = end ? (size_t)(end - element.data) : element.len;
    struct pl_strv pair = pl_strv_trim(pl_strv(element.data, len));
    if (pair.len > name.len && pair.data[name.len] == '=' &&
        pl_strv_eq_nocase(pl_strv(pair.data, name.len), name))
      return unquote(pl_strv(pair.data + name.len + 1, pair.len - name.len - 1));
    size_t skip = end ? len + 1 : len;
    element = pl_strv(element.data + skip, element.len - skip);
  }
  return (struct pl_strv){0};
}

// ":80" -> 80; 0: none that a port can have
static int parse_port(struct pl_strv text) {
  int port = 0;
  for (size_t i = 1; i < text.len; i++) {
    if (!pl_char_is_digit(text.data[i])) return 0;
    port = port * 10 + text.data[i] - '0';
    if (port > UINT16_MAX) return 0;
  }
  return port;
}

// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1" -> address and port.
// Returns: false for names that hide the address ("unknown", "_hidden").
static bool parse_node(struct pl_strv node, struct pl_remote *remote) {
  if (node.len == 0) return false;
  const char *colon = memchr(node.data, ':', node.len);
  struct pl_strv port = {0};
  if (node.len && node.data[0] == '[') {
    const char *close = memchr(node.data, ']', node.len);
    if (!close) return false;
    port = pl_strv(close + 1, node.len - (size_t)(close + 1 - node.data));
    node = pl_strv(node.data + 1, (size_t)(close - node.data - 1));
  } else if (colon && !memchr(colon + 1, ':', node.len - (size_t)(colon + 1 - node.data))) {
    port = pl_strv(colon, node.len - (size_t)(colon - node.data));
    node.len = (size_t)(colon - node.data);
  }
  struct pl_network network;  // a single address, not a network with its prefix
  if (memchr(node.data, '/', node.len) || pl_network_parse(node, &network)) return false;
  snprintf(remote->address, sizeof remote->address, "%.*s", (int)node.len, node.data);
  remote->port = parse_port(port);
  return true;
}

// Goes back through the list for as long as the address it stands at is a trusted proxy's.
static struct pl_strv walk_back(struct elements list, bool is_forwarded,
                                const struct pl_config *config, struct pl_remote *remote) {
  struct pl_strv element = {0}, next;
  while (pl_trusted_contains(&config->proxy_trusted, remote->address) &&
         take_element(&list, &next)) {
    if (!parse_node(is_forwarded ? parameter(next, PL_STRV("for")) : next, remote)) break;
    element = next;
  }
  return element;
}

static void set_scheme(struct pl_remote *remote, struct pl_strv scheme) {
  if (pl_strv_eq_nocase(scheme, PL_STRV("https"))) remote->is_secure = true;
  if (pl_strv_eq_nocase(scheme, PL_STRV("http"))) remote->is_secure = false;
}

void pl_remote_of(struct pl_exchange *x, const struct pl_config *config, struct pl_remote *remote) {
  const struct pl_headers *headers = &x->request.headers;
  x->ops->peer(x, remote->address, sizeof remote->address, &remote->port);
  remote->is_secure = x->is_secure;
  remote->host = x->request.host;
  if (!pl_trusted_contains(&config->proxy_trusted, remote->address)) return;
  if (last_element(headers, PL_STRV("forwarded")).len) {
    struct elements forwarded = elements_of(headers, PL_STRV("forwarded"));
    struct pl_strv element = walk_back(forwarded, true, config, remote);
    struct pl_strv host = parameter(element, PL_STRV("host"));
    set_scheme(remote, parameter(element, PL_STRV("proto")));
    if (host.len) remote->host = host;
    return;
  }
  struct pl_strv host = last_element(headers, PL_STRV("x-forwarded-host"));
  walk_back(elements_of(headers, PL_STRV("x-forwarded-for")), false, config, remote);
  set_scheme(remote, last_element(headers, PL_STRV("x-forwarded-proto")));
  if (host.len) remote->host = host;
}
