// Members are few and looked up seldom (structs/ keeps what it found): searched from the first.
#include "geometry/enum.h"

#include "base/suggest.h"

const struct pl_enum_member *pl_enum_by_value(const struct pl_layout *layout, int64_t value) {
  for (uint32_t i = 0; i < layout->member_count; i++)
    if (layout->members[i].value == value) return &layout->members[i];
  return NULL;
}

const struct pl_enum_member *pl_enum_by_name(const struct pl_layout *layout, struct pl_strv name) {
  for (uint32_t i = 0; i < layout->member_count; i++)
    if (pl_strv_eq(layout->members[i].name, name)) return &layout->members[i];
  return NULL;
}

const struct pl_enum_member *pl_enum_suggest(const struct pl_layout *layout, struct pl_strv name) {
  struct pl_suggest suggest = pl_suggest_for(name);
  for (uint32_t i = 0; i < layout->member_count; i++)
    pl_suggest_offer(&suggest, layout->members[i].name.data);
  return suggest.best ? pl_enum_by_name(layout, pl_strv_of(suggest.best)) : NULL;
}

const struct pl_enum_member *pl_enum_next_flag(const struct pl_layout *layout, int64_t value,
                                               int64_t *rest, uint32_t *next) {
  while (*next < layout->member_count) {
    const struct pl_enum_member *member = &layout->members[(*next)++];
    if ((member->value & value) != member->value || !(member->value & *rest)) continue;
    *rest &= ~member->value;
    return member;
  }
  return NULL;
}
