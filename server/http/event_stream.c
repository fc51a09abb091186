// Server-sent events: "name: value" lines, an empty line at the end.
#include "http/event_stream.h"

#include "base/error.h"

#include <inttypes.h>

bool pl_event_field_is_valid(struct pl_strv text) {
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0') return false;
  return true;
}

static int write_line(struct pl_buf *out, struct pl_strv name, struct pl_strv value) {
  char *to = pl_buf_reserve(out, name.len + value.len + 3);
  if (!to) return PL_ENOMEM;
  memcpy(to, name.data, name.len);
  memcpy(to + name.len, ": ", 2);
  if (value.len) memcpy(to + name.len + 2, value.data, value.len);
  to[name.len + 2 + value.len] = '\n';
  pl_buf_grew(out, name.len + value.len + 3);
  return 0;
}

// Takes the first line off *rest. Returns: false when it was the last one.
static bool take_line(struct pl_strv *rest, struct pl_strv *line) {
  size_t n = 0;
  while (n < rest->len && rest->data[n] != '\r' && rest->data[n] != '\n') n++;
  *line = pl_strv(rest->data, n);
  if (n == rest->len) return false;
  bool is_crlf = rest->data[n] == '\r' && n + 1 < rest->len && rest->data[n + 1] == '\n';
  n += is_crlf ? 2 : 1;
  *rest = pl_strv(rest->data + n, rest->len - n);
  return true;
}

static int write_data(struct pl_buf *out, struct pl_strv data) {
  struct pl_strv line;
  bool has_more = true;
  int rc = 0;
  while (rc == 0 && has_more) {
    has_more = take_line(&data, &line);
    rc = write_line(out, PL_STRV("data"), line);
  }
  return rc;
}

int pl_event_write(struct pl_buf *out, const struct pl_event *event) {
  int rc = 0;
  if (event->event.data) rc = write_line(out, PL_STRV("event"), event->event);
  if (rc == 0 && event->id.data) rc = write_line(out, PL_STRV("id"), event->id);
  if (rc == 0 && event->retry_ms >= 0)
    rc = pl_buf_printf(out, "retry: %" PRId64 "\n", event->retry_ms);
  if (rc == 0 && event->data.data) rc = write_data(out, event->data);
  return rc ? rc : pl_buf_append(out, "\n", 1);
}
