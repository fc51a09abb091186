/// Status codes: their phrases, and what an answer with one of them may carry. The list is
/// status.def.
#pragma once

#include <stdbool.h>

#include "base/strv.h"

/// "Not Found"; empty for a code that is not registered (an empty phrase is valid on the wire).
/// Static storage.
struct pl_strv pl_status_phrase(int status);

/// Whether an answer of that status may have content: not 1xx, 204, 205, 304.
bool pl_status_has_body(int status);

/// Whether an answer of that status may say Content-Length or Transfer-Encoding: not 1xx, 204.
/// (205 must say that it is empty; 304 may repeat what a 200 would have said.)
bool pl_status_has_length(int status);
