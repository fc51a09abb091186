// Padding is spelled out, so that #pragma pack(1), which every compiler knows, is all that is
// needed. Each type has a guard of its own with its hash: two headers may both bring vec3, and two
// different Shots are an error of the compiler's.
#include "geometry/schema_c.h"

#include "geometry/schema_out.h"

#include <inttypes.h>

static const char reserved[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t "
    "char32_t "
    "char8_t class compl concept const const_cast consteval constexpr constinit continue co_await "
    "co_return co_yield decltype default delete do double dynamic_cast else enum explicit export "
    "extern false float for friend goto if inline int long mutable namespace new noexcept not "
    "not_eq "
    "nullptr operator or or_eq private protected public register reinterpret_cast requires "
    "restrict "
    "return short signed sizeof static static_assert static_cast struct switch template this "
    "thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned using "
    "virtual void volatile wchar_t while xor xor_eq _Alignas _Alignof _Atomic _Bool _Complex "
    "_Generic _Imaginary _Noreturn _Static_assert _Thread_local "
    "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t size_t "
    "ptrdiff_t max_align_t offsetof NULL linux unix i386 __asm __asm__ __attribute __attribute__ "
    "__inline __restrict __volatile __typeof __signed __const __extension __real __imag __alignof "
    "__label __thread __func ";

static const char *word(struct pl_strv name, char out[PL_SCHEMA_WORD_MAX]) {
  return pl_schema_word(name, reserved, out);
}

static const char *const scalar_types[PL_SCALAR_COUNT] = {
    [PL_SCALAR_BOOL] = "uint8_t",   [PL_SCALAR_I8] = "int8_t",    [PL_SCALAR_I16] = "int16_t",
    [PL_SCALAR_I32] = "int32_t",    [PL_SCALAR_I64] = "int64_t",  [PL_SCALAR_U8] = "uint8_t",
    [PL_SCALAR_U16] = "uint16_t",   [PL_SCALAR_U32] = "uint32_t", [PL_SCALAR_U64] = "uint64_t",
    [PL_SCALAR_F16] = "uint16_t",   [PL_SCALAR_F32] = "float",    [PL_SCALAR_F64] = "double",
    [PL_SCALAR_DEC128] = "uint8_t",
};

static void put_field(struct pl_schema_out *to, const struct pl_field *field) {
  char name[PL_SCHEMA_WORD_MAX], type[PL_SCHEMA_WORD_MAX];
  bool is_struct = field->type->kind == PL_LAYOUT_STRUCT;
  pl_schema_put(to, "  %s%s %s", is_struct ? "struct " : "",
                is_struct ? word(field->type->name, type) : scalar_types[field->type->scalar],
                word(field->name, name));
  if (field->count) pl_schema_put(to, "[%" PRIu32 "]", field->count);
  if (!is_struct && field->type->scalar == PL_SCALAR_DEC128) pl_schema_put(to, "[16]");
  pl_schema_put(to, ";  /* %s at %" PRIu32 " */\n", field->type->name.data, field->offset);
}

static void put_pad(struct pl_schema_out *to, uint32_t from, uint32_t behind) {
  if (behind > from)
    pl_schema_put(to, "  uint8_t perilune_pad_%" PRIu32 "[%" PRIu32 "];\n", from, behind - from);
}

static void put_asserts(struct pl_schema_out *to, const struct pl_layout *layout,
                        const char *type) {
  char name[PL_SCHEMA_WORD_MAX];
  pl_schema_put(to, "PERILUNE_STATIC_ASSERT(sizeof(struct %s) == %" PRIu32 ", \"size of %s\");\n",
                type, layout->size, type);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    word(layout->fields[i].name, name);
    pl_schema_put(to,
                  "PERILUNE_STATIC_ASSERT(offsetof(struct %s, %s) == %" PRIu32
                  ", \"offset of %s.%s\");\n",
                  type, name, layout->fields[i].offset, type, name);
  }
}

static void put_struct(struct pl_schema_out *to, const struct pl_layout *layout, const char *type) {
  unsigned char order[PL_STRUCT_FIELDS_MAX];
  uint32_t at = 0;
  pl_schema_order(layout, order);
  pl_schema_put(to, "#pragma pack(push, 1)\nstruct %s {\n", type);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[order[i]];
    put_pad(to, at, field->offset);
    put_field(to, field);
    at = field->offset + field->type->size * (field->count ? field->count : 1);
  }
  put_pad(to, at, layout->size);
  pl_schema_put(to, "};\n#pragma pack(pop)\n");
  put_asserts(to, layout, type);
}

// -2^63 cannot be written as a constant.
static void put_member(struct pl_schema_out *to, const struct pl_layout *layout,
                       const struct pl_enum_member *member) {
  const char *type = scalar_types[layout->scalar];
  pl_schema_put(to, "#define %s_%.*s ((%s)", layout->name.data, (int)member->name.len,
                member->name.data, type);
  if (layout->scalar == PL_SCALAR_U64) {
    pl_schema_put(to, "%" PRIu64 "u)\n", (uint64_t)member->value);
  } else if (member->value == INT64_MIN) {
    pl_schema_put(to, "(%" PRId64 " - 1))\n", INT64_MIN + 1);
  } else {
    pl_schema_put(to, "%" PRId64 ")\n", member->value);
  }
}

static void put_type(struct pl_schema_out *to, const struct pl_layout *layout) {
  char type[PL_SCHEMA_WORD_MAX];
  word(layout->name, type);
  pl_schema_put(to, "\n#ifndef PERILUNE_%s_%016" PRIx64 "\n#define PERILUNE_%s_%016" PRIx64 "\n",
                layout->name.data, layout->hash, layout->name.data, layout->hash);
  if (layout->kind == PL_LAYOUT_STRUCT) {
    put_struct(to, layout, type);
  } else {
    bool is_dec128 = layout->scalar == PL_SCALAR_DEC128;
    pl_schema_put(to, "typedef %s %s%s;\n", scalar_types[layout->scalar], type,
                  is_dec128 ? "[16]" : "");
  }
  for (uint32_t i = 0; i < layout->member_count; i++) put_member(to, layout, &layout->members[i]);
  pl_schema_put(to, "#endif\n");
}

int pl_schema_write_c(struct pl_buf *out, const struct pl_layout *layout) {
  struct pl_schema_types types;
  struct pl_schema_out to = {out, 0};
  int err = pl_schema_types_init(&types, layout, false);
  if (err) return err;
  pl_schema_put(&to,
                "/* %s, %" PRIu32
                " bytes, written by Perilune. All is little-endian, offsets are in"
                " bytes;\n   indices of elements begin at 1, and 0 is none. */\n",
                layout->name.data, layout->size);
  pl_schema_put(&to, "#ifndef PERILUNE_STATIC_ASSERT\n"
                     "#include <stddef.h>\n"
                     "#include <stdint.h>\n"
                     "#ifdef __cplusplus\n"
                     "#define PERILUNE_STATIC_ASSERT static_assert\n"
                     "#else\n"
                     "#define PERILUNE_STATIC_ASSERT _Static_assert\n"
                     "#endif\n"
                     "#endif\n");
  for (size_t i = 0; i < types.count; i++) put_type(&to, types.items[i]);
  pl_schema_put(&to, "\n#ifndef %s_HASH\n#define %s_HASH \"%016" PRIx64 "\"\n#endif\n",
                layout->name.data, layout->name.data, layout->hash);
  pl_schema_types_deinit(&types);
  return to.err;
}
