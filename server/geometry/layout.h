/// What a struct looks like in memory and on the wire, which are the same: fields at offsets,
/// little-endian, packed unless its definition says otherwise. Scalars and enums are layouts, too.
///
/// Layouts are made once and never change or go: a pointer to one is its identity in the whole
/// process, on every thread, and a message between workers carries just that pointer. Those of a
/// process are kept in one pl_layouts; the same name, fields and size give the same layout again.
///
/// Placing. A field stands behind the one before it, or where "@offset" pins it; two never overlap.
/// A type's natural alignment is that of its largest scalar, or what its own definition asks for.
/// Under align 1 there is no padding; under natural every field stands at a multiple of its natural
/// alignment and the size is a multiple of the largest; under 4, 8 and 16 fields stand at a
/// multiple of their natural alignment or of that number, whichever is less, and the size is a
/// multiple of that number. Pinned offsets are taken as they are. "size=" in a schema pins the
/// size.
///
/// Hash: the 64-bit FNV-1a of the canonical text, which is ASCII and made of these, in order:
///   of a struct, for each field, those of the base first: name ":" type ["[" count "]"] "@" offset
///   " ", and at the end ";" size
///   of an enum: ("enum:" | "flags:") scalar
///   of a scalar: its name
/// where type is the name of a scalar, or name "#" and the type's own hash in 16 lower-case
/// hexadecimal digits. vec2 is "x:f32@0 y:f32@4 ;8". A layout's own name is not in it.
///
/// Thread: a layout may be read by all; pl_layouts has a lock of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/strv.h"
#include "geometry/types.h"

enum pl_scalar {
  PL_SCALAR_NONE,  ///< a struct
  PL_SCALAR_BOOL,  ///< 1 byte, 0 or 1; any other byte reads as true
  PL_SCALAR_I8,
  PL_SCALAR_I16,
  PL_SCALAR_I32,
  PL_SCALAR_I64,
  PL_SCALAR_U8,
  PL_SCALAR_U16,
  PL_SCALAR_U32,
  PL_SCALAR_U64,
  PL_SCALAR_F16,  ///< stored only: IEEE 754 binary16
  PL_SCALAR_F32,
  PL_SCALAR_F64,
  PL_SCALAR_DEC128,  ///< IEEE 754-2008 decimal128, BID encoding (decimal128.h)
  PL_SCALAR_COUNT
};

enum pl_layout_kind { PL_LAYOUT_SCALAR, PL_LAYOUT_ENUM, PL_LAYOUT_STRUCT };

enum {
  PL_STRUCT_BYTES_MAX = 64 * 1024,
  PL_STRUCT_FIELDS_MAX = 256,
  PL_STRUCT_NESTING_MAX = 16,
  PL_LAYOUT_NAME_MAX = 64,
  PL_ENUM_MEMBERS_MAX = 1024,
  PL_LAYOUTS_MAX = 65535
};

struct pl_layout;

struct pl_field {
  struct pl_strv name;  ///< NUL-terminated, too, as every name here
  const struct pl_layout *type;
  uint32_t offset;  ///< bytes from the struct's begin
  uint32_t count;   ///< 0: one value; else an array of so many, one behind the other
  bool is_finite;   ///< NaN and infinities are refused when written; f16, f32, f64, dec128 only
};

struct pl_enum_member {
  struct pl_strv name;
  int64_t value;  ///< the bits of u64
};

struct pl_layout {
  struct pl_strv name;  ///< NUL-terminated, too
  uint64_t hash;        ///< FNV-1a of the canonical text: names, types, offsets, size
  uint32_t size;        ///< bytes; elements of an array lie so far apart
  uint32_t align;       ///< 1 unless asked for; size is a multiple of it
  uint16_t id;          ///< dense, from 1 (bool); the built-in ones first
  uint8_t kind;         ///< enum pl_layout_kind
  uint8_t scalar;       ///< enum pl_scalar; of an enum: what carries its value
  uint8_t builtin;      ///< enum pl_builtin (types.h); PL_BUILTIN_NONE: a script's own
  bool is_flags;        ///< an enum whose values are or-ed
  uint8_t part;  ///< enum pl_scalar: everything in it is of this one, in the fields' order, and
                 ///< nothing lies between, as in vec3 and ray; PL_SCALAR_NONE: mixed, or an enum,
                 ///< or fields are finite, so that not all numbers may be written
  uint8_t natural;                ///< natural alignment, from 1 to 16
  uint8_t nesting;                ///< 0: a scalar or an enum; else one more than its fields' most
  uint32_t part_count;            ///< how many of them; 1 for a scalar, 0 when mixed
  const struct pl_layout *base;   ///< whose fields are the first of this one, or NULL
  const struct pl_field *fields;  ///< in their order, those of the base first
  uint32_t field_count;
  const struct pl_enum_member *members;  ///< in the order of their definition
  uint32_t member_count;
  const char *where;  ///< "app.lua:12", where it was first defined; "" for built-ins
};

