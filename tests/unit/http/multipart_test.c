// Unit tests of server/http/multipart.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/multipart.h"

#include <stdio.h>

static const struct pl_multipart_limits usual = {.parts = 4, .header_bytes = 256};

struct record {
  char text[4096];
  size_t len;
};

static void note(struct record *r, struct pl_strv s) {
  assert_true(r->len + s.len < sizeof r->text);
  if (s.len) memcpy(r->text + r->len, s.data, s.len);
  r->len += s.len;
  r->text[r->len] = '\0';
}

// Events as text: "[name|filename|type|" content "]" for each part, "." for the end.
static void note_event(struct record *r, const struct pl_multipart *p,
                       enum pl_multipart_event event) {
  if (event == PL_MULTIPART_PART) {
    note(r, PL_STRV("["));
    note(r, p->part.name);
    note(r, PL_STRV("|"));
    note(r, p->part.filename.data ? p->part.filename : PL_STRV("-"));
    note(r, PL_STRV("|"));
    note(r, p->part.content_type.data ? p->part.content_type : PL_STRV("-"));
    note(r, PL_STRV("|"));
  }
  if (event == PL_MULTIPART_DATA) {
    assert_true(p->data.len > 0);
    note(r, p->data);
  }
  if (event == PL_MULTIPART_PART_END) note(r, PL_STRV("]"));
  if (event == PL_MULTIPART_END) note(r, PL_STRV("."));
}

static int feed(struct pl_multipart *p, struct pl_strv piece, struct record *r) {
  enum pl_multipart_event event;
  do {
    int err = pl_multipart_next(p, &piece, &event);
    if (err) return err;
    note_event(r, p, event);
  } while (event != PL_MULTIPART_MORE);
  assert_int_equal(piece.len, 0);
  return 0;
}

// The whole body in pieces of `step` bytes, the first one of `head` bytes.
static int run(struct pl_strv body, size_t head, size_t step, struct record *r) {
  struct pl_multipart p;
  int err = 0;
  r->len = 0;
  r->text[0] = '\0';
  pl_multipart_init(&p, PL_STRV("xYz"), usual);
  for (size_t at = 0, len = head; at < body.len && !err; at += len, len = step) {
    if (len > body.len - at) len = body.len - at;
    err = feed(&p, pl_strv(body.data + at, len), r);
  }
  if (!err && !pl_multipart_is_done(&p)) note(r, PL_STRV("?"));
  pl_multipart_deinit(&p);
  return err;
}

// The verdict must be the same however the body is cut: whole, at each place, into single bytes.
static void expect_bytes(struct pl_strv body, int expected, const char *events) {
  struct record r;
  assert_int_equal(run(body, body.len, body.len, &r), expected);
  assert_string_equal(r.text, events);
  for (size_t head = 1; head < body.len; head++) {
    assert_int_equal(run(body, head, body.len, &r), expected);
    assert_string_equal(r.text, events);
  }
  for (size_t step = 1; step < 9; step++) {
    assert_int_equal(run(body, step, step, &r), expected);
    assert_string_equal(r.text, events);
  }
}

static void expect(const char *body, int expected, const char *events) {
  expect_bytes(pl_strv_of(body), expected, events);
}

#define NAMED(name) "Content-Disposition: form-data; name=" name "\r\n\r\n"

static void fields_and_files_are_told_apart(void **state) {
  (void)state;
  expect("--xYz\r\n" NAMED("\"a\"") "1\r\n"
                                    "--xYz\r\n"
                                    "content-disposition: Form-Data; name=f; filename=\"C:\\dir\\b "
                                    "\\\"c\\\".txt\"\r\n"
                                    "Content-Type: text/plain; charset=utf-8\r\n\r\n"
                                    "line 1\r\nline 2\r\n\r\n"
                                    "--xYz--\r\n",
         0, "[a|-|-|1][f|C:\\dir\\b \"c\".txt|text/plain; charset=utf-8|line 1\r\nline 2\r\n].");
}

static void content_that_looks_like_a_delimiter_is_content(void **state) {
  (void)state;
  expect("--xYz\r\n" NAMED("a") "\r\r\n-\r\n--xY\r\n--\r\n--xYy\r\r\n\r\n--xYz--", 0,
         "[a|-|-|\r\r\n-\r\n--xY\r\n--\r\n--xYy\r\r\n].");
  expect("--xYz\r\n" NAMED("a") "--xY--xYz\r\n--xYz--", 0, "[a|-|-|--xY--xYz].");
}

