#include "CStorage.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct compressor {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
};

void *cstorage_compressor_new(void) {
    struct compressor *both = calloc(1, sizeof *both);
    if (!both) return NULL;
    both->compress = ZSTD_createCCtx();
    both->decompress = ZSTD_createDCtx();
    if (both->compress && both->decompress) return both;
    cstorage_compressor_free(both);
    return NULL;
}

void cstorage_compressor_free(void *compressor) {
    struct compressor *both = compressor;
    if (!both) return;
    ZSTD_freeCCtx(both->compress);
    ZSTD_freeDCtx(both->decompress);
    free(both);
}

size_t cstorage_compress(void *compressor, void *to, size_t capacity, const void *from, size_t length, int level) {
    struct compressor *both = compressor;
    size_t size = ZSTD_compressCCtx(both->compress, to, capacity, from, length, level);
    return ZSTD_isError(size) ? 0 : size;
}

int cstorage_decompress(void *compressor, void *to, size_t length, const void *from, size_t compressed) {
    struct compressor *both = compressor;
    size_t size = ZSTD_decompressDCtx(both->decompress, to, length, from, compressed);
    return !ZSTD_isError(size) && size == length;
}

int cstorage_is_zero(const void *bytes, size_t length) {
    const unsigned char *start = bytes;
    if (length == 0) return 1;
    return start[0] == 0 && memcmp(start, start + 1, length - 1) == 0;
}
