#include "internal.h"

#include <stdio.h>
#include <string.h>

// Chunks of the host's own prelude are named "=...", all others "@...".
static int is_trusted(const lua_Debug *activation) { return activation->source[0] != '@'; }

static int find_in(lua_State *L, lua_Debug *activation, int level) {
    for (; level < 1000 && lua_getstack(L, level, activation); level++) {
        lua_getinfo(L, "Sl", activation);
        if (activation->currentline > 0 && !is_trusted(activation)) return 1;
    }
    return 0;
}

static int find_from(const clua_state *state, lua_State *L, lua_Debug *activation, int level) {
    if (find_in(L, activation, level)) return 1;
    for (const struct entry *entry = state->entries; entry; entry = entry->outer) {
        if (entry->from != entry->thread && find_in(entry->from, activation, 0)) return 1;
    }
    return 0;
}

static size_t length_of_source(const lua_Debug *activation) {
    size_t length = activation->srclen - 1, most = sizeof ((clua_place *)NULL)->source - 1;
    return length < most ? length : most;
}

void clua_find_place(const clua_state *state, lua_State *L, clua_place *place) {
    lua_Debug activation;
    int found = find_from(state, L, &activation, 0);
    size_t length = found ? length_of_source(&activation) : 0;
    if (found) memcpy(place->source, activation.source + 1, length);
    place->source[length] = 0;
    place->line = found ? activation.currentline : 0;
}

// From within a host function, which has no line itself. The text lives as long as the function at that place runs.
int clua_find_caller(const clua_state *state, lua_State *L, const char **source, size_t *length) {
    lua_Debug activation;
    if (!find_from(state, L, &activation, 1)) {
        *source = "";
        *length = 0;
        return 0;
    }
    *source = activation.source + 1;
    *length = length_of_source(&activation);
    return activation.currentline;
}

void clua_push_place(lua_State *L, const clua_place *place) {
    if (place->line > 0) lua_pushfstring(L, "%s:%d", place->source, place->line);
    else lua_pushliteral(L, "");
}

// lua_getstack walks from the top each time: asking level by level would be quadratic in a runaway recursion.
static int count_levels(lua_State *L) {
    lua_Debug activation;
    int low = 0, high = 1;
    while (lua_getstack(L, high, &activation)) {
        low = high;
        high *= 2;
    }
    while (low + 1 < high) {
        int middle = low + (high - low) / 2;
        if (lua_getstack(L, middle, &activation)) low = middle;
        else high = middle;
    }
    return high;
}

// Text only, into a buffer of the state: nothing is allocated, so it works when memory is what ran out.
static int write_traceback(lua_State *L, char *text, size_t size) {
    enum { HEAD = 12, TAIL = 8 };
    lua_Debug activation;
    int levels = count_levels(L);
    size_t used = 0;
    text[0] = 0;
    for (int level = 0; level < levels && used + 1 < size; level++) {
        int written;
        if (level == HEAD && levels > HEAD + TAIL) {
            written = snprintf(text + used, size - used, "  ... (%d levels)\n", levels - HEAD - TAIL);
            level = levels - TAIL - 1;
        } else {
            if (!lua_getstack(L, level, &activation)) break;
            lua_getinfo(L, "Slnt", &activation);
            if (activation.source[0] == '=' && activation.currentline < 0 && !activation.name) continue;
            char where[80] = "";
            if (activation.currentline > 0) snprintf(where, sizeof where, "%s:%d: ", activation.short_src, activation.currentline);
            if (activation.name) written = snprintf(text + used, size - used, "  %sin %s '%s'\n", where, activation.namewhat, activation.name);
            else if (*activation.what == 'm') written = snprintf(text + used, size - used, "  %sin main chunk\n", where);
            else written = snprintf(text + used, size - used, "  %sin function <%s:%d>\n", where, activation.short_src, activation.linedefined);
        }
        if (written < 0) break;
        used += (size_t)written;
    }
    return levels;
}

void clua_note_error(clua_state *state, lua_State *L) {
    state->noted = 1;
    clua_find_place(state, L, &state->place);
    state->levels = write_traceback(L, state->traceback, sizeof state->traceback);
}

int clua_capture(lua_State *L) {
    clua_note_error(clua_of(L), L);
    return 1;
}

const clua_place *clua_error_place(const clua_state *state) {
    static const clua_place unknown;
    return state->noted ? &state->place : &unknown;
}
int clua_error_levels(const clua_state *state) { return state->noted ? state->levels : 0; }
const char *clua_error_traceback(const clua_state *state) { return state->noted ? state->traceback : ""; }

// An error table keeps the place where it was first raised, however often it is caught and raised again.
void clua_note_origin(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.origins);
    lua_pushvalue(L, index);
    int known = lua_rawget(L, -2) != LUA_TNIL;
    lua_settop(L, -2);
    if (!known) {
        clua_place place;
        clua_find_place(clua_of(L), L, &place);
        if (place.line > 0) {
            lua_pushvalue(L, index);
            clua_push_place(L, &place);
            lua_rawset(L, -3);
        }
    }
    lua_settop(L, -2);
}

void clua_error_origin(lua_State *L, int index, clua_place *place) {
    place->source[0] = 0;
    place->line = 0;
    if (clua_error_object_place(L, index, place) || lua_type(L, index) != LUA_TTABLE) return;
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clua_keys.origins);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TSTRING) {
        const char *text = lua_tostring(L, -1), *colon = strrchr(text, ':');
        if (colon) {
            snprintf(place->source, sizeof place->source, "%.*s", (int)(colon - text), text);
            sscanf(colon + 1, "%d", &place->line);
        }
    }
    lua_settop(L, -3);
}
