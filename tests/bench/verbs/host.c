// B1's Lua 5.4 sides in one process: perilune's structs in a vm of its own, tables as tolua# has
// them, and userdata that are copied in and out as xLua's are, both in stock states. LuaJIT's side
// is ffi.lua, a process that speaks the same lines. For P8 there are two more: "kernels", whole
// arrays in the same vm, and "plain", the same in C. For B5 the vm runs tasks: side "tasks", verbs
// "pooled" and "fresh".
//
// A side is a script that returns name -> function(n), which does a verb n times. From stdin:
//   time SIDE VERB N    answers: the CPU time of the n verbs in ns, the collector included
//   cost SIDE VERB N    answers: blocks and bytes that the n verbs asked for, exact
//   verbs SIDE          answers: the names
// With `once SIDE VERB N` as arguments it does just that: what callgrind counts.
//
// usage: bench_verbs FOLDER [once SIDE VERB N]
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "copying.h"
#include "plain.h"
#include "runtime/vm.h"
#include "structs/library.h"
#include "structs/type.h"
#include "tasks.h"

struct side {
  const char *name;
  void (*open)(struct side *side);
  lua_State *L;  // the table of verbs is at 1; opened when it is first asked for
  lua_Alloc allocate;
  void *allocate_ctx;
  unsigned long long blocks;
  unsigned long long bytes;
};

static const char *folder;
static struct pl_vm vm;

static void fail(const char *what) {
  fprintf(stderr, "bench_verbs: %s\n", what);
  exit(1);
}

static void *count_block(void *ctx, void *block, size_t old_size, size_t size) {
  struct side *side = ctx;
  if (size && (!block || size > old_size)) {
    side->blocks++;
    side->bytes += block ? size - old_size : size;
  }
  return side->allocate(side->allocate_ctx, block, old_size, size);
}

static unsigned long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

// ---- making the sides ----

static void wake(void *ctx) {
  (void)ctx;
}

static void warn(void *ctx, const char *text) {
  (void)ctx;
  fprintf(stderr, "%s\n", text);
}

static void publish(lua_State *L, const struct pl_layout *layout) {
  pl_type_push(L, pl_type_of(L, layout));
  lua_setglobal(L, layout->name.data);
}

static int open_types(lua_State *L) {
  pl_structs_open(L, pl_layouts_new(), NULL, NULL);
  for (int i = PL_BUILTIN_NONE + 1; i < PL_BUILTIN_COUNT; i++)
    publish(L, pl_layout_builtin((enum pl_builtin)i));
  publish(L, pl_layout_scalar(PL_SCALAR_F32));
  return 0;
}

static void open_vm(void) {
  struct pl_host host = {.wake = wake, .warn = warn};
  if (vm.L) return;
  if (pl_vm_init(&vm, &host, 0, 0)) fail("no memory for a vm");
  lua_pushcfunction(vm.L, open_types);
  if (lua_pcall(vm.L, 0, 0, 0) != LUA_OK) fail(lua_tostring(vm.L, -1));
}

// A thread of the vm for each side in it: its table of verbs is at 1, too.
static lua_State *open_thread(void) {
  open_vm();
  lua_State *L = lua_newthread(vm.L);
  luaL_ref(vm.L, LUA_REGISTRYINDEX);
  return L;
}

static lua_State *open_stock(void) {
  lua_State *L = luaL_newstate();
  if (!L) fail("no memory for a state");
  luaL_openlibs(L);
  return L;
}

static void load_verbs(const struct side *side) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s.lua", folder, side->name);
  if (luaL_loadfilex(side->L, path, "t") != LUA_OK || lua_pcall(side->L, 0, 1, 0) != LUA_OK)
    fail(lua_tostring(side->L, -1));
}

static int run_pooled(lua_State *L) {
  bench_tasks_run(&vm, true, (long)luaL_checkinteger(L, 1));
  return 0;
}

