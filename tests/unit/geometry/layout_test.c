// Layouts: where fields stand, what is refused and in which words, hashes, identity, the built-in
// ones.
#include "geometry/layout.h"

#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pl_layouts *layouts;
static char problem[PL_LAYOUT_PROBLEM_MAX];

// The types that a script has: a scope over a list of layouts.
struct known {
  const struct pl_layout *types[64];
  size_t count;
};

static const struct pl_layout *find_known(void *ctx, struct pl_strv name) {
  struct known *known = ctx;
  for (size_t i = known->count; i-- > 0;)
    if (pl_strv_eq(known->types[i]->name, name)) return known->types[i];
  return NULL;
}

static struct known known;
static const struct pl_layout_scope scope = {find_known, &known};

static int setup(void **state) {
  (void)state;
  known.count = 0;
  layouts = pl_layouts_new();
  return layouts ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  pl_layouts_free(layouts);
  return 0;
}

static int define_spec(struct pl_struct_spec spec, const struct pl_layout **layout) {
  spec.where = spec.where ? spec.where : "test.lua:1";
  problem[0] = '\0';
  return pl_layouts_define(layouts, &spec, &scope, layout, problem);
}

// A packed struct, that later ones know.
static const struct pl_layout *define(const char *name, const char *schema) {
  const struct pl_layout *layout = NULL;
  struct pl_struct_spec spec = {.name = pl_strv_of(name), .schema = pl_strv_of(schema), .align = 1};
  int err = define_spec(spec, &layout);
  if (err) print_error("%s\n", problem);
  assert_int_equal(err, 0);
  assert_non_null(layout);
  if (known.count < PL_ARRAY_LEN(known.types)) known.types[known.count++] = layout;
  return layout;
}

static const struct pl_layout *define_kind(const char *name, const struct pl_enum_member *members,
                                           size_t count, bool is_flags) {
  const struct pl_layout *layout = NULL;
  struct pl_enum_spec spec = {.name = pl_strv_of(name),
                              .scalar = PL_SCALAR_U8,
                              .members = members,
                              .member_count = count,
                              .is_flags = is_flags,
                              .where = "test.lua:2"};
  assert_int_equal(pl_layouts_define_enum(layouts, &spec, &layout, problem), 0);
  known.types[known.count++] = layout;
  return layout;
}

static void refuse_spec(struct pl_struct_spec spec, int code, const char *text) {
  const struct pl_layout *layout = NULL;
  assert_int_equal(define_spec(spec, &layout), code);
  assert_null(layout);
  assert_string_equal(problem, text);
}

static void refuse(const char *schema, int code, const char *text) {
  struct pl_struct_spec spec = {.name = PL_STRV("Shot"), .schema = pl_strv_of(schema), .align = 1};
  refuse_spec(spec, code, text);
}

static uint32_t offset_of(const struct pl_layout *layout, const char *name) {
  const struct pl_field *field = pl_layout_field(layout, pl_strv_of(name));
  assert_non_null(field);
  return field->offset;
}

static const struct pl_enum_member KINDS[] = {{PL_STRV("Ball"), 1}, {PL_STRV("Beam"), 2}};

static void layout_packs_fields_in_their_order(void **state) {
  (void)state;
  const struct pl_layout *kind = define_kind("ShotKind", KINDS, 2, false);
  const struct pl_layout *shot =
      define("Shot", "t:f32 uv:vec2 prim:u32 kind:ShotKind n:vec3 tag:u8[8]");
  assert_int_equal(shot->size, 4 + 8 + 4 + 1 + 12 + 8);
  assert_int_equal(shot->align, 1);
  assert_int_equal(shot->field_count, 6);
  assert_int_equal(offset_of(shot, "uv"), 4);
  assert_int_equal(offset_of(shot, "kind"), 16);
  assert_int_equal(offset_of(shot, "n"), 17);
  assert_int_equal(offset_of(shot, "tag"), 29);
  assert_ptr_equal(pl_layout_field(shot, PL_STRV("kind"))->type, kind);
  assert_ptr_equal(pl_layout_field(shot, PL_STRV("n"))->type, pl_layout_builtin(PL_BUILTIN_vec3));
  assert_int_equal(pl_layout_field(shot, PL_STRV("tag"))->count, 8);
  assert_int_equal(pl_layout_field(shot, PL_STRV("t"))->count, 0);
  assert_null(pl_layout_field(shot, PL_STRV("missing")));
  assert_string_equal(shot->where, "test.lua:1");
  assert_string_equal(shot->name.data, "Shot");
  assert_string_equal(shot->fields[3].name.data, "kind");
  assert_int_equal(shot->part, PL_SCALAR_NONE);
  assert_int_equal(shot->nesting, 2);
}

