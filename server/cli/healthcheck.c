// perilune healthcheck: one question to a server, one line of answer. For containers without curl.
#include "base/error.h"
#include "cli/command.h"
#include "cli/load.h"
#include "cli/message.h"
#include "cli/probe.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_MS = 2000 };

struct question {
  struct pl_address address;
  const char *method;
  const char *target;
};

static const struct pl_strv scheme = {"http://", 7};

static bool has_scheme(const char *url) {
  return strncmp(url, scheme.data, scheme.len) == 0;
}

// "127.0.0.1" and "[::1]" get HTTP's port.
static int parse_authority(struct pl_strv authority, struct pl_address *address) {
  char text[PL_ADDRESS_TEXT_BYTES], error[256];
  bool has_port = false;
  for (size_t i = 0; i < authority.len; i++) {
    if (authority.data[i] == ':') has_port = true;
    if (authority.data[i] == ']') has_port = false;
  }
  int len = snprintf(text, sizeof text, "%.*s%s", (int)authority.len, authority.data,
                     has_port ? "" : ":80");
  if (len < 0 || (size_t)len >= sizeof text) return PL_EINVAL;
  return pl_address_parse(pl_strv(text, (size_t)len), address, error, sizeof error);
}

// http://HOST[:PORT][/PATH], or what --listen takes.
static int parse_url(const char *url, struct question *q) {
  char error[256];
  if (!has_scheme(url)) return pl_address_parse(pl_strv_of(url), &q->address, error, sizeof error);
  url += scheme.len;
  struct pl_strv authority = pl_strv(url, strcspn(url, "/"));
  const char *path = url + authority.len;
  if (strpbrk(path, " \t\r\n")) return PL_EINVAL;
  if (path[0] == '/') {
    q->method = "GET";
    q->target = path;
  }
  return parse_authority(authority, &q->address);
}

static bool has_port(const struct pl_address *address) {
  if (address->is_unix) return true;
  if (address->storage.ss_family == AF_INET) {
    return ((const struct sockaddr_in *)&address->storage)->sin_port != 0;
  }
  return ((const struct sockaddr_in6 *)&address->storage)->sin6_port != 0;
}

// The first address that the server of this configuration listens on.
static int find_listener(const struct pl_options *options, struct question *q) {
  struct pl_config config;
  int rc = pl_cli_load_config(options, NULL, &config);
  if (rc == PL_ENOMEM) return rc;
  q->address = config.listen.items[0];
  pl_config_deinit(&config);
  if (rc == 0 && !has_port(&q->address)) {
    pl_message_error("the port of the server is not fixed: name it (perilune healthcheck URL)");
    return PL_EINVAL;
  }
  return rc;
}

static int find_server(const struct pl_options *options, struct question *q) {
  if (!options->argument) return find_listener(options, q);
  int rc = parse_url(options->argument, q);
  if (rc < 0) {
    pl_message_error("healthcheck %s: http://127.0.0.1:8080/path or unix:/run/app.sock is expected",
                     options->argument);
  }
  return rc;
}

static int ask(const struct question *q, uint64_t timeout_ms) {
  int status;
  const char *at = q->address.text;
  int rc = pl_probe(&q->address, q->method, q->target, timeout_ms, &status);
  if (rc == 0 && status >= 200 && status < 300) {
    struct pl_buf text = {0};
    rc = pl_buf_printf(&text, "healthy: %s answered %d\n", at, status);
    int code = pl_message_result(rc, &text);
    pl_buf_deinit(&text);
    return code;
  }
  if (rc == 0) {
    pl_message_error("unhealthy: %s answered %d", at, status);
  } else if (rc == PL_EPROTO) {
    pl_message_error("unhealthy: %s does not answer in HTTP", at);
  } else {
    pl_message_error("unhealthy: %s: %s", at, pl_error_text(rc));
  }
  return 1;
}

static int check_health(const struct pl_options *options) {
  struct question q = {.method = "OPTIONS", .target = "*"};
  if (find_server(options, &q) < 0) return 1;
  return ask(&q, options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS);
}

const struct pl_command pl_command_healthcheck = {
    .name = "healthcheck",
    .arguments = "[URL] [--timeout TIME] [-c FILE] [--set KEY=VALUE]...",
    .summary = "Ask a running server whether it is well; exit 0 or 1 with one line.",
    .help = "Without a URL: OPTIONS * on the first address of the configuration. With one\n"
            "(http://127.0.0.1:8080, unix:/run/app.sock) on that server; a path is fetched with\n"
            "GET. Healthy is what is answered with 2xx.\n",
    .argument = "URL",
    .options = 1u << PL_OPTION_CONFIG | 1u << PL_OPTION_SET | 1u << PL_OPTION_TIMEOUT |
               1u << PL_OPTION_HELP,
    .run = check_health,
};
