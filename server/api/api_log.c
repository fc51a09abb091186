// perilune.log: debug, info, warn, error, with.
//
// A log call in an error path must not make things worse: nothing here raises for what it is given,
// calls a metamethod or waits. Lua values are read raw and turned into text in a buffer of fixed
// size, so that no Lua memory is taken either. A level that is off costs one comparison.
//
// Each function has an upvalue: the table of fields that with() was given, or nil. The module's own
// functions have none.
#include "api/api_log_context.h"

#include "api/api.h"
#include "base/log.h"
#include "runtime/value.h"

#include <lauxlib.h>
#include <stdio.h>

enum { MOST_FIELDS = 64, TEXT_BYTES = PL_LOG_LINE_BYTES, DEEPEST_TABLE = 4, STACK_SLOTS = 16 };

// The fields of one line, sorted by name, and the text of those that are no scalars.
struct entry {
  struct pl_log_field fields[MOST_FIELDS + PL_API_LOG_CONTEXT_FIELDS];
  size_t count;
  char text[TEXT_BYTES];
  size_t text_len;
};

// ---- values as text

static void add_text(struct entry *e, const char *bytes, size_t len) {
  size_t room = sizeof e->text - e->text_len;
  if (len > room) len = room;
  memcpy(e->text + e->text_len, bytes, len);
  e->text_len += len;
}

static bool is_text_full(const struct entry *e) {
  return e->text_len == sizeof e->text;
}

static void add_number(lua_State *L, int index, struct entry *e) {
  char digits[64];
  int len = lua_isinteger(L, index)
                ? snprintf(digits, sizeof digits, LUA_INTEGER_FMT, lua_tointeger(L, index))
                : snprintf(digits, sizeof digits, LUA_NUMBER_FMT, lua_tonumber(L, index));
  add_text(e, digits, (size_t)len);
}

// Anything but a table.
static void add_plain(lua_State *L, int index, struct entry *e, bool is_quoted) {
  char address[64];
  const char *string;
  size_t len;
  switch (lua_type(L, index)) {
  case LUA_TNIL:
    add_text(e, "nil", 3);
    break;
  case LUA_TBOOLEAN:
    if (lua_toboolean(L, index)) {
      add_text(e, "true", 4);
    } else {
      add_text(e, "false", 5);
    }
    break;
  case LUA_TNUMBER:
    add_number(L, index, e);
    break;
  case LUA_TSTRING:
    string = lua_tolstring(L, index, &len);
    if (is_quoted) add_text(e, "\"", 1);
    add_text(e, string, len);
    if (is_quoted) add_text(e, "\"", 1);
    break;
  default:
    snprintf(address, sizeof address, "%s: %p", luaL_typename(L, index), lua_topointer(L, index));
    add_text(e, address, strlen(address));
  }
}

static void add_key(lua_State *L, int index, struct entry *e) {
  bool is_name = lua_type(L, index) == LUA_TSTRING;
  if (!is_name) add_text(e, "[", 1);
  add_plain(L, index, e, false);
  if (!is_name) add_text(e, "]", 1);
  add_text(e, "=", 1);
}

static void add_value(lua_State *L, int index, struct entry *e, int depth);

// {1, 2, name="x", [true]=2}; the list's numbers are left out.
static void add_table(lua_State *L, int index, struct entry *e, int depth) {
  bool is_first = true;
  lua_Integer next = 1;
  add_text(e, "{", 1);
  lua_pushnil(L);
  while (lua_next(L, index)) { /* stack: key, value */
    if (!is_first) add_text(e, ", ", 2);
    is_first = false;
    if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == next) {
      next++;
    } else {
      add_key(L, lua_absindex(L, -2), e);
    }
    add_value(L, lua_absindex(L, -1), e, depth + 1);
    lua_pop(L, 1);
    if (!is_text_full(e)) continue;
    lua_pop(L, 1);
    break;
  }
  add_text(e, "}", 1);
}

static void add_value(lua_State *L, int index, struct entry *e, int depth) {
  if (!lua_istable(L, index)) {
    add_plain(L, index, e, true);
  } else if (depth >= DEEPEST_TABLE || !lua_checkstack(L, STACK_SLOTS)) {
    add_text(e, "{...}", 5);
  } else {
    add_table(L, index, e, depth);
  }
}

// An error object's text, without its metamethod. Returns: whether it has one.
static bool add_error_message(lua_State *L, int index, struct entry *e) {
  bool has_message = false;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING &&
        strcmp(lua_tostring(L, -2), "message") == 0) {
      add_plain(L, lua_gettop(L), e, false);
      has_message = true;
    }
    lua_pop(L, 1);
  }
  return has_message;
}

// The value as text; valid as long as the entry and the value.
static struct pl_strv text_of(lua_State *L, int index, struct entry *e) {
  struct pl_strv s;
  if (lua_type(L, index) == LUA_TSTRING) {
    s.data = lua_tolstring(L, index, &s.len);
    return s;
  }
  size_t begin = e->text_len;
  if (!pl_value_is_error(L, index) || !add_error_message(L, index, e)) add_value(L, index, e, 0);
  return pl_strv(e->text + begin, e->text_len - begin);
}

// ---- fields

