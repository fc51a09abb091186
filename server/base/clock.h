/// Time: a monotonic clock for everything that measures or waits, and the wall clock for the two
/// places that show it (the Date header and log lines).
#pragma once

#include <stdint.h>
#include <time.h>

/// Nanoseconds of CLOCK_MONOTONIC. Never goes back, does not know the time of day.
uint64_t pl_clock_ns(void);

/// Nanoseconds of CPU time that the calling thread has used. A system call.
uint64_t pl_clock_cpu_ns(void);

/// Milliseconds of the same clock as pl_clock_ns, rounded down.
uint64_t pl_clock_ms(void);

enum { PL_HTTP_DATE_LEN = 29 };

/// Writes `t` in HTTP's form, "Sun, 06 Nov 1994 08:49:37 GMT", and a terminator.
void pl_clock_http_date(time_t t, char out[PL_HTTP_DATE_LEN + 1]);

/// The current date in HTTP's form, made again at most once a second. One per thread.
struct pl_clock_date {
  uint64_t valid_until_ms;  ///< pl_clock_ms() time at which text is made again
  char text[PL_HTTP_DATE_LEN + 1];
};

/// @param now_ms the caller's idea of pl_clock_ms()
/// Returns: date->text, brought up to date.
const char *pl_clock_date(struct pl_clock_date *date, uint64_t now_ms);
