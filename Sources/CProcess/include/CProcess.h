#ifndef CPROCESS_H
#define CPROCESS_H

#include <stddef.h>
#include <stdint.h>

struct cprocess_stream {
    uint8_t *bytes;      // room for `capacity`, given by the caller
    size_t capacity;
    size_t length;       // what is kept
    int cut;             // more was written
};

struct cprocess_order {
    const char *path;
    char *const *words;  // ends in NULL; the first is what the program sees as its name
    char *const *environment;
    const char *folder;
    const void *input;
    size_t input_length;
    int64_t timeout;     // ms
    int cancel;          // a descriptor that becomes readable when the program has to go; -1 = none
};

struct cprocess_ending {
    int32_t code;        // exit status, or 128 + the signal
    int timed_out;
    int cancelled;
    struct cprocess_stream output;
    struct cprocess_stream errors;
};

/// Runs a program in a session of its own, with nothing of ours but its three standard streams, and waits for it. When it has ended, what it left running in
/// the background does not hold us up. On timeout and cancellation the whole process group gets TERM, two seconds, then KILL.
/// 0, or the negative of errno when it could not be started.
int cprocess_run(const struct cprocess_order *order, struct cprocess_ending *ending);

/// A pipe whose ends no program inherits: to wake `cprocess_run`.
int cprocess_pipe(int ends[2]);

#endif
