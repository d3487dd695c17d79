#include "internal.h"

// Every way from Swift into Lua. Each is protected, turns the cap on while it runs and puts everything back as it found it.

struct saved { int enforce, nesting; lua_State *current; };

static inline struct saved enter(clua_state *state, struct entry *entry) {
    struct saved saved = {state->enforce, state->nesting, state->current};
    if (state->depth == 0) {
        clua_end_stop(state, CLUA_RUNNING);
        clua_watch_begin(state);
    }
    entry->outer = state->entries;
    state->entries = entry;
    state->depth++;
    state->entered++;
    state->nesting++;
    state->current = entry->thread;
    state->place.line = 0;
    state->traceback[0] = 0;
    state->levels = 0;
    clua_arm(entry->thread);
    state->enforce = 1;
    return saved;
}

// The error value, if there is one, is on top of the entered stack.
static inline int leave(clua_state *state, struct entry *entry, struct saved saved, int status) {
    if (status == LUA_ERRMEM) status = clua_note_memory(state, entry->thread);
    state->enforce = saved.enforce;
    state->nesting = saved.nesting;
    state->current = saved.current;
    state->entries = entry->outer;
    state->depth--;
    if (state->depth == 0) clua_watch_end(state);
    return status;
}

static int too_deep(clua_state *state) { return state->nesting >= state->configuration.nesting; }

int clua_load(clua_state *state, const char *source, size_t length, const char *chunkname) {
    lua_State *L = state->current;
    int enforce = state->enforce;
    if (state->depth == 0) clua_end_stop(state, CLUA_RUNNING);
    state->enforce = 1;
    int status = luaL_loadbufferx(L, source, length, chunkname, "t");
    state->enforce = enforce;
    if (status == LUA_ERRMEM) clua_begin_stop(state, CLUA_MEMORY);
    return status;
}

lua_State *clua_begin_call(clua_state *state, int slot) {
    lua_State *L = state->current;
    // An idle stack has room.
    if ((state->depth > 0 || lua_gettop(L) > 4) && !lua_checkstack(L, 16)) return NULL;
    clua_push_held(L, slot);
    return L;
}

// The common way in, with as little around it as can be: the main stack, and the message handler at its bottom.
static int call_idle(clua_state *state, int narguments, int nresults) {
    struct entry entry = {.kind = ENTRY_CALL, .thread = state->main, .from = state->main};
    clua_end_stop(state, CLUA_RUNNING);
    clua_watch_begin(state);
    state->entries = &entry;
    state->depth = state->nesting = 1;
    state->entered++;
    state->place.line = 0;
    state->traceback[0] = 0;
    state->levels = 0;
    clua_arm(state->main);
    state->enforce = 1;
    int status = lua_pcall(state->main, narguments, nresults, 1);
    state->enforce = 0;
    if (__builtin_expect(status == LUA_ERRMEM, 0)) status = clua_note_memory(state, state->main);
    state->entries = NULL;
    state->depth = state->nesting = 0;
    clua_watch_end(state);
    return status;
}

int clua_call(lua_State *L, int narguments, int nresults) {
    clua_state *state = clua_of(L);
    if (state->depth == 0) return call_idle(state, narguments, nresults);
    int function = lua_gettop(L) - narguments;
    if (too_deep(state)) {
        lua_settop(L, function - 1);
        lua_pushliteral(L, "too many host calls inside one another");
        return LUA_ERRRUN;
    }
    lua_pushcfunction(L, clua_capture);
    lua_insert(L, function);
    struct entry entry = {.kind = ENTRY_CALL, .thread = L, .from = L};
    struct saved saved = enter(state, &entry);
    int status = lua_pcall(L, narguments, nresults, function);
    status = leave(state, &entry, saved, status);
    lua_remove(L, function);
    return status;
}

// A coroutine that died of an error still has its whole stack: what is to be known of it is noted, its __close handlers run, and the error
// value stays alone.
static int bury(clua_state *state, struct entry *entry, int status) {
    if (status == LUA_ERRMEM && !state->stack_refused) clua_begin_stop(state, CLUA_MEMORY);
    if (!state->stack_refused) clua_note_error(state, entry->thread);
    entry->kind = ENTRY_CALL;
    return lua_resetthread(entry->thread);
}

static int drive(clua_state *state, lua_State *coroutine, int narguments, int may_yield, int *nresults) {
    struct entry entry = {.kind = ENTRY_RESUME, .thread = coroutine, .from = state->current, .may_yield = may_yield};
    struct saved saved = enter(state, &entry);
    state->suspending = 0;
    int status = lua_resume(coroutine, saved.current, narguments, nresults);
    if (status > LUA_YIELD) status = bury(state, &entry, status);
    status = leave(state, &entry, saved, status);
    if (status == LUA_YIELD && state->suspending) {
        state->suspending = 0;
        return CLUA_SUSPENDED;
    }
    return status;
}

int clua_resume(clua_state *state, lua_State *coroutine, int narguments, int may_yield, int *nresults) {
    if (too_deep(state)) {
        lua_settop(coroutine, -narguments - 1);
        lua_pushliteral(coroutine, "too many host calls inside one another");
        return LUA_ERRRUN;
    }
    return drive(state, coroutine, narguments, may_yield, nresults);
}

int clua_answer(clua_state *state, lua_State *coroutine, int raises, int may_yield, int *nresults) {
    state->answer_raises = raises;
    return drive(state, coroutine, 0, may_yield, nresults);
}

int clua_terminate(clua_state *state, lua_State *coroutine, int *nresults) {
    int before = state->depth > 0 ? state->stopping : CLUA_RUNNING;
    struct entry entry = {.kind = ENTRY_RESUME, .thread = coroutine, .from = state->current};
    struct saved saved = enter(state, &entry);
    clua_begin_stop(state, CLUA_STOPPED);
    int status = lua_resume(coroutine, saved.current, 0, nresults);
    if (status > LUA_YIELD) status = bury(state, &entry, status);
    status = leave(state, &entry, saved, status);
    state->suspending = 0;
    // Only this coroutine dies: what runs around it goes on.
    if (state->depth > 0) clua_end_stop(state, before);
    return status;
}

int clua_reset(clua_state *state, lua_State *coroutine) {
    struct entry entry = {.kind = ENTRY_CALL, .thread = coroutine, .from = state->current};
    struct saved saved = enter(state, &entry);
    int status = lua_resetthread(coroutine);
    return leave(state, &entry, saved, status);
}

int clua_may_suspend(const clua_state *state) { return clua_may_suspend_at(state, state->current); }

int clua_may_suspend_at(const clua_state *state, lua_State *L) {
    if (!lua_isyieldable(L)) return 0;
    for (const struct entry *entry = state->entries; entry; entry = entry->outer) {
        if (entry->kind == ENTRY_RESUME) return 1;
        if (entry->kind == ENTRY_CALL || !lua_isyieldable(entry->from)) return 0;
    }
    return 0;
}
