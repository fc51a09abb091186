/// "Did you mean ...?": the name that is nearest to a mistyped word.
///
///   struct pl_suggest s = pl_suggest_for(word);
///   for (each name) pl_suggest_offer(&s, name);
///   if (s.best) ...
#pragma once

#include <stddef.h>

#include "base/strv.h"

struct pl_suggest {
  struct pl_strv word;  ///< what was typed
  const char *best;     ///< the nearest name offered so far, NULL when none is near enough
  size_t distance;      ///< its distance
};

struct pl_suggest pl_suggest_for(struct pl_strv word);

/// Takes `name` (kept by pointer) when it is nearer than those before. Near enough is one slip in
/// three letters: an insertion, a deletion, a replacement or two neighbours swapped. The case of
/// letters does not count; a missing section in front ("body" for "limits.body") is one slip.
void pl_suggest_offer(struct pl_suggest *s, const char *name);
