// Bytes have no type, so there is nothing to negotiate about them.
#include "api/packed_answer.h"

#include <lauxlib.h>

#include "api/call.h"
#include "base/buf.h"
#include "geometry/struct_header.h"
#include "http/accept.h"
#include "structs/operand.h"

static bool ends_in_json(struct pl_strv type) {
  const struct pl_strv suffix = PL_STRV("json");
  const char *semicolon = memchr(type.data, ';', type.len);
  if (semicolon) type = pl_strv_trim(pl_strv(type.data, (size_t)(semicolon - type.data)));
  return type.len > suffix.len &&
         pl_strv_eq_nocase(pl_strv(type.data + type.len - suffix.len, suffix.len), suffix);
}

enum pl_packed_form pl_packed_choose(const struct pl_call *call, const struct pl_operand *operand,
                                     struct pl_strv content_type) {
  if (operand->is_bytes) return PL_PACKED_BYTES;
  if (content_type.len) return ends_in_json(content_type) ? PL_PACKED_JSON : PL_PACKED_BYTES;
  switch (pl_accept_form(&call->x->request.headers)) {
  case PL_ACCEPT_PACKED:
    return PL_PACKED_BYTES;
  case PL_ACCEPT_JSON:
    return PL_PACKED_JSON;
  default:
    return PL_PACKED_NEITHER;
  }
}

void pl_packed_add_lines(lua_State *L, struct pl_buf *lines, const struct pl_operand *operand,
                         enum pl_packed_form form, bool is_negotiated) {
  char value[PL_STRUCT_HEADER_MAX];
  if (operand->is_bytes) return;
  int err = is_negotiated ? pl_buf_printf(lines, "Vary: Accept\r\n") : 0;
  if (!err && form == PL_PACKED_BYTES) {
    int64_t count = operand->is_array ? (int64_t)operand->span.count : -1;
    pl_struct_header_write(operand->span.layout, count, value);
    err = pl_buf_printf(lines, "Perilune-Struct: %s\r\n", value);
  }
  if (err) luaL_error(L, "not enough memory");
}
