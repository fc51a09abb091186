/// The request target in its four forms (RFC 9112 3.2). path.h takes the path within it apart.
#pragma once

#include "base/base.h"
#include "base/strv.h"

enum pl_target_form {
  PL_TARGET_ORIGIN,     ///< /path?query
  PL_TARGET_ABSOLUTE,   ///< http://host[:port]/path?query
  PL_TARGET_AUTHORITY,  ///< host:port, only for CONNECT
  PL_TARGET_ASTERISK    ///< "*", only for OPTIONS; also OPTIONS http://host without a path
};

/// Views of the target.
struct pl_target {
  enum pl_target_form form;
  struct pl_strv host;  ///< with its port; empty in origin and asterisk form
  struct pl_strv
      raw_path;  ///< not decoded, begins with "/"; "*" in asterisk form; empty in authority form
  struct pl_strv raw_query;  ///< behind the first "?", not decoded; empty when there is none
};

/// Takes a request target apart.
///
/// Every byte must be visible ASCII: browsers send some that no URI may have (" { } | ^), so those
/// pass; white space, controls and raw UTF-8 do not. A fragment, which no client should send but
/// some do, is dropped, as nginx and others drop it. In absolute form: http or https, a host that
/// is not empty, no user information, a port up to 65535.
/// @param method as sent; it need not be one of ours
/// Returns: 0; PL_EINVAL: none of the forms that this method may have (400).
PL_MUST_CHECK int pl_target_parse(struct pl_strv method, struct pl_strv target,
                                  struct pl_target *out);
