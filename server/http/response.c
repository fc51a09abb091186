// Answers as bytes. The head's size is computed first, so that one reservation serves all of it.
#include "http/response.h"

#include "base/clock.h"
#include "base/error.h"
#include "http/status.h"

enum { FIXED_HEAD_BYTES = 256, DECIMAL_DIGITS = 20 };

static char *put(char *to, const char *data, size_t len) {
  memcpy(to, data, len);
  return to + len;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_view(char *to, struct pl_strv s) {
  return s.len ? put(to, s.data, s.len) : to;
}

static char *put_decimal(char *to, uint64_t n) {
  char digits[DECIMAL_DIGITS];
  char *end = digits + sizeof digits, *p = end;
  do {
    *--p = (char)('0' + n % 10);
    n /= 10;
  } while (n);
  return put(to, p, (size_t)(end - p));
}

static char *put_framing(char *to, const struct pl_response_head *head) {
  if (head->framing == PL_FRAMING_LENGTH) {
    to = put_decimal(PUT(to, "Content-Length: "), head->length);
    to = PUT(to, "\r\n");
  } else if (head->framing == PL_FRAMING_CHUNKED) {
    to = PUT(to, "Transfer-Encoding: chunked\r\n");
  }
  if (!head->connection) return to;
  to = put_view(PUT(to, "Connection: "), pl_strv_of(head->connection));
  return PUT(to, "\r\n");
}

static char *put_field(char *to, const char *name, struct pl_strv value) {
  to = put_view(to, pl_strv_of(name));
  return PUT(put_view(to, value), "\r\n");
}

static char *put_status_line(char *to, int status, struct pl_strv phrase) {
  if (status == 200) return PUT(to, "HTTP/1.1 200 OK\r\n");
  to = put_decimal(PUT(to, "HTTP/1.1 "), (uint64_t)status);
  return PUT(put_view(PUT(to, " "), phrase), "\r\n");
}

int pl_response_write_head(struct pl_buf *out, const struct pl_response_head *head) {
  struct pl_strv phrase = pl_status_phrase(head->status);
  size_t room = FIXED_HEAD_BYTES + phrase.len + head->common.len + head->content_type.len +
                head->id.len + head->headers.len;
  char *start = pl_buf_reserve(out, room);
  if (!start) return PL_ENOMEM;
  char *to = put_status_line(start, head->status, phrase);
  to = put_view(to, head->common);
  if (head->content_type.len) to = put_field(to, "Content-Type: ", head->content_type);
  to = put_framing(to, head);
  if (head->id.len) to = put_field(to, "X-Request-Id: ", head->id);
  to = PUT(put_view(to, head->headers), "\r\n");
  pl_buf_grew(out, (size_t)(to - start));
  return 0;
}

int pl_response_write_chunk_size(struct pl_buf *out, size_t size) {
  return pl_buf_printf(out, "%zx\r\n", size);
}

// JSON's and HTML's special characters; control characters become spaces in both.
static int put_escaped(struct pl_buf *out, struct pl_strv text, bool as_html) {
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    const char *escaped = NULL;
    if (as_html)
      escaped = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
    else
      escaped = c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
    if (!escaped && ((unsigned char)c < ' ' || c == 0x7f)) escaped = " ";
    int error = escaped ? pl_buf_append(out, escaped, strlen(escaped)) : pl_buf_append(out, &c, 1);
    if (error) return error;
  }
  return 0;
}

static int put_json(struct pl_buf *out, int status, struct pl_strv detail, struct pl_strv id) {
  struct pl_strv phrase = pl_status_phrase(status);
  int error = pl_buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%.*s\",\"status\":%d",
                            (int)phrase.len, phrase.data, status);
  if (!error && detail.len) {
    error = pl_buf_printf(out, ",\"detail\":\"");
    if (!error) error = put_escaped(out, detail, false);
    if (!error) error = pl_buf_printf(out, "\"");
  }
  if (!error && id.len)
    error = pl_buf_printf(out, ",\"request_id\":\"%.*s\"", (int)id.len, id.data);
  return error ? error : pl_buf_printf(out, "}\n");
}

static int put_html(struct pl_buf *out, int status, struct pl_strv detail, struct pl_strv id) {
  struct pl_strv phrase = pl_status_phrase(status);
  int len = (int)phrase.len;
  int error = pl_buf_printf(out,
                            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                            "<title>%d %.*s</title>\n<h1>%d %.*s</h1>\n",
                            status, len, phrase.data, status, len, phrase.data);
  if (!error && detail.len) {
    error = pl_buf_append(out, "<p>", 3);
    if (!error) error = put_escaped(out, detail, true);
    if (!error) error = pl_buf_append(out, "</p>\n", 5);
  }
  if (error) return error;
  return pl_buf_printf(out, "<p><small>%.*s</small></p></html>\n", (int)id.len, id.data);
}

int pl_problem_write(struct pl_buf *out, int status, struct pl_strv detail,
                     struct pl_strv request_id, bool as_html) {
  return as_html ? put_html(out, status, detail, request_id)
                 : put_json(out, status, detail, request_id);
}
