// Integer arithmetic throughout, so that what was written reads back the same.
#include "config/units.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

enum { MOST_DECIMALS = 9 };

struct unit {
  const char *suffix;
  uint64_t factor;
  uint64_t shown_from;  ///< how many of it there must be to show a value in it: 60s, not 1m
};

// Largest first; the one without a suffix is what a bare number means.
static const struct unit count_units[] = {{"", 1, 0}, {NULL, 0, 0}};
static const struct unit size_units[] = {
    {"g", 1u << 30, 1}, {"m", 1u << 20, 1}, {"k", 1u << 10, 1}, {"", 1, 0}, {NULL, 0, 0}};
static const struct unit time_units[] = {{"h", 3600000, 2}, {"m", 60000, 2}, {"s", 1000, 1},
                                         {"ms", 1, 0},      {"", 1000, 0},   {NULL, 0, 0}};

static const struct unit *units_of(enum pl_units units) {
  if (units == PL_UNITS_COUNT) return count_units;
  return units == PL_UNITS_SIZE ? size_units : time_units;
}

struct number {
  uint64_t digits;  ///< without the point
  uint64_t scale;   ///< 10 to the number of decimals
  bool is_huge;     ///< more digits than 64 bits hold
};

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static void take_digit(struct number *n, char digit) {
  n->is_huge |= __builtin_mul_overflow(n->digits, 10, &n->digits) ||
                __builtin_add_overflow(n->digits, (uint64_t)(digit - '0'), &n->digits);
}

// Takes "12" or "12.5" off the front of *text.
static int take_number(struct pl_strv *text, bool has_decimals, struct number *n) {
  *n = (struct number){.scale = 1};
  size_t i = 0;
  while (i < text->len && is_digit(text->data[i])) take_digit(n, text->data[i++]);
  if (i == 0) return PL_EINVAL;
  if (has_decimals && i < text->len && text->data[i] == '.') {
    size_t first = ++i;
    for (; i < text->len && is_digit(text->data[i]); i++) {
      if (i - first == MOST_DECIMALS) return PL_EINVAL;
      take_digit(n, text->data[i]);
      n->scale *= 10;
    }
    if (i == first) return PL_EINVAL;
  }
  *text = pl_strv(text->data + i, text->len - i);
  return 0;
}

int pl_units_parse(enum pl_units units, struct pl_strv text, uint64_t *value) {
  bool is_negative = text.len > 0 && text.data[0] == '-';
  if (is_negative) text = pl_strv(text.data + 1, text.len - 1);
  struct number n;
  int rc = take_number(&text, units == PL_UNITS_TIME, &n);
  if (rc < 0) return rc;
  for (const struct unit *unit = units_of(units); unit->suffix; unit++) {
    if (!pl_strv_eq(text, pl_strv_of(unit->suffix))) continue;
    uint64_t scaled;
    bool is_huge = n.is_huge || __builtin_mul_overflow(n.digits, unit->factor, &scaled);
    if (is_huge || (is_negative && n.digits > 0)) return PL_ELIMIT;
    *value = scaled / n.scale;
    return 0;
  }
  return PL_EINVAL;
}

void pl_units_format(enum pl_units units, uint64_t value, char *out, size_t size) {
  for (const struct unit *unit = units_of(units); unit->suffix; unit++) {
    if (value % unit->factor != 0 || value / unit->factor < unit->shown_from) continue;
    snprintf(out, size, "%" PRIu64 "%s", value / unit->factor, unit->suffix);
    return;
  }
}
