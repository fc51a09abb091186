/// The bytes of a request body that is kept whole (x->body): how much room they get, and that it is
/// counted.
///
/// Memory grows with what has come, never with what is announced, but for the modest:
///
///   a length of up to 256 KiB  all of it at once, while half of limits.memory is free
///   a longer one               room by doubling, from 64 KiB, in place: only addresses are taken
///                              for all of it, so that what has come is never moved
///   no length, or less memory  room by doubling, from 4 KiB
///
/// Thread: the worker's.
#pragma once

#include <stddef.h>

#include "base/base.h"

struct pl_bytes;
struct pl_exchange;

/// Room for `more` bytes and usually for some that will follow, counted in x->arena.account. Makes
/// x->body when there is none. Not once others hold x->body.
/// @param more no more than what the body still lacks of its announced length
/// Returns: 0, PL_ENOMEM (nothing changed).
PL_MUST_CHECK int pl_request_body_make_room(struct pl_exchange *x, size_t more);

/// Gives x->body away, with its reference; it is not counted any more. NULL when there is none.
struct pl_bytes *pl_request_body_take(struct pl_exchange *x);

/// Frees x->body, when there is one.
void pl_request_body_drop(struct pl_exchange *x);
