/// Latencies by 10 us up to 20 s, and the greatest one as it was: fine enough for a p99.9 of 100
/// us.
#pragma once

#include <stdlib.h>

enum { HISTOGRAM_UNIT_US = 10, HISTOGRAM_UNITS = 2000000 };

struct histogram {
  long long count;
  long long greatest_us;
  unsigned *units;  // latencies by HISTOGRAM_UNIT_US; the last unit holds all longer ones
};

/// Returns: 0, or -1 without memory.
static inline int histogram_init(struct histogram *histogram) {
  *histogram = (struct histogram){.units = calloc(HISTOGRAM_UNITS, sizeof *histogram->units)};
  return histogram->units ? 0 : -1;
}

static inline void histogram_clear(struct histogram *histogram) {
  for (int unit = 0; unit < HISTOGRAM_UNITS; unit++) histogram->units[unit] = 0;
  histogram->count = histogram->greatest_us = 0;
}

static inline void histogram_add(struct histogram *histogram, long long latency_us) {
  long long unit = latency_us / HISTOGRAM_UNIT_US;
  histogram->units[unit < HISTOGRAM_UNITS ? unit : HISTOGRAM_UNITS - 1]++;
  histogram->count++;
  if (latency_us > histogram->greatest_us) histogram->greatest_us = latency_us;
}

/// Returns: the latency in us that this share (0 to 1) of all do not exceed, to a unit; 0 of none.
static inline long long histogram_percentile(const struct histogram *histogram, double share) {
  long long wanted = (long long)((double)histogram->count * share);
  long long seen = 0;
  int unit = 0;
  if (histogram->count == 0) return 0;
  while (unit < HISTOGRAM_UNITS - 1 && (seen += histogram->units[unit]) <= wanted) unit++;
  return (long long)unit * HISTOGRAM_UNIT_US;
}
