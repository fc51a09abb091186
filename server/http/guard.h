/// The line structure of a header block, checked before llhttp sees it: a CR or LF on its own, a
/// NUL, or a folded line is how requests are smuggled past parsers (CVE-2024-27982, CVE-2023-30589,
/// CVE-2025-23167).
#pragma once

#include <stddef.h>

#include "base/base.h"
#include "base/strv.h"

struct pl_guard {
  size_t length;        ///< of the whole block with its empty line; 0: its end has not come
  size_t first_line;    ///< length of the first line with CR LF; 0: its end has not come
  size_t lines;         ///< lines that have ended, the empty one not counted
  size_t scanned;       ///< bytes looked at: length, or all of the input
  const char *problem;  ///< what was wrong
};

/// A request head: a request line, fields, an empty line. Returns: 0, or PL_EPROTO and g->problem.
PL_MUST_CHECK int pl_guard_scan(struct pl_strv input, struct pl_guard *g);

/// Trailers: fields (maybe none) and an empty line. Returns as above.
PL_MUST_CHECK int pl_guard_scan_trailers(struct pl_strv input, struct pl_guard *g);
