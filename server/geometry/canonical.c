// Layouts as text: the canonical one, which hashes are made of, and the one that can be compiled
// again. A part of the module layout (layout.h).
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "geometry/compile.h"

static const uint64_t FNV_BASIS = 0xcbf29ce484222325u;  // of the 64-bit FNV-1a
static const uint64_t FNV_PRIME = 0x100000001b3u;

// Where text goes: to a buffer, or, without one, into a hash.
struct sink {
  struct pl_buf *out;
  uint64_t hash;
  int err;
};

static void put(struct sink *sink, const char *data, size_t len) {
  if (sink->out) {
    if (!sink->err) sink->err = pl_buf_append(sink->out, data, len);
    return;
  }
  for (size_t i = 0; i < len; i++) sink->hash = (sink->hash ^ (unsigned char)data[i]) * FNV_PRIME;
}

static void put_name(struct sink *sink, struct pl_strv name) {
  put(sink, name.data, name.len);
}

// For what is short: numbers and punctuation.
__attribute__((format(printf, 2, 3))) static void put_format(struct sink *sink, const char *format,
                                                             ...) {
  char text[64];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  put(sink, text, n < 0 ? 0 : (size_t)n);
}

static void put_canonical(struct sink *sink, const struct pl_layout *layout) {
  if (layout->kind == PL_LAYOUT_SCALAR) {
    put_name(sink, layout->name);
  } else if (layout->kind == PL_LAYOUT_ENUM) {
    put_format(sink, "%s:", layout->is_flags ? "flags" : "enum");
    put_name(sink, pl_scalar_name((enum pl_scalar)layout->scalar));
  } else {
    for (uint32_t i = 0; i < layout->field_count; i++) {
      const struct pl_field *field = &layout->fields[i];
      put_name(sink, field->name);
      put(sink, ":", 1);
      put_name(sink, field->type->name);
      if (field->type->kind != PL_LAYOUT_SCALAR)
        put_format(sink, "#%016" PRIx64, field->type->hash);
      if (field->count) put_format(sink, "[%" PRIu32 "]", field->count);
      put_format(sink, "@%" PRIu32 " ", field->offset);
    }
    put_format(sink, ";%" PRIu32, layout->size);
  }
}

uint64_t pl_layout_make_hash(const struct pl_layout *layout) {
  struct sink sink = {.hash = FNV_BASIS};
  put_canonical(&sink, layout);
  return sink.hash;
}

int pl_layout_write_canonical(const struct pl_layout *layout, struct pl_buf *out) {
  struct sink sink = {.out = out};
  put_canonical(&sink, layout);
  return sink.err;
}

static void put_enum(struct sink *sink, const struct pl_layout *layout) {
  put_format(sink, "%s ", layout->is_flags ? "flags" : "enum");
  put_name(sink, pl_scalar_name((enum pl_scalar)layout->scalar));
  for (uint32_t i = 0; i < layout->member_count; i++) {
    put(sink, " ", 1);
    put_name(sink, layout->members[i].name);
    put_format(sink, "=%" PRId64, layout->members[i].value);
  }
}

// Offsets are written where the text would not place the field there by itself; of an aligned
// struct all of them, as its base may have placed its fields by other rules. An alignment of 2
// has no word of its own: the size says what it did.
static void put_struct(struct sink *sink, const struct pl_layout *layout) {
  uint32_t end = 0, last = 0;
  uint32_t align = layout->align > 2 ? layout->align : 1;
  if (align > 1) put_format(sink, "align=%" PRIu32 " ", align);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    if (i) put(sink, " ", 1);
    put_name(sink, field->name);
    put(sink, ":", 1);
    put_name(sink, field->type->name);
    if (field->count) put_format(sink, "[%" PRIu32 "]", field->count);
    if (field->is_finite) put(sink, "(finite)", 8);
    if (align > 1 || field->offset != last) put_format(sink, "@%" PRIu32, field->offset);
    last = field->offset + field->type->size * (field->count ? field->count : 1);
    if (last > end) end = last;
  }
  uint32_t size = (end + align - 1) / align * align;
  if (size != layout->size) put_format(sink, " size=%" PRIu32, layout->size);
}

int pl_layout_write_schema(const struct pl_layout *layout, struct pl_buf *out) {
  struct sink sink = {.out = out};
  if (layout->kind == PL_LAYOUT_SCALAR)
    put_name(&sink, layout->name);
  else if (layout->kind == PL_LAYOUT_ENUM)
    put_enum(&sink, layout);
  else
    put_struct(&sink, layout);
  return sink.err;
}
