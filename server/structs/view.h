/// What a view is: shared by those who make views and those who look through them.
#pragma once

#include <stddef.h>

struct pl_box;

/// A view's userdata; its one user value is what it lies in: a box's userdata, or an owned value's.
struct pl_view {
  struct pl_box *box;  ///< NULL: it lies inside an owned value
  char *inside;        ///< its bytes there; NULL with a box
  size_t offset;       ///< in the box
};
