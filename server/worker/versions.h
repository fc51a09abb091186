/// What this program was made of.
#pragma once

enum { PL_VERSIONS = 5 };

struct pl_version {
  const char *name;  ///< "perilune", "build", "libuv", "lua", "llhttp"
  const char *text;  ///< static storage
};

/// Fills in all of them, perilune first.
void pl_versions(struct pl_version versions[PL_VERSIONS]);
