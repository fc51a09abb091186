// Which vector a swizzle makes: one of the same kind of number, as long as there are letters.
#include "structs/swizzle.h"

struct family {
  enum pl_builtin type;
  enum pl_builtin result[PL_SWIZZLE_MAX + 1];  // by count
};

#define VECTORS(x) \
  { PL_BUILTIN_NONE, PL_BUILTIN_NONE, x##2, x##3, x##4 }

static const struct family families[] = {
    {PL_BUILTIN_vec2, VECTORS(PL_BUILTIN_vec)},
    {PL_BUILTIN_vec3, VECTORS(PL_BUILTIN_vec)},
    {PL_BUILTIN_vec4, VECTORS(PL_BUILTIN_vec)},
    {PL_BUILTIN_quat, VECTORS(PL_BUILTIN_vec)},
    {PL_BUILTIN_ivec2, VECTORS(PL_BUILTIN_ivec)},
    {PL_BUILTIN_ivec3, VECTORS(PL_BUILTIN_ivec)},
    {PL_BUILTIN_ivec4, VECTORS(PL_BUILTIN_ivec)},
    {PL_BUILTIN_uvec2, VECTORS(PL_BUILTIN_uvec)},
    {PL_BUILTIN_uvec3, VECTORS(PL_BUILTIN_uvec)},
    {PL_BUILTIN_uvec4, VECTORS(PL_BUILTIN_uvec)},
    {PL_BUILTIN_dvec2, VECTORS(PL_BUILTIN_dvec)},
    {PL_BUILTIN_dvec3, VECTORS(PL_BUILTIN_dvec)},
    {PL_BUILTIN_dvec4, VECTORS(PL_BUILTIN_dvec)},
    {PL_BUILTIN_dquat, VECTORS(PL_BUILTIN_dvec)},
    {PL_BUILTIN_color,
     {PL_BUILTIN_NONE, PL_BUILTIN_NONE, PL_BUILTIN_vec2, PL_BUILTIN_vec3, PL_BUILTIN_color}},
};

static const struct family *find_family(const struct pl_layout *layout) {
  for (size_t i = 0; i < PL_ARRAY_LEN(families); i++)
    if (families[i].type == (enum pl_builtin)layout->builtin) return &families[i];
  return NULL;
}

// The place of the field with that one letter, or the number of fields.
static unsigned find_letter(const struct pl_layout *layout, char letter) {
  unsigned i = 0;
  while (i < layout->field_count && layout->fields[i].name.data[0] != letter) i++;
  return i;
}

bool pl_swizzle_read(const struct pl_layout *layout, struct pl_strv name,
                     struct pl_swizzle *swizzle) {
  if (name.len < 2 || name.len > PL_SWIZZLE_MAX || !find_family(layout)) return false;
  swizzle->count = (unsigned)name.len;
  for (size_t i = 0; i < name.len; i++) {
    swizzle->component[i] = find_letter(layout, name.data[i]);
    if (swizzle->component[i] == layout->field_count) return false;
  }
  return true;
}

const struct pl_layout *pl_swizzle_result(const struct pl_layout *layout, unsigned count) {
  return pl_layout_builtin(find_family(layout)->result[count]);
}

int64_t pl_swizzle_pack(const struct pl_swizzle *swizzle) {
  int64_t packed = swizzle->count;
  for (unsigned i = 0; i < swizzle->count; i++)
    packed |= (int64_t)swizzle->component[i] << (4 + 2 * i);
  return packed;
}

struct pl_swizzle pl_swizzle_unpack(int64_t packed) {
  struct pl_swizzle swizzle = {.count = (unsigned)packed & 15};
  for (unsigned i = 0; i < swizzle.count; i++)
    swizzle.component[i] = (unsigned)(packed >> (4 + 2 * i)) & 3;
  return swizzle;
}
