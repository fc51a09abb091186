// Arrays over bytes as they lie in files: the accessors of a binary glTF.
#include "structs/array_make.h"

#include "struct_bench.h"

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
      cmocka_unit_test(accessors_of_gltf_are_views),
      cmocka_unit_test(accessors_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
