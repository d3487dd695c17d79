#include "internal.h"

#include <stdlib.h>

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
    state->configuration.release(owned->object);
    state->enforce = enforce;
    state->current = current;
    free(owned);
    return 0;
}

static struct object *push_owned(lua_State *L, void *object, const void *type) {
    clua_state *state = clua_of(L);
    struct object *block = lua_newuserdatauv(L, sizeof *block, 0);
    struct owned *owned = malloc(sizeof *owned);
    if (!owned) abort();
    owned->object = object;
    owned->next = state->owned.next;
    owned->previous = &state->owned;
    owned->next->previous = owned;
    state->owned.next = owned;
    state->objects++;
    block->type = type;
    block->owned = owned;
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

void clua_push_object(lua_State *L, void *object, const void *type) {
    push_owned(L, object, type);
    lua_rawgetp(L, LUA_REGISTRYINDEX, type);
    lua_setmetatable(L, -2);
}

// Scripts get no full userdata but ours, so the size is a check of this library, the type the check of the value.
void *clua_object(lua_State *L, int index, const void *type) {
    if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) != sizeof(struct object)) return NULL;
    struct object *block = lua_touserdata(L, index);
    if (!block->owned || (type && block->type != type)) return NULL;
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

void clua_tie_error(lua_State *L, void *object) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.errors);
    lua_pushvalue(L, -2);
    if (!clua_has_type(L, &clua_keys.error_type)) {
        clua_new_type(L, &clua_keys.error_type);
        lua_settop(L, -2);
    }
    clua_push_object(L, object, &clua_keys.error_type);
    lua_rawset(L, -3);
    lua_settop(L, -2);
}

void *clua_tied_error(lua_State *L, int index) {
    index = lua_absindex(L, index);
    if (lua_type(L, index) != LUA_TTABLE) return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.errors);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    void *object = clua_object(L, -1, NULL);
    lua_settop(L, -3);
    return object;
}

void clua_push_error_metatable(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.error_metatable); }

static int call_host(lua_State *L);

void clua_push_function(lua_State *L, void *object) {
    if (!clua_has_type(L, &clua_keys.function)) {
        clua_new_type(L, &clua_keys.function);
        lua_settop(L, -2);
    }
    clua_push_object(L, object, &clua_keys.function);
    lua_pushcclosure(L, call_host, 1);
}

static int answered(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    clua_state *state = clua_of(L);
    if (state->stopping) return clua_raise_stop(L);
    lua_State *transfer = state->transfer;
    int count = lua_gettop(transfer);
    lua_settop(L, 0);
    luaL_checkstack(L, count, "too many results of a host function");
    lua_xmove(transfer, L, count);
    return state->transfer_raises ? lua_error(L) : count;
}

// The one trampoline. Swift's frames are gone before anything is raised or yielded.
static int call_host(lua_State *L) {
    clua_state *state = clua_of(L);
    if (state->stopping) return clua_raise_stop(L);
    struct object *block = lua_touserdata(L, lua_upvalueindex(1));
    int enforce = state->enforce;
    lua_State *current = state->current;
    state->enforce = 0;
    state->current = L;
    int result = state->configuration.call(state->configuration.owner, block->owned->object, L);
    state->enforce = enforce;
    state->current = current;
    if (clua_over_cap(state)) {
        lua_gc(L, LUA_GCCOLLECT);
        if (clua_over_cap(state)) clua_begin_stop(state, CLUA_MEMORY);
    }
    if (result == CLUA_STOP) clua_begin_stop(state, CLUA_STOPPED);
    if (state->stopping) return clua_raise_stop(L);
    if (result >= 0) return result;
    if (result == CLUA_RAISE) return lua_error(L);
    if (!clua_may_suspend_at(state, L)) return luaL_error(L, "this host function cannot wait here");
    lua_settop(L, 0);
    state->suspending = 1;
    return lua_yieldk(L, 0, 0, answered);
}
