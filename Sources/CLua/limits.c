#include "internal.h"

#include <stdlib.h>

enum { HOOK_STEP = 1000, AT_ONCE = 1, CLOSING_TIME = 25000000, POLL_STEP = 4096, BYTES_A_STEP = 64, WORK_STEP = 1 << 20 };

void *clua_flag_create(void) {
    struct flag *flag = malloc(sizeof *flag);
    if (!flag) abort();
    atomic_init(&flag->value, 0);
    return flag;
}
void clua_flag_set(void *flag, int value) { atomic_store_explicit(&((struct flag *)flag)->value, value, memory_order_release); }
int clua_flag_get(const void *flag) { return clua_is_set(flag); }
void clua_flag_destroy(void *flag) { free(flag); }

#if CLUA_SIGNALS

static int over_time(clua_state *state) { return clua_alarmed(state); }

#else

void clua_watch_pass(void) {}

void clua_reset_budget(clua_state *state) {
    state->spent = 0;
    state->alarmed = 0;
    if (state->configuration.nanoseconds) state->processor_start = clua_time(CLOCK_THREAD_CPUTIME_ID);
}

static int over_time(const clua_state *state) {
    uint64_t limit = state->configuration.nanoseconds;
    return limit && clua_time(CLOCK_THREAD_CPUTIME_ID) - state->processor_start > limit;
}

#endif

// The charge goes first: who sees the new budget must not see what was used of the old one.
void clua_renew_budget(clua_state *state) {
    if (state->configuration.nanoseconds) clua_charge(state, 0);
    clua_reset_budget(state);
    state->renewals++;
    if (state->run) clua_renew_run(state, state->run);
}

uint64_t clua_instructions(const clua_state *state) { return state->spent; }
int clua_stopping(const clua_state *state) { return state->stopping; }

void clua_begin_stop(clua_state *state, int reason) {
    if (state->stopping) return;
    state->stopping = reason;
    state->attention = 1;
    state->closing_spent = 0;
    state->closing_since = clua_time(CLOCK_MONOTONIC);
    state->closing_began = clua_time(CLOCK_THREAD_CPUTIME_ID);
}
void clua_stop(clua_state *state, int reason) { clua_begin_stop(state, reason); }

// The messages are made when the state is: raising allocates nothing.
int clua_raise_stop(lua_State *L) {
    if (!(lua_gethookmask(L) & LUA_MASKCOUNT)) clua_arm(L);  // the __close handlers that run now are counted
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.reasons[clua_of(L)->stopping]);
    return lua_error(L);
}

int clua_note_memory(clua_state *state, lua_State *L) {
    int refused = state->stack_refused;
    state->stack_refused = 0;
    if (!refused) {
        clua_begin_stop(state, CLUA_MEMORY);
        return LUA_ERRMEM;
    }
    lua_settop(L, -2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.stack);
    return LUA_ERRRUN;
}

int clua_propagate_stop(lua_State *L, int status) {
    if (status == LUA_ERRMEM) clua_note_memory(clua_of(L), L);
    return clua_of(L)->stopping ? clua_raise_stop(L) : 0;
}

static int over_limit(clua_state *state) {
    const clua_configuration *limits = &state->configuration;
    if (limits->cancellation && clua_is_set(limits->cancellation)) return CLUA_CANCELLED;
    if (clua_is_cancelled(atomic_load_explicit(&state->task, memory_order_relaxed))) return CLUA_CANCELLED;
    if (limits->instructions && state->spent > limits->instructions) return CLUA_COMPUTING;
    if (over_time(state)) return CLUA_COMPUTING;
    return CLUA_RUNNING;
}

// While a script is being terminated only its __close handlers run, and they share one allowance of instructions and of processor time: one
// instruction can take long. The clock on the wall is the cheap one.
static int may_close(const clua_state *state) {
    if (state->closing_spent > state->configuration.closing) return 0;
    return clua_time(CLOCK_MONOTONIC) - state->closing_since <= CLOSING_TIME
        || clua_time(CLOCK_THREAD_CPUTIME_ID) - state->closing_began <= CLOSING_TIME;
}

