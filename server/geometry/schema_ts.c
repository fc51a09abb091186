// A pair of functions for each type, get_NAME and put_NAME; those of the main type are exported by
// their promised names. Types stand where simple strippers find them: in interfaces, in type lines,
// and behind the parameters of functions.
#include "geometry/schema_ts.h"

#include "geometry/json_form.h"
#include "geometry/schema_out.h"

#include <ctype.h>
#include <inttypes.h>

static const char reserved[] =
    " abstract any arguments as async await bigint boolean break case catch class const continue "
    "debugger declare default delete do else enum eval export extends false finally for from "
    "function get if implements import in infer instanceof interface is keyof let module namespace "
    "never new null number object of package private protected public readonly require return set "
    "static string super switch symbol this throw true try type typeof undefined unique unknown "
    "var "
    "void while with yield DataView Uint8Array Array Object Math Number NaN Infinity ";

// How a DataView reads and writes a scalar; those without one have functions of their own.
static const struct {
  const char *type;
  const char *accessor;
} scalars[PL_SCALAR_COUNT] = {
    [PL_SCALAR_BOOL] = {"boolean", NULL},      [PL_SCALAR_I8] = {"number", "Int8"},
    [PL_SCALAR_I16] = {"number", "Int16"},     [PL_SCALAR_I32] = {"number", "Int32"},
    [PL_SCALAR_I64] = {"bigint", "BigInt64"},  [PL_SCALAR_U8] = {"number", "Uint8"},
    [PL_SCALAR_U16] = {"number", "Uint16"},    [PL_SCALAR_U32] = {"number", "Uint32"},
    [PL_SCALAR_U64] = {"bigint", "BigUint64"}, [PL_SCALAR_F16] = {"number", NULL},
    [PL_SCALAR_F32] = {"number", "Float32"},   [PL_SCALAR_F64] = {"number", "Float64"},
    [PL_SCALAR_DEC128] = {"Uint8Array", NULL},
};

static const char *word(struct pl_strv name, char out[PL_SCHEMA_WORD_MAX]) {
  return pl_schema_word(name, reserved, out);
}

// ---- types

static void put_type_name(struct pl_schema_out *to, const struct pl_layout *layout) {
  char name[PL_SCHEMA_WORD_MAX];
  bool is_scalar = layout->kind == PL_LAYOUT_SCALAR;
  pl_schema_put(to, "%s", is_scalar ? scalars[layout->scalar].type : word(layout->name, name));
}

static void put_interface(struct pl_schema_out *to, const struct pl_layout *layout,
                          const char *name) {
  pl_schema_put(to, "export interface %s {\n", name);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    pl_schema_put(to, "  %.*s: ", (int)field->name.len, field->name.data);
    put_type_name(to, field->type);
    pl_schema_put(to, "%s;\n", field->count ? "[]" : "");
  }
  pl_schema_put(to, "}\n");
}

// Tuples for vectors, plain arrays for what is longer.
static void put_flat_type(struct pl_schema_out *to, const struct pl_layout *layout,
                          const char *name) {
  pl_schema_put(to, "export type %s = ", name);
  if (layout->part_count > 4) {
    pl_schema_put(to, "%s[];\n", scalars[layout->part].type);
    return;
  }
  for (uint32_t i = 0; i < layout->part_count; i++)
    pl_schema_put(to, "%s%s", i ? ", " : "[", scalars[layout->part].type);
  pl_schema_put(to, "];\n");
}

// A key in brackets is never taken for the object's prototype.
static void put_key(struct pl_schema_out *to, struct pl_strv name) {
  bool is_special = pl_strv_eq(name, PL_STRV("__proto__"));
  pl_schema_put(to, is_special ? "[\"%.*s\"]: " : "%.*s: ", (int)name.len, name.data);
}

static void put_enum(struct pl_schema_out *to, const struct pl_layout *layout, const char *name) {
  const char *suffix = layout->size == sizeof(int64_t) ? "n" : "";
  pl_schema_put(to, "export type %s = %s;\nexport const %s = {", name, scalars[layout->scalar].type,
                name);
  for (uint32_t i = 0; i < layout->member_count; i++) {
    if (i) pl_schema_put(to, ", ");
    put_key(to, layout->members[i].name);
    if (layout->scalar == PL_SCALAR_U64) {
      pl_schema_put(to, "%" PRIu64 "%s", (uint64_t)layout->members[i].value, suffix);
    } else {
      pl_schema_put(to, "%" PRId64 "%s", layout->members[i].value, suffix);
    }
  }
  pl_schema_put(to, "};\n");
}

// ---- values

static bool is_inline(const struct pl_layout *layout) {
  return layout->kind != PL_LAYOUT_STRUCT && scalars[layout->scalar].accessor;
}

// What the helpers get_, put_ are called: enums go by their scalar.
static const char *helper_name(const struct pl_layout *layout) {
  bool is_struct = layout->kind == PL_LAYOUT_STRUCT;
  return is_struct ? layout->name.data : pl_scalar_name((enum pl_scalar)layout->scalar).data;
}

