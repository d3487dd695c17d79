#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// Names of its own (message) come from the host; the fields of the table form are missing here and read as nil.
static int error_index(lua_State *L) {
    const struct object *object = lua_touserdata(L, 1);
    if (lua_type(L, 2) == LUA_TSTRING && !strcmp(lua_tostring(L, 2), "message")) return clua_error_message(L, object);
    lua_pushnil(L);
    return 1;
}

static int error_object_tostring(lua_State *L) { return clua_error_message(L, lua_touserdata(L, 1)); }

static int error_tostring(lua_State *L) {
    if (lua_type(L, 1) == LUA_TTABLE) {
        lua_pushliteral(L, "message");
        if (lua_rawget(L, 1) == LUA_TSTRING) return 1;
    }
    lua_pushliteral(L, "error");
    return 1;
}

// What Lua itself raises where nothing protects it: `lua_resume` of a coroutine that cannot go on, and an error of a message handler. An allocation
// that fails there ends the process, or what runs around it without a word to us. Strings of up to 40 bytes are one, so those kept here need none.
static void keep_messages(lua_State *L) {
    static const char *const messages[] = {
        "cannot resume non-suspended coroutine", "cannot resume dead coroutine", "C stack overflow", "error in error handling",
    };
    enum { COUNT = sizeof messages / sizeof *messages };
    lua_createtable(L, COUNT, 0);
    for (int i = 0; i < COUNT; i++) {
        lua_pushstring(L, messages[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clua_keys.unprotected);
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
    lua_pushliteral(L, "stack overflow");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clua_keys.stack);
    keep_messages(L);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clua_keys.error_metatable);
    clua_new_type(L, &clua_keys.function);
    lua_settop(L, -2);
    clua_new_type(L, &clua_keys.error_type);
    lua_pushcfunction(L, error_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, error_object_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "__name");
    lua_settop(L, -2);
}

clua_state *clua_open(const clua_configuration *configuration) {
    clua_state *state = calloc(1, sizeof *state);
    if (!state) abort();
    state->configuration = *configuration;
    state->hooked = clua_counts(state);
    clua_open_clock();
    state->owned.next = state->owned.previous = &state->owned;
    clua_open_pool(state);
    lua_State *L = lua_newstate(clua_allocate, state);
    if (!L) abort();
    *(clua_state **)lua_getextraspace(L) = state;
    state->main = state->current = L;
    state->idle_entry = (struct entry){.kind = ENTRY_CALL, .thread = L, .from = L};
    state->entries = &state->idle_entry;
    lua_atpanic(L, panic);
    fill_registry(state);
    clua_open_base(L);
    clua_open_string(L);
    clua_open_patterns(L);
    clua_open_table(L);
    clua_open_math(L);
    clua_open_coroutine(L);
    lua_settop(L, 0);
    // At the bottom of the main stack: the message handler of calls from the idle host, and the function it called last.
    lua_pushcfunction(L, clua_capture);
    lua_pushnil(L);
#if CLUA_SIGNALS
    clua_watch_open(state);
#endif
    clua_reset_budget(state);
    state->entered = 1;
    return state;
}

void clua_close(clua_state *state) {
#if CLUA_SIGNALS
    clua_watch_close(state);
#endif
    lua_close(state->main);
    CLUA_ASSERT(state->used == 0);
    // What finalizers missed for want of memory.
    while (state->owned.next != &state->owned) {
        struct owned *owned = state->owned.next;
        state->owned.next = owned->next;
        owned->next->previous = &state->owned;
        state->configuration.release(owned->object);
        free(owned);
    }
    while (state->spare) {
        struct owned *owned = state->spare;
        state->spare = owned->next;
        free(owned);
    }
    for (int slot = 0; slot < state->nslots; slot++) state->configuration.release(state->slots[slot].function);
    clua_close_coverage(state);
    clua_close_pool(state);
    free(state);
}

lua_State *clua_main(const clua_state *state) { return state->main; }
lua_State *clua_current(const clua_state *state) { return state->current; }
void clua_set_owner(clua_state *state, void *owner) { state->configuration.owner = owner; }
clua_state *clua_state_of(lua_State *L) { return clua_of(L); }
void *clua_owner(lua_State *L) { return clua_of(L)->configuration.owner; }
lua_State *clua_waiting(const clua_state *state) { return state->waiting; }
int clua_depth(const clua_state *state) { return state->depth; }
size_t clua_objects(const clua_state *state) { return state->objects; }
void clua_push_globals(lua_State *L) { lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS); }
void clua_pop(lua_State *L, int n) { lua_settop(L, -n - 1); }

// Held values stand in the registry, after the two that Lua keeps there.
enum { HELD = LUA_RIDX_LAST };

void clua_hold(lua_State *L, int index, int slot) {
    lua_pushvalue(L, index);
    lua_rawseti(L, LUA_REGISTRYINDEX, HELD + slot);
}

void clua_push_held(lua_State *L, int slot) { lua_rawgeti(L, LUA_REGISTRYINDEX, HELD + slot); }

void clua_let_go(clua_state *state, int slot) {
    lua_pushnil(state->current);
    lua_rawseti(state->current, LUA_REGISTRYINDEX, HELD + slot);
    if (slot == state->last_slot) state->last_slot = 0;
    if (slot != state->called_slot) return;
    state->called_slot = 0;
    if (state->depth > 0) return;  // index 2 is another's now; the next function that is called often takes its place
    lua_pushnil(state->main);
    lua_replace(state->main, 2);
}

// Without a metatable the ordinary access cannot raise, and finds the name by its address. The stamp says that there was none, and that no
// script has run since.
uint64_t clua_stamp(lua_State *L, int table) {
    if (!lua_getmetatable(L, table)) return clua_of(L)->entered;
    lua_settop(L, -2);
    return 0;
}

int clua_get_name(lua_State *L, int table, const char *name, uint64_t stamp) {
    if (stamp == clua_of(L)->entered) return lua_getfield(L, table, name);
    table = lua_absindex(L, table);
    lua_pushstring(L, name);
    return lua_rawget(L, table);
}

void clua_set_name(lua_State *L, int table, const char *name, uint64_t stamp) {
    if (stamp == clua_of(L)->entered) return lua_setfield(L, table, name);
    table = lua_absindex(L, table);
    lua_pushstring(L, name);
    lua_insert(L, -2);
    lua_rawset(L, table);
}

void clua_push_marker(lua_State *L) { lua_pushlightuserdata(L, NULL); }
