// A schema, a line end, then any text and bytes under it. What JSON text is read as is written and
// read as the same bytes again; any bytes can be written, and what was written without a null reads
// back as the same numbers, written the same.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "geometry/form_reader.h"
#include "geometry/json_form.h"

enum { BYTES_MAX = 1 << 20 };

static void demand(bool is_so) {
  if (!is_so) abort();
}

static void write_all(struct pl_buf *out, const struct pl_layout *layout, char *data, size_t size) {
  struct pl_span span = {data, size / layout->size, layout->size, layout, 0};
  demand(pl_json_form_write_span(out, &span) == 0);
}

static void fuzz_text(const struct pl_layout *layout, struct pl_strv text) {
  char problem[PL_FORM_PROBLEM_MAX];
  struct pl_bytes *bytes = NULL, *again = NULL;
  int err = pl_form_read_array(text, layout, BYTES_MAX, &bytes, problem);
  if (err) {
    demand(strlen(problem) > 0);
    return;
  }
  struct pl_buf out = {0};
  write_all(&out, layout, bytes->data, bytes->size);
  demand(pl_form_read_array(pl_buf_view(&out), layout, BYTES_MAX, &again, problem) == 0);
  demand(again->size == bytes->size && memcmp(again->data, bytes->data, bytes->size) == 0);
  pl_buf_deinit(&out);
  pl_bytes_unref(bytes);
  pl_bytes_unref(again);
}

static void fuzz_bytes(const struct pl_layout *layout, struct pl_strv data) {
  char problem[PL_FORM_PROBLEM_MAX], *copy = malloc(data.len ? data.len : 1);
  struct pl_bytes *bytes = NULL;
  struct pl_buf out = {0}, second = {0};
  demand(copy != NULL);
  if (data.len) memcpy(copy, data.data, data.len);
  write_all(&out, layout, copy, data.len);
  demand(pl_buf_append(&out, "", 1) == 0);  // a terminator for strstr
  bool has_null = strstr(pl_buf_view(&out).data, "null");
  out.end--;
  if (!has_null) {
    demand(pl_form_read_array(pl_buf_view(&out), layout, BYTES_MAX, &bytes, problem) == 0);
    write_all(&second, layout, bytes->data, bytes->size);
    demand(pl_strv_eq(pl_buf_view(&out), pl_buf_view(&second)));
  }
  pl_bytes_unref(bytes);
  pl_buf_deinit(&out);
  pl_buf_deinit(&second);
  free(copy);
}

static const struct pl_layout *find(void *ctx, struct pl_strv name) {
  return pl_strv_eq(name, PL_STRV("Flags")) ? *(const struct pl_layout **)ctx : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data, *line = size ? memchr(text, '\n', size) : NULL;
  if (!line || size > BYTES_MAX / 16) return 0;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_enum_member members[] = {{PL_STRV("A"), 1}};
  struct pl_enum_spec flags = {PL_STRV("Flags"), PL_SCALAR_U64, members, 1, true, ""};
  struct pl_layouts *layouts = pl_layouts_new();
  const struct pl_layout *layout = NULL;
  demand(layouts && pl_layouts_define_enum(layouts, &flags, &layout, problem) == 0);
  struct pl_layout_scope scope = {find, &layout};
  struct pl_struct_spec spec = {.name = PL_STRV("Test"),
                                .schema = pl_strv(text, (size_t)(line - text)),
                                .align = 1,
                                .where = ""};
  const struct pl_layout *defined = NULL;
  if (pl_layouts_define(layouts, &spec, &scope, &defined, problem) == 0) {
    struct pl_strv rest = {line + 1, size - (size_t)(line + 1 - text)};
    fuzz_text(defined, rest);
    fuzz_bytes(defined, rest);
  }
  pl_layouts_free(layouts);
  return 0;
}
