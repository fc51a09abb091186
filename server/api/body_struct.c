// req:bytes, req:array, req:struct. Packed bodies are not copied: what the script gets lies in the
// bytes that were received. JSON is converted (geometry/form_reader.h).
//
// All have one stack: request, T or nil, options. What is wrong with the head is told before a byte
// of the body is asked for.
#include "api/body_struct.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>

#include "api/body_reader.h"
#include "api/body_type.h"
#include "api/call.h"
#include "base/error.h"
#include "geometry/form_reader.h"
#include "geometry/struct_header.h"
#include "http/headers.h"
#include "runtime/wait.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/offload.h"
#include "structs/type.h"
#include "structs/value.h"

enum { REQUEST = 1, TYPE, OPTIONS };

enum { USE_BYTES, USE_ARRAY, USE_STRUCT };

static const char *const operations[] = {"req:bytes", "req:array", "req:struct"};

// ---- the head ----

static bool is_of_main_type(struct pl_strv type, struct pl_strv main) {
  return type.len > main.len && pl_strv_eq_nocase(pl_strv(type.data, main.len), main);
}

// Returns: 0; 415 and the reason pushed.
static int check_type(lua_State *L, const struct pl_call *call) {
  struct pl_strv type = pl_body_type(call);
  if (!is_of_main_type(type, PL_STRV("text/")) && !is_of_main_type(type, PL_STRV("multipart/")))
    return 0;
  pl_body_push_wrong_type(L, call, "application/octet-stream or application/json is");
  return 415;
}

// Returns: 0: there is none, or it says what is expected; 400, 415 and the reason pushed.
static int check_struct_header(lua_State *L, const struct pl_call *call,
                               const struct pl_layout *layout, struct pl_struct_header *header) {
  const struct pl_headers *headers = &call->x->request.headers;
  const struct pl_strv field = PL_STRV("perilune-struct");
  size_t at = pl_headers_find(headers, field, 0);
  *header = (struct pl_struct_header){.has_count = false};
  if (at == headers->count) return 0;
  bool is_one = pl_headers_find(headers, field, at + 1) == headers->count;
  if (!is_one || pl_struct_header_read(headers->items[at].value, header)) {
    lua_pushliteral(L, "the header Perilune-Struct is not like: vec3;count=2;hash=\"1b0a77...\"");
    return 400;
  }
  bool is_same =
      pl_strv_eq(header->name, layout->name) && (!header->has_hash || header->hash == layout->hash);
  if (is_same) return 0;
  char hash[32] = "", own[32];
  if (header->has_hash) snprintf(hash, sizeof hash, " #%016" PRIx64, header->hash);
  snprintf(own, sizeof own, " #%016" PRIx64, layout->hash);
  lua_pushliteral(L, "the body is ");
  lua_pushlstring(L, header->name.data, header->name.len);
  lua_pushfstring(L, "%s by its header Perilune-Struct, and %s%s is expected", hash,
                  layout->name.data, own);
  lua_concat(L, 3);
  return 415;
}

// ---- packed ----

static int fail_size(lua_State *L, size_t size, const struct pl_layout *layout, bool is_array) {
  if (is_array)
    lua_pushfstring(L, "the body has %I bytes, which is no multiple of the %d of a %s",
                    (lua_Integer)size, (int)layout->size, layout->name.data);
  else
    lua_pushfstring(L, "the body has %I bytes, and a %s has %d", (lua_Integer)size,
                    layout->name.data, (int)layout->size);
  return pl_body_fail_with(L, OPTIONS, 400, lua_tostring(L, -1));
}

// As the header says it. Returns: whether that is so; else the reason is pushed.
static bool check_count(lua_State *L, const struct pl_struct_header *header, size_t count) {
  if (!header->has_count || header->count == count) return true;
  lua_pushfstring(L, "the body has %I elements, and %I by its header Perilune-Struct",
                  (lua_Integer)count, (lua_Integer)header->count);
  return false;
}

static int finish_packed_array(lua_State *L, struct pl_call *call, struct pl_type *type,
                               const struct pl_struct_header *header) {
  size_t size = pl_body_view(L, call).len, stride = type->layout->size;
  if (size % stride) return fail_size(L, size, type->layout, true);
  if (!check_count(L, header, size / stride))
    return pl_body_fail_with(L, OPTIONS, 400, lua_tostring(L, -1));
  pl_body_push_box(L, call);
  pl_array_push(L, lua_gettop(L), type, 0, size / stride, 0);
  return 1;
}

static int finish_packed_struct(lua_State *L, struct pl_call *call, struct pl_type *type) {
  size_t size = pl_body_view(L, call).len;
  if (size != type->layout->size) return fail_size(L, size, type->layout, false);
  pl_body_push_box(L, call);
  pl_value_push_view(L, lua_gettop(L), type, 0);
  return 1;
}

// ---- JSON ----

static int fail_form(lua_State *L, int err, const char *problem) {
  if (err == PL_ENOMEM) return pl_body_fail(L, OPTIONS, err);
  return pl_body_fail_with(L, OPTIONS, err == PL_EMEMORY ? 413 : 400, problem);
}

