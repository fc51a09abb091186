// Names and texts of error codes; see error.def for the number space.
#define _GNU_SOURCE  // strerrorname_np, strerrordesc_np
#include "base/error.h"

#include <string.h>

enum { LARGEST_ERRNO = 4000 };

const char *pl_error_name(int code) {
  switch (code) {
#define X(symbol, number, text) \
  case number:                  \
    return &#symbol[3];  // without "PL_"
#include "base/error.def"
#undef X
  }
  const char *name = code < 0 && code > -LARGEST_ERRNO ? strerrorname_np(-code) : NULL;
  return name ? name : "UNKNOWN";
}

const char *pl_error_text(int code) {
  switch (code) {
#define X(symbol, number, text) \
  case number:                  \
    return text;
#include "base/error.def"
#undef X
  }
  const char *text = code < 0 && code > -LARGEST_ERRNO ? strerrordesc_np(-code) : NULL;
  return text ? text : "unknown error";
}
