// A raise here costs nothing; without it the allocator would refuse, and only after it has grown to
// its limit, and after the full collections that Lua makes of each refusal.
#include "runtime/string_room.h"

#include <lauxlib.h>

#include "runtime/state.h"

size_t pl_string_room(lua_State *L) {
  return pl_heap_room(&pl_vm_of(L)->heap);
}

void pl_string_check_room(lua_State *L, const char *function, size_t bytes, size_t result) {
  if (bytes <= pl_string_room(L)) return;
  luaL_error(L,
             "%s: the result of %I bytes needs more than the memory left to this request "
             "(limits.request_memory)",
             function, (LUAI_UACINT)result);
}
