// A plan is a list of steps in the order of the target's fields: bytes that are copied, and scalars
// that are loaded and stored. Copies that follow each other on both sides are joined.
#include "geometry/convert.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

struct step {
  const struct pl_layout *to;  // NULL: a copy
  const struct pl_layout *from;
  const struct pl_layout *owner;  // the target's struct, for messages; or NULL
  const struct pl_field *field;   // or NULL
  uint32_t to_offset;
  uint32_t from_offset;
  uint32_t count;  // scalars, or bytes of a copy
};

struct pl_convert {
  _Atomic uint32_t refs;
  struct pl_buf steps;
  size_t count;
  bool is_copy;
};

// What is being planned: a field's type on both sides, or the whole.
struct pair {
  const struct pl_layout *to;
  const struct pl_layout *from;
  uint32_t to_offset;
  uint32_t from_offset;
  uint32_t count;
  const struct pl_layout *owner;
  const struct pl_field *field;
};

static struct step *steps_of(const struct pl_convert *plan) {
  return (struct step *)(void *)pl_buf_view(&plan->steps).data;
}

static int add_step(struct pl_convert *plan, struct step step) {
  struct step *last = plan->count ? steps_of(plan) + plan->count - 1 : NULL;
  if (last && !last->to && !step.to && last->to_offset + last->count == step.to_offset &&
      last->from_offset + last->count == step.from_offset) {
    last->count += step.count;
    return 0;
  }
  int err = pl_buf_append(&plan->steps, &step, sizeof step);
  if (!err) plan->count++;
  return err;
}

// Returns: PL_EINVAL, for `return refuse(...)`.
__attribute__((format(printf, 3, 4))) static int refuse(const struct pair *pair, char *problem,
                                                        const char *format, ...) {
  va_list args;
  int n = 0;
  if (pair->field)
    n = snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "%s.%s: ", pair->owner->name.data,
                 pair->field->name.data);
  va_start(args, format);
  vsnprintf(problem + n, (size_t)(PL_LAYOUT_PROBLEM_MAX - n), format, args);
  va_end(args);
  return PL_EINVAL;
}

static int plan_pair(struct pl_convert *plan, const struct pair *pair, char *problem);

static int plan_field(struct pl_convert *plan, const struct pair *pair,
                      const struct pl_field *field, char *problem) {
  const struct pl_field *source = pl_layout_field(pair->from, field->name);
  struct pair inner = {.to = field->type,
                       .to_offset = pair->to_offset + field->offset,
                       .count = field->count ? field->count : 1,
                       .owner = pair->to,
                       .field = field};
  if (!source) return refuse(&inner, problem, "%s has no such field", pair->from->name.data);
  if (source->count != field->count)
    return refuse(&inner, problem,
                  "%s has an array of another length there (%" PRIu32 ", not %" PRIu32 ")",
                  pair->from->name.data, source->count, field->count);
  inner.from = source->type;
  inner.from_offset = pair->from_offset + source->offset;
  // What a field must be is looked at again for each value.
  if (field->is_finite && !source->is_finite && inner.to == inner.from)
    return add_step(plan, (struct step){inner.to, inner.from, inner.owner, field, inner.to_offset,
                                        inner.from_offset, inner.count});
  return plan_pair(plan, &inner, problem);
}

static int plan_struct(struct pl_convert *plan, const struct pair *pair, char *problem) {
  for (uint32_t i = 0; i < pair->from->field_count; i++) {
    struct pl_strv name = pair->from->fields[i].name;
    if (!pl_layout_field(pair->to, name))
      return refuse(pair, problem, "%s has the field '%s', %s has not", pair->from->name.data,
                    name.data, pair->to->name.data);
  }
  int err = 0;
  for (uint32_t i = 0; !err && i < pair->to->field_count; i++)
    err = plan_field(plan, pair, &pair->to->fields[i], problem);
  return err;
}

static int plan_structs(struct pl_convert *plan, const struct pair *pair, char *problem) {
  int err = 0;
  for (uint32_t i = 0; !err && i < pair->count; i++) {
    struct pair inner = *pair;
    inner.to_offset += i * pair->to->size;
    inner.from_offset += i * pair->from->size;
    err = plan_struct(plan, &inner, problem);
  }
  return err;
}

