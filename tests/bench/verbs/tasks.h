/// B5: what a request's coroutine costs, taken from the pool or made anew.
#pragma once

#include <stdbool.h>

struct pl_vm;

/// Runs `count` tasks one after the other, each an empty Lua function.
/// @param is_pooled false: each one's coroutine is dropped when it has ended
void bench_tasks_run(struct pl_vm *vm, bool is_pooled, long count);
