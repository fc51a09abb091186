// Room for bodies. The rule is in the header; why: a client that announces much and sends little
// must not cost what it announces, and one that sends what it says shall not have it copied again.
#include "http/request_body.h"

#include "base/bytes.h"
#include "base/error.h"
#include "http/exchange.h"

enum { AT_ONCE_BYTES = 256 * 1024, FIRST_BYTES = 64 * 1024, SMALLEST_BYTES = 4 * 1024 };

static bool is_roomy(const struct pl_account *account, size_t more) {
  return !account || account->bytes + more <= account->limit / 2;
}

// @param length of the whole body; SIZE_MAX: unknown
static size_t choose_room(const struct pl_exchange *x, size_t need, size_t length) {
  const struct pl_account *account = x->arena.account;
  if (length <= AT_ONCE_BYTES && is_roomy(account, length)) return length;
  bool is_long = length != SIZE_MAX && length > AT_ONCE_BYTES && is_roomy(account, FIRST_BYTES);
  size_t room = is_long ? FIRST_BYTES : SMALLEST_BYTES;
  if (x->body && room < x->body->cap * 2) room = x->body->cap * 2;
  if (room < need) room = need;
  return room < length ? room : length;
}

static int give_room(struct pl_exchange *x, size_t room, size_t length) {
  if (x->body) return pl_bytes_reserve(x->body, room);
  bool is_long = length != SIZE_MAX && length > AT_ONCE_BYTES;
  x->body = is_long ? pl_bytes_new_within(room, length) : pl_bytes_new_empty(room);
  return x->body ? 0 : PL_ENOMEM;
}

int pl_request_body_make_room(struct pl_exchange *x, size_t more) {
  struct pl_account *account = x->arena.account;
  size_t need = (x->body ? x->body->size : 0) + more;
  if (x->body && x->body->cap >= need) return 0;
  int64_t announced = x->request.content_length;
  size_t length = announced < 0 ? SIZE_MAX : (size_t)announced;
  size_t room = choose_room(x, need, length), counted = x->body_counted;
  if (!pl_account_move(account, counted, room)) return PL_ENOMEM;
  int error = give_room(x, room, length);
  if (error) {
    pl_account_give(account, room - counted);
    return error;
  }
  x->body_counted = room;
  return 0;
}

struct pl_bytes *pl_request_body_take(struct pl_exchange *x) {
  struct pl_bytes *bytes = x->body;
  pl_account_give(x->arena.account, x->body_counted);
  x->body = NULL;
  x->body_counted = 0;
  return bytes;
}

void pl_request_body_drop(struct pl_exchange *x) {
  pl_bytes_unref(pl_request_body_take(x));
}
