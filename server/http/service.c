// What a worker's connections share: exchanges, which live longer than their connection, and output
// buffers.
#include "http/service.h"

#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "http/exchange_block.h"
#include "http/request_body.h"
#include "io/loop.h"

enum { SPARE_EXCHANGES_MAX = 256, SPARE_BUFFER_BYTES_MAX = 64 * 1024, NEW_BUFFER_BYTES = 4096 };

// ---- exchanges ----

struct pl_exchange_block *pl_exchange_block_take(struct pl_http_service *service) {
  struct pl_exchange_block *block = service->spare_exchanges;
  if (block) {
    service->spare_exchanges = block->next;
    service->spare_exchange_count--;
  } else {
    block = pl_mem_alloc(sizeof *block);
    if (!block) return NULL;
  }
  memset(block, 0, offsetof(struct pl_exchange_block, first));
  pl_list_init(&block->link);
  block->service = service;
  service->exchange_count++;
  return block;
}

static void free_exchange(struct pl_exchange_block *block) {
  struct pl_http_service *service = block->service;
  pl_request_body_drop(&block->x);
  pl_arena_reset(&block->x.arena);
  pl_list_remove(&block->link);
  service->exchange_count--;
  if (service->spare_exchange_count == SPARE_EXCHANGES_MAX) {
    pl_mem_free(block);
    return;
  }
  block->next = service->spare_exchanges;
  service->spare_exchanges = block;
  service->spare_exchange_count++;
}

void pl_exchange_block_finish(struct pl_exchange_block *block, bool was_cut) {
  if (!block->is_finished) {
    block->is_finished = true;
    block->service->on_finished(block->service, &block->x, was_cut);
  }
  if (block->is_released) free_exchange(block);
}

// ---- who has left ----

void pl_exchange_block_tell(struct pl_exchange_block *block, int reason) {
  if (reason == 0 || (reason == PL_EOF && block->x.half_close)) return;
  if (block->is_told || block->is_released) return;
  block->is_told = true;
  block->x.events->on_gone(&block->x, reason == PL_EOF ? PL_ECONNRESET : reason);
}

// A handler that is told may release its exchange.
void pl_exchange_list_tell(struct pl_list *exchanges, int reason) {
  struct pl_list untold, *node;
  pl_list_init(&untold);
  pl_list_move_all(&untold, exchanges);
  while ((node = pl_list_pop_front(&untold))) {
    struct pl_exchange_block *block = PL_CONTAINER_OF(node, struct pl_exchange_block, link);
    pl_list_push_back(exchanges, node);
    if (block->x.is_answered) pl_exchange_block_tell(block, reason);
  }
}

// ---- spare buffers ----

void pl_http_service_lend_buffer(struct pl_http_service *service, struct pl_buf *buf) {
  buf->account = service->account;
  if (service->spare_buffer_count) *buf = service->spare_buffers[--service->spare_buffer_count];
  // A fresh one starts at a size that holds a usual answer; short memory shows at the first append.
  else if (!pl_buf_reserve(buf, NEW_BUFFER_BYTES))
    return;
}

void pl_http_service_take_back_buffer(struct pl_http_service *service, struct pl_buf *buf) {
  if (!buf->block) return;
  if (service->spare_buffer_count == PL_ARRAY_LEN(service->spare_buffers) ||
      buf->cap > SPARE_BUFFER_BYTES_MAX || pl_account_is_tight(service->account)) {
    pl_buf_deinit(buf);
    return;
  }
  pl_buf_clear(buf);
  pl_buf_move(&service->spare_buffers[service->spare_buffer_count++], buf);
}

void pl_http_service_trim(struct pl_http_service *service) {
  while (service->spare_buffer_count)
    pl_buf_deinit(&service->spare_buffers[--service->spare_buffer_count]);
}

// ---- the service ----

int pl_http_service_init(struct pl_http_service *service, struct pl_loop *loop) {
  service->loop = loop;
  pl_list_init(&service->connections);
  pl_list_init(&service->watched);
  pl_list_init(&service->adrift);
  uint32_t random;
  if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) return PL_EAGAIN;
  memset(service->last_id, '0', sizeof service->last_id);
  for (size_t i = 0; i < PL_REQUEST_ID_PREFIX; i++, random >>= 4)
    service->last_id[i] = "0123456789abcdef"[random & 15];
  return 0;
}

struct pl_strv pl_http_service_common_lines(struct pl_http_service *service) {
  struct pl_clock_date *date = &service->loop->date;
  uint64_t now_ms = pl_loop_now_ms(service->loop);
  if (PL_UNLIKELY(now_ms >= service->common_until_ms)) {
    struct pl_buf *lines = &service->common_lines;
    pl_buf_clear(lines);
    int error = pl_buf_printf(lines, "Date: %s\r\n", pl_clock_date(date, now_ms));
    if (!error && service->server_header)
      error = pl_buf_printf(lines, "Server: %s\r\n", service->server_header);
    // Short memory: these lines are left out once, and tried again with the next answer.
    if (error) pl_buf_clear(lines);
    service->common_until_ms = error ? now_ms : date->valid_until_ms;
  }
  return pl_buf_view(&service->common_lines);
}

void pl_http_service_deinit(struct pl_http_service *service) {
  pl_buf_deinit(&service->common_lines);
  pl_timer_stop(&service->loop->wheel, &service->watch_timer);
  while (service->spare_exchanges) {
    struct pl_exchange_block *next = service->spare_exchanges->next;
    pl_mem_free(service->spare_exchanges);
    service->spare_exchanges = next;
  }
  pl_http_service_trim(service);
}
