// The peer: what one writes by hand against the same Lua, unchecked but for the arguments. `c-host CASE N LUA` prints nanoseconds of
// processor time for one of N rounds.
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int f0(lua_State *L) {
    (void)L;
    return 0;
}

static int add(lua_State *L) {
    lua_pushinteger(L, luaL_checkinteger(L, 1) + luaL_checkinteger(L, 2));
    return 1;
}

static int addf(lua_State *L) {
    lua_pushnumber(L, luaL_checknumber(L, 1) + luaL_checknumber(L, 2));
    return 1;
}

static int seven(lua_State *L) {
    lua_Integer sum = 0;
    for (int i = 1; i <= 7; i++) sum += luaL_checkinteger(L, i);
    lua_pushinteger(L, sum);
    return 1;
}

static int echo(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_pushlstring(L, text, length);
    return 1;
}

struct record {
    lua_Integer id, count;
    double x, y, z;
    const char *name, *tag;
    int on;
};

static lua_Integer integer_field(lua_State *L, const char *name) {
    lua_getfield(L, 1, name);
    lua_Integer value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return value;
}

static double number_field(lua_State *L, const char *name) {
    lua_getfield(L, 1, name);
    double value = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

// The string lives as long as the table it was read from.
static const char *string_field(lua_State *L, const char *name) {
    lua_getfield(L, 1, name);
    const char *value = luaL_checkstring(L, -1);
    lua_pop(L, 1);
    return value;
}

static int move(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    struct record record = {
        .id = integer_field(L, "id"), .count = integer_field(L, "count"), .x = number_field(L, "x"), .y = number_field(L, "y"),
        .z = number_field(L, "z"), .name = string_field(L, "name"), .tag = string_field(L, "tag"),
    };
    lua_getfield(L, 1, "on");
    record.on = lua_toboolean(L, -1);
    lua_createtable(L, 0, 8);
    lua_pushinteger(L, record.id);
    lua_setfield(L, -2, "id");
    lua_pushinteger(L, record.count + 1);
    lua_setfield(L, -2, "count");
    lua_pushnumber(L, record.x);
    lua_setfield(L, -2, "x");
    lua_pushnumber(L, record.y);
    lua_setfield(L, -2, "y");
    lua_pushnumber(L, record.z);
    lua_setfield(L, -2, "z");
    lua_pushstring(L, record.name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, record.tag);
    lua_setfield(L, -2, "tag");
    lua_pushboolean(L, record.on);
    lua_setfield(L, -2, "on");
    return 1;
}

static int bump(lua_State *L) {
    lua_Integer *counter = luaL_checkudata(L, 1, "counter");
    *counter += luaL_checkinteger(L, 2);
    lua_pushinteger(L, *counter);
    return 1;
}

static int counter(lua_State *L) {
    lua_Integer *value = lua_newuserdatauv(L, sizeof *value, 0);
    *value = 0;
    if (luaL_newmetatable(L, "counter")) {
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, bump);
        lua_setfield(L, -2, "bump");
        lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
    return 1;
}

static int fail(lua_State *L) { return luaL_error(L, "failed"); }

static int ready(lua_State *L) { return lua_yield(L, 0); }

static void check(lua_State *L, int status) {
    if (status == LUA_OK) return;
    fprintf(stderr, "c-host: %s\n", lua_tostring(L, -1));
    exit(1);
}

static lua_State *open_state(void) {
    lua_State *L = luaL_newstate();
    if (!L) exit(1);
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 1);
    luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 1);
    lua_settop(L, 0);
    return L;
}

static void call_back(lua_State *L, lua_Integer rounds) {
    check(L, lua_pcall(L, 0, 1, 0));
    for (lua_Integer i = 0; i < rounds; i++) {
        lua_pushvalue(L, -1);
        lua_pushinteger(L, i);
        check(L, lua_pcall(L, 1, 1, 0));
        if (lua_tointeger(L, -1) != i + 1) exit(1);
        lua_pop(L, 1);
    }
}

static void yield_and_resume(lua_State *L, lua_Integer rounds) {
    lua_State *coroutine = lua_newthread(L);
    lua_insert(L, -2);
    lua_xmove(L, coroutine, 1);
    lua_pushinteger(coroutine, rounds);
    int count, arguments = 1, status;
    while ((status = lua_resume(coroutine, L, arguments, &count)) == LUA_YIELD) {
        lua_pushinteger(coroutine, 1);
        arguments = 1;
    }
    check(coroutine, status);
}

static long resident(void) {
    long total = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &total, &pages) != 2) exit(1);
    fclose(file);
    return pages * 4096;
}

// Bytes of a coroutine that waits.
static void wait_many(lua_State *L, lua_Integer count) {
    long before = resident();
    int heap = lua_gc(L, LUA_GCCOUNT);
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_State *coroutine = lua_newthread(L);
        lua_pushvalue(L, 1);
        lua_xmove(L, coroutine, 1);
        int results;
        if (lua_resume(coroutine, L, 0, &results) != LUA_YIELD) exit(1);
        lua_rawseti(L, 2, i);
    }
    printf("%ld %ld\n", (resident() - before) / (long)count, (lua_gc(L, LUA_GCCOUNT) - heap) * 1024L / (long)count);
    exit(0);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    const char *name = argv[1];
    lua_Integer rounds = atoll(argv[2]);
    lua_State *L = open_state();
    static const luaL_Reg functions[] = {
        {"f0", f0}, {"add", add}, {"echo", echo}, {"move", move}, {"moveRecord", move}, {"addf", addf}, {"seven", seven}, {"counter", counter}, {"fail", fail}, {"ready", ready}, {"park", ready}, {NULL, NULL},
    };
    lua_pushglobaltable(L);
    luaL_setfuncs(L, functions, 0);
    lua_settop(L, 0);
    check(L, luaL_loadbuffer(L, argv[3], strlen(argv[3]), "@bench.lua"));
    double start = now();
    if (!strcmp(name, "back")) {
        call_back(L, rounds);
    } else if (!strcmp(name, "waiting")) {
        wait_many(L, rounds);
    } else if (!strcmp(name, "await")) {
        yield_and_resume(L, rounds);
    } else if (!strcmp(name, "state")) {
        for (lua_Integer i = 0; i < rounds; i++) lua_close(open_state());
    } else {
        lua_pushinteger(L, rounds);
        check(L, lua_pcall(L, 1, 0, 0));
    }
    printf("%.2f\n", (now() - start) / (double)rounds);
    lua_close(L);
    return 0;
}
