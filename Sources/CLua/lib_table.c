#include "internal.h"

#include <limits.h>

// The loops of the table library, each of which a metamethod or a large number could make endless: they poll.

enum { READ = 1, WRITE = 2, LENGTH = 4 };

static int has_metafield(lua_State *L, const char *name, int metatable) {
    lua_pushstring(L, name);
    int found = lua_rawget(L, metatable) != LUA_TNIL;
    lua_settop(L, -2);
    return found;
}

static void check_table(lua_State *L, int argument, int uses) {
    if (lua_type(L, argument) == LUA_TTABLE) return;
    if (lua_getmetatable(L, argument)) {
        int metatable = lua_gettop(L);
        if ((!(uses & READ) || has_metafield(L, "__index", metatable)) && (!(uses & WRITE) || has_metafield(L, "__newindex", metatable))
            && (!(uses & LENGTH) || has_metafield(L, "__len", metatable))) {
            lua_settop(L, -2);
            return;
        }
    }
    luaL_checktype(L, argument, LUA_TTABLE);
}

static lua_Integer checked_length(lua_State *L, int argument, int uses) {
    check_table(L, argument, uses | LENGTH);
    return luaL_len(L, argument);
}

static int table_insert(lua_State *L) {
    lua_Integer end = (lua_Integer)((lua_Unsigned)checked_length(L, 1, READ | WRITE) + 1), position;
    switch (lua_gettop(L)) {
        case 2:
            lua_seti(L, 1, end);
            return 0;
        case 3:
            position = luaL_checkinteger(L, 2);
            luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
            for (lua_Integer i = end; i > position; i--) {
                lua_geti(L, 1, i - 1);
                lua_seti(L, 1, i);
                clua_poll(L, 1);
            }
            lua_seti(L, 1, position);
            return 0;
        default: return luaL_error(L, "wrong number of arguments to 'insert'");
    }
}

static int table_remove(lua_State *L) {
    lua_Integer size = checked_length(L, 1, READ | WRITE), position = luaL_optinteger(L, 2, size);
    if (position != size) luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
    lua_geti(L, 1, position);
    for (; position < size; position++) {
        lua_geti(L, 1, position + 1);
        lua_seti(L, 1, position);
        clua_poll(L, 1);
    }
    lua_pushnil(L);
    lua_seti(L, 1, position);
    return 1;
}

static int table_move(lua_State *L) {
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    check_table(L, 1, READ);
    check_table(L, target, WRITE);
    if (last >= first) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        lua_Integer count = last - first + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        // Overlapping upwards: from the end, or elements would be read after they were written.
        int backwards = to > first && to <= last && (target == 1 || lua_compare(L, 1, target, LUA_OPEQ));
        for (lua_Integer i = 0; i < count; i++) {
            lua_Integer k = backwards ? count - 1 - i : i;
            lua_geti(L, 1, first + k);
            lua_seti(L, target, to + k);
            clua_poll(L, 1);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

static int table_concat(lua_State *L) {
    lua_Integer size = checked_length(L, 1, READ);
    size_t separator_length;
    const char *separator = luaL_optlstring(L, 2, "", &separator_length);
    lua_Integer first = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, size);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (lua_Integer i = first; i <= last; i++) {
        lua_geti(L, 1, i);
        if (!lua_isstring(L, -1)) {
            return luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)i);
        }
        luaL_addvalue(&buffer);
        if (i != last) luaL_addlstring(&buffer, separator, separator_length);
        clua_poll(L, 1);
        if (i == LUA_MAXINTEGER) break;
    }
    luaL_pushresult(&buffer);
    return 1;
}

// A stable merge sort over a copy: the number of comparisons is bounded whatever the order function says, the result is always a
// permutation, and an error in it leaves the table as it was.

static int is_before(lua_State *L, int a, int b) {
    if (lua_isnil(L, 2)) return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    int result = lua_toboolean(L, -1);
    lua_settop(L, -2);
    return result;
}

static void merge_runs(lua_State *L, int from, int to, lua_Integer start, lua_Integer middle, lua_Integer end) {
    lua_Integer a = start, b = middle;
    lua_rawgeti(L, from, a);  // 5
    lua_rawgeti(L, from, b);  // 6
    for (lua_Integer out = start; out < end; out++) {
        if (b >= end || (a < middle && !is_before(L, 6, 5))) {
            lua_pushvalue(L, 5);
            lua_rawseti(L, to, out);
            if (++a < middle) {
                lua_rawgeti(L, from, a);
                lua_replace(L, 5);
            }
        } else {
            lua_pushvalue(L, 6);
            lua_rawseti(L, to, out);
            if (++b < end) {
                lua_rawgeti(L, from, b);
                lua_replace(L, 6);
            }
        }
        clua_poll(L, 2);
    }
    lua_settop(L, 4);
}

static int table_sort(lua_State *L) {
    lua_Integer size = checked_length(L, 1, READ | WRITE);
    if (size < 2) return 0;
    luaL_argcheck(L, size < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 0);
    for (lua_Integer i = 1; i <= size; i++) {
        lua_geti(L, 1, i);
        lua_rawseti(L, 3, i);
        clua_poll(L, 1);
    }
    int from = 3, to = 4;
    for (lua_Integer width = 1; width < size; width *= 2) {
        for (lua_Integer start = 1; start <= size; start += 2 * width) {
            lua_Integer middle = start + width <= size ? start + width : size + 1;
            lua_Integer end = middle + width <= size ? middle + width : size + 1;
            merge_runs(L, from, to, start, middle, end);
        }
        int sorted = to;
        to = from;
        from = sorted;
    }
    for (lua_Integer i = 1; i <= size; i++) {
        lua_rawgeti(L, from, i);
        lua_seti(L, 1, i);
        clua_poll(L, 1);
    }
    return 0;
}

void clua_open_table(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"insert", table_insert}, {"remove", table_remove}, {"move", table_move}, {"concat", table_concat}, {"sort", table_sort}, {NULL, NULL},
    };
    lua_pushcfunction(L, luaopen_table);
    lua_call(L, 0, 1);
    static const char *const by_arguments[] = {"pack", NULL}, *const by_results[] = {"unpack", NULL};
    clua_charge_library(L, by_arguments, 1);
    clua_charge_library(L, by_results, 0);
    luaL_setfuncs(L, functions, 0);
    lua_setglobal(L, "table");
}
