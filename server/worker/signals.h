/// Signals (contract 3): TERM, QUIT and INT end the server; HUP, USR1 and USR2 say in the log that
/// they do nothing; PIPE is ignored.
///
/// Thread: main.
#pragma once

#include <uv.h>

#include "base/base.h"

struct pl_server;

enum { PL_SIGNAL_COUNT = 6 };

struct pl_signals {
  uv_signal_t handles[PL_SIGNAL_COUNT];
};

PL_MUST_CHECK int pl_signals_open(struct pl_signals *signals, struct pl_server *server);
void pl_signals_close(struct pl_signals *signals);
