#ifndef CLUA_H
#define CLUA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang diagnostic ignored "-Wnullability-completeness"
#else
#define _Nonnull
#endif

// All that Swift may call of Lua: functions that cannot raise while the allocator never refuses (which is so exactly while Swift runs).
// Everything that may raise or yield stays in C. The declarations are checked against <lua.h> by internal.h, which includes both.

typedef struct lua_State lua_State;
typedef struct clua_state clua_state;

// Lua's own.
int lua_gettop(lua_State *L);
void lua_settop(lua_State *L, int index);
void lua_pushvalue(lua_State *L, int index);
void lua_rotate(lua_State *L, int index, int n);
void lua_copy(lua_State *L, int from, int to);
int lua_absindex(lua_State *L, int index);
int lua_checkstack(lua_State *L, int n);
void lua_xmove(lua_State *from, lua_State *to, int n);
int lua_type(lua_State *L, int index);
int lua_isinteger(lua_State *L, int index);
double lua_tonumberx(lua_State *L, int index, int *isNumber);
long long lua_tointegerx(lua_State *L, int index, int *isInteger);
int lua_toboolean(lua_State *L, int index);
const char *lua_tolstring(lua_State *L, int index, size_t *length);  // of strings only: it changes numbers in place
unsigned long long lua_rawlen(lua_State *L, int index);
const void *lua_topointer(lua_State *L, int index);
lua_State *lua_tothread(lua_State *L, int index);
int lua_rawequal(lua_State *L, int a, int b);
void lua_pushnil(lua_State *L);
void lua_pushnumber(lua_State *L, double n);
void lua_pushinteger(lua_State *L, long long n);
void lua_pushboolean(lua_State *L, int b);
const char *lua_pushlstring(lua_State *L, const char *s, size_t length);
int lua_rawget(lua_State *L, int index);
int lua_rawgeti(lua_State *L, int index, long long n);
void lua_rawset(lua_State *L, int index);  // keys neither nil nor NaN
void lua_rawseti(lua_State *L, int index, long long n);
void lua_createtable(lua_State *L, int narray, int nrecord);
int lua_getmetatable(lua_State *L, int index);
int lua_setmetatable(lua_State *L, int index);
lua_State *lua_newthread(lua_State *L);

enum {
    CLUA_NONE = -1, CLUA_NIL = 0, CLUA_BOOLEAN = 1, CLUA_LIGHTUSERDATA = 2, CLUA_NUMBER = 3, CLUA_STRING = 4, CLUA_TABLE = 5,
    CLUA_FUNCTION = 6, CLUA_USERDATA = 7, CLUA_THREAD = 8
};

// Results of calls and resumes.
enum {
    CLUA_OK = 0, CLUA_YIELD = 1, CLUA_ERRRUN = 2, CLUA_ERRSYNTAX = 3, CLUA_ERRMEM = 4, CLUA_ERRERR = 5,
    CLUA_SUSPENDED = 100  // a host function waits for its answer
};

// What a host function tells the trampoline instead of a number of results.
enum {
    CLUA_RAISE = -1,    // the error value is on top of the stack
    CLUA_SUSPEND = -2,  // give control to the driver of the coroutine
    CLUA_STOP = -3      // terminate: the state was told why by clua_stop
};

// Why a script is being terminated. Nothing a script can do catches it.
enum {
    CLUA_RUNNING = 0, CLUA_STOPPED = 1, CLUA_CANCELLED = 2, CLUA_COMPUTING = 3, CLUA_MEMORY = 4, CLUA_OUTPUT = 5
};

