/// Which llhttp this is.
#pragma once

/// "8.1.1". Static storage.
const char *pl_llhttp_version(void);
