// What a script says becomes a spec for geometry/layout.c. The strings that the spec points to are
// kept in a table of our own: a finaliser may change the script's while types are looked up.
#include "structs/define.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "structs/type.h"
#include "structs/type_object.h"

static struct pl_strv check_text(lua_State *L, int index) {
  struct pl_strv text;
  if (lua_type(L, index) != LUA_TSTRING) luaL_checktype(L, index, LUA_TSTRING);
  text.data = lua_tolstring(L, index, &text.len);
  return text;
}

// "app.lua:12": the innermost Lua function on the stack. Pushes it.
static const char *push_where(lua_State *L) {
  size_t len = 0;
  for (int level = 1; level < 8 && len <= 2; level++) {
    luaL_where(L, level);
    lua_tolstring(L, -1, &len);
  }
  if (len <= 2) return lua_pushliteral(L, "C code");
  return lua_pushlstring(L, lua_tostring(L, -1), len - 2);
}

static int raise_failure(lua_State *L, int status, const char *problem) {
  if (status == PL_ENOMEM) return luaL_error(L, "not enough memory");
  return luaL_error(L, "%s", problem);
}

// v:name() finds the field and not the method; T.name(v) still finds that.
static void warn_of_hidden(lua_State *L, const struct pl_type *type) {
  const struct pl_layout *layout = type->layout;
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const char *name = layout->fields[i].name.data;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
      luaL_where(L, 1);
      lua_pushfstring(L, "%s%s.%s: the field hides the method of this name; %s.%s(v) calls it",
                      lua_tostring(L, -1), layout->name.data, name, layout->name.data, name);
      lua_warning(L, lua_tostring(L, -1), 0);
      lua_pop(L, 2);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static struct pl_type *publish(lua_State *L, const struct pl_layout *layout) {
  struct pl_type *type = pl_type_of(L, layout);
  bool is_new = pl_type_find(L, layout->name) != type;
  pl_type_publish(L, type);
  if (is_new) warn_of_hidden(L, type);
  return type;
}

// ---- options ----

// The options' table at `index`, or none; raises when a name is not among `names`.
static bool check_options(lua_State *L, int index, const char *const names[]) {
  if (lua_isnoneornil(L, index)) return false;
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    size_t i = 0;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    while (names[i] && strcmp(names[i], name) != 0) i++;
    if (!names[i])
      luaL_argerror(
          L, index,
          lua_pushfstring(L, "there is no option '%s'", name[0] ? name : luaL_typename(L, -2)));
  }
  return true;
}

// Pushes the option's value. Returns: whether there is one.
static bool push_option(lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  return lua_rawget(L, index) != LUA_TNIL;
}

static unsigned read_align(lua_State *L, int index) {
  if (!push_option(L, index, "align")) {
    lua_pop(L, 1);
    return 1;
  }
  int is_integer;
  lua_Integer align = lua_tointegerx(L, -1, &is_integer);
  bool is_natural = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "natural") == 0;
  lua_pop(L, 1);
  if (is_natural) return PL_ALIGN_NATURAL;
  if (!is_integer || (align != 1 && align != 4 && align != 8 && align != 16))
    luaL_argerror(L, index, "align is 1, 4, 8, 16 or \"natural\"");
  return (unsigned)align;
}

static const struct pl_layout *read_base(lua_State *L, int index) {
  const struct pl_layout *base = NULL;
  if (push_option(L, index, "base")) {
    struct pl_type *type = pl_type_get(L, -1);
    if (!type && lua_type(L, -1) == LUA_TSTRING) type = pl_type_find(L, check_text(L, -1));
    if (!type) luaL_argerror(L, index, "base is a type or its name");
    base = type->layout;
  }
  lua_pop(L, 1);
  return base;
}

static void add_parts(lua_State *L, struct pl_type *type, int index) {
  static const char *const parts[] = {"methods", "statics"};
  for (size_t i = 0; i < PL_ARRAY_LEN(parts); i++) {
    if (push_option(L, index, parts[i])) {
      if (!lua_istable(L, -1))
        luaL_argerror(L, index, lua_pushfstring(L, "%s is a table", parts[i]));
      if (i == 0)
        pl_type_object_add_methods(L, type, lua_gettop(L));
      else
        pl_type_object_add_statics(L, type, lua_gettop(L));
    }
    lua_pop(L, 1);
  }
}

// ---- fields as a list ----

static int raise_field(lua_State *L, lua_Integer i, const char *what) {
  return luaL_argerror(L, 2, lua_pushfstring(L, "field %I: %s", i, what));
}

// Pushes entry[i], or entry[name].
static int push_part(lua_State *L, int entry, int i, const char *name) {
  if (lua_rawgeti(L, entry, i) != LUA_TNIL) return lua_type(L, -1);
  lua_pop(L, 1);
  lua_pushstring(L, name);
  return lua_rawget(L, entry);
}

// The string on top of the stack, kept in the table at `anchor`.
static struct pl_strv keep_text(lua_State *L, int anchor) {
  struct pl_strv text = check_text(L, -1);
  lua_pushvalue(L, -1);
  lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
  return text;
}

