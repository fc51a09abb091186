/// Cookies: the Cookie field (RFC 6265 4.2, read leniently) and Set-Cookie (written strictly).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "http/pairs.h"
#include "http/request.h"

/// All cookies of all Cookie fields, as views of them; values as sent (no decoding), but for a pair
/// of double quotes around one, which is taken off. A piece without "=" or without a name is
/// skipped: it is no cookie of ours, and other sites of a domain may have set it.
/// @param max  limits.cookies
/// Returns: 0; PL_ELIMIT: more than max; PL_ENOMEM.
PL_MUST_CHECK int pl_cookies_parse(const struct pl_headers *headers, size_t max,
                                   struct pl_arena *arena, struct pl_pairs *out);

enum pl_same_site { PL_SAME_SITE_UNSET, PL_SAME_SITE_LAX, PL_SAME_SITE_STRICT, PL_SAME_SITE_NONE };

/// A cookie to be set; views belong to the caller. All zeros but for the name is a valid one.
struct pl_cookie {
  struct pl_strv name;    ///< a token
  struct pl_strv value;   ///< visible ASCII without `"` `,` `;` `\`; may be empty
  struct pl_strv path;    ///< begins with "/"; empty: no attribute
  struct pl_strv domain;  ///< letters, digits, "-" and "."; empty: no attribute
  int64_t max_age;        ///< seconds, if has_max_age; 0 or less deletes the cookie
  int64_t expires;        ///< seconds since 1970, if has_expires
  bool has_max_age;
  bool has_expires;
  bool is_secure;
  bool is_http_only;
  enum pl_same_site same_site;
};

/// Appends the value of a Set-Cookie field. What browsers would drop without a word is refused:
/// SameSite=None without Secure, "__Host-" and "__Secure-" names whose conditions are not met.
/// @param problem  set with PL_EINVAL: one line for the author, static
/// Returns: 0; PL_EINVAL, PL_ENOMEM (nothing appended).
PL_MUST_CHECK int pl_cookie_write(const struct pl_cookie *cookie, struct pl_buf *out,
                                  const char **problem);
