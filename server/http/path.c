// A path becomes segments in one pass of the usual kind; anything with a "%", a dot segment or very
// many segments goes the long way, through memory of the arena.
#include "http/path.h"

#include "base/error.h"
#include "http/percent.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_dot(struct pl_strv s) {
  return s.len == 1 && s.data[0] == '.';
}

static bool is_dot_dot(struct pl_strv s) {
  return s.len == 2 && s.data[0] == '.' && s.data[1] == '.';
}

// The usual kind. Returns: false: go the long way.
static bool split_plain(struct pl_strv raw, struct pl_path *out) {
  const char *start = raw.data + 1, *end = raw.data + raw.len;
  size_t count = 0;
  for (const char *p = start;; p++) {
    if (p < end && *p == '%') return false;
    if (p < end && *p != '/') continue;
    struct pl_strv segment = {start, (size_t)(p - start)};
    if (count == PL_PATH_LOCAL || is_dot(segment) || is_dot_dot(segment)) return false;
    out->local[count++] = segment;
    if (p == end) break;
    start = p + 1;
  }
  out->text = raw;
  out->segments = out->local;
  out->count = count;
  out->slash_count = 0;
  return true;
}

static size_t count_slashes(struct pl_strv raw) {
  size_t n = 0;
  for (size_t i = 0; i < raw.len; i++) n += raw.data[i] == '/';
  return n;
}

// Decodes the segments of `raw` to `to`, each behind a "/", and resolves dot segments on the way.
static int decode_segments(struct pl_strv raw, char *to, struct pl_path *out) {
  const char *end = raw.data + raw.len;
  size_t count = 0;
  char *write = to;
  for (const char *p = raw.data; p < end;) {
    const char *start = ++p;  // behind the slash
    while (p < end && *p != '/') p++;
    *write = '/';
    struct pl_strv segment = {write + 1, 0};
    int err =
        pl_percent_decode(pl_strv(start, (size_t)(p - start)), false, write + 1, &segment.len);
    if (err) return err;
    if (segment.len && memchr(segment.data, '\0', segment.len)) return PL_EINVAL;
    bool is_up = is_dot_dot(segment);
    if (is_up && count) write = (char *)out->segments[--count].data - 1;
    if (is_up || is_dot(segment)) {
      if (p < end) continue;
      *write = '/';  // "/a/." and "/a/b/.." are "/a/"
      segment = pl_strv(write + 1, 0);
    }
    out->segments[count++] = segment;
    write += 1 + segment.len;
  }
  out->count = count;
  out->text = pl_strv(to, (size_t)(write - to));
  return 0;
}

// Finds encoded slashes. Returns: whether out->text has to be written anew, see path.h.
static bool inspect_segments(struct pl_path *out) {
  bool is_ambiguous = false;
  out->slash_count = 0;
  for (size_t i = 0; i < out->count; i++) {
    struct pl_strv s = out->segments[i];
    if (!s.len) continue;
    if (memchr(s.data, '/', s.len)) out->slash_count = i + 1;
    if (out->slash_count == i + 1 || memchr(s.data, '%', s.len)) is_ambiguous = true;
  }
  return is_ambiguous;
}

static struct pl_strv write_text(const struct pl_path *path, char *to) {
  char *write = to;
  for (size_t i = 0; i < path->count; i++) {
    struct pl_strv s = path->segments[i];
    *write++ = '/';
    for (size_t k = 0; k < s.len; k++) {
      if (s.data[k] != '/' && s.data[k] != '%') {
        *write++ = s.data[k];
      } else {
        memcpy(write, s.data[k] == '/' ? "%2F" : "%25", 3);
        write += 3;
      }
    }
  }
  return pl_strv(to, (size_t)(write - to));
}

int pl_path_parse(struct pl_strv raw, struct pl_arena *arena, struct pl_path *out) {
  if (!raw.len || raw.data[0] != '/') return PL_EINVAL;
  if (PL_LIKELY(split_plain(raw, out))) return 0;
  char *decoded = pl_arena_alloc(arena, raw.len);
  size_t slashes = count_slashes(raw);
  out->segments = out->local;
  if (slashes > PL_PATH_LOCAL)
    out->segments = pl_arena_alloc(arena, slashes * sizeof *out->segments);
  if (!decoded || !out->segments) return PL_ENOMEM;
  int err = decode_segments(raw, decoded, out);
  if (err || !inspect_segments(out)) return err;
  // A "/" or "%" within a segment was written as three bytes in `raw`, so this is never longer.
  char *text = pl_arena_alloc(arena, raw.len);
  if (!text) return PL_ENOMEM;
  out->text = write_text(out, text);
  return 0;
}

int pl_path_rest(const struct pl_path *path, size_t first, struct pl_strv *rest) {
  if (path->slash_count > first) return PL_EINVAL;
  struct pl_strv last = path->segments[path->count - 1];
  const char *start = path->segments[first].data;
  *rest = pl_strv(start, (size_t)(last.data + last.len - start));
  return 0;
}
