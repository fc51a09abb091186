// What is not on the way of every request.
#include "base/account.h"

#include <stdint.h>

void pl_account_init(struct pl_account *account, size_t limit) {
  bool is_bounded = limit < SIZE_MAX / 2;
  *account = (struct pl_account){.limit = is_bounded ? limit : SIZE_MAX,
                                 .tight = is_bounded ? limit - limit / 4 : SIZE_MAX,
                                 .ceiling = is_bounded ? limit * 2 : SIZE_MAX};
}

void pl_account_relieve(struct pl_account *account) {
  if (account && account->relieve) account->relieve(account);
}

bool pl_account_stays_short(struct pl_account *account) {
  pl_account_relieve(account);
  return account->bytes > account->limit;
}
