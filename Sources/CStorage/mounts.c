#define _GNU_SOURCE
#include "CStorage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#if !defined(__linux__)
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/sysctl.h>
#endif

// Which boot of the machine and which mount of a filesystem.

#if defined(__linux__)
int cstorage_mount_identity(const char *path, char *text, size_t capacity) {
    char boot[40] = {0};
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t length = read(file, boot, sizeof boot - 1);
    int status = length < 0 ? -errno : 0;
    close(file);
    if (status < 0) return status;
    while (length > 0 && boot[length - 1] == '\n') boot[--length] = 0;
    struct statx found;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &found) < 0) return -errno;
    if (!(found.stx_mask & STATX_MNT_ID)) return -ENOTSUP;
    snprintf(text, capacity, "%s %llu", boot, (unsigned long long)found.stx_mnt_id);
    return 0;
}
#else
int cstorage_mount_identity(const char *path, char *text, size_t capacity) {
    char boot[64] = {0};
    size_t length = sizeof boot - 1;
    if (sysctlbyname("kern.bootsessionuuid", boot, &length, NULL, 0) < 0) return -errno;
    struct statfs found;
    if (statfs(path, &found) < 0) return -errno;
    snprintf(text, capacity, "%s %d.%d %s", boot, found.f_fsid.val[0], found.f_fsid.val[1], found.f_mntonname);
    return 0;
}
#endif
