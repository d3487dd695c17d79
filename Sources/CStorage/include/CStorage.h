#ifndef CSTORAGE_H
#define CSTORAGE_H

#include <stddef.h>
#include <stdint.h>

// ---- Files (syscalls.c). Paths end in NUL; the last component is never followed when it is a symbolic link.
// ---- Answers are >= 0, or the negative of errno.

enum { cstorage_file = 0, cstorage_folder = 1, cstorage_symlink = 2, cstorage_socket = 3, cstorage_pipe = 4, cstorage_device = 5, cstorage_gone = 6 };

struct cstorage_facts {
    int32_t kind;
    uint32_t mode;
    uint32_t owner;
    uint32_t group;
    int64_t size;
    int64_t allocated;
    int64_t modified;
    int64_t changed;
    uint64_t device;
    uint64_t inode;
    uint64_t links;
};

int cstorage_path_facts(const char *path, struct cstorage_facts *facts);
int cstorage_facts_at(int folder, const char *name, struct cstorage_facts *facts);
int cstorage_file_facts(int file, struct cstorage_facts *facts);

enum { cstorage_open_read = 0, cstorage_open_create = 1, cstorage_open_update = 2 };
int cstorage_open(const char *path, int mode, uint32_t permissions);
int cstorage_close(int file);
/// Reads until `length` bytes are there or the file ends.
int64_t cstorage_read(int file, int64_t offset, void *buffer, size_t length);
/// Writes all of it or fails.
int cstorage_write(int file, int64_t offset, const void *bytes, size_t length);
/// As `cstorage_write`, but past the page cache where the filesystem can and the offset is a multiple of 4096.
int cstorage_write_through(int file, int64_t offset, const void *bytes, size_t length);
/// Memory that starts at a page; `cstorage_free` it. NULL when there is none.
void *cstorage_aligned(size_t length);
void cstorage_free(void *memory);
int cstorage_truncate(int file, int64_t size);
int cstorage_sync(int file);
/// 1 when the blocks are shared now, 0 when the filesystem cannot.
int cstorage_clone(int to, int from);
/// 1 with the next range of data at or after `offset`, 0 when there is none.
int cstorage_next_data(int file, int64_t offset, int64_t *start, int64_t *end);

/// Ranges in which the files' bytes stand in different places of the disk, as pairs of bounds in `*bounds` (to be freed), rising. Elsewhere both share
/// their blocks. Fails where the filesystem does not tell.
int cstorage_differing(int first, int second, int64_t **bounds, size_t *count);

/// 1 when the range is a hole now (the file's size stays), 0 when the filesystem cannot.
int cstorage_punch(int file, int64_t offset, int64_t length);

struct cstorage_entry {
    struct cstorage_facts facts;
    /// Of this entry with its name, which follows.
    uint64_t size;
    uint64_t name_length;
};
/// Everything in a folder, by name, in `*entries` (to be freed). What is gone when it is looked at is `cstorage_gone`.
int cstorage_entries(const char *folder, void **entries, size_t *length);
/// NUL-terminated names one after another, without `.` and `..`, in `*names` (to be freed).
int cstorage_list(const char *folder, char **names, size_t *length);
int cstorage_make_folder(const char *path, uint32_t permissions);
int cstorage_make_symlink(const char *path, const char *target);
int cstorage_make_link(const char *path, const char *existing);
/// The target without NUL in `*target` (to be freed).
int cstorage_symlink_target(const char *path, char **target, size_t *length);
enum { cstorage_rename_replace = 0, cstorage_rename_keep = 1, cstorage_rename_exchange = 2 };
int cstorage_rename(const char *from, const char *to, int mode);
int cstorage_remove_file(const char *path);
int cstorage_remove_folder(const char *path);
int cstorage_set_permissions(const char *path, uint32_t mode);
int cstorage_set_owner(const char *path, uint32_t owner, uint32_t group);
int cstorage_set_modified(const char *path, int64_t nanoseconds);
/// The same of an open file, which is looked up no more.
int cstorage_file_set_permissions(int file, uint32_t mode);
int cstorage_file_set_owner(int file, uint32_t owner, uint32_t group);
int cstorage_file_set_modified(int file, int64_t nanoseconds);
/// NUL-terminated names one after another in `*names` (to be freed); none where the filesystem has no attributes.
int cstorage_attributes(const char *path, char **names, size_t *length);
int cstorage_attribute(const char *path, const char *name, char **value, size_t *length);
int cstorage_set_attribute(const char *path, const char *name, const void *value, size_t length);
/// 0 also where there is none.
int cstorage_remove_attribute(const char *path, const char *name);
int cstorage_sync_folder(const char *path);
int cstorage_sync_filesystem(const char *path);
/// A text for the running kernel and the mount that holds path: another one after a reboot, after the filesystem was mounted anew.
int cstorage_mount_identity(const char *path, char *text, size_t capacity);
/// `ext4`, `nfs`, `fuse.sshfs`, or the magic number in hex.
int cstorage_filesystem_type(const char *path, char *name, size_t capacity);
int64_t cstorage_free_space(const char *path);
/// A descriptor that holds an exclusive lock until `cstorage_unlock`.
int cstorage_lock(const char *path, int wait);
/// Closing alone would not do: a process that is being started holds a copy of every descriptor until it is another program.
int cstorage_unlock(int file);
int64_t cstorage_now(void);
const char *cstorage_reason(int code, char *text, size_t capacity);

// ---- Compression (compress.c).

void *cstorage_compressor_new(void);
void cstorage_compressor_free(void *compressor);
/// zstd. The compressed size, or 0 when it does not fit into `capacity`.
size_t cstorage_compress(void *compressor, void *to, size_t capacity, const void *from, size_t length, int level);
/// True when `from` is a zstd frame of exactly `length` bytes and was written to `to`.
int cstorage_decompress(void *compressor, void *to, size_t length, const void *from, size_t compressed);
int cstorage_is_zero(const void *bytes, size_t length);
/// XXH3, 128 bits: no proof of anything, but an accident does not get past it. `secret` (at least 136 bytes) or NULL.
void cstorage_fast_hash(const void *bytes, size_t length, const void *secret, size_t secret_length, uint64_t both[2]);

// ---- Programs (process.c).

struct cstorage_ending {
    /// The exit status, or 128 + the signal that ended it.
    int32_t code;
    int32_t timed_out;
    /// Bytes of output kept.
    size_t length;
};

/// Runs words[0] (looked up in PATH) in `folder` to its end, without a shell, in a session of its own. Keeps the first bytes of its standard error, or of
/// its standard output where that is empty. Of the environment it gets PATH, who it runs as, language, time zone and TMPDIR. 0, or the negative of errno when it could not be started.
int cstorage_run(
    char *const words[], const char *folder, int64_t timeout_milliseconds, void *output, size_t capacity,
    struct cstorage_ending *ending);

#endif
