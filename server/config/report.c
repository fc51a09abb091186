// Notes in a growing array. Running out of memory is remembered instead of returned, so that the
// code that finds problems stays readable; pl_config_load turns it into its result.
#include "config/report.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *format_text(const char *format, va_list args) PL_PRINTF(1, 0);

static char *format_text(const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *text = len < 0 ? NULL : pl_mem_alloc((size_t)len + 1);
  if (text) vsnprintf(text, (size_t)len + 1, format, args);
  return text;
}

// Owns text, which may be NULL: out of memory.
static void add_note(struct pl_config_report *report, bool is_warning, char *text) {
  struct pl_config_note *grown =
      text ? pl_mem_realloc(report->notes, (report->count + 1) * sizeof *grown) : NULL;
  if (!is_warning) report->errors++;
  if (!grown) {
    pl_mem_free(text);
    report->is_out_of_memory = true;
    return;
  }
  report->notes = grown;
  report->notes[report->count++] = (struct pl_config_note){is_warning, text};
}

void pl_config_report_error(struct pl_config_report *report, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_note(report, false, format_text(format, args));
  va_end(args);
}

void pl_config_report_warning(struct pl_config_report *report, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_note(report, true, format_text(format, args));
  va_end(args);
}

static int compare_notes(const void *a, const void *b) {
  const struct pl_config_note *x = a, *y = b;
  return strcmp(x->text, y->text);
}

void pl_config_report_sort(struct pl_config_report *report, size_t first) {
  if (first >= report->count) return;
  qsort(report->notes + first, report->count - first, sizeof *report->notes, compare_notes);
}

void pl_config_report_deinit(struct pl_config_report *report) {
  for (size_t i = 0; i < report->count; i++) pl_mem_free(report->notes[i].text);
  pl_mem_free(report->notes);
  *report = (struct pl_config_report){0};
}
