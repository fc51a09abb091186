/// Media types of files. The list is mime.def.
#pragma once

#include "base/strv.h"

/// The type of a file by what stands behind the last "." of its name, any case:
/// application/octet-stream when that is unknown or missing (".html" has none: it is a hidden
/// file). Text types say charset=utf-8.
/// @param path  a name, or a path with "/"
/// Static storage.
struct pl_strv pl_mime_type(struct pl_strv path);
