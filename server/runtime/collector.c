// How Lua 5.4's collector is driven.
//
// LUA_GCSTEP 0 works off one step, 2^STEP_LOG2 / 16 * STEP_MUL units (a unit is about one slot
// visited or one object freed), and says whether a cycle ended with it. Between steps Lua's "debt"
// decides when its own collector would begin: LUA_GCRESTART sets it to exactly 0, and LUA_GCSTEP
// with a negative number of KB lowers it without a step. Both are so in all of 5.4.0 to 5.4.8. This
// is better than LUA_GCSTOP: a stopped collector never begins by itself, whatever a task allocates,
// and 5.4.4 then calls it in vain at each allocation; and better than LUA_GCSETPAUSE, which takes
// effect only at the end of a cycle, and 1000 % at most.
#include "runtime/collector.h"

#include <assert.h>
#include <limits.h>
#include <lua.h>

#include "base/clock.h"
#include "runtime/budget.h"

enum {
  STEP_LOG2 = 6,
  STEP_MUL = 100,
  SLICE_NS = 200 * 1000,
  FIRST_BYTES_PER_WORK = 2 * 1024,  // no cycle has been seen yet
  LEAST_PRICE_BYTES = 256,
  SWEEP_WORK = 6,
  SWEPT_BYTES = 4 * 1024,  // a step that frees so much sweeps; marking frees only spare stack
  LEAST_ROOM_BYTES = 2 * 1024 * 1024,
  PAUSE_MIN = 120,
  PAUSE_MAX = 200
};

// What a cycle can free: off-heap bytes go with the objects that hold them.
static size_t heap_bytes(const struct pl_collector *c) {
  return c->vm->heap.bytes + c->vm->heap.outside;
}

static size_t less(size_t a, size_t b) {
  return a > b ? a - b : 0;
}

// ---- where a cycle begins, and where Lua's own collector does ----

// Lua's own collector begins when hard_bytes are reached; at once when they are exceeded.
static void set_credit(struct pl_collector *c) {
  size_t kb = less(c->hard_bytes, heap_bytes(c)) / 1024;
  if (kb > INT_MAX) kb = INT_MAX;
  lua_gc(c->vm->L, LUA_GCRESTART);
  if (kb > 0) lua_gc(c->vm->L, LUA_GCSTEP, -(int)kb);
}

// Room for garbage before a cycle begins, and as much again until it must have ended. It is as much
// as what lives, so that the work of a cycle is in proportion to what was allocated; near the limit
// less.
static void plan(struct pl_collector *c) {
  size_t base = c->live_bytes;
  size_t room = base > LEAST_ROOM_BYTES ? base : LEAST_ROOM_BYTES;
  if (c->limit_bytes) {
    size_t left = less(c->limit_bytes, base) / 3;
    if (room > left) room = left;
    if (room < PL_COLLECTOR_MIN_BYTES) room = PL_COLLECTOR_MIN_BYTES;
  }
  size_t bytes = heap_bytes(c);
  c->start_bytes = base + room / 2;
  if (c->start_bytes < bytes + room / 4) c->start_bytes = bytes + room / 4;
  c->hard_bytes = c->start_bytes + room;
  size_t pause = c->start_bytes / (base / 100 + 1);
  if (pause < PAUSE_MIN) pause = PAUSE_MIN;
  if (pause > PAUSE_MAX) pause = PAUSE_MAX;
  lua_gc(c->vm->L, LUA_GCINC, (int)pause, STEP_MUL, STEP_LOG2);
  set_credit(c);
}

// ---- cycles ----

static void begin_cycle(struct pl_collector *c) {
  c->is_cycling = true;
  c->had_garbage = less(heap_bytes(c), c->live_bytes) >= PL_COLLECTOR_MIN_BYTES;
  c->is_sweeping = false;
  c->cycle_from_bytes = heap_bytes(c);
  c->cycle_new_bytes = 0;
  c->floating_bytes = 0;
  c->cycle_work = 0;
  c->unpaid_bytes = 0;
}

