// HTTP/1 parsing: llhttp behind guards. The only caller of llhttp_execute.
//
// A head goes through four steps: find its end and check its lines (guard.c), read the request line
// by hand (llhttp cannot tell an unknown method from garbage), let llhttp read all of it, and check
// what only a whole head shows (framing.c).
#include "http/parse.h"

#include "base/error.h"
#include "http/framing.h"
#include "http/guard.h"
#include "http/request_line.h"
#include "http/target.h"

enum { OUT_OF_MEMORY_STATUS = 503 };

static struct pl_parser *parser_of(llhttp_t *http) {
  return http->data;
}

static struct pl_header *last_field(llhttp_t *http) {
  struct pl_headers *fields = parser_of(http)->fields;
  return &fields->items[fields->count - 1];
}

// Every block of fields is parsed from one piece of memory, so a name or a value comes whole.
static int on_field_name(llhttp_t *http, const char *at, size_t len) {
  struct pl_parser *p = parser_of(http);
  if (p->fields->count == p->field_capacity) return HPE_USER;
  p->fields->items[p->fields->count++] = (struct pl_header){pl_strv(at, len), PL_STRV("")};
  return 0;
}

static int on_field_value(llhttp_t *http, const char *at, size_t len) {
  last_field(http)->value = pl_strv_trim(pl_strv(at, len));
  return 0;
}

// An Upgrade that we do not speak is ignored; llhttp would stop at it.
static int on_head(llhttp_t *http) {
  parser_of(http)->has_head = true;
  http->upgrade = 0;
  return 0;
}

// A piece of no bytes comes when llhttp is asked to go on without input in the middle of a body.
static int on_body(llhttp_t *http, const char *at, size_t len) {
  if (len == 0) return 0;
  parser_of(http)->piece = pl_strv(at, len);
  return HPE_PAUSED;
}

static int count_extension(struct pl_parser *p, size_t bytes) {
  p->chunk_ext_bytes += bytes;
  if (p->chunk_ext_bytes <= p->limits->chunk_ext) return 0;
  p->problem = "the chunk extensions are longer than limits.chunk_ext";
  return HPE_USER;
}

static int on_chunk_extension(llhttp_t *http, const char *at, size_t len) {
  (void)at;
  return count_extension(parser_of(http), len);
}

// A name or a value is over: the ";" or "=" in front of it counts too, or names of no length
// (llhttp takes ";;;;") would be free.
static int on_chunk_extension_end(llhttp_t *http) {
  return count_extension(parser_of(http), 1);
}

// A chunk of length 0: what follows are trailers, which are collected whole before they are parsed.
static int on_chunk(llhttp_t *http) {
  struct pl_parser *p = parser_of(http);
  if (http->content_length > 0) return 0;
  p->in_trailers = true;
  return HPE_PAUSED;
}

static int on_complete(llhttp_t *http) {
  parser_of(http)->is_complete = true;
  return HPE_PAUSED;
}

static const llhttp_settings_t trial_settings;

static const llhttp_settings_t settings = {
    .on_header_field = on_field_name,
    .on_header_value = on_field_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_chunk_extension_name_complete = on_chunk_extension_end,
    .on_chunk_extension_value_complete = on_chunk_extension_end,
    .on_chunk_header = on_chunk,
    .on_message_complete = on_complete,
};

// llhttp takes its settings without const but never writes to them.
static void start_llhttp(struct pl_parser *p, const llhttp_settings_t *with) {
  llhttp_init(&p->http, HTTP_REQUEST, (llhttp_settings_t *)with);
  p->http.data = p;
}

void pl_parser_init(struct pl_parser *p, const struct pl_parse_limits *limits,
                    struct pl_arena *arena, struct pl_request *request) {
  *p = (struct pl_parser){.limits = limits, .arena = arena, .request = request};
  *request = (struct pl_request){0};
}

size_t pl_parse_skip_empty_lines(struct pl_strv input) {
  size_t n = 0;
  while (n + 1 < input.len && input.data[n] == '\r' && input.data[n + 1] == '\n') n += 2;
  return n;
}

static int reject(struct pl_parser *p, int status, const char *problem) {
  if (!p->problem) p->problem = problem;
  return status;
}

// The limits of an unfinished or finished head. The line's end counts to neither, not even when
// only its CR has come.
static int check_limits(struct pl_parser *p, struct pl_strv input, const struct pl_guard *g) {
  size_t line = g->first_line ? g->first_line - 2 : g->scanned;
  if (!g->first_line && line > 0 && input.data[line - 1] == '\r') line--;
  if (line > p->limits->request_line)
    return reject(p, 414, "the request line is longer than limits.request_line");
  if (g->scanned - line > p->limits->header_bytes + 4)
    return reject(p, 431, "the header fields are longer than limits.header_bytes");
  if (g->lines > p->limits->header_count + 1)
    return reject(p, 431, "there are more header fields than limits.header_count");
  return 0;
}

// Lets llhttp look at what has come of an unfinished head, so that garbage is refused at once and
// not when its sender tires. A method or version that llhttp does not know waits for the end of its
// line, which decides between 400, 501 and 505.
static int try_unfinished(struct pl_parser *p, struct pl_strv input, const struct pl_guard *g) {
  if (p->line_decides && !g->first_line) return PL_EAGAIN;
  if (g->first_line) {
    int status =
        pl_request_line_parse(pl_strv(input.data, g->first_line - 2), p->request, &p->problem);
    if (status) return status;
  }
  if (p->line_decides) return reject(p, 400, "the request line is malformed");
  if (p->checked == 0) start_llhttp(p, &trial_settings);
  const char *from = input.data + p->checked;
  enum llhttp_errno error = llhttp_execute(&p->http, from, input.len - p->checked);
  p->checked = input.len;
  if ((error == HPE_INVALID_METHOD || error == HPE_INVALID_VERSION) && !g->first_line) {
    p->line_decides = true;
    return PL_EAGAIN;
  }
  return error == HPE_OK ? PL_EAGAIN : reject(p, 400, llhttp_get_error_reason(&p->http));
}

