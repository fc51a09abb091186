/// Connections that do not read: libuv never reports that their client has left, so they are asked
/// for it every 100 ms.
#pragma once

struct pl_conn;

/// Harmless when it is watched already.
void pl_watch_add(struct pl_conn *conn);