// What the request and the worker may still hold.
static size_t bytes_left(lua_State *L) {
  const struct pl_vm *vm = pl_vm_of(L);
  const struct pl_account *account = vm->structs->account;
  const struct pl_charge *charge = vm->heap.charge;
  size_t left = charge && charge->limit ? charge->limit : SIZE_MAX / 4;
  if (!account) return left;
  size_t free = account->ceiling > account->bytes ? account->ceiling - account->bytes : 0;
  return left < free ? left : free;
}

// A list that is read, on the thread pool when it is long. What is read goes in one piece: a work
// of few elements of which the first does everything.
struct list_work {
  struct pl_work work;  // first: pl_offload copies the whole
  struct pl_strv text;
  const struct pl_layout *layout;
  size_t bytes_max;
  struct pl_struct_header header;
  struct pl_bytes *bytes;  // what was read; NULL before, and after a failure
  int err;
  char problem[PL_FORM_PROBLEM_MAX];
};

enum { LONG_TEXT_BYTES = 64 * 1024, LONG_WORK = 12 };

static void read_list(struct pl_work *work, size_t first, size_t count) {
  struct list_work *w = (struct list_work *)work;
  (void)count;
  if (first == 0)
    w->err = pl_form_read_array(w->text, w->layout, w->bytes_max, &w->bytes, w->problem);
}

static void drop_list(struct pl_work *work) {
  pl_bytes_unref(((struct list_work *)work)->bytes);
}

static int push_list(lua_State *L, struct pl_work *work) {
  struct list_work *w = (struct list_work *)work;
  if (w->err) return fail_form(L, w->err, w->problem);
  size_t count = w->bytes->size / w->layout->size;
  pl_box_push(L, w->bytes);
  if (!check_count(L, &w->header, count))
    return pl_body_fail_with(L, OPTIONS, 400, lua_tostring(L, -1));
  pl_array_push(L, lua_gettop(L), pl_type_get(L, TYPE), 0, count, 0);
  return 1;
}

static int finish_json_array(lua_State *L, struct pl_call *call, const struct pl_type *type,
                             const struct pl_struct_header *header) {
  struct list_work w = {.work = {.name = "req:array",
                                 .size = sizeof w,
                                 .run = read_list,
                                 .drop = drop_list,
                                 .finish = push_list},
                        .text = pl_body_view(L, call),
                        .layout = type->layout,
                        .bytes_max = bytes_left(L),
                        .header = *header};
  if (w.text.len > LONG_TEXT_BYTES) {
    w.work.count = LONG_WORK;
    w.work.bytes[0] = call->body_box ? call->body_box->bytes : call->x->body;
    return pl_offload(L, &w.work);
  }
  read_list(&w.work, 0, 1);
  return push_list(L, &w.work);
}

static int finish_json_struct(lua_State *L, struct pl_call *call, struct pl_type *type) {
  char problem[PL_FORM_PROBLEM_MAX];
  char *at = pl_value_push_new(L, type);
  int err = pl_form_read(pl_body_view(L, call), type->layout, at, problem);
  return err ? fail_form(L, err, problem) : 1;
}

// ---- all of them ----

static int finish(lua_State *L, struct pl_call *call, int which) {
  struct pl_struct_header header;
  if (which == USE_BYTES) {
    pl_body_push_box(L, call);
    return 1;
  }
  struct pl_type *type = pl_type_get(L, TYPE);
  int status = check_struct_header(L, call, type->layout, &header);
  if (status) return pl_body_fail_with(L, OPTIONS, status, lua_tostring(L, -1));
  bool is_json = pl_body_is_json(call);
  if (which == USE_STRUCT)
    return is_json ? finish_json_struct(L, call, type) : finish_packed_struct(L, call, type);
  return is_json ? finish_json_array(L, call, type, &header)
                 : finish_packed_array(L, call, type, &header);
}

static int read_whole(lua_State *L, int status, lua_KContext which) {
  (void)status;
  struct pl_call *call = pl_call_check(L, REQUEST);
  int rc = pl_body_keep(L, call, operations[which]);
  if (rc == PL_EAGAIN) return pl_body_wait(L, call, which, read_whole);
  if (rc) return pl_body_fail(L, OPTIONS, rc);
  return finish(L, call, (int)which);
}

int pl_api_request_bytes(lua_State *L) {
  pl_call_check(L, REQUEST);
  lua_settop(L, 2);
  lua_pushnil(L);
  lua_insert(L, TYPE);
  pl_body_check_options(L, OPTIONS);
  return read_whole(L, LUA_OK, USE_BYTES);
}

static int use_body(lua_State *L, int which) {
  struct pl_call *call = pl_call_check(L, REQUEST);
  struct pl_type *type = pl_type_check(L, TYPE);
  struct pl_struct_header header;
  lua_settop(L, OPTIONS);
  if (which == USE_STRUCT && type->layout->kind != PL_LAYOUT_STRUCT)
    luaL_argerror(L, TYPE, "a struct is expected, not a scalar or an enum");
  pl_body_check_options(L, OPTIONS);
  pl_type_push(L, type);
  lua_replace(L, TYPE);
  int status = check_type(L, call);
  if (!status) status = check_struct_header(L, call, type->layout, &header);
  if (status) return pl_body_fail_with(L, OPTIONS, status, lua_tostring(L, -1));
  return read_whole(L, LUA_OK, which);
}

int pl_api_request_array(lua_State *L) {
  return use_body(L, USE_ARRAY);
}

int pl_api_request_struct(lua_State *L) {
  return use_body(L, USE_STRUCT);
}
