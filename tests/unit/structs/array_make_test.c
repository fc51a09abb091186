// New arrays, from whatever there is; over bytes as they lie in files: a binary glTF's accessors.
#include "structs/array_make.h"

#include "struct_bench.h"

#define LIST                                                           \
  "local function list(a)\n"                                           \
  "  local t = {}\n"                                                   \
  "  for i, x, y in a:each() do\n"                                     \
  "    for _, c in ipairs{x, y} do t[#t + 1] = ('%g'):format(c) end\n" \
  "  end\n"                                                            \
  "  return table.concat(t, ' ')\n"                                    \
  "end\n"                                                              \
  "local f32, u8, u32 = struct.f32, struct.u8, struct.u32\n"

static void arrays_are_made_of_everything(void **state) {
  (void)state;
  bench_expect(
      LIST "log(#vec2.array(3), #vec2.array(0), #vec2.array{}, #vec2.array(''))\n"
           "log(list(vec2.array{{1, 2}, vec2(3, 4), {x = 5}}))\n"
           "log(list(vec2.array(string.pack('<ffff', 1, 2, 3, 4))))\n"
           "log(list(vec2.soa(string.pack('<ffff', 1, 2, 3, 4))))\n"
           "local a = vec2.array{{1, 2}, {3, 4}, {5, 6}}\n"
           "log(list(vec2.soa(a)), list(vec2.array(vec2.soa(a))), list(vec2.soa(vec2.soa(a))))\n"
           "log(list(vec2.array(a:slice(2))), list(vec2.array(vec2.soa(a):slice(2, 3))))\n"
           "local copy = vec2.array(a) copy[1] = {9, 9} log(list(a))\n"
           "log(list(f32.array(a:field'y')), list(f32.array(vec2.soa(a):field'y')))\n"
           "local b = struct.bytes(40)\n"
           "local part = vec2.array(b:slice(4, 32), 4, 2, 12)\n"
           "part[2] = {7, 8} log(b:get('f32', 20, 2), #part)\n"
           "local Kind = struct.enum('Kind', 'u8', {A = 1, B = 2})\n"
           "log(Kind.array{'A', 2, Kind.B}[3], Kind.array(1)[1], Kind.array{'A'}:pack() == '\\1')\n"
           "log(struct.dec128.array{'1.5', 2}[1] + 1, struct.bool.array{true, false}[1])\n"
           "log(u8.array('abc')[2], struct.i64.array{-1}[1], struct.f16.array{0.5}[1])\n",
      "3 0 0 0\n"
      "1 2 3 4 5 0\n"
      "1 2 3 4\n"
      "1 2 3 4\n"
      "1 2 3 4 5 6 1 2 3 4 5 6 1 2 3 4 5 6\n"
      "3 4 5 6 3 4 5 6\n"
      "1 2 3 4 5 6\n"
      "2 4 6 2 4 6\n"
      "7.0 2\n"
      "B Kind(0) true\n"
      "2.5 true\n"
      "98 -1 0.5\n"
      "done\n");
}

static void what_does_not_fit_is_told(void **state) {
  (void)state;
  bench_expect(
      LIST "log(fails(vec2.array, {{1, 2}, {1}}))\n"
           "log(fails(vec2.array, {1, 2}))\n"
           "log(fails(u8.array, {1, 256}))\n"
           "log(fails(vec2.array, vec3.array(1)))\n"
           "log(fails(vec2.array, vec2()))\n"
           "log(fails(vec2.array, 1.5))\n"
           "log(fails(vec2.array, ('x'):rep(9)))\n"
           "log(fails(vec2.soa, struct.bytes(16)))\n"
           "log(fails(hit.soa, 2))\n"
           "log(fails(vec2.array, struct.bytes(16), 8, 2))\n"
           "log(fails(vec2.array, struct.bytes(16), 0, math.maxinteger, math.maxinteger))\n"
           "log(fails(vec2.array, struct.bytes(16), math.mininteger))\n"
           "log(fails(vec2.array, struct.bytes(16), 0, 2, 7))\n"
           "log(fails(vec2.array, struct.bytes(16), 0, -1))\n"
           "log(fails(vec2.array, struct.bytes(16), 0, 1 << 62, 8))\n"
           "log(#vec2.array(struct.bytes(16), 16), #vec2.array(struct.bytes(16), 0, 0, 1 << 62))\n"
           "log(#vec2.array(struct.bytes(16), 8, 1, 1 << 62))\n"
           "for _, v in ipairs{true, print, io.stdout, forged, vec2, coroutine.create(print)} do\n"
           "  assert(fails(vec2.array, v):find('count, list, bytes, string or array expected'))\n"
           "end\n",
      "vec2[2]: vec2 has 2 fields, not 1\n"
      "vec2[1]: vec2 or a table is expected, not number\n"
      "u8[2]: 256 is out of range for u8: 0 to 255\n"
      "bad argument #1 to '?' (vec3 has the field 'z', vec2 has not)\n"
      "bad argument #1 to '?' (count, list, bytes, string or array expected, got vec2)\n"
      "bad argument #1 to '?' (number has no integer representation)\n"
      "bad argument #1 to '?' (9 bytes are no multiple of vec2's 8: 1 would be left over)\n"
      "bad argument #1 to '?' (count, list, string or array expected, got bytes)\n"
      "hit has no columns: its scalars are not all of one kind\n"
      "2 elements of vec2, 8 bytes apart from offset 8, do not lie within 16 bytes\n"
      "9223372036854775807 elements of vec2, 9223372036854775807 bytes apart from offset 0, do "
      "not lie within 16 bytes\n"
      "bad argument #2 to '?' (-9223372036854775808 is no offset in bytes)\n"
      "bad argument #4 to '?' (7 bytes apart, elements of 8 would overlap)\n"
      "bad argument #3 to '?' (-1 is no number of elements)\n"
      "4611686018427387904 elements of vec2, 8 bytes apart from offset 0, do not lie within "
      "16 bytes\n"
      "0 0\n"
      "1\n"
      "done\n");
}

