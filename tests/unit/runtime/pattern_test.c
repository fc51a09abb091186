// Patterns: the same answers as stock Lua's matcher on random input and on a table of cases that
// has each item and each error, and an end to what would take for ever.
#include "runtime/pattern.h"

#include <time.h>

#include "both_rows.h"
#include "pattern_random.h"

enum { PAIRS = 110000 };

static uint64_t choose_seed(void) {
  const char *given = getenv("PL_SEED");
  uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000003u;
  print_message("PL_SEED=%llu repeats this run\n", (unsigned long long)seed);
  return seed;
}

static void expect_same(struct both *b, const struct both_pattern_case *c, int round) {
  if (both_call(b, both_push_pattern_case, c)) return;
  fprintf(stderr, "round %d: operation %d, subject <", round, c->operation);
  fwrite(c->subject, 1, c->subject_len, stderr);
  fprintf(stderr, ">, pattern <");
  fwrite(c->pattern, 1, c->pattern_len, stderr);
  fprintf(stderr, ">, number %d (%d), kind %d\n", c->number, c->has_number, c->kind);
  both_print(stderr, "ours", b->vm.L);
  both_print(stderr, "stock", b->stock);
  fail();
}

struct tally {
  unsigned matches, errors;
};

static void count_outcome(struct tally *tally, lua_State *L) {
  if (lua_gettop(L) < 2 || lua_isnil(L, 2)) return;
  bool is_error = lua_type(L, -1) == LUA_TSTRING && strstr(lua_tostring(L, -1), "pattern");
  tally->errors += is_error;
  tally->matches += !is_error;
}

static void random_patterns_match_as_in_stock_lua(void **state) {
  (void)state;
  struct both b;
  struct random_source r = {choose_seed()};
  struct random_text subject, pattern, text;
  struct tally tally = {0, 0};
  both_open(&b, both_pattern_chunk);
  for (int i = 0; i < PAIRS; i++) {
    random_subject(&r, &subject);
    random_pattern(&r, &pattern);
    random_replacement(&r, &text);
    struct both_pattern_case c = {.subject = subject.data,
                                  .subject_len = subject.len,
                                  .pattern = pattern.data,
                                  .pattern_len = pattern.len,
                                  .text = text.data,
                                  .text_len = text.len};
    for (c.operation = 0; c.operation < 4; c.operation++) {
      c.kind = (int)random_below(&r, c.operation == 3 ? 4 : 20);
      c.has_number = random_chance(&r, 30);
      c.number = (int)random_below(&r, (unsigned)subject.len * 2 + 6) - (int)subject.len - 3;
      expect_same(&b, &c, i);
      count_outcome(&tally, b.vm.L);
    }
  }
  both_close(&b);
  assert_in_range(tally.matches, PAIRS, 4 * PAIRS);   // they were not all misses,
  assert_in_range(tally.errors, PAIRS / 100, PAIRS);  // nor all well-formed
}

// ---- cases ----

// Functions for the expressions.
static const char helpers[] =
    "function all(...)\n"
    "  local found = {}\n"
    "  for a, b in string.gmatch(...) do found[#found + 1] = b and a .. '=' .. b or a end\n"
    "  return table.concat(found, ',')\n"
    "end\n"
    "return all";

