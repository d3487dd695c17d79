#include "internal.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

// rep: polls while it copies, refuses at once what cannot fit, and does not loop over nothing.
static int string_rep(lua_State *L) {
    size_t length, separator_length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer count = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &separator_length);
    size_t unit = length + separator_length, cap = clua_of(L)->configuration.memory;
    if (count <= 0 || unit == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((size_t)count > cap / unit) return luaL_error(L, "resulting string too large");
    size_t total = (size_t)count * unit - separator_length, done = 0;
    if (separator_length == 0 && length == 1) clua_poll(L, total / 64);
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, total);
    if (separator_length == 0 && length == 1) {
        memset(out, *text, total);
    } else {
        while (done < total) {
            size_t left = total - done, now = length < left ? length : left;
            memcpy(out + done, text, now);
            done += now;
            if (done < total) {
                memcpy(out + done, separator, separator_length);
                done += separator_length;
            }
            if (unit >= 64 || done % 64 == 0) clua_poll(L, 1 + unit / 64);
        }
    }
    luaL_pushresultsize(&buffer, total);
    return 1;
}

// format: %s and %p are answered here, without addresses; the rest is Lua's.
static int string_format(lua_State *L) {
    size_t length;
    const char *format = luaL_checklstring(L, 1, &length), *end = format + length;
    int count = lua_gettop(L), argument = 1;
    luaL_Buffer buffer;
    // The arguments first: a buffer must stay on top of the stack while it is filled.
    for (const char *p = format; p < end; p++) {
        if (*p != '%') continue;
        if (++p < end && *p == '%') continue;
        while (p < end && (strchr("-+ #0.", *p) != NULL || isdigit((unsigned char)*p)) && *p) p++;
        if (p >= end || ++argument > count) break;
        if (*p == 's') {
            size_t shown;
            clua_tolstring(L, argument, &shown);
            lua_replace(L, argument);
            clua_poll(L, shown / 64);
        } else if (*p == 'p') {
            switch (lua_type(L, argument)) {
                case LUA_TTABLE: case LUA_TFUNCTION: case LUA_TTHREAD: case LUA_TUSERDATA:
                    clua_push_id(L, argument);
                    lua_pushfstring(L, "%d", (int)lua_tointeger(L, -1));
                    lua_replace(L, argument);
                    lua_settop(L, -2);
                    break;
                default:
                    lua_pushliteral(L, "(null)");
                    lua_replace(L, argument);
            }
        } else if (lua_type(L, argument) == LUA_TNUMBER && isnan(lua_tonumber(L, argument)) && *p != 'd') {
            lua_pushnumber(L, copysign(NAN, 1));
            lua_replace(L, argument);
        }
        clua_poll(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    luaL_buffinit(L, &buffer);
    for (const char *p = format; p < end; p++) {
        luaL_addchar(&buffer, *p);
        if (*p != '%' || ++p >= end) continue;
        if (*p == '%') {
            luaL_addchar(&buffer, *p);
            continue;
        }
        while (p < end && *p && (strchr("-+ #0.", *p) != NULL || isdigit((unsigned char)*p))) {
            luaL_addchar(&buffer, *p);
            p++;
        }
        if (p < end) luaL_addchar(&buffer, *p == 'p' ? 's' : *p);
    }
    luaL_pushresult(&buffer);
    lua_replace(L, 2);
    lua_call(L, count, 1);
    return 1;
}

void clua_open_string(lua_State *L) {
    lua_pushcfunction(L, luaopen_string);
    lua_call(L, 0, 1);
    static const char *const by_arguments[] = {"lower", "pack", "packsize", "reverse", "upper", NULL};
    static const char *const by_results[] = {"byte", "char", "sub", "unpack", NULL};
    clua_charge_library(L, by_arguments, 1);
    clua_charge_library(L, by_results, 0);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pushcfunction(L, string_rep);
    lua_setfield(L, -2, "rep");
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, string_format, 1);
    lua_setfield(L, -2, "format");
    lua_pushvalue(L, -1);
    lua_setglobal(L, "string");
    // All strings share this metatable: a script must not get at it.
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_settop(L, 0);
}
