#include "internal.h"

#include <string.h>

// One order of keys for all states: integers ascending, then strings bytewise. Other keys have no order of their own and are refused.

struct key { const char *text; size_t length; lua_Integer integer; uint32_t index; };

static int compare_text(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare(const struct key *a, const struct key *b) {
    if (!a->text || !b->text) {
        if (a->text || b->text) return a->text ? 1 : -1;
        return (a->integer > b->integer) - (a->integer < b->integer);
    }
    return compare_text(a->text, a->length, b->text, b->length);
}

static void read_key(lua_State *L, int index, struct key *key) {
    switch (lua_type(L, index)) {
        case LUA_TSTRING:
            key->text = lua_tolstring(L, index, &key->length);
            return;
        case LUA_TNUMBER:
            key->text = NULL;
            if (lua_isinteger(L, index)) {
                key->integer = lua_tointeger(L, index);
                return;
            }
            luaL_error(L, "a table with a key %f has no fixed order: use integers or strings as keys", lua_tonumber(L, index));
            return;
        default: luaL_error(L, "a table with a key of type %s has no fixed order: use integers or strings as keys", luaL_typename(L, index));
    }
}

static void merge(lua_State *L, struct key *keys, struct key *spare, size_t count) {
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t a = start, middle = start + width < count ? start + width : count, b = middle;
            size_t end = start + 2 * width < count ? start + 2 * width : count;
            for (size_t out = start; out < end; out++) {
                spare[out] = b >= end || (a < middle && compare(&keys[a], &keys[b]) <= 0) ? keys[a++] : keys[b++];
            }
            clua_poll(L, end - start);
        }
        struct key *sorted = spare;
        spare = keys;
        keys = sorted;
    }
}

// Pushes an array of the keys, and nil if it is in order already, else a userdata with the positions in order.
lua_Integer clua_sort_keys(lua_State *L, int index) {
    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, NULL);
    size_t count = 0;
    int sorted = 1;
    struct key key, before;
    lua_pushnil(L);
    for (lua_pushnil(L); lua_next(L, index);) {
        lua_settop(L, -2);
        read_key(L, -1, &key);
        if (count && sorted && compare(&before, &key) >= 0) sorted = 0;
        before = key;
        count++;
        if (count % 64 == 0) clua_poll(L, 64);
    }
    lua_settop(L, -2);
    if (count > 1u << 30) return luaL_error(L, "a table with too many keys");
    lua_createtable(L, (int)count, 0);
    int keys = lua_gettop(L);
    lua_Integer position = 0;
    for (lua_pushnil(L); lua_next(L, index);) {
        lua_settop(L, -2);
        lua_pushvalue(L, -1);
        lua_rawseti(L, keys, ++position);
    }
    if (sorted) {
        lua_pushnil(L);
        return position;
    }
    struct key *entries = lua_newuserdatauv(L, 2 * count * sizeof *entries, 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, keys, (lua_Integer)i + 1);
        read_key(L, -1, &entries[i]);
        entries[i].index = (uint32_t)i + 1;
        lua_settop(L, -2);
    }
    merge(L, entries, entries + count, count);
    int passes = 0;
    for (size_t width = 1; width < count; width *= 2) passes++;
    const struct key *ordered = passes % 2 ? entries + count : entries;
    uint32_t *order = lua_newuserdatauv(L, count * sizeof *order, 0);
    for (size_t i = 0; i < count; i++) order[i] = ordered[i].index;
    lua_remove(L, -2);
    return position;
}

// Upvalues: keys, order, position. Fields that come to be during the loop are not visited, fields that vanish are skipped.
static int step(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    const uint32_t *order = lua_touserdata(L, lua_upvalueindex(2));
    lua_Integer count = (lua_Integer)lua_rawlen(L, lua_upvalueindex(1));
    lua_Integer position = lua_tointeger(L, lua_upvalueindex(3));
    while (position < count) {
        lua_rawgeti(L, lua_upvalueindex(1), order ? order[position] : position + 1);
        position++;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) {
            lua_pushinteger(L, position);
            lua_replace(L, lua_upvalueindex(3));
            return 2;
        }
        lua_settop(L, 1);
        clua_poll(L, 1);
    }
    lua_pushinteger(L, position);
    lua_replace(L, lua_upvalueindex(3));
    lua_pushnil(L);
    return 1;
}

static int finish_pairs(lua_State *L, int status, lua_KContext context) {
    (void)L;
    (void)status;
    (void)context;
    return 3;
}

int clua_pairs(lua_State *L) {
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 3, 0, finish_pairs);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    clua_sort_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step, 3);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

// The smallest key above the given one: one pass over the table. Loops should use pairs.
int clua_next(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    struct key after, key, best = {0};
    int bounded = !lua_isnil(L, 2), found = 0, steps = 0;
    if (bounded) {
        if (lua_type(L, 2) == LUA_TNUMBER && lua_tointegerx(L, 2, &found)) {
            lua_pushinteger(L, lua_tointeger(L, 2));
            lua_replace(L, 2);
        }
        read_key(L, 2, &after);
    }
    found = 0;
    lua_pushnil(L);  // 3: the best so far
    for (lua_pushnil(L); lua_next(L, 1);) {
        lua_settop(L, 4);
        read_key(L, 4, &key);
        if ((!bounded || compare(&key, &after) > 0) && (!found || compare(&key, &best) < 0)) {
            best = key;
            found = 1;
            lua_copy(L, 4, 3);
        }
        if (++steps % 64 == 0) clua_poll(L, 64);
    }
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_settop(L, 3);
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

static int sorted_keys(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer count = clua_sort_keys(L, 1);
    const uint32_t *order = lua_touserdata(L, 3);
    if (!order) {
        lua_settop(L, 2);
        return 1;
    }
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, 2, order[i]);
        lua_rawseti(L, 4, i + 1);
    }
    return 1;
}

void clua_push_sorted_keys(lua_State *L) { lua_pushcfunction(L, sorted_keys); }