static void each_item_of_a_pattern_matches_what_it_should(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('hello'):match('l')", "l"},
      {"('hello'):match('')", ""},
      {"('hello'):match('h.l')", "hel"},
      {"('a\\n\\0b'):match('a..b') == 'a\\n\\0b'", "true"},
      {"('ab12 _'):match('%a+')", "ab"},
      {"('ab12 _'):match('%A+')", "12 _"},
      {"('ab12 _'):match('%d+')", "12"},
      {"('ab12 _'):match('%D+')", "ab"},
      {"('aB'):match('%u')", "B"},
      {"('Ab'):match('%l')", "b"},
      {"('AB1'):match('%L+')", "AB1"},
      {"('ab1'):match('%U+')", "ab1"},
      {"('a \\t\\n\\v\\f\\rb'):match('%s+') == ' \\t\\n\\v\\f\\r'", "true"},
      {"(' x '):match('%S')", "x"},
      {"('a,b'):match('%p')", ","},
      {"(',a'):match('%P')", "a"},
      {"('-_a1-'):match('%w+')", "a1"},
      {"('a1-'):match('%W+')", "-"},
      {"('xyz1fG'):match('%x+')", "1f"},
      {"('1fG'):match('%X+')", "G"},
      {"('a\\1\\127'):match('%c+') == '\\1\\127'", "true"},
      {"('\\1a'):match('%C')", "a"},
      {"(' a! '):match('%g+')", "a!"},
      {"('a b'):match('%G') == ' '", "true"},
      {"('a\\0b'):find('%z')", "2|2"},
      {"('\\0b'):match('%Z')", "b"},
      {"('\\xe9'):find('%a')", "nil"},
      {"('a.b'):match('%.')", "."},
      {"('a%b'):match('%%')", "%"},
      {"('a]b'):match('%]')", "]"},
      {"('hello'):match('[aeiou]')", "e"},
      {"('hello'):match('[^aeiou]+')", "h"},
      {"('x-]y'):match('[]-]+')", "-]"},
      {"('a]b'):match('[^]]+')", "a"},
      {"('b-d'):match('[a-]+', 2)", "-"},
      {"('xCf9'):match('[a-fA-F0-9]+')", "Cf9"},
      {"('a^b'):match('[b^]+')", "^b"},
      {"('a-z'):match('[%a-z]+')", "a-z"},
      {"('a%'):match('[%%]')", "%"},
      {"('ab]'):match('[%]b]+')", "b]"},
      {"('\\xe9\\xea'):find('[\\xe0-\\xef]+')", "1|2"},
      {"('.-.'):match('[.]-[.]')", "."},
      {"('aaa'):match('a*')", "aaa"},
      {"('baa'):match('a*') == ''", "true"},
      {"('baa'):match('a+')", "aa"},
      {"('aaab'):match('a-b')", "aaab"},
      {"('aaa'):match('a-') == ''", "true"},
      {"('color colour'):gsub('colou?r', 'x')", "x x|2"},
      {"('ab'):match('a?a?b')", "ab"},
      {"('a*'):match('a%*')", "a*"},
      {"('*a'):match('*a')", "*a"},
      {"('aXb'):match('.-(%u).-')", "X"},
      {"('  trim me '):match('^%s*(.-)%s*$')", "trim me"},
      {"('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key|value"},
      {"('hello'):match('()ll()')", "3|5"},
      {"('hello'):find('(l)(l)')", "3|4|l|l"},
      {"('abc'):match('((a)(b(c)))')", "abc|a|bc|c"},
      {"('abc'):match('(a*(.)%w(%s*))')", "abc|b|"},
      {"('\"it\\'s\"'):match('([\"\\'])(.-)%1')", "\"|it's"},
      {"('xabab'):match('(ab)%1')", "ab"},
      {"('ab'):match('()b%1')", "nil"},
      {"('f(a(b)c)d)'):match('%b()')", "(a(b)c)"},
      {"('((a)'):match('%b()')", "(a)"},
      {"('xx'):match('%bxx')", "xx"},
      {"('THE (quick) fox'):find('%f[%a]%a+%f[%A]', 4)", "6|10"},
      {"('THE (quick) fox'):gsub('%f[%w]%w+', '%0!')", "THE! (quick!) fox!|3"},
      {"('a'):find('%f[%z]')", "2|1"},
      {"('[a'):find('%f[^%z]')", "1|0"},
      {"('aa'):match('^a')", "a"},
      {"('ba'):match('^a')", "nil"},
      {"('ba'):match('a$')", "a"},
      {"('a$b'):match('a$b')", "a$b"},
      {"('a^b'):match('a^b')", "a^b"},
      {"('$'):match('$$')", "$"},
      {"('^'):match('^^')", "^"},
      {"(''):find('^$')", "1|0"},
  };
  rows_expect(rows, helpers);
}

