// Gathers the versions here because the command line includes no library's header. PL_VERSION and
// PL_BUILD come from CMakeLists.txt.
#include "worker/versions.h"

#include "http/llhttp_version.h"
#include "runtime/lua_version.h"

#include <uv.h>

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

void pl_versions(struct pl_version versions[PL_VERSIONS]) {
  versions[0] = (struct pl_version){"perilune", PL_VERSION};
  versions[1] = (struct pl_version){"build", PL_BUILD ", " COMPILER};
  versions[2] = (struct pl_version){"libuv", uv_version_string()};
  versions[3] = (struct pl_version){"lua", pl_lua_version()};
  versions[4] = (struct pl_version){"llhttp", pl_llhttp_version()};
}
