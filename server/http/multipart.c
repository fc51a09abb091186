// The parser as a machine over the states
//
//   PREAMBLE --delimiter--> BOUNDARY --CRLF--> HEAD --empty line--> CONTENT --delimiter--+
//                              ^ |                                                       |
//                              | +--"--"--> EPILOGUE                                     |
//                              +---------------------------------------------------------+
//
// The delimiter is CR LF "--" boundary, and a boundary holds no CR: so when a started match breaks
// off, no later start can lie within it, and what was held back is a prefix of the delimiter
// itself. It is handed out from there, and nothing of the input is ever copied but heads.
#include "http/multipart.h"

#include "base/error.h"
#include "http/chars.h"
#include "http/headers.h"

enum { PREAMBLE, BOUNDARY, BOUNDARY_PADDING, BOUNDARY_DASH, BOUNDARY_LF, HEAD, CONTENT, EPILOGUE };

enum { CRLF_LEN = 2 };

static bool is_boundary(struct pl_strv b) {
  for (size_t i = 0; i < b.len; i++)
    if (!pl_char_is_alnum(b.data[i]) && !(b.data[i] && strchr("'()+_,-./:=? ", b.data[i])))
      return false;
  return b.len > 0 && b.len <= PL_MULTIPART_BOUNDARY_MAX && b.data[b.len - 1] != ' ';
}

int pl_multipart_boundary(struct pl_strv content_type, struct pl_strv *boundary) {
  struct pl_strv rest = content_type;
  struct pl_strv type = pl_header_take_type(&rest);
  if (!pl_strv_eq_nocase(type, PL_STRV("multipart/form-data"))) return PL_EINVAL;
  struct pl_header_param param;
  while (!pl_header_next_param(&rest, &param)) {
    if (!pl_strv_eq_nocase(param.name, PL_STRV("boundary"))) continue;
    if (!is_boundary(param.value)) return PL_EPROTO;
    *boundary = param.value;
    return 0;
  }
  return PL_EPROTO;
}

void pl_multipart_init(struct pl_multipart *p, struct pl_strv boundary,
                       struct pl_multipart_limits limits) {
  *p = (struct pl_multipart){.state = PREAMBLE, .limits = limits};
  memcpy(p->delimiter, "\r\n--", 4);
  memcpy(p->delimiter + 4, boundary.data, boundary.len);
  p->delimiter_len = boundary.len + 4;
  p->held = p->held_from = CRLF_LEN;  // the first delimiter may be the very beginning
}

void pl_multipart_deinit(struct pl_multipart *p) {
  pl_buf_deinit(&p->head);
}

bool pl_multipart_is_done(const struct pl_multipart *p) {
  return p->state == EPILOGUE;
}

static void consume(struct pl_strv *input, size_t n) {
  *input = pl_strv(input->data + n, input->len - n);
}

// Goes on with the delimiter where the last input ended. Returns: whether it is complete.
static bool match_delimiter(struct pl_multipart *p, struct pl_strv *input) {
  size_t wanted = p->delimiter_len - p->held, i = 0;
  while (i < wanted && i < input->len && input->data[i] == p->delimiter[p->held + i]) i++;
  p->held += i;
  consume(input, i);
  return p->held == p->delimiter_len;
}

// Reads up to and with the next delimiter. *data is what stands in front of it, as far as it can be
// told already; empty when there is none. Returns: whether the delimiter is complete.
static bool scan(struct pl_multipart *p, struct pl_strv *input, struct pl_strv *data) {
  *data = PL_STRV("");
  while (input->len) {
    if (p->held) {
      if (match_delimiter(p, input)) return true;
      if (!input->len) return false;
      *data = pl_strv(p->delimiter + p->held_from, p->held - p->held_from);
      p->held = p->held_from = 0;
      if (data->len) return false;
    }
    const char *cr = memchr(input->data, '\r', input->len);
    size_t len = cr ? (size_t)(cr - input->data) : input->len;
    *data = pl_strv(input->data, len);
    consume(input, cr ? len + 1 : len);
    if (cr) p->held = 1;
    if (len) return false;
  }
  return false;
}

// The bytes behind a delimiter, one at a time: "--", or padding and CR LF.
static int step_boundary(struct pl_multipart *p, char c) {
  int next = -1;
  if (p->state == BOUNDARY && c == '-')
    next = BOUNDARY_DASH;
  else if (p->state == BOUNDARY_DASH && c == '-')
    next = EPILOGUE;
  else if (p->state == BOUNDARY_LF && c == '\n')
    next = HEAD;
  else if (p->state == BOUNDARY || p->state == BOUNDARY_PADDING) {
    if (c == ' ' || c == '\t') next = BOUNDARY_PADDING;
    if (c == '\r') next = BOUNDARY_LF;
  }
  if (next < 0) return PL_EPROTO;
  p->state = next;
  return 0;
}

static int start_head(struct pl_multipart *p) {
  if (++p->part_count > p->limits.parts) return PL_ELIMIT;
  pl_buf_clear(&p->head);
  p->part = (struct pl_multipart_part){0};
  return 0;
}

// Takes the backslashes out of a quoted string, in place; only those in front of a quote or another
// one: older browsers send paths such as C:\x.txt as they are.
static struct pl_strv unescape(struct pl_strv value) {
  char *bytes = (char *)value.data;  // in parser->head, which is ours
  size_t n = 0;
  for (size_t i = 0; i < value.len; i++) {
    bool is_escape =
        bytes[i] == '\\' && i + 1 < value.len && (bytes[i + 1] == '"' || bytes[i + 1] == '\\');
    if (is_escape) i++;
    bytes[n++] = bytes[i];
  }
  return pl_strv(value.data, n);
}