static void layout_pins_offsets(void **state) {
  (void)state;
  const struct pl_layout *layout = define("P", "b:u32@8 a:u32@0 c:u16 size=32");
  assert_int_equal(offset_of(layout, "b"), 8);
  assert_int_equal(offset_of(layout, "c"), 4);
  assert_int_equal(layout->size, 32);
  refuse("a:f32 b:u16@2", PL_EINVAL, "Shot.b: bytes 2 to 3 overlap those of 'a', 0 to 3, column 9");
  refuse("a:u32 b:u8@3", PL_EINVAL, "Shot.b: bytes 3 to 3 overlap those of 'a', 0 to 3, column 9");
  refuse("a:u32@1 b:u16@0", PL_EINVAL,
         "Shot.b: bytes 0 to 1 overlap those of 'a', 1 to 4, column 11");
  refuse("a:u8@65536", PL_ELIMIT,
         "Shot.a: ends at byte 65537; a struct has at most 65536, column 3");
  refuse("a:u8@65537", PL_ELIMIT, "Shot: an offset is from 0 to 65536, column 6");
  refuse("a:f32 size=3", PL_EINVAL,
         "Shot: size=3 is no multiple of the alignment 1 that has room for the fields' 4 bytes");
}

static void layout_aligns_when_asked_to(void **state) {
  (void)state;
  const struct pl_layout *natural = define("N", "align=natural a:u8 b:f64 c:u16 v:vec3");
  assert_int_equal(offset_of(natural, "b"), 8);
  assert_int_equal(offset_of(natural, "c"), 16);
  assert_int_equal(offset_of(natural, "v"), 20);
  assert_int_equal(natural->align, 8);
  assert_int_equal(natural->size, 32);
  const struct pl_layout *four = define("F", "align=4 a:u8 b:f64 c:u16");
  assert_int_equal(offset_of(four, "b"), 4);
  assert_int_equal(four->size, 16);
  assert_int_equal(four->align, 4);
  const struct pl_layout *wide = define("W", "align=16 v:vec3");
  assert_int_equal(wide->size, 16);
  assert_int_equal(wide->natural, 16);
  assert_int_equal(define("I", "align=natural a:u8 w:W")->size, 32);
  assert_int_equal(define("K", "a:u8 w:W")->size, 17);
  struct pl_struct_spec spec = {
      .name = PL_STRV("Shot"), .schema = PL_STRV("align=4 a:u8"), .align = 8};
  refuse_spec(spec, PL_EINVAL, "Shot: two alignments: one in the schema, one beside it");
  spec.align = 3;
  refuse_spec(spec, PL_EINVAL, "Shot: an alignment is natural, 1, 4, 8 or 16, not 3");
  refuse("align=2 a:u8", PL_ESYNTAX, "Shot: an alignment is natural, 1, 4, 8 or 16, column 7");
}

