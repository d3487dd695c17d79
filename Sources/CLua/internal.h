#ifndef CLUA_INTERNAL_H
#define CLUA_INTERNAL_H

#include "CLua.h"

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdatomic.h>
#include <stdbool.h>

_Static_assert(CLUA_THREAD == LUA_TTHREAD && CLUA_USERDATA == LUA_TUSERDATA && CLUA_STRING == LUA_TSTRING, "types of values");
_Static_assert(CLUA_YIELD == LUA_YIELD && CLUA_ERRSYNTAX == LUA_ERRSYNTAX && CLUA_ERRMEM == LUA_ERRMEM && CLUA_ERRERR == LUA_ERRERR, "statuses");
_Static_assert(sizeof(lua_Integer) == 8 && sizeof(lua_Number) == 8, "numbers");

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
#include <time.h>
struct watched {
    clua_state *state;
    struct watched *next, *previous;  // all open states; under the watcher's lock
    struct watched *outer;            // states that run inside one another on one thread
    _Atomic(int) running, thread;
    _Atomic(clockid_t) clock;
    _Atomic(uint64_t) generation;     // of the budget: one more each time it is renewed
    _Atomic(uint64_t) alarm;          // the generation that is over its limit
    uint64_t seen, begun;             // the watcher's own: the last generation it saw, and the thread's processor time then
};
#endif

struct clua_state {
    clua_configuration configuration;
    lua_State *main, *current, *references, *transfer;
    struct entry *entries;
    int depth, nesting;
    // memory
    size_t used, peak;
    int enforce;  // 0 exactly while Swift runs
    uint64_t fail_nth, allocations;
    struct owned owned;
    size_t objects;
    // limits
    uint64_t spent, unpolled, allocated, closing_spent;
#if CLUA_SIGNALS
    struct watched watched;
#else
    uint64_t processor_start;
#endif
    size_t printed;
    int stopping;
    // suspension
    int suspending, transfer_raises;
    // what is known of the last error
    clua_place place;
    char traceback[6000];
    int levels;
    // random and names
    uint64_t random[4], seeds;
    lua_Integer ids;
};

static inline clua_state *clua_of(lua_State *L) { return *(clua_state **)lua_getextraspace(L); }

// Keys of the registry: their addresses.
struct clua_keys { char ids, origins, errors, error_metatable, error_type, function, reasons[CLUA_OUTPUT + 1]; };
extern const struct clua_keys clua_keys;

void *clua_allocate(void *state, void *block, size_t old_size, size_t new_size);
int clua_over_cap(const clua_state *state);

#if CLUA_SIGNALS
void clua_watch_open(clua_state *state);
void clua_watch_close(clua_state *state);
void clua_watch_begin(clua_state *state);  // Lua starts to run on this thread
void clua_watch_end(clua_state *state);
static inline int clua_alarmed(clua_state *state) {
    return atomic_load_explicit(&state->watched.alarm, memory_order_acquire)
        == atomic_load_explicit(&state->watched.generation, memory_order_relaxed);
}
#endif
// Must every instruction be counted?
static inline int clua_counts(const clua_state *state) { return !CLUA_SIGNALS || state->configuration.instructions != 0; }

void clua_hook(lua_State *L, lua_Debug *activation);
void clua_arm(lua_State *L);
void clua_note_work(clua_state *state, size_t bytes);  // memory a script has filled: may not raise
// Functions of the table on top are charged by the size of their arguments or their results.
void clua_charge_library(lua_State *L, const char *const *names, int by_arguments);
void clua_poll(lua_State *L, uint64_t steps);  // every loop in C that a script can make long calls it
void clua_begin_stop(clua_state *state, int reason);
int clua_raise_stop(lua_State *L);
int clua_propagate(lua_State *L, int status);  // raises again if `status` may not be caught here

int clua_may_suspend_at(const clua_state *state, lua_State *L);

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
