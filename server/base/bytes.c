// One allocation holds data and its pad; the struct is another, so that data can be moved when
// bytes grow while references stay. What may become large and must not move when it grows is a
// mapping of its own: its pages are memory from when they are first written.
#define _GNU_SOURCE  // MAP_ANONYMOUS
#include "base/bytes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"

// Belongs to the process, like the counters of mem.c: a copy may be made on any thread.
static struct {
  _Atomic uint64_t count;
  _Atomic uint64_t bytes;
} copies;

// The data of bytes without room: nothing but a pad.
static _Alignas(PL_BYTES_ALIGN) const char no_data[PL_BYTES_PAD];

static char *align(char *block) {
  uintptr_t address = (uintptr_t)block;
  return block + (PL_BYTES_ALIGN - address % PL_BYTES_ALIGN) % PL_BYTES_ALIGN;
}

static void clear_pad(struct pl_bytes *bytes) {
  if (bytes->cap) memset(bytes->data + bytes->size, 0, PL_BYTES_PAD);
}

static struct pl_bytes *new_bare(void) {
  struct pl_bytes *bytes = pl_mem_zalloc(sizeof *bytes);
  if (!bytes) return NULL;
  bytes->data = (char *)no_data;
  atomic_init(&bytes->refs, 1);
  return bytes;
}

struct pl_bytes *pl_bytes_new_empty(size_t cap) {
  struct pl_bytes *bytes = new_bare();
  if (bytes && pl_bytes_reserve(bytes, cap)) {
    pl_mem_free(bytes);
    return NULL;
  }
  return bytes;
}

struct pl_bytes *pl_bytes_new(size_t size) {
  struct pl_bytes *bytes = pl_bytes_new_empty(size);
  if (!bytes) return NULL;
  if (size) memset(bytes->data, 0, size);
  bytes->size = size;
  clear_pad(bytes);
  return bytes;
}

static void *map_memory(size_t size) {
  void *map =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return map == MAP_FAILED ? NULL : map;
}

struct pl_bytes *pl_bytes_new_within(size_t cap, size_t most) {
  if (most > SIZE_MAX / 2 || cap > most) return NULL;
  struct pl_bytes *bytes = new_bare();
  void *map = bytes ? map_memory(most + PL_BYTES_PAD) : NULL;
  if (!map) {
    pl_mem_free(bytes);
    return NULL;
  }
  bytes->map = map;
  bytes->map_bytes = most + PL_BYTES_PAD;
  bytes->data = map;
  bytes->cap = cap;
  return bytes;
}

static int check_file(int fd, size_t size) {
  struct stat file;
  if (fstat(fd, &file)) return -errno;
  return file.st_size < 0 || (uint64_t)file.st_size < size ? PL_EINVAL : 0;
}

// The file is mapped over a larger mapping of zeros, so that its pad is there wherever it ends.
int pl_bytes_map(int fd, size_t size, struct pl_bytes **out) {
  int error = check_file(fd, size);
  if (error) return error;
  struct pl_bytes *bytes = size ? pl_bytes_new_within(size, size) : new_bare();
  if (!bytes) return PL_ENOMEM;
  if (size && mmap(bytes->map, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
    error = -errno;
    pl_bytes_unref(bytes);
    return error;
  }
  bytes->size = size;
  bytes->is_frozen = true;
  bytes->is_file = true;
  *out = bytes;
  return 0;
}

// realloc may move the block by any distance: the contents are put where the new one is aligned.
static int grow_block(struct pl_bytes *bytes, size_t cap) {
  if (cap > SIZE_MAX / 2) return PL_ENOMEM;
  size_t offset = bytes->block ? (size_t)(bytes->data - (char *)bytes->block) : 0;
  char *block = pl_mem_realloc(bytes->block, cap + PL_BYTES_PAD + PL_BYTES_ALIGN);
  if (!block) return PL_ENOMEM;
  char *data = align(block);
  if (bytes->block && data != block + offset) pl_bytes_copy(data, block + offset, bytes->size);
  bytes->block = block;
  bytes->data = data;
  return 0;
}

int pl_bytes_reserve(struct pl_bytes *bytes, size_t cap) {
  if (cap <= bytes->cap) return 0;
  if (bytes->map) {
    if (cap > bytes->map_bytes - PL_BYTES_PAD) return PL_ENOMEM;
  } else if (grow_block(bytes, cap)) {
    return PL_ENOMEM;
  }
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
