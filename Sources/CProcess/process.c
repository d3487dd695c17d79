#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int cprocess_pipe(int ends[2]) {
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC) ? -errno : 0;
#else
    if (pipe(ends)) return -errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

static void shut(int *file) {
    if (*file >= 0) close(*file);
    *file = -1;
}

static int start(pid_t *child, const struct cprocess_order *order, int input, int output, int errors) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&files);
    if (code) return code;
    code = posix_spawnattr_init(&attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&files);
        return code;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!code) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (!code) code = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!code) code = posix_spawn_file_actions_adddup2(&files, input, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&files, output, 1);
    if (!code) code = posix_spawn_file_actions_adddup2(&files, errors, 2);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    // What a library opened without close-on-exec is not the program's business either.
    if (!code) code = posix_spawn_file_actions_addclosefrom_np(&files, 3);
#endif
    if (!code) code = posix_spawn_file_actions_addchdir_np(&files, order->folder);
    if (!code) code = posix_spawn(child, order->path, &files, &attributes, order->words, order->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

// Takes what is there, and throws away what goes beyond the room. 0 at the end, 1 when more may come.
static int take(int file, struct cprocess_stream *stream) {
    uint8_t waste[16384];
    for (;;) {
        size_t room = stream->capacity - stream->length;
        ssize_t count = room ? read(file, stream->bytes + stream->length, room) : read(file, waste, sizeof waste);
        if (count > 0) {
            if (room) stream->length += (size_t)count;
            else stream->cut = 1;
            continue;
        }
        if (count < 0 && errno == EINTR) continue;
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
}

// Writes what fits. 0 when all is written or nobody reads any more.
static int give(int file, const struct cprocess_order *order, size_t *given) {
    while (*given < order->input_length) {
        ssize_t count = write(file, (const uint8_t *)order->input + *given, order->input_length - *given);
        if (count >= 0) *given += (size_t)count;
        else if (errno == EAGAIN || errno == EWOULDBLOCK) return 1;
        else if (errno != EINTR) return 0;
    }
    return 0;
}

// A program that closes its input early must not end us: SIGPIPE is held back on this thread and thrown away afterwards.
static void hold_pipe_signal(sigset_t *before) {
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, before);
}

static void drop_pipe_signal(const sigset_t *before) {
    sigset_t pending, pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    int number;
    if (!sigismember(before, SIGPIPE) && !sigpending(&pending) && sigismember(&pending, SIGPIPE)) sigwait(&pipe_signal, &number);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

struct pipes {
    int input, output, errors;
};

static int supervise(pid_t child, const struct cprocess_order *order, struct pipes *ours, struct cprocess_ending *ending) {
    int handle = -1;
#if defined(SYS_pidfd_open)
    handle = (int)syscall(SYS_pidfd_open, child, 0);
#endif
    int64_t deadline = now() + order->timeout;
    int status = 0, stage = 0, ended = 0;  // stage: 0 runs, 1 was asked to go, 2 was killed
    size_t given = 0;
    while (!ended) {
        struct pollfd wanted[5] = {
            {.fd = handle, .events = POLLIN}, {.fd = ours->output, .events = POLLIN}, {.fd = ours->errors, .events = POLLIN},
            {.fd = ours->input, .events = POLLOUT}, {.fd = stage ? -1 : order->cancel, .events = POLLIN}};
        int64_t left = deadline - now();
        int64_t most = handle >= 0 ? 60000 : 20;
        poll(wanted, 5, (int)(left < 0 ? 0 : left > most ? most : left));
        if (ours->input >= 0 && !give(ours->input, order, &given)) shut(&ours->input);
        if (ours->output >= 0 && !take(ours->output, &ending->output)) shut(&ours->output);
        if (ours->errors >= 0 && !take(ours->errors, &ending->errors)) shut(&ours->errors);
        pid_t gone = waitpid(child, &status, WNOHANG);
        if (gone == child || (gone < 0 && errno != EINTR)) {
            ended = 1;
        } else if (wanted[4].revents || now() >= deadline) {
            if (stage == 0) {
                ending->cancelled = wanted[4].revents != 0;
                ending->timed_out = !ending->cancelled;
                kill(-child, SIGTERM);
                deadline = now() + 2000;
            } else {
                kill(-child, SIGKILL);
                deadline = now() + 1000;
            }
            stage++;
        }
    }
    // Whoever of the group did not go with it.
    if (stage) kill(-child, SIGKILL);
    if (ours->output >= 0) take(ours->output, &ending->output);
    if (ours->errors >= 0) take(ours->errors, &ending->errors);
    if (handle >= 0) close(handle);
    ending->code = WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1;
    return 0;
}

static void set_nonblocking(int file) { fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK); }

int cprocess_run(const struct cprocess_order *order, struct cprocess_ending *ending) {
    int input[2] = {-1, -1}, output[2] = {-1, -1}, errors[2] = {-1, -1};
    int result = cprocess_pipe(input);
    if (!result) result = cprocess_pipe(output);
    if (!result) result = cprocess_pipe(errors);
    pid_t child = 0;
    for (int attempt = 0; !result && !child; attempt++) {
        result = -start(&child, order, input[0], output[1], errors[1]);
        // Somebody who writes programs forked at the wrong moment; a few milliseconds later the file is free.
        if (result != -ETXTBSY || attempt == 20) break;
        result = child = 0;
        poll(NULL, 0, 5);
    }
    shut(&input[0]);
    shut(&output[1]);
    shut(&errors[1]);
    if (!result) {
        struct pipes ours = {input[1], output[0], errors[0]};
        set_nonblocking(ours.input);
        set_nonblocking(ours.output);
        set_nonblocking(ours.errors);
        sigset_t before;
        hold_pipe_signal(&before);
        result = supervise(child, order, &ours, ending);
        drop_pipe_signal(&before);
        input[1] = ours.input;
        output[0] = ours.output;
        errors[0] = ours.errors;
    }
    shut(&input[1]);
    shut(&output[0]);
    shut(&errors[0]);
    return result;
}
