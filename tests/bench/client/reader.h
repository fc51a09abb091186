/// Finds the answers in what a server sends: heads, which are looked at, and bodies, which are not.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { READER_HEAD_BYTES = 1024, READER_REFUSED = -1 };

/// The head that came last: most are the same, and comparing is faster than parsing.
struct reader_known {
  size_t length;
  size_t body_length;
  int status;
  char bytes[READER_HEAD_BYTES];
};

/// Where a connection is in an answer. All zero: at its beginning.
struct reader {
  bool has_head;  // the head of the answer is complete
  int status;     // of that head
  size_t body_left;
  size_t head_length;
  char head[READER_HEAD_BYTES];  // what has come of an unfinished head
};

/// Takes bytes up to the end of the answer at hand. *status: that of the answer which they
/// complete, 0 when it goes on, READER_REFUSED when it has no Content-Length or its head is too
/// long. Returns: how many it took, at least 1 of 1 or more.
size_t reader_take(struct reader *reader, struct reader_known *known, const char *bytes,
                   size_t length, int *status);
