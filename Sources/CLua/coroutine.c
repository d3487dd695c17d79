#include "internal.h"

// The script's coroutines. When a host function suspends inside one, every resume around it suspends in turn, up to the coroutine that the
// host drives, and all go on when the answer comes: the script sees nothing of it.

enum { AWAITED = -2, FAILED = -1, RESUME_COST = 20, CREATE_COST = 1000 };

static int yielded(lua_State *L, int status, lua_KContext context);
static int yield_coroutine(lua_State *L);

// At the bottom of every coroutine stands one of these, which calls the function protected. A hook that raises leaves hooks off in its thread; what
// puts them on again before the __close handlers run is this protected call alone, and without hooks a handler could run for ever.
static int ended(lua_State *L, int status, lua_KContext below) {
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)below;
    clua_propagate(L, status);
    return lua_error(L);
}

static int scripts_bottom(lua_State *L) { return ended(L, lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, ended), 0); }

// The host wants to know where an error was.
static int hosts_bottom(lua_State *L) {
    lua_pushcfunction(L, clua_capture);
    lua_insert(L, 1);
    return ended(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 1, ended), 1);
}

static lua_State *new_coroutine(lua_State *L, lua_CFunction bottom) {
    lua_State *coroutine = lua_newthread(L);
    lua_pushcfunction(coroutine, bottom);
    lua_insert(L, -2);
    lua_xmove(L, coroutine, 1);
    return coroutine;
}

lua_State *clua_new_coroutine(lua_State *L) { return new_coroutine(L, hosts_bottom); }

// Arguments are on its stack; a new coroutine also has its function there, the first argument of what stands below.
int clua_start(lua_State *coroutine, lua_State *from, int narguments, int *nresults) {
    lua_Debug activation;
    int is_new = lua_status(coroutine) == LUA_OK && lua_gettop(coroutine) > narguments && !lua_getstack(coroutine, 0, &activation);
    return lua_resume(coroutine, from, narguments + is_new, nresults);
}

static lua_State *check_coroutine(lua_State *L) {
    lua_State *coroutine = lua_tothread(L, 1);
    luaL_argexpected(L, coroutine, 1, "coroutine");
    return coroutine;
}

// Suspended, but not by coroutine.yield: it waits for the host, inside another branch.
static int awaits_host(lua_State *coroutine) {
    lua_Debug activation;
    if (lua_status(coroutine) != LUA_YIELD || !lua_getstack(coroutine, 0, &activation)) return 0;
    if (!lua_checkstack(coroutine, 1)) return 1;
    lua_getinfo(coroutine, "f", &activation);
    int waits = lua_tocfunction(coroutine, -1) != yield_coroutine;
    lua_settop(coroutine, -2);
    return waits;
}

// The results or the error are left on the coroutine's stack.
static int run(lua_State *L, lua_State *coroutine, int narguments, int *nresults) {
    clua_state *state = clua_of(L);
    struct entry entry = {.kind = ENTRY_SCRIPT, .thread = coroutine, .from = L, .outer = state->entries};
    int nesting = state->nesting;
    state->entries = &entry;
    state->nesting = nesting + 1;
    state->current = coroutine;
    clua_arm(coroutine);
    int status = clua_start(coroutine, L, narguments, nresults);
    state->current = L;
    state->nesting = nesting;
    state->entries = entry.outer;
    if (status == LUA_OK) return 0;
    if (status == LUA_YIELD) return state->suspending ? AWAITED : 0;
    if (status == LUA_ERRMEM) status = clua_note_memory(state, coroutine);
    clua_propagate(L, status);
    return FAILED;
}

static int transfer_results(lua_State *L, lua_State *coroutine, int nresults) {
    if (!lua_checkstack(L, nresults + 1)) {
        lua_settop(coroutine, -nresults - 1);
        lua_pushliteral(L, "too many results to resume");
        return FAILED;
    }
    lua_xmove(coroutine, L, nresults);
    return nresults;
}

static int start(lua_State *L, lua_State *coroutine, int narguments) {
    clua_state *state = clua_of(L);
    clua_poll(L, RESUME_COST);
    const char *refusal = NULL;
    if (coroutine == state->main) refusal = "cannot resume non-suspended coroutine";
    else if (awaits_host(coroutine)) refusal = "cannot resume a coroutine that waits for the host";
    else if (state->nesting >= state->configuration.nesting) refusal = "too many coroutines inside one another";
    else if (!lua_checkstack(coroutine, narguments + 1)) refusal = "too many arguments to resume";
    if (refusal) {
        lua_pushstring(L, refusal);
        return FAILED;
    }
    lua_xmove(L, coroutine, narguments);
    int nresults, outcome = run(L, coroutine, narguments, &nresults);
    if (outcome == AWAITED) return AWAITED;
    if (outcome == FAILED) {
        lua_xmove(coroutine, L, 1);
        return FAILED;
    }
    return transfer_results(L, coroutine, nresults);
}

static int proceed(lua_State *L, lua_State *coroutine) {
    int nresults, outcome = run(L, coroutine, 0, &nresults);
    if (outcome == AWAITED) return AWAITED;
    if (outcome == FAILED) {
        lua_xmove(coroutine, L, 1);
        return FAILED;
    }
    return transfer_results(L, coroutine, nresults);
}

