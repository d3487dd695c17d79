#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

const struct clua_keys clua_keys = {0};

static int panic(lua_State *L) {
    // Reached only by a defect of this library: every entry is protected.
    fprintf(stderr, "LuaBridge: an unprotected Lua error: %s\n", lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?");
    return 0;
}

// A table that does not keep its keys alive: for notes about a script's values. Scripts cannot have such tables.
static void create_notes(lua_State *L, const void *key) {
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static void set_reason(lua_State *L, int reason, const char *message) {
    lua_pushstring(L, message);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clua_keys.reasons[reason]);
}

static int error_tostring(lua_State *L) {
    if (lua_type(L, 1) == LUA_TTABLE) {
        lua_pushliteral(L, "message");
        if (lua_rawget(L, 1) == LUA_TSTRING) return 1;
    }
    lua_pushliteral(L, "error");
    return 1;
}

static void fill_registry(clua_state *state) {
    lua_State *L = state->main;
    create_notes(L, &clua_keys.ids);
    create_notes(L, &clua_keys.origins);
    create_notes(L, &clua_keys.errors);
    set_reason(L, CLUA_RUNNING, "the script is being terminated");
    set_reason(L, CLUA_STOPPED, "the run was stopped");
    set_reason(L, CLUA_CANCELLED, "the run was cancelled");
    set_reason(L, CLUA_COMPUTING, "computing limit exceeded");
    set_reason(L, CLUA_MEMORY, "not enough memory");
    set_reason(L, CLUA_OUTPUT, "output limit exceeded");
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clua_keys.error_metatable);
    state->references = lua_newthread(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &state->references);
    state->transfer = lua_newthread(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &state->transfer);
}

clua_state *clua_open(const clua_configuration *configuration) {
    clua_state *state = calloc(1, sizeof *state);
    if (!state) abort();
    state->configuration = *configuration;
    state->owned.next = state->owned.previous = &state->owned;
    lua_State *L = lua_newstate(clua_allocate, state);
    if (!L) abort();
    *(clua_state **)lua_getextraspace(L) = state;
    state->main = state->current = L;
    lua_atpanic(L, panic);
    fill_registry(state);
    clua_open_base(L);
    clua_open_string(L);
    clua_open_patterns(L);
    clua_open_table(L);
    clua_open_math(L);
    clua_open_coroutine(L);
    lua_settop(L, 0);
#if CLUA_SIGNALS
    clua_watch_open(state);
#endif
    clua_reset_budget(state);
    return state;
}

void clua_close(clua_state *state) {
#if CLUA_SIGNALS
    clua_watch_close(state);
#endif
    lua_close(state->main);
    // What finalizers missed for want of memory.
    while (state->owned.next != &state->owned) {
        struct owned *owned = state->owned.next;
        state->owned.next = owned->next;
        owned->next->previous = &state->owned;
        state->configuration.release(owned->object);
        free(owned);
    }
    free(state);
}

lua_State *clua_main(const clua_state *state) { return state->main; }
lua_State *clua_current(const clua_state *state) { return state->current; }
void clua_set_owner(clua_state *state, void *owner) { state->configuration.owner = owner; }
lua_State *clua_transfer(const clua_state *state) { return state->transfer; }
int clua_depth(const clua_state *state) { return state->depth; }
size_t clua_objects(const clua_state *state) { return state->objects; }
void clua_push_globals(lua_State *L) { lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS); }
void clua_pop(lua_State *L, int n) { lua_settop(L, -n - 1); }

int clua_hold(clua_state *state, lua_State *L, int index, int slot) {
    lua_State *references = state->references;
    if (!lua_checkstack(references, 2)) return 0;
    lua_pushvalue(L, index);
    lua_xmove(L, references, 1);
    if (slot < lua_gettop(references)) lua_replace(references, slot);
    return 1;
}

void clua_push_held(lua_State *L, int slot) {
    lua_State *references = clua_of(L)->references;
    lua_pushvalue(references, slot);
    lua_xmove(references, L, 1);
}

void clua_let_go(clua_state *state, int slot) {
    lua_pushnil(state->references);
    lua_replace(state->references, slot);
}
