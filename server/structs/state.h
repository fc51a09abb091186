/// What a Lua state keeps for bytes, structs and arrays.
///
///   bytes    userdata pl_box          off-heap; one __gc each; may be frozen, moved away, in use
///   T        userdata, sizeof(T)      owned: the struct itself, 32 + sizeof(T) bytes, no __gc
///   T&       userdata pl_view         a view: where in a box, or inside an owned value; it holds
///                                     that in its user value
///   T[]      userdata pl_array        elements in a box: offset, stride, count; holds the box
///   slice    userdata pl_array        a part of a box, as bytes
///   T[N]     userdata pl_row          a fixed array inside a struct: a view with a count
///   type     userdata pl_type_object  a T
///
/// A value's type is its metatable, compared by address: all metatables of a state are in one
/// small hash by address, and live as long as the state.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "base/account.h"
#include "geometry/layout.h"
#include "runtime/state.h"

struct pl_offload;
struct pl_type;

/// What a metatable says about a userdata.
enum pl_form {
  PL_FORM_NONE,    ///< none of ours
  PL_FORM_BOX,     ///< bytes
  PL_FORM_OWNED,   ///< T
  PL_FORM_FROZEN,  ///< T that may not be written
  PL_FORM_VIEW,    ///< T&
  PL_FORM_ARRAY,   ///< T[]
  PL_FORM_SLICE,   ///< a part of bytes
  PL_FORM_ROW,     ///< a fixed array inside a struct
  PL_FORM_TYPE     ///< a type itself
};

/// A metatable of ours, found by its address.
struct pl_meta {
  const void *metatable;  ///< lua_topointer
  struct pl_type *type;   ///< NULL for BOX, SLICE and TYPE
  enum pl_form form;
};

struct pl_structs {
  struct pl_layouts *layouts;  ///< the process's
  struct pl_account *account;  ///< where the bytes that boxes hold are counted, or NULL
  struct pl_offload *offload;  ///< long calls on the thread pool
  struct pl_type **types;      ///< by layout id; NULL: not seen yet
  size_t type_cap;
  struct pl_meta *metas;  ///< by address, open addressing, a power of two
  size_t meta_count;
  size_t meta_cap;
  int names;        ///< registry reference: table, name -> T, of types that a script has defined
  int box;          ///< registry reference of the boxes' metatable
  int type_object;  ///< of the types'
  int slice;        ///< of the slices'
  /// Fills a new type's metatables and T (type.h), which are known already. library.c sets it.
  void (*fill)(lua_State *L, struct pl_type *type);
};

/// Makes it. Once per state, before any script. May raise out of memory.
struct pl_structs *pl_structs_init(lua_State *L, struct pl_layouts *layouts,
                                   struct pl_account *account);

/// Returns: NULL before pl_structs_init.
static inline struct pl_structs *pl_structs_of(lua_State *L) {
  return pl_vm_of(L)->structs;
}

/// Makes the metatable on top of the stack known. May raise out of memory.
void pl_structs_add_meta(lua_State *L, struct pl_type *type, enum pl_form form);

/// What the value at `index` is; never NULL: its form is PL_FORM_NONE when it is no userdata of
/// ours, light userdata included.
const struct pl_meta *pl_structs_meta(lua_State *L, int index);
