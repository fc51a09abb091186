// Which of a loop's two forms runs. Asked each time: the answer is one load, and there is no state.
#include "geometry/kernel.h"

pl_loop_fn *pl_loops_pick(const struct pl_loops *loops) {
#if defined(__x86_64__)
  if (loops->avx2 && __builtin_cpu_supports("avx2")) return loops->avx2;
#endif
  return loops->base;
}