static void layout_takes_the_table_form(void **state) {
  (void)state;
  struct pl_field_spec fields[] = {{PL_STRV("x"), PL_STRV("f32"), 32},
                                   {PL_STRV("tag"), PL_STRV("u8[8]"), -1},
                                   {PL_STRV("y"), PL_STRV("f32(finite)"), -1}};
  struct pl_struct_spec spec = {
      .name = PL_STRV("T"), .fields = fields, .field_count = 3, .align = 1};
  const struct pl_layout *table = NULL;
  assert_int_equal(define_spec(spec, &table), 0);
  assert_ptr_equal(table, define("T", "x:f32@32 tag:u8[8] y:f32(finite)"));
  assert_true(table->fields[2].is_finite);
  spec.name = PL_STRV("Shot");
  fields[1].type = PL_STRV("u8[");
  refuse_spec(spec, PL_ESYNTAX,
              "Shot.tag: an array's length is a number, column 4 of the type 'u8['");
  fields[1].type = PL_STRV("u9");
  refuse_spec(spec, PL_EINVAL, "Shot.tag: unknown type 'u9' (did you mean 'u8'?)");
  fields[1].name = PL_STRV("2x");
  refuse_spec(spec, PL_EINVAL,
              "Shot: field 2: '2x' is no name: it has letters, digits and _, no digit first, and "
              "at most 64 of them");
  fields[1] = (struct pl_field_spec){PL_STRV("a"), PL_STRV("u8"), -2};
  refuse_spec(spec, PL_ELIMIT, "Shot.a: an offset is from 0 to 65536, not -2");
  fields[1].offset = INT64_MAX;
  refuse_spec(spec, PL_ELIMIT, "Shot.a: an offset is from 0 to 65536, not 9223372036854775807");
  spec.schema = PL_STRV("a:u8");
  refuse_spec(spec, PL_EINVAL, "Shot: fields both as a text and as a list");
}

static void layout_takes_a_pack_format(void **state) {
  (void)state;
  const struct pl_layout *layout = define("P", "<ffI4 xx c3b x");
  assert_int_equal(layout->size, 4 + 4 + 4 + 2 + 3 + 1 + 1);
  assert_int_equal(offset_of(layout, "f4"), 14);
  assert_int_equal(pl_layout_field(layout, PL_STRV("f4"))->count, 3);
  assert_ptr_equal(pl_layout_field(layout, PL_STRV("f3"))->type, pl_layout_scalar(PL_SCALAR_U32));
  refuse(">ff", PL_ESYNTAX,
         "Shot: '>' is big-endian; structs are little-endian: write <, column 1");
  refuse("<fj", PL_ESYNTAX,
         "Shot: 'j' has the size of this machine's Lua integer: write i8, column 3");
}

static void layout_embeds_its_base_first(void **state) {
  (void)state;
  const struct pl_layout *base = define("Base", "align=4 id:u32 flag:u8");
  const struct pl_layout *derived = NULL, *leaf = NULL;
  struct pl_struct_spec spec = {
      .name = PL_STRV("Derived"), .schema = PL_STRV("extra:f32"), .base = base, .align = 1};
  assert_int_equal(define_spec(spec, &derived), 0);
  assert_int_equal(derived->field_count, 3);
  assert_int_equal(offset_of(derived, "extra"), 8);
  assert_int_equal(derived->size, 12);
  spec = (struct pl_struct_spec){.name = PL_STRV("Leaf"), .base = derived, .align = 1};
  assert_int_equal(define_spec(spec, &leaf), 0);
  assert_true(pl_layout_is_a(leaf, base) && pl_layout_is_a(leaf, leaf));
  assert_false(pl_layout_is_a(base, derived));
  spec = (struct pl_struct_spec){.name = PL_STRV("Shot"), .base = base, .align = 1};
  spec.schema = PL_STRV("a:u8@5");
  refuse_spec(spec, PL_EINVAL, "Shot.a: offset 5 lies within the base Base of 8 bytes, column 3");
  spec.schema = PL_STRV("flag:u8");
  refuse_spec(spec, PL_EINVAL, "Shot.flag: there are two fields of this name, column 6");
  spec.schema = PL_STRV("a:u8");
  spec.base = pl_layout_scalar(PL_SCALAR_F32);
  refuse_spec(spec, PL_EINVAL, "Shot: the base 'f32' is no struct");
}