// What was allocated since the sweep began has survived it, garbage or not: it does not count as
// alive for the next cycle.
static void end_cycle(struct pl_collector *c) {
  size_t bytes = heap_bytes(c);
  size_t freed = less(c->cycle_from_bytes + c->cycle_new_bytes, bytes);
  c->is_cycling = false;
  // After finalisers objects are freed by the next cycle only: so one more, to see whether it is
  // so.
  c->is_settled = freed < PL_COLLECTOR_MIN_BYTES && !c->had_garbage;
  c->live_bytes = less(bytes, c->floating_bytes);
  if (c->cycle_work > 0) c->bytes_per_work = c->cycle_from_bytes / c->cycle_work + 1;
  c->cycles++;
  plan(c);
}

// What a step has cost, in steps that only mark: measured, to sweep 400 live objects takes as long
// as 6 of those, to free 28 KB of small tables and strings as long as 7 more.
static size_t work_of_step(struct pl_collector *c, size_t freed) {
  if (freed >= SWEPT_BYTES) c->is_sweeping = true;
  return c->is_sweeping ? SWEEP_WORK + freed / SWEPT_BYTES : 1;
}

static void note_allocated(struct pl_collector *c, size_t bytes) {
  c->cycle_new_bytes += bytes;
  if (c->is_sweeping) c->floating_bytes += bytes;
}

// Returns: whether the cycle ended with it.
static bool make_step(struct pl_collector *c, uint64_t *now_ns) {
  assert(!c->vm->sched.current);
  size_t before = heap_bytes(c);
  struct pl_sched *outer = pl_budget_begin_vm(c->vm);  // a finaliser may loop
  bool is_over = lua_gc(c->vm->L, LUA_GCSTEP, 0) == 1;
  pl_budget_end_vm(c->vm, outer);
  uint64_t begun_ns = *now_ns;
  *now_ns = pl_clock_ns();
  if (*now_ns - begun_ns > c->longest_step_ns) c->longest_step_ns = *now_ns - begun_ns;
  c->steps++;
  c->cycle_work += work_of_step(c, less(before, heap_bytes(c)));
  note_allocated(c, less(heap_bytes(c), before));  // by finalisers
  return is_over;
}

/* stack: collector. Replaces the one value of the table at registry[collector]. */
static int make_fence(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, 1)) != LUA_TTABLE) {
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, 1));
  }
  lua_createtable(L, 0, 0);
  lua_rawseti(L, -2, 1);
  return 0;
}

