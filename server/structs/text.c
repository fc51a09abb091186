// The bytes are copied first: making text allocates, and a finaliser may take them away.
#include "structs/text.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "structs/dec128.h"
#include "structs/enum.h"
#include "structs/scalar.h"

enum { SHOWN_ELEMENTS = 16 };

static void add_float(luaL_Buffer *b, enum pl_scalar scalar, const char *at) {
  char digits[PL_DECIMAL_BYTES];
  double number = pl_scalar_number(scalar, at);
  size_t len;
  if (!isfinite(number)) {
    luaL_addstring(b, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
    return;
  }
  if (scalar == PL_SCALAR_F32) {
    len = pl_decimal_write_f32((float)number, digits);
  } else if (scalar == PL_SCALAR_F16) {
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    len = pl_decimal_write_f16(bits, digits);
  } else {
    len = pl_decimal_write(number, digits);
  }
  if (len > 2 && memcmp(digits + len - 2, ".0", 2) == 0) len -= 2;
  luaL_addlstring(b, digits, len);
}

static void add_integer(luaL_Buffer *b, enum pl_scalar scalar, const char *at) {
  char digits[32];
  int64_t value = pl_scalar_integer(scalar, at);
  int len = scalar == PL_SCALAR_U64
                ? snprintf(digits, sizeof digits, "%llu", (unsigned long long)value)
                : snprintf(digits, sizeof digits, "%lld", (long long)value);
  luaL_addlstring(b, digits, (size_t)len);
}

static void add_struct(luaL_Buffer *b, const struct pl_layout *layout, const char *at);

static void add_value(luaL_Buffer *b, const struct pl_layout *layout, const char *at) {
  enum pl_scalar scalar = (enum pl_scalar)layout->scalar;
  if (layout->kind == PL_LAYOUT_STRUCT) {
    add_struct(b, layout, at);
  } else if (layout->kind == PL_LAYOUT_ENUM) {
    pl_enum_push_text(b->L, layout, pl_scalar_integer(scalar, at));
    luaL_addvalue(b);
  } else if (scalar == PL_SCALAR_DEC128) {
    pl_dec128_push_text(b->L, at);
    luaL_addvalue(b);
  } else if (scalar == PL_SCALAR_BOOL) {
    luaL_addstring(b, at[0] ? "true" : "false");
  } else if (pl_scalar_is_float(scalar)) {
    add_float(b, scalar, at);
  } else {
    add_integer(b, scalar, at);
  }
}

static void add_array(luaL_Buffer *b, const struct pl_field *field, const char *at) {
  luaL_addchar(b, '{');
  for (uint32_t i = 0; i < field->count; i++) {
    if (i) luaL_addstring(b, ", ");
    if (i == SHOWN_ELEMENTS) {
      luaL_addstring(b, "...");
      break;
    }
    add_value(b, field->type, at + (size_t)i * field->type->size);
  }
  luaL_addchar(b, '}');
}

static void add_struct(luaL_Buffer *b, const struct pl_layout *layout, const char *at) {
  luaL_addlstring(b, layout->name.data, layout->name.len);
  luaL_addchar(b, '(');
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    if (i) luaL_addstring(b, ", ");
    if (field->count)
      add_array(b, field, at + field->offset);
    else
      add_value(b, field->type, at + field->offset);
  }
  luaL_addchar(b, ')');
}

void pl_text_push(lua_State *L, const struct pl_layout *layout, const char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  luaL_Buffer b;
  memcpy(copy, at, layout->size);
  luaL_checkstack(L, 64, NULL);
  luaL_buffinit(L, &b);
  add_value(&b, layout, copy);
  luaL_pushresult(&b);
}

void pl_text_push_array(lua_State *L, const struct pl_field *field, const char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  luaL_Buffer b;
  memcpy(copy, at, (size_t)field->count * field->type->size);
  luaL_checkstack(L, 64, NULL);
  luaL_buffinit(L, &b);
  add_array(&b, field, copy);
  luaL_pushresult(&b);
}
