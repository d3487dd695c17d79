#define _GNU_SOURCE
#include "CStorage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

void cstorage_fast_hash(const void *bytes, size_t length, const void *secret, size_t secret_length, uint64_t both[2]) {
    XXH128_hash_t hash = secret ? XXH3_128bits_withSecret(bytes, length, secret, secret_length) : XXH3_128bits(bytes, length);
    both[0] = hash.low64;
    both[1] = hash.high64;
}

// ---- Writing past the page cache. Filling it costs more than the disk does, and throws out what the application has there.

enum { direct_block = 4096, direct_least = 64 << 10, direct_piece = 1 << 20 };

// Another descriptor of the same file: several threads may write through one file, and the flag is the descriptor's.
static int direct_twin(int file) {
#if defined(O_DIRECT)
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
#else
    return -1;
#endif
}

int cstorage_write_through(int file, int64_t offset, const void *bytes, size_t length) {
    size_t whole = length / direct_block * direct_block;
    int twin = offset % direct_block == 0 && whole >= direct_least ? direct_twin(file) : -1;
    if (twin < 0) return cstorage_write(file, offset, bytes, length);
    int aligned = (uintptr_t)bytes % direct_block == 0, status = 0;
    void *piece = NULL;
    if (!aligned && posix_memalign(&piece, direct_block, direct_piece) != 0) status = -ENOMEM;
    size_t done = 0;
    while (status == 0 && done < whole) {
        size_t size = aligned ? whole - done : whole - done < direct_piece ? whole - done : direct_piece;
        if (!aligned) memcpy(piece, (const char *)bytes + done, size);
        status = cstorage_write(twin, offset + (int64_t)done, aligned ? (const char *)bytes + done : piece, size);
        if (status == 0) done += size;
    }
    free(piece);
    close(twin);
    // A filesystem may take the flag and then refuse the write.
    if (status < 0 && status != -EINVAL && status != -ENOMEM) return status;
    return done == length ? 0 : cstorage_write(file, offset + (int64_t)done, (const char *)bytes + done, length - done);
}

void *cstorage_aligned(size_t length) {
    void *memory = NULL;
    return posix_memalign(&memory, direct_block, length) == 0 ? memory : NULL;
}

void cstorage_free(void *memory) { free(memory); }

// ---- A folder with the facts of everything in it, in one call.

struct listing {
    char *bytes;
    size_t length, capacity;
    size_t *starts;
    size_t count, most;
};

static int add(struct listing *listing, const char *name, const struct cstorage_facts *facts) {
    size_t name_length = strlen(name), size = (sizeof(struct cstorage_entry) + name_length + 1 + 7) / 8 * 8;
    if (listing->length + size > listing->capacity) {
        size_t capacity = (listing->capacity + size) * 2;
        char *larger = realloc(listing->bytes, capacity);
        if (!larger) return -ENOMEM;
        listing->bytes = larger;
        listing->capacity = capacity;
    }
    if (listing->count == listing->most) {
        size_t most = listing->most ? listing->most * 2 : 64;
        size_t *larger = realloc(listing->starts, most * sizeof *larger);
        if (!larger) return -ENOMEM;
        listing->starts = larger;
        listing->most = most;
    }
    struct cstorage_entry *entry = (struct cstorage_entry *)(listing->bytes + listing->length);
    memset(entry, 0, sizeof *entry);
    entry->facts = *facts;
    entry->size = size;
    entry->name_length = name_length;
    memcpy((char *)entry + sizeof *entry, name, name_length + 1);
    listing->starts[listing->count++] = listing->length;
    listing->length += size;
    return 0;
}

static int compare(const void *a, const void *b, void *base) {
    const struct cstorage_entry *first = (const void *)((const char *)base + *(const size_t *)a);
    const struct cstorage_entry *second = (const void *)((const char *)base + *(const size_t *)b);
    size_t common = first->name_length < second->name_length ? first->name_length : second->name_length;
    int order = memcmp((const char *)first + sizeof *first, (const char *)second + sizeof *second, common);
    return order ? order : (first->name_length > second->name_length) - (first->name_length < second->name_length);
}

static int sorted(struct listing *listing) {
    qsort_r(listing->starts, listing->count, sizeof *listing->starts, compare, listing->bytes);
    char *bytes = malloc(listing->length ? listing->length : 1);
    if (!bytes) return -ENOMEM;
    size_t place = 0;
    for (size_t i = 0; i < listing->count; i++) {
        const struct cstorage_entry *entry = (const void *)(listing->bytes + listing->starts[i]);
        memcpy(bytes + place, entry, entry->size);
        place += entry->size;
    }
    free(listing->bytes);
    listing->bytes = bytes;
    return 0;
}

int cstorage_entries(const char *folder, void **entries, size_t *length) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return -errno;
    DIR *stream = fdopendir(descriptor);
    if (!stream) {
        int code = errno;
        close(descriptor);
        return -code;
    }
    struct listing listing = {0};
    int status = 0;
    while (status == 0) {
        errno = 0;
        struct dirent *found = readdir(stream);
        if (!found) {
            status = -errno;
            break;
        }
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
        struct cstorage_facts facts = {.kind = cstorage_gone};
        status = cstorage_facts_at(descriptor, found->d_name, &facts);
        if (status == -ENOENT) status = 0;
        if (status == 0) status = add(&listing, found->d_name, &facts);
    }
    closedir(stream);
    if (status == 0) status = sorted(&listing);
    free(listing.starts);
    if (status < 0) {
        free(listing.bytes);
        return status;
    }
    *entries = listing.bytes;
    *length = listing.length;
    return 0;
}