static void layout_refuses_in_words_to_act_on(void **state) {
  (void)state;
  define_kind("ShotKind", KINDS, 2, false);
  refuse("kind:ShotKnd", PL_EINVAL,
         "Shot.kind: unknown type 'ShotKnd' (did you mean 'ShotKind'?), column 6");
  refuse("a:zzzzzzz", PL_EINVAL, "Shot.a: unknown type 'zzzzzzz', column 3");
  refuse("next:Shot", PL_EINVAL, "Shot.next: a struct cannot hold itself, column 6");
  refuse("a:u8 a:u8", PL_EINVAL, "Shot.a: there are two fields of this name, column 8");
  refuse("", PL_EINVAL, "Shot: a struct has at least one field");
  refuse("a:u32(finite)", PL_EINVAL,
         "Shot.a: only f16, f32, f64 and dec128 can be finite, column 3");
  refuse("a:vec3(finite)", PL_EINVAL,
         "Shot.a: only f16, f32, f64 and dec128 can be finite, column 3");
  refuse("a:mat4[1025]", PL_ELIMIT,
         "Shot.a: ends at byte 65600; a struct has at most 65536, column 3");
  refuse("a:mat4[65536] b:mat4[65536]", PL_ELIMIT,
         "Shot.a: ends at byte 4194304; a struct has at most 65536, column 3");
  refuse("a:u8[65536] b:u8", PL_ELIMIT,
         "Shot.b: ends at byte 65537; a struct has at most 65536, column 15");
  assert_int_equal(define("Full", "a:u8[65536]")->size, 65536);
  refuse("align=4 a:u8[65533] size=65533", PL_EINVAL,
         "Shot: size=65533 is no multiple of the alignment 4 that has room for the fields' 65533 "
         "bytes");
  struct pl_struct_spec spec = {.name = PL_STRV("vec3"), .schema = PL_STRV("a:u8"), .align = 1};
  refuse_spec(spec, PL_EINVAL, "'vec3' is the name of a built-in type");
  spec.name = PL_STRV("a b\n");
  refuse_spec(spec, PL_EINVAL,
              "'a b?' is no name for a struct: it has letters, digits and _, no digit first, and "
              "at most 64 of them");
}

// A scope may know a type of a name that another generation had: it is not offered.
static void layout_suggests_only_what_the_scope_knows(void **state) {
  (void)state;
  define_kind("ShotKind", KINDS, 2, false);
  known.count = 0;
  refuse("kind:ShotKnd", PL_EINVAL, "Shot.kind: unknown type 'ShotKnd', column 6");
}

static void layout_has_limits_of_fields_and_nesting(void **state) {
  (void)state;
  char schema[257 * 8], *at = schema;
  for (int i = 0; i < 256; i++) at += sprintf(at, "a%d:u8 ", i);
  assert_int_equal(define("Wide", schema)->field_count, 256);
  strcpy(at, "z:u8");
  char text[128];
  snprintf(text, sizeof text, "Shot: a struct has at most 256 fields, column %d",
           (int)(at - schema) + 1);
  refuse(schema, PL_ELIMIT, text);
  struct pl_struct_spec spec = {.name = PL_STRV("Shot"),
                                .schema = PL_STRV("z:u8"),
                                .base = known.types[known.count - 1],
                                .align = 1};
  refuse_spec(spec, PL_ELIMIT,
              "Shot.z: a struct has at most 256 fields, those of its base included, column 3");
  char name[8], inner[16] = "x:u8";
  for (int i = 1; i <= 16; i++) {
    snprintf(name, sizeof name, "D%d", i);
    assert_int_equal(define(name, inner)->nesting, i);
    snprintf(inner, sizeof inner, "x:D%d", i);
  }
  refuse(inner, PL_ELIMIT, "Shot.x: structs are nested at most 16 deep, column 3");
}

