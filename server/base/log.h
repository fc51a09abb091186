/// The log. A line goes into a ring of the calling thread; one writer thread per process takes the
/// lines out and writes them in batches. The caller never waits: when its ring is full the line is
/// dropped and counted, and later one line says how many there were.
///
/// Thread: any, unless it says otherwise. Lines of one thread keep their order. Before start and
/// after stop a line is written to stderr directly, or dropped when stderr would block.
#pragma once

#include "base/log_line.h"

/// Starts the writer. Every signal is blocked in it.
/// @param level what is less important is not written
/// @param fd stays the caller's, open until pl_log_stop; a pipe, a terminal, a file, a socket
/// Returns: 0, or a negative errno value (EBUSY: a writer that stop gave up on is still stuck).
/// Thread: main.
PL_MUST_CHECK int pl_log_start(enum pl_log_level level, enum pl_log_format format, int fd);

/// Has the lines written that are there; gives up after a second when nobody reads them. The other
/// threads that logged should be gone by now: of what they log meanwhile, lines may be lost.
/// Thread: main.
void pl_log_stop(void);

/// Whether a line of this level would be written: for callers whose line is costly to make.
bool pl_log_is_enabled(enum pl_log_level level);

/// Logs formatted text.
void pl_log(enum pl_log_level level, const char *format, ...) PL_PRINTF(2, 3);

/// Logs a message and `count` named values.
void pl_log_fields(enum pl_log_level level, struct pl_strv message,
                   const struct pl_log_field *fields, size_t count);

/// Logs an answered request, at the level info.
void pl_log_access(const struct pl_log_access *access);

/// Lines that were dropped since the process began: no room in a ring, or the write failed.
uint64_t pl_log_dropped(void);
