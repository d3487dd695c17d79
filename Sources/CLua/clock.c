// What the parts of a run that awaits use, each from one wait to the next.
//
// A part may be a hundred nanoseconds, and the system's clock of a thread costs four times as much to read. So a part is timed by the processor's
// clock, which is right for one that is short: nothing else can have run in so little time. Of a longer one the wall is no measure, for others may
// have run meanwhile. There the thread's own clock is read, and what it said when the part began is known to a few microseconds, since each part
// reads it that begins later than that after it was last read on this thread.
//
// A wait that gives its thread away takes the processor, too, where nobody sees it: each is charged as what it took, but at most WAIT.

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <pthread.h>

enum { FRESH = 10000, WAIT = 2000, CALIBRATION = 50000 };

struct slice_clock clua_slices;
_Thread_local struct thread_clock clua_thread_clock;

uint64_t clua_time(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now)) return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)

struct moment { uint64_t ticks, nanoseconds; };

// By both clocks; not across a pause of the thread.
static struct moment moment(void) {
    struct moment moment = {0, 0};
    for (int attempt = 0; attempt < 10; attempt++) {
        uint64_t before = clua_time(CLOCK_MONOTONIC);
        moment.ticks = clua_ticks();
        moment.nanoseconds = clua_time(CLOCK_MONOTONIC);
        if (moment.nanoseconds - before < 1000) break;
    }
    return moment;
}

static uint64_t scale(void) {
    struct moment start = moment(), end = start;
    while (end.nanoseconds - start.nanoseconds < CALIBRATION) end = moment();
    uint64_t ticks = end.ticks - start.ticks;
    return ticks ? ((end.nanoseconds - start.nanoseconds) << 32) / ticks : (uint64_t)1 << 32;
}

#elif defined(__aarch64__)

static uint64_t scale(void) { return ((uint64_t)1000000000 << 32) / __builtin_arm_rsr64("cntfrq_el0"); }

#else

static uint64_t scale(void) { return (uint64_t)1 << 32; }

#endif

static void open_clock(void) {
    clua_slices.scale = scale();
    clua_slices.fresh = ((uint64_t)FRESH << 32) / clua_slices.scale;
    clua_slices.wait = ((uint64_t)WAIT << 32) / clua_slices.scale;
}

void clua_open_clock(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_clock);
}

CLUA_RARE void clua_look_at_thread(uint64_t now) {
    clua_thread_clock.looked = now;
    clua_thread_clock.processor = clua_time(CLOCK_THREAD_CPUTIME_ID);
}

CLUA_RARE uint64_t clua_measured(const clua_state *state, uint64_t now) {
    uint64_t wall = (uint64_t)((unsigned __int128)(now - state->slice.begun) * clua_slices.scale >> 32);
    clua_look_at_thread(now);
    uint64_t processor = clua_thread_clock.processor - state->slice.processor;
    return processor < wall ? processor : wall;
}

// The part that runs begins anew with it.
CLUA_RARE void clua_renew_run(clua_state *state, clua_awaited *run) {
    run->renewals = state->renewals;
    run->instructions = run->nanoseconds = 0;
    if (!state->configuration.nanoseconds) return;
    run->left = clua_ticks();
    clua_look_at_thread(run->left);
    state->slice = (struct slice){run->left, clua_thread_clock.processor};
}
