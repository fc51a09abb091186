/// Networks in CIDR form, and the list of those that are trusted as proxies.
///
/// A list is built once at start and only read afterwards, on any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"

/// One IPv4 or IPv6 network; an address alone is a network of one.
struct pl_network {
  uint8_t bytes[16];  ///< the network's address; bits behind the prefix are 0
  uint8_t prefix;     ///< bits that count: 0..32 or 0..128
  bool is_v4;         ///< 4 of the bytes count
};

/// Who may speak for others. All zeros trusts nobody.
struct pl_trusted {
  struct pl_network *networks;  ///< owned
  size_t count;
  bool is_unix_trusted;  ///< peers on unix sockets
};

/// "10.0.0.0/8", "127.0.0.1", "fd00::/8", "::1". Bits behind the prefix are cleared; an IPv4-mapped
/// IPv6 address (::ffff:10.0.0.1) is the IPv4 address.
/// Returns: 0, or PL_EINVAL and *out untouched.
PL_MUST_CHECK int pl_network_parse(struct pl_strv text, struct pl_network *out);

/// The network as text, without "/32" and "/128"; out holds any network with 64 bytes.
void pl_network_format(const struct pl_network *network, char *out, size_t size);

/// Adds one of pl_network_parse's forms or "unix".
/// Returns: 0, PL_EINVAL or PL_ENOMEM; the list is unchanged then.
PL_MUST_CHECK int pl_trusted_add(struct pl_trusted *list, struct pl_strv text);

/// Whether the peer is in the list. `peer` is a numeric address without port, with or without a
/// scope (fe80::1%eth0), or "unix:" and whatever follows; anything else is not trusted.
bool pl_trusted_contains(const struct pl_trusted *list, const char *peer);

/// Gives the memory back; the list is empty afterwards.
void pl_trusted_deinit(struct pl_trusted *list);
