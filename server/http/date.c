// The three forms of an HTTP date. The form is told by the comma: behind the third letter, later,
// or nowhere. No strptime: that one follows the locale.
#include "http/date.h"

#include "base/error.h"
#include "http/chars.h"

#include <stdbool.h>

struct date {
  int year, month, day, hour, minute, second;  // month 0..11
};

static bool skip(struct pl_strv *s, struct pl_strv expected) {
  if (s->len < expected.len || memcmp(s->data, expected.data, expected.len) != 0) return false;
  *s = pl_strv(s->data + expected.len, s->len - expected.len);
  return true;
}

static bool read_digits(struct pl_strv *s, int digits, int *value) {
  if (s->len < (size_t)digits) return false;
  *value = 0;
  for (int i = 0; i < digits; i++) {
    if (!pl_char_is_digit(s->data[i])) return false;
    *value = *value * 10 + (s->data[i] - '0');
  }
  *s = pl_strv(s->data + digits, s->len - (size_t)digits);
  return true;
}

// One of `count` names; `is_long` takes the whole word, else its first three letters.
static bool read_name(struct pl_strv *s, const char *const *words, int count, bool is_long,
                      int *index) {
  for (int i = 0; i < count; i++) {
    if (!skip(s, pl_strv(words[i], is_long ? strlen(words[i]) : 3))) continue;
    *index = i;
    return true;
  }
  return false;
}

static bool read_weekday(struct pl_strv *s, bool is_long) {
  static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};
  int ignored;
  return read_name(s, days, PL_ARRAY_LEN(days), is_long, &ignored);
}

static bool read_month(struct pl_strv *s, int *month) {
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return read_name(s, months, PL_ARRAY_LEN(months), false, month);
}

static bool read_clock(struct pl_strv *s, struct date *d) {
  return read_digits(s, 2, &d->hour) && skip(s, PL_STRV(":")) && read_digits(s, 2, &d->minute) &&
         skip(s, PL_STRV(":")) && read_digits(s, 2, &d->second);
}

static bool read_imf(struct pl_strv s, struct date *d) {
  return read_weekday(&s, false) && skip(&s, PL_STRV(", ")) && read_digits(&s, 2, &d->day) &&
         skip(&s, PL_STRV(" ")) && read_month(&s, &d->month) && skip(&s, PL_STRV(" ")) &&
         read_digits(&s, 4, &d->year) && skip(&s, PL_STRV(" ")) && read_clock(&s, d) &&
         pl_strv_eq(s, PL_STRV(" GMT"));
}

static bool read_rfc850(struct pl_strv s, struct date *d) {
  return read_weekday(&s, true) && skip(&s, PL_STRV(", ")) && read_digits(&s, 2, &d->day) &&
         skip(&s, PL_STRV("-")) && read_month(&s, &d->month) && skip(&s, PL_STRV("-")) &&
         read_digits(&s, 2, &d->year) && skip(&s, PL_STRV(" ")) && read_clock(&s, d) &&
         pl_strv_eq(s, PL_STRV(" GMT"));
}

static bool read_asctime(struct pl_strv s, struct date *d) {
  if (!read_weekday(&s, false) || !skip(&s, PL_STRV(" ")) || !read_month(&s, &d->month) ||
      !skip(&s, PL_STRV(" ")))
    return false;
  bool has_day = skip(&s, PL_STRV(" ")) ? read_digits(&s, 1, &d->day) : read_digits(&s, 2, &d->day);
  return has_day && skip(&s, PL_STRV(" ")) && read_clock(&s, d) && skip(&s, PL_STRV(" ")) &&
         read_digits(&s, 4, &d->year) && s.len == 0;
}

static bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_valid(const struct date *d) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int last = days[d->month] + (d->month == 1 && is_leap(d->year) ? 1 : 0);
  return d->year >= 1 && d->day >= 1 && d->day <= last && d->hour < 24 && d->minute < 60 &&
         d->second <= 60;  // a leap second
}

// Seconds since 1970. Years are counted from March, so that the leap day comes last.
static int64_t to_seconds(const struct date *d) {
  int64_t year = d->month < 2 ? d->year - 1 : d->year;
  int64_t month = (d->month + 10) % 12;
  int64_t leap_days = year / 4 - year / 100 + year / 400;
  int64_t days = year * 365 + leap_days + (month * 153 + 2) / 5 + d->day - 1;
  const int64_t days_to_1970 = 719468;  // from 0000-03-01
  return ((days - days_to_1970) * 24 + d->hour) * 3600 + d->minute * 60 + d->second;
}

// A two-digit year means the last such year that is not more than 50 years ahead.
static void resolve_century(struct date *d, int64_t now) {
  const int64_t year_seconds = 31556952;
  int64_t this_year = now / year_seconds + 1970;
  d->year += (int)(this_year / 100 + 1) * 100;
  while (d->year > 100 && to_seconds(d) > now + 50 * year_seconds) d->year -= 100;
}

int pl_http_date_parse(struct pl_strv text, int64_t now, int64_t *time) {
  struct date d = {0};
  const char *comma = text.len ? memchr(text.data, ',', text.len) : NULL;
  bool is_short = comma && comma - text.data > 3;
  bool is_read = !comma     ? read_asctime(text, &d)
                 : is_short ? read_rfc850(text, &d)
                            : read_imf(text, &d);
  if (!is_read) return PL_EINVAL;
  if (is_short) resolve_century(&d, now);
  if (!is_valid(&d)) return PL_EINVAL;
  *time = to_seconds(&d);
  return 0;
}
