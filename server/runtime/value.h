/// Error objects and the `nil, message, code` convention.
///
/// An error object is a table with the metatable "perilune.Error": status, message, code, reason,
/// headers, value, traceback; tostring is its message (contract 5.3). is_public: it was raised with
/// a status, so its message is meant for the client.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/base.h"

/// Makes the metatable. Once per state.
void pl_value_open(lua_State *L);

/// Message handler for lua_pcallk: turns whatever was raised into an error object with the
/// traceback of where it was raised; one that is an error object already keeps its first traceback,
/// and that of a child's cancellation has none.
/// A raised table {status=, message=, code=, headers=} lends its fields; any other value is
/// `value`, and its text the message. Response values (metatable named "perilune.Response") pass as
/// `value` too.
int pl_value_on_error(lua_State *L);

/// Pushes a new error object. @param code or NULL
void pl_value_push_error(lua_State *L, int status, const char *code, const char *message);

/// Pushes the error object of a cancelled wait: code "ECANCELED", reason, status 503.
/// @param reason "client", "deadline", ... or a script's own words
void pl_value_push_cancelled(lua_State *L, const char *reason);

/// Pushes nil, message, code for a PL_/errno code. @param what the operation and its object
/// ("open app.txt"), or NULL. Returns 3, for `return`.
int pl_value_fail(lua_State *L, int code, const char *what);

/// Returns: whether the value at index is an error object.
bool pl_value_is_error(lua_State *L, int index);

/// What an error says, for the log: an error object's traceback or message, a string, or a note of
/// the value's type. Valid while the value is on the stack.
const char *pl_value_text(lua_State *L, int index);
