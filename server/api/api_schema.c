// native.schema: the types that scripts of this state know by name, and the built-in ones.
#include "api/api_schema.h"

#include <lauxlib.h>

#include "api/api.h"
#include "geometry/schema_c.h"
#include "geometry/schema_json.h"
#include "geometry/schema_python.h"
#include "geometry/schema_ts.h"
#include "structs/type.h"

struct format {
  const char *name;
  int (*write)(struct pl_buf *out, const struct pl_layout *layout);
};

static const struct format formats[] = {{"json", pl_schema_write_json},
                                        {"h", pl_schema_write_c},
                                        {"ts", pl_schema_write_ts},
                                        {"py", pl_schema_write_python}};

static const struct format *find_format(struct pl_strv name) {
  for (size_t i = 0; i < PL_ARRAY_LEN(formats); i++)
    if (pl_strv_eq(name, pl_strv_of(formats[i].name))) return &formats[i];
  return NULL;
}

int pl_api_schema(lua_State *L) {
  struct pl_strv name, wanted;
  name.data = luaL_checklstring(L, 1, &name.len);
  wanted.data = luaL_checklstring(L, 2, &wanted.len);
  const struct format *format = find_format(wanted);
  const struct pl_type *type = pl_type_find(L, name);
  if (!format || !type) {
    lua_pushnil(L);
    if (type)
      lua_pushfstring(L, "a schema is %s.json, .h, .ts or .py", type->layout->name.data);
    else
      pl_type_push_unknown(L, name);
    return 2;
  }
  struct pl_buf *out = &pl_api_context(L)->body;
  pl_buf_clear(out);
  if (format->write(out, type->layout)) return luaL_error(L, "not enough memory");
  struct pl_strv text = pl_buf_view(out);
  lua_pushlstring(L, text.data, text.len);
  return 1;
}