static void spend(lua_State *L, uint64_t steps) {
    clua_state *state = clua_of(L);
    state->spent += steps;
    if (state->stopping) {
        state->closing_spent += steps;
        if (may_close(state)) return;
        state->closing_spent = UINT64_MAX / 2;
        clua_count(L, 1);
        clua_raise_stop(L);
    }
    int reason = over_limit(state);
    if (reason == CLUA_RUNNING) return;
    clua_begin_stop(state, reason);
    clua_raise_stop(L);
}

void clua_hook(lua_State *L, lua_Debug *activation) {
    if (activation->event == LUA_HOOKLINE) return clua_note_line(L, activation);
    int count = lua_gethookcount(L);
    clua_arm(L);
    spend(L, (uint64_t)count);
}

// One instruction can fill a megabyte (s .. s): memory is charged as well, and the hook is called at the next instruction.
void clua_note_work(clua_state *state, size_t bytes) {
    if (!clua_counts(state)) return;
    state->allocated += bytes;
    if (state->allocated < WORK_STEP) return;
    state->spent += state->allocated / BYTES_A_STEP;
    state->allocated = 0;
    clua_count(state->current, 1);
}

static uint64_t cost(lua_State *L, int count) {
    uint64_t bytes = 64;
    for (int i = 1; i <= count; i++) bytes += lua_type(L, -i) == LUA_TSTRING ? lua_rawlen(L, -i) : 8;
    return bytes / BYTES_A_STEP;
}

// Upvalues: the function; is its work that of its arguments, or of its results?
static int charged(lua_State *L) {
    lua_CFunction function = lua_tocfunction(L, lua_upvalueindex(1));
    if (lua_toboolean(L, lua_upvalueindex(2))) {
        clua_poll(L, cost(L, lua_gettop(L)));
        return function(L);
    }
    int results = function(L);
    clua_poll(L, cost(L, results));
    return results;
}

void clua_charge_library(lua_State *L, const char *const *names, int by_arguments) {
    for (; *names; names++) {
        lua_getfield(L, -1, *names);
        lua_pushboolean(L, by_arguments);
        lua_pushcclosure(L, charged, 2);
        lua_setfield(L, -2, *names);
    }
}

static void hook(lua_State *L, int mask, int step) {
    if (clua_of(L)->covered) mask |= LUA_MASKLINE;
    if (mask) lua_sethook(L, clua_hook, mask, step);
    else lua_sethook(L, NULL, 0, 0);
}

void clua_count(lua_State *L, int step) {
    clua_of(L)->hooked = 1;
    hook(L, LUA_MASKCOUNT, step);
}

CLUA_RARE void clua_rearm(lua_State *L) {
    if (!clua_wants_hook(clua_of(L))) {
        if (lua_gethookmask(L) != (clua_of(L)->covered ? LUA_MASKLINE : 0)) hook(L, 0, 0);
        return;
    }
    // Only when it is not armed yet: arming restarts the count, and a script could stay below it for ever.
    int step = clua_of(L)->stopping || clua_alarmed(clua_of(L)) ? AT_ONCE : HOOK_STEP;
    if (!(lua_gethookmask(L) & LUA_MASKCOUNT) || lua_gethookcount(L) != step) clua_count(L, step);
}

void clua_poll(lua_State *L, uint64_t steps) {
    clua_state *state = clua_of(L);
    state->unpolled += steps;
    if (state->unpolled < POLL_STEP && !state->stopping) return;
    steps = state->unpolled;
    state->unpolled = 0;
    spend(L, steps);
}

int clua_spend_output(clua_state *state, size_t bytes) {
    size_t left = state->configuration.output - state->printed;
    if (bytes > left) {
        clua_begin_stop(state, CLUA_OUTPUT);
        return 0;
    }
    state->printed += bytes;
    return 1;
}
