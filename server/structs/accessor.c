// An accessor is a closure over a field whose offset counts from the outermost struct. It looks at
// its value's type on each call: one table lookup less than v.x, and no string.
#include "structs/accessor.h"

#include <lauxlib.h>
#include <limits.h>
#include <string.h>

#include "base/suggest.h"
#include "structs/field.h"
#include "structs/index.h"
#include "structs/operand.h"
#include "structs/type.h"
#include "structs/value.h"

// A userdata; the path's text stands behind it, for messages.
struct target {
  const struct pl_layout *layout;
  struct pl_field field;
};

// ---- the functions; upvalue 1: the target ----

static const struct target *check_self(lua_State *L, struct pl_operand *o, bool is_write) {
  const struct target *target = lua_touserdata(L, lua_upvalueindex(1));
  const struct pl_meta *meta = pl_structs_meta(L, 1);
  if (!pl_form_is_value(meta->form) || !pl_layout_is_a(meta->type->layout, target->layout))
    luaL_typeerror(L, 1, target->layout->name.data);
  if (is_write) pl_operand_get_writable(L, 1, o);
  return target;
}

static int get_field(lua_State *L) {
  const struct target *target = check_self(L, NULL, false);
  pl_index_push_field(L, 1, &target->field);
  return 1;
}

static int set_field(lua_State *L) {
  struct pl_operand o;
  luaL_checkany(L, 2);
  const struct target *target = check_self(L, &o, true);
  pl_field_store(L, 2, target->layout, &target->field, o.span.data + target->field.offset);
  return 0;
}

// ---- paths ----

static int raise_path(lua_State *L, const struct pl_layout *layout, struct pl_strv name) {
  struct pl_suggest nearest = pl_suggest_for(name);
  for (uint32_t i = 0; i < layout->field_count; i++)
    pl_suggest_offer(&nearest, layout->fields[i].name.data);
  lua_pushlstring(L, name.data, name.len);
  if (nearest.best)
    return luaL_error(L, "%s has no field '%s' (did you mean '%s'?)", layout->name.data,
                      lua_tostring(L, -1), nearest.best);
  return luaL_error(L, "%s has no field '%s'", layout->name.data, lua_tostring(L, -1));
}

static struct pl_strv take_name(struct pl_strv *rest) {
  size_t len = 0;
  while (len < rest->len && rest->data[len] != '.' && rest->data[len] != '[') len++;
  struct pl_strv name = pl_strv(rest->data, len);
  *rest = pl_strv(rest->data + len, rest->len - len);
  return name;
}

// "[3]" in front of the rest. Returns: its number, 0: there is none.
static uint32_t take_index(lua_State *L, struct pl_strv *rest, const struct pl_field *field) {
  if (!rest->len || rest->data[0] != '[') return 0;
  if (!field->count) luaL_error(L, "path: %s is no fixed array", field->name.data);
  size_t i = 1;
  uint64_t index = 0;
  for (; i < rest->len && rest->data[i] >= '0' && rest->data[i] <= '9' && index < INT_MAX; i++)
    index = index * 10 + (uint64_t)(rest->data[i] - '0');
  if (i == 1 || i == rest->len || rest->data[i] != ']' || index < 1 || index > field->count)
    luaL_error(L, "path: %s takes an index from [1] to [%d]", field->name.data, (int)field->count);
  *rest = pl_strv(rest->data + i + 1, rest->len - i - 1);
  return (uint32_t)index;
}

// One step: a name, and an element of a fixed array.
static struct pl_field take_step(lua_State *L, const struct pl_layout *layout,
                                 struct pl_strv *rest) {
  struct pl_strv name = take_name(rest);
  const struct pl_field *found = pl_layout_field(layout, name);
  if (!found) raise_path(L, layout, name);
  struct pl_field step = *found;
  uint32_t index = take_index(L, rest, found);
  if (!index) return step;
  step.offset += (index - 1) * step.type->size;
  step.count = 0;
  return step;
}

static struct pl_field resolve(lua_State *L, const struct pl_layout *layout, struct pl_strv path) {
  struct pl_strv rest = path;
  struct pl_field field = take_step(L, layout, &rest);
  while (rest.len) {
    if (rest.data[0] != '.' || field.count)
      luaL_error(L, "path: '%s': a field's name is expected at '%s'", path.data, rest.data);
    rest = pl_strv(rest.data + 1, rest.len - 1);
    uint32_t offset = field.offset;
    field = take_step(L, field.type, &rest);
    field.offset += offset;
  }
  field.name = path;
  return field;
}

static void push_target(lua_State *L, const struct pl_layout *layout, struct pl_strv path) {
  struct pl_field field = resolve(L, layout, path);
  struct target *target = lua_newuserdatauv(L, sizeof *target + path.len + 1, 0);
  char *text = (char *)(target + 1);
  memcpy(text, path.data, path.len + 1);
  field.name.data = text;
  *target = (struct target){layout, field};
}

static struct pl_strv check_name(lua_State *L, int index) {
  struct pl_strv name;
  if (lua_type(L, index) != LUA_TSTRING) luaL_checktype(L, index, LUA_TSTRING);
  name.data = lua_tolstring(L, index, &name.len);
  return name;
}

static struct pl_type *own_type(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

/* T.path"y.z" -> getter, setter */
static int make_pair(lua_State *L) {
  push_target(L, own_type(L)->layout, check_name(L, 1));
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, get_field, 1);
  lua_insert(L, -2);
  lua_pushcclosure(L, set_field, 1);
  return 2;
}

// ---- T.get and T.set: tables that fill themselves; upvalue 2: the function ----

/* stack: table, name */
static int make_one(lua_State *L) {
  const struct pl_layout *layout = own_type(L)->layout;
  struct pl_strv name = check_name(L, 2);
  if (!pl_layout_field(layout, name)) return raise_path(L, layout, name);
  push_target(L, layout, name);
  lua_pushcclosure(L, lua_tocfunction(L, lua_upvalueindex(2)), 1);
  if (!lua_istable(L, 1)) return 1;
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

// T.get(v, ...) is v:get(...), T.set likewise. upvalue 2: the method's name
/* stack: table, value, arguments */
static int call_method(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, own_type(L)->methods);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_rawget(L, -2);
  lua_replace(L, 1);
  lua_pop(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* stack: ..., members */
static void add_table(lua_State *L, struct pl_type *type, const char *name, lua_CFunction fn) {
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 3);
  lua_pushlightuserdata(L, type);
  lua_pushcfunction(L, fn);
  lua_pushcclosure(L, make_one, 2);
  lua_setfield(L, -2, "__index");
  lua_pushlightuserdata(L, type);
  lua_pushstring(L, name);
  lua_pushcclosure(L, call_method, 2);
  lua_setfield(L, -2, "__call");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, name);
}

void pl_accessor_fill(lua_State *L, struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  add_table(L, type, "get", get_field);
  add_table(L, type, "set", set_field);
  lua_pushlightuserdata(L, type);
  lua_pushcclosure(L, make_pair, 1);
  lua_setfield(L, -2, "path");
  lua_pop(L, 1);
}