static void layout_refuses_bad_enums(void **state) {
  (void)state;
  static const struct {
    struct pl_enum_member members[2];
    size_t count;
    enum pl_scalar scalar;
    const char *text;
  } bad[] = {
      {{{PL_STRV("A"), 256}}, 1, PL_SCALAR_U8, "E.A: 256 is no value of u8"},
      {{{PL_STRV("A"), -1}}, 1, PL_SCALAR_U32, "E.A: -1 is no value of u32"},
      {{{PL_STRV("A"), -129}}, 1, PL_SCALAR_I8, "E.A: -129 is no value of i8"},
      {{{PL_STRV("A"), 128}}, 1, PL_SCALAR_I8, "E.A: 128 is no value of i8"},
      {{{PL_STRV("A"), 1}, {PL_STRV("A"), 2}}, 2, PL_SCALAR_I8, "E: member 2: 'A' stands twice"},
      {{{PL_STRV("a-b"), 1}}, 1, PL_SCALAR_I8, "E: member 1: 'a-b' is no name"},
      {{{PL_STRV("A"), 1}}, 0, PL_SCALAR_I8, "E: an enum has from 1 to 1024 members, not 0"},
      {{{PL_STRV("A"), 1}}, 1, PL_SCALAR_F32, "E: an enum is one of i8 to i64 and u8 to u64"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    const struct pl_layout *layout = NULL;
    struct pl_enum_spec spec = {PL_STRV("E"), bad[i].scalar, bad[i].members,
                                bad[i].count, false,         "t:1"};
    assert_true(pl_layouts_define_enum(layouts, &spec, &layout, problem) < 0);
    assert_string_equal(problem, bad[i].text);
  }
  struct pl_enum_member wide[] = {{PL_STRV("A"), -1}, {PL_STRV("B"), INT64_MIN}};
  const struct pl_layout *layout = NULL;
  struct pl_enum_spec spec = {PL_STRV("E"), PL_SCALAR_U64, wide, 2, false, "t:1"};
  assert_int_equal(pl_layouts_define_enum(layouts, &spec, &layout, problem), 0);
  assert_int_equal(layout->size, 8);
}

static void layout_is_the_same_when_defined_again(void **state) {
  (void)state;
  const struct pl_layout *first = define("Shot", "a:u8 b:f32");
  assert_ptr_equal(define("Shot", " a:u8\n b:f32@1"), first);
  assert_ptr_not_equal(define("Shot2", "a:u8 b:f32"), first);
  assert_ptr_not_equal(define("Shot", "a:u8 b:f32(finite)"), first);
  assert_ptr_not_equal(define("Shot", "a:u8 b:f64"), first);
  const struct pl_layout *kind = define_kind("Kind", KINDS, 2, false);
  assert_ptr_equal(define_kind("Kind", KINDS, 2, false), kind);
  const struct pl_layout *holder = define("Holder", "k:Kind");
  assert_ptr_not_equal(define_kind("Kind", KINDS, 2, true), kind);
  static const struct pl_enum_member others[] = {{PL_STRV("Ball"), 1}, {PL_STRV("Beam"), 3}};
  assert_ptr_not_equal(define_kind("Kind", others, 2, false), kind);
  const struct pl_layout *other = define_kind("Kind", KINDS, 1, false);
  assert_ptr_not_equal(other, kind);
  assert_true(other->hash == kind->hash);
  const struct pl_layout *later = define("Holder", "k:Kind");  // which is of the other Kind
  assert_ptr_not_equal(later, holder);
  assert_true(later->hash == holder->hash);
  assert_ptr_equal(pl_layouts_by_id(layouts, first->id), first);
  assert_ptr_equal(pl_layouts_by_id(layouts, later->id), later);
  assert_null(pl_layouts_by_id(layouts, (uint16_t)(later->id + 1)));
  assert_null(pl_layouts_by_id(layouts, 0));
  assert_null(pl_layouts_by_id(layouts, 65535));
}

static uint64_t fnv1a(struct pl_strv text) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < text.len; i++) hash = (hash ^ (uint8_t)text.data[i]) * 1099511628211u;
  return hash;
}

