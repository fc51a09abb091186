// The timer wheel. A timer that is due in d ms lies in level log64(d), in the slot of its due time
// in units of 64^level ms. When the wheel's time reaches a slot of an upper level, its timers move
// down ("cascade"), so that each is in level 0, whose slots are single milliseconds, when it fires:
//
//   level 2  [4096 ms]...    level 1  [64 ms][64 ms]...    level 0  [1 ms][1 ms][1 ms]...
//
// Invariants: a slot's bit in `occupied` is set exactly when its ring holds a timer; every timer's
// slot lies 1 to 64 slots ahead of the wheel's time in units of its level. Hence the next slot with
// work is found by one bit scan per level, and a wheel that was asleep jumps over empty time.
#include "io/timer.h"

#include "base/clock.h"

enum { SLOT_BITS = 6, SLOT_MASK = PL_WHEEL_SLOTS - 1 };

#define NEVER UINT64_MAX
#define HORIZON_MS ((UINT64_C(1) << (SLOT_BITS * PL_WHEEL_LEVELS)) - 1)

static void on_uv_timer(uv_timer_t *uv) {
  pl_wheel_advance(PL_CONTAINER_OF(uv, struct pl_wheel, uv), pl_clock_ms());
}

int pl_wheel_init(struct pl_wheel *wheel, uv_loop_t *uv) {
  *wheel = (struct pl_wheel){.armed_ms = NEVER};
  wheel->now_ms = wheel->target_ms = pl_clock_ms();
  for (int level = 0; level < PL_WHEEL_LEVELS; level++) {
    for (int slot = 0; slot < PL_WHEEL_SLOTS; slot++) {
      struct pl_timer *head = &wheel->slots[level][slot];
      head->next = head->prev = head;
    }
  }
  return uv_timer_init(uv, &wheel->uv);
}

// The target is an absolute time of the loop's clock, so that it is right however old the loop's
// idea of now is; run_turn (loop.c) refreshes that before the loop blocks.
static void arm(struct pl_wheel *wheel, uint64_t due_ms) {
  uint64_t now = uv_now(wheel->uv.loop);
  wheel->armed_ms = due_ms;
  uv_timer_start(&wheel->uv, on_uv_timer, due_ms > now ? due_ms - now : 0, 0);
}

static void disarm(struct pl_wheel *wheel) {
  wheel->armed_ms = NEVER;
  uv_timer_stop(&wheel->uv);
}

static bool is_empty(const struct pl_wheel *wheel) {
  uint64_t any = 0;
  for (int level = 0; level < PL_WHEEL_LEVELS; level++) any |= wheel->occupied[level];
  return any == 0;
}

static void insert_timer(struct pl_wheel *wheel, struct pl_timer *t) {
  uint64_t due = t->due_ms, ahead = due - wheel->now_ms;
  if (ahead > HORIZON_MS) {
    ahead = HORIZON_MS;
    due = wheel->now_ms + HORIZON_MS;
  }
  int level = (63 - __builtin_clzll(ahead | 1)) / SLOT_BITS;
  unsigned slot = (due >> (level * SLOT_BITS)) & SLOT_MASK;
  struct pl_timer *head = &wheel->slots[level][slot];
  t->prev = head->prev;
  t->next = head;
  head->prev->next = t;
  head->prev = t;
  wheel->occupied[level] |= UINT64_C(1) << slot;
}

static void remove_timer(struct pl_wheel *wheel, struct pl_timer *t) {
  struct pl_timer *next = t->next;
  t->prev->next = next;
  next->prev = t->prev;
  t->next = t->prev = NULL;
  if (next->next != next) return;  // not alone: only an empty slot's head points to itself
  size_t index = (size_t)(next - &wheel->slots[0][0]);
  wheel->occupied[index / PL_WHEEL_SLOTS] &= ~(UINT64_C(1) << (index % PL_WHEEL_SLOTS));
}

void pl_timer_start(struct pl_wheel *wheel, struct pl_timer *t, uint64_t due_ms) {
  if (pl_timer_is_running(t)) remove_timer(wheel, t);
  t->due_ms = due_ms > wheel->target_ms ? due_ms : wheel->target_ms + 1;
  insert_timer(wheel, t);
  if (t->due_ms < wheel->armed_ms && !wheel->is_advancing) arm(wheel, t->due_ms);
}

// The uv timer stays armed while other timers run: at worst it wakes the loop once for nothing.
// Without any it is stopped, or it would keep the loop alive.
void pl_timer_stop(struct pl_wheel *wheel, struct pl_timer *t) {
  if (!pl_timer_is_running(t)) return;
  remove_timer(wheel, t);
  if (wheel->armed_ms != NEVER && is_empty(wheel)) disarm(wheel);
}

// When the wheel's time next reaches a slot that is not empty; NEVER: all are empty.
static uint64_t next_slot_ms(const struct pl_wheel *wheel) {
  uint64_t earliest = NEVER;
  for (int level = 0; level < PL_WHEEL_LEVELS; level++) {
    uint64_t bits = wheel->occupied[level];
    if (!bits) continue;
    uint64_t following = (wheel->now_ms >> (level * SLOT_BITS)) + 1;
    unsigned shift = following & SLOT_MASK;
    bits = bits >> shift | bits << (-shift & SLOT_MASK);  // bit 0 is the following slot's
    uint64_t at = (following + (unsigned)__builtin_ctzll(bits)) << (level * SLOT_BITS);
    if (at < earliest) earliest = at;
  }
  return earliest;
}

// Each timer lands in a lower level, or (level 4, beyond the horizon) in another slot: this ends.
static void cascade_slot(struct pl_wheel *wheel, struct pl_timer *head) {
  while (head->next != head) {
    struct pl_timer *t = head->next;
    remove_timer(wheel, t);
    insert_timer(wheel, t);
  }
}

// Moves the wheel's time to `at`, which is the start of a slot of some level.
static void enter_slot(struct pl_wheel *wheel, uint64_t at) {
  wheel->now_ms = at;
  for (int level = PL_WHEEL_LEVELS - 1; level > 0; level--) {
    unsigned shift = (unsigned)level * SLOT_BITS;
    if ((at & ((UINT64_C(1) << shift) - 1)) == 0)
      cascade_slot(wheel, &wheel->slots[level][(at >> shift) & SLOT_MASK]);
  }
  struct pl_timer *head = &wheel->slots[0][at & SLOT_MASK];
  while (head->next != head) {  // what a callback starts goes to other slots: this ends
    struct pl_timer *t = head->next;
    remove_timer(wheel, t);
    t->fn(t);
  }
}

void pl_wheel_advance(struct pl_wheel *wheel, uint64_t now_ms) {
  wheel->is_advancing = true;
  if (now_ms > wheel->target_ms) wheel->target_ms = now_ms;
  uint64_t at = next_slot_ms(wheel);
  for (; at <= wheel->target_ms; at = next_slot_ms(wheel)) enter_slot(wheel, at);
  wheel->now_ms = wheel->target_ms;
  wheel->is_advancing = false;
  if (at == NEVER) {
    disarm(wheel);
  } else {
    arm(wheel, at);
  }
}

void pl_wheel_close(struct pl_wheel *wheel) {
  for (int level = 0; level < PL_WHEEL_LEVELS; level++) {
    for (int slot = 0; slot < PL_WHEEL_SLOTS; slot++) {
      struct pl_timer *head = &wheel->slots[level][slot];
      while (head->next != head) remove_timer(wheel, head->next);
    }
  }
  uv_close((uv_handle_t *)&wheel->uv, NULL);
}
