/// application/x-www-form-urlencoded: query strings and the bodies of forms.
///
/// "+" is a space. Pieces between "&" that are empty are skipped; one without "=" has an empty
/// value; an empty name is kept ("=1"). Unlike in a path, %00 is allowed: forms carry any bytes.
/// A "%" without two hexadecimal digits behind it is an error: what a browser would make of it, the
/// "%" itself, would let two servers read one query in two ways.
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "http/pairs.h"

/// Takes the next pair off *rest. Names and values are views of the text where nothing had to be
/// decoded, else in the arena.
/// Returns: 0; PL_EOF: no more pairs; PL_EINVAL: invalid encoding (400); PL_ENOMEM.
PL_MUST_CHECK int pl_query_next(struct pl_strv *rest, struct pl_arena *arena, struct pl_pair *pair);

/// All pairs of `text`, the list itself in the arena.
/// @param max  limits.query: pairs at most
/// Returns: 0; PL_ELIMIT: more than max (400); PL_EINVAL, PL_ENOMEM as above.
PL_MUST_CHECK int pl_query_parse(struct pl_strv text, size_t max, struct pl_arena *arena,
                                 struct pl_pairs *out);
