// Only write(2) and what reads Lua's call records; numbers are formatted here.
#include "runtime/stack_dump.h"

#include <string.h>
#include <unistd.h>

#include "base/base.h"

enum { FRAMES_SHOWN = 30, LINE_BYTES = 256 };

struct line {
  char text[LINE_BYTES];
  size_t len;
};

static void add(struct line *line, const char *text) {
  size_t len = strlen(text), room = sizeof line->text - line->len;
  if (len > room) len = room;
  memcpy(line->text + line->len, text, len);
  line->len += len;
}

static void add_number(struct line *line, unsigned number) {
  char digits[12];
  char *at = digits + sizeof digits - 1;
  *at = '\0';
  do *--at = (char)('0' + number % 10);
  while (number /= 10);
  add(line, at);
}

static void flush(struct line *line) {
  ssize_t ignored = write(STDERR_FILENO, line->text, line->len);
  (void)ignored;
  line->len = 0;
}

static void add_function(struct line *line, const lua_Debug *ar) {
  if (ar->what[0] == 'C') {
    add(line, "\t[C]\n");
    return;
  }
  add(line, "\t");
  add(line, ar->short_src);
  add(line, ":");
  add_number(line, ar->currentline > 0 ? (unsigned)ar->currentline : 0);
  if (ar->what[0] == 'm') {  // "main"
    add(line, ": in the chunk\n");
    return;
  }
  add(line, ": in the function of line ");
  add_number(line, (unsigned)ar->linedefined);
  add(line, "\n");
}

static void write_stack(lua_State *L) {
  lua_Debug ar;
  for (int level = 0; level < FRAMES_SHOWN && lua_getstack(L, level, &ar); level++) {
    struct line line = {.len = 0};
    lua_getinfo(L, "Sl", &ar);
    add_function(&line, &ar);
    flush(&line);
  }
}

void pl_stack_dump_write(const struct pl_sched *sched, unsigned worker) {
  struct line line = {.len = 0};
  add(&line, "perilune: worker ");
  add_number(&line, worker);
  add(&line,
      " is stuck in a finaliser or in a C function for longer than limits.stall: the process "
      "ends. It runs\n");
  flush(&line);
  const struct pl_vm *vm = PL_CONTAINER_OF(sched, struct pl_vm, sched);
  lua_State *innermost = sched->running ? sched->running : vm->L;
  write_stack(innermost);
  const struct pl_task *task = sched->current;
  for (size_t i = task ? task->depth : 0; i-- > 0;) {
    if (task->chain[i] == innermost) continue;
    add(&line, "resumed by\n");
    flush(&line);
    write_stack(task->chain[i]);
  }
}
