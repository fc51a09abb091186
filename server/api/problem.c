// Answers that need no Lua: they must work when its memory is short.
#include "api/problem.h"

#include "api/call.h"
#include "base/error.h"
#include "http/accept.h"
#include "http/response.h"

static const struct pl_strv html_type = PL_STRV("text/html; charset=utf-8");
static const struct pl_strv problem_type = PL_STRV("application/problem+json");

void pl_api_send_problem(struct pl_call *call, int status, const char *detail, const char *header) {
  struct pl_buf body = {0};
  bool as_html = pl_accept_prefers_html(&call->x->request.headers);
  struct pl_strv why = pl_strv_of(detail ? detail : "");
  struct pl_response r = {.status = status,
                          .content_type = as_html ? html_type : problem_type,
                          .headers = pl_strv_of(header ? header : "")};
  int error = pl_problem_write(&body, status, why, call->x->id, as_html);
  r.body = pl_buf_view(&body);
  if (error || call->x->ops->respond(call->x, &r) == PL_ENOMEM) call->x->ops->cut(call->x);
  pl_buf_deinit(&body);
}
