// "vec3 vec3 [n] > vec3", "quat: n vec3 > quat": words, with ">" before the results.
#include "structs/signature.h"

#include "base/error.h"
#include "base/strv.h"

static struct pl_strv next_word(const char **at) {
  while (**at == ' ') ++*at;
  const char *begin = *at;
  while (**at && **at != ' ') ++*at;
  return pl_strv(begin, (size_t)(*at - begin));
}

static int parse_slot(struct pl_strv word, struct pl_slot_type *slot) {
  *slot = (struct pl_slot_type){.kind = PL_SLOT_NUMBER};
  if (pl_strv_eq(word, PL_STRV("n"))) return 0;
  slot->kind = PL_SLOT_BOOL;
  if (pl_strv_eq(word, PL_STRV("bool"))) return 0;
  slot->kind = PL_SLOT_STRUCT;
  slot->layout = pl_layout_find_builtin(word);
  return slot->layout ? 0 : PL_ESYNTAX;
}

static int add_operand(struct pl_signature *s, struct pl_strv word) {
  bool is_optional = word.len > 2 && word.data[0] == '[' && word.data[word.len - 1] == ']';
  if (is_optional) word = pl_strv(word.data + 1, word.len - 2);
  if (s->operand_count == PL_OP_OPERANDS_MAX) return PL_ESYNTAX;
  if (!is_optional) s->required = (uint8_t)(s->operand_count + 1);
  return parse_slot(word, &s->operands[s->operand_count++]);
}

static int add_result(struct pl_signature *s, struct pl_strv word) {
  if (s->result_count == PL_OP_RESULTS_MAX) return PL_ESYNTAX;
  struct pl_slot_type *slot = &s->results[s->result_count++];
  int rc = parse_slot(word, slot);
  s->struct_results += slot->kind == PL_SLOT_STRUCT;
  return rc;
}

int pl_signature_parse(const char *text, struct pl_signature *signature) {
  struct pl_signature s = {0};
  bool is_result = false;
  for (;;) {
    struct pl_strv word = next_word(&text);
    if (!word.len) break;
    if (word.data[word.len - 1] == ':') continue;  // the type that the function belongs to
    int rc = 0;
    if (pl_strv_eq(word, PL_STRV(">")))
      is_result = true;
    else
      rc = is_result ? add_result(&s, word) : add_operand(&s, word);
    if (rc) return rc;
  }
  if (!is_result) return PL_ESYNTAX;
  *signature = s;
  return 0;
}
