// Content-Type of requests.
#include "api/body_type.h"

#include "api/call.h"
#include "http/headers.h"

struct pl_strv pl_body_type(const struct pl_call *call) {
  struct pl_strv value = pl_headers_first(&call->x->request.headers, PL_STRV("content-type"));
  return pl_header_take_type(&value);
}

bool pl_body_is_json(const struct pl_call *call) {
  struct pl_strv type = pl_body_type(call);
  struct pl_strv suffix = type.len > 5 ? pl_strv(type.data + type.len - 5, 5) : type;
  return pl_strv_eq_nocase(type, PL_STRV("application/json")) ||
         pl_strv_eq_nocase(suffix, PL_STRV("+json"));
}

void pl_body_push_wrong_type(lua_State *L, const struct pl_call *call, const char *expected) {
  struct pl_strv type = pl_body_type(call);
  if (type.len == 0) {
    lua_pushfstring(L, "%s expected, and the body has no Content-Type", expected);
    return;
  }
  lua_pushfstring(L, "%s expected, and the body is ", expected);
  lua_pushlstring(L, type.data, type.len);
  lua_concat(L, 2);
}
