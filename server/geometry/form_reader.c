// From JSON tokens to packed bytes, in one pass: the layout says what must come next. The way to
// the value at hand is a chain of places on the stack, put into words only when something is wrong.
#include "geometry/form_reader.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"
#include "geometry/json_form.h"
#include "geometry/json_scalar.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
  // A struct and an array of it in each level, the list around all, the list of flags within.
  DEPTH_MAX = 2 * PL_STRUCT_NESTING_MAX + 4,
  PATH_MAX_BYTES = 240,
  CAP_FIRST = 4096
};

struct place {
  const struct place *outer;  // NULL: the whole text
  struct pl_strv field;       // or, with no data, an element
  size_t element;             // from 1
};

struct reader {
  struct pl_json_reader json;
  struct pl_buf scratch;
  struct pl_json_item item;  // the last token
  char *problem;
};

// ---- what is wrong

static void write_path(const struct place *place, char *out, size_t size) {
  if (!place || !place->outer) {
    snprintf(out, size, "$");
    return;
  }
  write_path(place->outer, out, size);
  size_t len = strlen(out);
  if (place->field.data) {
    snprintf(out + len, size - len, ".%.*s", (int)place->field.len, place->field.data);
  } else {
    snprintf(out + len, size - len, "[%zu]", place->element);
  }
}

// At the last token. Returns: PL_EINVAL.
static PL_COLD int refuse(struct reader *r, const struct place *place, const char *format, ...)
    PL_PRINTF(3, 4);
static PL_COLD int refuse(struct reader *r, const struct place *place, const char *format, ...) {
  char where[PL_JSON_MESSAGE_BYTES], path[PATH_MAX_BYTES];
  r->json.error_at = r->item.text.data;
  r->json.reason = "";
  pl_json_explain(&r->json, where);
  write_path(place, path, sizeof path);
  size_t len = (size_t)snprintf(r->problem, PL_FORM_PROBLEM_MAX, "%s%s: ", where, path);
  va_list args;
  va_start(args, format);
  vsnprintf(r->problem + len, PL_FORM_PROBLEM_MAX - len, format, args);
  va_end(args);
  return PL_EINVAL;
}

// ---- tokens

static bool is_between_tokens(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ':';
}

static int next_item(struct reader *r) {
  const char *from = r->json.next;
  r->item.type = pl_json_next(&r->json, &r->item.token);
  if (PL_UNLIKELY(r->item.type < 0)) {
    if (r->item.type != PL_ENOMEM) pl_json_explain(&r->json, r->problem);
    return r->item.type;
  }
  while (from < r->json.next && is_between_tokens(*from)) from++;
  r->item.text = pl_strv(from, (size_t)(r->json.next - from));
  return 0;
}

// ---- values; the value's first token is the last one read

static int read_value(struct reader *r, const struct place *place, const struct pl_layout *layout,
                      char *at);

static int read_scalar(struct reader *r, const struct place *place, const struct pl_layout *layout,
                       char *at) {
  char problem[PL_JSON_SCALAR_PROBLEM_MAX];
  int err = pl_json_scalar_read(&r->item, layout, at, problem);
  return err ? refuse(r, place, "%s", problem) : 0;
}

// A list of exactly `count` values.
static int read_list(struct reader *r, const struct place *place, const struct pl_layout *layout,
                     uint32_t count, uint32_t stride, char *at) {
  for (uint32_t i = 0;; i++) {
    int err = next_item(r);
    if (err) return err;
    bool is_end = r->item.type == PL_JSON_ARRAY_END;
    if (is_end && i == count) return 0;
    if (is_end || i == count)
      return refuse(r, place, "has %s%u values of %s instead of %u", is_end ? "" : "more than ", i,
                    layout->name.data, count);
    struct place element = {place, {NULL, 0}, i + 1};
    err = read_value(r, &element, layout, at + (size_t)i * stride);
    if (err) return err;
  }
}

static int read_flags(struct reader *r, const struct place *place, const struct pl_layout *layout,
                      char *at) {
  for (size_t i = 1;; i++) {
    int err = next_item(r);
    if (err || r->item.type == PL_JSON_ARRAY_END) return err;
    struct place element = {place, {NULL, 0}, i};
    char bits[sizeof(uint64_t)];
    err = read_scalar(r, &element, layout, bits);
    if (err) return err;
    for (uint32_t k = 0; k < layout->size; k++) at[k] = (char)(at[k] | bits[k]);
  }
}

