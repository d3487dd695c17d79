// Which lines of a chunk can run, and which did.
//
// Lua tells the lines of one function (lua_getinfo "L"), not those of the functions inside that were never made. A dump holds them all: the
// instructions of each with their lines. Some are the compiler's own (the return at an `end` behind a `return`, the jump behind a branch that
// returned) and may stand alone on a line that nothing leads to: they count only where control can come to them.

#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct lines {
    int last;
    unsigned char *executable;  // by line
    _Atomic(uint32_t) *hits;
};

struct covered {
    struct covered *next;
    struct lines *lines;
    char name[];
};

// MARK: What ran

void clua_cover(clua_state *state, const char *chunkname, void *lines) {
    for (struct covered *known = state->covered; known; known = known->next) {
        if (strcmp(known->name, chunkname)) continue;
        known->lines = lines;
        return;
    }
    size_t size = strlen(chunkname) + 1;
    struct covered *covered = malloc(sizeof *covered + size);
    if (!covered) abort();
    memcpy(covered->name, chunkname, size);
    covered->lines = lines;
    covered->next = state->covered;
    state->covered = covered;
    state->hooked = 1;
}

void clua_close_coverage(clua_state *state) {
    while (state->covered) {
        struct covered *covered = state->covered;
        state->covered = covered->next;
        free(covered);
    }
}

// Touches nothing of Lua's heap, so that limits see no difference.
void clua_note_line(lua_State *L, lua_Debug *activation) {
    int line = activation->currentline;
    lua_getinfo(L, "S", activation);
    for (struct covered *covered = clua_of(L)->covered; covered; covered = covered->next) {
        if (strcmp(covered->name, activation->source)) continue;
        if (line > 0 && line <= covered->lines->last) atomic_fetch_add_explicit(&covered->lines->hits[line], 1, memory_order_relaxed);
        return;
    }
}

int clua_lines_last(const void *lines) { return ((const struct lines *)lines)->last; }
int clua_lines_executable(const void *lines, int line) { return ((const struct lines *)lines)->executable[line]; }
uint32_t clua_lines_hits(const void *lines, int line) {
    return atomic_load_explicit(&((const struct lines *)lines)->hits[line], memory_order_relaxed);
}

void clua_lines_destroy(void *pointer) {
    struct lines *lines = pointer;
    free(lines->executable);
    free(lines->hits);
    free(lines);
}

// MARK: What can run

// Of Lua 5.4's instructions, those that do not simply go on to the next one.
enum {
    LOADKX = 4, LFALSESKIP = 6, NEWTABLE = 19, CLOSE = 54, JMP = 56, FIRST_TEST = 57, LAST_TEST = 67, TAILCALL = 69, FIRST_RETURN = 70,
    LAST_RETURN = 72, FORLOOP = 73, FORPREP = 74, TFORPREP = 75, TFORLOOP = 77
};
enum { ABSOLUTE_LINE = -128, LARGEST_JUMP = (1 << 24) - 1, DEEPEST = 250 };
enum { CONSTANT_INTEGER = 3, CONSTANT_FLOAT = 19, CONSTANT_SHORT = 4, CONSTANT_LONG = 20 };

struct bytes { unsigned char *start; size_t size, capacity; };

static int collect(lua_State *L, const void *piece, size_t size, void *data) {
    (void)L;
    struct bytes *bytes = data;
    if (bytes->size + size > bytes->capacity) {
        bytes->capacity = 2 * (bytes->size + size);
        bytes->start = realloc(bytes->start, bytes->capacity);
        if (!bytes->start) abort();
    }
    memcpy(bytes->start + bytes->size, piece, size);
    bytes->size += size;
    return 0;
}

struct reader { const unsigned char *at, *end; int is_wrong, depth; };

static const unsigned char *take(struct reader *reader, size_t size) {
    if (reader->is_wrong || size > (size_t)(reader->end - reader->at)) {
        reader->is_wrong = 1;
        return NULL;
    }
    const unsigned char *start = reader->at;
    reader->at += size;
    return start;
}

static int take_byte(struct reader *reader) {
    const unsigned char *byte = take(reader, 1);
    return byte ? *byte : 0;
}

static size_t take_number(struct reader *reader) {
    size_t number = 0;
    for (int i = 0; i < 10; i++) {
        int byte = take_byte(reader);
        number = number << 7 | (size_t)(byte & 0x7f);
        if (byte & 0x80) return number;
        if (reader->is_wrong) return 0;
    }
    reader->is_wrong = 1;
    return 0;
}

static void skip_string(struct reader *reader) {
    size_t size = take_number(reader);
    if (size) take(reader, size - 1);
}

static void skip_constants(struct reader *reader) {
    for (size_t count = take_number(reader); count && !reader->is_wrong; count--) {
        switch (take_byte(reader)) {
            case CONSTANT_INTEGER: case CONSTANT_FLOAT: take(reader, 8); break;
            case CONSTANT_SHORT: case CONSTANT_LONG: skip_string(reader); break;
            default: break;
        }
    }
}

