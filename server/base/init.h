/// What PID 1 has to do in a container: pass signals on and reap every child.
#pragma once

#include "base/base.h"

/// Forks. In the child it returns 0, with the signal mask it was called with, in a process group
/// of its own (the terminal's foreground one, if there is a terminal). The parent never returns:
/// it passes every signal on to the child, reaps whatever becomes its child, and ends when the
/// child ends, with its status, or 128 + n when signal n ended it.
/// Call it before there are threads. Returns: 0 in the child, or a negative errno value: no fork.
PL_MUST_CHECK int pl_init_fork(void);