static void empty_parts_may_lack_the_second_line_end(void **state) {
  (void)state;
  expect("--xYz\r\n" NAMED("a") "\r\n--xYz--", 0, "[a|-|-|].");
  expect("--xYz\r\n" NAMED("\"\"") "--xYz--", 0, "[|-|-|].");
}

static void preamble_epilogue_and_padding_are_ignored(void **state) {
  (void)state;
  expect("pre\r\n--xY\r\n--xYz \t\r\n" NAMED("a") "1\r\n--xYz--\r\nepi\r\n--xYz\r\n", 0,
         "[a|-|-|1].");
  expect("--xYz--", 0, ".");
  expect("\r\n--xYz--junk", 0, ".");
}

static void body_that_ends_early_is_not_done(void **state) {
  (void)state;
  expect("--xYz\r\n" NAMED("a") "1\r\n--xYz-", 0, "[a|-|-|1]?");
  expect("--xYz\r\n" NAMED("a") "1\r\n--xY", 0, "[a|-|-|1?");
  expect("no delimiter at all", 0, "?");
}

static void binary_content_passes_unchanged(void **state) {
  (void)state;
  char body[600], events[600];
  struct record r;
  size_t len = (size_t)sprintf(body, "--xYz\r\n" NAMED("a"));
  for (int i = 0; i < 256; i++) body[len++] = (char)i;
  len += (size_t)sprintf(body + len, "\r\n--xYz--");
  size_t wanted = (size_t)sprintf(events, "[a|-|-|");
  for (int i = 0; i < 256; i++) events[wanted++] = (char)i;
  wanted += (size_t)sprintf(events + wanted, "].");
  for (size_t step = 1; step < 40; step++) {
    assert_int_equal(run(pl_strv(body, len), step, step, &r), 0);
    assert_int_equal(r.len, wanted);
    assert_memory_equal(r.text, events, wanted);
  }
}

static void malformed_heads_and_delimiters_are_refused(void **state) {
  (void)state;
  const char *bad[] = {
      "--xYzx\r\n",
      "--xYz\n",
      "--xYz-x",
      "--xYz \r\r\n",
      "--xYz x",
      "--xYz\r\n\r\nno head",
      "--xYz\r\nA: b\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data\r\n\r\n",
      "--xYz\r\nContent-Disposition: attachment; name=a\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data; filename=a\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data; name=\"a\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
      "name=a\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
      "filename=a\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data; name=a\n\r\n",
      "--xYz\r\nContent-Disposition: form-data; name=a\rx\r\n\r\n",
      "--xYz\r\nA: b\rXContent-Disposition: form-data; name=a\r\n\r\n",
      "--xYz\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n",
      "--xYz\r\nContent-Disposition : form-data; name=a\r\n\r\n",
      "--xYz\r\nno colon\r\n" NAMED("a"),
      "--xYz\r\n: b\r\n" NAMED("a"),
      "--xYz\r\nContent-Disposition: form-data; name=\"a\x01\"\r\n\r\n",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) expect(bad[i], PL_EPROTO, "");
  expect("--xYz\r\n" NAMED("a") "1\r\n--xYz!", PL_EPROTO, "[a|-|-|1]");
  expect_bytes(PL_STRV("--xYz\r\nA: \0\r\n" NAMED("a")), PL_EPROTO, "");
}

static void limits_are_kept(void **state) {
  (void)state;
  char head[600];
  for (int fields = 15; fields <= 16; fields++) {  // and the disposition
    size_t len = (size_t)sprintf(head, "--xYz\r\n");
    for (int i = 0; i < fields; i++) len += (size_t)sprintf(head + len, "A: b\r\n");
    sprintf(head + len, "%s\r\n--xYz--", NAMED("a"));
    expect(head, fields == 15 ? 0 : PL_ELIMIT, fields == 15 ? "[a|-|-|]." : "");
  }
  for (int bytes = 256; bytes <= 257; bytes++) {
    size_t name = (size_t)bytes - strlen(NAMED(""));
    size_t len = (size_t)sprintf(head, "--xYz\r\nContent-Disposition: form-data; name=");
    memset(head + len, 'n', name);
    sprintf(head + len + name, "\r\n\r\n\r\n--xYz--");
    struct record r;
    int expected = bytes == 256 ? 0 : PL_ELIMIT;
    assert_int_equal(run(pl_strv_of(head), 600, 600, &r), expected);
    assert_int_equal(run(pl_strv_of(head), 1, 1, &r), expected);
  }
#define PART "--xYz\r\n" NAMED("a") "\r\n"
  expect(PART PART PART PART "--xYz--", 0, "[a|-|-|][a|-|-|][a|-|-|][a|-|-|].");
  expect(PART PART PART PART PART "--xYz--", PL_ELIMIT, "[a|-|-|][a|-|-|][a|-|-|][a|-|-|]");
}

