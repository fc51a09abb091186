/// A list of names and values in the order they came: query, form fields, cookies.
#pragma once

#include <stddef.h>

#include "base/strv.h"

struct pl_pair {
  struct pl_strv name;
  struct pl_strv value;
};

struct pl_pairs {
  struct pl_pair *items;  ///< names may repeat
  size_t count;
};
