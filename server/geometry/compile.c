// Fields to a struct's layout: placed one by one. The first problem stops everything.
#include "geometry/compile.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "geometry/pack_format.h"
#include "geometry/problem.h"
#include "geometry/schema.h"

// A struct under way.
struct compiler {
  const struct pl_struct_spec *spec;
  const struct pl_resolver *resolver;
  struct pl_draft *draft;
  uint32_t cap;   // no field is aligned to more
  uint32_t next;  // where the next field stands, before it is aligned
  uint32_t end;   // behind the last byte that a field takes
  char *problem;
};

// Returns: code, for `return fail(...)`. @param field NULL: the struct as a whole
__attribute__((format(printf, 4, 5))) static int fail(const struct compiler *c,
                                                      const struct pl_schema_field *field, int code,
                                                      const char *format, ...) {
  struct pl_strv name = c->spec->name;
  size_t room = PL_LAYOUT_PROBLEM_MAX;
  int n = snprintf(c->problem, room, "%.*s%s%.*s: ", pl_problem_shown(name), name.data,
                   field ? "." : "", field ? pl_problem_shown(field->name) : 0,
                   field ? field->name.data : "");
  va_list args;
  va_start(args, format);
  n += vsnprintf(c->problem + n, room - (size_t)n, format, args);
  va_end(args);
  if (field && field->column && (size_t)n < room)
    snprintf(c->problem + n, room - (size_t)n, ", column %u", field->column);
  pl_problem_clean(c->problem);
  return code;
}

static int copy_base(struct compiler *c) {
  const struct pl_layout *base = c->spec->base;
  struct pl_layout *layout = &c->draft->layout;
  if (!base) return 0;
  if (base->kind != PL_LAYOUT_STRUCT)
    return fail(c, NULL, PL_EINVAL, "the base '%.*s' is no struct", (int)base->name.len,
                base->name.data);
  memcpy(c->draft->fields, base->fields, base->field_count * sizeof *base->fields);
  layout->field_count = base->field_count;
  layout->align = base->align;
  layout->natural = base->natural;
  layout->nesting = base->nesting;
  c->next = c->end = base->size;
  return 0;
}

// Returns: NULL: PL_EINVAL, and the problem is told.
static const struct pl_layout *resolve_type(struct compiler *c,
                                            const struct pl_schema_field *from) {
  struct pl_strv name = from->type.name;
  const char *near = NULL;
  if (pl_strv_eq(name, c->spec->name)) {
    fail(c, from, PL_EINVAL, "a struct cannot hold itself");
    return NULL;
  }
  const struct pl_layout *type = c->resolver->find(c->resolver->ctx, name);
  if (type) return type;
  if (c->resolver->suggest) near = c->resolver->suggest(c->resolver->ctx, name);
  if (near)
    fail(c, from, PL_EINVAL, "unknown type '%.*s' (did you mean '%s'?)", (int)name.len, name.data,
         near);
  else
    fail(c, from, PL_EINVAL, "unknown type '%.*s'", (int)name.len, name.data);
  return NULL;
}

static bool is_real(const struct pl_layout *type) {
  if (type->kind != PL_LAYOUT_SCALAR) return false;
  return type->scalar == PL_SCALAR_F16 || type->scalar == PL_SCALAR_F32 ||
         type->scalar == PL_SCALAR_F64 || type->scalar == PL_SCALAR_DEC128;
}

static uint32_t round_up(uint32_t value, uint32_t align) {
  return (value + align - 1) / align * align;
}

static uint32_t bytes_of(const struct pl_field *field) {
  return field->type->size * (field->count ? field->count : 1);
}

// Sets the field's offset; nothing here is near overflow: each part is at most 64 KiB or two.
static int place_field(struct compiler *c, const struct pl_schema_field *from,
                       struct pl_field *field) {
  struct pl_layout *layout = &c->draft->layout;
  const struct pl_layout *base = c->spec->base;
  uint32_t align = field->type->natural < c->cap ? field->type->natural : c->cap;
  uint64_t bytes = (uint64_t)field->type->size * (field->count ? field->count : 1);
  uint64_t offset =
      from->offset >= 0 ? (uint64_t)from->offset : (uint64_t)round_up(c->next + from->skip, align);
  if (base && offset < base->size)
    return fail(c, from, PL_EINVAL,
                "offset %" PRIu64 " lies within the base %.*s of %" PRIu32 " bytes", offset,
                (int)base->name.len, base->name.data, base->size);
  if (offset + bytes > PL_STRUCT_BYTES_MAX)
    return fail(c, from, PL_ELIMIT, "ends at byte %" PRIu64 "; a struct has at most %d",
                offset + bytes, PL_STRUCT_BYTES_MAX);
  field->offset = (uint32_t)offset;
  c->next = (uint32_t)(offset + bytes);
  if (c->next > c->end) c->end = c->next;
  if (field->type->natural > layout->natural) layout->natural = field->type->natural;
  if (align > layout->align) layout->align = align;
  return 0;
}

