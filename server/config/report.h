/// The problems of a configuration, collected so that all of them are told and not only the first.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/// One line for the user, without a full stop or line end.
struct pl_config_note {
  bool is_warning;
  char *text;  ///< owned
};

/// All zeros is an empty report.
struct pl_config_report {
  struct pl_config_note *notes;
  size_t count;
  size_t errors;          ///< of the notes
  bool is_out_of_memory;  ///< a note was lost: the configuration cannot be trusted
};

void pl_config_report_error(struct pl_config_report *report, const char *format, ...)
    PL_PRINTF(2, 3);

void pl_config_report_warning(struct pl_config_report *report, const char *format, ...)
    PL_PRINTF(2, 3);

/// Sorts the notes from number `first` on by their text.
void pl_config_report_sort(struct pl_config_report *report, size_t first);

/// Frees the notes; the report is empty afterwards.
void pl_config_report_deinit(struct pl_config_report *report);
