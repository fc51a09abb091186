/// A type in one Lua state: its metatables, and the object T that scripts know it by.
///
/// Made when the state first needs it, by a script's name or by a value that arrives from another
/// worker. The metatables are there and known before anything else is made, so that a type may have
/// constants of its own type, and two types may speak of each other.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "geometry/layout.h"
#include "structs/state.h"

struct pl_type {
  const struct pl_layout *layout;
  int owned;  ///< registry references of the metatables
  int frozen;
  int view;
  int array;
  int row;            ///< LUA_NOREF until a fixed array of it is looked at (row.c)
  int object;         ///< of T, a userdata pl_type_object
  int members;        ///< of the table of what T.name finds: functions, constants, T.methods
  int methods;        ///< of the table name -> function: what v:name() finds; scripts may add
  int array_methods;  ///< the same for arrays
  int values;         ///< of an enum: the weak table number -> value; else LUA_NOREF
  bool is_filled;
  bool is_filling;
};

/// T as scripts hold it.
struct pl_type_object {
  struct pl_type *type;
};

/// The type of a layout in this state, made on first use. May raise out of memory.
struct pl_type *pl_type_of(lua_State *L, const struct pl_layout *layout);

/// Pushes T.
void pl_type_push(lua_State *L, const struct pl_type *type);

/// The type at `index` when it is a T, else NULL; names are none.
struct pl_type *pl_type_get(lua_State *L, int index);

/// The type of that name: a script's (pl_type_publish), else a built-in one; or NULL.
struct pl_type *pl_type_find(lua_State *L, struct pl_strv name);

/// The type at `index`: T itself, or its name. Raises with did-you-mean when it is neither.
struct pl_type *pl_type_check(lua_State *L, int index);

/// Pushes "no type has the name 'rya' (did you mean 'ray'?)".
void pl_type_push_unknown(lua_State *L, struct pl_strv name);

/// Gives T its name for this state's scripts. Raises when the name stands for another layout,
/// naming both places.
void pl_type_publish(lua_State *L, struct pl_type *type);

/// Makes a metatable with __name (a format with one %s for the type's) and __metatable alone, has
/// it known as that form of the type, and its registry reference in *ref, unless there is one. May
/// raise out of memory.
void pl_type_make_metatable(lua_State *L, struct pl_type *type, int *ref, enum pl_form form,
                            const char *name);

/// Makes the types' metatable, empty, and pushes it. Once per state.
void pl_type_open(lua_State *L);
