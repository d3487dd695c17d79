#include "internal.h"

#include <stdlib.h>
#include <string.h>

static int finalize(lua_State *L) {
    clua_state *state = clua_of(L);
    struct object *object = lua_touserdata(L, 1);
    if (!object || !object->owned) return 0;
    struct owned *owned = object->owned;
    object->owned = NULL;
    owned->previous->next = owned->next;
    owned->next->previous = owned->previous;
    state->objects--;
    int enforce = state->enforce;
    lua_State *current = state->current;
    state->enforce = 0;
    state->current = L;
    // Whatever the object does when it goes, the collector runs: no Lua.
    state->depth++;
    state->finalizing++;
    state->configuration.release(owned->object);
    state->finalizing--;
    state->depth--;
    state->enforce = enforce;
    state->current = current;
    owned->next = state->spare;
    state->spare = owned;
    return 0;
}

// A userdata of `size` bytes that begins with a `struct object`.
static inline struct object *push_owned(lua_State *L, void *object, const void *type, size_t size) {
    clua_state *state = clua_of(L);
    struct object *block = lua_newuserdatauv(L, size, 0);
    struct owned *owned = state->spare;
    if (owned) state->spare = owned->next;
    else if (!(owned = malloc(sizeof *owned))) abort();
    owned->object = object;
    owned->next = state->owned.next;
    owned->previous = &state->owned;
    owned->next->previous = owned;
    state->owned.next = owned;
    state->objects++;
    block->type = type;
    block->owned = owned;
    lua_rawgetp(L, LUA_REGISTRYINDEX, type);
    lua_setmetatable(L, -2);
    return block;
}

static void set_field(lua_State *L, const char *name, lua_CFunction function) {
    lua_pushstring(L, name);
    if (function) lua_pushcfunction(L, function);
    else lua_pushboolean(L, 0);
    lua_rawset(L, -3);
}

void clua_new_type(lua_State *L, const void *type) {
    lua_createtable(L, 0, 8);
    set_field(L, "__gc", finalize);
    set_field(L, "__metatable", NULL);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, type);
}

int clua_has_type(lua_State *L, const void *type) {
    int found = lua_rawgetp(L, LUA_REGISTRYINDEX, type) == LUA_TTABLE;
    lua_settop(L, -2);
    return found;
}

void clua_push_object(lua_State *L, void *object, const void *type) { push_owned(L, object, type, sizeof(struct object)); }

// There is no userdata but ours (the light one of clua_push_marker is NULL), so the type is the check.
void *clua_object(lua_State *L, int index, const void *type) {
    struct object *block = lua_touserdata(L, index);
    if (!block || !block->owned || block->type != type) return NULL;
    return block->owned->object;
}

void *clua_any_object(lua_State *L, int index) {
    struct object *block = lua_touserdata(L, index);
    if (!block || !block->owned || block->type == &clua_keys.error_type) return NULL;
    return block->owned->object;
}

// A name is a method, else a property, else whatever `missing` says: mostly an error that names the nearest field.
static int index_object(lua_State *L) {
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        return 1;
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

void clua_push_index(lua_State *L) { lua_pushcclosure(L, index_object, 3); }

// Without properties the methods themselves are __index: a call finds its method without a function in between.
void clua_push_missing(lua_State *L) {
    lua_createtable(L, 0, 2);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

// Errors ----------------------------------------------------------------------------------------------------------------------------------

void clua_push_error(lua_State *L, void *object) {
    const char *source;
    size_t length;
    int line = clua_find_caller(clua_of(L), L, &source, &length);
    struct error_object *error = (struct error_object *)push_owned(L, object, &clua_keys.error_type, sizeof *error + length + 1);
    error->line = line;
    error->length = (int)length;
    memcpy(error->source, source, length);
    error->source[length] = 0;
}

static const struct error_object *error_object(lua_State *L, int index) {
    return clua_object(L, index, &clua_keys.error_type) ? lua_touserdata(L, index) : NULL;
}

int clua_error_message(lua_State *L, const struct object *error) {
    clua_state *state = clua_of(L);
    if (!error || !error->owned) {
        lua_pushliteral(L, "error");
        return 1;
    }
    int enforce = state->enforce;
    state->enforce = 0;
    state->configuration.message(error->owned->object, L);
    state->enforce = enforce;
    return 1;
}

void clua_tie_error(lua_State *L, void *object) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.errors);
    lua_pushvalue(L, -2);
    push_owned(L, object, &clua_keys.error_type, sizeof(struct object));
    lua_rawset(L, -3);
    lua_settop(L, -2);
}

void *clua_tied_error(lua_State *L, int index) {
    index = lua_absindex(L, index);
    if (lua_type(L, index) == LUA_TUSERDATA) return clua_object(L, index, &clua_keys.error_type);
    if (lua_type(L, index) != LUA_TTABLE) return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.errors);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    void *object = clua_object(L, -1, &clua_keys.error_type);
    lua_settop(L, -3);
    return object;
}

