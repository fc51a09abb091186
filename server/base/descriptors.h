/// The limit of open files.
#pragma once

#include <stdint.h>

/// Raises the soft limit of open files to the hard one. Returns: the limit that holds now;
/// UINT64_MAX when there is none.
uint64_t pl_descriptors_raise(void);
