/// Connections that do not read, because enough is unread or the client has sent its FIN: libuv
/// never reports then that the client has left, so the kernel is asked every 100 ms.
///
/// A FIN behind more than a socket buffer holds does not arrive, so the buffer is enlarged to
/// 1 MiB, for 64 connections of a worker at a time: they may cost it 64 MiB of the kernel's memory,
/// and not more. Of the others, and behind more than that, only a reset is seen.
///
/// Among them are those whose reader waits while memory is too tight: they go on in turn.
#pragma once

struct pl_conn;

/// Harmless when it is watched already.
void pl_watch_add(struct pl_conn *conn);