static int check_overlap(struct compiler *c, const struct pl_schema_field *from,
                         const struct pl_field *field) {
  for (const struct pl_field *other = c->draft->fields; other < field; other++) {
    if (pl_strv_eq(other->name, field->name))
      return fail(c, from, PL_EINVAL, "there are two fields of this name");
    if (field->offset < other->offset + bytes_of(other) &&
        other->offset < field->offset + bytes_of(field))
      return fail(c, from, PL_EINVAL,
                  "bytes %" PRIu32 " to %" PRIu32 " overlap those of '%.*s', %" PRIu32
                  " to %" PRIu32,
                  field->offset, field->offset + bytes_of(field) - 1, (int)other->name.len,
                  other->name.data, other->offset, other->offset + bytes_of(other) - 1);
  }
  return 0;
}

static int add_field(struct compiler *c, const struct pl_schema_field *from) {
  struct pl_layout *layout = &c->draft->layout;
  if (layout->field_count == PL_STRUCT_FIELDS_MAX)
    return fail(c, from, PL_ELIMIT, "a struct has at most %d fields, those of its base included",
                PL_STRUCT_FIELDS_MAX);
  const struct pl_layout *type = resolve_type(c, from);
  if (!type) return PL_EINVAL;
  if (type->nesting + 1 > PL_STRUCT_NESTING_MAX)
    return fail(c, from, PL_ELIMIT, "structs are nested at most %d deep", PL_STRUCT_NESTING_MAX);
  if (from->type.is_finite && !is_real(type))
    return fail(c, from, PL_EINVAL, "only f16, f32, f64 and dec128 can be finite");
  struct pl_field *field = &c->draft->fields[layout->field_count];
  *field = (struct pl_field){.name = from->name,
                             .type = type,
                             .count = from->type.count,
                             .is_finite = from->type.is_finite};
  int err = place_field(c, from, field);
  if (!err) err = check_overlap(c, from, field);
  if (err) return err;
  layout->field_count++;
  if (type->nesting + 1 > layout->nesting) layout->nesting = (uint8_t)(type->nesting + 1);
  return 0;
}

// One scalar kind without gaps?
static void set_part(struct pl_layout *layout) {
  uint32_t at = 0, count = 0;
  uint8_t part = layout->fields[0].type->part;
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    if (field->type->part != part || field->offset != at || field->is_finite) return;
    at += bytes_of(field);
    count += field->type->part_count * (field->count ? field->count : 1);
  }
  if (part == PL_SCALAR_NONE || at != layout->size) return;
  layout->part = part;
  layout->part_count = count;
}

static int set_size(struct compiler *c, const struct pl_schema *schema) {
  struct pl_layout *layout = &c->draft->layout;
  uint32_t size = round_up(c->end + schema->tail, layout->align);
  if (schema->size && (schema->size < size || schema->size % layout->align != 0))
    return fail(c, NULL, PL_EINVAL,
                "size=%" PRIu32 " is no multiple of the alignment %" PRIu32
                " that has room for the fields' %" PRIu32 " bytes",
                schema->size, layout->align, c->end);
  if (schema->size) size = schema->size;
  if (size > PL_STRUCT_BYTES_MAX)
    return fail(c, NULL, PL_ELIMIT, "%" PRIu32 " bytes; a struct has at most %d", size,
                PL_STRUCT_BYTES_MAX);
  layout->size = size;
  return 0;
}

static int set_align(struct compiler *c, const struct pl_schema *schema) {
  unsigned align = c->spec->align;
  if (align != PL_ALIGN_NATURAL && align != 1 && align != 4 && align != 8 && align != 16)
    return fail(c, NULL, PL_EINVAL, "an alignment is natural, 1, 4, 8 or 16, not %u", align);
  if (schema->align != PL_SCHEMA_ALIGN_UNSAID) {
    if (align != 1 && align != (unsigned)schema->align)
      return fail(c, NULL, PL_EINVAL, "two alignments: one in the schema, one beside it");
    align = (unsigned)schema->align;
  }
  c->cap = align == PL_ALIGN_NATURAL ? 16 : align;
  struct pl_layout *layout = &c->draft->layout;
  if (align > layout->align) layout->align = align;
  return 0;
}

