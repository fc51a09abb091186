/// Where to listen: the ADDR of the command line and of the configuration, as the kernel wants it.
///
/// Only numeric addresses and `localhost`: no name is ever looked up, so parsing never waits.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/base.h"
#include "base/strv.h"

enum { PL_ADDRESS_TEXT_BYTES = 128 };  // the longest: "unix:" and 107 bytes of path

struct pl_address {
  struct sockaddr_storage storage;  ///< sockaddr_in, sockaddr_in6 or sockaddr_un
  socklen_t len;                    ///< bytes of storage that count
  bool is_unix;
  char text[PL_ADDRESS_TEXT_BYTES];  ///< in full: "127.0.0.1:8080", "[::1]:8080",
                                     ///< "unix:/run/app.sock"
};

/// Reads `8080` (on 127.0.0.1), `127.0.0.1:8080`, `localhost:8080` (127.0.0.1), `[::1]:8080` or
/// `unix:/run/app.sock`. Port 0 means a free one.
/// Returns: 0 and *address; or PL_EINVAL and in `error` one line that quotes text and says what is
/// wrong with it, without a full stop.
PL_MUST_CHECK int pl_address_parse(struct pl_strv text, struct pl_address *address, char *error,
                                   size_t error_size);

/// Fills *address from what the kernel says (getsockname): its port may be another one by now.
void pl_address_set(struct pl_address *address, const struct sockaddr_storage *storage,
                    socklen_t len);

/// What the start line shows: "http://127.0.0.1:8080", "unix:/run/app.sock".
void pl_address_url(const struct pl_address *address, char *out, size_t size);
