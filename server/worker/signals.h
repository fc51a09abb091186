/// Signals (contract 3): TERM, QUIT and INT end the server; HUP, USR1 and USR2 say in the log that
/// they do nothing; PIPE is ignored.
///
/// Thread: main.
#pragma once

#include <uv.h>

#include "base/base.h"

struct pl_loop;

enum { PL_SIGNAL_COUNT = 6 };

struct pl_signals {
  uv_signal_t handles[PL_SIGNAL_COUNT];
  void *ctx;
  void (*on_end)(void *ctx);  ///< a signal asks for the end; each time
};

/// Set on_end and ctx before, the handles to 0. Returns: 0 or an error; close it then, too.
PL_MUST_CHECK int pl_signals_open(struct pl_signals *signals, struct pl_loop *loop);
void pl_signals_close(struct pl_signals *signals);