static int compare_names(struct pl_strv a, struct pl_strv b) {
  size_t shorter = a.len < b.len ? a.len : b.len;
  int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
  return order ? order : (a.len > b.len) - (a.len < b.len);
}

// Puts the field at its place in the order of names; one of that name is replaced.
static void add_field(struct entry *e, struct pl_log_field field) {
  size_t at = e->count;
  while (at > 0 && compare_names(field.name, e->fields[at - 1].name) < 0) at--;
  if (at > 0 && compare_names(field.name, e->fields[at - 1].name) == 0) {
    e->fields[at - 1] = field;
  } else if (e->count < MOST_FIELDS) {
    memmove(&e->fields[at + 1], &e->fields[at], (e->count - at) * sizeof field);
    e->fields[at] = field;
    e->count++;
  }
}

/* stack: ..., key, value */
static void add_pair(lua_State *L, struct entry *e) {
  struct pl_log_field field = {.name = text_of(L, lua_absindex(L, -2), e)};
  switch (lua_type(L, -1)) {
  case LUA_TBOOLEAN:
    field.kind = PL_LOG_BOOLEAN;
    field.value.boolean = lua_toboolean(L, -1);
    break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, -1)) {
      field.kind = PL_LOG_INTEGER;
      field.value.integer = lua_tointeger(L, -1);
    } else {
      field.kind = PL_LOG_FLOAT;
      field.value.number = lua_tonumber(L, -1);
    }
    break;
  default:
    field.kind = PL_LOG_STRING;
    field.value.string = text_of(L, lua_absindex(L, -1), e);
  }
  add_field(e, field);
}

// Every pair of the table at index; anything but a table is one field, "value".
static void add_fields(lua_State *L, int index, struct entry *e) {
  if (lua_isnoneornil(L, index)) return;
  if (!lua_istable(L, index)) {
    add_field(e, (struct pl_log_field){
                     PL_STRV("value"), PL_LOG_STRING, {.string = text_of(L, index, e)}});
    return;
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    add_pair(L, e);
    lua_pop(L, 1);
  }
}

// The request's fields come last; a name that the script has taken stays the script's.
static void add_context(lua_State *L, struct entry *e) {
  struct pl_log_field context[PL_API_LOG_CONTEXT_FIELDS];
  size_t count = 0, own = e->count;
  pl_api_log_context(L, context, &count);
  for (size_t i = 0; i < count; i++) {
    bool is_taken = false;
    for (size_t k = 0; k < own && !is_taken; k++) {
      is_taken = pl_strv_eq(e->fields[k].name, context[i].name);
    }
    if (!is_taken) e->fields[e->count++] = context[i];
  }
}

// ---- functions

/* stack: message, fields */
static int write_entry(lua_State *L, enum pl_log_level level) {
  if (!pl_log_is_enabled(level) || !lua_checkstack(L, STACK_SLOTS)) return 0;
  struct entry e;
  e.count = e.text_len = 0;
  lua_settop(L, 2);
  struct pl_strv message = text_of(L, 1, &e);
  add_fields(L, lua_upvalueindex(1), &e);
  add_fields(L, 2, &e);
  add_context(L, &e);
  pl_log_fields(level, message, e.fields, e.count);
  return 0;
}

static int log_debug(lua_State *L) {
  return write_entry(L, PL_LOG_DEBUG);
}

static int log_info(lua_State *L) {
  return write_entry(L, PL_LOG_INFO);
}

static int log_warn(lua_State *L) {
  return write_entry(L, PL_LOG_WARN);
}

static int log_error(lua_State *L) {
  return write_entry(L, PL_LOG_ERROR);
}

// Copies the pairs of the table at `from` into the one on top of the stack; 0 or no table: nothing.
static void copy_pairs(lua_State *L, int from) {
  if (!lua_istable(L, from)) return;
  int to = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2); /* stack: key, key, value */
    lua_rawset(L, to);
  }
}

static int log_with(lua_State *L);

static const struct pl_api_fn functions[] = {
    {"debug", log_debug, PL_API_PURE, "(message: any, fields?: table)",
     "Writes a log line that only log.level = \"debug\" shows."},
    {"info", log_info, PL_API_PURE, "(message: any, fields?: table)", "Writes a log line."},
    {"warn", log_warn, PL_API_PURE, "(message: any, fields?: table)",
     "Writes a log line about something that deserves a look."},
    {"error", log_error, PL_API_PURE, "(message: any, fields?: table)",
     "Writes a log line about something that failed. It raises nothing."},
    {"with", log_with, PL_API_PURE, "(fields: table): perilune.Log",
     "Returns the same functions, which add these fields to each line."},
    {NULL, NULL, 0, NULL, NULL},
};

// The fields are copied now: what becomes of the caller's table does not matter.
static int log_with(lua_State *L) {
  lua_settop(L, 1);
  lua_newtable(L); /* stack: given, fields */
  copy_pairs(L, lua_upvalueindex(1));
  copy_pairs(L, 1);
  lua_createtable(L, 0, (int)PL_ARRAY_LEN(functions) - 1);
  for (const struct pl_api_fn *row = functions; row->name; row++) {
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, row->fn, 1);
    lua_setfield(L, -2, row->name);
  }
  return 1;
}

const struct pl_api_module pl_api_log = {"perilune.log", functions, NULL};
