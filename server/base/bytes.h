/// Bytes outside every Lua heap, counted by reference: request bodies, arrays, what crosses
/// threads. Every holder has a reference; the last one frees them.
///
/// data is aligned to 64 bytes, and PL_BYTES_PAD readable bytes follow the last one, so that a
/// kernel may load a whole vector from any element.
///
/// Who may write: the only holder, and not once they are frozen. Nothing here checks that; it is
/// the business of whoever hands them out (structs/box.h).
///
/// Thread: references may be taken and given back on any thread. Contents, size and flags belong
/// to the only holder; once frozen they never change and every thread may read them.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum { PL_BYTES_ALIGN = 64, PL_BYTES_PAD = 16 };

struct pl_bytes {
  char *data;             ///< PL_BYTES_ALIGN
  size_t size;            ///< bytes in use
  size_t cap;             ///< bytes that there is room for, the pad not counted
  _Atomic uint32_t refs;  ///< holders
  bool is_frozen;         ///< nobody may write any more
  uint32_t pins;          ///< who reads or writes them outside the script, right now
  char user[48];          ///< while pinned: the latest of these, for messages
  void *map;              ///< data is in a mapping of map_bytes bytes; NULL: in `block`
  size_t map_bytes;
  bool is_file;  ///< a file's pages, which the kernel takes back when it needs them
  void *block;   ///< the allocation that data lies in; NULL: there is none yet (cap 0)
};

/// Payload bytes that were copied by pl_bytes_copy since the process began, on all threads: what
/// structs.md 4.5 has a budget for.
struct pl_bytes_copies {
  uint64_t count;
  uint64_t bytes;
};

/// `size` bytes, all zero, with room for exactly as many, and one reference.
/// Returns: NULL: out of memory.
PL_MUST_CHECK struct pl_bytes *pl_bytes_new(size_t size);

/// No bytes yet, with room for `cap`; what is beyond `size` is not initialised. As pl_bytes_new.
PL_MUST_CHECK struct pl_bytes *pl_bytes_new_empty(size_t cap);

/// The same, and it can grow to `most` bytes without moving: the addresses are taken at once,
/// memory only for the pages that are written. For bodies whose length is announced.
PL_MUST_CHECK struct pl_bytes *pl_bytes_new_within(size_t cap, size_t most);

/// The first `size` bytes of the open file fd, mapped and frozen: nothing is copied. fd may be
/// closed afterwards. Who shortens the file meanwhile ends the process (SIGBUS): only for files
/// that are not written in place.
/// Returns: 0 and *bytes; PL_EINVAL: the file is shorter; PL_ENOMEM, or another error.
PL_MUST_CHECK int pl_bytes_map(int fd, size_t size, struct pl_bytes **bytes);

/// Room for at least `cap` bytes; contents may move, but not those of pl_bytes_new_within, which
/// have room for `most` only. Only for the only holder. Returns: 0, PL_ENOMEM (nothing changed).
PL_MUST_CHECK int pl_bytes_reserve(struct pl_bytes *bytes, size_t cap);

/// `n` bytes of the room behind the last byte have been written. The pad behind them is cleared.
void pl_bytes_grew(struct pl_bytes *bytes, size_t n);

/// Returns: bytes, for the new holder.
struct pl_bytes *pl_bytes_ref(struct pl_bytes *bytes);

/// NULL is allowed.
void pl_bytes_unref(struct pl_bytes *bytes);

/// Whether the caller is the only holder.
bool pl_bytes_is_alone(const struct pl_bytes *bytes);

/// memmove that is counted: the only way by which payload is copied from bytes to bytes, from
/// bytes to a cell, and from what was received into a body.
void pl_bytes_copy(void *to, const void *from, size_t size);

struct pl_bytes_copies pl_bytes_copies(void);

/// While something outside the script uses the bytes (an answer on its way, a kernel on the thread
/// pool) nobody may change or move them. Counted; nothing for frozen bytes, and nobody may freeze
/// what is pinned. The pinner has a reference. Thread: the holder's.
/// @param user "the answer", "vec3.add": for messages
void pl_bytes_pin(struct pl_bytes *bytes, const char *user);
void pl_bytes_unpin(struct pl_bytes *bytes);
