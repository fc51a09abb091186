// Saving files: nothing under the target's name before the commit, nothing left after a failure.
#define _GNU_SOURCE  // nftw
#include "io/file_save.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/loop.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tree.h"

struct fixture {
  struct pl_loop loop;
  char folder[64];
  char target[128];
  int root;
  int descriptors;
  struct pl_file_save save;
  int status, steps;
};

static void on_done(struct pl_file_save *save, int status) {
  struct fixture *f = PL_CONTAINER_OF(save, struct fixture, save);
  f->status = status;
  f->steps++;
}

static int set_up(void **state) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  f->root = make_folder(f->folder);
  snprintf(f->target, sizeof f->target, "%s/target", f->folder);
  f->save.on_done = on_done;
  if (pl_loop_init(&f->loop, NULL, NULL)) return -1;
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
  f->descriptors = count_descriptors();
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  bool leaked = count_descriptors() != f->descriptors;
  int left = pl_loop_deinit(&f->loop);
  close(f->root);
  remove_folder(f->folder);
  pl_mem_free(f);
  return leaked || left ? -1 : 0;
}

// Runs the loop until the step that was started is over. Returns: its status.
static int finish_step(struct fixture *f, int started) {
  int steps = f->steps;
  assert_int_equal(started, 0);
  while (f->steps == steps) uv_run(&f->loop.uv, UV_RUN_ONCE);
  return f->status;
}

static int open_target(struct fixture *f) {
  return finish_step(f, pl_file_save_open(&f->save, &f->loop, f->target));
}

static int write_text(struct fixture *f, const char *text) {
  struct pl_buf data = {0};
  assert_int_equal(pl_buf_append(&data, text, strlen(text)), 0);
  int status = finish_step(f, pl_file_save_write(&f->save, &data));
  assert_int_equal(pl_buf_len(&data), 0);
  return status;
}

static int count_files(const struct fixture *f) {
  DIR *dir = opendir(f->folder);
  int count = -2;
  while (readdir(dir)) count++;
  closedir(dir);
  return count;
}

static void assert_content(const struct fixture *f, const char *expected) {
  char content[64] = {0};
  FILE *file = fopen(f->target, "r");
  assert_non_null(file);
  assert_int_equal(fread(content, 1, sizeof content - 1, file), strlen(expected));
  fclose(file);
  assert_string_equal(content, expected);
}

static void wait_until_empty(struct fixture *f) {
  while (uv_loop_alive(&f->loop.uv) && f->loop.uv.active_reqs.count)
    uv_run(&f->loop.uv, UV_RUN_ONCE);
  assert_int_equal(count_files(f), 0);
}

static void commit_makes_the_file_appear_at_once(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_target(f), 0);
  assert_int_equal(write_text(f, "hello "), 0);
  assert_int_equal(write_text(f, "world"), 0);
  assert_int_equal(access(f->target, F_OK), -1);
  assert_int_equal(finish_step(f, pl_file_save_commit(&f->save)), 0);
  assert_content(f, "hello world");
  assert_int_equal(count_files(f), 1);
  assert_null(f->save.job);
}

static void commit_replaces_what_was_there(void **state) {
  struct fixture *f = *state;
  write_file(f->root, "target", "old", 3);
  assert_int_equal(open_target(f), 0);
  assert_content(f, "old");
  assert_int_equal(finish_step(f, pl_file_save_commit(&f->save)), 0);
  assert_content(f, "");
}

static void file_has_the_permissions_of_any_new_file(void **state) {
  struct fixture *f = *state;
  struct stat st;
  mode_t mask = umask(027);
  assert_int_equal(open_target(f), 0);
  umask(mask);
  assert_int_equal(finish_step(f, pl_file_save_commit(&f->save)), 0);
  assert_int_equal(stat(f->target, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0640);
}

static void open_reports_a_missing_folder(void **state) {
  struct fixture *f = *state;
  snprintf(f->target, sizeof f->target, "%s/none/target", f->folder);
  assert_int_equal(open_target(f), -ENOENT);
  pl_file_save_abandon(&f->save);
  assert_int_equal(count_files(f), 0);
}

static void commit_onto_a_folder_fails_and_leaves_nothing(void **state) {
  struct fixture *f = *state;
  assert_int_equal(mkdirat(f->root, "target", 0755), 0);
  assert_int_equal(open_target(f), 0);
  assert_int_equal(finish_step(f, pl_file_save_commit(&f->save)), -EISDIR);
  assert_int_equal(count_files(f), 1);
}

static void abandon_removes_the_temporary_file(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_target(f), 0);
  assert_int_equal(write_text(f, "half"), 0);
  assert_int_equal(count_files(f), 1);
  pl_file_save_abandon(&f->save);
  wait_until_empty(f);
}

static void abandon_while_a_step_runs_removes_it_too(void **state) {
  struct fixture *f = *state;
  assert_int_equal(pl_file_save_open(&f->save, &f->loop, f->target), 0);
  pl_file_save_abandon(&f->save);
  wait_until_empty(f);
  assert_int_equal(f->steps, 0);
}

static void abandon_is_harmless_when_nothing_is_open(void **state) {
  struct fixture *f = *state;
  pl_file_save_abandon(&f->save);
  assert_int_equal(open_target(f), 0);
  pl_file_save_abandon(&f->save);
  pl_file_save_abandon(&f->save);
  wait_until_empty(f);
}

static void open_reports_out_of_memory(void **state) {
  struct fixture *f = *state;
  pl_mem_fail_nth(1);
  assert_int_equal(pl_file_save_open(&f->save, &f->loop, f->target), PL_ENOMEM);
  pl_mem_fail_nth(0);
  assert_null(f->save.job);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(commit_makes_the_file_appear_at_once),
      TEST(commit_replaces_what_was_there),
      TEST(file_has_the_permissions_of_any_new_file),
      TEST(open_reports_a_missing_folder),
      TEST(commit_onto_a_folder_fails_and_leaves_nothing),
      TEST(abandon_removes_the_temporary_file),
      TEST(abandon_while_a_step_runs_removes_it_too),
      TEST(abandon_is_harmless_when_nothing_is_open),
      TEST(open_reports_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
