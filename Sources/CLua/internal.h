#ifndef CLUA_INTERNAL_H
#define CLUA_INTERNAL_H

#include "CLua.h"

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

_Static_assert(CLUA_THREAD == LUA_TTHREAD && CLUA_USERDATA == LUA_TUSERDATA && CLUA_STRING == LUA_TSTRING, "types of values");
_Static_assert(CLUA_YIELD == LUA_YIELD && CLUA_ERRSYNTAX == LUA_ERRSYNTAX && CLUA_ERRMEM == LUA_ERRMEM && CLUA_ERRERR == LUA_ERRERR, "statuses");
_Static_assert(sizeof(lua_Integer) == 8 && sizeof(lua_Number) == 8, "numbers");

#ifdef DEBUG
#include <assert.h>
#define CLUA_ASSERT(condition) assert(condition)
#else
#define CLUA_ASSERT(condition) ((void)0)
#endif

// What the ways in and out hardly ever call: it leaves their registers alone, so that they need not save them.
#define CLUA_RARE __attribute__((cold, noinline, preserve_most))

enum entry_kind {
    ENTRY_CALL,    // the host called a function: nothing may suspend through it
    ENTRY_RESUME,  // the host drives this coroutine
    ENTRY_SCRIPT   // a script resumed this coroutine
};

// One level of running Lua; lives on the C stack of the protected call it stands for.
struct entry {
    enum entry_kind kind;
    lua_State *thread;  // what runs
    lua_State *from;    // what waits for it
    int may_yield;      // for ENTRY_RESUME: may the script yield to the host?
    struct entry *outer;
};

// A Swift object that Lua holds. The list stands outside Lua's heap, because finalizers are lost when memory is short.
struct owned {
    struct owned *next, *previous;
    void *object;
};

struct object {
    const void *type;
    struct owned *owned;
};

// An error of the host without fields of its own, and where it was thrown.
struct error_object {
    struct object object;
    int line, length;
    char source[];
};

enum { CLUA_SLOTS = 128 };

// Small blocks of a state come from one piece of memory and go back to lists by size; what does not fit is malloc's. Off under the address
// sanitizer, which is to see every block.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CLUA_POOL 0
#endif
#endif
#ifndef CLUA_POOL
#define CLUA_POOL 1
#endif
enum { POOL_SIZE = 96 << 10, POOL_UNIT = 16, POOL_LARGEST = 256 };
struct pool {
    char *start;
    size_t used;
    void *free[POOL_LARGEST / POOL_UNIT];
};

// Where signals reach a thread at once, limits cost nothing until they are met (watch.c); elsewhere every instruction is counted.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CLUA_SIGNALS 0
#endif
#endif
#ifndef CLUA_SIGNALS
#ifdef __linux__
#define CLUA_SIGNALS 1
#else
#define CLUA_SIGNALS 0
#endif
#endif

#if CLUA_SIGNALS
struct watched {
    clua_state *state;
    struct watched *next, *previous;  // all open states; under the watcher's lock
    struct watched *outer;            // states that run inside one another on one thread
    _Atomic(int) running, thread;
    _Atomic(clockid_t) clock;
    _Atomic(uint64_t) generation;     // of the budget: one more each time it is renewed
    _Atomic(uint64_t) alarm;          // the generation that is over its limit
    _Atomic(uint64_t) charged;        // what the run that goes on had used before; 0 for calls
    uint64_t seen, begun, idle;       // the watcher's own: the last generation it saw running, the thread's processor time then, and the last it
                                      // saw at rest
};
#endif

// Swift's own calling convention, in clang's words: the closure's context in one register, its error in another.
typedef __attribute__((swiftcall)) int (*host_body)(
    lua_State *L, __attribute__((swift_context)) void *context, __attribute__((swift_error_result)) void **error);
struct host_slot {
    host_body body;
    void *context;
    void *function;  // keeps both alive
};

// What the running part of a run began with: when, by the clock of slices, and the processor time of its thread shortly before.
struct slice { uint64_t begun, processor; };