// The value at `offset + at`, or there behind `i` elements.
static void put_get(struct pl_schema_out *to, const struct pl_layout *layout, uint32_t at,
                    bool is_element) {
  if (is_inline(layout)) {
    pl_schema_put(to, "view.get%s(", scalars[layout->scalar].accessor);
  } else {
    pl_schema_put(to, "get_%s(view, ", helper_name(layout));
  }
  pl_schema_put(to, "offset + %" PRIu32, at);
  if (is_element) pl_schema_put(to, " + i * %" PRIu32, layout->size);
  pl_schema_put(to, is_inline(layout) && layout->size > 1 ? ", true)" : ")");
}

static void put_put(struct pl_schema_out *to, const struct pl_layout *layout, uint32_t at,
                    bool is_element, struct pl_strv value) {
  if (is_inline(layout)) {
    pl_schema_put(to, "view.set%s(", scalars[layout->scalar].accessor);
  } else {
    pl_schema_put(to, "put_%s(view, ", helper_name(layout));
  }
  pl_schema_put(to, "offset + %" PRIu32, at);
  if (is_element) pl_schema_put(to, " + i * %" PRIu32, layout->size);
  pl_schema_put(to, ", value%s%.*s%s%s);\n", value.len ? "." : "", (int)value.len, value.data,
                is_element ? "[i]" : "", is_inline(layout) && layout->size > 1 ? ", true" : "");
}

static void put_get_list(struct pl_schema_out *to, const struct pl_layout *layout, uint32_t count,
                         uint32_t at) {
  pl_schema_put(to, "Array.from({ length: %" PRIu32 " }, (_, i) => ", count);
  put_get(to, layout, at, true);
  pl_schema_put(to, ")");
}

static void put_put_list(struct pl_schema_out *to, const struct pl_layout *layout, uint32_t count,
                         uint32_t at, struct pl_strv value) {
  pl_schema_put(to, "  for (let i = 0; i < %" PRIu32 "; i++) ", count);
  put_put(to, layout, at, true, value);
}

static void put_get_body(struct pl_schema_out *to, const struct pl_layout *layout) {
  if (layout->kind != PL_LAYOUT_STRUCT) {
    put_get(to, layout, 0, false);
  } else if (!pl_json_form_is_flat(layout)) {
    pl_schema_put(to, "{\n");
    for (uint32_t i = 0; i < layout->field_count; i++) {
      const struct pl_field *field = &layout->fields[i];
      pl_schema_put(to, "    ");
      put_key(to, field->name);
      if (field->count) {
        put_get_list(to, field->type, field->count, field->offset);
      } else {
        put_get(to, field->type, field->offset, false);
      }
      pl_schema_put(to, ",\n");
    }
    pl_schema_put(to, "  }");
  } else if (layout->part_count > 4) {
    put_get_list(to, pl_layout_scalar(layout->part), layout->part_count, 0);
  } else {
    for (uint32_t i = 0; i < layout->part_count; i++) {
      pl_schema_put(to, i ? ", " : "[");
      put_get(to, pl_layout_scalar(layout->part), i * pl_scalar_size(layout->part), false);
    }
    pl_schema_put(to, "]");
  }
}

static void put_put_body(struct pl_schema_out *to, const struct pl_layout *layout) {
  if (layout->kind != PL_LAYOUT_STRUCT) {
    pl_schema_put(to, "  ");
    put_put(to, layout, 0, false, PL_STRV(""));
    return;
  }
  if (pl_json_form_is_flat(layout)) {
    put_put_list(to, pl_layout_scalar(layout->part), layout->part_count, 0, PL_STRV(""));
    return;
  }
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    if (field->count) {
      put_put_list(to, field->type, field->count, field->offset, field->name);
    } else {
      pl_schema_put(to, "  ");
      put_put(to, field->type, field->offset, false, field->name);
    }
  }
}

// ---- functions

// get_NAME, or readName for the main type.
static void put_signature(struct pl_schema_out *to, const struct pl_layout *layout, bool is_main,
                          const char *verb, const char *main_verb) {
  const char *name = layout->name.data;
  if (is_main) {
    pl_schema_put(to, "\nexport function %s%c%s", main_verb, toupper((unsigned char)name[0]),
                  name + 1);
  } else {
    pl_schema_put(to, "\nfunction %s_%s", verb, name);
  }
  pl_schema_put(to, "(view: DataView, offset: number");
}

static void put_functions(struct pl_schema_out *to, const struct pl_layout *layout, bool is_main) {
  put_signature(to, layout, is_main, "get", "read");
  pl_schema_put(to, "): ");
  put_type_name(to, layout);
  pl_schema_put(to, " {\n  return ");
  put_get_body(to, layout);
  pl_schema_put(to, ";\n}\n");
  put_signature(to, layout, is_main, "put", "write");
  pl_schema_put(to, ", value: ");
  put_type_name(to, layout);
  pl_schema_put(to, "): void {\n");
  put_put_body(to, layout);
  pl_schema_put(to, "}\n");
}

