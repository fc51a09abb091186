/// The Lua part of the standard library, compiled into the program: lua/perilune/*.lua as bytes.
/// The table is written by cmake/embed_lua.cmake at build time.
#pragma once

#include <stddef.h>

struct pl_embedded {
  const char *name;    ///< path below lua/ without ".lua": "perilune/app"; NULL ends the table
  const char *source;  ///< Lua text, a 0 behind it
  size_t len;          ///< without that 0
};

extern const struct pl_embedded pl_embedded_lua[];
