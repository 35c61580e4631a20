/* SPDX-License-Identifier: MIT */
/* Handles and memory of the fuzzers' system; system.h says what for. */
#include "system.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { HANDLES = 64, FIRST_HANDLE = 1000 /* no descriptor has this number here */, PAGE = 4096 };

/* The linker's names. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static struct {
    size_t bytes; /* of memory; 0: no memory */
    size_t first_bytes;
    unsigned char *first;
    void *base; /* mapped */
    bool open, pipe;
} table[HANDLES];
static unsigned handles;

void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

void
await(sem_t *turn)
{
    while (sem_wait(turn) != 0) {
    }
}

void
system_reset(void)
{
    handles = 0;
}

os_handle
system_new_handle(size_t bytes, bool pipe, unsigned char *first, size_t first_bytes)
{
    if (handles == HANDLES) {
        free(first);
        return OS_NO_HANDLE;
    }
    memset(&table[handles], 0, sizeof(*table));
    table[handles].bytes = bytes;
    table[handles].first = first;
    table[handles].first_bytes = first_bytes;
    table[handles].open = true;
    table[handles].pipe = pipe;
    return FIRST_HANDLE + (os_handle)handles++;
}

/* Of a handle that is open. */
static unsigned
find(os_handle handle)
{
    require(handle >= FIRST_HANDLE && handle < FIRST_HANDLE + (os_handle)handles);
    unsigned which = (unsigned)(handle - FIRST_HANDLE);
    require(table[which].open);
    return which;
}

void *
system_memory(os_handle handle, size_t *bytes)
{
    unsigned which = (unsigned)(handle - FIRST_HANDLE);
    if (handle < FIRST_HANDLE || which >= handles || !table[which].open) {
        return NULL;
    }
    *bytes = table[which].bytes;
    return table[which].base;
}

bool
system_is_good(os_handle handle)
{
    return handle == OS_NO_HANDLE || table[find(handle)].open;
}

bool
system_is_clean(void)
{
    for (unsigned i = 0; i < handles; i++) {
        if (table[i].open) {
            return false;
        }
    }
    return true;
}

void
__wrap_os_handle_close(os_handle handle)
{
    if (handle != OS_NO_HANDLE) {
        unsigned which = find(handle);
        table[which].open = false;
        table[which].base = NULL;
        free(table[which].first);
        table[which].first = NULL;
    }
}

static void
map(struct os_shm *shm, os_handle handle)
{
    unsigned which = find(handle);
    size_t bytes = table[which].bytes;
    shm->base = aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
    require(shm->base != NULL);
    memset(shm->base, 0, bytes);
    if (table[which].first) {
        memcpy(shm->base, table[which].first,
               table[which].first_bytes < bytes ? table[which].first_bytes : bytes);
    }
    shm->size_bytes = bytes;
    shm->handle = handle;
    table[which].base = shm->base;
}

enum tutti_status
__wrap_os_shm_create(struct os_shm *shm, size_t size_bytes)
{
    os_handle handle = system_new_handle(size_bytes, false, NULL, 0);
    if (handle == OS_NO_HANDLE) {
        return TUTTI_NO_MEMORY;
    }
    map(shm, handle);
    return TUTTI_OK;
}

enum tutti_status
__wrap_os_shm_adopt(struct os_shm *shm, os_handle handle, size_t size_bytes)
{
    if (handle == OS_NO_HANDLE) {
        return TUTTI_PROTOCOL;
    }
    if (table[find(handle)].bytes != size_bytes) {
        __wrap_os_handle_close(handle);
        return TUTTI_PROTOCOL;
    }
    map(shm, handle);
    return TUTTI_OK;
}

bool
__wrap_os_shm_is_whole(const struct os_shm *shm)
{
    (void)shm;
    return true;
}

void
__wrap_os_shm_close(struct os_shm *shm)
{
    if (shm->base) {
        free(shm->base);
        __wrap_os_handle_close(shm->handle);
        *shm = (struct os_shm){.handle = OS_NO_HANDLE};
    }
}

enum tutti_status
__wrap_os_wake_adopt(struct os_wake *wake, _Atomic uint32_t *word, os_handle event)
{
    bool good = event == OS_NO_HANDLE;
    __wrap_os_handle_close(event);
    os_wake_init(wake, word);
    return good ? TUTTI_OK : TUTTI_PROTOCOL;
}

enum tutti_status
__wrap_os_bells_add(struct os_bells *bells, os_handle *doorbell, uint32_t *bell)
{
    (void)bells;
    bool good = *doorbell == OS_NO_HANDLE || table[find(*doorbell)].pipe;
    __wrap_os_handle_close(*doorbell);
    *doorbell = OS_NO_HANDLE;
    *bell = OS_NO_BELL;
    return good ? TUTTI_OK : TUTTI_PROTOCOL;
}

enum tutti_status
__wrap_os_lock_take(struct os_lock **out, const char *name, uint64_t deadline_ns)
{
    static char held; /* by us: nobody else is there */
    (void)name;
    (void)deadline_ns;
    *out = (struct os_lock *)(void *)&held;
    return TUTTI_OK;
}

void
__wrap_os_lock_release(struct os_lock *lock)
{
    (void)lock;
}

enum tutti_status
__wrap_os_runtime_dir(char *path, size_t path_bytes)
{
    (void)path;
    (void)path_bytes;
    return TUTTI_IO; /* no file is written or read there */
}

void
__wrap_log_write(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}
