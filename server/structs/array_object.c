// Index means element number, from 1; what lies outside reads as nil, so that ipairs ends, and
// cannot be written.
//
// Every function here looks at its first argument: scripts can call it on anything.
#include "structs/array_object.h"

#include <lauxlib.h>
#include <string.h>

#include "base/suggest.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/conversion.h"
#include "structs/element.h"
#include "structs/field.h"
#include "structs/operand.h"
#include "structs/scalars.h"
#include "structs/type.h"
#include "structs/value.h"

// ---- self ----

static struct pl_type *type_of(lua_State *L, int index) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (PL_UNLIKELY(meta->form != PL_FORM_ARRAY)) luaL_typeerror(L, index, "array");
  return meta->type;
}

static struct pl_span span_of(lua_State *L, int index) {
  const struct pl_layout *layout = type_of(L, index)->layout;
  return pl_array_span(L, lua_touserdata(L, index), layout);
}

static struct pl_span writable_span_of(lua_State *L, int index) {
  const struct pl_layout *layout = type_of(L, index)->layout;
  const struct pl_array *array = lua_touserdata(L, index);
  pl_box_check_writable(L, array->box);
  return pl_array_span(L, array, layout);
}

// The element number at `index` as an offset from 0; raises outside 1..count.
static size_t check_index(lua_State *L, int index, size_t count) {
  lua_Integer i = luaL_checkinteger(L, index);
  if (i < 1 || (lua_Unsigned)i > count)
    luaL_argerror(L, index, lua_pushfstring(L, "index %I is outside 1..%I", i, (lua_Integer)count));
  return (size_t)i - 1;
}

// ---- arr[i], arr.name ----

static int raise_no_method(lua_State *L, const struct pl_type *type) {
  const char *key = luaL_tolstring(L, 2, NULL);
  struct pl_suggest nearest = pl_suggest_for(pl_strv_of(key));
  for (lua_pushnil(L); lua_next(L, lua_upvalueindex(2)); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) pl_suggest_offer(&nearest, lua_tostring(L, -2));
  if (nearest.best)
    return luaL_error(L, "%s[] has no method '%s' (did you mean '%s'?)", type->layout->name.data,
                      key, nearest.best);
  return luaL_error(L, "%s[] has no method '%s'", type->layout->name.data, key);
}

static bool push_base_method(lua_State *L, const struct pl_layout *layout) {
  for (layout = layout->base; layout; layout = layout->base) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, pl_type_of(L, layout)->array_methods);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return true;
    lua_pop(L, 2);
  }
  return false;
}

// upvalues: the type, its array methods
static int array_index(lua_State *L) {
  struct pl_type *type = lua_touserdata(L, lua_upvalueindex(1));
  if (lua_type(L, 2) == LUA_TNUMBER) {
    const struct pl_array *array = pl_array_check(L, 1, type);
    int is_integer;
    lua_Integer i = lua_tointegerx(L, 2, &is_integer);
    pl_box_check(L, array->box);
    if (!is_integer || i < 1 || (lua_Unsigned)i > array->count) return 0;
    pl_element_push(L, 1, type, (size_t)i - 1);
    return 1;
  }
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) return 1;
  return push_base_method(L, type->layout) ? 1 : raise_no_method(L, type);
}

// Who writes arr[i] = v knows no argument of a metamethod: the message names the array.
static int array_newindex(lua_State *L) {
  struct pl_span span = writable_span_of(L, 1);
  const char *name = span.layout->name.data;
  if (lua_type(L, 2) != LUA_TNUMBER)
    return luaL_error(L, "%s[] takes an element number as its index, not %s", name,
                      luaL_tolstring(L, 2, NULL));
  int is_integer;
  lua_Integer i = lua_tointegerx(L, 2, &is_integer);
  if (!is_integer || i < 1 || (lua_Unsigned)i > span.count)
    return luaL_error(L, "%s[]: index %s is outside 1..%I", name, luaL_tolstring(L, 2, NULL),
                      (lua_Integer)span.count);
  pl_element_store(L, 3, &span, (size_t)i - 1);
  return 0;
}

static int array_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)pl_array_check(L, 1, NULL)->count);
  return 1;
}

static int array_tostring(lua_State *L) {
  const struct pl_array *array = pl_array_check(L, 1, NULL);
  const char *name = type_of(L, 1)->layout->name.data;
  const char *form = array->column ? " in columns" : "";
  const char *stale = array->box->data ? "" : " (stale)";
  lua_pushfstring(L, "%s[%I]%s%s", name, (lua_Integer)array->count, form, stale);
  return 1;
}

// ---- elements as numbers ----

static int array_get(lua_State *L) {
  struct pl_span span = span_of(L, 1);
  return pl_scalars_push_element(L, &span, check_index(L, 2, span.count));
}

static int array_set(lua_State *L) {
  struct pl_span span = writable_span_of(L, 1);
  size_t i = check_index(L, 2, span.count);
  pl_scalars_store_element(L, 3, lua_gettop(L) - 2, &span, i);
  lua_settop(L, 1);
  return 1;
}

