// One allocation holds data and its pad; the struct is another, so that data can be moved when
// bytes grow while references stay.
#include "base/bytes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/mem.h"

// Belongs to the process, like the counters of mem.c: a copy may be made on any thread.
static struct {
  _Atomic uint64_t count;
  _Atomic uint64_t bytes;
} copies;

static char *align(char *block) {
  uintptr_t address = (uintptr_t)block;
  return block + (PL_BYTES_ALIGN - address % PL_BYTES_ALIGN) % PL_BYTES_ALIGN;
}

static char *new_block(size_t cap) {
  if (cap > SIZE_MAX / 2) return NULL;
  return pl_mem_alloc(cap + PL_BYTES_PAD + PL_BYTES_ALIGN);
}

static void clear_pad(struct pl_bytes *bytes) {
  memset(bytes->data + bytes->size, 0, PL_BYTES_PAD);
}

struct pl_bytes *pl_bytes_new_empty(size_t cap) {
  struct pl_bytes *bytes = pl_mem_zalloc(sizeof *bytes);
  if (!bytes) return NULL;
  bytes->block = new_block(cap);
  if (!bytes->block) {
    pl_mem_free(bytes);
    return NULL;
  }
  bytes->data = align(bytes->block);
  bytes->cap = cap;
  atomic_init(&bytes->refs, 1);
  clear_pad(bytes);
  return bytes;
}

struct pl_bytes *pl_bytes_new(size_t size) {
  struct pl_bytes *bytes = pl_bytes_new_empty(size);
  if (!bytes) return NULL;
  memset(bytes->data, 0, size);
  bytes->size = size;
  clear_pad(bytes);
  return bytes;
}

// realloc may move the block by any distance: the contents are put where the new one is aligned.
int pl_bytes_reserve(struct pl_bytes *bytes, size_t cap) {
  if (cap <= bytes->cap) return 0;
  if (cap > SIZE_MAX / 2) return PL_ENOMEM;
  size_t offset = (size_t)(bytes->data - (char *)bytes->block);
  char *block = pl_mem_realloc(bytes->block, cap + PL_BYTES_PAD + PL_BYTES_ALIGN);
  if (!block) return PL_ENOMEM;
  char *data = align(block);
  if (data != block + offset) memmove(data, block + offset, bytes->size);
  bytes->block = block;
  bytes->data = data;
  bytes->cap = cap;
  clear_pad(bytes);
  return 0;
}

void pl_bytes_grew(struct pl_bytes *bytes, size_t n) {
  bytes->size += n;
  clear_pad(bytes);
}

struct pl_bytes *pl_bytes_ref(struct pl_bytes *bytes) {
  atomic_fetch_add_explicit(&bytes->refs, 1, memory_order_relaxed);
  return bytes;
}

// Release: what this holder did happens before the last one frees; acquire: in that order for it.
void pl_bytes_unref(struct pl_bytes *bytes) {
  if (!bytes) return;
  if (atomic_fetch_sub_explicit(&bytes->refs, 1, memory_order_acq_rel) > 1) return;
  if (bytes->map) munmap(bytes->map, bytes->map_bytes);
  pl_mem_free(bytes->block);
  pl_mem_free(bytes);
}

bool pl_bytes_is_alone(const struct pl_bytes *bytes) {
  return atomic_load_explicit(&bytes->refs, memory_order_acquire) == 1;
}

void pl_bytes_copy(void *to, const void *from, size_t size) {
  if (!size) return;
  memmove(to, from, size);
  atomic_fetch_add_explicit(&copies.count, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&copies.bytes, size, memory_order_relaxed);
}

struct pl_bytes_copies pl_bytes_copies(void) {
  return (struct pl_bytes_copies){
      .count = atomic_load_explicit(&copies.count, memory_order_relaxed),
      .bytes = atomic_load_explicit(&copies.bytes, memory_order_relaxed),
  };
}

void pl_bytes_pin(struct pl_bytes *bytes, const char *user) {
  if (bytes->is_frozen) return;
  bytes->pins++;
  snprintf(bytes->user, sizeof bytes->user, "%s", user);
}

void pl_bytes_unpin(struct pl_bytes *bytes) {
  if (bytes->is_frozen) return;
  assert(bytes->pins > 0);
  bytes->pins--;
}
