// A view converts nothing (structs.md 4.6, D3): over bytes that nobody may even read, an array is
// made, measured and cut; the first element that is read faults, at its very address.
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "struct_bench.h"

enum { PAGE = 4096, PAGES = 4 };

static sigjmp_buf jump;
static const char *volatile fault_at;

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  fault_at = info->si_addr;
  siglongjmp(jump, 1);
}

struct guarded {
  struct bench bench;
  char *page;
  struct sigaction before_segv;
  struct sigaction before_bus;
};

/* -> bytes over the guarded pages */
static int push_guarded(lua_State *L) {
  struct guarded *g = lua_touserdata(L, lua_upvalueindex(1));
  struct pl_bytes *bytes = pl_mem_zalloc(sizeof *bytes);
  if (!bytes) return luaL_error(L, "not enough memory");
  bytes->data = g->page;
  bytes->size = bytes->cap = (size_t)PAGE * PAGES - PL_BYTES_PAD;
  bytes->map = g->page;
  bytes->map_bytes = (size_t)PAGE * PAGES;
  atomic_init(&bytes->refs, 1);
  pl_box_push(L, bytes);
  return 1;
}

static void open_guarded(struct guarded *g) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  bench_open(&g->bench);
  g->page = mmap(NULL, (size_t)PAGE * PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(g->page, MAP_FAILED);
  lua_State *L = g->bench.fake.vm.L;
  lua_pushlightuserdata(L, g);
  lua_pushcclosure(L, push_guarded, 1);
  lua_setglobal(L, "guarded");
  sigaction(SIGSEGV, &action, &g->before_segv);
  sigaction(SIGBUS, &action, &g->before_bus);
}

static void close_guarded(struct guarded *g, const char *expected) {
  sigaction(SIGSEGV, &g->before_segv, NULL);
  sigaction(SIGBUS, &g->before_bus, NULL);
  fake_expect(&g->bench.fake, expected);
  bench_close(&g->bench);
}

static void passes(struct guarded *g, const char *script) {
  fake_start(&g->bench.fake, script);
  fake_run(&g->bench.fake);
}

static const char make_views[] =
    "local b = guarded()\n"
    "rays = ray.array(b, 8, 600)\n"
    "points = rays:field'direction'\n"
    "assert(#b == 4 * 4096 - 16 and #rays == 600 and #points == 600)\n"
    "assert(struct.typeof(rays) == ray and struct.typeof(points) == vec3)\n"
    "assert(not rays:is_frozen() and tostring(rays) == 'ray[600]')\n"
    "assert(#rays:slice(100, 200) == 101 and #b:slice(100) == #b - 100)\n"
    "assert(rays[601] == nil and rays[0] == nil)\n"
    "element, fixed = rays[3], mat3.at(b, 40).columns\n"
    "assert(#fixed == 3)\n";

// The address of what the script's global reads first.
static const char *first_fault(struct guarded *g, const char *expression) {
  lua_State *L = g->bench.fake.vm.L;
  fault_at = NULL;
  assert_int_equal(luaL_loadstring(L, expression), LUA_OK);
  if (sigsetjmp(jump, 1) == 0) lua_call(L, 0, 0);
  return fault_at;
}

// Leaves a Lua call by siglongjmp: the state is not used for anything else afterwards.
static void first_read_faults_at(const char *expression, ptrdiff_t offset) {
  struct guarded g;
  pid_t child = fork();
  if (child == 0) {
    open_guarded(&g);
    passes(&g, make_views);
    const char *at = first_fault(&g, expression);
    _exit(at == g.page + offset ? 0 : at ? 1 : 2);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("%s: %d", expression, status);
}

static void views_of_unreadable_bytes_are_made_and_measured(void **state) {
  (void)state;
  struct guarded g;
  open_guarded(&g);
  passes(&g, make_views);
  close_guarded(&g, "done\n");
}

static void the_first_read_faults_at_the_elements_address(void **state) {
  (void)state;
  first_read_faults_at("return rays:get(1)", 8);
  first_read_faults_at("return rays:get(7)", 8 + 6 * 24);
  first_read_faults_at("return rays[600].origin.x", 8 + 599 * 24);
  first_read_faults_at("return points[2].y", 8 + 24 + 12 + 4);
  first_read_faults_at("return element.direction.z", 8 + 2 * 24 + 20);
  first_read_faults_at("return points:slice(5):get(1)", 8 + 4 * 24 + 12);
  first_read_faults_at("for i, x in points:each() do end", 8 + 12);
  first_read_faults_at("return fixed[2].x", 40 + 12);
}

static void bytes_that_may_only_be_read_are_read_and_refuse_writes(void **state) {
  (void)state;
  struct guarded g;
  open_guarded(&g);
  passes(&g, "kept = guarded()\n");
  assert_int_equal(mprotect(g.page, (size_t)PAGE * PAGES, PROT_READ), 0);
  passes(&g,
         "rays = ray.array(kept, 8, 600):freeze()\n"
         "local v, d = rays[3], rays:field'direction'\n"
         "assert(v.origin.x == 0 and d:get(600) == 0 and #rays:pack() == 600 * 24)\n"
         "assert(d:sum().x == 0 and d:length():sum() == 0)\n"
         "for _, f in ipairs{function() rays[1] = ray() end, function() v.origin.x = 1 end,\n"
         "    function() v.origin = {1, 2, 3} end, function() rays:set(1, 1, 2, 3, 4, 5, 6) end,\n"
         "    function() d:add(1, d) end, function() d[2] = vec3() end,\n"
         "    function() d:field('x'):sort_by(d:field('y'), d:field('x')) end,\n"
         "    function() kept:set('u8', 0, 1) end, function() kept:fill(1) end,\n"
         "    function() kept:copy('x') end, function() vec3.add(vec3(), vec3(), d[1]) end,\n"
         "    function() d:scatter(struct.u32.array{1}, vec3()) end,\n"
         "    function() v.direction:set(1, 2, 3) end, function() d:sum(d[1]) end} do\n"
         "  assert(fails(f):find'frozen')\n"
         "end\n");
  passes(&g, "kept = nil rays = nil collectgarbage()");
  close_guarded(&g, "done\ndone\ndone\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(views_of_unreadable_bytes_are_made_and_measured),
      cmocka_unit_test(the_first_read_faults_at_the_elements_address),
      cmocka_unit_test(bytes_that_may_only_be_read_are_read_and_refuse_writes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
