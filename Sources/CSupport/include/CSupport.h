#ifndef CSUPPORT_H
#define CSUPPORT_H

#include <stddef.h>

// What Swift's view of the C library lacks.

/// Names the calling thread as debuggers and `ps -L` show it (15 bytes are kept on Linux).
void csupport_name_thread(const char *name);

/// Ends the process at once as `kill -9` would: no handlers, no buffers flushed.
void csupport_kill_self(void);

/// Stops the process until somebody wakes it, as `kill -STOP` would.
void csupport_stop_self(void);

#endif
