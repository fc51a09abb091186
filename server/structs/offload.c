// A call on the pool is a block of its own, which owns a reference of all bytes that it uses: it
// may outlive its task, and its Lua state. Only the loop's thread touches pins and the queue.
//
//   queue: oldest first; its first job has a piece on the pool. When the piece has ended, the job
//   goes to the end, or away: all done (its task is woken, and frees it), or abandoned.
#include "structs/offload.h"

#include <assert.h>
#include <lauxlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "io/job.h"
#include "runtime/wait.h"
#include "structs/state.h"

enum { PIECE_MS = 2, LONG_MS = 5 };

struct pl_offload {
  struct pl_loop *loop;
  struct pl_list jobs;  // oldest first
  bool is_busy;         // the first of them has a piece on the pool
  bool is_closed;       // the state is gone
  uint64_t unwaited;
};

// On the stack of the task that waits. When it is killed after its job has ended, nobody else
// would free that.
struct guard {
  struct job *job;
};

struct job {
  struct pl_job on_pool;
  struct pl_list link;
  struct pl_wait wait;
  struct pl_offload *offload;
  struct guard *guard;
  size_t done;        // elements
  bool is_abandoned;  // its task was cancelled
  union {
    struct pl_work work;
    char bytes[PL_WORK_SIZE_MAX];
  };
};

// The state ends; what still runs on the pool ends by itself.
static int close_offload(lua_State *L) {
  struct pl_offload **holder = lua_touserdata(L, 1);
  if (!*holder) return 0;
  (*holder)->is_closed = true;
  if (!(*holder)->is_busy) pl_mem_free(*holder);
  *holder = NULL;
  return 0;
}

void pl_offload_open(lua_State *L, struct pl_loop *loop) {
  struct pl_offload **holder = lua_newuserdatauv(L, sizeof *holder, 0);
  *holder = NULL;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, close_offload);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_ref(L, LUA_REGISTRYINDEX);
  *holder = pl_mem_zalloc(sizeof **holder);
  if (!*holder) luaL_error(L, "not enough memory");
  (*holder)->loop = loop;
  pl_list_init(&(*holder)->jobs);
  pl_structs_of(L)->offload = *holder;
}

uint64_t pl_offload_unwaited(const struct pl_offload *offload) {
  return offload->unwaited;
}

// ---- jobs ----

static void hold(struct job *job) {
  if (job->work.hold) job->work.hold(&job->work);
  for (size_t i = 0; i < PL_WORK_BYTES_MAX; i++) {
    if (!job->work.bytes[i]) continue;
    pl_bytes_ref(job->work.bytes[i]);
    pl_bytes_pin(job->work.bytes[i], job->work.name);
  }
}

static void free_job(struct job *job) {
  if (job->work.drop) job->work.drop(&job->work);
  for (size_t i = 0; i < PL_WORK_BYTES_MAX; i++) {
    if (!job->work.bytes[i]) continue;
    pl_bytes_unpin(job->work.bytes[i]);
    pl_bytes_unref(job->work.bytes[i]);
  }
  pl_mem_free(job);
}

static size_t piece_of(const struct job *job) {
  size_t piece = (job->work.rate ? job->work.rate : 1) * PIECE_MS;
  size_t left = job->work.count - job->done;
  return piece < left ? piece : left;
}

static void run_piece(struct pl_job *base) {
  struct job *job = PL_CONTAINER_OF(base, struct job, on_pool);
  job->work.run(&job->work, job->done, piece_of(job));
}

static void start_next(struct pl_offload *o);

// All of it, one way or the other: off the pool it may take long, but it is right.
static void run_rest(struct job *job) {
  job->work.run(&job->work, job->done, job->work.count - job->done);
  job->done = job->work.count;
}

static void end_job(struct job *job) {
  pl_list_remove(&job->link);
  if (job->is_abandoned)
    free_job(job);
  else
    pl_wait_complete(&job->wait);
}

