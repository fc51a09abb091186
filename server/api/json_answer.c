// What is written meanwhile is the work's own: the worker's shared buffers serve other answers.
#include "api/json_answer.h"

#include <lauxlib.h>

#include "api/call.h"
#include "base/error.h"
#include "geometry/json_form.h"
#include "http/exchange.h"
#include "structs/box.h"
#include "structs/offload.h"
#include "structs/operand.h"

enum {
  LONG_BYTES = 32 * 1024,
  BYTES_PER_MS = 16 * 1024  // of structs, not of text
};

struct json_work {
  struct pl_work work;  // first: pl_offload copies the whole
  struct pl_span span;
  struct pl_response head;
  struct pl_buf text;
  int err;
};

bool pl_json_answer_is_long(const struct pl_operand *operand) {
  return operand->is_array && operand->box &&
         operand->span.count * operand->span.layout->size > LONG_BYTES;
}

static void write_some(struct pl_work *work, size_t first, size_t count) {
  struct json_work *w = (struct json_work *)work;
  if (!w->err) w->err = pl_buf_append(&w->text, first ? "," : "[", 1);
  if (!w->err) w->err = pl_json_form_write_elements(&w->text, &w->span, first, count);
}

static void drop(struct pl_work *work) {
  pl_buf_deinit(&((struct json_work *)work)->text);
}

static int send_text(lua_State *L, struct pl_work *work) {
  struct json_work *w = (struct json_work *)work;
  struct pl_exchange *x = pl_call_current(L)->x;
  int err = w->err ? w->err : pl_buf_append(&w->text, "]", 1);
  w->head.body = pl_buf_view(&w->text);
  if (!err) err = x->ops->respond(x, &w->head);
  drop(work);
  return err == PL_ENOMEM ? luaL_error(L, "not enough memory") : 0;
}

static bool copy_text(const struct pl_call *call, struct pl_strv *text) {
  if (text->len) text->data = pl_arena_copy(&call->x->arena, *text);
  return text->data || !text->len;
}

int pl_json_answer_send(lua_State *L, const struct pl_call *call, const struct pl_operand *operand,
                        const struct pl_response *head) {
  struct json_work w = {.work = {.name = "the answer's JSON",
                                 .size = sizeof w,
                                 .count = operand->span.count,
                                 .rate = BYTES_PER_MS / operand->span.layout->size,
                                 .bytes = {operand->box->bytes},
                                 .run = write_some,
                                 .drop = drop,
                                 .finish = send_text},
                        .span = operand->span,
                        .head = *head};
  if (!copy_text(call, &w.head.headers) || !copy_text(call, &w.head.content_type))
    return luaL_error(L, "not enough memory");
  return pl_offload(L, &w.work);
}
