/// The few macros that every file may use: attributes, array length, containers.
/// No function, no state; this header includes nothing of the project.
#pragma once

#include <stddef.h>

/// On every function that can fail: ignoring its result is a compile error.
#define PL_MUST_CHECK __attribute__((warn_unused_result))

/// Checks a printf-like function's arguments: format is argument f, the first value argument a.
#define PL_PRINTF(f, a) __attribute__((format(printf, f, a)))

#define PL_LIKELY(x) __builtin_expect(!!(x), 1)
#define PL_UNLIKELY(x) __builtin_expect(!!(x), 0)

/// On a function off the usual path: it stays out of its callers, which then stay small.
#define PL_COLD __attribute__((cold, noinline))

#define PL_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/// The struct that `member` of `type`, to which ptr points, is embedded in.
#define PL_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