static int plan_pair(struct pl_convert *plan, const struct pair *pair, char *problem) {
  const struct pl_layout *to = pair->to, *from = pair->from;
  if (to == from)
    return add_step(plan, (struct step){.to_offset = pair->to_offset,
                                        .from_offset = pair->from_offset,
                                        .count = pair->count * to->size});
  if (to->kind == PL_LAYOUT_STRUCT && from->kind == PL_LAYOUT_STRUCT)
    return plan_structs(plan, pair, problem);
  if (to->kind == PL_LAYOUT_STRUCT || from->kind == PL_LAYOUT_STRUCT ||
      (to->scalar == PL_SCALAR_BOOL) != (from->scalar == PL_SCALAR_BOOL))
    return refuse(pair, problem, "%s does not become %s", from->name.data, to->name.data);
  return add_step(plan, (struct step){to, from, pair->owner, pair->field, pair->to_offset,
                                      pair->from_offset, pair->count});
}

int pl_convert_new(const struct pl_layout *to, const struct pl_layout *from,
                   struct pl_convert **plan, char problem[PL_LAYOUT_PROBLEM_MAX]) {
  struct pl_convert *made = pl_mem_zalloc(sizeof *made);
  problem[0] = '\0';
  if (!made) return PL_ENOMEM;
  atomic_init(&made->refs, 1);
  struct pair pair = {.to = to, .from = from, .count = 1};
  int err = plan_pair(made, &pair, problem);
  if (err) {
    pl_convert_unref(made);
    return err;
  }
  made->is_copy = to == from;
  if (to->size == from->size && made->count == 1) {
    const struct step *only = steps_of(made);
    made->is_copy = !only->to && only->count == to->size;
  }
  *plan = made;
  return 0;
}

struct pl_convert *pl_convert_ref(struct pl_convert *plan) {
  atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
  return plan;
}

void pl_convert_unref(struct pl_convert *plan) {
  if (!plan || atomic_fetch_sub_explicit(&plan->refs, 1, memory_order_acq_rel) != 1) return;
  pl_buf_deinit(&plan->steps);
  pl_mem_free(plan);
}

bool pl_convert_is_copy(const struct pl_convert *plan) {
  return plan->is_copy;
}

// What the script's integer stands for where one side has 64 bits without a sign.
static void make_number(const struct step *step, struct pl_value *value) {
  bool from_unsigned = step->from->scalar == PL_SCALAR_U64;
  bool to_unsigned = step->to->scalar == PL_SCALAR_U64;
  if (value->kind != PL_VALUE_INTEGER || value->integer >= 0 || from_unsigned == to_unsigned)
    return;
  int64_t bits = value->integer;
  value->kind = PL_VALUE_DECIMAL;
  value->decimal = from_unsigned ? pl_decimal128_from_unsigned((uint64_t)bits)
                                 : pl_decimal128_from_integer(bits);
}

static int run_step(const struct step *step, char *to, const char *from,
                    struct pl_convert_failure *failure) {
  bool is_finite = step->field && step->field->is_finite;
  for (uint32_t i = 0; i < step->count; i++) {
    struct pl_value value = pl_codec_load(step->from, from + i * step->from->size);
    make_number(step, &value);
    enum pl_codec_problem problem =
        pl_codec_store(step->to, is_finite, to + i * step->to->size, &value);
    if (!problem) continue;
    *failure = (struct pl_convert_failure){
        .problem = problem,
        .owner = step->owner ? step->owner->name : PL_STRV(""),
        .field = step->field ? step->field->name : PL_STRV(""),
        .type = step->to,
        .value = value,
    };
    return PL_EINVAL;
  }
  return 0;
}

int pl_convert_run(const struct pl_convert *plan, void *to, const void *from,
                   struct pl_convert_failure *failure) {
  const struct step *steps = steps_of(plan);
  for (size_t i = 0; i < plan->count; i++) {
    char *target = (char *)to + steps[i].to_offset;
    const char *source = (const char *)from + steps[i].from_offset;
    if (!steps[i].to)
      memcpy(target, source, steps[i].count);
    else if (run_step(&steps[i], target, source, failure) != 0)
      return PL_EINVAL;
  }
  return 0;
}
