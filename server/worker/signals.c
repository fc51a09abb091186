// Signals as events of the main loop. Worker threads block them all.
#include "worker/signals.h"

#include <signal.h>

#include "base/log.h"
#include "io/loop.h"

static const int numbers[PL_SIGNAL_COUNT] = {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

static const char *name_of(int number) {
  return number == SIGHUP ? "HUP" : number == SIGUSR1 ? "USR1" : "USR2";
}

static void on_signal(uv_signal_t *handle, int number) {
  struct pl_signals *signals = handle->data;
  if (number == SIGTERM || number == SIGQUIT || number == SIGINT)
    signals->on_end(signals->ctx);
  else
    pl_log(PL_LOG_INFO, "signal %s is ignored: this version does nothing on it", name_of(number));
}

int pl_signals_open(struct pl_signals *signals, struct pl_loop *loop) {
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < PL_SIGNAL_COUNT; i++) {
    uv_signal_init(&loop->uv, &signals->handles[i]);
    signals->handles[i].data = signals;
    int error = uv_signal_start(&signals->handles[i], on_signal, numbers[i]);
    if (error) return error;
  }
  return 0;
}

void pl_signals_close(struct pl_signals *signals) {
  for (int i = 0; i < PL_SIGNAL_COUNT; i++)
    if (signals->handles[i].loop && !uv_is_closing((uv_handle_t *)&signals->handles[i]))
      uv_close((uv_handle_t *)&signals->handles[i], NULL);
}
