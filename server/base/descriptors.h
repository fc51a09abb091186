/// Open files: the three standard ones, and the limit of all.
#pragma once

#include <stdint.h>

#include "base/base.h"

/// Raises the soft limit of open files to the hard one. Returns: the limit that holds now;
/// UINT64_MAX when there is none.
uint64_t pl_descriptors_raise(void);

/// Opens /dev/null for each of the descriptors 0 to 2 that is closed, so that no socket or log file
/// ever becomes one of them. Returns: 0, or a negative errno value. Thread: main, at start.
PL_MUST_CHECK int pl_descriptors_fill_standard(void);
