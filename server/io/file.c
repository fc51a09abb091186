// Opening files safely. With openat2 the kernel itself keeps a path beneath its root. Where it is
// missing (before Linux 5.6) or forbidden (seccomp, in many containers) we walk down component by
// component and follow no symbolic link at all: what is opened then lies beneath the root too,
// whatever others rename meanwhile.
#define _GNU_SOURCE  // O_PATH
#include "io/file.h"

#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  // O_NONBLOCK: opening a FIFO must not wait; for regular files it means nothing.
  OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
  WALK_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
  RACE_TRIES = 32,
};

// ---- from a descriptor to a pl_file ----

static int describe_refusal(int error) {
  switch (error) {
  case ENOTDIR:
  case ENAMETOOLONG:
    return -ENOENT;
  case EPERM:
  case ELOOP:
  case EXDEV:   // openat2: outside the root
  case EAGAIN:  // openat2: renames beneath the root kept it from being sure
  case ENXIO:   // a socket, a device without a driver
  case ENODEV:
    return -EACCES;
  default:
    return -error;
  }
}

static int check_type(const struct stat *st) {
  if (S_ISREG(st->st_mode)) return 0;
  return S_ISDIR(st->st_mode) ? -EISDIR : -EACCES;
}

// Owns fd, which is a descriptor or a negative errno value.
static int make_file(int fd, struct pl_file **file) {
  if (fd < 0) return describe_refusal(-fd);
  struct stat st;
  struct pl_file *made = NULL;
  int rc = fstat(fd, &st) ? -errno : check_type(&st);
  if (rc == 0 && !(made = pl_mem_alloc(sizeof *made))) rc = PL_ENOMEM;
  if (rc) {
    close(fd);
    return rc;
  }
  *made = (struct pl_file){
      .fd = fd,
      .references = 1,
      .size = (uint64_t)st.st_size,
      .mtime_s = st.st_mtim.tv_sec,
      .mtime_ns = (uint32_t)st.st_mtim.tv_nsec,
      .device = st.st_dev,
      .inode = st.st_ino,
  };
  *file = made;
  return 0;
}

// ---- openat2 ----

// Returns: a descriptor, or a negative errno value.
static int call_openat2(int root_fd, const char *path, uint64_t resolve) {
  struct open_how how = {.flags = OPEN_FLAGS, .resolve = resolve};
  if (root_fd >= 0) how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long fd;
  do {
    fd = syscall(SYS_openat2, root_fd >= 0 ? root_fd : AT_FDCWD, path, &how, sizeof how);
  } while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : (int)fd;
}

static bool is_missing(int rc) {
  return rc == -ENOSYS || rc == -EPERM;
}

static int open_beneath(int root_fd, const char *path) {
  int fd = -EAGAIN;
  for (int i = 0; i < RACE_TRIES && fd == -EAGAIN; i++) fd = call_openat2(root_fd, path, 0);
  return fd;
}

// ---- component by component ----

static int open_at(int folder, const char *name, int flags) {
  int fd;
  do {
    fd = openat(folder, name, flags);
  } while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

// Copies the first component of path; "a/" ends in a component ".", so that only a folder fits.
// Returns: 0, or a negative errno value.
static int copy_component(const char *path, char name[NAME_MAX + 1]) {
  size_t len = strcspn(path, "/");
  if (len > NAME_MAX) return -ENAMETOOLONG;
  memcpy(name, path, len);
  strcpy(name + len, len ? "" : ".");
  return strcmp(name, "..") == 0 ? -EXDEV : 0;
}

static int walk_beneath(int root_fd, const char *path) {
  if (*path == '\0') return -ENOENT;
  if (*path == '/') return -EXDEV;
  char name[NAME_MAX + 1];
  int folder = root_fd, rc = copy_component(path, name);
  for (const char *slash; rc >= 0 && (slash = strchr(path, '/')); path = slash) {
    slash += strspn(slash, "/");
    int below = open_at(folder, name, WALK_FLAGS);
    if (folder != root_fd) close(folder);
    if (below < 0) return below;
    folder = below;
    rc = copy_component(slash, name);
  }
  if (rc >= 0) rc = open_at(folder, name, OPEN_FLAGS | O_NOFOLLOW);
  if (folder != root_fd) close(folder);
  return rc;
}

// ---- exported ----

int pl_file_open_beneath(int root_fd, const char *path, struct pl_file **file) {
  if (root_fd < 0) return make_file(open_at(AT_FDCWD, path, OPEN_FLAGS), file);
  int fd = open_beneath(root_fd, path);
  return make_file(is_missing(fd) ? walk_beneath(root_fd, path) : fd, file);
}

int pl_file_open_cached(int root_fd, const char *path, struct pl_file **file) {
  int fd = call_openat2(root_fd, path, RESOLVE_CACHED);
  if (fd == -EAGAIN || fd == -EINVAL || is_missing(fd)) return PL_EAGAIN;  // EINVAL: before 5.12
  return make_file(fd, file);
}

struct pl_file *pl_file_ref(struct pl_file *file) {
  file->references++;
  return file;
}

void pl_file_unref(struct pl_file *file) {
  if (!file || --file->references > 0) return;
  close(file->fd);
  pl_mem_free(file);
}