/* stack: ..., the entry {"t", "f32" [, offset]} */
static struct pl_field_spec read_field(lua_State *L, int anchor, lua_Integer i) {
  struct pl_field_spec field = {.offset = -1};
  int entry = lua_gettop(L);
  if (!lua_istable(L, entry)) raise_field(L, i, "{name, type [, offset]} is expected");
  if (push_part(L, entry, 1, "name") != LUA_TSTRING) raise_field(L, i, "its name is missing");
  field.name = keep_text(L, anchor);
  push_part(L, entry, 2, "type");
  const struct pl_type *type = pl_type_get(L, -1);
  if (type)
    field.type = type->layout->name;
  else if (lua_type(L, -1) == LUA_TSTRING)
    field.type = keep_text(L, anchor);
  else
    raise_field(L, i, "its type is missing");
  if (push_part(L, entry, 3, "offset") != LUA_TNIL) {
    int is_integer;
    field.offset = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || field.offset < 0) raise_field(L, i, "its offset is at least 0");
  }
  lua_settop(L, entry);
  return field;
}

// Pushes what keeps them.
static void read_fields(lua_State *L, int index, struct pl_struct_spec *spec) {
  size_t count = lua_rawlen(L, index);
  if (count > PL_STRUCT_FIELDS_MAX)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "%I fields, at most %d are allowed", (lua_Integer)count,
                                  PL_STRUCT_FIELDS_MAX));
  lua_createtable(L, (int)count * 2, 0);
  int anchor = lua_gettop(L);
  struct pl_field_spec *fields = lua_newuserdatauv(L, (count + 1) * sizeof *fields, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    fields[i] = read_field(L, anchor, (lua_Integer)i + 1);
    lua_pop(L, 1);
  }
  spec->fields = fields;
  spec->field_count = count;
}

// ---- struct.define ----

static const struct pl_layout *find_type(void *ctx, struct pl_strv name) {
  struct pl_type *type = pl_type_find(ctx, name);
  return type ? type->layout : NULL;
}

int pl_define_struct(lua_State *L) {
  static const char *const names[] = {"base", "align", "methods", "statics", NULL};
  struct pl_struct_spec spec = {.name = check_text(L, 1), .align = 1};
  const struct pl_layout_scope scope = {find_type, L};
  const struct pl_layout *layout;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  lua_settop(L, 3);
  bool has_options = check_options(L, 3, names);
  if (has_options) {
    spec.base = read_base(L, 3);
    spec.align = read_align(L, 3);
  }
  if (lua_istable(L, 2))
    read_fields(L, 2, &spec);
  else if (lua_type(L, 2) == LUA_TSTRING)
    spec.schema = check_text(L, 2);
  else
    luaL_argerror(L, 2, "a schema or a list of fields is expected");
  spec.where = push_where(L);
  int status = pl_layouts_define(pl_structs_of(L)->layouts, &spec, &scope, &layout, problem);
  if (status) return raise_failure(L, status, problem);
  struct pl_type *type = publish(L, layout);
  if (has_options) add_parts(L, type, 3);
  pl_type_push(L, type);
  return 1;
}

// ---- struct.enum ----

// A Lua table has no order: by value, and those of one value by name.
static int compare_members(const void *a, const void *b) {
  const struct pl_enum_member *x = a;
  const struct pl_enum_member *y = b;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  return strcmp(x->name.data, y->name.data);
}

/* stack: 5: the anchor; ..., name, value */
static struct pl_enum_member read_member(lua_State *L) {
  struct pl_enum_member member;
  int is_integer;
  if (lua_type(L, -2) != LUA_TSTRING) luaL_argerror(L, 3, "{NAME = number, ...} is expected");
  lua_pushvalue(L, -2);
  member.name = keep_text(L, 5);
  lua_pop(L, 1);
  member.value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || lua_type(L, -1) != LUA_TNUMBER)
    luaL_argerror(L, 3, lua_pushfstring(L, "%s is no integer", member.name.data));
  return member;
}

// Pushes what keeps them.
static void read_members(lua_State *L, struct pl_enum_spec *spec) {
  size_t count = 0;
  luaL_checktype(L, 3, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) count++;
  if (count > PL_ENUM_MEMBERS_MAX)
    luaL_argerror(L, 3,
                  lua_pushfstring(L, "%I values, at most %d are allowed", (lua_Integer)count,
                                  PL_ENUM_MEMBERS_MAX));
  lua_createtable(L, (int)count, 0);
  struct pl_enum_member *members = lua_newuserdatauv(L, (count + 1) * sizeof *members, 0);
  // The table may have changed: making the userdata can run a finaliser.
  size_t n = 0;
  for (lua_pushnil(L); n < count && lua_next(L, 3); lua_pop(L, 1)) members[n++] = read_member(L);
  lua_settop(L, 6);
  qsort(members, n, sizeof *members, compare_members);
  spec->members = members;
  spec->member_count = n;
}

static enum pl_scalar check_scalar(lua_State *L, int index) {
  const struct pl_layout *layout = pl_type_check(L, index)->layout;
  if (layout->kind != PL_LAYOUT_SCALAR || layout->scalar < PL_SCALAR_I8 ||
      layout->scalar > PL_SCALAR_U64)
    luaL_argerror(L, index, "i8, i16, i32, i64, u8, u16, u32 or u64 is expected");
  return (enum pl_scalar)layout->scalar;
}

int pl_define_enum(lua_State *L) {
  static const char *const names[] = {"flags", NULL};
  struct pl_enum_spec spec = {.name = check_text(L, 1), .scalar = check_scalar(L, 2)};
  const struct pl_layout *layout;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  lua_settop(L, 4);
  if (check_options(L, 4, names)) {
    push_option(L, 4, "flags");
    spec.is_flags = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  read_members(L, &spec);
  spec.where = push_where(L);
  int status = pl_layouts_define_enum(pl_structs_of(L)->layouts, &spec, &layout, problem);
  if (status) return raise_failure(L, status, problem);
  pl_type_push(L, publish(L, layout));
  return 1;
}
