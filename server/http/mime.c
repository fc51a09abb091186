// Extension -> media type: a binary search in the sorted list of mime.def.
#include "http/mime.h"

#include "base/base.h"
#include "http/chars.h"

#include <stdbool.h>

struct row {
  struct pl_strv extension;
  struct pl_strv type;
};

enum { LONGEST_EXTENSION = 16 };

static const struct row rows[] = {
#define X(extension, type) {{extension, sizeof extension - 1}, {type, sizeof type - 1}},
#include "http/mime.def"
#undef X
};

static struct pl_strv find_extension(struct pl_strv path) {
  size_t i = path.len;
  while (i > 0 && path.data[i - 1] != '.' && path.data[i - 1] != '/') i--;
  bool has_one = i > 1 && path.data[i - 1] == '.' && path.data[i - 2] != '/';
  return has_one ? pl_strv(path.data + i, path.len - i) : PL_STRV("");
}

static int compare(struct pl_strv a, struct pl_strv b) {
  int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
  return order ? order : (a.len > b.len) - (a.len < b.len);
}

struct pl_strv pl_mime_type(struct pl_strv path) {
  struct pl_strv extension = find_extension(path);
  char lower[LONGEST_EXTENSION];
  size_t first = 0, last = extension.len <= sizeof lower ? PL_ARRAY_LEN(rows) : 0;
  for (size_t i = 0; last && i < extension.len; i++) lower[i] = pl_char_lower(extension.data[i]);
  while (first < last) {
    size_t middle = first + (last - first) / 2;
    int order = compare(pl_strv(lower, extension.len), rows[middle].extension);
    if (order == 0) return rows[middle].type;
    if (order < 0)
      last = middle;
    else
      first = middle + 1;
  }
  return PL_STRV("application/octet-stream");
}