static void layout_hash_is_of_the_canonical_text(void **state) {
  (void)state;
  define_kind("Kind", KINDS, 2, false);
  const struct pl_layout *layout = define("S", "t:f32 uv:vec2@8 tag:u8[8] k:Kind");
  struct pl_buf out = {0};
  assert_int_equal(pl_layout_write_canonical(layout, &out), 0);
  struct pl_strv text = pl_buf_view(&out);
  char wanted[256];
  snprintf(wanted, sizeof wanted,
           "t:f32@0 uv:vec2#%016" PRIx64 "@8 tag:u8[8]@16 k:Kind#%016" PRIx64 "@24 ;25",
           fnv1a(PL_STRV("x:f32@0 y:f32@4 ;8")), fnv1a(PL_STRV("enum:u8")));
  assert_true(pl_strv_eq(text, pl_strv_of(wanted)));
  assert_true(layout->hash == fnv1a(text));
  pl_buf_deinit(&out);
  // Made by another program: they may never change, on no machine.
  assert_true(pl_layout_builtin(PL_BUILTIN_vec3)->hash == UINT64_C(0x1b0a7725532bbb45));
  assert_true(pl_layout_builtin(PL_BUILTIN_ray)->hash == UINT64_C(0x27133ecb515fcd92));
  assert_true(pl_layout_scalar(PL_SCALAR_U8)->hash == fnv1a(PL_STRV("u8")));
  uint64_t hash = layout->hash;
  assert_true(define("S", "t:f32 uv:vec2@8 tag:u8[8] j:Kind")->hash != hash);
  assert_true(define("S", "t:f32 uv:ray2@8 tag:u8[8] k:Kind")->hash != hash);
  assert_true(define("S", "t:f32 uv:vec2@8 tag:u8[8] k:Kind size=26")->hash != hash);
  assert_true(define("S", "t:f32 uv:vec2@8 tag:u8[8] k:Kind@25")->hash != hash);
  assert_true(define("S", "t:f32 uv:vec2@8 tag:u8[7] k:Kind@24")->hash != hash);
  assert_true(define("S", "t:f32(finite) uv:vec2@8 tag:u8[8] k:Kind")->hash == hash);
  assert_true(define("A", "v:vec4")->hash != define("B", "v:quat")->hash);
}

static void layout_knows_the_built_in_ones(void **state) {
  (void)state;
  static const struct {
    enum pl_builtin builtin;
    uint32_t size;
    enum pl_scalar part;
    uint32_t count;
  } rows[] = {
      {PL_BUILTIN_vec3, 12, PL_SCALAR_F32, 3},  {PL_BUILTIN_ray, 24, PL_SCALAR_F32, 6},
      {PL_BUILTIN_mat4, 64, PL_SCALAR_F32, 16}, {PL_BUILTIN_frustum, 96, PL_SCALAR_F32, 24},
      {PL_BUILTIN_hit, 32, PL_SCALAR_NONE, 0},  {PL_BUILTIN_color8, 4, PL_SCALAR_U8, 4},
      {PL_BUILTIN_lla, 24, PL_SCALAR_F64, 3},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    const struct pl_layout *layout = pl_layout_builtin(rows[i].builtin);
    assert_int_equal(layout->size, rows[i].size);
    assert_int_equal(layout->part, rows[i].part);
    assert_int_equal(layout->part_count, rows[i].count);
  }
  for (int i = 1; i < PL_BUILTIN_COUNT; i++) {
    const struct pl_layout *layout = pl_layout_builtin((enum pl_builtin)i);
    assert_non_null(layout);
    assert_int_equal(layout->builtin, i);
    assert_ptr_equal(pl_layouts_by_id(layouts, layout->id), layout);
    assert_ptr_equal(pl_layout_find_builtin(layout->name), layout);
  }
  for (int i = 1; i < PL_SCALAR_COUNT; i++) {
    const struct pl_layout *layout = pl_layout_scalar((enum pl_scalar)i);
    assert_int_equal(layout->size, pl_scalar_size((enum pl_scalar)i));
    assert_int_equal(layout->part, i);
    assert_ptr_equal(pl_layouts_by_id(layouts, layout->id), layout);
    assert_ptr_equal(pl_layout_find_builtin(pl_scalar_name((enum pl_scalar)i)), layout);
  }
  assert_null(pl_layout_find_builtin(PL_STRV("vec5")));
  assert_null(pl_layout_builtin(PL_BUILTIN_NONE));
}

