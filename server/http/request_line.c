// method SP request-target SP HTTP-version (RFC 9112 3), single spaces, nothing else.
#include "http/request_line.h"

#include "http/headers.h"

static int refuse(int status, const char *text, const char **problem) {
  *problem = text;
  return status;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int parse_version(struct pl_strv version, struct pl_request *request, const char **problem) {
  if (version.len != 8 || memcmp(version.data, "HTTP/", 5) != 0 || !is_digit(version.data[5]) ||
      version.data[6] != '.' || !is_digit(version.data[7]))
    return refuse(400, "the request line does not end in an HTTP version", problem);
  char minor = version.data[7];
  if (version.data[5] != '1' || minor > '1')
    return refuse(505, "this server speaks HTTP/1.1 and HTTP/1.0", problem);
  request->http_minor = (uint8_t)(minor - '0');
  return 0;
}

int pl_request_line_parse(struct pl_strv line, struct pl_request *request, const char **problem) {
  const char *end = line.data + line.len;
  const char *first = memchr(line.data, ' ', line.len);
  const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
  if (!second || second == first + 1)
    return refuse(400, "the request line is not: method, target, version", problem);
  struct pl_strv method = pl_strv(line.data, (size_t)(first - line.data));
  request->target = pl_strv(first + 1, (size_t)(second - first - 1));
  int status = parse_version(pl_strv(second + 1, (size_t)(end - second - 1)), request, problem);
  if (status) return status;
  if (pl_method_parse(method, &request->method)) return 0;
  if (!pl_token_is_valid(method)) return refuse(400, "the method is not a token", problem);
  return refuse(501, "this method is not implemented", problem);
}