static int resumed(lua_State *L, int status, lua_KContext context);

static int finish_resume(lua_State *L, int count) {
    if (count == AWAITED) return lua_yieldk(L, 0, 0, resumed);
    lua_pushboolean(L, count != FAILED);
    int returned = count == FAILED ? 1 : count;
    lua_insert(L, -(returned + 1));
    return returned + 1;
}

static int resumed(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return finish_resume(L, proceed(L, lua_tothread(L, 1)));
}

static int resume_coroutine(lua_State *L) {
    lua_State *coroutine = check_coroutine(L);
    return finish_resume(L, start(L, coroutine, lua_gettop(L) - 1));
}

static int wrap_resumed(lua_State *L, int status, lua_KContext context);

static int finish_wrap(lua_State *L, int count) {
    if (count == AWAITED) return lua_yieldk(L, 0, 0, wrap_resumed);
    if (count != FAILED) return count;
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrap_resumed(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return finish_wrap(L, proceed(L, lua_tothread(L, lua_upvalueindex(1))));
}

static int call_wrapped(lua_State *L) {
    return finish_wrap(L, start(L, lua_tothread(L, lua_upvalueindex(1)), lua_gettop(L)));
}

static int create_coroutine(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    clua_poll(L, CREATE_COST);
    lua_pushvalue(L, 1);
    new_coroutine(L, scripts_bottom);
    return 1;
}

static int wrap_coroutine(lua_State *L) {
    create_coroutine(L);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

int clua_co_is_root(lua_State *L) {
    const struct entry *entry = clua_of(L)->entries;
    return entry->kind == ENTRY_RESUME && entry->thread == L && !entry->may_yield;
}

static int yielded(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    if (clua_of(L)->stopping) return clua_raise_stop(L);
    return lua_gettop(L);
}

static int yield_coroutine(lua_State *L) {
    if (clua_co_is_root(L)) return luaL_error(L, "attempt to yield from outside a coroutine");
    return lua_yieldk(L, lua_gettop(L), 0, yielded);
}

static int is_yieldable(lua_State *L) {
    lua_State *coroutine = lua_isnone(L, 1) ? L : check_coroutine(L);
    lua_pushboolean(L, lua_isyieldable(coroutine) && !(coroutine == L && clua_co_is_root(L)));
    return 1;
}

static int running(lua_State *L) {
    int main = lua_pushthread(L);
    lua_pushboolean(L, main || clua_co_is_root(L));
    return 2;
}

static const char *status_of(lua_State *L, lua_State *coroutine) {
    if (L == coroutine) return "running";
    if (coroutine == clua_of(L)->main) return "normal";  // at its bottom stands what is the host's
    lua_Debug activation;
    switch (lua_status(coroutine)) {
        case LUA_YIELD: return awaits_host(coroutine) ? "normal" : "suspended";
        case LUA_OK:
            if (lua_getstack(coroutine, 0, &activation)) return "normal";
            return lua_gettop(coroutine) == 0 ? "dead" : "suspended";
        default: return "dead";
    }
}

static int coroutine_status(lua_State *L) {
    lua_pushstring(L, status_of(L, check_coroutine(L)));
    return 1;
}

int clua_close_coroutine(clua_state *state, lua_State *coroutine) {
    state->closings++;
    int status = lua_resetthread(coroutine);
    state->closings--;
    return status;
}

static int close_coroutine(lua_State *L) {
    clua_state *state = clua_of(L);
    lua_State *coroutine = check_coroutine(L);
    const char *status = status_of(L, coroutine);
    if (*status != 's' && *status != 'd') return luaL_error(L, "cannot close a %s coroutine", status);
    if (state->nesting >= state->configuration.nesting) return luaL_error(L, "too many coroutines inside one another");
    if (state->closings >= CLUA_CLOSINGS) return luaL_error(L, "too many coroutines closed inside one another");
    clua_poll(L, RESUME_COST);
    struct entry entry = {.kind = ENTRY_CALL, .thread = coroutine, .from = L, .outer = state->entries};
    int nesting = state->nesting;
    state->entries = &entry;
    state->nesting = nesting + 1;
    state->current = coroutine;
    clua_arm(coroutine);
    int outcome = clua_close_coroutine(state, coroutine);
    state->current = L;
    state->nesting = nesting;
    state->entries = entry.outer;
    if (outcome == LUA_OK) {
        clua_propagate(L, LUA_OK);
        lua_pushboolean(L, 1);
        return 1;
    }
    if (outcome == LUA_ERRMEM) outcome = clua_note_memory(state, coroutine);
    clua_propagate(L, outcome);
    lua_pushboolean(L, 0);
    lua_xmove(coroutine, L, 1);
    return 2;
}

void clua_open_coroutine(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"create", create_coroutine}, {"resume", resume_coroutine}, {"wrap", wrap_coroutine}, {"yield", yield_coroutine},
        {"isyieldable", is_yieldable}, {"running", running}, {"status", coroutine_status}, {"close", close_coroutine}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    lua_setglobal(L, "coroutine");
}
