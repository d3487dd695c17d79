#include "internal.h"

#include <string.h>

typedef uint64_t pair __attribute__((vector_size(16), may_alias));
typedef pair loose_pair __attribute__((aligned(1)));
enum { PAIR = sizeof(pair), BLOCK = 8 * PAIR };

static uint64_t word(const char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

// What is read twice is seen twice: the first and the last bytes, so that blocks begin where a load is part of what uses it.
static uint64_t seen_in_blocks(const char *bytes, size_t length) {
    pair all = *(const loose_pair *)bytes;
    const char *last = bytes + length - BLOCK;
    for (bytes += -(uintptr_t)bytes % PAIR; bytes < last; bytes += BLOCK) {
        for (int i = 0; i < BLOCK; i += PAIR) all |= *(const pair *)(bytes + i);
    }
    for (int i = 0; i < BLOCK; i += PAIR) all |= *(const loose_pair *)(last + i);
    return all[0] | all[1];
}

// Mostly so, and then text needs no validation. Short text is looked at word by word; the last word overlaps what is before it.
int clua_is_ascii(const char *bytes, size_t length) {
    uint64_t seen = 0;
    if (length >= BLOCK) {
        seen = seen_in_blocks(bytes, length);
    } else if (length >= 8) {
        for (size_t i = 0; i + 8 <= length; i += 8) seen |= word(bytes + i);
        seen |= word(bytes + length - 8);
    } else {
        for (size_t i = 0; i < length; i++) seen |= (unsigned char)bytes[i];
    }
    return !(seen & 0x8080808080808080);
}
