// Names are identifiers, so nothing has to be escaped.
#include "geometry/schema_json.h"

#include "geometry/schema_out.h"

#include <inttypes.h>

static void put_field(struct pl_schema_out *to, const struct pl_field *field) {
  pl_schema_put(to,
                "{\"name\": \"%.*s\", \"type\": \"%s\", \"offset\": %" PRIu32
                ", \"count\": %" PRIu32 "%s%s}",
                (int)field->name.len, field->name.data, field->type->name.data, field->offset,
                field->count ? field->count : 1, field->count ? ", \"array\": true" : "",
                field->is_finite ? ", \"finite\": true" : "");
}

static void put_member(struct pl_schema_out *to, const struct pl_layout *layout,
                       const struct pl_enum_member *member) {
  const char *quote = layout->size == sizeof(int64_t) ? "\"" : "";
  pl_schema_put(to, "{\"name\": \"%.*s\", \"value\": %s", (int)member->name.len, member->name.data,
                quote);
  if (layout->scalar == PL_SCALAR_U64) {
    pl_schema_put(to, "%" PRIu64, (uint64_t)member->value);
  } else {
    pl_schema_put(to, "%" PRId64, member->value);
  }
  pl_schema_put(to, "%s}", quote);
}

static void put_contents(struct pl_schema_out *to, const struct pl_layout *layout) {
  static const char *const kinds[] = {
      [PL_LAYOUT_SCALAR] = "scalar", [PL_LAYOUT_ENUM] = "enum", [PL_LAYOUT_STRUCT] = "struct"};
  pl_schema_put(to,
                "\"name\": \"%s\", \"kind\": \"%s\", \"size\": %" PRIu32 ", \"align\": %" PRIu32
                ", \"hash\": \"%016" PRIx64 "\"",
                layout->name.data, kinds[layout->kind], layout->size, layout->align, layout->hash);
  if (layout->base) pl_schema_put(to, ", \"base\": \"%s\"", layout->base->name.data);
  if (layout->kind == PL_LAYOUT_ENUM) {
    pl_schema_put(to, ", \"scalar\": \"%s\", \"flags\": %s, \"members\": [",
                  pl_scalar_name((enum pl_scalar)layout->scalar).data,
                  layout->is_flags ? "true" : "false");
  } else if (layout->kind == PL_LAYOUT_STRUCT) {
    pl_schema_put(to, ", \"fields\": [");
  }
  for (uint32_t i = 0; i < layout->member_count; i++) {
    if (i) pl_schema_put(to, ", ");
    put_member(to, layout, &layout->members[i]);
  }
  for (uint32_t i = 0; i < layout->field_count; i++) {
    if (i) pl_schema_put(to, ", ");
    put_field(to, &layout->fields[i]);
  }
  if (layout->kind != PL_LAYOUT_SCALAR) pl_schema_put(to, "]");
}

int pl_schema_write_json(struct pl_buf *out, const struct pl_layout *layout) {
  struct pl_schema_types types;
  struct pl_schema_out to = {out, 0};
  int err = pl_schema_types_init(&types, layout, false);
  if (err) return err;
  pl_schema_put(&to, "{");
  put_contents(&to, layout);
  pl_schema_put(&to, ",\n \"byte_order\": \"little\""
                     ",\n \"offset_means\": \"bytes from the begin of the struct, the first is 0\""
                     ",\n \"index_means\": \"elements are counted from 1; 0 is none\""
                     ",\n \"types\": [");
  for (size_t i = 0; i + 1 < types.count; i++) {
    pl_schema_put(&to, "%s\n  {", i ? "," : "");
    put_contents(&to, types.items[i]);
    pl_schema_put(&to, "}");
  }
  pl_schema_put(&to, "]}\n");
  pl_schema_types_deinit(&types);
  return to.err;
}
