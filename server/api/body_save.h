/// Saving a body, or a part of one, to a file.
#pragma once

#include <lua.h>

struct pl_multipart_reader;

/// req:save(path [, {silent = true}]) -> bytes, or nil, message, code
int pl_api_request_save(lua_State *L);

/// part:save(path). /* stack: part, path, request, reader */
int pl_body_save_part(lua_State *L, struct pl_multipart_reader *reader);
