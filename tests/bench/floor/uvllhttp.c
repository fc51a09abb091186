// The second floor: the libraries that Perilune stands on, and nothing above them.
//
// libuv reads, llhttp parses each request (bodies too), all requests of one read are answered with
// one uv_try_write of canned answers. No Lua, no routing, no limits. The distance from epoll.c is
// what the libraries cost; the distance from here to Perilune is what Perilune costs.
//
// usage: uvllhttp PORT   (listens on 127.0.0.1, ends on any signal)
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "answer.h"

enum { READ_BYTES = 65536, MOST_ANSWERS = READ_BYTES / 16 };

struct connection {
  uv_tcp_t tcp;  // first: the handle's address is the connection's
  llhttp_t parser;
  size_t requests;  // completed in the read at hand
};

struct floor {
  uv_tcp_t listener;
  llhttp_settings_t settings;
  char *answers;  // ANSWER over and over
  char input[READ_BYTES];
};

static int on_message_complete(llhttp_t *parser) {
  struct connection *connection = parser->data;
  connection->requests++;
  return 0;
}

static void on_close(uv_handle_t *handle) {
  free(handle);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  struct floor *floor = handle->loop->data;
  (void)suggested;
  *buffer = uv_buf_init(floor->input, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct connection *connection = (struct connection *)stream;
  struct floor *floor = stream->loop->data;
  if (got == 0) return;
  connection->requests = 0;
  if (got < 0 || llhttp_execute(&connection->parser, buffer->base, (size_t)got) != HPE_OK ||
      connection->requests > MOST_ANSWERS) {
    uv_close((uv_handle_t *)stream, on_close);
    return;
  }
  size_t bytes = connection->requests * (sizeof ANSWER - 1);
  uv_buf_t answers = uv_buf_init(floor->answers, (unsigned)bytes);
  // A client that does not take its answers is no part of the benchmark: it is cut.
  if (bytes && uv_try_write(stream, &answers, 1) != (int)bytes)
    uv_close((uv_handle_t *)stream, on_close);
}

static void on_connection(uv_stream_t *listener, int status) {
  struct floor *floor = listener->loop->data;
  struct connection *connection = status ? NULL : malloc(sizeof *connection);
  if (!connection) return;
  uv_tcp_init(listener->loop, &connection->tcp);
  llhttp_init(&connection->parser, HTTP_REQUEST, &floor->settings);
  connection->parser.data = connection;
  if (uv_accept(listener, (uv_stream_t *)&connection->tcp) || uv_tcp_nodelay(&connection->tcp, 1) ||
      uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read))
    uv_close((uv_handle_t *)&connection->tcp, on_close);
}

static int check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
    exit(1);
  }
  return result;
}

int main(int argc, char **argv) {
  static struct floor floor;
  struct sockaddr_in address;
  uv_loop_t *loop = uv_default_loop();
  if (argc != 2) {
    fprintf(stderr, "usage: uvllhttp PORT\n");
    return 2;
  }
  floor.answers = malloc(MOST_ANSWERS * (sizeof ANSWER - 1));
  if (!floor.answers) return 1;
  for (size_t i = 0; i < MOST_ANSWERS; i++)
    memcpy(floor.answers + i * (sizeof ANSWER - 1), ANSWER, sizeof ANSWER - 1);
  llhttp_settings_init(&floor.settings);
  floor.settings.on_message_complete = on_message_complete;
  loop->data = &floor;
  check(uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address), "address");
  check(uv_tcp_init(loop, &floor.listener), "tcp");
  check(uv_tcp_bind(&floor.listener, (struct sockaddr *)&address, 0), "bind");
  check(uv_listen((uv_stream_t *)&floor.listener, 4096, on_connection), "listen");
  return uv_run(loop, UV_RUN_DEFAULT);
}
