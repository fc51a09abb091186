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
  int object;   ///< of T, a table
  int methods;  ///< of the table name -> function that scripts may add to (T.methods)
  int array_methods;
};

/// The type of a layout in this state, made on first use. May raise out of memory.
struct pl_type *pl_type_of(lua_State *L, const struct pl_layout *layout);

/// Pushes T.
void pl_type_push(lua_State *L, const struct pl_type *type);

/// The type at `index`: T itself, or its name. Raises with did-you-mean when it is neither.
struct pl_type *pl_type_check(lua_State *L, int index);

/// The type at `index` when it is a T, else NULL; names are none.
struct pl_type *pl_type_get(lua_State *L, int index);

/// Gives T its name for this state's scripts. Raises when the name stands for another layout,
/// naming both places.
void pl_type_publish(lua_State *L, struct pl_type *type);
