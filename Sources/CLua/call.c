#include "internal.h"

// Every way from Swift into Lua. Each is protected, turns the cap on while it runs and puts everything back as it found it.

// A wait is much more than an instruction to the host.
enum { AWAIT_COST = 100 };

struct saved { int enforce, nesting; lua_State *current; };

static inline struct saved enter(clua_state *state, struct entry *entry) {
    struct saved saved = {state->enforce, state->nesting, state->current};
    if (state->depth == 0) {
        clua_end_stop(state, CLUA_RUNNING);
        clua_watch_begin(state);
        if (state->run) clua_begin_slice(state, state->run);
    }
    entry->outer = state->entries;
    state->entries = entry;
    state->depth++;
    state->entered++;
    state->nesting++;
    state->current = entry->thread;
    state->noted = 0;
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

// Why Lua may not be entered now: left on top of the stack in place of everything from `first` on.
static int is_refused(clua_state *state, lua_State *L, int first) {
    const char *reason = state->finalizing ? "Lua cannot run while an object is being released"
        : state->nesting >= state->configuration.nesting ? "too many host calls inside one another" : NULL;
    if (!reason) return 0;
    lua_settop(L, first - 1);
    lua_pushstring(L, reason);
    return 1;
}

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

static __attribute__((noinline)) clua_begun begin_slowly(clua_state *state, lua_State *L, int slot, int function) {
    if (!lua_checkstack(L, 16)) return (clua_begun){NULL, 0};
    clua_push_held(L, slot);
    if (state->depth > 0) return (clua_begun){L, function};
    if (slot == state->last_slot) {
        lua_copy(L, -1, 2);
        state->called_slot = slot;
    }
    state->last_slot = slot;
    return (clua_begun){L, function};
}

clua_begun clua_begin_call(clua_state *state, int slot) {
    lua_State *L = state->current;
    int function = lua_gettop(L) + 1;
    // The idle host works at the bottom of the main stack, which has room.
    if (__builtin_expect(state->depth > 0, 0) || __builtin_expect(slot != state->called_slot, 0) || __builtin_expect(function > 6, 0)) {
        return begin_slowly(state, L, slot, function);
    }
    lua_pushvalue(L, 2);
    return (clua_begun){L, function};
}

// The common way in, with as little around it as can be: the main stack, and the message handler at its bottom.
static inline int call_idle(lua_State *L, clua_state *state, int narguments, int nresults) {
    clua_end_stop(state, CLUA_RUNNING);
    clua_watch_begin(state);
    state->depth = state->nesting = 1;
    state->entered++;
    state->noted = 0;
    // Shorter than clua_arm: nothing stops yet, and a new budget knows no alarm.
    if (__builtin_expect(state->hooked, 0)) clua_rearm(L);
    state->enforce = 1;
    int status = lua_pcall(L, narguments, nresults, 1);
    state->enforce = 0;
    if (__builtin_expect(status == LUA_ERRMEM, 0)) status = clua_note_memory(state, state->main);
    state->depth = state->nesting = 0;
    clua_watch_end(state);
    return status;
}

// From inside: the caller's stack, its own message handler for the while.
static __attribute__((noinline)) int call_nested(clua_state *state, lua_State *L, int narguments, int nresults) {
    int function = lua_gettop(L) - narguments;
    if (is_refused(state, L, function)) return LUA_ERRRUN;
    lua_pushcfunction(L, clua_capture);
    lua_insert(L, function);
    struct entry entry = {.kind = ENTRY_CALL, .thread = L, .from = L};
    struct saved saved = enter(state, &entry);
    int status = lua_pcall(L, narguments, nresults, function);
    status = leave(state, &entry, saved, status);
    lua_remove(L, function);
    return status;
}

int clua_call(lua_State *L, int narguments, int nresults) {
    clua_state *state = clua_of(L);
    return state->depth == 0 ? call_idle(L, state, narguments, nresults) : call_nested(state, L, narguments, nresults);
}

// `go`: clua_start, or lua_resume for what is known to have begun.
static inline int drive(
    clua_state *state, lua_State *coroutine, int narguments, int may_yield, int *nresults,
    int (*go)(lua_State *, lua_State *, int, int *)) {
    struct entry entry = {.kind = ENTRY_RESUME, .thread = coroutine, .from = state->current, .may_yield = may_yield};
    struct saved saved = enter(state, &entry);
    state->suspending = 0;
    int status = go(coroutine, saved.current, narguments, nresults);
    status = leave(state, &entry, saved, status);
    if (status == LUA_YIELD && state->suspending) {
        state->suspending = 0;
        return CLUA_SUSPENDED;
    }
    return status;
}

int clua_resume(clua_state *state, lua_State *coroutine, int narguments, int may_yield, int *nresults) {
    if (is_refused(state, coroutine, lua_gettop(coroutine) - narguments + 1)) return LUA_ERRRUN;
    return drive(state, coroutine, narguments, may_yield, nresults, clua_start);
}

int clua_answer(clua_state *state, lua_State *coroutine, int raises, int may_yield, int *nresults) {
    if (is_refused(state, coroutine, 1)) return LUA_ERRRUN;
    state->answer_raises = raises;
    return drive(state, coroutine, 0, may_yield, nresults, lua_resume);
}

// Of Swift's runtime: what `UnsafeCurrentTask.isCancelled` calls, which counts the task up and down around it for a tenth of what a wait takes.
extern __attribute__((swiftcall)) bool swift_task_isCancelled(const void *task);
int clua_is_cancelled(const void *task) { return task && swift_task_isCancelled(task); }

// While it runs the watcher looks at the task that drives it.
static inline int drive_awaiting(
    clua_state *state, lua_State *coroutine, int narguments, const void *task, clua_awaited *awaited,
    int (*go)(lua_State *, lua_State *, int, int *)) {
    const void *outer = atomic_load_explicit(&state->task, memory_order_relaxed);
    atomic_store_explicit(&state->task, task, memory_order_release);
    // Inside another call it is part of that one's budget.
    int is_outermost = state->depth == 0;
    if (is_outermost) state->run = awaited;
    awaited->status = drive(state, coroutine, narguments, 0, &awaited->nresults, go);
    if (is_outermost) {
        clua_end_slice(state, awaited);
        state->run = NULL;
    }
    atomic_store_explicit(&state->task, outer, memory_order_release);
    awaited->stack = state->waiting;
    awaited->function = state->waiting_function;
    return awaited->status;
}

int clua_begin_awaiting(clua_state *state, lua_State *coroutine, int narguments, const void *task, clua_awaited *awaited) {
    if (is_refused(state, coroutine, lua_gettop(coroutine) - narguments + 1)) return awaited->status = LUA_ERRRUN;
    return drive_awaiting(state, coroutine, narguments, task, awaited, clua_start);
}

int clua_go_on_awaiting(clua_state *state, lua_State *coroutine, int raises, const void *task, clua_awaited *awaited) {
    if (is_refused(state, coroutine, 1)) return awaited->status = LUA_ERRRUN;
    state->answer_raises = raises;
    awaited->instructions += AWAIT_COST;
    return drive_awaiting(state, coroutine, 0, task, awaited, lua_resume);
}

int clua_terminate(clua_state *state, lua_State *coroutine, int *nresults) {
    if (is_refused(state, coroutine, 1)) return LUA_ERRRUN;
    int before = state->depth > 0 ? state->stopping : CLUA_RUNNING;
    struct entry entry = {.kind = ENTRY_RESUME, .thread = coroutine, .from = state->current};
    struct saved saved = enter(state, &entry);
    clua_begin_stop(state, CLUA_STOPPED);
    int status = clua_start(coroutine, saved.current, 0, nresults);
    status = leave(state, &entry, saved, status);
    state->suspending = 0;
    // Only this coroutine dies: what runs around it goes on.
    if (state->depth > 0) clua_end_stop(state, before);
    return status;
}

int clua_reset(clua_state *state, lua_State *coroutine) {
    // Said while the cap is not enforced: nothing protects what is pushed here.
    const char *reason = state->finalizing ? "Lua cannot run while an object is being released"
        : state->closings >= CLUA_CLOSINGS ? "too many coroutines closed inside one another" : NULL;
    if (reason) {
        if (!state->finalizing) lua_settop(coroutine, 0);
        lua_pushstring(coroutine, reason);
        return LUA_ERRRUN;
    }
    struct entry entry = {.kind = ENTRY_CALL, .thread = coroutine, .from = state->current};
    struct saved saved = enter(state, &entry);
    int status = clua_close_coroutine(state, coroutine);
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
