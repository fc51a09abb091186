// The compiler makes a table of the switch: one look-up, whatever the code.
#include "http/status.h"

struct pl_strv pl_status_phrase(int status) {
  switch (status) {
#define X(code, phrase) \
  case code:            \
    return PL_STRV(phrase);
#include "http/status.def"
#undef X
  default:
    return PL_STRV("");
  }
}

bool pl_status_has_body(int status) {
  return status >= 200 && status != 204 && status != 205 && status != 304;
}

bool pl_status_has_length(int status) {
  return status >= 200 && status != 204;
}
