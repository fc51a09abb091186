// All ops of all types: their signatures and texts, any alignment, results over operands, inputs
// that have no good answer. What they compute is in the tests of each concern.
#include "op_call.h"

#include <math.h>
#include <stdio.h>

struct visit {
  const struct pl_op *op;
  struct op_shape shape;
  char what[128];
};

typedef void visitor(const struct visit *visit);

static void visit_table(const struct pl_op *op, int owner, visitor *see) {
  for (; op->name; op++) {
    struct visit visit = {.op = op, .shape = op_shape_of(op->signature)};
    snprintf(visit.what, sizeof visit.what, "%s.%s (%s)", op_types[owner].name, op->name,
             op->signature);
    see(&visit);
  }
}

static void visit_all(visitor *see) {
  for (int type = 1; type < PL_BUILTIN_COUNT; type++) {
    visit_table(pl_ops_of((enum pl_builtin)type), type, see);
  }
  visit_table(pl_number_ops(), PL_BUILTIN_NONE, see);
}

#define CHECK(holds, visit, ...)          \
  do {                                    \
    if (!(holds)) {                       \
      print_error("%s: ", (visit)->what); \
      fail_msg(__VA_ARGS__);              \
    }                                     \
  } while (0)

static void check_row(const struct visit *visit) {
  const struct op_shape *shape = &visit->shape;
  CHECK(shape->in_count <= PL_OP_OPERANDS_MAX, visit, "too many operands");
  CHECK(shape->out_count >= 1 && shape->out_count <= PL_OP_RESULTS_MAX, visit, "results");
  const char *doc = visit->op->doc;
  CHECK(doc && doc[0] && doc[strlen(doc) - 1] == '.', visit, "no sentence");
  for (int i = 0; i < shape->in_count; i++) {
    CHECK(!shape->in[i].is_bool, visit, "a bool as operand");
  }
}

static void every_row_has_a_signature_and_a_sentence(void **state) {
  (void)state;
  visit_all(check_row);
}

static void every_row_belongs_to_its_table(void **state) {
  (void)state;
  for (int type = 1; type < PL_BUILTIN_COUNT; type++) {
    const struct pl_op *ops = pl_ops_of((enum pl_builtin)type);
    for (const struct pl_op *op = ops; op->name; op++) {
      if (op_shape_of(op->signature).owner != type) fail_msg("%s: %s", op->name, op->signature);
      for (const struct pl_op *other = ops; other != op; other++) {
        if (!strcmp(op->name, other->name) && !strcmp(op->signature, other->signature)) {
          fail_msg("twice: %s %s", op->name, op->signature);
        }
      }
    }
  }
}

// A call's operands and results, each in a buffer of exactly its own size (ASan).
struct call {
  char *in_block[OP_WORDS_MAX], *out_block[OP_WORDS_MAX];
  union pl_slot in[OP_WORDS_MAX], out[OP_WORDS_MAX];
};

static double ordinary(uint64_t *seed, int type) {
  switch (type ? op_kind(type) : 'f') {
  case 'u':
    return floor(op_random(seed, 0, 9));
  case 'b':
    return floor(op_random(seed, 0, 256));
  case 'i':
    return floor(op_random(seed, -9, 9));
  default:
    return op_random(seed, -2, 2);
  }
}

static void call_make(struct call *call, const struct op_shape *shape, uint64_t seed,
                      size_t offset) {
  for (int i = 0; i < shape->in_count; i++) {
    const int type = shape->in[i].type;
    const size_t at = (offset + 5 * (size_t)i) % 64;
    double lanes[OP_LANES_MAX] = {0};
    for (size_t k = 0; k < (type ? op_lanes(type) : 1); k++) lanes[k] = ordinary(&seed, type);
    call->in_block[i] = malloc(at + op_types[type].bytes + 1);
    call->in[i].number = lanes[0];
    if (!type) continue;
    call->in[i].at = call->in_block[i] + at;
    op_pack(type, call->in[i].at, lanes);
  }
  for (int i = 0; i < shape->out_count; i++) {
    const int type = shape->out[i].type;
    const size_t at = (offset * 3 + (size_t)i) % 64;
    call->out_block[i] = malloc(at + op_types[type].bytes + (type == 0));
    call->out[i].at = call->out_block[i] + at;
  }
}

