// stderr and stdout for the commands.
#include "cli/message.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_colour(void) {
  const char *no_color = getenv("NO_COLOR");
  const char *term = getenv("TERM");
  bool is_dumb = !term || strcmp(term, "dumb") == 0;
  return !(no_color && *no_color) && !is_dumb && isatty(STDERR_FILENO);
}

PL_PRINTF(3, 0)
static void print(const char *kind, const char *colour, const char *format, va_list args) {
  bool is_coloured = has_colour();
  fprintf(stderr, "perilune: %s%s:%s ", is_coloured ? colour : "", kind,
          is_coloured ? "\x1b[0m" : "");
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
}

void pl_message_error(const char *format, ...) {
  va_list args;
  va_start(args, format);
  print("error", "\x1b[1;31m", format, args);
  va_end(args);
}

void pl_message_warning(const char *format, ...) {
  va_list args;
  va_start(args, format);
  print("warning", "\x1b[1;33m", format, args);
  va_end(args);
}

int pl_message_result(int rc, const struct pl_buf *text) {
  if (rc < 0) {
    pl_message_error("%s", pl_error_text(rc));
    return 1;
  }
  struct pl_strv view = pl_buf_view(text);
  errno = 0;
  size_t written = fwrite(view.data, 1, view.len, stdout);
  if (written == view.len && fflush(stdout) == 0) return 0;
  pl_message_error("cannot write to standard output: %s", pl_error_text(-errno));
  return 1;
}