typedef struct clua_configuration {
    void *owner;                 // handed to the callbacks
    size_t memory;               // bytes
    uint64_t instructions;       // virtual machine instructions between two resets, 0 = no limit
    uint64_t nanoseconds;        // processor time between two resets, 0 = no limit
    uint64_t closing;            // instructions that __close handlers get in all once the script is terminated
    size_t output;               // bytes that print may write
    int nesting;                 // host and coroutine levels inside one another
    uint64_t seed;
    const void *cancellation;    // from clua_flag_create
    int (*call)(void *_Nonnull function, lua_State *_Nonnull L);
    int (*raise)(void *_Nonnull error, void *_Nonnull function, lua_State *_Nonnull L);  // takes over the error that the body of `function` threw
    void (*release)(void *object);
    void (*print)(void *owner, const char *text, size_t length);
    void (*message)(void *error, lua_State *L);  // pushes the text of an error's object
} clua_configuration;

// A state with its sandboxed libraries.
clua_state *clua_open(const clua_configuration *configuration);
void clua_close(clua_state *state);
lua_State *clua_main(const clua_state *state);
lua_State *clua_current(const clua_state *state);     // the stack Swift works on: the running coroutine's, else the main one
void clua_set_owner(clua_state *state, void *owner);
void *clua_owner(lua_State *L);
clua_state *clua_state_of(lua_State *L);
lua_State *clua_waiting(const clua_state *state);     // after CLUA_SUSPENDED: the coroutine whose host function waits, its arguments on its stack
int clua_depth(const clua_state *state);              // host calls inside one another; 0 = idle
void clua_push_globals(lua_State *L);

// Values the host holds, by slots from 1 that the host numbers without gaps.
void clua_hold(lua_State *L, int index, int slot);
void clua_push_held(lua_State *L, int slot);
void clua_let_go(clua_state *state, int slot);
// Fields of a table, raw. The address of the name is cached, so let it be constant.
uint64_t clua_stamp(lua_State *L, int table);
int clua_get_name(lua_State *L, int table, const char *name, uint64_t stamp);  // pushes it; its type
void clua_set_name(lua_State *L, int table, const char *name, uint64_t stamp);  // pops the value
int clua_is_ascii(const char *_Nullable bytes, size_t length);
void clua_push_marker(lua_State *L);                            // a light userdata, which scripts never see
void clua_pop(lua_State *L, int n);

// Memory.
size_t clua_memory_used(const clua_state *state);
size_t clua_memory_peak(const clua_state *state);
void clua_collect(clua_state *state);
void clua_fail_allocation(clua_state *state, uint64_t nth);  // for tests: from the nth allocation of a script on, none succeeds; 0 = off

// Limits.
void *clua_flag_create(void);
void clua_flag_set(void *flag, int value);
int clua_flag_get(const void *flag);
void clua_flag_destroy(void *flag);
void clua_watch_pass(void);  // nobody looks any more at a task that is watched no longer
int clua_use_signal(int signal);  // a real-time signal, before the first script runs; 0 = too late or none that can be used
void clua_renew_budget(clua_state *state);
uint64_t clua_instructions(const clua_state *state);
int clua_stopping(const clua_state *state);
void clua_stop(clua_state *state, int reason);
int clua_spend_output(clua_state *state, size_t bytes);  // 0 = over the limit, and the script is being terminated

