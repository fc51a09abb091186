/// Open regular files, for answers that are read from disk: opened so that a path from a client
/// cannot leave its root, and counted, so that whoever still reads keeps the descriptor.
/// Opening may block; io/file_job.h opens and reads without blocking the loop.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct pl_file {
  int fd;               ///< CLOEXEC, read only
  unsigned references;  ///< the loop's thread only
  uint64_t size;        ///< bytes, when it was opened
  int64_t mtime_s;      ///< last change of the content
  uint32_t mtime_ns;    ///< its nanoseconds
  uint64_t device;      ///< with inode: which file it is, whatever its name
  uint64_t inode;
};

/// For root_fd: no root, the path is taken as open(2) takes it.
enum { PL_FILE_NO_ROOT = -1 };

/// Opens the regular file `path`, relative to the folder root_fd, which it cannot leave: neither by
/// `..`, nor by being absolute, nor through a symbolic link (links that stay inside are followed
/// where the kernel has openat2, and refused with -EACCES or -ENOENT elsewhere). With
/// PL_FILE_NO_ROOT nothing of this holds. Does not wait for the writer of a FIFO.
/// Returns: 0 and *file with one reference; -EISDIR: a folder; -ENOENT; -EACCES: not allowed, not a
/// regular file, or outside the root; else what prevented it (PL_ENOMEM, -EMFILE, -EIO, ...).
/// Thread:  any.
PL_MUST_CHECK int pl_file_open_beneath(int root_fd, const char *path, struct pl_file **file);

/// The same, but PL_EAGAIN when the kernel cannot tell without the disk, or not at all.
PL_MUST_CHECK int pl_file_open_cached(int root_fd, const char *path, struct pl_file **file);

/// One more reference. Returns: file.
struct pl_file *pl_file_ref(struct pl_file *file);

/// Gives a reference back; the last one closes the file. NULL is allowed.
void pl_file_unref(struct pl_file *file);
