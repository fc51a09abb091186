// One pass over the lines of a header block, with memchr doing the work.
#include "http/guard.h"

#include "base/error.h"

static int refuse(struct pl_guard *g, const char *problem) {
  g->problem = problem;
  return PL_EPROTO;
}

// The rest of an unfinished line may end in CR, whose LF is still on its way.
static int check_line(struct pl_guard *g, const char *line, size_t len, bool is_finished) {
  const char *cr = memchr(line, '\r', len);
  bool cr_is_last = cr && cr == line + len - 1;
  if (cr && !cr_is_last) return refuse(g, "a CR without LF in the header");
  if (is_finished && !cr) return refuse(g, "a LF without CR in the header");
  if (len && (line[0] == ' ' || line[0] == '\t'))
    return refuse(g, "a line that begins with white space (obs-fold)");
  if (len && line[0] == ':') return refuse(g, "a header field without a name");
  return 0;
}

// Up to the end of the block, or of the input.
static int scan_lines(struct pl_strv input, struct pl_guard *g, bool may_be_empty) {
  while (g->scanned < input.len) {
    const char *line = input.data + g->scanned;
    size_t left = input.len - g->scanned;
    const char *lf = memchr(line, '\n', left);
    size_t len = lf ? (size_t)(lf - line) : left;
    if (check_line(g, line, len, lf)) return PL_EPROTO;
    if (!lf) {
      g->scanned = input.len;
      return 0;
    }
    g->scanned += len + 1;
    if (len == 1 && (g->lines > 0 || may_be_empty)) {
      g->length = g->scanned;
      return 0;
    }
    g->lines++;
    if (!g->first_line) g->first_line = g->scanned;
  }
  return 0;
}

// What stands behind the block is none of its business: a body may have NULs.
static int scan(struct pl_strv input, struct pl_guard *g, bool may_be_empty) {
  *g = (struct pl_guard){0};
  int error = scan_lines(input, g, may_be_empty);
  if (!error && g->scanned && memchr(input.data, '\0', g->scanned))
    error = refuse(g, "a NUL in the header");
  return error;
}

int pl_guard_scan(struct pl_strv input, struct pl_guard *g) {
  return scan(input, g, false);
}

int pl_guard_scan_trailers(struct pl_strv input, struct pl_guard *g) {
  return scan(input, g, true);
}
