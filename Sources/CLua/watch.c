// The clock of the limits, so that a script pays nothing for them before they are reached.
//
// One thread of the process looks at the running states every few milliseconds: how much processor time the thread of each has used since its
// budget was renewed, and whether it was cancelled. Past a limit it notes an alarm in the state and sends a signal to that thread; the handler
// arms a count hook on the running coroutine, which raises at the next instruction. Until the script has stopped, the signal is sent again at
// each look, so one that came while the coroutines changed is not lost. With nothing to watch the thread sleeps until it is called.
//
// A budget begins when the watcher first sees it: a script gets up to one look (10 ms) more than its limit, never less. What the parts of a run
// that awaits have used is measured part by part (clock.c); the watcher adds the one that runs.

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "internal.h"

#if CLUA_SIGNALS

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOK = 10000000, URGENT = 1000000, IDLE_LOOKS = 20 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t called;
    struct watched *first;
    int started, signal;
} watcher = {.lock = PTHREAD_MUTEX_INITIALIZER, .called = PTHREAD_COND_INITIALIZER};

_Thread_local struct watched_thread clua_this_thread;
_Atomic(int) clua_watcher_awake;

// Runs on the thread of the scripts: `lua_sethook` is made to be called from a signal.
static void alarm_rang(int signal) {
    (void)signal;
    int error = errno;
    for (struct watched *watched = clua_this_thread.running; watched; watched = watched->outer) {
        if (clua_alarmed(watched->state)) clua_count(watched->state->current, 1);
    }
    errno = error;
}

int clua_use_signal(int signal) {
    pthread_mutex_lock(&watcher.lock);
    int usable = !watcher.started && signal >= SIGRTMIN && signal <= SIGRTMAX;
    if (usable) watcher.signal = signal;
    int result = usable || watcher.signal == signal;
    pthread_mutex_unlock(&watcher.lock);
    return result;
}

// The signal the embedder named, else the first real-time one, counted from above, that nobody handles yet.
static void install_handler(void) {
    struct sigaction action = {.sa_handler = alarm_rang, .sa_flags = SA_RESTART}, present;
    sigemptyset(&action.sa_mask);
    if (!watcher.signal) {
        for (int signal = SIGRTMAX - 2; signal >= SIGRTMIN && !watcher.signal; signal--) {
            if (!sigaction(signal, NULL, &present) && !(present.sa_flags & SA_SIGINFO) && present.sa_handler == SIG_DFL) watcher.signal = signal;
        }
    }
    if (sigaction(watcher.signal, &action, NULL)) {
        perror("LuaBridge: no signal for the limits of scripts");
        abort();
    }
}

// How long until the next look, or 0 when nothing runs.
static uint64_t look(void) {
    uint64_t next = 0;
    for (struct watched *watched = watcher.first; watched; watched = watched->next) {
        int is_running = atomic_load_explicit(&watched->running, memory_order_acquire);
        uint64_t generation = atomic_load_explicit(&watched->generation, memory_order_acquire);
        if (!is_running) {
            // It may have run since the last look, and may soon again.
            if (generation != watched->idle) next = next ? next : LOOK;
            watched->idle = generation;
            continue;
        }
        uint64_t wait = LOOK, now = clua_time(atomic_load_explicit(&watched->clock, memory_order_relaxed));
        if (generation != watched->seen) {
            watched->seen = generation;
            watched->begun = now;
        }
        const clua_configuration *limits = &watched->state->configuration;
        int reason = CLUA_RUNNING;
        const void *task = atomic_load_explicit(&watched->state->task, memory_order_acquire);
        if (limits->cancellation && clua_is_set(limits->cancellation)) reason = CLUA_CANCELLED;
        if (clua_is_cancelled(task)) reason = CLUA_CANCELLED;
        if (limits->nanoseconds && now) {
            uint64_t used = now > watched->begun ? now - watched->begun : 0;
            used += atomic_load_explicit(&watched->charged, memory_order_relaxed);
            if (used >= limits->nanoseconds) reason = CLUA_COMPUTING;
            else if (limits->nanoseconds - used < wait) wait = limits->nanoseconds - used;
        }
        if (reason) {
            atomic_store_explicit(&watched->alarm, generation, memory_order_release);
            syscall(SYS_tgkill, getpid(), atomic_load_explicit(&watched->thread, memory_order_relaxed), watcher.signal);
            wait = URGENT;
        }
        if (wait < URGENT / 4) wait = URGENT / 4;
        if (!next || wait < next) next = wait;
    }
    return next;
}

