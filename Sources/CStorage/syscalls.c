#define _GNU_SOURCE
#include "CStorage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#else
#include <sys/param.h>
#include <sys/xattr.h>
#endif

static int answer(int status) { return status < 0 ? -errno : status; }

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

// Nanoseconds in 64 bits reach from 1677 to 2262.
static int is_told(struct timespec time) { return time.tv_sec > -9223372036 && time.tv_sec < 9223372036; }

static int fill(const struct stat *from, struct cstorage_facts *facts) {
    switch (from->st_mode & S_IFMT) {
    case S_IFREG: facts->kind = cstorage_file; break;
    case S_IFDIR: facts->kind = cstorage_folder; break;
    case S_IFLNK: facts->kind = cstorage_symlink; break;
    case S_IFSOCK: facts->kind = cstorage_socket; break;
    case S_IFIFO: facts->kind = cstorage_pipe; break;
    default: facts->kind = cstorage_device; break;
    }
    facts->mode = from->st_mode & 07777;
    facts->owner = from->st_uid;
    facts->group = from->st_gid;
    facts->size = from->st_size;
    facts->allocated = (int64_t)from->st_blocks * 512;
#if defined(__APPLE__)
    struct timespec modified = from->st_mtimespec, changed = from->st_ctimespec;
#else
    struct timespec modified = from->st_mtim, changed = from->st_ctim;
#endif
    if (!is_told(modified) || !is_told(changed)) return -EOVERFLOW;
    facts->modified = nanoseconds(modified);
    facts->changed = nanoseconds(changed);
    facts->device = from->st_dev;
    facts->inode = from->st_ino;
    facts->links = from->st_nlink;
    return 0;
}

int cstorage_path_facts(const char *path, struct cstorage_facts *facts) {
    struct stat found;
    if (lstat(path, &found) < 0) return -errno;
    return fill(&found, facts);
}

int cstorage_file_facts(int file, struct cstorage_facts *facts) {
    struct stat found;
    if (fstat(file, &found) < 0) return -errno;
    return fill(&found, facts);
}

int cstorage_facts_at(int folder, const char *name, struct cstorage_facts *facts) {
    struct stat found;
    if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    return fill(&found, facts);
}

int cstorage_open(const char *path, int mode, uint32_t permissions) {
    // Without O_NONBLOCK, opening a pipe that took a file's place would wait for ever.
    int flags = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    if (mode == cstorage_open_read) flags |= O_RDONLY;
    if (mode == cstorage_open_create) flags |= O_RDWR | O_CREAT | O_EXCL;
    if (mode == cstorage_open_update) flags |= O_RDWR;
    int file;
    do file = open(path, flags, (mode_t)permissions);
    while (file < 0 && errno == EINTR);
    return answer(file);
}

// Linux releases the descriptor even when close is interrupted: it must not be closed twice.
int cstorage_close(int file) { return close(file) < 0 && errno != EINTR ? -errno : 0; }

int64_t cstorage_read(int file, int64_t offset, void *buffer, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t count = pread(file, (char *)buffer + done, length - done, offset + (int64_t)done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        if (count == 0) break;
        done += (size_t)count;
    }
    return (int64_t)done;
}

int cstorage_write(int file, int64_t offset, const void *bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t count = pwrite(file, (const char *)bytes + done, length - done, offset + (int64_t)done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        if (count == 0) return -EIO;
        done += (size_t)count;
    }
    return 0;
}

int cstorage_truncate(int file, int64_t size) { return answer(ftruncate(file, size)); }

int cstorage_sync(int file) { return answer(fsync(file)); }

int cstorage_clone(int to, int from) {
#if defined(FICLONE)
    if (ioctl(to, FICLONE, from) == 0) return 1;
    switch (errno) {
    case EOPNOTSUPP: case ENOTTY: case ENOSYS: case EINVAL: case EXDEV: case ETXTBSY: return 0;
    default: return -errno;
    }
#else
    return 0;
#endif
}

int cstorage_next_data(int file, int64_t offset, int64_t *start, int64_t *end) {
    struct stat found;
    if (fstat(file, &found) < 0) return -errno;
    if (offset >= found.st_size) return 0;
#if defined(SEEK_DATA)
    int64_t data = lseek(file, offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return 0;
    if (data >= 0) {
        int64_t hole = lseek(file, data, SEEK_HOLE);
        if (hole < 0) return -errno;
        *start = data;
        *end = hole;
        return 1;
    }
    if (errno != EINVAL && errno != EOPNOTSUPP) return -errno;
#endif
    *start = offset;
    *end = found.st_size;
    return 1;
}

int cstorage_list(const char *folder, char **names, size_t *length) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return -errno;
    DIR *stream = fdopendir(descriptor);
    if (!stream) {
        int code = errno;
        close(descriptor);
        return -code;
    }
    size_t capacity = 0;
    *names = NULL;
    *length = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry) break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        size_t size = strlen(entry->d_name) + 1;
        if (*length + size > capacity) {
            capacity = (capacity + size) * 2;
            char *larger = realloc(*names, capacity);
            if (!larger) {
                errno = ENOMEM;
                break;
            }
            *names = larger;
        }
        memcpy(*names + *length, entry->d_name, size);
        *length += size;
    }
    int code = errno;
    closedir(stream);
    if (code) {
        free(*names);
        *names = NULL;
    }
    return -code;
}

int cstorage_make_folder(const char *path, uint32_t permissions) { return answer(mkdir(path, (mode_t)permissions)); }

