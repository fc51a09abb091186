/// The request's body as bytes, structs and arrays.
#pragma once

#include <lua.h>

/* req:bytes([options]) -> the body itself as bytes */
int pl_api_request_bytes(lua_State *L);

/* req:array(T [, options]) -> an array over the body itself; of JSON: a new one */
int pl_api_request_array(lua_State *L);

/* req:struct(T [, options]) -> a view of the body itself; of JSON: a new value */
int pl_api_request_struct(lua_State *L);
