/// A file in the making, written on the thread pool: under a temporary name in the same folder
/// until it is complete, then renamed over its target, so that nobody ever sees half of it. Nothing
/// is synced to the disk.
///
///   open -> write ... -> commit        each is one step: start it, wait for on_done
///        `----abandon-------> the temporary file is removed; allowed at any time
///
/// Thread: the loop's.
#pragma once

#include "base/base.h"
#include "base/buf.h"

struct pl_loop;
struct pl_file_save_job;

/// Embed it. All zeros but on_done = nothing was opened.
struct pl_file_save {
  /// A step is over: 0, or a negative errno value (abandon follows then). In a later turn than the
  /// step's start.
  void (*on_done)(struct pl_file_save *save, int status);
  struct pl_file_save_job *job;  ///< what the pool works on; NULL: not open, committed or abandoned
};

/// Makes the temporary file beside `path`, which is copied.
/// Returns: 0: on_done follows; PL_ENOMEM or a libuv error: nothing was begun.
PL_MUST_CHECK int pl_file_save_open(struct pl_file_save *save, struct pl_loop *loop,
                                    const char *path);

/// Appends the bytes of `data`, whose memory goes to the job: it is empty afterwards.
/// Returns: as open.
PL_MUST_CHECK int pl_file_save_write(struct pl_file_save *save, struct pl_buf *data);

/// Gives the file its name. When on_done reports 0 the save is over. Returns: as open.
PL_MUST_CHECK int pl_file_save_commit(struct pl_file_save *save);

/// Ends it: on_done is not called any more and the temporary file is removed (soon, on the pool). A
/// commit that runs already may still succeed. Harmless when nothing is open.
void pl_file_save_abandon(struct pl_file_save *save);