static const char bool_helpers[] =  //
    "\n"
    "function get_bool(view: DataView, offset: number): boolean {\n"
    "  return view.getUint8(offset) !== 0;\n"
    "}\n"
    "\n"
    "function put_bool(view: DataView, offset: number, value: boolean): void {\n"
    "  view.setUint8(offset, value ? 1 : 0);\n"
    "}\n";

static const char dec128_helpers[] =
    "\n"
    "function get_dec128(view: DataView, offset: number): Uint8Array {\n"
    "  return new Uint8Array(view.buffer, view.byteOffset + offset, 16).slice();\n"
    "}\n"
    "\n"
    "function put_dec128(view: DataView, offset: number, value: Uint8Array): void {\n"
    "  new Uint8Array(view.buffer, view.byteOffset + offset, 16).set(value);\n"
    "}\n";

// IEEE 754 binary16; written to the nearest, ties to even.
static const char f16_helpers[] =
    "\n"
    "function get_f16(view: DataView, offset: number): number {\n"
    "  const bits = view.getUint16(offset, true);\n"
    "  const exponent = (bits >> 10) & 31;\n"
    "  const fraction = bits & 1023;\n"
    "  const sign = bits & 32768 ? -1 : 1;\n"
    "  if (exponent === 31) return fraction ? NaN : sign * Infinity;\n"
    "  if (exponent === 0) return sign * fraction * 2 ** -24;\n"
    "  return sign * (1024 + fraction) * 2 ** (exponent - 25);\n"
    "}\n"
    "\n"
    "function put_f16(view: DataView, offset: number, value: number): void {\n"
    "  const sign = value < 0 || Object.is(value, -0) ? 32768 : 0;\n"
    "  const size = Math.abs(value);\n"
    "  let bits = 0;\n"
    "  if (size !== size) {\n"
    "    bits = 32256;\n"
    "  } else if (size >= 65520) {\n"
    "    bits = 31744;\n"
    "  } else {\n"
    "    let exponent = -14;\n"
    "    while (size >= 2 ** (exponent + 1)) exponent++;\n"
    "    const steps = size * 2 ** (10 - exponent);\n"
    "    const whole = Math.floor(steps);\n"
    "    const rest = steps - whole;\n"
    "    const up = rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0;\n"
    "    bits = ((exponent + 14) << 10) + whole + up;\n"
    "  }\n"
    "  view.setUint16(offset, sign | bits, true);\n"
    "}\n";

static bool needs_scalar(const struct pl_layout *layout, enum pl_scalar scalar) {
  if (layout->kind != PL_LAYOUT_STRUCT) return layout->scalar == scalar;
  for (uint32_t i = 0; i < layout->field_count; i++)
    if (needs_scalar(layout->fields[i].type, scalar)) return true;
  return false;
}

static void put_types(struct pl_schema_out *to, const struct pl_schema_types *types) {
  char name[PL_SCHEMA_WORD_MAX];
  for (size_t i = 0; i < types->count; i++) {
    const struct pl_layout *layout = types->items[i];
    if (layout->kind == PL_LAYOUT_SCALAR) continue;
    pl_schema_put(to, "\n");
    word(layout->name, name);
    if (layout->kind == PL_LAYOUT_ENUM) {
      put_enum(to, layout, name);
    } else if (pl_json_form_is_flat(layout)) {
      put_flat_type(to, layout, name);
    } else {
      put_interface(to, layout, name);
    }
  }
}

int pl_schema_write_ts(struct pl_buf *out, const struct pl_layout *layout) {
  struct pl_schema_types types;
  struct pl_schema_out to = {out, 0};
  int err = pl_schema_types_init(&types, layout, true);
  if (err) return err;
  const char *name = layout->name.data;
  pl_schema_put(&to,
                "// %s, %" PRIu32
                " bytes, written by Perilune. All is little-endian, offsets are in"
                " bytes;\n// indices of elements begin at 1, and 0 is none.\n",
                name, layout->size);
  pl_schema_put(&to, "export const %s_SIZE = %" PRIu32 ";\n", name, layout->size);
  pl_schema_put(&to, "export const %s_HASH = \"%016" PRIx64 "\";\n", name, layout->hash);
  put_types(&to, &types);
  if (needs_scalar(layout, PL_SCALAR_BOOL)) pl_schema_put(&to, "%s", bool_helpers);
  if (needs_scalar(layout, PL_SCALAR_F16)) pl_schema_put(&to, "%s", f16_helpers);
  if (needs_scalar(layout, PL_SCALAR_DEC128)) pl_schema_put(&to, "%s", dec128_helpers);
  for (size_t i = 0; i < types.count; i++) {
    bool is_main = types.items[i] == layout;
    if (is_main || types.items[i]->kind == PL_LAYOUT_STRUCT)
      put_functions(&to, types.items[i], is_main);
  }
  pl_schema_types_deinit(&types);
  return to.err;
}