static void error_stays(void **state) {
  (void)state;
  struct pl_multipart p;
  enum pl_multipart_event event;
  struct pl_strv input = PL_STRV("--xYz!!"), more = PL_STRV("\r\n");
  pl_multipart_init(&p, PL_STRV("xYz"), usual);
  assert_int_equal(pl_multipart_next(&p, &input, &event), PL_EPROTO);
  assert_int_equal(pl_multipart_next(&p, &more, &event), PL_EPROTO);
  pl_multipart_deinit(&p);
}

static void failed_allocation_is_reported(void **state) {
  (void)state;
  struct pl_multipart p;
  enum pl_multipart_event event;
  struct pl_strv input = PL_STRV("--xYz\r\n" NAMED("a"));
  pl_multipart_init(&p, PL_STRV("xYz"), usual);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_multipart_next(&p, &input, &event), PL_ENOMEM);
  pl_mem_fail_nth(0);
  pl_multipart_deinit(&p);
}

static void content_is_not_copied(void **state) {
  (void)state;
  struct pl_multipart p;
  enum pl_multipart_event event;
  struct pl_strv input = PL_STRV("--xYz\r\n" NAMED("a") "content");
  const char *end = input.data + input.len;
  pl_multipart_init(&p, PL_STRV("xYz"), usual);
  assert_int_equal(pl_multipart_next(&p, &input, &event), 0);
  assert_int_equal(event, PL_MULTIPART_PART);
  assert_int_equal(pl_multipart_next(&p, &input, &event), 0);
  assert_int_equal(event, PL_MULTIPART_DATA);
  assert_ptr_equal(p.data.data, end - 7);
  pl_multipart_deinit(&p);
}

static void boundary_is_taken_from_the_type(void **state) {
  (void)state;
  struct pl_strv b;
  int err = pl_multipart_boundary(PL_STRV("Multipart/Form-Data; a=b; BOUNDARY=\"x y:z\""), &b);
  assert_int_equal(err, 0);
  assert_true(pl_strv_eq(b, PL_STRV("x y:z")));
  assert_int_equal(pl_multipart_boundary(PL_STRV("multipart/form-data;boundary=--a_B"), &b), 0);
  assert_true(pl_strv_eq(b, PL_STRV("--a_B")));
  assert_int_equal(pl_multipart_boundary(PL_STRV("multipart/mixed; boundary=a"), &b), PL_EINVAL);
  assert_int_equal(pl_multipart_boundary(PL_STRV(""), &b), PL_EINVAL);
  const char *bad[] = {"",
                       "boundary",
                       "boundary=",
                       "boundary=\"\"",
                       "boundary=\"a \"",
                       "boundary=\"a\\\"b\"",
                       "boundary=\"a*b\"",
                       "bound=a"};
  char type[256];
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    sprintf(type, "multipart/form-data; %s", bad[i]);
    assert_int_equal(pl_multipart_boundary(pl_strv_of(type), &b), PL_EPROTO);
  }
  sprintf(type, "multipart/form-data; boundary=%070d", 0);
  assert_int_equal(pl_multipart_boundary(pl_strv_of(type), &b), 0);
  sprintf(type, "multipart/form-data; boundary=%071d", 0);
  assert_int_equal(pl_multipart_boundary(pl_strv_of(type), &b), PL_EPROTO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_and_files_are_told_apart),
      cmocka_unit_test(content_that_looks_like_a_delimiter_is_content),
      cmocka_unit_test(empty_parts_may_lack_the_second_line_end),
      cmocka_unit_test(preamble_epilogue_and_padding_are_ignored),
      cmocka_unit_test(body_that_ends_early_is_not_done),
      cmocka_unit_test(binary_content_passes_unchanged),
      cmocka_unit_test(malformed_heads_and_delimiters_are_refused),
      cmocka_unit_test(limits_are_kept),
      cmocka_unit_test(error_stays),
      cmocka_unit_test(failed_allocation_is_reported),
      cmocka_unit_test(content_is_not_copied),
      cmocka_unit_test(boundary_is_taken_from_the_type),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
