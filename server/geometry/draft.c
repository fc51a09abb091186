// From a draft to a layout with names of its own. A part of the module layout (layout.h).
#include <string.h>

#include "geometry/compile.h"

// Names follow the arrays in the block, each with its NUL.
size_t pl_draft_size(const struct pl_draft *draft) {
  const struct pl_layout *layout = &draft->layout;
  size_t size = sizeof *layout + layout->field_count * sizeof *layout->fields +
                layout->member_count * sizeof *layout->members + layout->name.len + 1 +
                strlen(layout->where) + 1;
  for (uint32_t i = 0; i < layout->field_count; i++) size += layout->fields[i].name.len + 1;
  for (uint32_t i = 0; i < layout->member_count; i++) size += layout->members[i].name.len + 1;
  return size;
}

static struct pl_strv place_name(char **at, struct pl_strv name) {
  char *to = *at;
  if (name.len) memcpy(to, name.data, name.len);
  to[name.len] = '\0';
  *at += name.len + 1;
  return pl_strv(to, name.len);
}

struct pl_layout *pl_draft_place(const struct pl_draft *draft, void *block) {
  struct pl_layout *layout = block;
  *layout = draft->layout;
  struct pl_field *fields = (void *)(layout + 1);
  struct pl_enum_member *members = (void *)(fields + layout->field_count);
  char *names = (char *)(members + layout->member_count);
  layout->name = place_name(&names, layout->name);
  layout->where = place_name(&names, pl_strv_of(layout->where)).data;
  for (uint32_t i = 0; i < layout->field_count; i++) {
    fields[i] = draft->layout.fields[i];
    fields[i].name = place_name(&names, fields[i].name);
  }
  for (uint32_t i = 0; i < layout->member_count; i++) {
    members[i] = draft->layout.members[i];
    members[i].name = place_name(&names, members[i].name);
  }
  layout->fields = layout->field_count ? fields : NULL;
  layout->members = layout->member_count ? members : NULL;
  return layout;
}