// A header, a chunk of JSON, and a chunk with three interleaved vertices and their indices, as
// section 4.4 of glTF 2.0 has it. The accessors' numbers are read out of the JSON.
#define GLB                                                                                     \
  "local json = '{\"bufferViews\":[{\"byteOffset\":0,\"byteLength\":60,\"byteStride\":20},'\n"  \
  "  ..'{\"byteOffset\":60,\"byteLength\":6}],\"accessors\":['\n"                               \
  "  ..'{\"bufferView\":0,\"byteOffset\":0,\"count\":3,\"type\":\"VEC3\"},'\n"                  \
  "  ..'{\"bufferView\":0,\"byteOffset\":12,\"count\":3,\"type\":\"VEC2\"},'\n"                 \
  "  ..'{\"bufferView\":1,\"byteOffset\":0,\"count\":3,\"type\":\"SCALAR\"}]}'\n"               \
  "json = json .. (' '):rep(-#json % 4)\n"                                                      \
  "local bin = string.pack('<fffff fffff fffff I2I2I2 xx', 0, 0, 0, 0.25, 0.5, 1, 0, 0, 0.75, " \
  "0.5,\n"                                                                                      \
  "  0, 2, 0, 0.25, 1, 0, 2, 1)\n"                                                              \
  "local glb = struct.bytes(string.pack('<c4I4I4 I4c4', 'glTF', 2, 28 + #json + #bin, #json,\n" \
  "  'JSON') .. json .. string.pack('<I4c4', #bin, 'BIN\\0') .. bin)\n"                         \
  "local size = glb:get('u32', 12)\n"                                                           \
  "local text, begin = glb:sub(21, 20 + size), 28 + size\n"                                     \
  "local views, numbers = {}, {}\n"                                                             \
  "for at, stride in text:match('bufferViews.-%]'):gmatch('\"byteOffset\":(%d+)[^}]*}') do\n"   \
  "  views[#views + 1] = {at = tonumber(at)}\n"                                                 \
  "end\n"                                                                                       \
  "views[1].stride = tonumber(text:match('byteStride\":(%d+)'))\n"                              \
  "local shapes = {VEC3 = vec3, VEC2 = vec2, SCALAR = struct.u16}\n"                            \
  "for view, at, count, shape in text:match('accessors.*'):gmatch(\n"                           \
  "  'bufferView\":(%d).-byteOffset\":(%d+).-count\":(%d+).-type\":\"(%w+)') do\n"              \
  "  view = views[view + 1]\n"                                                                  \
  "  numbers[#numbers + 1] = shapes[shape].array(glb, begin + view.at + at, tonumber(count),\n" \
  "    view.stride)\n"                                                                          \
  "end\n"                                                                                       \
  "local positions, uvs, indices = table.unpack(numbers)\n"

static void accessors_of_gltf_are_views(void **state) {
  (void)state;
  bench_expect(GLB "log(#positions, positions[2], positions[3])\n"
                   "log(#uvs, uvs[1], uvs[2], uvs[3])\n"
                   "log(table.concat(indices:totable(), ' '))\n"
                   "uvs[3].y = 4 log(glb:get('f32', begin + 56))\n"
                   "log(rawequal(positions:bytes(), glb), positions:sum())\n"
                   "log(positions:gather(struct.u32.array{indices[2] + 1})[1])",
               "3 vec3(1, 0, 0) vec3(0, 2, 0)\n"
               "3 vec2(0.25, 0.5) vec2(0.75, 0.5) vec2(0.25, 1)\n"
               "0 2 1\n"
               "4.0\n"
               "true vec3(1, 2, 0)\n"
               "vec3(0, 2, 0)\n"
               "done\n");
}

static void accessors_that_do_not_fit_are_refused(void **state) {
  (void)state;
  bench_expect(
      "local b = struct.bytes(60)\n"
      "log(#vec3.array(b, 0, 3, 20), #vec3.array(b, 8, 3, 20), #vec3.array(b, 60, 0, 20))\n"
      "log(fails(vec3.array, b, 9, 3, 20)) log(fails(vec3.array, b, 0, 4, 20))\n"
      "log(fails(vec3.array, b, 0, 3, 11)) log(fails(vec3.array, b, 61))\n"
      "log(fails(vec3.array, b, 0, math.maxinteger, 20))\n"
      "log(fails(vec3.array, b, 0, 2, math.maxinteger))",
      "3 3 0\n"
      "3 elements of vec3, 20 bytes apart from offset 9, do not lie within 60 bytes\n"
      "4 elements of vec3, 20 bytes apart from offset 0, do not lie within 60 bytes\n"
      "bad argument #4 to '?' (11 bytes apart, elements of 12 would overlap)\n"
      "bad argument #2 to '?' (offset 61 is behind the last of 60 bytes)\n"
      "9223372036854775807 elements of vec3, 20 bytes apart from offset 0, do not lie "
      "within 60 bytes\n"
      "2 elements of vec3, 9223372036854775807 bytes apart from offset 0, do not lie "
      "within 60 bytes\n"
      "done\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arrays_are_made_of_everything),
      cmocka_unit_test(what_does_not_fit_is_told),
      cmocka_unit_test(accessors_of_gltf_are_views),
      cmocka_unit_test(accessors_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
