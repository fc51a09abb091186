/// Opening and reading files without blocking the loop: at once when the kernel can answer from its
/// caches, else on the thread pool.
///
/// Both operations can be cancelled at any time: the callback is not called then, and the struct
/// and the buffer are the caller's again at once. What still runs on the pool owns all that it
/// uses.
///
/// Thread: the loop's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "io/file.h"

struct pl_loop;
struct pl_file_open_job;
struct pl_file_read_job;

enum { PL_FILE_PIECE_BYTES = 64 * 1024 };  // a read returns at most that many

/// One opening. All zeros but on_done = nothing is pending.
struct pl_file_open {
  /// Follows PL_EAGAIN, in a later turn: 0 and the file with one reference, or as
  /// pl_file_open_beneath, with NULL.
  void (*on_done)(struct pl_file_open *open, int status, struct pl_file *file);
  struct pl_file_open_job *job;  ///< what is pending, or NULL
};

/// Starts what pl_file_open_beneath does. path is copied, root_fd may be closed afterwards.
/// Returns: 0 and *file: it is open already; PL_EAGAIN: on_done will follow; or an error.
PL_MUST_CHECK int pl_file_open_start(struct pl_file_open *open, struct pl_loop *loop, int root_fd,
                                     const char *path, struct pl_file **file);

/// Harmless when nothing is pending.
void pl_file_open_cancel(struct pl_file_open *open);

/// One reading. All zeros but on_done = nothing is pending.
struct pl_file_read {
  /// Follows PL_EAGAIN, in a later turn: 0 and how many bytes have been laid into the buffer (0 at
  /// the end of the file), or an error.
  void (*on_done)(struct pl_file_read *read, int status, size_t count);
  char *buffer;                  ///< while something is pending
  struct pl_file_read_job *job;  ///< what is pending, or NULL
};

/// Reads up to `size` bytes, at most PL_FILE_PIECE_BYTES, from `offset`; fewer are no sign of the
/// end. Keeps a reference of file while it is pending.
/// Returns: 0 and *count (0 at the end of the file): done; PL_EAGAIN: on_done will follow; or an
/// error.
PL_MUST_CHECK int pl_file_read_start(struct pl_file_read *read, struct pl_loop *loop,
                                     struct pl_file *file, uint64_t offset, char *buffer,
                                     size_t size, size_t *count);

/// Harmless when nothing is pending.
void pl_file_read_cancel(struct pl_file_read *read);