int cstorage_make_symlink(const char *path, const char *target) { return answer(symlink(target, path)); }

int cstorage_make_link(const char *path, const char *existing) { return answer(linkat(AT_FDCWD, existing, AT_FDCWD, path, 0)); }

int cstorage_symlink_target(const char *path, char **target, size_t *length) {
    for (size_t capacity = 256; capacity <= 1 << 20; capacity *= 2) {
        char *text = malloc(capacity);
        if (!text) return -ENOMEM;
        ssize_t size = readlink(path, text, capacity);
        if (size < 0) {
            int code = errno;
            free(text);
            return -code;
        }
        if ((size_t)size < capacity) {
            *target = text;
            *length = (size_t)size;
            return 0;
        }
        free(text);
    }
    return -ENAMETOOLONG;
}

int cstorage_rename(const char *from, const char *to, int mode) {
    if (mode == cstorage_rename_replace) return answer(rename(from, to));
#if defined(__linux__)
    return answer(renameat2(AT_FDCWD, from, AT_FDCWD, to, mode == cstorage_rename_keep ? RENAME_NOREPLACE : RENAME_EXCHANGE));
#elif defined(__APPLE__)
    return answer(renamex_np(from, to, mode == cstorage_rename_keep ? RENAME_EXCL : RENAME_SWAP));
#else
    return -ENOSYS;
#endif
}

int cstorage_remove_file(const char *path) { return answer(unlink(path)); }

int cstorage_remove_folder(const char *path) { return answer(rmdir(path)); }

int cstorage_set_permissions(const char *path, uint32_t mode) {
    return answer(fchmodat(AT_FDCWD, path, (mode_t)mode, AT_SYMLINK_NOFOLLOW));
}

int cstorage_set_owner(const char *path, uint32_t owner, uint32_t group) { return answer(lchown(path, owner, group)); }

static struct timespec timespec_of(int64_t time) {
    int64_t seconds = time / 1000000000, rest = time % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds -= 1;
    }
    return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)rest};
}

int cstorage_set_modified(const char *path, int64_t time) {
    struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, timespec_of(time)};
    return answer(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

int cstorage_file_set_permissions(int file, uint32_t mode) { return answer(fchmod(file, (mode_t)mode)); }

int cstorage_file_set_owner(int file, uint32_t owner, uint32_t group) { return answer(fchown(file, owner, group)); }

int cstorage_file_set_modified(int file, int64_t time) {
    struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, timespec_of(time)};
    return answer(futimens(file, times));
}

static ssize_t list_attributes(const char *path, char *names, size_t capacity) {
#if defined(__APPLE__)
    return listxattr(path, names, capacity, XATTR_NOFOLLOW);
#else
    return llistxattr(path, names, capacity);
#endif
}

static ssize_t get_attribute(const char *path, const char *name, char *value, size_t capacity) {
#if defined(__APPLE__)
    return getxattr(path, name, value, capacity, 0, XATTR_NOFOLLOW);
#else
    return lgetxattr(path, name, value, capacity);
#endif
}

// The size can grow between asking for it and reading: ERANGE means once more.
static int whole(const char *path, const char *name, char **bytes, size_t *length) {
    for (int attempt = 0; attempt < 8; attempt++) {
        ssize_t size = name ? get_attribute(path, name, NULL, 0) : list_attributes(path, NULL, 0);
        if (size < 0) return -errno;
        char *text = malloc((size_t)size + 1);
        if (!text) return -ENOMEM;
        ssize_t kept = size == 0 ? 0 : name ? get_attribute(path, name, text, (size_t)size) : list_attributes(path, text, (size_t)size);
        if (kept >= 0) {
            *bytes = text;
            *length = (size_t)kept;
            return 0;
        }
        int code = errno;
        free(text);
        if (code != ERANGE) return -code;
    }
    return -ERANGE;
}

int cstorage_attributes(const char *path, char **names, size_t *length) {
    int status = whole(path, NULL, names, length);
    if (status != -EOPNOTSUPP) return status;
    *names = NULL;
    *length = 0;
    return 0;
}

int cstorage_attribute(const char *path, const char *name, char **value, size_t *length) { return whole(path, name, value, length); }

int cstorage_set_attribute(const char *path, const char *name, const void *value, size_t length) {
#if defined(__APPLE__)
    return answer(setxattr(path, name, value, length, 0, XATTR_NOFOLLOW));
#else
    return answer(lsetxattr(path, name, value, length, 0));
#endif
}

int cstorage_remove_attribute(const char *path, const char *name) {
#if defined(__APPLE__)
    int status = answer(removexattr(path, name, XATTR_NOFOLLOW));
    return status == -ENOATTR ? 0 : status;
#else
    int status = answer(lremovexattr(path, name));
    return status == -ENODATA ? 0 : status;
#endif
}

int cstorage_sync_folder(const char *path) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0) return -errno;
    int status = answer(fsync(folder));
    close(folder);
    return status;
}

int cstorage_sync_filesystem(const char *path) {
#if defined(__linux__)
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) return -errno;
    int status = answer(syncfs(file));
    close(file);
    return status;
#else
    sync();
    return 0;
#endif
}

int64_t cstorage_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return nanoseconds(time);
}

const char *cstorage_reason(int code, char *text, size_t capacity) {
#if defined(__linux__)
    return strerror_r(code, text, capacity);
#else
    strerror_r(code, text, capacity);
    return text;
#endif
}
