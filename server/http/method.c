// The names of the methods that can be routed, in the order of enum pl_method.
#include "http/request.h"

static const struct pl_strv names[PL_METHOD_COUNT] = {
    [PL_METHOD_GET] = {"GET", 3},         [PL_METHOD_HEAD] = {"HEAD", 4},
    [PL_METHOD_POST] = {"POST", 4},       [PL_METHOD_PUT] = {"PUT", 3},
    [PL_METHOD_PATCH] = {"PATCH", 5},     [PL_METHOD_DELETE] = {"DELETE", 6},
    [PL_METHOD_OPTIONS] = {"OPTIONS", 7},
};

struct pl_strv pl_method_name(enum pl_method method) {
  return names[method];
}

bool pl_method_parse(struct pl_strv name, enum pl_method *method) {
  for (int i = 0; i < PL_METHOD_COUNT; i++) {
    if (!pl_strv_eq(names[i], name)) continue;
    *method = (enum pl_method)i;
    return true;
  }
  return false;
}
