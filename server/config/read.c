// Runs the configuration file and walks the table that it returns, twice: once along the keys of
// config.def, in their order, and once along the table to find what is no key.
//
// Everything that may raise runs inside one lua_pcall. Lua's strings stay on its stack while C code
// looks at them; C memory is only taken by pl_config_set and the report, which never raise.
#include "config/read.h"

#include "base/error.h"
#include "base/mem.h"
#include "config/environment.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>

enum {
  MOST_FILE_BYTES = 1 << 20,
  MOST_HEAP_BYTES = 64 << 20,
  MOST_STEPS = 10 * 1000 * 1000,
  MOST_LIST_ITEMS = 4096
};

struct reader {
  struct pl_config *config;
  const char *name;  ///< of the file
  struct pl_strv text;
  char *const *environment;
  struct pl_config_report *report;
  size_t heap_bytes;
};

static void *allocate(void *ud, void *block, size_t old_size, size_t size) {
  struct reader *reader = ud;
  size_t held = reader->heap_bytes - (block ? old_size : 0);
  if (size == 0) {
    pl_mem_free(block);
    reader->heap_bytes = held;
    return NULL;
  }
  if (size > MOST_HEAP_BYTES - held) return NULL;
  void *moved = pl_mem_realloc(block, size);
  if (moved) reader->heap_bytes = held + size;
  return moved;
}

static void stop_loop(lua_State *L, lua_Debug *activation) {
  (void)activation;
  luaL_where(L, 0);  // luaL_error would name the caller of the running function
  lua_pushfstring(L, "the file does not come to an end (%d million steps)", MOST_STEPS / 1000000);
  lua_concat(L, 2);
  lua_error(L);
}

// env(name [, default]): the variable's value, or the default when it is not set or empty.
static int env(lua_State *L) {
  const struct reader *reader = lua_touserdata(L, lua_upvalueindex(1));
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 2);
  const char *value = pl_config_environment_find(reader->environment, name);
  if (value) lua_pushstring(L, value);
  return 1;
}

// --- one value -----------------------------------------------------------------------------------

// The item on top of the stack as text; it stays there. Returns: false when it is no scalar.
static bool to_text(lua_State *L, struct pl_strv *text) {
  if (lua_type(L, -1) == LUA_TNUMBER) {
    int is_integer;
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);
    if (is_integer) {
      lua_pushinteger(L, n);
      lua_replace(L, -2);
    }
  } else if (lua_type(L, -1) != LUA_TSTRING) {
    return false;
  }
  text->data = lua_tolstring(L, -1, &text->len);
  return true;
}

static void set_key(struct reader *reader, int key, const struct pl_config_input *input) {
  pl_config_set(reader->config, key, input, PL_CONFIG_FILE, reader->name, reader->report);
}

static size_t count_entries(lua_State *L) {
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) count++;
  return count;
}

// stack: list. Sets the key from a table 1..n of texts and numbers. The texts stay on the stack,
// anchored, until the key is set.
static void set_from_list(lua_State *L, struct reader *reader, int key) {
  size_t count = lua_rawlen(L, -1);
  struct pl_strv what = PL_STRV("table");
  struct pl_config_input input = {PL_CONFIG_FORM_OTHER, &what, 1};
  bool is_list = count <= MOST_LIST_ITEMS && count_entries(L) == count;
  int list = lua_gettop(L);
  luaL_checkstack(L, (int)(is_list ? count + 2 : 2), NULL);
  struct pl_strv *items = lua_newuserdatauv(L, (count + 1) * sizeof *items, 0);
  for (size_t i = 0; i < count && is_list; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    is_list = to_text(L, &items[i]);
  }
  if (is_list) input = (struct pl_config_input){PL_CONFIG_FORM_LIST, items, count};
  set_key(reader, key, &input);
  lua_settop(L, list);
}

// stack: value
static void set_from_value(lua_State *L, struct reader *reader, int key) {
  int type = lua_type(L, -1);
  struct pl_strv text;
  struct pl_config_input input = {PL_CONFIG_FORM_OTHER, &text, 1};
  if (type == LUA_TTABLE) {
    set_from_list(L, reader, key);
    return;
  }
  if (type == LUA_TBOOLEAN) {
    input.form = PL_CONFIG_FORM_BOOLEAN;
    text = pl_strv_of(lua_toboolean(L, -1) ? "true" : "false");
  } else if (to_text(L, &text)) {
    input.form = type == LUA_TNUMBER ? PL_CONFIG_FORM_NUMBER : PL_CONFIG_FORM_STRING;
  } else {
    text = pl_strv_of(lua_typename(L, type));
  }
  set_key(reader, key, &input);
}

// --- the table -----------------------------------------------------------------------------------

// stack: table. Pushes what stands under "section.name", or nil.
static void push_by_path(lua_State *L, const char *path) {
  lua_pushvalue(L, -1);
  while (*path && lua_istable(L, -1)) {
    size_t len = strcspn(path, ".");
    lua_pushlstring(L, path, len);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    path += len + (path[len] == '.');
  }
  if (*path) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
}

static bool is_section(struct pl_strv name) {
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    const char *known = pl_config_keys[key].name;
    if (strlen(known) > name.len && memcmp(known, name.data, name.len) == 0 &&
        known[name.len] == '.') {
      return true;
    }
  }
  return false;
}

