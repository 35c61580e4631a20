/* SPDX-License-Identifier: MIT */
/*
 * Handles and shared memory: a sealed memfd.
 *
 * A peer that could shrink a mapped file would make every access beyond its new end a fatal signal;
 * the seals take that away, so memory without them is refused before it is mapped.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"

enum { BLOCK_BYTES = 512 /* of st_blocks */ };

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

os_handle
os_handle_duplicate(os_handle handle)
{
    return handle == OS_NO_HANDLE ? OS_NO_HANDLE
                                  : fcntl((int)handle, F_DUPFD_CLOEXEC, POSIX_FIRST_FREE_FD);
}

void
os_handle_close(os_handle handle)
{
    if (handle != OS_NO_HANDLE) {
        close((int)handle);
    }
}

static enum tutti_status
map(struct os_shm *shm, int fd, size_t size_bytes)
{
    void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (base == MAP_FAILED) {
        log_error("cannot map %zu bytes of shared memory: %s", size_bytes, strerror(errno));
        return TUTTI_NO_MEMORY;
    }
    /* beyond RLIMIT_MEMLOCK the pages stay merely present, which does on a machine that is not
     * short of memory */
    (void)mlock(base, size_bytes);
    shm->base = base;
    shm->size_bytes = size_bytes;
    shm->handle = fd;
    return TUTTI_OK;
}

enum tutti_status
os_shm_create(struct os_shm *shm, size_t size_bytes)
{
    if (size_bytes == 0 || size_bytes > INT64_MAX) {
        return TUTTI_NO_MEMORY;
    }
    const int fd = posix_free_fd(memfd_create("tutti", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd < 0) {
        log_error("cannot create shared memory: %s", strerror(errno));
        return TUTTI_NO_MEMORY;
    }
    enum tutti_status status = TUTTI_NO_MEMORY;
    if (ftruncate(fd, (off_t)size_bytes) != 0 || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
        log_error("cannot size and seal shared memory: %s", strerror(errno));
    } else {
        status = map(shm, fd, size_bytes);
    }
    if (status != TUTTI_OK) {
        close(fd);
    }
    return status;
}

/* Why the peer's handle is not what os_shm_create() makes; NULL when it is. */
static const char *
objection(int fd, size_t size_bytes)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return "not a memory file";
    }
    if (status.st_size < 0 || (uint64_t)status.st_size != size_bytes) {
        return "of another size than announced";
    }
    const int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS) {
        return "not sealed";
    }
    /* huge pages can be sealed too, but are not there for certain once a hole was punched */
    struct statfs system;
    if (fstatfs(fd, &system) != 0 || system.f_type != TMPFS_MAGIC) {
        return "not of ordinary pages";
    }
    return NULL;
}

enum tutti_status
os_shm_adopt(struct os_shm *shm, os_handle handle, size_t size_bytes)
{
    if (handle == OS_NO_HANDLE) {
        return TUTTI_PROTOCOL;
    }
    const int fd = (int)handle;
    const char *why = size_bytes == 0 ? "empty" : objection(fd, size_bytes);
    enum tutti_status status = TUTTI_PROTOCOL;
    if (why != NULL) {
        log_warning("shared memory from a peer is %s: refused", why);
    } else {
        status = map(shm, fd, size_bytes);
    }
    if (status != TUTTI_OK) {
        close(fd);
    }
    return status;
}

bool
os_shm_is_whole(const struct os_shm *shm)
{
    struct stat status;
    /* mapping has filled all of it; what is swapped out counts */
    return shm->base == NULL || fstat((int)shm->handle, &status) != 0 ||
           (uint64_t)status.st_blocks * BLOCK_BYTES >= shm->size_bytes;
}

void
os_shm_close(struct os_shm *shm)
{
    if (shm->base == NULL) {
        return;
    }
    munmap(shm->base, shm->size_bytes);
    os_handle_close(shm->handle);
    *shm = (struct os_shm){.handle = OS_NO_HANDLE};
}