/* for i, x, y, z in arr:each(): the array is the loop's state */
static int each_next(lua_State *L) {
  struct pl_span span = span_of(L, 1);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 0 || (lua_Unsigned)i >= span.count) return 0;
  lua_settop(L, 2);
  lua_pushinteger(L, i + 1);
  return 1 + pl_scalars_push_element(L, &span, (size_t)i);
}

static int array_each(lua_State *L) {
  pl_array_check(L, 1, NULL);
  lua_pushcfunction(L, each_next);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

// ---- elements as views ----

static void check_rows(lua_State *L, const struct pl_type *type, const struct pl_array *array) {
  if (array->column)
    luaL_error(L, "%s[] in columns has no element in one piece to view: use get and set",
               type->layout->name.data);
  if (type->layout->kind != PL_LAYOUT_STRUCT)
    luaL_error(L, "%s[] has no elements to view: they are numbers (arr[i], get, set)",
               type->layout->name.data);
}

static void check_view(lua_State *L, int index, const struct pl_type *type) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (meta->form != PL_FORM_VIEW || meta->type != type)
    luaL_argerror(
        L, index,
        lua_pushfstring(L, "a view of a %s is expected (arr[1] is one)", type->layout->name.data));
}

static void aim(lua_State *L, int view, const struct pl_array *array, size_t i) {
  lua_getiuservalue(L, 1, 1);
  pl_value_aim_view(L, view, lua_gettop(L), array->offset + i * array->stride);
  lua_pop(L, 1);
}

static int array_at(lua_State *L) {
  struct pl_type *type = type_of(L, 1);
  const struct pl_array *array = lua_touserdata(L, 1);
  pl_box_check(L, array->box);
  size_t i = check_index(L, 2, array->count);
  if (lua_isnoneornil(L, 3)) {
    pl_element_push(L, 1, type, i);
    return 1;
  }
  check_rows(L, type, array);
  check_view(L, 3, type);
  lua_settop(L, 3);
  aim(L, 3, array, i);
  return 1;
}

/* for i, v in arr:views(). upvalue: the view that is used again; the array is the loop's state */
static int views_next(lua_State *L) {
  struct pl_type *type = pl_structs_meta(L, lua_upvalueindex(1))->type;
  const struct pl_array *array = pl_array_check(L, 1, type);
  if (!type) return 0;  // of an array without elements
  check_rows(L, type, array);
  pl_box_check(L, array->box);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 0 || (lua_Unsigned)i >= array->count) return 0;
  lua_settop(L, 2);
  lua_pushinteger(L, i + 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  aim(L, 4, array, (size_t)i);
  return 2;
}