// Where control may go from an instruction; -1: nowhere.
static void successors(uint32_t instruction, long at, long next[2]) {
    int operation = instruction & 0x7f;
    long wide = (long)(instruction >> 15);
    next[0] = at + 1;
    next[1] = -1;
    if (operation == LOADKX || operation == LFALSESKIP || operation == NEWTABLE) next[0] = at + 2;
    else if (operation == JMP) next[0] = at + 1 + (long)(instruction >> 7) - LARGEST_JUMP;
    else if (operation >= FIRST_TEST && operation <= LAST_TEST) next[1] = at + 2;
    else if (operation >= TAILCALL && operation <= LAST_RETURN) next[0] = -1;
    else if (operation == FORLOOP || operation == TFORLOOP) next[1] = at + 1 - wide;
    else if (operation == FORPREP) next[1] = at + 2 + wide;
    else if (operation == TFORPREP) next[0] = at + 1 + wide;
}

static int is_compilers_own(uint32_t instruction) {
    int operation = instruction & 0x7f;
    return operation == CLOSE || operation == JMP || (operation >= FIRST_RETURN && operation <= LAST_RETURN);
}

static uint32_t instruction_at(const unsigned char *code, long index) {
    uint32_t instruction;
    memcpy(&instruction, code + 4 * index, 4);
    return instruction;
}

// 1 for each instruction that control can come to.
static unsigned char *reached(const unsigned char *code, long count) {
    unsigned char *marks = calloc((size_t)count + 1, 1);
    long *waiting = calloc((size_t)count + 1, sizeof *waiting), waits = 0;
    if (!marks || !waiting) abort();
    waiting[waits++] = 0;
    marks[0] = 1;
    while (waits) {
        long at = waiting[--waits], next[2];
        successors(instruction_at(code, at), at, next);
        for (int i = 0; i < 2; i++) {
            if (next[i] < 0 || next[i] >= count || marks[next[i]]) continue;
            marks[next[i]] = 1;
            waiting[waits++] = next[i];
        }
    }
    free(waiting);
    return marks;
}

static void note_executable(struct lines *lines, long line) {
    if (line <= 0 || line > 1 << 24) return;
    if (line > lines->last) {
        lines->executable = realloc(lines->executable, (size_t)line + 1);
        if (!lines->executable) abort();
        memset(lines->executable + lines->last + 1, 0, (size_t)(line - lines->last));
        lines->last = (int)line;
    }
    lines->executable[line] = 1;
}

static void read_function(struct reader *reader, struct lines *lines) {
    if (++reader->depth > DEEPEST) reader->is_wrong = 1;
    skip_string(reader);
    long line = (long)take_number(reader);
    take_number(reader);
    take_byte(reader);
    int has_preparation = take_byte(reader);  // of a function with `...`: an instruction of its own
    take_byte(reader);
    size_t count = take_number(reader);
    const unsigned char *code = count < (size_t)1 << 40 ? take(reader, 4 * count) : take(reader, SIZE_MAX);
    skip_constants(reader);
    size_t upvalues = take_number(reader);
    take(reader, upvalues < (size_t)1 << 40 ? 3 * upvalues : SIZE_MAX);
    for (size_t inner = take_number(reader); inner && !reader->is_wrong; inner--) read_function(reader, lines);
    size_t steps = take_number(reader);
    const signed char *differences = (const signed char *)take(reader, steps);
    size_t absolutes = take_number(reader);
    if (reader->is_wrong || steps != count || count == 0) {
        reader->is_wrong = 1;
        return;
    }
    unsigned char *marks = reached(code, (long)count);
    size_t known = absolutes;
    for (size_t i = 0; i < count && !reader->is_wrong; i++) {
        if (differences[i] != ABSOLUTE_LINE) {
            line += differences[i];
        } else if (known) {
            known--;
            if (take_number(reader) != i) reader->is_wrong = 1;
            line = (long)take_number(reader);
        } else {
            reader->is_wrong = 1;
        }
        if (i == 0 && has_preparation) continue;
        if (marks[i] || !is_compilers_own(instruction_at(code, (long)i))) note_executable(lines, line);
    }
    free(marks);
    if (known) reader->is_wrong = 1;
    for (size_t locals = take_number(reader); locals && !reader->is_wrong; locals--) {
        skip_string(reader);
        take_number(reader);
        take_number(reader);
    }
    for (size_t names = take_number(reader); names && !reader->is_wrong; names--) skip_string(reader);
    reader->depth--;
}

// Version 5.4, format 0, instructions of 4 bytes, numbers of 8; then two numbers to see their order by, and the count of the chunk's upvalues.
static const unsigned char header[] = "\x1bLua\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08";

void *clua_lines_create(lua_State *L) {
    struct bytes bytes = {0};
    lua_dump(L, collect, &bytes, 0);
    struct reader reader = {.at = bytes.start, .end = bytes.start + bytes.size};
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines) abort();
    lines->executable = calloc(1, 1);
    const unsigned char *start = take(&reader, sizeof header - 1);
    if (!start || memcmp(start, header, sizeof header - 1)) reader.is_wrong = 1;
    take(&reader, 17);
    if (!reader.is_wrong) read_function(&reader, lines);
    if (reader.at != reader.end) reader.is_wrong = 1;
    free(bytes.start);
    lines->hits = calloc((size_t)lines->last + 1, sizeof *lines->hits);
    if (!lines->executable || !lines->hits) abort();
    if (!reader.is_wrong) return lines;
    clua_lines_destroy(lines);
    return NULL;
}
