/// Long arrays as JSON: the text is made on the thread pool (structs/offload.h) while other
/// requests run, and sent when it is complete.
///
/// Thread: the worker's.
#pragma once

#include <lua.h>
#include <stdbool.h>

struct pl_call;
struct pl_operand;
struct pl_response;

/// Whether making the text takes so long that it is worth it.
bool pl_json_answer_is_long(const struct pl_operand *operand);

/// `return` it from a lua_CFunction. @param head all but its body; its texts are copied
int pl_json_answer_send(lua_State *L, const struct pl_call *call, const struct pl_operand *operand,
                        const struct pl_response *head);