// Entries: the only ways into Lua. Function and arguments are on the stack; results or one error value replace them.
int clua_load(clua_state *state, const char *source, size_t length, const char *chunkname);  // onto the current stack
typedef struct clua_begun { lua_State *_Nullable stack; int function; } clua_begun;  // NULL = no room; where the function stands
clua_begun clua_begin_call(clua_state *state, int slot);  // pushes the held function, with room for 16 values
int clua_call(lua_State *L, int narguments, int nresults);  // on the current stack; -1 results = all
lua_State *clua_new_coroutine(lua_State *L);  // of the function on top, which it replaces
int clua_resume(clua_state *state, lua_State *coroutine, int narguments, int mayYield, int *nresults);
int clua_answer(clua_state *state, lua_State *coroutine, int raises, int mayYield, int *nresults);  // what is on the waiting coroutine's stack
// The same for a coroutine that a task drives and that awaits: when the task is cancelled while it runs, the script ends. What it waits for
// next, after CLUA_SUSPENDED, or how many results it has, stands in `awaited`, and so do the status and what it has used of its budget, which its
// waits do not renew.
typedef struct clua_awaited {
    lua_State *_Nullable stack;
    void *_Nullable function;
    int status, nresults;
    uint64_t instructions, nanoseconds, renewals;
    uint64_t left;  // when its last part ended, by the clock of slices (clock.c)
} clua_awaited;
int clua_is_cancelled(const void *_Nullable task);
int clua_begin_awaiting(clua_state *state, lua_State *coroutine, int narguments, const void *_Nullable task, clua_awaited *awaited);
int clua_go_on_awaiting(clua_state *state, lua_State *coroutine, int raises, const void *_Nullable task, clua_awaited *awaited);
int clua_terminate(clua_state *state, lua_State *coroutine, int *nresults);
int clua_reset(clua_state *state, lua_State *coroutine);  // runs __close handlers; the coroutine is dead afterwards
int clua_may_suspend(const clua_state *state);            // is the running function inside a coroutine of the host all the way?

// Which lines can run, and how often each did, on whatever thread. Lines begin at 1.
void *_Nullable clua_lines_create(lua_State *L);  // of the chunk on top, with all functions in it; NULL: this Lua writes its code in another form
void clua_lines_destroy(void *lines);             // no state notes in it any more
int clua_lines_last(const void *lines);
int clua_lines_executable(const void *lines, int line);
uint32_t clua_lines_hits(const void *lines, int line);
void clua_cover(clua_state *state, const char *chunkname, void *lines);  // from now on the state notes what runs of chunks of this name

// Where things are. `source` of 0-terminated text; line <= 0 means unknown.
typedef struct clua_place { char source[240]; int line; } clua_place;
void clua_find_place(const clua_state *state, lua_State *L, clua_place *place);  // the nearest Lua frame that is in no trusted chunk
const clua_place *clua_error_place(const clua_state *state);
const char *clua_error_traceback(const clua_state *state);
int clua_error_levels(const clua_state *state);  // how deep the stack was

// Host functions and objects. Both take over one retain of `object`, given back through `release`.
void clua_push_function(lua_State *L, void *object);
// Called faster, released with the state: `body` is the code of a closure `(lua_State) throws -> Int32`, which `object` keeps alive.
void clua_push_permanent_function(lua_State *L, void *object, const void *body, void *_Nullable context);
void clua_push_object(lua_State *L, void *object, const void *type);
void clua_new_type(lua_State *L, const void *type);  // pushes its metatable, to be filled with lua_rawset
int clua_has_type(lua_State *L, const void *type);
void clua_push_index(lua_State *L);                  // methods, getters, missing are popped; pushes the __index function
void clua_push_missing(lua_State *L);                // methods, missing are popped; pushes methods as an __index table
void *clua_object(lua_State *L, int index, const void *type);  // NULL when it is none
void *clua_any_object(lua_State *L, int index);      // of whatever type, but no error
size_t clua_objects(const clua_state *state);        // alive

// Errors of the host: tables with a shared metatable, each tied to the host's own error; or, without fields of their own, objects.
void clua_push_error(lua_State *L, void *object);    // the place is noted; `message` and `tostring` come from the callback
void clua_tie_error(lua_State *L, void *object);     // the table on top
void *clua_tied_error(lua_State *L, int index);
void clua_error_origin(lua_State *L, int index, clua_place *place);
void clua_push_error_metatable(lua_State *L);

void clua_push_entry(lua_State *L);                  // a function is popped; pushes one of C that calls it

// C functions to be called through clua_call.
void clua_push_sorted_keys(lua_State *L);
void clua_push_tostring(lua_State *L);
void clua_push_gettable(lua_State *L);
void clua_push_settable(lua_State *L);

#endif