static int array_views(lua_State *L) {
  struct pl_type *type = type_of(L, 1);
  const struct pl_array *array = lua_touserdata(L, 1);
  check_rows(L, type, array);
  if (!lua_isnoneornil(L, 2)) {
    check_view(L, 2, type);
    lua_settop(L, 2);
  } else {
    lua_settop(L, 1);
    if (array->count) {
      pl_element_push(L, 1, type, 0);
    } else {
      lua_pushnil(L);
    }
  }
  lua_pushcclosure(L, views_next, 1);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

// ---- parts ----

// Negative numbers count from the end.
static lua_Integer slice_bound(lua_State *L, int index, lua_Integer standard, lua_Integer count) {
  lua_Integer i = luaL_optinteger(L, index, standard);
  return i >= 0 ? i : i < -count ? 0 : i + count + 1;
}

/* arr:slice(i, j): as string.sub, what lies outside is cut off */
static int array_slice(lua_State *L) {
  struct pl_type *type = type_of(L, 1);
  const struct pl_array *array = pl_array_check(L, 1, type);
  pl_box_check(L, array->box);
  lua_Integer all = (lua_Integer)array->count;
  lua_Integer first = slice_bound(L, 2, 1, all), last = slice_bound(L, 3, -1, all);
  if (first < 1) first = 1;
  if (last > all) last = all;
  size_t count = last >= first ? (size_t)(last - first) + 1 : 0;
  size_t offset = array->offset + (count ? (size_t)(first - 1) * array->stride : 0);
  pl_array_push_part(L, 1, type, offset, count, array->stride, array->column);
  return 1;
}

static int raise_no_field(lua_State *L, const struct pl_layout *layout) {
  const char *name = lua_tostring(L, 2);
  struct pl_suggest nearest = pl_suggest_for(pl_strv_of(name));
  for (uint32_t i = 0; i < layout->field_count; i++)
    pl_suggest_offer(&nearest, layout->fields[i].name.data);
  if (nearest.best)
    return luaL_error(L, "%s has no field '%s' (did you mean '%s'?)", layout->name.data, name,
                      nearest.best);
  return luaL_error(L, "%s has no field '%s'", layout->name.data, name);
}

// The number of scalars in front of a field, in a struct whose scalars are all of one kind.
static size_t column_of(const struct pl_layout *layout, const struct pl_field *field) {
  return field->offset / pl_scalar_size((enum pl_scalar)layout->part);
}

/* arr:field(name): that field of every element, as an array over the same bytes */
static int array_field(lua_State *L) {
  struct pl_type *type = type_of(L, 1);
  const struct pl_layout *layout = type->layout;
  struct pl_strv name;
  name.data = luaL_checklstring(L, 2, &name.len);
  pl_box_check(L, pl_array_check(L, 1, NULL)->box);
  const struct pl_field *field = pl_layout_field(layout, name);
  if (!field) return raise_no_field(L, layout);
  if (field->count)
    return luaL_error(L, "%s.%s is a fixed array: it has no array of its own", layout->name.data,
                      name.data);
  const struct pl_array *array = lua_touserdata(L, 1);
  size_t offset = array->offset, column = 0;
  if (!array->column) {
    offset += field->offset;
  } else {
    offset += column_of(layout, field) * array->column;
    if (field->type->kind == PL_LAYOUT_STRUCT) column = array->column;
  }
  pl_array_push_part(L, 1, pl_type_of(L, field->type), offset, array->count, array->stride, column);
  return 1;
}

static int array_bytes(lua_State *L) {
  pl_array_check(L, 1, NULL);
  pl_operand_push_box(L, 1);
  return 1;
}

// ---- ownership ----

static int array_freeze(lua_State *L) {
  pl_box_freeze(L, pl_array_check(L, 1, NULL)->box);
  lua_settop(L, 1);
  return 1;
}

static int array_is_frozen(lua_State *L) {
  lua_pushboolean(L, pl_array_check(L, 1, NULL)->box->is_frozen);
  return 1;
}

/* arr:move() -> the same elements in new hands: what is sent takes its bytes along */
static int array_move(lua_State *L) {
  struct pl_type *type = type_of(L, 1);
  struct pl_array array = *pl_array_check(L, 1, NULL);
  struct pl_box *box = pl_box_push(L, pl_box_move(L, array.box));
  box->is_in_transit = true;
  pl_array_push_part(L, 1, type, array.offset, array.count, array.stride, array.column);
  struct pl_array *moved = lua_touserdata(L, -1);
  moved->box = box;
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static int array_clone(lua_State *L) {
  struct pl_type *type = type_of(L, 1);
  struct pl_span from = span_of(L, 1);
  struct pl_span to = from.column ? pl_array_push_new_columns(L, type, from.count)
                                  : pl_array_push_new(L, type, from.count);
  from = span_of(L, 1);
  pl_element_copy_all(&to, &from);
  return 1;
}

/* arr:copy(source) -> arr: the elements of another array, converted where its type is another */
static int array_copy(lua_State *L) {
  struct pl_span to = writable_span_of(L, 1), from = span_of(L, 2);
  if (to.count != from.count)
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "%I elements, %I are needed", (lua_Integer)from.count,
                                  (lua_Integer)to.count));
  lua_settop(L, 2);
  return pl_conversion_call(L, 1, 2);
}

/* arr:pack() -> its elements as a string */
static int array_pack(lua_State *L) {
  struct pl_span from = span_of(L, 1);
  size_t size = from.layout->size;
  luaL_Buffer b;
  char *data = luaL_buffinitsize(L, &b, from.count * size);
  struct pl_span to = {.data = data, .count = from.count, .stride = size, .layout = from.layout};
  from = span_of(L, 1);
  pl_element_copy_all(&to, &from);
  luaL_pushresultsize(&b, from.count * size);
  return 1;
}

/* arr:totable() -> a list of its elements' numbers, of tables where they have several */
static int array_totable(lua_State *L) {
  struct pl_span span = span_of(L, 1);
  if (span.count > INT32_MAX) luaL_error(L, "too many elements for a table");
  lua_createtable(L, (int)span.count, 0);
  char element[PL_STRUCT_BYTES_MAX];
  for (size_t i = 0; i < span.count; i++) {
    span = span_of(L, 1);
    pl_element_load(&span, i, element);
    if (span.layout->kind == PL_LAYOUT_STRUCT)
      pl_field_push_table(L, span.layout, element);
    else
      pl_field_push_scalar(L, span.layout, element);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

// ---- the tables ----

static const luaL_Reg methods[] = {{"get", array_get},         {"set", array_set},
                                   {"at", array_at},           {"each", array_each},
                                   {"views", array_views},     {"slice", array_slice},
                                   {"field", array_field},     {"bytes", array_bytes},
                                   {"freeze", array_freeze},   {"move", array_move},
                                   {"clone", array_clone},     {"is_frozen", array_is_frozen},
                                   {"totable", array_totable}, {"pack", array_pack},
                                   {"copy", array_copy},       {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__newindex", array_newindex},
                                       {"__len", array_len},
                                       {"__tostring", array_tostring},
                                       {NULL, NULL}};

void pl_array_object_fill(lua_State *L, struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array);
  luaL_setfuncs(L, metamethods, 0);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array_methods);
  luaL_setfuncs(L, methods, 0);
  lua_pushlightuserdata(L, type);
  lua_insert(L, -2);
  lua_pushcclosure(L, array_index, 2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