struct clua_state {
    clua_configuration configuration;
    lua_State *main, *current, *waiting;
    struct entry *entries, idle_entry;  // at the bottom always that of the idle host and its calls
    int depth, nesting;
    uint64_t entered;  // how often Lua was entered; never 0
    // memory
    size_t used, peak;
    int enforce;   // 0 exactly while Swift runs
    int attention; // a script may not just go on: it is being stopped, or Swift filled more than the cap
    uint64_t fail_nth, allocations;
    int stack_refused;    // the last refusal: one call has too many values
    size_t refused_size;  // the last refusal, if nothing was allocated since
    struct owned owned, *spare;
    size_t objects;
    struct pool pool;
    // host functions that live as long as the state, each with a C function of its own
    struct host_slot slots[CLUA_SLOTS];
    int nslots;
    // the held function that the idle host calls again and again stands at index 2 of the main stack
    int called_slot, last_slot;
    // limits
    uint64_t spent, unpolled, allocated, closing_spent;
    struct slice slice;
#if CLUA_SIGNALS
    struct watched watched;
#else
    uint64_t processor_start;
    int alarmed;  // a run that goes on was over the limit before
#endif
    size_t printed;
    int finalizing;        // an object of Swift's is being released
    _Atomic(const void *) task;  // drives what runs now
    struct clua_awaited *run;    // what goes on after a wait: its budget is that of all its parts
    uint64_t renewals;     // how often the host renewed the budget
    int closings;          // coroutines that are closed inside one another
    uint64_t closing_since, closing_began;  // when the stop began: on the wall, and in processor time
    int stopping, hooked;  // hooked: all instructions are counted, or some coroutine's were, or lines are noted
    struct covered *covered;  // chunks whose lines are noted
    // suspension
    int suspending, answer_raises;
    void *waiting_function;
    // what is known of the last error
    int noted;  // is what follows of the last entry?
    clua_place place;
    char traceback[6000];
    int levels;
    // random and names
    uint64_t random[4], seeds;
    lua_Integer ids;
};

static inline clua_state *clua_of(lua_State *L) { return *(clua_state **)lua_getextraspace(L); }

// Keys of the registry: their addresses.
struct clua_keys { char ids, origins, errors, error_metatable, error_type, function, stack, unprotected, reasons[CLUA_OUTPUT + 1]; };
extern const struct clua_keys clua_keys;

void clua_open_pool(clua_state *state);
void clua_close_pool(clua_state *state);
void *clua_allocate(void *state, void *block, size_t old_size, size_t new_size);
static inline int clua_over_cap(const clua_state *state) { return state->used > state->configuration.memory; }

#if CLUA_SIGNALS
void clua_watch_open(clua_state *state);
void clua_watch_close(clua_state *state);
// A thread that runs Lua, and the states that run inside one another on it.
struct watched_thread { int id; clockid_t clock; struct watched *running; };
// Found without a call: it is asked for at every way in, and by the handler of a signal.
extern _Thread_local struct watched_thread clua_this_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern _Atomic(int) clua_watcher_awake __attribute__((visibility("hidden")));
CLUA_RARE void clua_watch_prepare(void);  // this thread
CLUA_RARE void clua_watch_call(void);     // the watcher, which sleeps

static inline void clua_reset_budget(clua_state *state) {
    state->spent = 0;
    uint64_t generation = atomic_load_explicit(&state->watched.generation, memory_order_relaxed);
    atomic_store_explicit(&state->watched.generation, generation + 1, memory_order_release);
}

// Lua starts to run on this thread, with a new budget. The order matters to the watcher: it looks at states that run, and who sees a generation
// sees the clock it is measured by.
static inline void clua_watch_begin(clua_state *state) {
    struct watched *watched = &state->watched;
    struct watched_thread *thread = &clua_this_thread;
    if (__builtin_expect(!thread->id, 0)) clua_watch_prepare();
    if (atomic_load_explicit(&watched->thread, memory_order_relaxed) != thread->id) {
        atomic_store_explicit(&watched->thread, thread->id, memory_order_relaxed);
        atomic_store_explicit(&watched->clock, thread->clock, memory_order_relaxed);
    }
    watched->outer = thread->running;
    thread->running = watched;
    clua_reset_budget(state);
    atomic_store_explicit(&watched->running, 1, memory_order_release);
    if (__builtin_expect(!atomic_load_explicit(&clua_watcher_awake, memory_order_relaxed), 0)) clua_watch_call();
}