static void init_and_plain_are_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('hello'):find('l', 4)", "4|4"},
      {"('hello'):find('l', -2)", "4|4"},
      {"('hello'):find('h', -5)", "1|1"},
      {"('hello'):find('h', -99)", "1|1"},
      {"('hello'):find('h', 0)", "1|1"},
      {"('hello'):find('', 6)", "6|5"},
      {"('hello'):find('', 7)", "nil"},
      {"('hello'):match('', 7)", "nil"},
      {"('hello'):find('', math.mininteger)", "1|0"},
      {"('hello'):find('', math.maxinteger)", "nil"},
      {"('hello'):match('^l', 3)", "l"},
      {"('hello'):match('.', -1)", "o"},
      {"('a.b'):find('.', 1, true)", "2|2"},
      {"('a.b'):find('.b', 1, true)", "2|3"},
      {"('a.b'):find('', 2, true)", "2|1"},
      {"('a\\0b\\0c'):find('\\0c')", "4|5"},
      {"('aaab'):find('aab', 1, true)", "2|4"},
      {"('ab'):find('abc', 1, true)", "nil"},
      {"('abababababababababababac'):find('abac', 1, true)", "21|24"},
      {"('abababababababababababab'):find('abac', 1, true)", "nil"},
      {"('aaaaaaaaaaaaaaaaaaa'):find('ab', 1, true)", "nil"},
      {"string.find(12345, 34)", "3|4"},
      {"('x'):find('y', 'z')", "e:1: bad argument #2 to 'find' (number expected, got string)"},
      {"string.find('x', {})", "e:1: bad argument #2 to 'find' (string expected, got table)"},
      {"string.match()", "e:1: bad argument #1 to 'match' (string expected, got no value)"},
      {"('x'):match('y', 1.5)",
       "e:1: bad argument #2 to 'match' (number has no integer representation)"},
  };
  rows_expect(rows, helpers);
}

static void malformed_patterns_raise_as_in_stock_lua(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"('a'):match('%')", "e:1: malformed pattern (ends with '%')"},
      {"('a'):match('a%')", "e:1: malformed pattern (ends with '%')"},
      {"('a'):match('[a')", "e:1: malformed pattern (missing ']')"},
      {"('a'):match('[]')", "e:1: malformed pattern (missing ']')"},
      {"('a'):match('[^]')", "e:1: malformed pattern (missing ']')"},
      {"('a'):match('[a%]')", "e:1: malformed pattern (missing ']')"},
      {"('a'):match('[a%')", "e:1: malformed pattern (missing ']')"},
      {"('a'):match('%b')", "e:1: malformed pattern (missing arguments to '%b')"},
      {"('a'):match('%ba')", "e:1: malformed pattern (missing arguments to '%b')"},
      {"('a'):match('%f')", "e:1: missing '[' after '%f' in pattern"},
      {"('a'):match('%fa')", "e:1: missing '[' after '%f' in pattern"},
      {"('a'):match('%f[a')", "e:1: malformed pattern (missing ']')"},
      {"('a'):match('(a')", "e:1: unfinished capture"},
      {"('a'):match('a)')", "e:1: invalid pattern capture"},
      {"('a'):match('())')", "e:1: invalid pattern capture"},
      {"('a'):match('%1')", "e:1: invalid capture index %1"},
      {"('a'):match('(a)%0')", "e:1: invalid capture index %0"},
      {"('aa'):match('(a%1)')", "e:1: invalid capture index %1"},
      {"('aa'):match('(a)%2')", "e:1: invalid capture index %2"},
      {"('a'):gsub('a', '%1%2')", "e:1: invalid capture index %2"},
      {"('a'):gsub('(a)', '%2')", "e:1: invalid capture index %2"},
      {"('a'):gsub('a', '%x')", "e:1: invalid use of '%' in replacement string"},
      {"('a'):gsub('a', 'x%')", "e:1: invalid use of '%' in replacement string"},
      {"('a'):gsub('(a', 'x')", "x|1"},
      {"('a'):gsub('(a', '%1')", "e:1: unfinished capture"},
      {"('b'):match('a%')", "nil"},  // only what is reached raises
      {"('b'):match('a[')", "nil"},
      {"#{(''):match(('()'):rep(32))}", "32"},
      {"(''):match(('()'):rep(33))", "e:1: too many captures"},
      {"(('a'):rep(199)):match(('a?'):rep(199)) == ('a'):rep(199)", "true"},
      {"(('a'):rep(200)):match(('a?'):rep(200))", "e:1: pattern too complex"},
      {"#(('a'):rep(199)):match(('a*'):rep(199))", "199"},
      {"(('a'):rep(200)):match(('a-'):rep(200) .. 'b')", "e:1: pattern too complex"},
      {"#(('a'):rep(1000)):match(('a'):rep(1000))", "1000"},
  };
  rows_expect(rows, helpers);
}

// ---- the budget ----

