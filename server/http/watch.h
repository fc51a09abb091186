/// Connections that do not read, because enough is unread or the client has sent its FIN: libuv
/// never reports then that the client has left, so the kernel is asked every 100 ms.
#pragma once

struct pl_conn;

/// Harmless when it is watched already.
void pl_watch_add(struct pl_conn *conn);
