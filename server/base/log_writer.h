/// The one thread that takes lines out of the rings and writes them in batches.
///
/// Thread: any, unless it says otherwise.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/log_line.h"

/// Starts it; every signal is blocked in it. @param format of its own lines. @param fd see log.h
/// Returns: 0, or a negative errno value (EBUSY: one that stop gave up on is still stuck).
/// Thread: main.
PL_MUST_CHECK int pl_log_writer_start(enum pl_log_format format, int fd);

/// Has it write what is there and end; gives up after a second. Returns: whether it has ended.
/// Thread: main.
bool pl_log_writer_stop(void);

/// A ring has got a line. @param is_urgent it shall be written at once
void pl_log_writer_wake(bool is_urgent);

/// Lines were dropped: the writer tells how many, when it can.
void pl_log_writer_count_dropped(uint64_t lines);

/// How many have been since the process began.
uint64_t pl_log_writer_dropped(void);