static void *watch(void *unused) {
    (void)unused;
    // Signals are for the host's threads, but for those that tell of a fault right here: blocked, they end the process without a word.
    sigset_t others;
    sigfillset(&others);
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&others, faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, NULL);
    int idle = 0;
    pthread_mutex_lock(&watcher.lock);
    for (;;) {
        uint64_t next = look();
        idle = next ? 0 : idle + 1;
        if (idle == IDLE_LOOKS) {
            // A script that starts from now on calls. One that started just before and did not see this is found by the last look.
            atomic_store_explicit(&clua_watcher_awake, 0, memory_order_seq_cst);
        } else if (idle > IDLE_LOOKS) {
            while (!atomic_load_explicit(&clua_watcher_awake, memory_order_seq_cst)) pthread_cond_wait(&watcher.called, &watcher.lock);
            idle = 0;
            continue;
        } else if (next) {
            atomic_store_explicit(&clua_watcher_awake, 1, memory_order_seq_cst);
        }
        pthread_mutex_unlock(&watcher.lock);
        struct timespec pause = {.tv_nsec = (long)(next ? next : LOOK)};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        pthread_mutex_lock(&watcher.lock);
    }
    return NULL;
}

// A child process has no watcher until it runs a script itself.
static void forked(void) {
    pthread_mutex_init(&watcher.lock, NULL);
    pthread_cond_init(&watcher.called, NULL);
    watcher.started = 0;
    atomic_store(&clua_watcher_awake, 0);
    clua_this_thread.id = 0;
}

CLUA_RARE void clua_watch_call(void) {
    pthread_mutex_lock(&watcher.lock);
    if (!watcher.started) {
        install_handler();
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 256 << 10);
        if (pthread_create(&thread, &attributes, watch, NULL)) {
            perror("LuaBridge: no thread to watch the limits of scripts");
            abort();
        }
        pthread_attr_destroy(&attributes);
        static int registered;
        if (!registered++) pthread_atfork(NULL, NULL, forked);
        watcher.started = 1;
    }
    atomic_store_explicit(&clua_watcher_awake, 1, memory_order_seq_cst);
    pthread_cond_signal(&watcher.called);
    pthread_mutex_unlock(&watcher.lock);
}

// Pools of threads run with all signals blocked.
CLUA_RARE void clua_watch_prepare(void) {
    clua_watch_call();
    clua_this_thread.id = (pid_t)syscall(SYS_gettid);
    pthread_getcpuclockid(pthread_self(), &clua_this_thread.clock);
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, watcher.signal);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void clua_watch_open(clua_state *state) {
    struct watched *watched = &state->watched;
    watched->state = state;
    pthread_mutex_lock(&watcher.lock);
    watched->next = watcher.first;
    if (watched->next) watched->next->previous = watched;
    watcher.first = watched;
    pthread_mutex_unlock(&watcher.lock);
}

// The watcher looks under its lock.
void clua_watch_pass(void) {
    pthread_mutex_lock(&watcher.lock);
    pthread_mutex_unlock(&watcher.lock);
}

void clua_watch_close(clua_state *state) {
    struct watched *watched = &state->watched;
    pthread_mutex_lock(&watcher.lock);
    if (watched->previous) watched->previous->next = watched->next;
    else watcher.first = watched->next;
    if (watched->next) watched->next->previous = watched->previous;
    pthread_mutex_unlock(&watcher.lock);
}

#else

int clua_use_signal(int signal) {
    (void)signal;
    return 0;
}

#endif