static void layout_part_wants_one_kind_without_gaps(void **state) {
  (void)state;
  assert_int_equal(define("A", "a:vec3 b:f32[2] c:f32")->part_count, 6);
  assert_int_equal(define("B", "a:f32 b:f32@8")->part, PL_SCALAR_NONE);
  assert_int_equal(define("C", "a:f32 size=8")->part, PL_SCALAR_NONE);
  assert_int_equal(define("D", "b:f32@4 a:f32@0")->part, PL_SCALAR_NONE);
  assert_int_equal(define("E", "a:f32 b:f32(finite)")->part, PL_SCALAR_NONE);
  assert_int_equal(define("G", "a:f32 b:u32")->part, PL_SCALAR_NONE);
  define_kind("Kind", KINDS, 2, false);
  assert_int_equal(define("H", "k:Kind")->part, PL_SCALAR_NONE);
}

// Whether the printed schema compiles to a layout of the same hash.
static void check_printed(const struct pl_layout *layout) {
  struct pl_buf out = {0};
  assert_int_equal(pl_layout_write_schema(layout, &out), 0);
  struct pl_struct_spec spec = {.name = PL_STRV("Again"), .schema = pl_buf_view(&out), .align = 1};
  const struct pl_layout *again = NULL;
  int err = define_spec(spec, &again);
  if (err || again->hash != layout->hash)
    print_error("%s: %.*s\n", problem, (int)spec.schema.len, spec.schema.data);
  assert_int_equal(err, 0);
  assert_true(again->hash == layout->hash);
  pl_buf_deinit(&out);
}

static void layout_prints_what_compiles_again(void **state) {
  (void)state;
  struct pl_buf out = {0};
  const struct pl_layout *layout = define("S", "a:u8 x:f32[2](finite)@4 n:vec3 size=40");
  assert_int_equal(pl_layout_write_schema(layout, &out), 0);
  assert_true(pl_strv_eq(pl_buf_view(&out), PL_STRV("a:u8 x:f32[2](finite)@4 n:vec3 size=40")));
  pl_buf_clear(&out);
  assert_int_equal(pl_layout_write_schema(define_kind("K", KINDS, 2, true), &out), 0);
  assert_true(pl_strv_eq(pl_buf_view(&out), PL_STRV("flags u8 Ball=1 Beam=2")));
  pl_buf_deinit(&out);
  for (int i = 1; i < PL_BUILTIN_COUNT; i++) check_printed(pl_layout_builtin((enum pl_builtin)i));
}

// A definition at random: any types, some pinned, some aligned, some derived.
static const struct pl_layout *define_random(unsigned *seed) {
  static const char *const aligns[] = {"", "align=natural ", "align=4 ", "align=8 ", "align=16 "};
  char text[2048], *at = text, name[16];
  at += sprintf(at, "%s", aligns[rand_r(seed) % 5]);
  int count = 1 + rand_r(seed) % 12, end = 0;
  for (int i = 0; i < count; i++) {
    unsigned id = 1 + (unsigned)rand_r(seed) % (PL_SCALAR_COUNT + PL_BUILTIN_COUNT - 2);
    const struct pl_layout *type = pl_layouts_by_id(layouts, (uint16_t)id);
    if (known.count && rand_r(seed) % 4 == 0)
      type = known.types[(unsigned)rand_r(seed) % known.count];
    at += sprintf(at, "n%d_%d:%s", (int)known.count, i, type->name.data);
    if (rand_r(seed) % 3 == 0) at += sprintf(at, "[%d]", 1 + rand_r(seed) % 3);
    if (rand_r(seed) % 5 == 0) at += sprintf(at, "@%d", end = end + 2500 + rand_r(seed) % 100);
    *at++ = i + 1 < count ? ' ' : '\0';
  }
  snprintf(name, sizeof name, "R%d", rand_r(seed) % 1000000);
  struct pl_struct_spec spec = {.name = pl_strv_of(name), .schema = pl_strv_of(text), .align = 1};
  if (known.count && rand_r(seed) % 4 == 0)
    spec.base = known.types[(unsigned)rand_r(seed) % known.count];
  const struct pl_layout *layout = NULL;
  return define_spec(spec, &layout) == 0 ? layout : NULL;
}

