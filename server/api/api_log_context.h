/// What perilune.log asks of the request's side: which request a line belongs to.
#pragma once

#include <lua.h>
#include <stddef.h>

#include "base/log_line.h"

/// The most fields that a context has.
enum { PL_API_LOG_CONTEXT_FIELDS = 4 };

/// Fills in what L's task works for: the request's id, its route, the task's id; nothing outside of
/// a request.
/// @param fields room for PL_API_LOG_CONTEXT_FIELDS; the views live until L's task runs on
/// @param count out: the number of fields
/// Yields: no.   Errors: never raises.
void pl_api_log_context(lua_State *L, struct pl_log_field *fields, size_t *count);