// The step that begins to sweep frees all dead objects that are younger than the youngest living
// one, however many: all that a task has made, if it kept nothing. So there is a living one, made
// now. Without memory for it the step is a long one.
static void fence_young_objects(struct pl_collector *c) {
  lua_State *L = c->vm->L;
  lua_pushcfunction(L, make_fence);
  lua_pushlightuserdata(L, c);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

// As many steps as make up `work`, and none that would begin when `slice_ns` are over.
static void make_steps(struct pl_collector *c, size_t work, uint64_t slice_ns) {
  fence_young_objects(c);
  uint64_t begun_ns = pl_clock_ns();
  uint64_t now_ns = begun_ns;
  size_t before = c->cycle_work;
  bool is_over = false;
  while (!is_over && c->cycle_work - before < work && now_ns - begun_ns < slice_ns)
    is_over = make_step(c, &now_ns);
  if (is_over)
    end_cycle(c);
  else
    set_credit(c);
}

// ---- pace ----

// How much may be allocated for one unit of work, so that the cycle ends at three quarters of the
// way from start to hard. When more was allocated than that, and near hard, it becomes less.
static size_t price_of_work(const struct pl_collector *c) {
  size_t expected = c->cycle_from_bytes / c->bytes_per_work + 1;
  if (c->cycle_work >= expected) expected = 2 * c->cycle_work;  // it takes longer than forecast
  size_t left = expected - c->cycle_work;
  size_t end = c->start_bytes + (c->hard_bytes - c->start_bytes) / 4 * 3;
  size_t price = less(end, c->cycle_from_bytes) / expected;
  size_t most = less(c->hard_bytes, heap_bytes(c)) / left;
  if (price > most) price = most;
  return price > LEAST_PRICE_BYTES ? price : LEAST_PRICE_BYTES;
}

// The last step of a turn may cost more than was due: it counts for the next turns.
static void pay(struct pl_collector *c, size_t allocated) {
  note_allocated(c, allocated);
  c->unpaid_bytes += (int64_t)allocated;
  int64_t price = (int64_t)price_of_work(c);
  if (c->unpaid_bytes < price) return;
  size_t before = c->cycle_work;
  make_steps(c, (size_t)(c->unpaid_bytes / price), UINT64_MAX);
  c->unpaid_bytes -= (int64_t)(c->cycle_work - before) * price;
}

// ---- turns ----

static uint64_t run_cycle(struct pl_collector *c, size_t allocated, bool is_quiet) {
  if (is_quiet)
    make_steps(c, SIZE_MAX, SLICE_NS);
  else
    pay(c, allocated);
  c->seen_bytes = heap_bytes(c);
  return PL_COLLECTOR_AGAIN;
}

// How long nothing may have run before a cycle is worth it.
static uint64_t patience_ms(const struct pl_collector *c) {
  size_t garbage = less(heap_bytes(c), c->live_bytes);
  if (garbage < PL_COLLECTOR_MIN_BYTES && c->is_settled) return PL_COLLECTOR_NEVER;
  bool is_much = garbage >= PL_COLLECTOR_MIN_BYTES && garbage >= c->live_bytes / 8;
  return is_much ? PL_COLLECTOR_QUIET_MS : PL_COLLECTOR_SETTLE_MS;
}

static uint64_t consider_cycle(struct pl_collector *c, bool is_quiet, uint64_t now_ms) {
  uint64_t patience = patience_ms(c);
  if (heap_bytes(c) < c->start_bytes) {
    if (patience == PL_COLLECTOR_NEVER) return patience;
    uint64_t idle_ms = now_ms - c->active_ms;
    if (idle_ms < patience) return patience - idle_ms;
  }
  begin_cycle(c);
  return run_cycle(c, 0, is_quiet);
}

uint64_t pl_collector_turn(struct pl_collector *c, uint64_t now_ms) {
  if (!c->vm) return PL_COLLECTOR_NEVER;
  size_t bytes = heap_bytes(c);
  size_t allocated = less(bytes, c->seen_bytes);
  bool is_quiet = bytes == c->seen_bytes && c->vm->sched.resumes == c->seen_resumes;
  if (bytes < c->live_bytes) {
    c->live_bytes = bytes;
    plan(c);
  } else if (c->vm->has_collected) {  // Lua has set its own threshold
    set_credit(c);
  }
  c->vm->has_collected = false;
  c->seen_bytes = bytes;
  c->seen_resumes = c->vm->sched.resumes;
  if (!is_quiet) c->active_ms = now_ms;
  if (c->is_cycling) return run_cycle(c, allocated, is_quiet);
  return consider_cycle(c, is_quiet, now_ms);
}

void pl_collector_start(struct pl_collector *c, struct pl_vm *vm, size_t limit_bytes) {
  *c = (struct pl_collector){
      .vm = vm, .limit_bytes = limit_bytes, .bytes_per_work = FIRST_BYTES_PER_WORK};
  c->live_bytes = c->seen_bytes = heap_bytes(c);
  plan(c);
}

void pl_collector_collect(struct pl_collector *c, struct pl_vm *vm) {
  if (c->vm) begin_cycle(c);
  struct pl_sched *outer = pl_budget_begin_vm(vm);
  lua_gc(vm->sched.running ? vm->sched.running : vm->L, LUA_GCCOLLECT);
  pl_budget_end_vm(vm, outer);
  if (!c->vm) return;
  end_cycle(c);
  c->seen_bytes = heap_bytes(c);
}