static inline void clua_watch_end(clua_state *state) {
    atomic_store_explicit(&state->watched.running, 0, memory_order_release);
    clua_this_thread.running = state->watched.outer;
}

static inline int clua_alarmed(clua_state *state) {
    return atomic_load_explicit(&state->watched.alarm, memory_order_acquire)
        == atomic_load_explicit(&state->watched.generation, memory_order_relaxed);
}
#else
void clua_reset_budget(clua_state *state);
static inline int clua_alarmed(const clua_state *state) { return state->alarmed; }
static inline void clua_watch_begin(clua_state *state) { clua_reset_budget(state); }
static inline void clua_watch_end(clua_state *state) { (void)state; }
#endif

// The clock of slices (clock.c): the processor's own where it has one, for a call of the system's costs as much as half a wait.
struct slice_clock {
    uint64_t scale;        // nanoseconds of a tick, times 2^32
    uint64_t fresh, wait;  // in ticks
};
extern struct slice_clock clua_slices __attribute__((visibility("hidden")));
// When this thread's processor time was last read, by the clock of slices, and what it was.
struct thread_clock { uint64_t looked, processor; };
extern _Thread_local struct thread_clock clua_thread_clock __attribute__((tls_model("initial-exec"), visibility("hidden")));
uint64_t clua_time(clockid_t clock);  // in nanoseconds; 0 = there is none
static inline uint64_t clua_ticks(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    return __builtin_arm_rsr64("cntvct_el0");
#else
    return clua_time(CLOCK_MONOTONIC);
#endif
}
void clua_open_clock(void);
CLUA_RARE void clua_renew_run(clua_state *state, clua_awaited *run);
CLUA_RARE void clua_look_at_thread(uint64_t now);
CLUA_RARE uint64_t clua_measured(const clua_state *state, uint64_t now);

// What runs had used so much before; whoever is over the limit with that is stopped at once.
static inline void clua_charge(clua_state *state, uint64_t nanoseconds) {
#if CLUA_SIGNALS
    struct watched *watched = &state->watched;
    atomic_store_explicit(&watched->charged, nanoseconds, memory_order_relaxed);
    if (__builtin_expect(nanoseconds < state->configuration.nanoseconds, 1)) return;
    atomic_store_explicit(
        &watched->alarm, atomic_load_explicit(&watched->generation, memory_order_relaxed), memory_order_release);
#else
    state->processor_start -= nanoseconds;
    state->alarmed = nanoseconds >= state->configuration.nanoseconds;
#endif
}

// A run goes on on this thread: what it used before counts, and so does the wait, up to what one costs that is over at once.
static inline void clua_begin_slice(clua_state *state, clua_awaited *run) {
    if (__builtin_expect(run->renewals != state->renewals, 0)) clua_renew_run(state, run);
    state->spent = run->instructions;
    if (!state->configuration.nanoseconds) return;
    uint64_t now = clua_ticks(), away = now - run->left;
    if (__builtin_expect(now - clua_thread_clock.looked > clua_slices.fresh, 0)) clua_look_at_thread(now);
    state->slice = (struct slice){now - (away < clua_slices.wait ? away : clua_slices.wait), clua_thread_clock.processor};
    clua_charge(state, run->nanoseconds);
}

static inline void clua_end_slice(clua_state *state, clua_awaited *run) {
    run->instructions = state->spent;
    if (!state->configuration.nanoseconds) return;
    uint64_t now = clua_ticks(), used = now - state->slice.begun;
    run->nanoseconds += __builtin_expect(used > clua_slices.fresh, 0) ? clua_measured(state, now) : used * clua_slices.scale >> 32;
    run->left = now;
    clua_charge(state, 0);
}

struct flag { atomic_int value; };
static inline int clua_is_set(const struct flag *flag) { return atomic_load_explicit(&flag->value, memory_order_acquire); }

// Must every instruction be counted?
static inline int clua_counts(const clua_state *state) { return !CLUA_SIGNALS || state->configuration.instructions != 0; }

