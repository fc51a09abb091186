/// Lua values as JSON text and back: what perilune.json, request bodies and answers share. The
/// rules are contract 5.6.
#pragma once

#include <lua.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/strv.h"

struct pl_json_encode_options {
  int depth_max;  ///< containers within each other, 1 to PL_JSON_DEPTH_MAX
  int indent;     ///< spaces a level; 0 = everything on one line
};

/// Appends the value at `index` to `out`, on one line, to a depth of PL_JSON_DEPTH_DEFAULT. Tables
/// are read raw: no metamethod runs, no Lua code.
/// Raises (a string that names the path: "$.items[3].price: NaN is not JSON") on what has no JSON
/// form and on out of memory; `out` then ends in a part of the text. It must be anchored by the
/// caller (arena, userdata): nothing here frees it.
void pl_json_encode_value(lua_State *L, int index, struct pl_buf *out);

/// The same with options.
void pl_json_encode_with(lua_State *L, int index, const struct pl_json_encode_options *options,
                         struct pl_buf *out);

/// Pushes the value of a JSON text; arrays are marked (pl_json_push_array_metatable), null is
/// json.null, of equal keys the last one counts. Never pushes nil.
/// @param text must stay where it is meanwhile
/// @param depth containers within each other, 0 to PL_JSON_DEPTH_MAX
/// Returns: 0; or PL_ESYNTAX or PL_ELIMIT with the message pushed instead ("line 3, column 7:
/// ..."). Raises out of memory; leaks nothing then.
PL_MUST_CHECK int pl_json_decode_value(lua_State *L, struct pl_strv text, int depth);
