/// What the JSON codec keeps in each Lua state: json.null, the metatable that marks arrays, and a
/// buffer for texts in the making. Made on first use, kept in the registry.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"

/// The metatable's name in the registry, and what tostring shows.
#define PL_JSON_ARRAY "perilune.JsonArray"

struct pl_json_codec {
  /// Empty between uses. A finaliser that runs inside the codec's use may use it too: what lies in
  /// it is lost at the next call that allocates in Lua.
  struct pl_buf scratch;
  const void *null;             ///< lua_topointer of json.null
  const void *array_metatable;  ///< lua_topointer of the metatable of arrays
  bool is_closed;               ///< its finaliser has run: scratch must not keep memory
};

/// Pushes the codec's userdata, which anchors the struct. Raises on out of memory.
struct pl_json_codec *pl_json_codec_push(lua_State *L);

/// Empties scratch; a large one gives its memory back.
void pl_json_codec_release(struct pl_json_codec *codec);

/// Pushes the codec, json.null and the metatable that marks a table as a JSON array.
struct pl_json_codec *pl_json_codec_push_all(lua_State *L);

/// Pushes json.null. Raises on out of memory.
void pl_json_push_null(lua_State *L);

/// Pushes the metatable that marks a table as a JSON array. Raises on out of memory.
void pl_json_push_array_metatable(lua_State *L);
