#include "CPlainLua.h"

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <string.h>

long plain_lua_run(const char *text, size_t length, char *result, size_t capacity) {
    lua_State *L = luaL_newstate();
    if (!L) return -1;
    luaL_openlibs(L);
    long copied = -1;
    if (luaL_loadbuffer(L, text, length, "=plain") == LUA_OK && lua_pcall(L, 0, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) {
        size_t size;
        const char *bytes = lua_tolstring(L, -1, &size);
        if (size <= capacity) {
            memcpy(result, bytes, size);
            copied = (long)size;
        }
    }
    lua_close(L);
    return copied;
}