static int read_field(struct reader *r, const struct place *outer, const struct pl_field *field,
                      char *at) {
  struct place place = {outer, field->name, 0};
  at += field->offset;
  if (!field->count) return read_value(r, &place, field->type, at);
  if (r->item.type == PL_JSON_ARRAY_BEGIN)
    return read_list(r, &place, field->type, field->count, field->type->size, at);
  char found[PL_JSON_DESCRIBE_MAX];
  return refuse(r, &place, "must be a list of %u values of %s, not %s", field->count,
                field->type->name.data, pl_json_describe(&r->item, found));
}

static PL_COLD int refuse_key(struct reader *r, const struct place *place,
                              const struct pl_layout *layout) {
  char found[PL_JSON_DESCRIBE_MAX], name[PL_LAYOUT_NAME_MAX + 1], best[PL_LAYOUT_NAME_MAX + 1];
  struct pl_suggest suggest = pl_suggest_for(r->item.token.string);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    struct pl_strv field = layout->fields[i].name;
    snprintf(name, sizeof name, "%.*s", (int)field.len, field.data);
    pl_suggest_offer(&suggest, name);
    if (suggest.best == name) suggest.best = strcpy(best, name);
  }
  return refuse(r, place, "%s has no field %s%s%s%s", layout->name.data,
                pl_json_describe(&r->item, found), suggest.best ? " (did you mean \"" : "",
                suggest.best ? suggest.best : "", suggest.best ? "\"?)" : "");
}

// The field of the key at hand; the one behind the last is the usual one.
static const struct pl_field *find_field(const struct pl_layout *layout, uint32_t likely,
                                         struct pl_strv key) {
  if (likely < layout->field_count && pl_strv_eq(layout->fields[likely].name, key))
    return &layout->fields[likely];
  return pl_layout_field(layout, key);
}

static PL_COLD int refuse_missing(struct reader *r, const struct place *place,
                                  const struct pl_layout *layout, const uint64_t *seen) {
  uint32_t i = 0;
  while (seen[i / 64] >> (i % 64) & 1) i++;
  struct pl_strv name = layout->fields[i].name;
  return refuse(r, place, "%s lacks its field \"%.*s\"", layout->name.data, (int)name.len,
                name.data);
}

static int read_object(struct reader *r, const struct place *place, const struct pl_layout *layout,
                       char *at) {
  uint64_t seen[(PL_STRUCT_FIELDS_MAX + 63) / 64] = {0};
  uint32_t count = 0, likely = 0;
  for (;;) {
    int err = next_item(r);
    if (err) return err;
    if (r->item.type == PL_JSON_OBJECT_END) break;
    const struct pl_field *field = find_field(layout, likely, r->item.token.string);
    if (!field) return refuse_key(r, place, layout);
    uint32_t index = (uint32_t)(field - layout->fields);
    uint64_t bit = (uint64_t)1 << (index % 64);
    if (seen[index / 64] & bit)
      return refuse(r, place, "the key \"%.*s\" occurs twice", (int)field->name.len,
                    field->name.data);
    seen[index / 64] |= bit;
    likely = index + 1;
    count++;
    err = next_item(r);
    if (!err) err = read_field(r, place, field, at);
    if (err) return err;
  }
  return count == layout->field_count ? 0 : refuse_missing(r, place, layout, seen);
}

// The fields in their order, all of them.
static int read_positional(struct reader *r, const struct place *place,
                           const struct pl_layout *layout, char *at) {
  for (uint32_t i = 0;; i++) {
    int err = next_item(r);
    if (err) return err;
    bool is_end = r->item.type == PL_JSON_ARRAY_END;
    if (is_end && i == layout->field_count) return 0;
    if (is_end || i == layout->field_count)
      return refuse(r, place, "has %s%u values instead of the %u fields of %s",
                    is_end ? "" : "more than ", i, layout->field_count, layout->name.data);
    err = read_field(r, place, &layout->fields[i], at);
    if (err) return err;
  }
}

