// Which request a script's log line belongs to: its id, route and task are added to the fields.
#include "api/api_log_context.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/api.h"
#include "api/call.h"

static void add_text(struct pl_log_field *fields, size_t *count, struct pl_strv name,
                     struct pl_strv value) {
  fields[(*count)++] =
      (struct pl_log_field){.name = name, .kind = PL_LOG_STRING, .value.string = value};
}

static struct pl_strv format_id(lua_State *L, uint64_t id) {
  struct pl_api_context *context = pl_api_context(L);
  int len = snprintf(context->task_text, sizeof context->task_text, "%" PRIu64, id);
  return pl_strv(context->task_text, (size_t)len);
}

void pl_api_log_context(lua_State *L, struct pl_log_field *fields, size_t *count) {
  *count = 0;
  const struct pl_task *task = pl_task_current(L);
  const struct pl_call *call = task ? task->owner : NULL;
  if (call) add_text(fields, count, PL_STRV("request_id"), call->x->id);
  if (call && call->route)
    add_text(fields, count, PL_STRV("route"), pl_strv_of(call->route->pattern));
  // As text: an id has 63 bits, more than a number of JSON's readers can hold.
  if (task) add_text(fields, count, PL_STRV("task"), format_id(L, task->id));
}
