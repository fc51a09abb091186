// Pieces are put together in a fixed buffer: a warning may come while memory is short, and from a
// finaliser, where an error would be lost.
#include "runtime/warnings.h"

#include <string.h>

#include "runtime/state.h"

static void append(struct pl_warnings *w, const char *piece) {
  size_t len = strlen(piece);
  size_t room = sizeof w->text - 1 - w->len;
  if (len > room) len = room;
  memcpy(w->text + w->len, piece, len);
  w->len += len;
  w->text[w->len] = '\0';
}

static void obey(struct pl_warnings *w, const char *order) {
  if (strcmp(order, "@on") == 0) w->is_off = false;
  if (strcmp(order, "@off") == 0) w->is_off = true;
}

/* lua_WarnFunction */
static void take_piece(void *ud, const char *piece, int is_to_be_continued) {
  struct pl_vm *vm = ud;
  struct pl_warnings *w = &vm->warnings;
  if (!w->is_continued && !is_to_be_continued && piece[0] == '@') {
    obey(w, piece);
    return;
  }
  append(w, piece);
  w->is_continued = is_to_be_continued != 0;
  if (w->is_continued) return;
  if (!w->is_off && vm->host.warn) vm->host.warn(vm->host.ctx, w->text);
  w->len = 0;
}

void pl_warnings_open(lua_State *L) {
  lua_setwarnf(L, take_piece, pl_vm_of(L));
}
