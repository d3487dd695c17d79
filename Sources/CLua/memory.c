#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if CLUA_POOL

static int is_pooled(const struct pool *pool, const void *block) {
    return (size_t)((const char *)block - pool->start) < POOL_SIZE;
}

static void *take(struct pool *pool, size_t size) {
    if (size > POOL_LARGEST) return NULL;
    size_t class = (size - 1) / POOL_UNIT;
    void *block = pool->free[class];
    if (block) {
        memcpy(&pool->free[class], block, sizeof block);
        return block;
    }
    size_t rounded = (class + 1) * POOL_UNIT;
    if (POOL_SIZE - pool->used < rounded) return NULL;
    block = pool->start + pool->used;
    pool->used += rounded;
    return block;
}

static void give_back(struct pool *pool, void *block, size_t size) {
    if (!is_pooled(pool, block)) return free(block);
    size_t class = (size - 1) / POOL_UNIT;
    memcpy(block, &pool->free[class], sizeof block);
    pool->free[class] = block;
}

static void *resize(struct pool *pool, void *block, size_t old, size_t size) {
    if (!old) {
        void *fresh = take(pool, size);
        return fresh ? fresh : malloc(size);
    }
    if (!is_pooled(pool, block)) return realloc(block, size);
    if (size <= POOL_LARGEST && (old - 1) / POOL_UNIT == (size - 1) / POOL_UNIT) return block;
    void *fresh = take(pool, size);
    if (!fresh && !(fresh = malloc(size))) return NULL;
    memcpy(fresh, block, old < size ? old : size);
    give_back(pool, block, old);
    return fresh;
}

void clua_open_pool(clua_state *state) {
    state->pool.start = malloc(POOL_SIZE);
    if (!state->pool.start) abort();
}
void clua_close_pool(clua_state *state) { free(state->pool.start); }

#else

static void give_back(struct pool *pool, void *block, size_t size) {
    (void)pool;
    (void)size;
    free(block);
}
static void *resize(struct pool *pool, void *block, size_t old, size_t size) {
    (void)pool;
    (void)old;
    return realloc(block, size);
}
void clua_open_pool(clua_state *state) { (void)state; }
void clua_close_pool(clua_state *state) { (void)state; }

#endif

// One call may not have more than about 20,000 values on the stack: its locals, arguments and results. With `__call = t`, calling t moves all of
// them up by one, again and again, where nothing can interrupt it, so the time until the stack is full grows with the square of its size. A
// stack grows into a new block, which is known by the running call's values being much of what it would hold.
enum { CALL_VALUES = 20500, VALUE_SIZE = 16 };

static int overfills_stack(clua_state *state, size_t size) {
    if (size <= CALL_VALUES * VALUE_SIZE || (size_t)lua_gettop(state->current) * 4 * VALUE_SIZE < size) return 0;
    return 1;
}

// No message handler sees an error of memory, so its place is noted now. Lua collects and tries again; a second refusal is the end of the script,
// noted before a __close handler can put an error of its own in the place of this one. `size` 0: only a stack is full, which is no more than an error.
static void *refuse(clua_state *state, size_t size) {
    clua_note_error(state, state->current);
    state->stack_refused = size == 0;
    if (size && size == state->refused_size) {
        clua_begin_stop(state, CLUA_MEMORY);
        clua_count(state->current, 1);
    }
    state->refused_size = size;
    return NULL;
}

// Lua always tells the old size, so counting needs no header. The cap is enforced only while a script runs: what Swift pushes never fails
// for the cap (it could not raise), and is checked when Swift has returned.
void *clua_allocate(void *argument, void *block, size_t old_size, size_t new_size) {
    clua_state *state = argument;
    size_t old = block ? old_size : 0;
    if (new_size == 0) {
        if (block && old) give_back(&state->pool, block, old);
        state->used -= old;
        return NULL;
    }
    if (state->enforce && new_size > old) {
        size_t others = state->used - old, cap = state->configuration.memory;
        if (others > cap || new_size > cap - others) return refuse(state, new_size);
        if (!block && overfills_stack(state, new_size)) return refuse(state, 0);
        if (state->fail_nth && ++state->allocations >= state->fail_nth) return refuse(state, new_size);
        state->refused_size = 0;
    }
    void *result = resize(&state->pool, block, old, new_size);
    if (!result) {
        if (new_size <= old) return block;
        if (state->enforce) return NULL;
        fputs("LuaBridge: the machine is out of memory\n", stderr);
        abort();
    }
    if (state->enforce && new_size > old) clua_note_work(state, new_size - old);
    state->used = state->used - old + new_size;
    if (state->used > state->peak) state->peak = state->used;
    if (!state->enforce && state->used > state->configuration.memory) state->attention = 1;
    return result;
}

size_t clua_memory_used(const clua_state *state) { return state->used; }
size_t clua_memory_peak(const clua_state *state) { return state->peak; }

void clua_collect(clua_state *state) { lua_gc(state->main, LUA_GCCOLLECT); }

void clua_fail_allocation(clua_state *state, uint64_t nth) {
    state->fail_nth = nth;
    state->allocations = 0;
}