static void check_names(lua_State *L, struct reader *reader, const char *prefix);

// stack: key, value. Reports a key that is none; looks into sections.
static void check_name(lua_State *L, struct reader *reader, const char *prefix) {
  struct pl_config_report *report = reader->report;
  if (lua_type(L, -2) != LUA_TSTRING) {
    lua_pushvalue(L, -2);
    const char *shown = luaL_tolstring(L, -1, NULL);
    pl_config_report_error(report, "%s: unknown key [%s]: keys are names", reader->name, shown);
    lua_pop(L, 2);
    return;
  }
  lua_pushfstring(L, "%s", prefix);
  lua_pushvalue(L, -3);
  lua_concat(L, 2);
  struct pl_strv name;
  name.data = lua_tolstring(L, -1, &name.len);
  size_t own_len = lua_rawlen(L, -3);
  bool has_dot = memchr(name.data + name.len - own_len, '.', own_len) != NULL;
  if (has_dot) {
    pl_config_report_error(report, "%s: [\"%s\"]: a section is a table: log = { level = \"info\" }",
                           reader->name, lua_tostring(L, -3));
  } else if (is_section(name) && lua_istable(L, -2)) {
    lua_pushvalue(L, -2);
    check_names(L, reader, lua_pushfstring(L, "%s.", name.data));
    lua_pop(L, 2);
  } else if (is_section(name)) {
    pl_config_report_error(report, "%s: %s: a table of keys is expected", reader->name, name.data);
  } else if (pl_config_find_key(name) < 0) {
    pl_config_report_unknown_key(report, reader->name, name);
  }
  lua_pop(L, 1);
}

// stack: table [, prefix]
static void check_names(lua_State *L, struct reader *reader, const char *prefix) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  int table = *prefix ? lua_gettop(L) - 1 : lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) check_name(L, reader, prefix);
}

// stack: table
static void read_table(lua_State *L, struct reader *reader) {
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    push_by_path(L, pl_config_keys[key].name);
    if (!lua_isnil(L, -1)) set_from_value(L, reader, key);
    lua_pop(L, 1);
  }
  size_t first = reader->report->count;
  check_names(L, reader, "");
  pl_config_report_sort(reader->report, first);  // lua_next has no order
}

// --- the file ------------------------------------------------------------------------------------

static int run_protected(lua_State *L) {
  struct reader *reader = lua_touserdata(L, 1);
  lua_settop(L, 0);
  lua_pushfstring(L, "@%s", reader->name);
  int rc = luaL_loadbufferx(L, reader->text.data, reader->text.len, lua_tostring(L, 1), "t");
  if (rc != LUA_OK) return lua_error(L);
  lua_newtable(L);
  lua_pushlightuserdata(L, reader);
  lua_pushcclosure(L, env, 1);
  lua_setfield(L, -2, "env");
  lua_setupvalue(L, -2, 1);
  lua_sethook(L, stop_loop, LUA_MASKCOUNT, MOST_STEPS);
  lua_call(L, 0, 1);
  lua_sethook(L, NULL, 0, 0);
  if (!lua_istable(L, -1)) {
    pl_config_report_error(reader->report,
                           "%s: it returns %s: a table is expected (return { ... })", reader->name,
                           luaL_typename(L, -1));
    return 0;
  }
  read_table(L, reader);
  return 0;
}

void pl_config_read_text(struct pl_config *config, const char *name, struct pl_strv text,
                         char *const *environment, struct pl_config_report *report) {
  struct reader reader = {config, name, text, environment, report, 0};
  lua_State *L = lua_newstate(allocate, &reader);
  if (!L) {
    report->is_out_of_memory = true;
    return;
  }
  lua_pushcfunction(L, run_protected);
  lua_pushlightuserdata(L, &reader);
  int rc = lua_pcall(L, 1, 0, 0);
  if (rc == LUA_ERRMEM) {
    pl_config_report_error(report, "%s: not enough memory (a file may use %d MB)", name,
                           MOST_HEAP_BYTES >> 20);
  } else if (rc != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    pl_config_report_error(report, "%s", message ? message : name);
  }
  lua_close(L);
}

// Returns: 0, PL_ELIMIT, PL_ENOMEM or a negative errno value.
static int read_all(FILE *file, struct pl_buf *text) {
  for (;;) {
    char *to = pl_buf_reserve(text, BUFSIZ);
    if (!to) return PL_ENOMEM;
    errno = 0;
    size_t n = fread(to, 1, BUFSIZ, file);
    pl_buf_grew(text, n);
    if (pl_buf_len(text) > MOST_FILE_BYTES) return PL_ELIMIT;
    if (n == 0) return ferror(file) ? -errno : 0;
  }
}

void pl_config_read_file(struct pl_config *config, const char *path, bool is_optional,
                         char *const *environment, struct pl_config_report *report) {
  FILE *file = fopen(path, "re");
  if (!file && is_optional && errno == ENOENT) return;
  struct pl_buf text = {0};
  int rc = file ? read_all(file, &text) : -errno;
  if (file) fclose(file);
  if (rc == 0) {
    pl_config_read_text(config, path, pl_buf_view(&text), environment, report);
  } else if (rc == PL_ENOMEM) {
    report->is_out_of_memory = true;
  } else {
    pl_config_report_error(report, "%s: cannot read it: %s", path, pl_error_text(rc));
  }
  pl_buf_deinit(&text);
}
