// numpy's dtypes have explicit offsets, so padding needs no field.
#include "geometry/schema_python.h"

#include "geometry/json_form.h"
#include "geometry/schema_out.h"

#include <inttypes.h>

static const char reserved[] =
    " False None True and as assert async await break class continue def del elif else except "
    "finally for from global if import in is lambda nonlocal not or pass raise return try while "
    "with yield numpy ";

static const char *const scalar_types[PL_SCALAR_COUNT] = {
    [PL_SCALAR_BOOL] = "?",     [PL_SCALAR_I8] = "<i1",  [PL_SCALAR_I16] = "<i2",
    [PL_SCALAR_I32] = "<i4",    [PL_SCALAR_I64] = "<i8", [PL_SCALAR_U8] = "<u1",
    [PL_SCALAR_U16] = "<u2",    [PL_SCALAR_U32] = "<u4", [PL_SCALAR_U64] = "<u8",
    [PL_SCALAR_F16] = "<f2",    [PL_SCALAR_F32] = "<f4", [PL_SCALAR_F64] = "<f8",
    [PL_SCALAR_DEC128] = "V16",
};

static const char *word(struct pl_strv name, char out[PL_SCHEMA_WORD_MAX]) {
  return pl_schema_word(name, reserved, out);
}

static void put_format(struct pl_schema_out *to, const struct pl_field *field) {
  char name[PL_SCHEMA_WORD_MAX];
  bool is_struct = field->type->kind == PL_LAYOUT_STRUCT;
  if (field->count) pl_schema_put(to, "(");
  if (is_struct) {
    pl_schema_put(to, "%s", word(field->type->name, name));
  } else {
    pl_schema_put(to, "\"%s\"", scalar_types[field->type->scalar]);
  }
  if (field->count) pl_schema_put(to, ", (%" PRIu32 ",))", field->count);
}

static void put_struct(struct pl_schema_out *to, const struct pl_layout *layout) {
  pl_schema_put(to, "numpy.dtype({\n    \"names\": [");
  for (uint32_t i = 0; i < layout->field_count; i++)
    pl_schema_put(to, "%s\"%.*s\"", i ? ", " : "", (int)layout->fields[i].name.len,
                  layout->fields[i].name.data);
  pl_schema_put(to, "],\n    \"formats\": [");
  for (uint32_t i = 0; i < layout->field_count; i++) {
    if (i) pl_schema_put(to, ", ");
    put_format(to, &layout->fields[i]);
  }
  pl_schema_put(to, "],\n    \"offsets\": [");
  for (uint32_t i = 0; i < layout->field_count; i++)
    pl_schema_put(to, "%s%" PRIu32, i ? ", " : "", layout->fields[i].offset);
  pl_schema_put(to, "],\n    \"itemsize\": %" PRIu32 ",\n})\n", layout->size);
}

// A matrix is its one field, columns: that many of so many scalars.
static void put_flat(struct pl_schema_out *to, const struct pl_layout *layout) {
  const char *scalar = scalar_types[layout->part];
  uint32_t columns = layout->field_count == 1 ? layout->fields[0].count : 0;
  if (columns) {
    pl_schema_put(to, "numpy.dtype((\"%s\", (%" PRIu32 ", %" PRIu32 ")))  # by column and row\n",
                  scalar, columns, layout->part_count / columns);
  } else {
    pl_schema_put(to, "numpy.dtype((\"%s\", (%" PRIu32 ",)))\n", scalar, layout->part_count);
  }
}

static void put_members(struct pl_schema_out *to, const struct pl_layout *layout) {
  pl_schema_put(to, "{");
  for (uint32_t i = 0; i < layout->member_count; i++) {
    const struct pl_enum_member *member = &layout->members[i];
    pl_schema_put(to, "%s\"%.*s\": ", i ? ", " : "", (int)member->name.len, member->name.data);
    if (layout->scalar == PL_SCALAR_U64) {
      pl_schema_put(to, "%" PRIu64, (uint64_t)member->value);
    } else {
      pl_schema_put(to, "%" PRId64, member->value);
    }
  }
  pl_schema_put(to, "}\n");
}

static void put_type(struct pl_schema_out *to, const struct pl_layout *layout, bool is_main) {
  char name[PL_SCHEMA_WORD_MAX];
  if (layout->kind == PL_LAYOUT_ENUM) {
    pl_schema_put(to, "%s%s = ", word(layout->name, name), is_main ? "_MEMBERS" : "");
    put_members(to, layout);
    if (!is_main) return;
  }
  pl_schema_put(to, "%s = ", word(layout->name, name));
  if (layout->kind != PL_LAYOUT_STRUCT) {
    pl_schema_put(to, "numpy.dtype(\"%s\")\n", scalar_types[layout->scalar]);
  } else if (pl_json_form_is_flat(layout)) {
    put_flat(to, layout);
  } else {
    put_struct(to, layout);
  }
}

int pl_schema_write_python(struct pl_buf *out, const struct pl_layout *layout) {
  struct pl_schema_types types;
  struct pl_schema_out to = {out, 0};
  int err = pl_schema_types_init(&types, layout, true);
  if (err) return err;
  pl_schema_put(
      &to,
      "\"\"\"%s, %" PRIu32 " bytes, written by Perilune. All is little-endian, offsets are"
      " in bytes;\nindices of elements begin at 1, and 0 is none.\"\"\"\nimport numpy\n\n",
      layout->name.data, layout->size);
  for (size_t i = 0; i < types.count; i++) put_type(&to, types.items[i], types.items[i] == layout);
  pl_schema_put(&to, "%s_HASH = \"%016" PRIx64 "\"\n", layout->name.data, layout->hash);
  pl_schema_types_deinit(&types);
  return to.err;
}
