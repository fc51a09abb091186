/// Scripts that keep the CPU, each in another way: what limits.cpu has to end, and the vm with a
/// budget that they run in.
///
/// The watchdog is played by the test. `stop_at_once`: each run of a task is stopped at its first
/// instruction. `tick`: a timer's signal says that whatever runs has had its slice.
#pragma once

#include "fake_host.h"

#include <sys/time.h>

#include "runtime/budget.h"

static const struct hog {
  const char *name;
  const char *script;
} hogs[] = {
    {"loop", "while true do end"},
    {"numeric for", "for i = 1, 1e18 do end"},
    {"tail calls", "local function f() return f() end f()"},
    {"loop in pcall", "while true do pcall(function() while true do end end) end"},
    {"pcall(error)", "while true do pcall(error) end"},
    {"pcall recursion", "local function f() pcall(f) f() end while true do pcall(f) end"},
    {"vararg recursion", "local function f(...) return f(1, ...) end while true do pcall(f) end"},
    {"wrap in pcall in wrap",
     "while true do pcall(coroutine.wrap(function() pcall(function()\n"
     "  coroutine.wrap(function() while true do end end)() end) end)) end"},
    {"coroutine churn", "while true do coroutine.wrap(function() end)() end"},
    {"resume", "while true do coroutine.resume(coroutine.create(function()\n"
               "  while true do end end)) end"},
    {"yields", "local co = coroutine.wrap(function() while true do coroutine.yield() end end)\n"
               "while true do co() end"},
    {"xpcall handler",
     "while true do xpcall(function() while true do end end, function() while true do end end) "
     "end"},
    {"xpcall handler of an error",
     "while true do xpcall(error, function() while true do end end) end"},
    {"sort comparator", "table.sort({1, 2, 3, 4}, function() while true do end end)"},
    {"sort comparator in pcall",
     "while true do pcall(table.sort, {3, 2, 1}, function() while true do end end) end"},
    {"pcall in comparator", "table.sort({3, 2, 1}, function() while true do\n"
                            "  pcall(function() while true do end end) end end)"},
    {"xpcall in comparator",
     "table.sort({3, 2, 1}, function() while true do xpcall(function() while true do end end,\n"
     "  function() while true do end end) end end)"},
    {"comparator in xpcall",
     "xpcall(table.sort, function() while true do end end, {3, 2, 1}, function() while true do end "
     "end)"},
    {"wrap in comparator", "table.sort({3, 2, 1}, function()\n"
                           "  coroutine.wrap(function() while true do end end)() end)"},
    {"pcall of wraps in comparator",
     "table.sort({3, 2, 1}, function() while true do\n"
     "  pcall(coroutine.wrap(function() while true do end end)) end end)"},
    {"closing wraps in comparator",
     "local function loop() while true do end end\n"
     "table.sort({3, 2, 1}, function() while true do pcall(coroutine.wrap(function()\n"
     "  local c <close> = setmetatable({}, {__close = loop})\n"
     "  coroutine.wrap(function() local c <close> = setmetatable({}, {__close = loop}) loop() "
     "end)()\nend)) end end)"},
    {"comparator in closing wrap", "local function loop() while true do end end\n"
                                   "while true do pcall(coroutine.wrap(function()\n"
                                   "  local c <close> = setmetatable({}, {__close = loop})\n"
                                   "  table.sort({3, 2, 1}, loop) end)) end"},
    {"comparator in wrap in comparator",
     "local function loop() while true do end end\n"
     "local function sort() table.sort({3, 2, 1}, loop) end\n"
     "table.sort({3, 2, 1}, function() while true do pcall(coroutine.wrap(sort)) end end)"},
    {"gsub callback", "('x'):rep(1000):gsub('x', function() while true do end end)"},
    {"load reader", "while true do load(function() while true do end end) end"},
    {"__tostring", "tostring(setmetatable({}, {__tostring = function() while true do end end}))"},
    {"__index", "local x = setmetatable({}, {__index = function() while true do end end}).y"},
    {"__close",
     "do local c <close> = setmetatable({}, {__close = function() while true do end end}) end"},
    {"__close that fails",
     "while true do pcall(function()\n"
     "  local c <close> = setmetatable({}, {__close = function() error 'x' end})\n"
     "  while true do end end) end"},
    {"__close in pcall", "local c <close> = setmetatable({}, {__close = function() while true do\n"
                         "  pcall(function() while true do end end) end end}) while true do end"},
    {"__close of a failed wrap",
     "while true do pcall(coroutine.wrap(function() local c <close> = setmetatable({},\n"
     "  {__close = function() while true do end end}) error 'x' end)) end"},
    {"coroutine.close",
     "local function loop() while true do end end\n"
     "while true do local co = coroutine.create(function()\n"
     "  local c <close> = setmetatable({}, {__close = loop}) coroutine.yield() end)\n"
     "coroutine.resume(co) coroutine.close(co) end"},
    {"wrap in __gc", "setmetatable({}, {__gc = function()\n"
                     "  coroutine.wrap(function() while true do end end)() end})\n"
                     "collectgarbage() while true do end"},
    {"require", "package.preload.hog = function() while true do end end\n"
                "while true do pcall(require, 'hog') end"},
};

struct hog_host {
  struct fake f;
  struct pl_budget budget;
};

static inline void stop_at_once(void *ctx) {
  struct hog_host *h = ctx;
  atomic_store(&h->budget.watched, atomic_load(&h->budget.switches));
  atomic_store(&h->budget.is_unwatched, true);
  pl_budget_insist(&h->f.vm, h->f.vm.L);
  lua_sethook(h->f.vm.L, NULL, 0, 0);
}

static struct pl_budget *ticking;

static inline void on_tick(int number) {
  (void)number;
  atomic_store(&ticking->watched, atomic_load(&ticking->switches));
  raise(PL_BUDGET_SIGNAL);
}

static inline void hog_tick(struct pl_budget *budget, int us) {
  struct itimerval every = {{0, us}, {0, us}};
  ticking = budget;
  struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &every, NULL);
}

static inline void hog_open(struct hog_host *h, uint64_t slice_ns, uint64_t cpu_ns) {
  struct pl_budget_limits limits = {.slice_ns = slice_ns, .cpu_ns = cpu_ns};
  fake_open(&h->f);
  pl_budget_init(&h->budget, &limits, 1);
  h->budget.wake = stop_at_once;
  h->budget.wake_ctx = h;
  h->f.vm.budget = &h->budget;
  pl_budget_catch_signals();
  pl_budget_attach(&h->budget);
}

static inline void hog_close(struct hog_host *h) {
  struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  pl_budget_detach();
  assert_null(h->budget.sched);
  assert_int_equal(atomic_load(&h->budget.switches) & 1, 0);
  fake_close(&h->f);
}
