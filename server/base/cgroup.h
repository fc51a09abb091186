/// The control groups that this process is in, v1 and v2: the folders in which the limits of its
/// own group and of those above it are written.
#pragma once

#include <stdbool.h>

#include "base/base.h"

enum { PL_CGROUP_LINE_BYTES = 4096 };

/// Calls visit for the folder of the group and of each one above it, up to the root of the
/// hierarchy: of v2, and of v1's hierarchy of `controller` ("cpu", "memory").
/// @param root stands in front of /proc and /sys; "" = the real ones
void pl_cgroup_walk(const char *root, const char *controller,
                    void (*visit)(const char *folder, bool is_v2, void *ctx), void *ctx);

/// Reads the first line of the file `name` of `folder`. Returns: whether there is one.
PL_MUST_CHECK bool pl_cgroup_read(const char *folder, const char *name,
                                  char line[PL_CGROUP_LINE_BYTES]);
