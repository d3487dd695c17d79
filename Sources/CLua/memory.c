#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

// Lua always tells the old size, so counting needs no header. The cap is enforced only while a script runs: what Swift pushes never fails
// for the cap (it could not raise), and is checked when Swift has returned.
void *clua_allocate(void *argument, void *block, size_t old_size, size_t new_size) {
    clua_state *state = argument;
    size_t old = block ? old_size : 0;
    if (new_size == 0) {
        free(block);
        state->used -= old;
        return NULL;
    }
    if (state->enforce && new_size > old) {
        size_t others = state->used - old, cap = state->configuration.memory;
        if (others > cap || new_size > cap - others) return NULL;
        if (state->fail_nth && ++state->allocations >= state->fail_nth) return NULL;
    }
    void *result = realloc(block, new_size);
    if (!result) {
        if (new_size <= old) return block;
        if (state->enforce) return NULL;
        fputs("LuaBridge: the machine is out of memory\n", stderr);
        abort();
    }
    if (state->enforce && new_size > old) clua_note_work(state, new_size - old);
    state->used = state->used - old + new_size;
    if (state->used > state->peak) state->peak = state->used;
    return result;
}

int clua_over_cap(const clua_state *state) { return state->used > state->configuration.memory; }

size_t clua_memory_used(const clua_state *state) { return state->used; }
size_t clua_memory_peak(const clua_state *state) { return state->peak; }

void clua_collect(clua_state *state) { lua_gc(state->main, LUA_GCCOLLECT); }

void clua_fail_allocation(clua_state *state, uint64_t nth) {
    state->fail_nth = nth;
    state->allocations = 0;
}
