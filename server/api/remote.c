// Forwarded and X-Forwarded-*. Elements are read from the right: the last was written by the peer.
#include "api/remote.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
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

// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1" -> address and port.
// Returns: false for names that hide the address ("unknown", "_hidden").
static bool parse_node(struct pl_strv node, struct pl_remote *remote) {
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
  struct pl_network network;
  if (pl_network_parse(node, &network)) return false;
  snprintf(remote->address, sizeof remote->address, "%.*s", (int)node.len, node.data);
  remote->port = port.len > 1 ? atoi(port.data + 1) : 0;
  return true;
}

// Goes back through the list for as long as the address it stands at is a trusted proxy's.
static struct pl_strv walk_back(struct pl_strv list, bool is_forwarded,
                                const struct pl_config *config, struct pl_remote *remote) {
  struct pl_strv element = {0};
  while (list.len && pl_trusted_contains(&config->proxy_trusted, remote->address)) {
    struct pl_strv next = take_last(&list);
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
  struct pl_strv forwarded = pl_headers_first(headers, PL_STRV("forwarded"));
  if (forwarded.len) {
    struct pl_strv element = walk_back(forwarded, true, config, remote);
    struct pl_strv host = parameter(element, PL_STRV("host"));
    set_scheme(remote, parameter(element, PL_STRV("proto")));
    if (host.len) remote->host = host;
    return;
  }
  struct pl_strv host = pl_headers_first(headers, PL_STRV("x-forwarded-host"));
  struct pl_strv proto = pl_headers_first(headers, PL_STRV("x-forwarded-proto"));
  walk_back(pl_headers_first(headers, PL_STRV("x-forwarded-for")), false, config, remote);
  set_scheme(remote, take_last(&proto));
  if (host.len) remote->host = take_last(&host);
}
