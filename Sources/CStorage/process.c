// Runs a program to its end.
#define _GNU_SOURCE
#include "CStorage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

extern char **environ;

// What a command finds in its environment. Secrets and keys of the host's own are none of its business, and what it prints of them could not be told from words.
static void narrow_environment(char *narrow[], size_t capacity) {
    static const char *const names[] = {"PATH=", "HOME=", "USER=", "LOGNAME=", "SHELL=", "LANG=", "LC_", "TZ=", "TMPDIR=", "XDG_RUNTIME_DIR="};
    size_t count = 0;
    for (char **variable = environ; variable && *variable && count + 1 < capacity; variable++) {
        for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
            if (strncmp(*variable, names[index], strlen(names[index])) == 0) {
                narrow[count++] = *variable;
                break;
            }
        }
    }
    narrow[count] = NULL;
}

// A file without a name: a background process may keep it open and go on writing, and nobody waits for it.
static int nameless_file(void) {
#if defined(O_TMPFILE)
    int anonymous = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    if (anonymous >= 0) return anonymous;
#endif
    char path[] = "/tmp/drrunbook-......";
    memset(path + sizeof path - 7, 'X', 6);  // What mkstemp wants to see in place of the dots.
    int file = mkstemp(path);
    if (file < 0) return -errno;
    unlink(path);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    fcntl(file, F_SETFL, O_APPEND);
    return file;
}

static int64_t monotonic_milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int start(pid_t *child, char *const words[], const char *folder, int output, int errors) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&files);
    if (code) return code;
    code = posix_spawnattr_init(&attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&files);
        return code;
    }
    char *environment[32];
    narrow_environment(environment, sizeof environment / sizeof *environment);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (!code) code = posix_spawnattr_setflags(&attributes, flags);
    if (!code) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (!code) code = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!code) code = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&files, output, 1);
    if (!code) code = posix_spawn_file_actions_adddup2(&files, errors, 2);
    if (!code) code = posix_spawn_file_actions_addchdir_np(&files, folder);
    if (!code) code = posix_spawnp(child, words[0], &files, &attributes, words, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

// 1 when the child has ended within the time, 0 when not, or the negative of errno.
static int wait_until(pid_t child, int handle, int64_t deadline, int *status) {
    int64_t pause = 1;
    for (;;) {
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child) return 1;
        if (ended < 0 && errno != EINTR) return -errno;
        int64_t left = deadline - monotonic_milliseconds();
        if (left <= 0) return 0;
        if (handle >= 0) {
            struct pollfd wanted = {.fd = handle, .events = POLLIN};
            poll(&wanted, 1, left > 60000 ? 60000 : (int)left);
        } else {
            // Without a handle that can be polled the child is asked now and then.
            poll(NULL, 0, (int)(left < pause ? left : pause));
            if (pause < 50) pause *= 2;
        }
    }
}

static size_t first_bytes(int file, char *to, size_t capacity) {
    size_t length = 0;
    while (length < capacity) {
        ssize_t count = pread(file, to + length, capacity - length, (off_t)length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        length += (size_t)count;
    }
    return length;
}

int cstorage_run(
    char *const words[], const char *folder, int64_t timeout, void *text, size_t capacity, struct cstorage_ending *ending) {
    memset(ending, 0, sizeof *ending);
    int output = nameless_file();
    if (output < 0) return output;
    int errors = nameless_file();
    if (errors < 0) {
        close(output);
        return errors;
    }
    pid_t child = 0;
    int status = 0;
    int result = -start(&child, words, folder, output, errors);
    if (result == 0) {
        int handle = -1;
#if defined(SYS_pidfd_open)
        handle = (int)syscall(SYS_pidfd_open, child, 0);
#endif
        int ended = wait_until(child, handle, monotonic_milliseconds() + timeout, &status);
        if (ended == 0) {
            ending->timed_out = 1;
            // Its whole session, which is also its process group; it has two seconds to clean up.
            kill(-child, SIGTERM);
            ended = wait_until(child, handle, monotonic_milliseconds() + 2000, &status);
            kill(-child, SIGKILL);
            if (ended == 0) ended = wait_until(child, handle, monotonic_milliseconds() + 10000, &status);
        }
        if (handle >= 0) close(handle);
        if (ended < 0) result = ended;
        ending->code = WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1;
        ending->length = first_bytes(errors, text, capacity);
        if (ending->length == 0) ending->length = first_bytes(output, text, capacity);
    }
    close(output);
    close(errors);
    return result;
}
