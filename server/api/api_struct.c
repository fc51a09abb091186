// perilune.struct: packed structs and enums, and the scalars as types.
#include <lauxlib.h>

#include "api/api.h"
#include "api/struct_map.h"
#include "structs/bytes_object.h"
#include "structs/define.h"
#include "structs/type.h"
#include "structs/value.h"

/* struct.typeof(v) -> T or nil */
static int struct_typeof(lua_State *L) {
  luaL_checkany(L, 1);
  const struct pl_meta *meta = pl_structs_meta(L, 1);
  if (meta->type)
    pl_type_push(L, meta->type);
  else
    lua_pushnil(L);
  return 1;
}

// The scalars, each made when it is first asked for.
/* stack: module, name */
static int find_scalar(lua_State *L) {
  struct pl_strv name = {"", 0};
  if (lua_type(L, 2) == LUA_TSTRING) name.data = lua_tolstring(L, 2, &name.len);
  const struct pl_layout *layout = pl_layout_find_builtin(name);
  if (!layout || layout->kind != PL_LAYOUT_SCALAR) return 0;
  pl_type_push(L, pl_type_of(L, layout));
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

/* stack: module */
static void open_module(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, find_scalar);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

static const struct pl_api_fn functions[] = {
    {"bytes", pl_bytes_object_new, PL_API_PURE, "(size_or_text: integer|string): perilune.Bytes",
     "Bytes outside the Lua heap: so many zeros, or a copy of the text."},
    {"define", pl_define_struct, PL_API_PURE,
     "(name: string, fields: string|table, options?: table): perilune.Type",
     "Defines a packed struct by a schema (\"t:f32 uv:vec2\"), a list of {name, type}, or a "
     "string.pack format. The same definition again gives the same type."},
    {"enum", pl_define_enum, PL_API_PURE,
     "(name: string, scalar: string, values: table, options?: table): perilune.Type",
     "Defines an enum that the given integer type carries; flags = true: its values can be or-ed."},
    {"map", pl_api_struct_map, PL_API_PURE, "(path: string): perilune.Bytes|nil, string?, string?",
     "A file's bytes without reading or copying them, frozen; a relative path begins at the app's "
     "folder. Opening may wait for the disk, as the first look at a part does: map at the start. "
     "Replace such a file by renaming another over it; shortening it in place ends the server. "
     "Where there is none: nil, message, code."},
    {"typeof", struct_typeof, PL_API_PURE, "(value: any): perilune.Type|nil",
     "Returns the type of a struct, an enum's value, or of an array's elements."},
    {NULL, NULL, 0, NULL, NULL},
};

const struct pl_api_module pl_api_struct = {"perilune.struct", functions, open_module};