static void call_free(struct call *call, const struct op_shape *shape) {
  for (int i = 0; i < shape->in_count; i++) free(call->in_block[i]);
  for (int i = 0; i < shape->out_count; i++) free(call->out_block[i]);
}

static void check_same(const struct visit *visit, const struct call *a, const struct call *b,
                       const char *when) {
  for (int i = 0; i < visit->shape.out_count; i++) {
    const int type = visit->shape.out[i].type;
    const bool is_same = type ? !memcmp(a->out[i].at, b->out[i].at, op_types[type].bytes)
                              : !memcmp(&a->out[i].number, &b->out[i].number, sizeof(double));
    CHECK(is_same, visit, "result %d differs %s", i + 1, when);
  }
}

static void check_offsets(const struct visit *visit) {
  struct call plain;
  call_make(&plain, &visit->shape, 77, 0);
  visit->op->run(plain.out, plain.in);
  for (size_t offset = 1; offset < 64; offset++) {
    struct call moved;
    call_make(&moved, &visit->shape, 77, offset);
    visit->op->run(moved.out, moved.in);
    check_same(visit, &plain, &moved, "at another offset");
    call_free(&moved, &visit->shape);
  }
  call_free(&plain, &visit->shape);
}

static void every_op_gives_the_same_bytes_at_every_offset(void **state) {
  (void)state;
  visit_all(check_offsets);
}

// Result i begins `shift` bytes after the beginning of operand k, or before it.
static void check_overlap(const struct visit *visit, int i, int k, int shift) {
  struct call apart, over;
  call_make(&apart, &visit->shape, 99, 0);
  call_make(&over, &visit->shape, 99, 0);
  visit->op->run(apart.out, apart.in);
  char buffer[3 * OP_BYTES_MAX];
  memcpy(buffer + OP_BYTES_MAX, over.in[k].at, op_types[visit->shape.in[k].type].bytes);
  over.in[k].at = buffer + OP_BYTES_MAX;
  over.out[i].at = buffer + OP_BYTES_MAX + shift;
  visit->op->run(over.out, over.in);
  check_same(visit, &apart, &over, "over an operand");
  call_free(&apart, &visit->shape);
  call_free(&over, &visit->shape);
}

static void check_overlaps(const struct visit *visit) {
  for (int i = 0; i < visit->shape.out_count; i++) {
    for (int k = 0; k < visit->shape.in_count; k++) {
      const int to = visit->shape.out[i].type, from = visit->shape.in[k].type;
      if (!to || !from) continue;
      for (int shift = 1 - (int)op_types[to].bytes; shift < (int)op_types[from].bytes; shift++) {
        check_overlap(visit, i, k, shift);
      }
    }
  }
}

static void a_result_may_lie_over_any_operand(void **state) {
  (void)state;
  visit_all(check_overlaps);
}

static const double odd[] = {0,
                             -0.0,
                             1,
                             -1,
                             1e-45,
                             -1e-45,
                             1e-6,
                             3.4e38,
                             -3.4e38,
                             2147483647.0,
                             -2147483648.0,
                             4294967295.0,
                             1e300,
                             -1e300,
                             (double)INFINITY,
                             -(double)INFINITY,
                             (double)NAN};
enum { ODD = sizeof odd / sizeof *odd };

static double odd_for(int type, size_t pick) {
  const double x = odd[pick % ODD];
  switch (type ? op_kind(type) : 'd') {
  case 'f':
    return fabs(x) > 3.4e38 && isfinite(x) ? copysign(3.4e38, x) : x;
  case 'i':
    return x >= -2147483648.0 && x <= 2147483647.0 ? trunc(x) : 7;
  case 'u':
    return x >= 0 && x <= 4294967295.0 ? trunc(x) : 7;
  case 'b':
    return x >= 0 && x <= 255 ? trunc(x) : 7;
  default:
    return x;
  }
}

static void call_fill(struct call *call, const struct op_shape *shape, size_t pick, size_t step) {
  for (int i = 0; i < shape->in_count; i++) {
    const int type = shape->in[i].type;
    double lanes[OP_LANES_MAX];
    for (size_t k = 0; k < (type ? op_lanes(type) : 1); k++) {
      lanes[k] = odd_for(type, pick);
      pick += step;
    }
    if (type) op_pack(type, call->in[i].at, lanes);
    if (!type) call->in[i].number = lanes[0];
  }
}

