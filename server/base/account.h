/// Bytes that one worker holds for its requests: what C holds in buffers and arenas that point
/// here, and its Lua heaps, which report from time to time. limits.memory bounds their sum.
///
/// C's bytes are those that a client or a script can make large: bodies, unsent answers, arenas.
/// What has a fixed size per connection or request is bounded by their number and not counted.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

struct pl_account {
  size_t bytes;    ///< held
  size_t limit;    ///< SIZE_MAX = none
  size_t tight;    ///< three quarters of it
  size_t ceiling;  ///< twice the limit: C's large blocks are refused beyond it, as Lua's are
  /// Gives back what is not needed: collects garbage, frees spare buffers. May be NULL. Called when
  /// the limit is exceeded; the callee sees to it that this is not often.
  void (*relieve)(struct pl_account *account);
};

/// A block of this size or less is never refused: the answer that says that memory is short needs
/// one.
enum { PL_ACCOUNT_SMALL = 16 * 1024 };

/// @param limit bytes; SIZE_MAX / 2 and more: none
void pl_account_init(struct pl_account *account, size_t limit);

/// C's bytes go from `old_bytes` to `bytes`. Returns: false: that is beyond the ceiling, and
/// nothing has changed; true always when they become fewer. A NULL account has no bounds.
static inline bool pl_account_move(struct pl_account *account, size_t old_bytes, size_t bytes) {
  if (!account) return true;
  size_t all = account->bytes - old_bytes + bytes;
  bool is_large = bytes > old_bytes && bytes > PL_ACCOUNT_SMALL;
  if (PL_UNLIKELY(is_large && all > account->ceiling)) return false;
  account->bytes = all;
  return true;
}

/// `bytes` have been given back.
static inline void pl_account_give(struct pl_account *account, size_t bytes) {
  if (account) account->bytes -= bytes;
}

/// Whether more than three quarters of the limit are in use: nothing that can wait should take
/// more. False for NULL.
static inline bool pl_account_is_tight(const struct pl_account *account) {
  return account && account->bytes > account->tight;
}

/// Gives back what can be, if that was not tried a moment ago. NULL is allowed.
void pl_account_relieve(struct pl_account *account);

/// Relieves. Returns: whether that was not enough.
bool pl_account_stays_short(struct pl_account *account);

/// Whether more than the limit is in use, also after `relieve`: what needs memory is refused.
/// False for NULL.
static inline bool pl_account_is_short(struct pl_account *account) {
  if (PL_LIKELY(!account || account->bytes <= account->limit)) return false;
  return pl_account_stays_short(account);
}
