// Between the parser and the body: gather a piece, parse it to its end, gather the next.
#include "api/multipart_reader.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/body_reader.h"
#include "api/call.h"
#include "base/error.h"
#include "config/config.h"
#include "http/headers.h"

#define READER_TYPE "perilune.Multipart"

static int free_reader(lua_State *L) {
  struct pl_multipart_reader *reader = luaL_checkudata(L, 1, READER_TYPE);
  pl_multipart_deinit(&reader->parser);
  pl_buf_deinit(&reader->content);
  return 0;
}

static void set_type(lua_State *L) {
  if (luaL_newmetatable(L, READER_TYPE)) {
    lua_pushcfunction(L, free_reader);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
}

struct pl_multipart_reader *pl_multipart_reader_push(lua_State *L, const struct pl_call *call) {
  const struct pl_config *config = pl_api_context(L)->config;
  struct pl_strv boundary;
  struct pl_strv type = pl_headers_first(&call->x->request.headers, PL_STRV("content-type"));
  int rc = pl_multipart_boundary(type.data ? type : PL_STRV(""), &boundary);
  if (rc == PL_EINVAL) pl_call_raise(L, 415, "multipart/form-data is expected");
  if (rc) pl_call_raise(L, 400, "the Content-Type has no valid boundary");
  struct pl_multipart_reader *reader = lua_newuserdatauv(L, sizeof *reader, 0);
  *reader =
      (struct pl_multipart_reader){.input = PL_STRV(""), .content.account = call->x->arena.account};
  pl_multipart_init(&reader->parser, boundary,
                    (struct pl_multipart_limits){.parts = config->limits_parts,
                                                 .header_bytes = config->limits_header_bytes});
  set_type(L);
  return reader;
}

// Returns: 0: there is input; or as pl_body_gather, PL_EPROTO at the body's end.
static int refill(struct pl_multipart_reader *reader, struct pl_call *call) {
  pl_buf_clear(&call->pieces);
  int rc = pl_body_gather(call, &call->pieces);
  if (rc && rc != PL_EAGAIN && rc != PL_EOF) return rc;
  reader->input = pl_buf_view(&call->pieces);
  if (reader->input.len) return 0;
  return rc == PL_EOF ? PL_EPROTO : rc;
}

static void note_event(struct pl_multipart_reader *reader, enum pl_multipart_event event) {
  if (event == PL_MULTIPART_PART) {
    reader->number++;
    reader->is_in_part = true;
    reader->is_taken = false;
    pl_buf_clear(&reader->content);
  }
  if (event == PL_MULTIPART_PART_END) reader->is_in_part = false;
}

int pl_multipart_reader_next(struct pl_multipart_reader *reader, struct pl_call *call,
                             enum pl_multipart_event *event) {
  for (;;) {
    int rc = pl_multipart_next(&reader->parser, &reader->input, event);
    if (rc == 0 && *event != PL_MULTIPART_MORE) {
      note_event(reader, *event);
      return 0;
    }
    if (rc == 0 && pl_multipart_is_done(&reader->parser)) {
      *event = PL_MULTIPART_END;
      return 0;
    }
    if (rc == 0) rc = refill(reader, call);
    if (rc) return rc;
  }
}

int pl_multipart_reader_gather(struct pl_multipart_reader *reader, struct pl_call *call,
                               struct pl_buf *out, size_t max) {
  while (reader->is_in_part && pl_buf_len(out) < max) {
    enum pl_multipart_event event;
    int rc = pl_multipart_reader_next(reader, call, &event);
    struct pl_strv data = reader->parser.data;
    if (rc == 0 && event == PL_MULTIPART_DATA) rc = pl_buf_append(out, data.data, data.len);
    if (rc) return rc;
  }
  return reader->is_in_part ? 0 : PL_EOF;
}

int pl_multipart_reader_raise(lua_State *L, const struct pl_multipart_reader *reader, int code) {
  if (reader->parser.error == PL_ELIMIT)
    return pl_call_raise(L, 413,
                         "the form has more parts than limits.parts, or a part's header is "
                         "longer than limits.header_bytes");
  if (reader->parser.error == PL_EPROTO)
    return pl_call_raise(L, 400, "the multipart body is malformed");
  return pl_body_raise(L, code);
}
