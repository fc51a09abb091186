/// A parsed request head. Everything is a view into the exchange's arena and lives as long.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"

/// The methods that can be routed; every other one is answered 501.
enum pl_method {
  PL_METHOD_GET,
  PL_METHOD_HEAD,
  PL_METHOD_POST,
  PL_METHOD_PUT,
  PL_METHOD_PATCH,
  PL_METHOD_DELETE,
  PL_METHOD_OPTIONS,
  PL_METHOD_COUNT
};

/// "GET" ... ; static storage.
struct pl_strv pl_method_name(enum pl_method method);

/// Returns: true and *method, or false: none of ours. Case matters, as RFC 9110 9.1 says.
bool pl_method_parse(struct pl_strv name, enum pl_method *method);

struct pl_header {
  struct pl_strv name;   ///< as sent
  struct pl_strv value;  ///< without white space at its ends
};

struct pl_headers {
  struct pl_header *items;  ///< in the order sent
  size_t count;
};

struct pl_request {
  enum pl_method method;
  struct pl_strv target;     ///< the whole request target as sent
  struct pl_strv raw_path;   ///< its path, not decoded; "*" for OPTIONS *
  struct pl_strv raw_query;  ///< behind the first "?", not decoded; empty when there is none
  struct pl_strv host;  ///< from the target in absolute form, else the Host header; may be empty
  struct pl_headers headers;
  struct pl_headers trailers;  ///< empty until the body has been read to its end
  int64_t content_length;      ///< bytes announced; 0 without a body; -1 for chunked
  uint8_t http_minor;          ///< 0 or 1
  bool has_body;               ///< a Content-Length above 0, or chunked
  bool keep_alive;             ///< what the client asked for
  bool expects_continue;       ///< Expect: 100-continue, from an HTTP/1.1 client
};