static void on_piece_done(struct pl_job *base, int status) {
  struct job *job = PL_CONTAINER_OF(base, struct job, on_pool);
  struct pl_offload *o = job->offload;
  o->is_busy = false;
  if (status == 0) job->done += piece_of(job);
  pl_list_remove(&job->link);
  pl_list_push_back(&o->jobs, &job->link);
  if (job->is_abandoned || job->done == job->work.count) end_job(job);
  if (o->is_closed)
    pl_mem_free(o);
  else
    start_next(o);
}

static void start_next(struct pl_offload *o) {
  while (!o->is_busy && !pl_list_is_empty(&o->jobs)) {
    struct job *job = PL_CONTAINER_OF(o->jobs.next, struct job, link);
    job->on_pool = (struct pl_job){.work = run_piece, .on_done = on_piece_done};
    o->is_busy = pl_job_start(&job->on_pool, o->loop) == 0;
    if (o->is_busy) return;
    run_rest(job);
    end_job(job);
  }
}

// ---- calls ----

// The job's piece may be on the pool: it is freed when that has ended, or at once.
static void cancel_job(struct pl_wait *wait) {
  struct job *job = PL_CONTAINER_OF(wait, struct job, wait);
  struct pl_offload *o = job->offload;
  job->guard->job = NULL;
  job->is_abandoned = true;
  if (o->is_busy && o->jobs.next == &job->link) return;
  pl_list_remove(&job->link);
  free_job(job);
}

static int free_guarded(lua_State *L) {
  struct guard *guard = lua_touserdata(L, 1);
  if (guard->job) free_job(guard->job);
  guard->job = NULL;
  return 0;
}

/* -> guard */
static int new_guard(lua_State *L) {
  struct guard *guard = lua_newuserdatauv(L, sizeof *guard, 0);
  guard->job = NULL;
  if (luaL_newmetatable(L, "perilune.offload")) {
    lua_pushcfunction(L, free_guarded);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return 1;
}

// Protected: the job has its bytes by then, or a finaliser that this runs could take them away.
static struct guard *push_guard(lua_State *L, struct job *job) {
  lua_pushcfunction(L, new_guard);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) {
    free_job(job);
    lua_error(L);
  }
  return lua_touserdata(L, -1);
}

/* stack: what pl_offload was called with, guard */
static int finish_job(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  struct job *job = (struct job *)ctx;
  job->guard->job = NULL;
  lua_pop(L, 1);
  union {
    struct pl_work work;
    char bytes[PL_WORK_SIZE_MAX];
  } copy;
  memcpy(copy.bytes, job->bytes, job->work.size);
  job->work.drop = NULL;
  free_job(job);
  return copy.work.finish(L, &copy.work);
}

static int start_job(lua_State *L, struct pl_offload *o, const struct pl_work *work) {
  pl_wait_check(L, work->name);
  luaL_checkstack(L, 4, NULL);
  struct job *job = pl_mem_alloc(sizeof *job);
  if (!job) return luaL_error(L, "not enough memory");
  memset(job, 0, offsetof(struct job, bytes));
  memcpy(job->bytes, work, work->size);
  job->offload = o;
  hold(job);
  struct guard *guard = push_guard(L, job);
  job->guard = guard;
  guard->job = job;
  pl_wait_begin(L, &job->wait, work->name, cancel_job);
  pl_list_push_back(&o->jobs, &job->link);
  start_next(o);
  return pl_wait_yield(L, (lua_KContext)job, finish_job);
}

static bool can_wait(lua_State *L) {
  const struct pl_task *task = pl_task_current(L);
  return task && lua_isyieldable(L) && pl_wait_chain_is_yieldable(task);
}

static int run_here(lua_State *L, struct pl_work *work) {
  work->run(work, 0, work->count);
  return work->finish(L, work);
}

int pl_offload(lua_State *L, struct pl_work *work) {
  struct pl_offload *o = pl_structs_of(L)->offload;
  assert(work->size <= PL_WORK_SIZE_MAX);
  bool is_short = work->count <= work->rate * LONG_MS;
  if (PL_LIKELY(is_short || !o->loop)) return run_here(L, work);
  if (can_wait(L)) return start_job(L, o, work);
  o->unwaited++;
  return run_here(L, work);
}
