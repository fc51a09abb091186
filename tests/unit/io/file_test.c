// Opening beneath a root: with openat2, and with kernels that lack or forbid it.
#define _GNU_SOURCE  // nftw, seteuid
#include "io/file.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "tree.h"

struct fixture {
  char path[64];  // holds root/, secret, outside/
  int base, root;
  int descriptors;
};

static int set_up(void **state) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  f->base = make_folder(f->path);
  write_file(f->base, "secret", "secret", 6);
  assert_int_equal(mkdirat(f->base, "outside", 0755), 0);
  write_file(f->base, "outside/secret", "secret", 6);
  assert_int_equal(mkdirat(f->base, "root", 0755), 0);
  f->root = openat(f->base, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  write_file(f->root, "plain", "hello", 5);
  assert_int_equal(mkdirat(f->root, "folder", 0755), 0);
  write_file(f->root, "folder/deep", "deep down", 9);
  assert_int_equal(symlinkat("../secret", f->root, "escape"), 0);
  assert_int_equal(symlinkat("/etc/passwd", f->root, "absolute"), 0);
  assert_int_equal(symlinkat("../outside", f->root, "way-out"), 0);
  assert_int_equal(symlinkat("plain", f->root, "inside"), 0);
  assert_int_equal(symlinkat("loop", f->root, "loop"), 0);
  f->descriptors = count_descriptors();
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  bool leaked = count_descriptors() != f->descriptors;
  close(f->root);
  close(f->base);
  remove_folder(f->path);
  pl_mem_free(f);
  return leaked;
}

static int open_status(int root, const char *path) {
  struct pl_file *file = NULL;
  int rc = pl_file_open_beneath(root, path, &file);
  assert_int_equal(rc == 0, file != NULL);
  pl_file_unref(file);
  return rc;
}

static void check_content(int root, const char *path, const char *content) {
  struct pl_file *file = NULL;
  char got[64] = "";
  assert_int_equal(pl_file_open_beneath(root, path, &file), 0);
  assert_int_equal(file->size, strlen(content));
  assert_int_equal(pread(file->fd, got, sizeof got - 1, 0), strlen(content));
  assert_string_equal(got, content);
  pl_file_unref(file);
}

static void open_finds_files_in_the_root_and_below(void **state) {
  struct fixture *f = *state;
  check_content(f->root, "plain", "hello");
  check_content(f->root, "./plain", "hello");
  check_content(f->root, "folder/deep", "deep down");
  check_content(f->root, "folder//./deep", "deep down");
}

static void open_tells_size_time_and_identity(void **state) {
  struct fixture *f = *state;
  const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1234567890, .tv_nsec = 123456789}};
  assert_int_equal(utimensat(f->root, "plain", times, 0), 0);
  struct stat st;
  assert_int_equal(fstatat(f->root, "plain", &st, 0), 0);
  struct pl_file *file = NULL;
  assert_int_equal(pl_file_open_beneath(f->root, "plain", &file), 0);
  assert_int_equal(file->size, 5);
  assert_int_equal(file->mtime_s, 1234567890);
  assert_int_equal(file->mtime_ns, 123456789);
  assert_int_equal(file->inode, st.st_ino);
  assert_int_equal(file->device, st.st_dev);
  assert_true(fcntl(file->fd, F_GETFD) & FD_CLOEXEC);
  pl_file_unref(file);
}

static void open_never_leaves_the_root(void **state) {
  struct fixture *f = *state;
  static const char *const paths[] = {
      "../secret",
      "folder/../../secret",
      "..",
      "escape",
      "absolute",
      "way-out/secret",
      "loop",
      "/etc/passwd",
      "folder/../../root/plain",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(paths); i++) {
    int rc = open_status(f->root, paths[i]);
    if (rc != -EACCES && rc != -ENOENT) fail_msg("%s: %d", paths[i], rc);
  }
  char path[128];
  snprintf(path, sizeof path, "%s/root/plain", f->path);  // even one that leads back
  assert_int_equal(open_status(f->root, path), -EACCES);
}

static void open_refuses_magic_links(void **state) {
  (void)state;
  int root = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) skip();
  assert_int_equal(open_status(root, "exe"), -EACCES);
  int rc = open_status(root, "cwd/CMakeLists.txt");
  assert_true(rc == -EACCES || rc == -ENOENT);
  close(root);
}

static void open_names_what_is_no_file(void **state) {
  struct fixture *f = *state;
  char long_name[300];
  memset(long_name, 'a', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  assert_int_equal(open_status(f->root, "missing"), -ENOENT);
  assert_int_equal(open_status(f->root, "missing/deep"), -ENOENT);
  assert_int_equal(open_status(f->root, ""), -ENOENT);
  assert_int_equal(open_status(f->root, "plain/deep"), -ENOENT);
  assert_int_equal(open_status(f->root, "plain/"), -ENOENT);
  assert_int_equal(open_status(f->root, long_name), -ENOENT);
  assert_int_equal(open_status(f->root, "folder"), -EISDIR);
  assert_int_equal(open_status(f->root, "folder/"), -EISDIR);
  assert_int_equal(open_status(f->root, "folder//."), -EISDIR);
  assert_int_equal(open_status(f->root, "."), -EISDIR);
}

static void open_does_not_wait_for_a_fifo(void **state) {
  struct fixture *f = *state;
  assert_int_equal(mkfifoat(f->root, "fifo", 0644), 0);
  assert_int_equal(open_status(f->root, "fifo"), -EACCES);
}

static void open_refuses_a_socket_and_a_device(void **state) {
  struct fixture *f = *state;
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  snprintf(un.sun_path, sizeof un.sun_path, "%.60s/root/socket", f->path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof un), 0);
  assert_int_equal(open_status(f->root, "socket"), -EACCES);
  close(fd);
  assert_int_equal(open_status(PL_FILE_NO_ROOT, "/dev/null"), -EACCES);
}

