#define _GNU_SOURCE
#include "CStorage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#else
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

// What a filesystem is and what room it has.

#if defined(__linux__)
static const struct { unsigned long magic; const char *name; } filesystems[] = {
    {0xEF53, "ext4"}, {0x58465342, "xfs"}, {0x9123683E, "btrfs"}, {0x01021994, "tmpfs"}, {0x794C7630, "overlay"}, {0x2FC12FC1, "zfs"},
    {0xF2F52010, "f2fs"}, {0xCA451A4E, "bcachefs"}, {0x6969, "nfs"}, {0xFF534D42, "cifs"}, {0xFE534D42, "smb2"}, {0x517B, "smb"},
    {0x00C36400, "ceph"}, {0x01021997, "9p"}, {0x5346414F, "afs"}, {0x73757245, "coda"}, {0x01161970, "gfs2"}, {0x7461636F, "ocfs2"},
    {0x0BD00BD0, "lustre"}, {0x61756673, "aufs"}, {0x4D44, "vfat"}, {0x2011BAB0, "exfat"}, {0x5346544E, "ntfs"}, {0x858458F6, "ramfs"},
};

// A FUSE filesystem tells what it really is only in the table of mounts.
static int mounted_type(dev_t device, char *name, size_t capacity) {
    FILE *table = fopen("/proc/self/mountinfo", "re");
    if (!table) return 0;
    char line[4096], wanted[32];
    snprintf(wanted, sizeof wanted, "%u:%u", major(device), minor(device));
    int found = 0;
    while (!found && fgets(line, sizeof line, table)) {
        char identity[32];
        const char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*d %*d %31s", identity) != 1 || strcmp(identity, wanted) != 0) continue;
        rest += 3;
        size_t size = strcspn(rest, " \n");
        if (size + 1 > capacity) size = capacity - 1;
        memcpy(name, rest, size);
        name[size] = 0;
        found = 1;
    }
    fclose(table);
    return found;
}
#endif

int cstorage_filesystem_type(const char *path, char *name, size_t capacity) {
    struct statfs found;
    if (statfs(path, &found) < 0) return -errno;
#if defined(__linux__)
    unsigned long magic = (unsigned long)found.f_type & 0xFFFFFFFFul;
    for (size_t i = 0; i < sizeof filesystems / sizeof *filesystems; i++) {
        if (filesystems[i].magic != magic) continue;
        snprintf(name, capacity, "%s", filesystems[i].name);
        return 0;
    }
    struct stat facts;
    if (stat(path, &facts) == 0 && mounted_type(facts.st_dev, name, capacity)) return 0;
    if (magic == 0x65735546) snprintf(name, capacity, "fuse");
    else snprintf(name, capacity, "0x%lx", magic);
#else
    snprintf(name, capacity, "%s", found.f_fstypename);
#endif
    return 0;
}

int64_t cstorage_free_space(const char *path) {
    struct statfs found;
    if (statfs(path, &found) < 0) return -errno;
    return (int64_t)found.f_bavail * (int64_t)found.f_bsize;
}
