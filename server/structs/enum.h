/// Enums as scripts see them: E.A, E"A", E(1) are the same object, so that equality is identity and
/// a value may be a table's key.
///
/// A value is an owned, frozen struct of the enum's size. All that are alive are found by their
/// number in a weak table; those with a name are kept by E itself once somebody has asked for them.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "geometry/layout.h"
#include "structs/scalar.h"

struct pl_type;

/// Pushes the enum's value; 0 allocations when it is alive.
void pl_enum_push(lua_State *L, struct pl_type *type, int64_t value);

/// Stores the Lua value at `index`: one of the enum, a name of it ("A|B" of flags), an integer in
/// range. Raises with the path.
void pl_enum_store(lua_State *L, int index, const struct pl_layout *layout, char *at,
                   const struct pl_path *path);

/// Pushes the value of that name. Returns: whether there is one; else nothing is pushed.
bool pl_enum_push_named(lua_State *L, struct pl_type *type, struct pl_strv name);

/// Pushes its text: "A", "A|B" of flags, "Kind(7)".
void pl_enum_push_text(lua_State *L, const struct pl_layout *layout, int64_t value);

/// E(value), E(name): the arguments from stack index `first` on. Pushes the value.
void pl_enum_call(lua_State *L, struct pl_type *type, int first);

/* pairs(E): name, value in the order of definition; upvalue of nobody: E is at 1 */
int pl_enum_pairs(lua_State *L);

/// Fills the enum's metatables and methods.
void pl_enum_fill(lua_State *L, struct pl_type *type);