static int read_disposition(struct pl_multipart *p, struct pl_strv value) {
  struct pl_strv type = pl_header_take_type(&value);
  if (!pl_strv_eq_nocase(type, PL_STRV("form-data")) || p->part.name.data) return PL_EPROTO;
  struct pl_header_param param;
  int err = pl_header_next_param(&value, &param);
  for (; !err; err = pl_header_next_param(&value, &param)) {
    struct pl_strv *to = NULL;
    if (pl_strv_eq_nocase(param.name, PL_STRV("name"))) to = &p->part.name;
    if (pl_strv_eq_nocase(param.name, PL_STRV("filename"))) to = &p->part.filename;
    if (!to) continue;
    if (to->data) return PL_EPROTO;
    *to = param.is_quoted ? unescape(param.value) : param.value;
  }
  return err == PL_EOF && p->part.name.data ? 0 : PL_EPROTO;
}

// One line of a head, without its line end.
static int read_field(struct pl_multipart *p, struct pl_strv line) {
  struct pl_headers *headers = &p->part.headers;
  const char *colon = memchr(line.data, ':', line.len);
  if (!colon) return PL_EPROTO;
  size_t name_len = (size_t)(colon - line.data);
  struct pl_header field = {pl_strv(line.data, name_len),
                            pl_strv_trim(pl_strv(colon + 1, line.len - name_len - 1))};
  if (!pl_token_is_valid(field.name) || !pl_header_value_is_valid(field.value)) return PL_EPROTO;
  if (headers->count == PL_MULTIPART_HEADERS_MAX) return PL_ELIMIT;
  headers->items = p->fields;
  headers->items[headers->count++] = field;
  if (pl_strv_eq_nocase(field.name, PL_STRV("Content-Type"))) p->part.content_type = field.value;
  if (!pl_strv_eq_nocase(field.name, PL_STRV("Content-Disposition"))) return 0;
  return read_disposition(p, field.value);
}

static int read_fields(struct pl_multipart *p) {
  struct pl_strv head = pl_buf_view(&p->head);
  while (head.len > CRLF_LEN) {
    const char *lf = memchr(head.data, '\n', head.len);
    size_t len = (size_t)(lf - head.data) - 1;  // read_head saw the CR in front of it
    int err = read_field(p, pl_strv(head.data, len));
    if (err) return err;
    consume(&head, len + CRLF_LEN);
  }
  return p->part.name.data ? 0 : PL_EPROTO;
}

static bool ends_head(struct pl_strv head) {
  if (head.len < 2 * CRLF_LEN) return pl_strv_eq(head, PL_STRV("\r\n"));
  return memcmp(head.data + head.len - 4, "\r\n\r\n", 4) == 0;
}

// Collects the head line by line. Every LF must follow a CR; a CR elsewhere read_field refuses, as
// it does every control character.
static int read_head(struct pl_multipart *p, struct pl_strv *input, bool *is_complete) {
  *is_complete = false;
  while (input->len && !*is_complete) {
    const char *lf = memchr(input->data, '\n', input->len);
    size_t len = lf ? (size_t)(lf - input->data) + 1 : input->len;
    if (len > p->limits.header_bytes - pl_buf_len(&p->head)) return PL_ELIMIT;
    int err = pl_buf_append(&p->head, input->data, len);
    if (err) return err;
    consume(input, len);
    struct pl_strv head = pl_buf_view(&p->head);
    if (lf && (head.len < CRLF_LEN || head.data[head.len - 2] != '\r')) return PL_EPROTO;
    *is_complete = lf && ends_head(head);
  }
  return 0;
}

static int next_in_content(struct pl_multipart *p, struct pl_strv *input,
                           enum pl_multipart_event *event) {
  bool is_end = scan(p, input, &p->data);
  *event = is_end ? PL_MULTIPART_PART_END : p->data.len ? PL_MULTIPART_DATA : PL_MULTIPART_MORE;
  if (is_end) p->state = BOUNDARY;
  return 0;
}

static int next_in_head(struct pl_multipart *p, struct pl_strv *input,
                        enum pl_multipart_event *event) {
  bool is_complete;
  int err = read_head(p, input, &is_complete);
  if (!err && is_complete) err = read_fields(p);
  if (err || !is_complete) return err;
  p->state = CONTENT;
  p->held = p->held_from = CRLF_LEN;  // the empty line is also the start of a delimiter
  *event = PL_MULTIPART_PART;
  return 0;
}

static int next_at_boundary(struct pl_multipart *p, struct pl_strv *input,
                            enum pl_multipart_event *event) {
  int err = step_boundary(p, input->data[0]);
  if (err) return err;
  consume(input, 1);
  if (p->state == EPILOGUE) *event = PL_MULTIPART_END;
  return p->state == HEAD ? start_head(p) : 0;
}

// One step: *event stays PL_MULTIPART_MORE when it led to none.
static int step(struct pl_multipart *p, struct pl_strv *input, enum pl_multipart_event *event) {
  switch (p->state) {
  case PREAMBLE:
    if (scan(p, input, &p->data)) p->state = BOUNDARY;
    return 0;
  case HEAD:
    return next_in_head(p, input, event);
  case CONTENT:
    return next_in_content(p, input, event);
  case EPILOGUE:
    consume(input, input->len);
    return 0;
  default:
    return next_at_boundary(p, input, event);
  }
}

int pl_multipart_next(struct pl_multipart *p, struct pl_strv *input,
                      enum pl_multipart_event *event) {
  enum pl_multipart_event found = PL_MULTIPART_MORE;
  while (!p->error && input->len && found == PL_MULTIPART_MORE) p->error = step(p, input, &found);
  if (p->error) return p->error;
  *event = found;
  return 0;
}
