// Forms. The fields go straight into the table: nothing is kept beside it.
#include "api/body_form.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "api/api.h"
#include "api/body_reader.h"
#include "api/call.h"
#include "api/multipart_reader.h"
#include "base/error.h"
#include "config/config.h"
#include "http/headers.h"
#include "http/query.h"

/// What is made of the fields.
struct form {
  int table;          ///< stack index
  int name;           ///< stack index of the wanted name; 0: the first value of each
  lua_Integer count;  ///< values in the list
};

static struct pl_strv wanted_name(lua_State *L, const struct form *form) {
  struct pl_strv name;
  name.data = lua_tolstring(L, form->name, &name.len);
  return name;
}

/* stack: ..., value -> ... */
static void add_field(lua_State *L, struct form *form, struct pl_strv name) {
  if (form->name) {
    if (pl_strv_eq(name, wanted_name(L, form)))
      lua_rawseti(L, form->table, ++form->count);
    else
      lua_pop(L, 1);
    return;
  }
  lua_pushlstring(L, name.data, name.len);
  lua_pushvalue(L, -1);
  bool is_first = lua_rawget(L, form->table) == LUA_TNIL;
  lua_pop(L, 1);
  if (is_first) {
    lua_insert(L, -2);
    lua_rawset(L, form->table);
  } else {
    lua_pop(L, 2);
  }
}

static int add_encoded(lua_State *L, struct pl_call *call, struct form *form) {
  struct pl_pairs pairs;
  size_t max = pl_api_context(L)->config->limits_query;
  int rc = pl_query_parse(pl_body_view(L, call), max, &call->x->arena, &pairs);
  for (size_t i = 0; rc == 0 && i < pairs.count; i++) {
    lua_pushlstring(L, pairs.items[i].value.data, pairs.items[i].value.len);
    add_field(L, form, pairs.items[i].name);
  }
  return rc;
}

// Pushes the content of the part whose head was just read. Returns: 0, or the parser's error.
static int push_content(lua_State *L, struct pl_multipart *parser, struct pl_strv *input) {
  enum pl_multipart_event event;
  luaL_Buffer content;
  luaL_buffinit(L, &content);
  int rc;
  while ((rc = pl_multipart_next(parser, input, &event)) == 0 && event == PL_MULTIPART_DATA)
    luaL_addlstring(&content, parser->data.data, parser->data.len);
  luaL_pushresult(&content);
  return rc;
}

static int add_parts(lua_State *L, struct pl_call *call, struct form *form) {
  size_t left = pl_api_context(L)->config->limits_query;
  struct pl_multipart *parser = &pl_multipart_reader_push(L, call)->parser;
  struct pl_strv input = pl_body_view(L, call);
  enum pl_multipart_event event;
  int rc;
  while ((rc = pl_multipart_next(parser, &input, &event)) == 0 && event != PL_MULTIPART_END) {
    if (event == PL_MULTIPART_MORE) return PL_EPROTO;
    if (event != PL_MULTIPART_PART || parser->part.filename.data) continue;
    if (left-- == 0) return PL_ELIMIT;
    rc = push_content(L, parser, &input);
    if (rc) return rc;
    add_field(L, form, parser->part.name);
  }
  return rc;
}

int pl_body_push_form(lua_State *L, struct pl_call *call, int name) {
  struct form form = {.name = name};
  struct pl_strv type = pl_headers_first(&call->x->request.headers, PL_STRV("content-type"));
  bool is_encoded =
      pl_strv_eq_nocase(pl_header_take_type(&type), PL_STRV("application/x-www-form-urlencoded"));
  lua_newtable(L);
  form.table = lua_gettop(L);
  int rc = is_encoded ? add_encoded(L, call, &form) : add_parts(L, call, &form);
  if (rc == 0) lua_settop(L, form.table);
  return rc;
}
