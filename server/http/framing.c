// Message framing and the fields that decide it. One pass over the fields; each of interest is
// recognised by its length first, since most are none of these.
#include "http/framing.h"

#include "http/headers.h"

struct framing {
  struct pl_strv host, transfer_encoding, content_length, content_type, expect;
};

static int refuse(const char *text, const char **problem) {
  *problem = text;
  return 400;
}

// Only one field of each of these names may come; a second one is where readers disagree.
static bool is_second(struct pl_strv *slot, struct pl_strv value) {
  bool seen = slot->data != NULL;
  *slot = value;
  return seen;
}

// Of several the one that cannot be met is kept.
static void note_expectation(struct framing *f, struct pl_strv value) {
  if (!f->expect.data || !pl_strv_eq_nocase(value, PL_STRV("100-continue"))) f->expect = value;
}

static const char *note_field(struct framing *f, const struct pl_header *h) {
  switch (h->name.len) {
  case 4:
    if (!pl_strv_eq_nocase(h->name, PL_STRV("host"))) return NULL;
    return is_second(&f->host, h->value) ? "more than one Host" : NULL;
  case 6:
    if (pl_strv_eq_nocase(h->name, PL_STRV("expect"))) note_expectation(f, h->value);
    return NULL;
  case 12:
    if (!pl_strv_eq_nocase(h->name, PL_STRV("content-type"))) return NULL;
    return is_second(&f->content_type, h->value) ? "more than one Content-Type" : NULL;
  case 14:
    if (!pl_strv_eq_nocase(h->name, PL_STRV("content-length"))) return NULL;
    return is_second(&f->content_length, h->value) ? "more than one Content-Length" : NULL;
  case 17:
    if (!pl_strv_eq_nocase(h->name, PL_STRV("transfer-encoding"))) return NULL;
    return is_second(&f->transfer_encoding, h->value) ? "more than one Transfer-Encoding" : NULL;
  default:
    return NULL;
  }
}

// Bytes that a host with a port may have: a check of bytes, not of grammar; it may be empty.
static bool host_is_clean(struct pl_strv host) {
  static const bool allowed[256] = {
      ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
      ['_'] = true,         ['~'] = true,         ['!'] = true,         ['$'] = true, ['&'] = true,
      ['\''] = true,        ['('] = true,         [')'] = true,         ['*'] = true, ['+'] = true,
      [','] = true,         [';'] = true,         ['='] = true,         ['%'] = true, [':'] = true,
      ['['] = true,         [']'] = true};
  for (size_t i = 0; i < host.len; i++)
    if (!allowed[(unsigned char)host.data[i]]) return false;
  return true;
}

static int check_host(struct pl_request *request, const struct framing *f, const char **problem) {
  if (!f->host.data && request->http_minor >= 1)
    return refuse("an HTTP/1.1 request needs a Host field", problem);
  if (!host_is_clean(f->host)) return refuse("the Host field has bytes that no host has", problem);
  request->host = f->host;
  return 0;
}

// 1*DIGIT that fits into 63 bits. llhttp refuses signs, lists and overflow too; this is the value.
static bool parse_length(struct pl_strv text, int64_t *length) {
  if (text.len == 0 || text.len > 19) return false;
  uint64_t n = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') return false;
    n = n * 10 + (uint64_t)(text.data[i] - '0');
  }
  *length = (int64_t)n;
  return n <= INT64_MAX;
}

static int check_length(struct pl_request *request, const struct framing *f, const char **problem) {
  if (f->transfer_encoding.data) {
    if (f->content_length.data)
      return refuse("Transfer-Encoding together with Content-Length", problem);
    if (request->http_minor == 0)
      return refuse("Transfer-Encoding in an HTTP/1.0 request", problem);
    if (!pl_strv_eq_nocase(f->transfer_encoding, PL_STRV("chunked")))
      return refuse("a Transfer-Encoding other than chunked", problem);
    request->content_length = -1;
  } else if (f->content_length.data && !parse_length(f->content_length, &request->content_length)) {
    return refuse("Content-Length is not a number", problem);
  }
  request->has_body = request->content_length != 0;
  return 0;
}

// An HTTP/1.0 client's Expect is ignored (RFC 9110 10.1.1).
static int check_expect(struct pl_request *request, const struct framing *f, const char **problem) {
  if (!f->expect.data || request->http_minor == 0) return 0;
  if (!pl_strv_eq_nocase(f->expect, PL_STRV("100-continue"))) {
    *problem = "the only expectation this server meets is 100-continue";
    return 417;
  }
  request->expects_continue = request->has_body;
  return 0;
}

int pl_framing_check(struct pl_request *request, const char **problem) {
  struct framing f = {0};
  for (size_t i = 0; i < request->headers.count; i++) {
    const char *text = note_field(&f, &request->headers.items[i]);
    if (text) return refuse(text, problem);
  }
  int status = check_host(request, &f, problem);
  if (!status) status = check_length(request, &f, problem);
  if (!status) status = check_expect(request, &f, problem);
  return status;
}

int pl_framing_check_trailers(const struct pl_headers *trailers, const char **problem) {
  static const struct pl_strv forbidden[] = {PL_STRV("host"), PL_STRV("content-length"),
                                             PL_STRV("transfer-encoding")};
  for (size_t i = 0; i < PL_ARRAY_LEN(forbidden); i++)
    if (pl_headers_first(trailers, forbidden[i]).data)
      return refuse("a field that decides framing or routing came as a trailer", problem);
  return 0;
}
