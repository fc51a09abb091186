/// Who a request came from: the peer, or, when the peer is a trusted proxy, whoever it speaks for.
#pragma once

#include <stdbool.h>

#include "base/strv.h"

struct pl_config;
struct pl_exchange;

struct pl_remote {
  char address[64];     ///< numeric, or "unix:"
  int port;             ///< 0: unknown
  bool is_secure;       ///< the client's connection is TLS
  struct pl_strv host;  ///< with port; a view into the request
};

/// Forwarded (RFC 7239), or X-Forwarded-For, -Proto and -Host where there is none, are believed
/// only as far as proxy.trusted goes: the client is the nearest address, read from the right, that
/// is not a trusted proxy.
void pl_remote_of(struct pl_exchange *x, const struct pl_config *config, struct pl_remote *remote);
