/// A generation's collector on its worker's loop: steps after the answers of each turn, and a timer
/// for what is to be done when nothing happens any more.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>

#include "io/timer.h"
#include "runtime/collector.h"

struct pl_loop;

/// All zeros: not started.
struct pl_collect {
  struct pl_collector collector;
  struct pl_timer timer;
  struct pl_loop *loop;
};

/// The app has loaded: from now on its garbage is collected by pl_collect_turn.
/// @param limit_bytes limits.memory; SIZE_MAX or more = none
void pl_collect_start(struct pl_collect *c, struct pl_loop *loop, struct pl_vm *vm,
                      uint64_t limit_bytes);

/// The answers of a turn are written. Not started: does nothing.
/// Returns: whether the loop must not block, so that more can be done.
bool pl_collect_turn(struct pl_collect *c);

/// Stops the timer; before the vm is closed.
void pl_collect_stop(struct pl_collect *c);
