#include "internal.h"

#include <string.h>

typedef uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));
enum { PAIR = 16, BLOCK = 16 * PAIR };

static uint64_t word(const char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline __attribute__((always_inline)) pair seen_in_block(const char *bytes, pair seen) {
    for (int i = 0; i < BLOCK; i += PAIR) seen |= *(const pair *)(bytes + i);
    return seen;
}

// Mostly so, and then text needs no validation. It is looked at in blocks, or word by word; the last one overlaps what is before it. Loads stand where
// the text was stored from, not aligned: text is mostly new, and a load that takes from two stores waits for them.
int clua_is_ascii(const char *bytes, size_t length) {
    uint64_t seen = 0;
    if (length >= BLOCK) {
        const char *last = bytes + length - BLOCK;
        pair all = seen_in_block(last, (pair){0});
        for (; bytes < last; bytes += BLOCK) all = seen_in_block(bytes, all);
        seen = all[0] | all[1];
    } else if (length >= 8) {
        for (size_t i = 0; i + 8 <= length; i += 8) seen |= word(bytes + i);
        seen |= word(bytes + length - 8);
    } else {
        for (size_t i = 0; i < length; i++) seen |= (unsigned char)bytes[i];
    }
    return !(seen & 0x8080808080808080);
}