static void what_would_take_for_ever_ends(void **state) {
  (void)state;
  static const char *const expressions[] = {
      "('('):rep(2e5):find('%b()')",
      "('x'):rep(300):find('.-.-.-.-b')",
      "('x'):rep(300):match('.*.*.*.*b')",
      "('a'):rep(1000):find('a*a*a*a*b')",
      "('a'):rep(1000):find('a?a*a+a-b')",
      "('a'):rep(1000):find('[ab]*[ab]*[ab]*c')",
      "('a'):rep(3e4):gsub('%a+%d', '')",
      "('a'):rep(3e4):gsub('a-b', function() end)",
      "('a'):rep(1e5):find('^(a*)%1b')",
      "('a'):rep(3e4):find('(a-)%1%1b')",
      "('a'):rep(1e5):find('%f[' .. ('b'):rep(1e5) .. ']')",
      "('a'):rep(1e4):find('[' .. ('b'):rep(1e5) .. ']')",
      "('a'):rep(1e4):find('[^' .. ('b'):rep(1e5) .. ']*c')",
      "('a'):rep(1e4):find('[^' .. ('b'):rep(1e5) .. ']-c')",
      "('a'):rep(1e4):gsub('a', ('%0'):rep(1e4))",
      "('a'):rep(3e4):gsub('', ('y'):rep(1e4))",
      "('a'):rep(3e4):gmatch('a*b')()",
      "('a'):rep(3e4):gmatch('^a*b')() or ('a'):rep(3e4):gmatch('()a*^')()",
      "('a'):rep(200):find('(' .. ('a?'):rep(90) .. ')' .. ('a'):rep(200))",
  };
  struct both b;
  struct pl_buf out = {0};
  both_open(&b, helpers);
  for (size_t i = 0; i < PL_ARRAY_LEN(expressions); i++) {
    rows_evaluate(b.vm.L, expressions[i], &out);
    const char *text = pl_buf_view(&out).data;
    long long steps = 0, bytes = 0;
    int end = 0;
    sscanf(text, "e:1: pattern too complex (%lld steps on a subject of %lld bytes)%n", &steps,
           &bytes, &end);
    if (end == 0 || text[end]) fail_msg("%s gave <%.100s>", expressions[i], text);
    long long budget = PL_PATTERN_STEPS_BASE + PL_PATTERN_STEPS_PER_BYTE * bytes;
    assert_in_range(steps, budget + 1, budget + bytes + 100000);
  }
  pl_buf_deinit(&out);
  both_close(&b);
}

static void ordinary_work_on_a_long_subject_is_within_the_budget(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"select(2, ('word, and '):rep(1e5):gsub('%a+', string.upper))", "200000"},
      {"select(2, ('k=v; '):rep(1e5):gsub('(%w+)=(%w+)', '%2=%1'))", "100000"},
      {"select(2, ('k=v; '):rep(1e5):gsub('[^%w%-._~!$&\\'()*+,;=:@/]', '%%20'))", "100000"},
      {"#(('a b '):rep(1e5):gsub('%s+', ''))", "200000"},
      {"('x'):rep(1e6):find('y')", "nil"},
      {"('x'):rep(1e6):find('%d')", "nil"},
      {"#('x'):rep(1e6):match('.*')", "1000000"},
      {"#('x'):rep(1e6):match('^.-$')", "1000000"},
      {"#('(' .. ('()'):rep(1e5) .. ')'):match('%b()')", "200002"},
      {"('a'):rep(1e6):find(('a'):rep(1e5) .. 'b', 1, true)", "nil"},
      {"(('a'):rep(1e6) .. 'b'):find(('a'):rep(1e5) .. 'b')", "900001|1000001"},
      {"('a'):rep(1e6):find(('a'):rep(100) .. 'b')", "nil"},
      {"('a'):rep(1e6):find('b' .. ('a'):rep(1e5), 1, true)", "nil"},
      {"#all(('a,'):rep(1e5), '[^,]+')", "199999"},
  };
  rows_expect_ours(rows, helpers, 0);
}

static void a_spent_budget_is_over_with_its_call(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"(pcall(string.find, ('x'):rep(300), '.-.-.-.-b')), ('abc'):find('b')", "false|2|2"},
      {"(function() local f = ('x'):rep(300):gmatch('.-.-.-.-b')\n"
       " return pcall(f) == false and pcall(f) == false end)()",
       "true"},
  };
  rows_expect_ours(rows, helpers, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_patterns_match_as_in_stock_lua),
      cmocka_unit_test(each_item_of_a_pattern_matches_what_it_should),
      cmocka_unit_test(init_and_plain_are_as_in_stock_lua),
      cmocka_unit_test(malformed_patterns_raise_as_in_stock_lua),
      cmocka_unit_test(what_would_take_for_ever_ends),
      cmocka_unit_test(ordinary_work_on_a_long_subject_is_within_the_budget),
      cmocka_unit_test(a_spent_budget_is_over_with_its_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
