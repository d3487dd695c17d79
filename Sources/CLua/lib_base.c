#include "internal.h"

#include <math.h>
#include <string.h>

// pcall, xpcall: as Lua's, but a termination passes through.

static int finish_pcall(lua_State *L, int status, lua_KContext extra) {
    if (status != LUA_OK && status != LUA_YIELD) {
        clua_propagate(L, status);
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    // A termination may have been swallowed by something inside that could not know of it.
    if (clua_of(L)->stopping && clua_of(L)->closing_spent > clua_of(L)->configuration.closing) return clua_raise_stop(L);
    return lua_gettop(L) - (int)extra;
}

static int base_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    return finish_pcall(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall), 0);
}

static int guarded_handler(lua_State *L) {
    if (clua_of(L)->stopping) return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int base_xpcall(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int narguments = lua_gettop(L) - 2;
    // f handler arguments... -> f handler true f arguments..., of which the handler is a guarded one
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guarded_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    return finish_pcall(L, lua_pcallk(L, narguments, LUA_MULTRET, 2, 2, finish_pcall), 2);
}

static int base_error(lua_State *L) {
    int level = (int)luaL_optinteger(L, 2, 1);
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
        luaL_where(L, level);
        lua_insert(L, 1);
        lua_concat(L, 2);
    } else if (lua_type(L, 1) == LUA_TTABLE) {
        clua_note_origin(L, 1);
    }
    return lua_error(L);
}

static int base_assert(lua_State *L) {
    if (lua_toboolean(L, 1)) return lua_gettop(L);
    luaL_checkany(L, 1);
    lua_remove(L, 1);
    lua_pushliteral(L, "assertion failed!");
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TTABLE) clua_note_origin(L, 1);
    return lua_error(L);
}

static void refuse_field(lua_State *L, int metatable, const char *name, const char *why) {
    lua_pushstring(L, name);
    if (lua_rawget(L, metatable) != LUA_TNIL) luaL_error(L, "'%s' is not available: %s", name, why);
    lua_settop(L, -2);
}

static int base_setmetatable(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    int type = lua_type(L, 2);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        refuse_field(L, 2, "__gc", "finalizers would run at no fixed time");
        refuse_field(L, 2, "__mode", "weak tables change at no fixed time");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

// tostring without addresses: what has none of its own is numbered in the order of its first print.

void clua_push_id(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.ids);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_settop(L, -2);
        lua_pushinteger(L, ++clua_of(L)->ids);
        lua_pushvalue(L, index);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_remove(L, -2);
}

const char *clua_tolstring(lua_State *L, int index, size_t *length) {
    index = lua_absindex(L, index);
    if (luaL_callmeta(L, index, "__tostring")) {
        if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "'__tostring' must return a string");
        return lua_tolstring(L, -1, length);
    }
    switch (lua_type(L, index)) {
        case LUA_TNUMBER:
            if (!lua_isinteger(L, index) && isnan(lua_tonumber(L, index))) {
                lua_pushliteral(L, "nan");  // its sign differs between processors
                break;
            }
            // fall through
        case LUA_TNIL: case LUA_TBOOLEAN: case LUA_TSTRING:
            return luaL_tolstring(L, index, length);
        case LUA_TLIGHTUSERDATA:
            lua_pushliteral(L, "userdata");
            break;
        default: {
            const char *kind = luaL_typename(L, index);
            int named = luaL_getmetafield(L, index, "__name");
            if (named == LUA_TSTRING) kind = lua_tostring(L, -1);
            clua_push_id(L, index);
            lua_pushfstring(L, "%s: %d", kind, (int)lua_tointeger(L, -1));
            lua_replace(L, -2);
            if (named != LUA_TNIL) lua_remove(L, -2);
        }
    }
    return lua_tolstring(L, -1, length);
}

int clua_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    clua_tolstring(L, 1, NULL);
    return 1;
}

static int base_print(lua_State *L) {
    int count = lua_gettop(L);
    luaL_checkstack(L, count + 8, "too many values to print");
    luaL_Buffer buffer;
    // The texts first: a buffer must stay on top of the stack while it is filled.
    for (int i = 1; i <= count; i++) {
        clua_tolstring(L, i, NULL);
        lua_replace(L, i);
    }
    luaL_buffinit(L, &buffer);
    for (int i = 1; i <= count; i++) {
        if (i > 1) luaL_addchar(&buffer, '\t');
        lua_pushvalue(L, i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    clua_state *state = clua_of(L);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    if (!clua_spend_output(state, length + 1)) return clua_raise_stop(L);
    int enforce = state->enforce;
    lua_State *current = state->current;
    state->enforce = 0;
    state->current = L;
    state->configuration.print(state->configuration.owner, text, length);
    state->enforce = enforce;
    state->current = current;
    return state->stopping ? clua_raise_stop(L) : 0;
}

static int entered(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return lua_gettop(L);
}

// A tail call of a Lua function replaces its caller's frame, one of a C function does not.
static int enter(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, entered);
    return lua_gettop(L);
}

void clua_push_entry(lua_State *L) { lua_pushcclosure(L, enter, 1); }

static int get_table(lua_State *L) {
    lua_settop(L, 2);
    lua_gettable(L, 1);
    return 1;
}
static int set_table(lua_State *L) {
    lua_settop(L, 3);
    lua_settable(L, 1);
    return 0;
}
void clua_push_gettable(lua_State *L) { lua_pushcfunction(L, get_table); }
void clua_push_settable(lua_State *L) { lua_pushcfunction(L, set_table); }
void clua_push_tostring(lua_State *L) { lua_pushcfunction(L, clua_tostring); }

void clua_open_base(lua_State *L) {
    static const char *const absent[] = {"collectgarbage", "dofile", "load", "loadfile", "warn"};
    static const luaL_Reg own[] = {
        {"pcall", base_pcall}, {"xpcall", base_xpcall}, {"error", base_error}, {"assert", base_assert}, {"setmetatable", base_setmetatable},
        {"tostring", clua_tostring}, {"print", base_print}, {"pairs", clua_pairs}, {"next", clua_next}, {NULL, NULL},
    };
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, absent[i]);
    }
    luaL_setfuncs(L, own, 0);
    static const char *const counted[] = {"tonumber", NULL};
    clua_charge_library(L, counted, 1);
    lua_settop(L, 0);
    static const char *const by_arguments[] = {"len", "offset", NULL}, *const by_results[] = {"char", "codepoint", NULL};
    lua_pushcfunction(L, luaopen_utf8);
    lua_call(L, 0, 1);
    clua_charge_library(L, by_arguments, 1);
    clua_charge_library(L, by_results, 0);
    lua_setglobal(L, "utf8");
}
