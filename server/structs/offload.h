/// Loops over arrays that would hold the event loop for too long run on the thread pool, in pieces,
/// while the coroutine waits; short ones run at once. Scripts see a plain call either way.
///
/// One piece of one call at a time runs for a state, in turn, so that files and other workers'
/// calls come in between, and a cancelled call ends with its current piece. The bytes that a call
/// uses are pinned until then: scripts may read them, not write, move or freeze them.
///
/// Where the caller cannot wait (a sort comparator, a finaliser) it runs at once, and is counted.
///
/// Thread: the state's, but for run.
#pragma once

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct pl_loop;
struct pl_offload;

enum { PL_WORK_BYTES_MAX = 6, PL_WORK_SIZE_MAX = 2048 };

/// What is to be done: the first member of a struct that holds all that run needs, by value, or in
/// the bytes named here: it is copied, and the Lua stack may be gone while run works.
struct pl_work {
  const char *name;  ///< "vec3.add"; static storage
  size_t size;       ///< of the struct, at most PL_WORK_SIZE_MAX
  size_t count;      ///< elements
  size_t rate;       ///< elements a millisecond, a lower bound; 0: less than one
  struct pl_bytes *bytes[PL_WORK_BYTES_MAX];  ///< what it uses; NULL entries are skipped
  /// Elements first .. first + count - 1. Calls follow each other in order, on any threads.
  void (*run)(struct pl_work *work, size_t first, size_t count);
  /// It goes to the thread pool: takes a reference of what run needs besides the bytes. Or NULL.
  void (*hold)(struct pl_work *work);
  /// It went there, and finish will not be called: gives back what hold took and run made. Or NULL.
  void (*drop)(struct pl_work *work);
  /// Pushes the results, when all is done; the stack is as it was at pl_offload. Returns how many.
  int (*finish)(lua_State *L, struct pl_work *work);
};

/// Does it. `return pl_offload(L, &work)` from a lua_CFunction. Raises when the task is cancelled
/// and the work is long.
int pl_offload(lua_State *L, struct pl_work *work);

/// Makes the state's. Once per state. May raise out of memory.
/// @param loop where calls wait for the thread pool; NULL: everything runs at once
void pl_offload_open(lua_State *L, struct pl_loop *loop);

/// Calls that were long and could not wait.
uint64_t pl_offload_unwaited(const struct pl_offload *offload);
