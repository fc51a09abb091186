// Patterns: any pattern on any subject gives what stock Lua gives, or raises the same error. The
// input is one byte for the operation, one for its number (0: none), one for the subject's length,
// one for the replacement's; then these, then the pattern.
#include <stdint.h>

#include "../unit/runtime/both_states.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 4 };

// The next n bytes, or what is left of them.
static const char *take(const char **p, const char *end, size_t n, size_t *len) {
  const char *begin = *p;
  size_t left = (size_t)(end - begin);
  *len = n < left ? n : left;
  *p = begin + *len;
  return begin;
}

static void fail_with(struct both *b, const struct both_pattern_case *c) {
  fprintf(stderr, "operation %d, number %d, kind %d\n", c->operation, c->number, c->kind);
  both_print(stderr, "ours", b->vm.L);
  both_print(stderr, "stock", b->stock);
  abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct both b;
  if (!b.stock) both_open(&b, both_pattern_chunk);
  if (size < HEADER) return 0;
  const char *p = (const char *)data + HEADER;
  const char *end = (const char *)data + size;
  struct both_pattern_case c = {.operation = data[0] % 4, .kind = data[0] / 4 % 4};
  c.has_number = data[1] != 0;
  c.number = (int8_t)data[1];
  c.subject = take(&p, end, data[2] % 64, &c.subject_len);
  c.text = take(&p, end, data[3] % 16, &c.text_len);
  c.pattern = take(&p, end, SIZE_MAX, &c.pattern_len);
  if (!both_call(&b, both_push_pattern_case, &c)) fail_with(&b, &c);
  return 0;
}
