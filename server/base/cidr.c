// Networks are kept as the bytes of their address and compared byte by byte, then bit by bit. IPv4
// and IPv6 stay apart, so that ::/0 does not mean every IPv4 peer too; only the mapped form, in
// which a dual-stack socket reports IPv4 peers, is turned back.
#include "base/cidr.h"

#include "base/error.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { V4_BITS = 32, V6_BITS = 128, MAPPED_BITS = 96, TEXT_BYTES = 64 };

static bool is_mapped(const uint8_t bytes[16]) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  return memcmp(bytes, mapped, sizeof mapped) == 0;
}

// Reads an address of either family. A mapped one becomes IPv4; *unmapped says that it was one.
static int parse_address(const char *text, struct pl_network *out, bool *unmapped) {
  *unmapped = false;
  *out = (struct pl_network){.prefix = V4_BITS, .is_v4 = true};
  if (inet_pton(AF_INET, text, out->bytes) == 1) return 0;
  *out = (struct pl_network){.prefix = V6_BITS};
  if (inet_pton(AF_INET6, text, out->bytes) != 1) return PL_EINVAL;
  if (!is_mapped(out->bytes)) return 0;
  struct pl_network v4 = {.prefix = V4_BITS, .is_v4 = true};
  memcpy(v4.bytes, out->bytes + 12, 4);
  *out = v4;
  *unmapped = true;
  return 0;
}

// One to three digits and nothing else. Returns: the number, or -1.
static int parse_prefix(const char *text) {
  size_t len = strlen(text);
  if (len < 1 || len > 3 || strspn(text, "0123456789") != len) return -1;
  int n = 0;
  for (; *text; text++) n = n * 10 + (*text - '0');
  return n;
}

static void clear_host_bits(struct pl_network *network) {
  for (unsigned bit = network->prefix; bit < V6_BITS; bit++) {
    network->bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
  }
}

int pl_network_parse(struct pl_strv text, struct pl_network *out) {
  char copy[TEXT_BYTES];
  if (text.len >= sizeof copy || memchr(text.data, '\0', text.len)) return PL_EINVAL;
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  char *slash = strchr(copy, '/');
  if (slash) *slash = '\0';
  struct pl_network network;
  bool unmapped;
  int rc = parse_address(copy, &network, &unmapped);
  if (rc < 0) return rc;
  if (slash) {
    int prefix = parse_prefix(slash + 1) - (unmapped ? MAPPED_BITS : 0);
    if (prefix < 0 || prefix > network.prefix) return PL_EINVAL;
    network.prefix = (uint8_t)prefix;
  }
  clear_host_bits(&network);
  *out = network;
  return 0;
}

void pl_network_format(const struct pl_network *network, char *out, size_t size) {
  char address[INET6_ADDRSTRLEN];
  inet_ntop(network->is_v4 ? AF_INET : AF_INET6, network->bytes, address, sizeof address);
  bool is_single = network->prefix == (network->is_v4 ? V4_BITS : V6_BITS);
  if (is_single) {
    snprintf(out, size, "%s", address);
  } else {
    snprintf(out, size, "%s/%u", address, (unsigned)network->prefix);
  }
}

int pl_trusted_add(struct pl_trusted *list, struct pl_strv text) {
  if (pl_strv_eq(text, PL_STRV("unix"))) {
    list->is_unix_trusted = true;
    return 0;
  }
  struct pl_network network;
  int rc = pl_network_parse(text, &network);
  if (rc < 0) return rc;
  struct pl_network *grown =
      pl_mem_realloc(list->networks, (list->count + 1) * sizeof *list->networks);
  if (!grown) return PL_ENOMEM;
  list->networks = grown;
  list->networks[list->count++] = network;
  return 0;
}

static bool network_contains(const struct pl_network *network, const struct pl_network *peer) {
  if (network->is_v4 != peer->is_v4) return false;
  size_t whole = network->prefix / 8;
  unsigned rest = network->prefix % 8;
  if (memcmp(network->bytes, peer->bytes, whole) != 0) return false;
  return rest == 0 || (network->bytes[whole] ^ peer->bytes[whole]) >> (8 - rest) == 0;
}

bool pl_trusted_contains(const struct pl_trusted *list, const char *peer) {
  if (strncmp(peer, "unix:", 5) == 0) return list->is_unix_trusted;
  if (list->count == 0) return false;
  char copy[TEXT_BYTES];
  size_t len = strcspn(peer, "%");
  if (len >= sizeof copy) return false;
  memcpy(copy, peer, len);
  copy[len] = '\0';
  struct pl_network address;
  bool unmapped;
  if (parse_address(copy, &address, &unmapped) < 0) return false;
  for (size_t i = 0; i < list->count; i++) {
    if (network_contains(&list->networks[i], &address)) return true;
  }
  return false;
}

void pl_trusted_deinit(struct pl_trusted *list) {
  pl_mem_free(list->networks);
  *list = (struct pl_trusted){0};
}
