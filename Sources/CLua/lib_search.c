#define _GNU_SOURCE
#include "internal.h"

#include <string.h>

// find, match, gmatch, gsub over the matcher with a step count.

static void prepare(struct clua_match *m, lua_State *L, const char *source, size_t length, const char *pattern, size_t pattern_length) {
    m->L = L;
    m->source = source;
    m->source_end = source + length;
    m->pattern_end = pattern + pattern_length;
    m->depth = m->level = 0;
}

static const char *attempt(struct clua_match *m, const char *subject, const char *pattern) {
    m->depth = m->level = 0;
    return clua_match_at(m, subject, pattern);
}

// A position given by a script, as an offset: may lie past the end.
static size_t offset_argument(lua_State *L, int argument, size_t length) {
    lua_Integer position = luaL_optinteger(L, argument, 1);
    if (position > 0) return (size_t)position - 1;
    if (position == 0 || position < -(lua_Integer)length) return 0;
    return length - (size_t)-position;
}

static int is_plain(const char *pattern, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (pattern[i] && strchr("^$*+?.([%-", pattern[i])) return 0;
    }
    return 1;
}

static int search(lua_State *L, int find) {
    size_t length, pattern_length;
    const char *source = luaL_checklstring(L, 1, &length), *pattern = luaL_checklstring(L, 2, &pattern_length);
    size_t offset = offset_argument(L, 3, length);
    if (offset > length) {
        lua_pushnil(L);
        return 1;
    }
    clua_poll(L, pattern_length / 64);
    if (find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_length))) {
        const char *found = pattern_length ? memmem(source + offset, length - offset, pattern, pattern_length) : source + offset;
        clua_poll(L, 1 + (found ? (size_t)(found - source) - offset : length - offset) / 64);
        if (found) {
            lua_pushinteger(L, found - source + 1);
            lua_pushinteger(L, found - source + (lua_Integer)pattern_length);
            return 2;
        }
        lua_pushnil(L);
        return 1;
    }
    struct clua_match m;
    prepare(&m, L, source, length, pattern, pattern_length);
    int anchored = pattern_length > 0 && *pattern == '^';
    if (anchored) pattern++;
    const char *subject = source + offset;
    do {
        const char *end = attempt(&m, subject, pattern);
        if (end && find) {
            lua_pushinteger(L, subject - source + 1);
            lua_pushinteger(L, end - source);
            return 2 + clua_push_captures(&m, NULL, NULL);
        }
        if (end) return clua_push_captures(&m, subject, end);
        clua_poll(L, 1);
    } while (subject++ < m.source_end && !anchored);
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L) { return search(L, 1); }
static int string_match(lua_State *L) { return search(L, 0); }

// Upvalues: source, pattern, next offset, end of the last match (-1 before the first).
static int next_match(lua_State *L) {
    size_t length, pattern_length;
    const char *source = lua_tolstring(L, lua_upvalueindex(1), &length), *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
    struct clua_match m;
    prepare(&m, L, source, length, pattern, pattern_length);
    lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
    for (size_t offset = (size_t)lua_tointeger(L, lua_upvalueindex(3)); offset <= length; offset++) {
        const char *end = attempt(&m, source + offset, pattern);
        clua_poll(L, 1);
        if (!end || end - source == last) continue;
        lua_pushinteger(L, end - source);
        lua_copy(L, -1, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        return clua_push_captures(&m, source + offset, end);
    }
    lua_pushinteger(L, (lua_Integer)length + 1);
    lua_replace(L, lua_upvalueindex(3));
    return 0;
}

static int string_gmatch(lua_State *L) {
    size_t length;
    luaL_checklstring(L, 1, &length);
    luaL_checkstring(L, 2);
    size_t offset = offset_argument(L, 3, length);
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)(offset > length ? length + 1 : offset));
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, next_match, 4);
    return 1;
}

static void add_template(struct clua_match *m, luaL_Buffer *buffer, const char *start, const char *end) {
    lua_State *L = m->L;
    size_t length;
    const char *text = lua_tolstring(L, 3, &length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            luaL_addchar(buffer, text[i]);
            continue;
        }
        char c = ++i < length ? text[i] : 0;
        if (c == '%') luaL_addchar(buffer, '%');
        else if (c == '0') luaL_addlstring(buffer, start, (size_t)(end - start));
        else if (c >= '1' && c <= '9') {
            clua_push_capture(m, c - '1', start, end);
            luaL_tolstring(L, -1, NULL);
            lua_remove(L, -2);
            luaL_addvalue(buffer);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
    clua_poll(L, 1 + length / 8);
}

// Adds the replacement of one match; the original stays where the replacement is nil or false.
static int add_replacement(struct clua_match *m, luaL_Buffer *buffer, const char *start, const char *end) {
    lua_State *L = m->L;
    switch (lua_type(L, 3)) {
        case LUA_TFUNCTION:
            lua_pushvalue(L, 3);
            lua_call(L, clua_push_captures(m, start, end), 1);
            break;
        case LUA_TTABLE:
            clua_push_capture(m, 0, start, end);
            lua_gettable(L, 3);
            break;
        default:
            add_template(m, buffer, start, end);
            return 1;
    }
    if (!lua_toboolean(L, -1)) {
        lua_settop(L, -2);
        luaL_addlstring(buffer, start, (size_t)(end - start));
        return 0;
    }
    if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(buffer);
    return 1;
}

static int string_gsub(lua_State *L) {
    size_t length, pattern_length;
    const char *source = luaL_checklstring(L, 1, &length), *pattern = luaL_checklstring(L, 2, &pattern_length);
    int type = lua_type(L, 3);
    luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                     "string/function/table");
    if (type == LUA_TNUMBER) lua_tolstring(L, 3, NULL);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), count = 0;
    struct clua_match m;
    prepare(&m, L, source, length, pattern, pattern_length);
    int anchored = pattern_length > 0 && *pattern == '^';
    if (anchored) pattern++;
    const char *subject = source, *last = NULL;
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    while (count < most) {
        const char *end = attempt(&m, subject, pattern);
        clua_poll(L, 1);
        if (end && end != last) {
            count++;
            add_replacement(&m, &buffer, subject, end);
            subject = last = end;
        } else if (subject < m.source_end) {
            luaL_addchar(&buffer, *subject++);
        } else {
            break;
        }
        if (anchored) break;
    }
    luaL_addlstring(&buffer, subject, (size_t)(m.source_end - subject));
    luaL_pushresult(&buffer);
    lua_pushinteger(L, count);
    return 2;
}

void clua_open_patterns(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch}, {"gsub", string_gsub}, {NULL, NULL},
    };
    lua_getglobal(L, "string");
    luaL_setfuncs(L, functions, 0);
    lua_settop(L, 0);
}
