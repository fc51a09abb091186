/// Tables of expressions and what they give: in our state and, where nothing of ours is tested, in
/// stock Lua's, so that the table itself is right.
#pragma once

#include "both_states.h"
#include "fake_host.h"

struct row {
  const char *expression;
  const char *expected;  ///< the results with | between them, or the error
};

/// Puts what `return expression` gives in L into `out`, NUL at its end.
static inline void rows_evaluate(lua_State *L, const char *expression, struct pl_buf *out) {
  pl_buf_clear(out);
  lua_settop(L, 1);
  lua_pushfstring(L, "return %s", expression);
  const char *chunk = lua_tostring(L, -1);
  if (luaL_loadbuffer(L, chunk, strlen(chunk), "=e") == LUA_OK) {
    lua_remove(L, 2);
    lua_pcall(L, 0, LUA_MULTRET, 0);
  }
  for (int i = 2; i <= lua_gettop(L); i++) {
    size_t len;
    const char *text = luaL_tolstring(L, i, &len);
    assert_int_equal(pl_buf_append(out, "|", i > 2), 0);
    assert_int_equal(pl_buf_append(out, text, len), 0);
    lua_pop(L, 1);
  }
  assert_int_equal(pl_buf_append(out, "", 1), 0);
}

/// Checks the rows; `prepare` is a chunk that defines what they need and returns something.
/// @param limit bytes of memory for our state; 0: none
static inline void rows_check(const struct row *rows, size_t count, const char *prepare,
                              bool is_stock_too, size_t limit) {
  struct both b;
  struct pl_buf out = {0};
  both_open(&b, prepare);
  pl_heap_set_ceiling(&b.vm.heap, limit);
  lua_State *states[] = {b.vm.L, b.stock};
  for (size_t i = 0; i < count; i++) {
    for (int k = 0; k <= is_stock_too; k++) {
      rows_evaluate(states[k], rows[i].expression, &out);
      if (strcmp(pl_buf_view(&out).data, rows[i].expected) == 0) continue;
      fail_msg("%s: %s gave <%s>, not <%s>", rows[i].expression, k ? "stock" : "ours",
               pl_buf_view(&out).data, rows[i].expected);
    }
  }
  pl_buf_deinit(&out);
  both_close(&b);
}

/// The rows are what ours and stock Lua give.
#define rows_expect(rows, prepare) rows_check(rows, PL_ARRAY_LEN(rows), prepare, true, 0)

/// The rows are what ours gives, with so many bytes of memory.
#define rows_expect_ours(rows, prepare, limit) \
  rows_check(rows, PL_ARRAY_LEN(rows), prepare, false, limit)
