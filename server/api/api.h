/// The bindings' common ground: what a row of a module's table is, how modules are registered, and
/// how a function finds the worker that it runs on.
///
/// Each api_<module>.c holds its functions and, at its end, their table. Modules are opened on
/// their first use (require "perilune.task", or the field perilune.task).
#pragma once

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

struct pl_config;
struct pl_hub;
struct pl_loop;
struct pl_mailbox;

enum pl_api_flags {
  PL_API_PURE = 0,        ///< never waits
  PL_API_YIELDS = 1 << 0  ///< may suspend the calling task
};

/// One function as scripts see it.
struct pl_api_fn {
  const char *name;
  lua_CFunction fn;
  unsigned flags;
  const char *signature;  ///< "(seconds: number)"
  const char *doc;        ///< one or two sentences
};

/// One module: required as `name`.
struct pl_api_module {
  const char *name;                   ///< "perilune.task"
  const struct pl_api_fn *functions;  ///< ends with a row whose name is NULL
  /// Adds what is not a function; the module's table is on top of the stack. May be NULL.
  void (*open)(lua_State *L);
};

/// What vm->user points to: the worker as bindings see it.
struct pl_api_context {
  struct pl_loop *loop;
  struct pl_mailbox *mailbox;  ///< of this worker
  struct pl_hub *hub;          ///< where it meets the others
  const struct pl_config *config;
  const char *app_folder;      ///< for paths relative to the app; "" when there is none
  struct pl_buf header_lines;  ///< shared by all answers: filled and used without waiting between
  struct pl_buf body;          ///< likewise
  int request_slots;           ///< size of the array of live request objects, api_request.c
  int free_request_slot;       ///< the first free one; 0 = none
  char task_text[24];          ///< the task id of the log line that is being made
  unsigned worker_index;       ///< 1-based
  unsigned worker_count;
};

/// A shared buffer that one large answer has grown beyond this gives its memory back.
enum { PL_SHARED_BUFFER_BYTES = 256 * 1024 };

struct pl_api_context *pl_api_context(lua_State *L);

/// Pushes a table with the module's functions and whatever its open adds.
void pl_api_push_module(lua_State *L, const struct pl_api_module *module);

/// Returns: the pl_clock_ms() time at which the seconds at stack index `index`, counted from now,
/// are over; never early. Raises unless they are a number of at least 0.
uint64_t pl_api_check_due(lua_State *L, int index);

extern const struct pl_api_module pl_api_geometry;  ///< api_geometry.c
extern const struct pl_api_module pl_api_json;      ///< api_json.c
extern const struct pl_api_module pl_api_log;       ///< api_log.c
extern const struct pl_api_module pl_api_struct;    ///< api_struct.c
extern const struct pl_api_module pl_api_task;      ///< api_task.c; scripts get it by task.lua
