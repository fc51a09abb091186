// Clocks. The date text does not use strftime: that one follows the locale.
#include "base/clock.h"

#include "base/base.h"

#include <stdio.h>

static uint64_t read_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t pl_clock_ns(void) {
  return read_ns(CLOCK_MONOTONIC);
}

uint64_t pl_clock_cpu_ns(void) {
  return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t pl_clock_ms(void) {
  return pl_clock_ns() / 1000000u;
}

void pl_clock_http_date(time_t t, char out[PL_HTTP_DATE_LEN + 1]) {
  static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  struct tm tm;
  gmtime_r(&t, &tm);
  // The masks tell the compiler that each number fits its place.
  snprintf(out, PL_HTTP_DATE_LEN + 1, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
           (unsigned)tm.tm_mday & 31, months[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
           (unsigned)tm.tm_hour & 31, (unsigned)tm.tm_min & 63, (unsigned)tm.tm_sec & 63);
}

const char *pl_clock_date(struct pl_clock_date *date, uint64_t now_ms) {
  if (PL_UNLIKELY(now_ms >= date->valid_until_ms)) {
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    pl_clock_http_date(wall.tv_sec, date->text);
    date->valid_until_ms = now_ms + 1000 - (uint64_t)(wall.tv_nsec / 1000000);
  }
  return date->text;
}
