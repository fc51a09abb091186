// Signals as events of the main loop. Worker threads block them all.
#include "worker/signals.h"

#include <signal.h>

#include "base/log.h"
#include "worker/server_state.h"

static const int numbers[PL_SIGNAL_COUNT] = {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

static const char *name_of(int number) {
  return number == SIGHUP ? "HUP" : number == SIGUSR1 ? "USR1" : "USR2";
}

static void on_signal(uv_signal_t *handle, int number) {
  if (number == SIGTERM || number == SIGQUIT || number == SIGINT)
    pl_server_end(handle->data);
  else
    pl_log(PL_LOG_INFO, "signal %s is ignored: this version does nothing on it", name_of(number));
}

int pl_signals_open(struct pl_signals *signals, struct pl_server *server) {
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < PL_SIGNAL_COUNT; i++) {
    uv_signal_init(&server->loop.uv, &signals->handles[i]);
    signals->handles[i].data = server;
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