int clua_error_object_place(lua_State *L, int index, clua_place *place) {
    const struct error_object *error = error_object(L, index);
    if (!error) return 0;
    place->line = error->line;
    memcpy(place->source, error->source, (size_t)error->length + 1);
    return 1;
}

void clua_push_error_metatable(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.error_metatable); }

// Functions -------------------------------------------------------------------------------------------------------------------------------

static void check_cap(lua_State *L, clua_state *state) {
    lua_gc(L, LUA_GCCOLLECT);
    if (clua_over_cap(state)) clua_begin_stop(state, CLUA_MEMORY);
}

static int answered(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    clua_state *state = clua_of(L);
    // What the host answered may be more than the cap: it was not enforced.
    if (clua_over_cap(state)) check_cap(L, state);
    if (state->stopping) return clua_raise_stop(L);
    return state->answer_raises ? lua_error(L) : lua_gettop(L);
}

static int finish_host_call(lua_State *L, clua_state *state, void *function, int result) {
    if (result == CLUA_RAISE && !state->attention) return lua_error(L);
    if (clua_over_cap(state)) check_cap(L, state);
    if (result == CLUA_STOP) clua_begin_stop(state, CLUA_STOPPED);
    if (state->stopping) return clua_raise_stop(L);
    state->attention = 0;
    if (result >= 0) return result;
    if (result == CLUA_RAISE) return lua_error(L);
    if (!clua_may_suspend_at(state, L)) {
        return luaL_error(L, "this function waits for its result and cannot be called here: only inside a run, and not from a sort order, "
            "a gsub replacement, a __close while the run ends, or while a module loads");
    }
    state->suspending = 1;
    state->waiting = L;
    state->waiting_function = function;
    return lua_yieldk(L, 0, 0, answered);
}

// The two trampolines. Swift's frames are gone before anything is raised or yielded.
static inline __attribute__((always_inline)) int may_call_host(clua_state *state) {
    return __builtin_expect(!state->attention, 1) || !state->stopping;
}

// What runs is `current`, and whatever Swift does in between puts it back.
static inline __attribute__((always_inline)) void enter_host(const lua_State *L, clua_state *state) {
    CLUA_ASSERT(L == state->current);
    (void)L;
    state->enforce = 0;
}

static inline __attribute__((always_inline)) int leave_host(clua_state *state, int result) {
    state->enforce = 1;
    state->entered++;  // what was found out about a table holds no longer
    return __builtin_expect(result < 0 || state->attention, 0);
}

static int call_captured(lua_State *L) {
    const struct object *block = lua_touserdata(L, lua_upvalueindex(1));
    clua_state *state = clua_of(L);
    void *function = block->owned->object;
    if (!may_call_host(state)) return clua_raise_stop(L);
    enter_host(L, state);
    int result = state->configuration.call(function, L);
    return leave_host(state, result) ? finish_host_call(L, state, function, result) : result;
}

static inline __attribute__((always_inline)) int call_slot(lua_State *L, int number) {
    clua_state *state = clua_of(L);
    const struct host_slot *slot = &state->slots[number];
    if (!may_call_host(state)) return clua_raise_stop(L);
    enter_host(L, state);
    void *error = NULL;
    int result = slot->body(L, slot->context, &error);
    if (__builtin_expect(error != NULL, 0)) result = state->configuration.raise(error, slot->function, L);
    return leave_host(state, result) ? finish_host_call(L, state, state->slots[number].function, result) : result;
}

// One C function for each slot: no upvalue to look up.
#define SLOT(n) static int slot_##n(lua_State *L) { return call_slot(L, 0x##n); }
#define SLOTS(n) \
    SLOT(n##0) SLOT(n##1) SLOT(n##2) SLOT(n##3) SLOT(n##4) SLOT(n##5) SLOT(n##6) SLOT(n##7) \
    SLOT(n##8) SLOT(n##9) SLOT(n##a) SLOT(n##b) SLOT(n##c) SLOT(n##d) SLOT(n##e) SLOT(n##f)
SLOTS(0) SLOTS(1) SLOTS(2) SLOTS(3) SLOTS(4) SLOTS(5) SLOTS(6) SLOTS(7)
#define NAMES(n) \
    slot_##n##0, slot_##n##1, slot_##n##2, slot_##n##3, slot_##n##4, slot_##n##5, slot_##n##6, slot_##n##7, \
    slot_##n##8, slot_##n##9, slot_##n##a, slot_##n##b, slot_##n##c, slot_##n##d, slot_##n##e, slot_##n##f
static const lua_CFunction slot_functions[CLUA_SLOTS] = {NAMES(0), NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6), NAMES(7)};

void clua_push_function(lua_State *L, void *object) {
    push_owned(L, object, &clua_keys.function, sizeof(struct object));
    lua_pushcclosure(L, call_captured, 1);
}

void clua_push_permanent_function(lua_State *L, void *object, const void *body, void *context) {
    clua_state *state = clua_of(L);
    if (state->nslots == CLUA_SLOTS) {
        clua_push_function(L, object);
        return;
    }
    state->slots[state->nslots] = (struct host_slot){(host_body)body, context, object};
    lua_pushcfunction(L, slot_functions[state->nslots++]);
}
