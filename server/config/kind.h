/// The kinds of values that config.def's rows choose from: their C types, how each is read, shown
/// and freed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/cidr.h"
#include "base/strv.h"

// The C type of each KIND of config.def.
#define PL_CONFIG_C_COUNT uint64_t
#define PL_CONFIG_C_COUNT_OR_AUTO uint64_t
#define PL_CONFIG_C_SIZE uint64_t
#define PL_CONFIG_C_SIZE_OR_NONE uint64_t
#define PL_CONFIG_C_TIME_OR_NONE uint64_t
#define PL_CONFIG_C_BOOLEAN bool
#define PL_CONFIG_C_TEXT_OR_NONE char *
#define PL_CONFIG_C_CHOICE unsigned
#define PL_CONFIG_C_ADDRESSES struct pl_config_addresses
#define PL_CONFIG_C_NETWORKS struct pl_trusted

/// A size that `false` has lifted: larger than everything it is compared with.
#define PL_CONFIG_UNBOUNDED UINT64_MAX

/// limits.connections and workers: "auto".
enum { PL_CONFIG_AUTO = 0 };

/// The value of `listen`.
struct pl_config_addresses {
  struct pl_address *items;  ///< owned
  size_t count;              ///< at least 1
};

/// What form a value was given in.
enum pl_config_form {
  PL_CONFIG_FORM_TEXT,    ///< environment or flag: whatever its text says; a list has commas
  PL_CONFIG_FORM_STRING,  ///< the others come from a file and must be of the key's type
  PL_CONFIG_FORM_NUMBER,
  PL_CONFIG_FORM_BOOLEAN,
  PL_CONFIG_FORM_LIST,
  PL_CONFIG_FORM_OTHER  ///< a function, say: wrong for every key; the one item is its type's name
};

/// A value before it is understood. All but a list have exactly one item.
struct pl_config_input {
  enum pl_config_form form;
  const struct pl_strv *items;
  size_t count;
};

struct pl_config_kind;

/// One row of config.def.
struct pl_config_key {
  const char *name;
  const struct pl_config_kind *kind;
  size_t offset;         ///< of its member in struct pl_config
  const char *standard;  ///< the default, as text
  const char *min;
  const char *max;
  const char *doc;
};

/// What was wrong with a value, where a kind knows more than that. All zeros: it does not.
struct pl_config_complaint {
  struct pl_strv culprit;  ///< the item of a list that was refused
  char reason[256];        ///< shown instead of `expected`
};

/// One kind: stateless, shared by all keys of it.
struct pl_config_kind {
  const char *expected;  ///< "a size is expected (64k, 8m, 2g)"
  bool lists_words;      ///< key->min, the words to choose from, follows `expected`
  const char *unit;      ///< " bytes": what the bounds count, behind them; NULL: nothing
  /// Stores the input in *member, replacing what it had. Returns: 0; PL_EINVAL: of another kind;
  /// PL_ELIMIT: out of the key's bounds; PL_ENOMEM. On failure *member is unchanged, and
  /// *complaint may be filled in.
  int (*parse)(const struct pl_config_key *key, const struct pl_config_input *input, void *member,
               struct pl_config_complaint *complaint);
  /// Appends the value as a Lua expression. Returns: 0, PL_ENOMEM.
  int (*format)(const struct pl_config_key *key, const void *member, struct pl_buf *out);
  /// Frees what the value owns; NULL when it owns nothing.
  void (*clear)(void *member);
};

// One for each KIND of config.def.
extern const struct pl_config_kind pl_config_kind_COUNT;
extern const struct pl_config_kind pl_config_kind_COUNT_OR_AUTO;
extern const struct pl_config_kind pl_config_kind_SIZE;
extern const struct pl_config_kind pl_config_kind_SIZE_OR_NONE;
extern const struct pl_config_kind pl_config_kind_TIME_OR_NONE;
extern const struct pl_config_kind pl_config_kind_BOOLEAN;
extern const struct pl_config_kind pl_config_kind_TEXT_OR_NONE;
extern const struct pl_config_kind pl_config_kind_CHOICE;
extern const struct pl_config_kind pl_config_kind_ADDRESSES;
extern const struct pl_config_kind pl_config_kind_NETWORKS;

/// Appends text as a quoted Lua string; control bytes are escaped. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_config_quote(struct pl_strv text, struct pl_buf *out);
