// The bounds are looked at before anything is taken: a size comes from a script, or from a client.
#include "structs/memory.h"

#include <lauxlib.h>

#include "structs/state.h"

// No machine has them; allocators have limits of their own somewhere above.
static const size_t BYTES_MAX = (size_t)1 << 40;

static int raise_too_many(lua_State *L, size_t count, const char *what, const char *limit) {
  return luaL_error(L, "%I %s are more than %s allows", (lua_Integer)count, what, limit);
}

struct pl_bytes *pl_memory_take(lua_State *L, size_t count, size_t size, const char *what) {
  const struct pl_vm *vm = pl_vm_of(L);
  const struct pl_charge *charge = vm->heap.charge;
  const struct pl_account *account = vm->structs->account;
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes >= BYTES_MAX)
    raise_too_many(L, count, what, "any machine");
  if (charge && charge->limit && bytes > charge->limit)
    raise_too_many(L, count, what, "limits.request_memory");
  if (account && bytes > PL_ACCOUNT_SMALL && account->bytes + bytes > account->ceiling)
    raise_too_many(L, count, what, "limits.memory");
  struct pl_bytes *taken = pl_bytes_new(bytes);
  if (!taken) luaL_error(L, "not enough memory");
  return taken;
}
