// Percent-decoding, one pass.
#include "http/percent.h"

#include "base/error.h"
#include "http/chars.h"

int pl_percent_decode(struct pl_strv in, bool is_form, char *out, size_t *len) {
  size_t n = 0;
  for (size_t i = 0; i < in.len; i++) {
    char c = in.data[i];
    if (c == '%') {
      if (in.len - i < 3) return PL_EINVAL;
      int high = pl_char_hex(in.data[i + 1]), low = pl_char_hex(in.data[i + 2]);
      if (high < 0 || low < 0) return PL_EINVAL;
      c = (char)(high << 4 | low);
      i += 2;
    } else if (c == '+' && is_form) {
      c = ' ';
    }
    out[n++] = c;
  }
  *len = n;
  return 0;
}