static void layout_prints_random_ones_back(void **state) {
  (void)state;
  unsigned seed = 4;
  int made = 0, tries = 0;
  for (; made < 1000; tries++) {
    assert_true(tries < 10000);
    const struct pl_layout *layout = define_random(&seed);
    if (!layout) continue;
    check_printed(layout);
    made++;
    if (made % 100 == 0) known.count = 0;
    if (known.count < 32 && layout->nesting < 6 && layout->size < 1000)
      known.types[known.count++] = layout;
  }
}

// What a thread defines, and the pointers that it got.
struct racer {
  const struct pl_layout *got[100];
};

static void *define_many(void *arg) {
  struct racer *racer = arg;
  for (int i = 0; i < 100; i++) {
    char name[16], why[PL_LAYOUT_PROBLEM_MAX];
    snprintf(name, sizeof name, "T%d", i);
    struct pl_struct_spec spec = {
        .name = pl_strv_of(name), .schema = PL_STRV("a:f32 b:ray[2]"), .align = 1, .where = "t:1"};
    if (pl_layouts_define(layouts, &spec, NULL, &racer->got[i], why) != 0) return NULL;
    if (pl_layouts_by_id(layouts, racer->got[i]->id) != racer->got[i]) return NULL;
  }
  return racer;
}

static void layout_is_one_for_all_threads(void **state) {
  (void)state;
  enum { THREADS = 4 };
  static struct racer racers[THREADS];
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, define_many, &racers[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    void *result = NULL;
    pthread_join(threads[i], &result);
    assert_ptr_equal(result, &racers[i]);
  }
  for (int i = 1; i < THREADS; i++)
    assert_memory_equal(racers[i].got, racers[0].got, sizeof racers[0].got);
}

static void layout_survives_each_allocation_that_fails(void **state) {
  (void)state;
  uint64_t nth = 1;
  for (bool is_done = false; !is_done; nth++) {
    assert_true(nth < 20);
    int64_t before = pl_mem_stats().bytes;
    pl_mem_fail_nth(nth);
    struct pl_layouts *own = pl_layouts_new();
    const struct pl_layout *layout = NULL;
    struct pl_struct_spec spec = {
        .name = PL_STRV("A"), .schema = PL_STRV("a:f32"), .align = 1, .where = "t:1"};
    struct pl_enum_spec kind = {PL_STRV("K"), PL_SCALAR_U8, KINDS, 2, false, "t:1"};
    int err = own ? pl_layouts_define(own, &spec, NULL, &layout, problem) : PL_ENOMEM;
    if (!err) err = pl_layouts_define_enum(own, &kind, &layout, problem);
    pl_mem_fail_nth(0);
    assert_true(err == 0 || err == PL_ENOMEM);
    is_done = err == 0;
    if (own && err) {  // the next try finds everything in order
      assert_int_equal(pl_layouts_define(own, &spec, NULL, &layout, problem), 0);
      assert_int_equal(pl_layouts_define_enum(own, &kind, &layout, problem), 0);
    }
    pl_layouts_free(own);
    assert_int_equal(pl_mem_stats().bytes, before);
  }
  assert_true(nth > 4);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(layout_packs_fields_in_their_order),
      TEST(layout_pins_offsets),
      TEST(layout_aligns_when_asked_to),
      TEST(layout_takes_the_table_form),
      TEST(layout_takes_a_pack_format),
      TEST(layout_embeds_its_base_first),
      TEST(layout_refuses_in_words_to_act_on),
      TEST(layout_suggests_only_what_the_scope_knows),
      TEST(layout_has_limits_of_fields_and_nesting),
      TEST(layout_refuses_bad_enums),
      TEST(layout_is_the_same_when_defined_again),
      TEST(layout_hash_is_of_the_canonical_text),
      TEST(layout_knows_the_built_in_ones),
      TEST(layout_part_wants_one_kind_without_gaps),
      TEST(layout_prints_what_compiles_again),
      TEST(layout_prints_random_ones_back),
      TEST(layout_is_one_for_all_threads),
      TEST(layout_survives_each_allocation_that_fails),
  };
#undef TEST
  return cmocka_run_group_tests(tests, NULL, NULL);
}