static int make_room_for_fields(struct pl_parser *p, struct pl_headers *fields, size_t count) {
  p->fields = fields;
  p->field_capacity = count;
  fields->count = 0;
  fields->items = pl_arena_alloc(p->arena, (count ? count : 1) * sizeof *fields->items);
  return fields->items ? 0 : PL_ENOMEM;
}

// The host of a target in absolute form is the one that counts (RFC 9112 3.2.2).
static int read_target(struct pl_parser *p, struct pl_request *request) {
  struct pl_target target;
  if (pl_target_parse(pl_method_name(request->method), request->target, &target))
    return reject(p, 400, "the request target is malformed");
  request->raw_path = target.raw_path;
  request->raw_query = target.raw_query;
  if (target.form == PL_TARGET_ABSOLUTE) request->host = target.host;
  return 0;
}

static int parse_finished(struct pl_parser *p, struct pl_strv input, const struct pl_guard *g) {
  struct pl_request *request = p->request;
  char *head = pl_arena_copy(p->arena, pl_strv(input.data, g->length));
  if (!head || make_room_for_fields(p, &request->headers, g->lines - 1))
    return reject(p, OUT_OF_MEMORY_STATUS, "out of memory");
  int status = pl_request_line_parse(pl_strv(head, g->first_line - 2), request, &p->problem);
  if (status) return status;
  start_llhttp(p, &settings);
  enum llhttp_errno error = llhttp_execute(&p->http, head, g->length);
  if ((error != HPE_OK && error != HPE_PAUSED) || !p->has_head)
    return reject(p, 400, llhttp_get_error_reason(&p->http));
  status = pl_framing_check(request, &p->problem);
  if (!status) status = read_target(p, request);
  if (status) return status;
  // Close wins over keep-alive (RFC 9112 9.3), which llhttp does not see for HTTP/1.0.
  request->keep_alive = llhttp_should_keep_alive(&p->http) && !(p->http.flags & F_CONNECTION_CLOSE);
  return 0;
}

int pl_parser_head(struct pl_parser *p, struct pl_strv input, size_t *used) {
  struct pl_guard g;
  if (pl_guard_scan(input, &g)) return reject(p, 400, g.problem);
  int status = check_limits(p, input, &g);
  if (status) return status;
  if (!g.length) return try_unfinished(p, input, &g);
  status = parse_finished(p, input, &g);
  if (!status) *used = g.length;
  return status;
}

// Trailers: collected and checked like a head, then parsed from a copy of their own.
static int parse_trailers(struct pl_parser *p, struct pl_strv input, size_t *used) {
  struct pl_guard g;
  if (pl_guard_scan_trailers(input, &g)) return reject(p, PL_EPROTO, g.problem);
  if (g.scanned > p->limits->header_bytes + 2 || g.lines > p->limits->header_count)
    return reject(p, PL_EPROTO, "the trailer fields exceed the limits of header fields");
  if (!g.length) return PL_EAGAIN;
  char *block = pl_arena_copy(p->arena, pl_strv(input.data, g.length));
  if (!block || make_room_for_fields(p, &p->request->trailers, g.lines)) return PL_ENOMEM;
  enum llhttp_errno error = llhttp_execute(&p->http, block, g.length);
  if (error != HPE_PAUSED || !p->is_complete)
    return reject(p, PL_EPROTO, llhttp_get_error_reason(&p->http));
  if (pl_framing_check_trailers(&p->request->trailers, &p->problem)) return PL_EPROTO;
  *used = g.length;
  return PL_EOF;
}

// One step of the body: up to the next piece of data, the trailers or the end of the input.
static int parse_piece(struct pl_parser *p, struct pl_strv input, size_t *used) {
  p->piece = (struct pl_strv){0};
  if (llhttp_get_errno(&p->http) == HPE_PAUSED) llhttp_resume(&p->http);
  enum llhttp_errno error = llhttp_execute(&p->http, input.data, input.len);
  if (error == HPE_OK) {
    *used = input.len;
    return PL_EAGAIN;
  }
  if (error != HPE_PAUSED) return reject(p, PL_EPROTO, llhttp_get_error_reason(&p->http));
  *used = (size_t)(llhttp_get_error_pos(&p->http) - input.data);
  return 0;
}

static int next_piece(struct pl_parser *p, struct pl_strv input, size_t *used) {
  while (!p->is_complete) {
    struct pl_strv rest = pl_strv(input.data + *used, input.len - *used);
    size_t step = 0;
    // After a pause llhttp may go on without input: the body's last byte has come, its end has not
    // been told.
    if (rest.len == 0 && llhttp_get_errno(&p->http) != HPE_PAUSED) return PL_EAGAIN;
    if (p->in_trailers && llhttp_get_errno(&p->http) == HPE_PAUSED) llhttp_resume(&p->http);
    int result = p->in_trailers ? parse_trailers(p, rest, &step) : parse_piece(p, rest, &step);
    *used += step;
    if (result || p->piece.len) return result;
  }
  return PL_EOF;
}

int pl_parser_body(struct pl_parser *p, struct pl_strv input, size_t *used, struct pl_strv *piece) {
  *used = 0;
  if (p->error) return p->error;
  if (!input.data) input = PL_STRV("");
  p->piece = (struct pl_strv){0};
  int result = next_piece(p, input, used);
  if (result == 0) *piece = p->piece;
  if (result != 0 && result != PL_EOF && result != PL_EAGAIN) p->error = result;
  return result;
}