void clua_hook(lua_State *L, lua_Debug *activation);
void clua_count(lua_State *L, int step);
CLUA_RARE void clua_rearm(lua_State *L);
// Is there reason to count the instructions of coroutines?
static inline int clua_wants_hook(clua_state *state) {
    if (clua_alarmed(state)) return 1;
    if (state->configuration.cancellation && clua_is_set(state->configuration.cancellation)) return 1;
    return clua_counts(state) || state->stopping;
}
// Counts the instructions of this coroutine if there is reason to, and stops counting if not.
static inline void clua_arm(lua_State *L) {
    clua_state *state = clua_of(L);
    if (clua_wants_hook(state) || state->hooked) clua_rearm(L);
}
void clua_note_work(clua_state *state, size_t bytes);  // memory a script has filled: may not raise
// Functions of the table on top are charged by the size of their arguments or their results.
void clua_charge_library(lua_State *L, const char *const *names, int by_arguments);
void clua_note_line(lua_State *L, lua_Debug *activation);
void clua_close_coverage(clua_state *state);
void clua_poll(lua_State *L, uint64_t steps);  // every loop in C that a script can make long calls it
void clua_begin_stop(clua_state *state, int reason);
static inline void clua_end_stop(clua_state *state, int reason_left) {
    state->stopping = reason_left;
    state->attention = reason_left != CLUA_RUNNING;
}
int clua_raise_stop(lua_State *L);
int clua_note_memory(clua_state *state, lua_State *L);  // after LUA_ERRMEM: the cap stops the script; a stack that is full is an error, on top of L
int clua_propagate_stop(lua_State *L, int status);
// Raises again if `status` may not be caught here.
static inline int clua_propagate(lua_State *L, int status) {
    return __builtin_expect(status == LUA_ERRMEM || clua_of(L)->stopping, 0) ? clua_propagate_stop(L, status) : 0;
}

int clua_may_suspend_at(const clua_state *state, lua_State *L);

int clua_find_caller(const clua_state *state, lua_State *L, const char **source, size_t *length);  // its line; 0 = unknown
int clua_error_object_place(lua_State *L, int index, clua_place *place);  // 0: it is none
int clua_error_message(lua_State *L, const struct object *error);  // pushes it
int clua_capture(lua_State *L);  // message handler: notes place and traceback, passes the error on
void clua_note_error(clua_state *state, lua_State *L);
void clua_note_origin(lua_State *L, int index);  // of an error table, the first time it is raised
void clua_push_place(lua_State *L, const clua_place *place);

int clua_tostring(lua_State *L);
const char *clua_tolstring(lua_State *L, int index, size_t *length);  // pushes
void clua_push_id(lua_State *L, int index);
lua_Integer clua_sort_keys(lua_State *L, int index);  // pushes keys and their order (nil: as they are); returns how many
int clua_pairs(lua_State *L);
int clua_next(lua_State *L);
int clua_co_is_root(lua_State *L);
int clua_start(lua_State *coroutine, lua_State *from, int narguments, int *nresults);  // lua_resume
// Runs __close handlers. They run on the closed coroutine's own count of C levels (lua_resetthread of 5.4.4 takes no other), so only so many
// may be inside one another, or they would overflow the C stack together.
enum { CLUA_CLOSINGS = 2 };
int clua_close_coroutine(clua_state *state, lua_State *coroutine);

void clua_open_base(lua_State *L);
void clua_open_string(lua_State *L);
void clua_open_patterns(lua_State *L);
void clua_open_table(lua_State *L);
void clua_open_math(lua_State *L);
void clua_open_coroutine(lua_State *L);

// The pattern matcher.
#define CLUA_CAPTURES 32
#define CLUA_POSITION ((ptrdiff_t)-2)
struct clua_match {
    lua_State *L;
    const char *source, *source_end, *pattern_end;
    int depth, level;
    struct { const char *start; ptrdiff_t length; } captures[CLUA_CAPTURES];
};
const char *clua_match_at(struct clua_match *match, const char *subject, const char *pattern);
void clua_push_capture(struct clua_match *match, int index, const char *start, const char *end);
int clua_push_captures(struct clua_match *match, const char *start, const char *end);

#endif
