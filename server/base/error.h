/// Error codes: functions return 0 or one of these, or a negative errno value from the system or
/// from libuv, which passes through unchanged. The list is error.def.
#pragma once

enum {
#define X(symbol, number, text) symbol = number,
#include "base/error.def"
#undef X
};

/// The code's name as scripts see it: "ETIMEDOUT", "EOF"; "UNKNOWN" for a number nobody has named.
/// Static storage.
const char *pl_error_name(int code);

/// A sentence's worth of explanation, no full stop. Static storage, or the C library's.
const char *pl_error_text(int code);
