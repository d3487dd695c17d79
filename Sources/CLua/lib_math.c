#include "internal.h"

// Random numbers from the host's seed alone: xoshiro256**, filled by splitmix64.

static uint64_t splitmix(uint64_t *seed) {
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotated(uint64_t x, int n) { return (x << n) | (x >> (64 - n)); }

static uint64_t draw(uint64_t s[4]) {
    uint64_t result = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result;
}

static void seed_with(clua_state *state, uint64_t a, uint64_t b) {
    uint64_t seed = state->configuration.seed ^ rotated(a, 32) ^ b * 0xda942042e4dd58b5u;
    for (int i = 0; i < 4; i++) state->random[i] = splitmix(&seed);
}

static int math_random(lua_State *L) {
    uint64_t bits = draw(clua_of(L)->random);
    lua_Integer low = 1, high;
    switch (lua_gettop(L)) {
        case 0:
            lua_pushnumber(L, (lua_Number)(bits >> 11) * 0x1p-53);
            return 1;
        case 1:
            high = luaL_checkinteger(L, 1);
            if (high == 0) {
                lua_pushinteger(L, (lua_Integer)bits);
                return 1;
            }
            break;
        case 2:
            low = luaL_checkinteger(L, 1);
            high = luaL_checkinteger(L, 2);
            break;
        default: return luaL_error(L, "wrong number of arguments");
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    uint64_t range = (uint64_t)high - (uint64_t)low;
    if (range != UINT64_MAX) {
        // The topmost values that would favour small results are drawn again.
        uint64_t buckets = range + 1, limit = UINT64_MAX - UINT64_MAX % buckets;
        while (bits >= limit) bits = draw(clua_of(L)->random);
        bits %= buckets;
    }
    lua_pushinteger(L, (lua_Integer)(bits + (uint64_t)low));
    return 1;
}

static int math_randomseed(lua_State *L) {
    clua_state *state = clua_of(L);
    if (lua_isnone(L, 1)) {
        seed_with(state, ++state->seeds, 0);
        return 0;
    }
    lua_Integer seed;
    if (lua_isinteger(L, 1)) {
        seed = lua_tointeger(L, 1);
    } else {
        union { lua_Number number; lua_Integer bits; } as = {.number = luaL_checknumber(L, 1)};
        seed = as.bits;
    }
    seed_with(state, (uint64_t)seed, (uint64_t)luaL_optinteger(L, 2, 0) + 1);
    return 0;
}

void clua_open_math(lua_State *L) {
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    lua_pushcfunction(L, math_random);
    lua_setfield(L, -2, "random");
    lua_pushcfunction(L, math_randomseed);
    lua_setfield(L, -2, "randomseed");
    lua_setglobal(L, "math");
    seed_with(clua_of(L), 0, 0);
}