static int run_fresh(lua_State *L) {
  bench_tasks_run(&vm, false, (long)luaL_checkinteger(L, 1));
  return 0;
}

static const luaL_Reg tasks[] = {{"pooled", run_pooled}, {"fresh", run_fresh}, {NULL, NULL}};

static void open_vm_side(struct side *side) {
  side->L = open_thread();
  load_verbs(side);
}

static void open_tables(struct side *side) {
  side->L = open_stock();
  load_verbs(side);
}

static void open_copying(struct side *side) {
  side->L = open_stock();
  bench_copying_open(side->L);
  load_verbs(side);
}

static void open_plain(struct side *side) {
  side->L = open_stock();
  bench_plain_push(side->L);
}

static void open_tasks(struct side *side) {
  side->L = open_thread();
  luaL_newlib(side->L, tasks);
}

static struct side sides[] = {
    {.name = "ours", .open = open_vm_side},    {.name = "tables", .open = open_tables},
    {.name = "copying", .open = open_copying}, {.name = "kernels", .open = open_vm_side},
    {.name = "plain", .open = open_plain},     {.name = "tasks", .open = open_tasks}};

// ---- commands ----

static struct side *find_side(const char *name) {
  size_t i = 0;
  while (i < PL_ARRAY_LEN(sides) && strcmp(sides[i].name, name) != 0) i++;
  if (i == PL_ARRAY_LEN(sides)) fail("no such side");
  if (!sides[i].L) sides[i].open(&sides[i]);
  return &sides[i];
}

static void run(const struct side *side, const char *verb, long n) {
  lua_State *L = side->L;
  if (lua_getfield(L, 1, verb) != LUA_TFUNCTION) fail("no such verb");
  lua_pushinteger(L, n);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) fail(lua_tostring(L, -1));
}

static void time_verb(struct side *side, const char *verb, long n) {
  run(side, verb, 1 + n / 50);  // warms up
  lua_gc(side->L, LUA_GCCOLLECT);
  unsigned long long begin = now_ns();
  run(side, verb, n);
  printf("%llu\n", now_ns() - begin);
}

static void cost_verb(struct side *side, const char *verb, long n) {
  run(side, verb, 1000);
  side->allocate = lua_getallocf(side->L, &side->allocate_ctx);
  lua_gc(side->L, LUA_GCSTOP);  // the collector's own lists are no verb's
  lua_setallocf(side->L, count_block, side);
  side->blocks = side->bytes = 0;
  run(side, verb, n);
  lua_setallocf(side->L, side->allocate, side->allocate_ctx);
  lua_gc(side->L, LUA_GCRESTART);
  printf("%llu %llu\n", side->blocks, side->bytes);
}

static void list_verbs(struct side *side) {
  for (lua_pushnil(side->L); lua_next(side->L, 1); lua_pop(side->L, 1))
    printf("%s ", lua_tostring(side->L, -2));
  printf("\n");
}

static void obey(const char *line) {
  char what[16], name[16], verb[32];
  long n = 0;
  int fields = sscanf(line, "%15s %15s %31s %ld", what, name, verb, &n);
  if (fields == 4 && strcmp(what, "time") == 0)
    time_verb(find_side(name), verb, n);
  else if (fields == 4 && strcmp(what, "cost") == 0)
    cost_verb(find_side(name), verb, n);
  else if (fields == 2 && strcmp(what, "verbs") == 0)
    list_verbs(find_side(name));
  else
    fail("no such command");
  fflush(stdout);
}

int main(int argc, char **argv) {
  char line[128];
  if (argc != 2 && (argc != 6 || strcmp(argv[2], "once") != 0))
    fail("usage: FOLDER [once SIDE VERB N]");
  folder = argv[1];
  if (argc == 6)
    run(find_side(argv[3]), argv[4], atol(argv[5]));
  else
    while (fgets(line, sizeof line, stdin)) obey(line);
  return 0;
}
