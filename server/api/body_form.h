/// The fields of a form from a kept body: application/x-www-form-urlencoded, or the text fields of
/// multipart/form-data (parts without a file name).
#pragma once

#include <lua.h>

#include "base/base.h"

struct pl_call;

/// Pushes a table: of the first value of each name; or, when `name` is a stack index, the list of
/// all values of the field with that name.
/// Returns: 0; PL_EINVAL, PL_EPROTO: malformed; PL_ELIMIT: more fields than limits.query or
/// limits.parts; PL_ENOMEM. Something may have been pushed then.
PL_MUST_CHECK int pl_body_push_form(lua_State *L, struct pl_call *call, int name);