/// A process's layouts: the built-in ones from the start, scripts' as they are defined.
struct pl_layouts;

/// Returns: NULL: out of memory.
PL_MUST_CHECK struct pl_layouts *pl_layouts_new(void);
void pl_layouts_free(struct pl_layouts *layouts);

/// Static: the same in every pl_layouts, with the same ids.
const struct pl_layout *pl_layout_builtin(enum pl_builtin builtin);
const struct pl_layout *pl_layout_scalar(enum pl_scalar scalar);

/// The built-in or scalar of that name ("vec3", "u32"), or NULL.
const struct pl_layout *pl_layout_find_builtin(struct pl_strv name);

/// Returns: NULL: no such id.
const struct pl_layout *pl_layouts_by_id(struct pl_layouts *layouts, uint16_t id);

/// How a definition finds the types that it names: first the script's, by this function (NULL:
/// there is none of that name), then the built-in ones. It is called without the lock, and may
/// raise: nothing is allocated then.
struct pl_layout_scope {
  const struct pl_layout *(*find)(void *ctx, struct pl_strv name);
  void *ctx;
};

/// One field as the table form gives it; the schema text is parsed into the same.
struct pl_field_spec {
  struct pl_strv name;
  struct pl_strv type;  ///< "f32", "u8[8]", "vec3"; "f32(finite)"
  int64_t offset;       ///< -1: behind the field before
};

struct pl_struct_spec {
  struct pl_strv name;
  struct pl_strv schema;  ///< "t:f32 uv:vec2 tag:u8[8] n:vec3@32" (schema.h), or a string.pack
                          ///< format ("<ffI4", pack_format.h); or empty, and `fields` has them
  const struct pl_field_spec *fields;
  size_t field_count;
  const struct pl_layout *base;  ///< or NULL
  unsigned align;                ///< 1 (packed), 4, 8, 16; PL_ALIGN_NATURAL; "align=" in the
                                 ///< schema says the same, and must not contradict
  const char *where;             ///< "app.lua:12"; copied
};
enum { PL_ALIGN_NATURAL = 0 };

enum { PL_LAYOUT_PROBLEM_MAX = 512 };

/// Compiles and registers. Nobody may take a built-in type's name. The same name, fields, size,
/// alignment and base give the same layout again, with the `where` that it first had. Returns: 0
/// and *layout; PL_ESYNTAX, PL_ELIMIT, PL_EINVAL and in `problem` a line that names the type, the
/// field or the column, and what is wrong; PL_ENOMEM.
PL_MUST_CHECK int pl_layouts_define(struct pl_layouts *layouts, const struct pl_struct_spec *spec,
                                    const struct pl_layout_scope *scope,
                                    const struct pl_layout **layout,
                                    char problem[PL_LAYOUT_PROBLEM_MAX]);

struct pl_enum_spec {
  struct pl_strv name;
  enum pl_scalar scalar;  ///< any integer
  const struct pl_enum_member *members;
  size_t member_count;
  bool is_flags;
  const char *where;
};

/// The same for an enum. Two enums of one name and scalar with other members are two layouts.
PL_MUST_CHECK int pl_layouts_define_enum(struct pl_layouts *layouts,
                                         const struct pl_enum_spec *spec,
                                         const struct pl_layout **layout,
                                         char problem[PL_LAYOUT_PROBLEM_MAX]);

/// Appends schema text that gives the same layout's hash again, where its nested types are known
/// by the same names; bases are flattened. An enum is "enum u8 A=1 B=2", a scalar its name.
/// Returns: 0, PL_ENOMEM (the buffer may have a part of it).
PL_MUST_CHECK int pl_layout_write_schema(const struct pl_layout *layout, struct pl_buf *out);

/// Appends the canonical text, which the hash is of. As pl_layout_write_schema.
PL_MUST_CHECK int pl_layout_write_canonical(const struct pl_layout *layout, struct pl_buf *out);

/// The field of that name, or NULL.
const struct pl_field *pl_layout_field(const struct pl_layout *layout, struct pl_strv name);

/// Whether a value of `layout` may stand where `wanted` is expected: the same, or derived from it.
bool pl_layout_is_a(const struct pl_layout *layout, const struct pl_layout *wanted);

/// "i8" ... ; static storage.
struct pl_strv pl_scalar_name(enum pl_scalar scalar);
unsigned pl_scalar_size(enum pl_scalar scalar);