static void open_refuses_a_file_without_permission(void **state) {
  struct fixture *f = *state;
  assert_int_equal(fchmodat(f->root, "plain", 0000, 0), 0);
  uid_t own = geteuid();
  if (own == 0) assert_int_equal(seteuid(65534), 0);  // root may read everything
  int rc = open_status(f->root, "plain");
  if (own == 0) assert_int_equal(seteuid(own), 0);
  assert_int_equal(rc, -EACCES);
}

static void open_without_a_root_takes_any_path(void **state) {
  struct fixture *f = *state;
  char path[128];
  snprintf(path, sizeof path, "%s/root/escape", f->path);
  check_content(PL_FILE_NO_ROOT, path, "secret");
  assert_int_equal(open_status(PL_FILE_NO_ROOT, "/nonexistent/file"), -ENOENT);
  assert_int_equal(open_status(PL_FILE_NO_ROOT, f->path), -EISDIR);
}

static void open_without_memory_leaves_nothing_open(void **state) {
  struct fixture *f = *state;
  struct pl_file *file = NULL;
  pl_mem_fail_nth(1);
  assert_int_equal(pl_file_open_beneath(f->root, "plain", &file), PL_ENOMEM);
  assert_null(file);
}

static void the_last_reference_closes_the_file(void **state) {
  struct fixture *f = *state;
  struct pl_file *file = NULL;
  assert_int_equal(pl_file_open_beneath(f->root, "plain", &file), 0);
  int fd = file->fd;
  assert_ptr_equal(pl_file_ref(file), file);
  pl_file_unref(file);
  assert_true(fcntl(fd, F_GETFD) >= 0);
  pl_file_unref(file);
  assert_int_equal(fcntl(fd, F_GETFD), -1);
  pl_file_unref(NULL);
}

static void the_cached_open_agrees_or_declines(void **state) {
  struct fixture *f = *state;
  static const char *const paths[] = {"plain", "folder", "missing", "escape", "../secret", ""};
  for (size_t i = 0; i < PL_ARRAY_LEN(paths); i++) {
    struct pl_file *file = NULL;
    int full = open_status(f->root, paths[i]);
    int rc = pl_file_open_cached(f->root, paths[i], &file);
    if (rc != PL_EAGAIN && rc != full) fail_msg("%s: %d, not %d", paths[i], rc, full);
    pl_file_unref(file);
  }
}

// ---- with openat2 only, without it only ----

static void a_link_that_stays_inside_is_followed(void **state) {
  struct fixture *f = *state;
  check_content(f->root, "inside", "hello");
}

static void without_openat2_no_link_is_followed(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_status(f->root, "inside"), -EACCES);
}

static void without_openat2_the_cached_open_declines(void **state) {
  struct fixture *f = *state;
  struct pl_file *file;
  assert_int_equal(pl_file_open_cached(f->root, "plain", &file), PL_EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define COMMON_TESTS                                                                           \
  TEST(open_finds_files_in_the_root_and_below), TEST(open_tells_size_time_and_identity),       \
      TEST(open_never_leaves_the_root), TEST(open_refuses_magic_links),                        \
      TEST(open_names_what_is_no_file), TEST(open_does_not_wait_for_a_fifo),                   \
      TEST(open_refuses_a_socket_and_a_device), TEST(open_refuses_a_file_without_permission),  \
      TEST(open_without_a_root_takes_any_path), TEST(open_without_memory_leaves_nothing_open), \
      TEST(the_last_reference_closes_the_file), TEST(the_cached_open_agrees_or_declines)

static bool has_openat2(void) {
  return syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno != ENOSYS && errno != EPERM;
}

int main(void) {
  const struct CMUnitTest tests[] = {COMMON_TESTS, TEST(a_link_that_stays_inside_is_followed)};
  const struct CMUnitTest fallback_tests[] = {COMMON_TESTS,
                                              TEST(without_openat2_no_link_is_followed),
                                              TEST(without_openat2_the_cached_open_declines)};
  int failed = 0;
  if (has_openat2()) {
    failed += cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
  } else {
    print_message("skipped: this machine has no openat2\n");
  }
  static const unsigned errors[] = {ENOSYS, EPERM};
  for (size_t i = 0; i < PL_ARRAY_LEN(errors); i++) {
    if (!refuse_system_call(SYS_openat2, errors[i])) {
      print_message("skipped: no seccomp filter allowed here\n");
      break;
    }
    assert_int_equal(syscall(SYS_openat2, -1, "", NULL, 0), -1);
    assert_int_equal(errno, errors[i]);
    failed += cmocka_run_group_tests_name("no openat2", fallback_tests, NULL, NULL);
  }
  return failed;
}
