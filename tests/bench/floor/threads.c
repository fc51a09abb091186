// The floor of P9: what Lua alone takes to suspend COUNT coroutines.
//
// For each a lua_newthread, kept in a table, and one lua_resume of a Lua function that calls a C
// function that yields; Lua's own allocator and collector as luaL_newstate sets them. No task, no
// timer, no loop. It prints
//
//   threads SECONDS GREATEST_MS
//
// the CPU time of all, and of the longest TURN of them with the collection that it drew.
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURN = 250 };

static long long cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int suspend(lua_State *L) {
  return lua_yield(L, 0);
}

/* stack: the body, the table of all threads */
static void suspend_one(lua_State *L, lua_Integer number) {
  int results;
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, thread, 1);
  if (lua_resume(thread, L, 0, &results) != LUA_YIELD) {
    fprintf(stderr, "threads: no yield\n");
    exit(1);
  }
  lua_rawseti(L, 2, number);
}

int main(int argc, char **argv) {
  long long count = argc == 2 ? atoll(argv[1]) : 0;
  lua_State *L = luaL_newstate();
  if (count < 1 || !L) {
    fprintf(stderr, "usage: threads COUNT\n");
    return 2;
  }
  lua_register(L, "suspend", suspend);
  if (luaL_loadstring(L, "suspend() return true")) return 1;
  lua_newtable(L);
  long long begin_ns = cpu_ns(), last_ns = begin_ns, greatest_ns = 0;
  for (long long number = 1; number <= count; number++) {
    suspend_one(L, (lua_Integer)number);
    if (number % TURN != 0 && number != count) continue;
    long long turn_ns = cpu_ns();
    if (turn_ns - last_ns > greatest_ns) greatest_ns = turn_ns - last_ns;
    last_ns = turn_ns;
  }
  printf("threads %.6f %.3f\n", (double)(last_ns - begin_ns) / 1e9, (double)greatest_ns / 1e6);
  return 0;
}
