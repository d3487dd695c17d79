#include "internal.h"

#include <string.h>

typedef uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));
enum { PAIRS = 8 };

static uint64_t word(const char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

// Mostly so, and then text needs no validation. What is left of the blocks is looked at word by word; the last word overlaps what is before it.
int clua_is_ascii(const char *bytes, size_t length) {
    uint64_t seen = 0;
    if (length >= 8) {
        size_t i = 0;
        pair all = {0};
        for (; i + PAIRS * sizeof(pair) <= length; i += PAIRS * sizeof(pair)) {
            const pair *block = (const pair *)(bytes + i);
            for (int j = 0; j < PAIRS; j++) all |= block[j];
        }
        seen = all[0] | all[1];
        for (; i + 8 <= length; i += 8) seen |= word(bytes + i);
        seen |= word(bytes + length - 8);
    } else {
        for (size_t i = 0; i < length; i++) seen |= (unsigned char)bytes[i];
    }
    return !(seen & 0x8080808080808080);
}
