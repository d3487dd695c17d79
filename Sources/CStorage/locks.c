// Locks of the kernel on a file, gone with the process that holds them.

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CStorage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int cstorage_lock(const char *path, int wait) {
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0) return -errno;
    int status;
    do status = flock(file, LOCK_EX | (wait ? 0 : LOCK_NB));
    while (status < 0 && errno == EINTR);
    if (status == 0) return file;
    int code = errno;
    close(file);
    return -code;
}

int cstorage_unlock(int file) {
    flock(file, LOCK_UN);
    return cstorage_close(file);
}
