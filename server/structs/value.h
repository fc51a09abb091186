/// Single structs as Lua objects: owned ones and views.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "geometry/layout.h"
#include "structs/box.h"
#include "structs/state.h"
#include "structs/view.h"

struct pl_type;

/// Pushes a new owned value. Returns: its bytes, all zero, at an address that is a multiple of 16.
char *pl_value_push_new(lua_State *L, struct pl_type *type);

/// Pushes a view of `type` that lies `offset` bytes into what is at `holder`: a box, an owned
/// value, or a view (the new one then holds what that one holds). Raises when it does not fit.
void pl_value_push_view(lua_State *L, int holder, struct pl_type *type, size_t offset);

/// Has the view at `index` look `offset` bytes into the box at `holder` from now on. 0 allocations.
void pl_value_aim_view(lua_State *L, int index, int holder, size_t offset);

/// The bytes of the owned value or view that has this metatable. Raises "stale view".
static inline char *pl_value_bytes(lua_State *L, const struct pl_meta *meta, void *object) {
  if (meta->form != PL_FORM_VIEW) return object;
  const struct pl_view *view = object;
  if (!view->box) return view->inside;
  pl_box_check(L, view->box);
  return view->box->data + view->offset;
}

/// Whether it is a single value, owned or a view.
static inline bool pl_form_is_value(enum pl_form form) {
  return form == PL_FORM_OWNED || form == PL_FORM_FROZEN || form == PL_FORM_VIEW;
}
