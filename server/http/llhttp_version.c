// A file of its own, so that the command line needs no llhttp.h to tell the version.
#include "http/llhttp_version.h"

#include <llhttp.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const char *pl_llhttp_version(void) {
  return TEXT(LLHTTP_VERSION_MAJOR) "." TEXT(LLHTTP_VERSION_MINOR) "." TEXT(LLHTTP_VERSION_PATCH);
}