// The table form as the text is parsed to.
static int read_table(struct compiler *c, struct pl_schema *schema) {
  const struct pl_struct_spec *spec = c->spec;
  schema->align = PL_SCHEMA_ALIGN_UNSAID;
  schema->tail = schema->size = 0;
  schema->count = spec->field_count;
  if (spec->field_count > PL_SCHEMA_FIELDS_MAX)
    return fail(c, NULL, PL_ELIMIT, "%zu fields; a struct has at most %d", spec->field_count,
                PL_STRUCT_FIELDS_MAX);
  for (size_t i = 0; i < spec->field_count; i++) {
    char why[PL_SCHEMA_PROBLEM_MAX];
    const struct pl_field_spec *from = &spec->fields[i];
    struct pl_schema_field *field = &schema->fields[i];
    *field = (struct pl_schema_field){.name = from->name, .offset = from->offset};
    if (!pl_schema_is_name(from->name))
      return fail(c, NULL, PL_EINVAL,
                  "field %zu: '%.*s' is no name: it has letters, digits and _, no digit first, and "
                  "at most %d of them",
                  i + 1, pl_problem_shown(from->name), from->name.data, PL_LAYOUT_NAME_MAX);
    if (from->offset < -1 || from->offset > PL_STRUCT_BYTES_MAX)
      return fail(c, field, PL_ELIMIT, "an offset is from 0 to %d, not %" PRId64,
                  PL_STRUCT_BYTES_MAX, from->offset);
    int err = pl_schema_parse_type(from->type, &field->type, why);
    if (err)
      return fail(c, field, err, "%s of the type '%.*s'", why, pl_problem_shown(from->type),
                  from->type.data);
  }
  return 0;
}

static int read_schema(struct compiler *c, struct pl_schema *schema) {
  char why[PL_SCHEMA_PROBLEM_MAX];
  struct pl_strv text = c->spec->schema;
  if (c->spec->field_count && text.len)
    return fail(c, NULL, PL_EINVAL, "fields both as a text and as a list");
  if (c->spec->field_count) return read_table(c, schema);
  int err = pl_pack_format_is(text) ? pl_pack_format_parse(text, schema, why)
                                    : pl_schema_parse(text, schema, why);
  if (err) return fail(c, NULL, err, "%s", why);
  for (size_t i = 0; i < schema->count; i++) {
    if (schema->fields[i].name.len) continue;
    int n = snprintf(c->draft->made[i], sizeof c->draft->made[i], "f%zu", i + 1);
    schema->fields[i].name = pl_strv(c->draft->made[i], (size_t)n);
  }
  return 0;
}

static int compile_fields(struct compiler *c) {
  struct pl_schema schema;
  int err = read_schema(c, &schema);
  if (!err) err = set_align(c, &schema);
  for (size_t i = 0; !err && i < schema.count; i++) err = add_field(c, &schema.fields[i]);
  if (err) return err;
  if (c->draft->layout.field_count == 0)
    return fail(c, NULL, PL_EINVAL, "a struct has at least one field");
  return set_size(c, &schema);
}

int pl_compile_struct(const struct pl_struct_spec *spec, const struct pl_resolver *resolver,
                      struct pl_draft *draft, char problem[PL_LAYOUT_PROBLEM_MAX]) {
  struct compiler c = {.spec = spec, .resolver = resolver, .draft = draft, .problem = problem};
  struct pl_layout *layout = &draft->layout;
  *layout = (struct pl_layout){
      .name = spec->name,
      .kind = PL_LAYOUT_STRUCT,
      .align = 1,
      .natural = 1,
      .base = spec->base,
      .fields = draft->fields,
      .where = spec->where ? spec->where : "",
  };
  int err = pl_problem_check_name(spec->name, "a struct", problem);
  if (!err) err = copy_base(&c);
  if (!err) err = compile_fields(&c);
  if (err) return err;
  if (layout->align > layout->natural) layout->natural = (uint8_t)layout->align;
  set_part(layout);
  layout->hash = pl_layout_make_hash(layout);
  return 0;
}
