// Kinds with many values: addresses to serve, networks to trust. A file gives one value or a list,
// the environment and --set give values with commas between them.
#include "config/kind.h"

#include "base/error.h"
#include "base/mem.h"
#include "config/units.h"

#include <stdio.h>

// The values of an input, one after the other.
struct cursor {
  const struct pl_config_input *input;
  size_t next;          ///< item
  struct pl_strv rest;  ///< of a text with commas
};

static struct cursor begin(const struct pl_config_input *input) {
  struct cursor c = {.input = input};
  if (input->form == PL_CONFIG_FORM_TEXT) c.rest = pl_strv_trim(input->items[0]);
  return c;
}

static bool next_value(struct cursor *c, struct pl_strv *value) {
  if (c->input->form != PL_CONFIG_FORM_TEXT) {
    if (c->next == c->input->count) return false;
    *value = c->input->items[c->next++];
    return true;
  }
  if (c->rest.len == 0) return false;
  const char *comma = memchr(c->rest.data, ',', c->rest.len);
  size_t len = comma ? (size_t)(comma - c->rest.data) : c->rest.len;
  size_t used = comma ? len + 1 : len;
  *value = pl_strv_trim(pl_strv(c->rest.data, len));
  c->rest = pl_strv(c->rest.data + used, c->rest.len - used);
  return true;
}

// Adds one value to the list that `list` points to.
typedef int add_value(void *list, struct pl_strv value, struct pl_config_complaint *complaint);

// Adds all values to the empty `list`, whose clean-up is the caller's, and checks their number.
static int collect(const struct pl_config_key *key, const struct pl_config_input *input,
                   add_value *add, void *list, struct pl_config_complaint *complaint) {
  bool is_wrong = input->form == PL_CONFIG_FORM_BOOLEAN || input->form == PL_CONFIG_FORM_OTHER;
  if (is_wrong) return PL_EINVAL;
  uint64_t min, max, count = 0;
  int rc = pl_units_parse(PL_UNITS_COUNT, pl_strv_of(key->min), &min);
  if (rc == 0) rc = pl_units_parse(PL_UNITS_COUNT, pl_strv_of(key->max), &max);
  if (rc < 0) return rc;
  struct cursor c = begin(input);
  for (struct pl_strv value; next_value(&c, &value);) {
    if (++count > max) return PL_ELIMIT;
    rc = add(list, value, complaint);
    if (rc == PL_EINVAL) complaint->culprit = value;
    if (rc < 0) return rc;
  }
  return count < min ? PL_ELIMIT : 0;
}

// --- addresses -----------------------------------------------------------------------------------

static void clear_addresses(void *member) {
  struct pl_config_addresses *addresses = member;
  pl_mem_free(addresses->items);
  *addresses = (struct pl_config_addresses){0};
}

static int add_address(void *list, struct pl_strv value, struct pl_config_complaint *complaint) {
  struct pl_config_addresses *addresses = list;
  struct pl_address address;
  char error[2 * sizeof complaint->reason];
  if (pl_address_parse(value, &address, error, sizeof error) < 0) {
    size_t quoted = value.len + strlen("\"\": ");  // the report quotes the value itself
    if (strlen(error) > quoted) {
      snprintf(complaint->reason, sizeof complaint->reason, "%s", error + quoted);
    }
    return PL_EINVAL;
  }
  struct pl_address *grown =
      pl_mem_realloc(addresses->items, (addresses->count + 1) * sizeof address);
  if (!grown) return PL_ENOMEM;
  addresses->items = grown;
  addresses->items[addresses->count++] = address;
  return 0;
}

static int parse_addresses(const struct pl_config_key *key, const struct pl_config_input *input,
                           void *member, struct pl_config_complaint *complaint) {
  struct pl_config_addresses addresses = {0};
  int rc = collect(key, input, add_address, &addresses, complaint);
  if (rc < 0) {
    clear_addresses(&addresses);
    return rc;
  }
  clear_addresses(member);
  *(struct pl_config_addresses *)member = addresses;
  return 0;
}

static int format_addresses(const struct pl_config_key *key, const void *member,
                            struct pl_buf *out) {
  (void)key;
  const struct pl_config_addresses *addresses = member;
  bool is_list = addresses->count != 1;
  int rc = is_list ? pl_buf_append(out, "{", 1) : 0;
  for (size_t i = 0; i < addresses->count && rc == 0; i++) {
    if (i > 0) rc = pl_buf_append(out, ", ", 2);
    if (rc == 0) rc = pl_config_quote(pl_strv_of(addresses->items[i].text), out);
  }
  return rc == 0 && is_list ? pl_buf_append(out, "}", 1) : rc;
}

// --- networks ------------------------------------------------------------------------------------

static void clear_networks(void *member) {
  pl_trusted_deinit(member);
}

static int add_network(void *list, struct pl_strv value, struct pl_config_complaint *complaint) {
  (void)complaint;
  return pl_trusted_add(list, value);
}

static int parse_networks(const struct pl_config_key *key, const struct pl_config_input *input,
                          void *member, struct pl_config_complaint *complaint) {
  struct pl_trusted trusted = {0};
  int rc = collect(key, input, add_network, &trusted, complaint);
  if (rc < 0) {
    pl_trusted_deinit(&trusted);
    return rc;
  }
  pl_trusted_deinit(member);
  *(struct pl_trusted *)member = trusted;
  return 0;
}

static int format_networks(const struct pl_config_key *key, const void *member,
                           struct pl_buf *out) {
  (void)key;
  const struct pl_trusted *trusted = member;
  const char *separator = "";
  int rc = pl_buf_append(out, "{", 1);
  for (size_t i = 0; i < trusted->count && rc == 0; i++) {
    char text[64];
    pl_network_format(&trusted->networks[i], text, sizeof text);
    rc = pl_buf_printf(out, "%s\"%s\"", separator, text);
    separator = ", ";
  }
  if (rc == 0 && trusted->is_unix_trusted) rc = pl_buf_printf(out, "%s\"unix\"", separator);
  return rc == 0 ? pl_buf_append(out, "}", 1) : rc;
}

// --- the kinds -----------------------------------------------------------------------------------

const struct pl_config_kind pl_config_kind_ADDRESSES = {
    .expected = "an address is expected (8080, 127.0.0.1:8080, [::1]:8080, unix:/run/app.sock)",
    .unit = " addresses",
    .parse = parse_addresses,
    .format = format_addresses,
    .clear = clear_addresses,
};
const struct pl_config_kind pl_config_kind_NETWORKS = {
    .expected = "an address or a network is expected (127.0.0.1, 10.0.0.0/8, fd00::/8, unix)",
    .unit = " networks",
    .parse = parse_networks,
    .format = format_networks,
    .clear = clear_networks,
};
