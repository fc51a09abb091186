// Any bytes under any schema: the input is a schema, a line's end, and the bytes of a struct.
// Loading every scalar and storing it again gives the same bits (a true bool: 1); a struct equals
// its copy unless there is a NaN in it; converted to the fields in reverse and back it is the same.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "geometry/codec.h"
#include "geometry/convert.h"
#include "geometry/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

static void check_scalar(const struct pl_layout *type, const char *at) {
  char again[PL_DECIMAL128_BYTES] = {0}, text[256];
  struct pl_value value = pl_codec_load(type, at);
  require(pl_codec_store(type, false, again, &value) == PL_CODEC_OK);
  if (type->scalar == PL_SCALAR_BOOL)
    require(again[0] == (at[0] != 0));
  else
    require(memcmp(again, at, type->size) == 0);
  // As other types: it fits or it is refused, with words.
  for (int i = PL_SCALAR_BOOL; i < PL_SCALAR_COUNT; i++) {
    const struct pl_layout *other = pl_layout_scalar((enum pl_scalar)i);
    enum pl_codec_problem problem = pl_codec_store(other, true, again, &value);
    pl_codec_explain(text, sizeof text, problem, type->name, type->name, other, &value);
    require(memchr(text, '\0', sizeof text) != NULL);
  }
}

static void check_all(const struct pl_layout *layout, const char *at) {
  if (layout->kind != PL_LAYOUT_STRUCT) {
    check_scalar(layout, at);
    return;
  }
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    for (uint32_t k = 0; k < (field->count ? field->count : 1); k++)
      check_all(field->type, at + field->offset + k * field->type->size);
  }
}

static const struct pl_layout *reverse(struct pl_layouts *layouts, const struct pl_layout *layout) {
  static const char *const finite[] = {"", "(finite)"};
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_layout *reversed = NULL;
  struct pl_buf text = {0};
  for (uint32_t i = layout->field_count; i-- > 0;) {
    const struct pl_field *field = &layout->fields[i];
    require(pl_buf_printf(&text, "%s:%s", field->name.data, field->type->name.data) == 0);
    if (field->count) require(pl_buf_printf(&text, "[%u]", field->count) == 0);
    require(pl_buf_printf(&text, "%s ", finite[field->is_finite]) == 0);
  }
  struct pl_struct_spec spec = {
      .name = PL_STRV("Reversed"), .schema = pl_buf_view(&text), .align = 1};
  require(pl_layouts_define(layouts, &spec, NULL, &reversed, problem) == 0);
  pl_buf_deinit(&text);
  return reversed;
}

static void convert(const struct pl_layout *to, const struct pl_layout *from, char *out,
                    const char *in) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_convert *plan = NULL;
  struct pl_convert_failure failure;
  require(pl_convert_new(to, from, &plan, problem) == 0);
  require(pl_convert_run(plan, out, in, &failure) == 0);
  pl_convert_unref(plan);
}

static void check_struct(struct pl_layouts *layouts, const struct pl_layout *layout,
                         const char *bytes) {
  const struct pl_layout *reversed = reverse(layouts, layout);
  char *there = malloc(reversed->size), *back = malloc(layout->size);
  require(there && back);
  check_all(layout, bytes);
  memcpy(back, bytes, layout->size);
  bool has_nan = pl_codec_has_nan(layout, bytes);
  require(pl_codec_same_values(layout, bytes, back) == !has_nan);
  require(pl_codec_near(layout, bytes, back, 0) == !has_nan);
  convert(reversed, layout, there, bytes);
  require(pl_codec_has_nan(reversed, there) == has_nan);
  convert(layout, reversed, back, there);
  require(memcmp(back, bytes, layout->size) == 0);  // gaps were copied before
  free(there);
  free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *end = memchr(data, '\n', size);
  if (!end) return 0;
  struct pl_layouts *layouts = pl_layouts_new();
  const struct pl_layout *layout = NULL;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_struct_spec spec = {.name = PL_STRV("S"),
                                .schema = pl_strv((const char *)data, (size_t)(end - data)),
                                .align = 1};
  require(layouts != NULL);
  if (pl_layouts_define(layouts, &spec, NULL, &layout, problem) == 0) {
    size_t given = size - (size_t)(end + 1 - data);
    char *bytes = calloc(1, layout->size);  // exactly: a sanitizer sees a byte too many
    require(bytes != NULL);
    memcpy(bytes, end + 1, given < layout->size ? given : layout->size);
    check_struct(layouts, layout, bytes);
    free(bytes);
  }
  pl_layouts_free(layouts);
  return 0;
}