static int read_struct(struct reader *r, const struct place *place, const struct pl_layout *layout,
                       char *at) {
  bool is_flat = pl_json_form_is_flat(layout);
  if (r->item.type == PL_JSON_OBJECT_BEGIN) return read_object(r, place, layout, at);
  if (r->item.type == PL_JSON_ARRAY_BEGIN && is_flat)
    return read_list(r, place, pl_layout_scalar(layout->part), layout->part_count,
                     pl_scalar_size(layout->part), at);
  if (r->item.type == PL_JSON_ARRAY_BEGIN) return read_positional(r, place, layout, at);
  char found[PL_JSON_DESCRIBE_MAX];
  return refuse(r, place, "%s must be an object or a list of its %u %s, not %s", layout->name.data,
                is_flat ? layout->part_count : layout->field_count, is_flat ? "numbers" : "fields",
                pl_json_describe(&r->item, found));
}

static int read_value(struct reader *r, const struct place *place, const struct pl_layout *layout,
                      char *at) {
  if (layout->kind == PL_LAYOUT_STRUCT) return read_struct(r, place, layout, at);
  if (layout->is_flags && r->item.type == PL_JSON_ARRAY_BEGIN)
    return read_flags(r, place, layout, at);
  return read_scalar(r, place, layout, at);
}

// ---- whole texts

static void open_reader(struct reader *r, struct pl_strv text, char *problem) {
  *r = (struct reader){.problem = problem};
  problem[0] = '\0';
  pl_json_reader_init(&r->json, text, DEPTH_MAX, &r->scratch);
}

// Nothing may follow the value.
static int close_reader(struct reader *r, int err) {
  if (!err) err = next_item(r);
  pl_buf_deinit(&r->scratch);
  return err;
}

int pl_form_read(struct pl_strv text, const struct pl_layout *layout, char *at,
                 char problem[PL_FORM_PROBLEM_MAX]) {
  const struct place whole = {0};
  struct reader r;
  open_reader(&r, text, problem);
  memset(at, 0, layout->size);
  int err = next_item(&r);
  if (!err) err = read_value(&r, &whole, layout, at);
  return close_reader(&r, err);
}

// Room for one more element, zeroed. The bytes grow by doubling, up to the limit.
static int grow(struct reader *r, const struct place *place, const struct pl_layout *layout,
                size_t bytes_max, struct pl_bytes *bytes) {
  if (layout->size > bytes_max - bytes->size) {
    refuse(r, place, "these are more than %zu bytes of %s", bytes_max, layout->name.data);
    return PL_EMEMORY;
  }
  if (bytes->cap - bytes->size < layout->size) {
    size_t cap = bytes->cap < bytes_max / 2 ? bytes->cap * 2 : bytes_max;
    if (cap - bytes->size < layout->size) cap = bytes->size + layout->size;
    int err = pl_bytes_reserve(bytes, cap);
    if (err) return err;
  }
  memset(bytes->data + bytes->size, 0, layout->size);
  return 0;
}

static int read_elements(struct reader *r, const struct pl_layout *layout, size_t bytes_max,
                         struct pl_bytes *bytes) {
  const struct place whole = {0};
  if (r->item.type != PL_JSON_ARRAY_BEGIN) {
    char found[PL_JSON_DESCRIBE_MAX];
    return refuse(r, &whole, "must be a list of values of %s, not %s", layout->name.data,
                  pl_json_describe(&r->item, found));
  }
  for (size_t i = 1;; i++) {
    struct place element = {&whole, {NULL, 0}, i};
    int err = next_item(r);
    if (err || r->item.type == PL_JSON_ARRAY_END) return err;
    err = grow(r, &element, layout, bytes_max, bytes);
    if (!err) err = read_value(r, &element, layout, bytes->data + bytes->size);
    if (err) return err;
    pl_bytes_grew(bytes, layout->size);
  }
}

int pl_form_read_array(struct pl_strv text, const struct pl_layout *layout, size_t bytes_max,
                       struct pl_bytes **out, char problem[PL_FORM_PROBLEM_MAX]) {
  struct pl_bytes *bytes = pl_bytes_new_empty(bytes_max < CAP_FIRST ? bytes_max : CAP_FIRST);
  if (!bytes) return PL_ENOMEM;
  struct reader r;
  open_reader(&r, text, problem);
  int err = next_item(&r);
  if (!err) err = read_elements(&r, layout, bytes_max, bytes);
  err = close_reader(&r, err);
  if (err) {
    pl_bytes_unref(bytes);
  } else {
    *out = bytes;
  }
  return err;
}
