// To be preloaded: counts the calls of a process, of all its threads together, that change files or make them durable, and kills it with signal 9 at one of them.
//
// KILL_CALLS_AT=N names the call, counted from 1. KILL_CALLS_HOW is "before", "after", or "torn", which writes half of what a write was given (anything else as
// "before"). KILL_CALLS_LOG=FILE gets one line for each call. Calls on what is neither a file nor a folder, such as a terminal, do not count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;
static long at;
static enum { BEFORE, AFTER, TORN } how;
static int logged = -1;

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("KILL_CALLS_AT");
    if (text) at = atol(text);
    text = getenv("KILL_CALLS_HOW");
    how = text && strcmp(text, "after") == 0 ? AFTER : text && strcmp(text, "torn") == 0 ? TORN : BEFORE;
    text = getenv("KILL_CALLS_LOG");
    if (text) logged = (int)syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

// Whether this call is the one. `before` has no return then.
static int counts(const char *name) {
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (logged >= 0) {
        char line[64];
        int length = snprintf(line, sizeof line, "%s\n", name);
        syscall(SYS_write, logged, line, (size_t)length);
    }
    return number == at;
}

static int is_file(int fd) {
    struct stat facts;
    return fstat(fd, &facts) == 0 && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode));
}

#define NEXT(type, name) static type (*next)() ; if (!next) next = (type (*)())dlsym(RTLD_NEXT, name)

// A call that is not a write: before it, or after it.
#define SIMPLE(type, name, parameters, arguments, applies)                                                             \
    type name parameters {                                                                                             \
        NEXT(type, #name);                                                                                             \
        int one = (applies) && counts(#name);                                                                          \
        if (one && how != AFTER) die();                                                                                \
        type result = next arguments;                                                                                  \
        if (one) die();                                                                                                \
        return result;                                                                                                 \
    }

#define WRITE(name, parameters, fd, bytes, count, whole, half)                                                         \
    ssize_t name parameters {                                                                                          \
        NEXT(ssize_t, #name);                                                                                          \
        int one = is_file(fd) && counts(#name);                                                                        \
        if (one && how == BEFORE) die();                                                                               \
        if (one && how == TORN) {                                                                                      \
            if (count > 1) next half;                                                                                  \
            die();                                                                                                     \
        }                                                                                                              \
        ssize_t result = next whole;                                                                                   \
        if (one) die();                                                                                                \
        return result;                                                                                                 \
    }

WRITE(write, (int fd, const void *bytes, size_t count), fd, bytes, count, (fd, bytes, count), (fd, bytes, count / 2))
WRITE(pwrite, (int fd, const void *bytes, size_t count, off_t where), fd, bytes, count, (fd, bytes, count, where), (fd, bytes, count / 2, where))
WRITE(pwrite64, (int fd, const void *bytes, size_t count, off64_t where), fd, bytes, count, (fd, bytes, count, where), (fd, bytes, count / 2, where))
SIMPLE(int, fsync, (int fd), (fd), is_file(fd))
SIMPLE(int, fdatasync, (int fd), (fd), is_file(fd))
SIMPLE(int, syncfs, (int fd), (fd), 1)
SIMPLE(int, ftruncate, (int fd, off_t length), (fd, length), is_file(fd))
SIMPLE(int, ftruncate64, (int fd, off64_t length), (fd, length), is_file(fd))
SIMPLE(int, rename, (const char *from, const char *to), (from, to), 1)
SIMPLE(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags), 1)
SIMPLE(int, link, (const char *from, const char *to), (from, to), 1)
SIMPLE(int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), 1)
SIMPLE(int, unlink, (const char *path), (path), 1)
SIMPLE(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags), 1)
SIMPLE(int, rmdir, (const char *path), (path), 1)
SIMPLE(int, mkdir, (const char *path, mode_t mode), (path, mode), 1)
SIMPLE(int, symlink, (const char *target, const char *path), (target, path), 1)
