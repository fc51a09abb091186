/// The path of a request, split, decoded and normalised: what routes are matched against.
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "base/strv.h"

/// Segments that need no memory of the arena.
enum { PL_PATH_LOCAL = 16 };

/// A path as routes see it. Segments are separated by the "/" of the raw path only, decoded once;
/// "." and ".." are resolved; empty ones stay: "/" has one empty segment, "/a/" has "a" and "".
/// Not to be moved or copied: `segments` may point to `local`.
struct pl_path {
  /// Decoded, for people and scripts: what "%2F" and "%25" stood for is still written so, since a
  /// decoded "/" could not be told from a separator, nor "%252F" from "%2F". Decoding it once,
  /// segment by segment, gives the segments.
  struct pl_strv text;
  struct pl_strv *segments;  ///< fully decoded; they lie in memory as in a path, "/" between them
  size_t count;              ///< of segments, at least 1
  size_t slash_count;        ///< how many segments lead up to and with the last that contains a "/"
  struct pl_strv local[PL_PATH_LOCAL];
};

/// Splits, decodes and normalises `raw`, the raw_path of a target (so without raw control bytes,
/// "?" and "#"). A path of at most PL_PATH_LOCAL segments without "%" and
/// dot segments is not copied: all views are of `raw`.
/// Returns: 0; PL_EINVAL: it does not begin with "/", invalid encoding, or %00 (400); PL_ENOMEM.
PL_MUST_CHECK int pl_path_parse(struct pl_strv raw, struct pl_arena *arena, struct pl_path *out);

/// Segment `first` and all behind it, as one decoded text with "/" between them (for "*rest").
/// Returns: 0; PL_EINVAL: one of them contains an encoded slash, which would look like a separator.
PL_MUST_CHECK int pl_path_rest(const struct pl_path *path, size_t first, struct pl_strv *rest);
