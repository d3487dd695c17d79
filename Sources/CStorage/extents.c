#define _GNU_SOURCE
#include "CStorage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#if defined(__linux__)
#include <linux/fiemap.h>
#include <linux/fs.h>

// Where the bytes of a file stand on the disk, a batch at a time.
enum { batch = 512 };

struct walker {
    int file;
    struct fiemap *map;
    unsigned next;
    uint64_t offset;
    int last, failed;
    // The extent at hand, cut down as it is used. `length` 0: none is left.
    uint64_t start, length, place;
    uint32_t flags;
};

static void load(struct walker *walker) {
    while (walker->length == 0 && !walker->failed) {
        if (walker->next >= walker->map->fm_mapped_extents) {
            if (walker->last) return;
            memset(walker->map, 0, sizeof *walker->map);
            walker->map->fm_start = walker->offset;
            walker->map->fm_length = FIEMAP_MAX_OFFSET - walker->offset;
            walker->map->fm_flags = FIEMAP_FLAG_SYNC;
            walker->map->fm_extent_count = batch;
            if (ioctl(walker->file, FS_IOC_FIEMAP, walker->map) < 0) walker->failed = errno;
            else if (walker->map->fm_mapped_extents == 0) walker->last = 1;
            walker->next = 0;
            if (walker->failed || walker->last) return;
        }
        struct fiemap_extent *extent = &walker->map->fm_extents[walker->next++];
        walker->start = extent->fe_logical;
        walker->length = extent->fe_length;
        walker->place = extent->fe_physical;
        walker->flags = extent->fe_flags;
        walker->offset = extent->fe_logical + extent->fe_length;
        if (extent->fe_flags & FIEMAP_EXTENT_LAST) walker->last = 1;
    }
}

static void use(struct walker *walker, uint64_t count) {
    walker->start += count;
    walker->length -= count;
    walker->place += count;
}

// What says nothing about where the bytes are, or says that they are not written yet, is never called equal.
static int is_plain(uint32_t flags) {
    return !(flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED
                      | FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_DATA_TAIL | FIEMAP_EXTENT_UNWRITTEN));
}

struct ranges {
    int64_t *bounds;
    size_t count, capacity;
};

static int add(struct ranges *ranges, uint64_t start, uint64_t end) {
    if (ranges->count > 0 && ranges->bounds[ranges->count - 1] >= (int64_t)start) {
        if (ranges->bounds[ranges->count - 1] < (int64_t)end) ranges->bounds[ranges->count - 1] = (int64_t)end;
        return 0;
    }
    if (ranges->count + 2 > ranges->capacity) {
        size_t capacity = ranges->capacity ? ranges->capacity * 2 : 256;
        int64_t *larger = realloc(ranges->bounds, capacity * sizeof *larger);
        if (!larger) return -ENOMEM;
        ranges->bounds = larger;
        ranges->capacity = capacity;
    }
    ranges->bounds[ranges->count++] = (int64_t)start;
    ranges->bounds[ranges->count++] = (int64_t)end;
    return 0;
}

int cstorage_differing(int first, int second, int64_t **bounds, size_t *count) {
    size_t size = sizeof(struct fiemap) + batch * sizeof(struct fiemap_extent);
    struct walker a = {.file = first, .map = calloc(1, size)}, b = {.file = second, .map = calloc(1, size)};
    struct ranges ranges = {0};
    int status = a.map && b.map ? 0 : -ENOMEM;
    while (status == 0) {
        load(&a);
        load(&b);
        if (a.failed || b.failed) {
            status = -(a.failed ? a.failed : b.failed);
            break;
        }
        if (a.length == 0 && b.length == 0) break;
        // Only one of them has something here: up to its end, or to where the other begins.
        if (b.length == 0 || (a.length > 0 && a.start < b.start)) {
            uint64_t end = a.start + a.length;
            if (b.length > 0 && b.start < end) end = b.start;
            status = add(&ranges, a.start, end);
            use(&a, end - a.start);
        } else if (a.length == 0 || b.start < a.start) {
            uint64_t end = b.start + b.length;
            if (a.length > 0 && a.start < end) end = a.start;
            status = add(&ranges, b.start, end);
            use(&b, end - b.start);
        } else {
            uint64_t length = a.length < b.length ? a.length : b.length;
            if (a.place != b.place || !is_plain(a.flags) || !is_plain(b.flags)) status = add(&ranges, a.start, a.start + length);
            use(&a, length);
            use(&b, length);
        }
    }
    free(a.map);
    free(b.map);
    if (status < 0) {
        free(ranges.bounds);
        return status;
    }
    *bounds = ranges.bounds;
    *count = ranges.count;
    return 0;
}
#else
int cstorage_differing(int first, int second, int64_t **bounds, size_t *count) { return -ENOTSUP; }
#endif

int cstorage_punch(int file, int64_t offset, int64_t length) {
#if defined(FALLOC_FL_PUNCH_HOLE)
    if (length <= 0) return 1;
    while (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) < 0) {
        if (errno == EOPNOTSUPP || errno == ENOSYS) return 0;
        if (errno != EINTR) return -errno;
    }
    return 1;
#else
    return 0;
#endif
}
