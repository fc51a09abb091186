/// Where the bytes of a value, or of a fixed array inside one, are: what userdata of these forms
/// hold, and nothing else.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "structs/box.h"
#include "structs/state.h"

/// A view's userdata; its one user value is what it lies in: a box's userdata, or an owned value's.
struct pl_view {
  struct pl_box *box;  ///< NULL: it lies inside an owned value
  char *inside;        ///< its bytes there; NULL with a box
  size_t offset;       ///< in the box
};

/// A row's userdata, a fixed array inside a struct (row.h); its user value is a view's.
struct pl_row {
  struct pl_view view;  ///< of the first element
  uint32_t count;
};

/// The bytes that it begins at. Raises "stale view".
static inline char *pl_view_bytes(lua_State *L, const struct pl_view *view) {
  if (!view->box) return view->inside;
  pl_box_check(L, view->box);
  return view->box->data + view->offset;
}

/// The bytes of the owned value or view that has this metatable. Raises "stale view".
static inline char *pl_value_bytes(lua_State *L, const struct pl_meta *meta, void *object) {
  return meta->form == PL_FORM_VIEW ? pl_view_bytes(L, object) : object;
}

/// Whether it is a single value, owned or a view.
static inline bool pl_form_is_value(enum pl_form form) {
  return form == PL_FORM_OWNED || form == PL_FORM_FROZEN || form == PL_FORM_VIEW;
}