// UBSan watches; a bool stays one whatever comes in.
static void check_odd(const struct visit *visit) {
  struct call call;
  call_make(&call, &visit->shape, 5, 3);
  for (size_t pick = 0; pick < ODD; pick++) {
    for (size_t step = 0; step < ODD; step++) {
      call_fill(&call, &visit->shape, pick, step);
      union pl_slot out[OP_WORDS_MAX];
      memcpy(out, call.out, sizeof out);
      visit->op->run(out, call.in);
      for (int i = 0; i < visit->shape.out_count; i++) {
        const double x = visit->shape.out[i].is_bool ? out[i].number : 0;
        CHECK(x == 0 || x == 1, visit, "a bool is %g", x);
      }
    }
  }
  call_free(&call, &visit->shape);
}

static void no_input_traps(void **state) {
  (void)state;
  visit_all(check_odd);
}

// What divides by zero as f32 does, or has an infinity as its answer.
static bool may_be_infinite(const struct visit *visit) {
  static const char *const names[] = {"div",   "perspective", "frustum",
                                      "ortho", "raycast",     "intersect_ray"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!strcmp(visit->op->name, names[i])) return true;
  }
  return false;
}

static void check_zeros(const struct visit *visit) {
  if (may_be_infinite(visit)) return;
  struct call call;
  call_make(&call, &visit->shape, 5, 0);
  for (size_t pick = 0; pick < 2; pick++) {  // zeros, and minus zeros
    call_fill(&call, &visit->shape, pick, 0);
    union pl_slot out[OP_WORDS_MAX];
    memcpy(out, call.out, sizeof out);
    visit->op->run(out, call.in);
    for (int i = 0; i < visit->shape.out_count; i++) {
      const int type = visit->shape.out[i].type;
      for (size_t k = 0; k < (type ? op_lanes(type) : 1); k++) {
        const double x = type ? op_lane(type, out[i].at, k) : out[i].number;
        CHECK(isfinite(x), visit, "of zeros: %g", x);
      }
    }
  }
  call_free(&call, &visit->shape);
}

static void zeros_give_finite_results(void **state) {
  (void)state;
  visit_all(check_zeros);
}

static void constants_are_what_their_names_say(void **state) {
  (void)state;
  for (int type = 1; type < PL_BUILTIN_COUNT; type++) {
    for (const struct pl_constant *c = pl_constants_of((enum pl_builtin)type); c->name; c++) {
      char *block = malloc(op_types[type].bytes + 1);
      c->run(&(union pl_slot){.at = block + 1}, NULL);
      for (size_t k = 0; k < op_lanes(type); k++) {
        const double x = op_lane(type, block + 1, k);
        if (!strcmp(c->name, "zero")) assert_true(x == 0);
        if (!strcmp(c->name, "one")) assert_true(x == 1);
        if (!strcmp(c->name, "up")) assert_true(x == (k == 1));
        if (!strcmp(c->name, "down")) assert_true(x == (k == 1 ? -1 : 0));
        if (!strcmp(c->name, "right")) assert_true(x == (k == 0));
        if (!strcmp(c->name, "left")) assert_true(x == (k == 0 ? -1 : 0));
        if (!strcmp(c->name, "forward")) assert_true(x == (k == 2));
        if (!strcmp(c->name, "back")) assert_true(x == (k == 2 ? -1 : 0));
        if (!strcmp(c->name, "empty")) assert_true(isinf(x));
      }
      free(block);
    }
  }
}

static void no_type_means_no_ops(void **state) {
  (void)state;
  assert_null(pl_ops_of(PL_BUILTIN_NONE)->name);
  assert_null(pl_constants_of(PL_BUILTIN_NONE)->name);
}

int main(void) {
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2")) {
    print_message("skipped: this CPU has no AVX2\n");
    return 0;
  }
#endif
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_has_a_signature_and_a_sentence),
      cmocka_unit_test(every_row_belongs_to_its_table),
      cmocka_unit_test(every_op_gives_the_same_bytes_at_every_offset),
      cmocka_unit_test(a_result_may_lie_over_any_operand),
      cmocka_unit_test(no_input_traps),
      cmocka_unit_test(zeros_give_finite_results),
      cmocka_unit_test(constants_are_what_their_names_say),
      cmocka_unit_test(no_type_means_no_ops),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
