/* SPDX-License-Identifier: MIT */
/*
 * Pipes and memory files of the bridge, opened here through /proc. Open, they outlive the bridge:
 * Wine's server holds the file, and the next bridge finds it there (BRIDGE_FIND).
 */
#include "base/log.h"
#include "bridge.h"

enum { OBJECTS_MAX = 256, EMPTY_BYTES = 512, SLICE_NS = 200000 };

struct object {
    bool used;
    uint32_t epoch; /* of the bridge that `told` is of */
    uint32_t pid;
    struct bridge_object told;
    HANDLE file, section; /* NULL: not opened */
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct object objects[OBJECTS_MAX]; /* `used` is guarded by lock, the rest is its holder's */

static struct object *
object_of(os_handle handle)
{
    return &objects[(size_t)handle >> 2];
}

os_handle
bridge_object_take(const struct bridge_object *told)
{
    size_t at = 0;
    if (told->id == 0 || bridge_hold() != TUTTI_OK) {
        return OS_NO_HANDLE;
    }
    AcquireSRWLockExclusive(&lock);
    while (at < OBJECTS_MAX && objects[at].used) {
        at++;
    }
    if (at < OBJECTS_MAX) {
        objects[at] = (struct object){
            .used = true, .epoch = bridge_epoch(), .pid = bridge_pid(), .told = *told};
    }
    ReleaseSRWLockExclusive(&lock);
    if (at < OBJECTS_MAX) {
        return (os_handle)(at << 2 | 1);
    }
    log_error("no room for another pipe or memory of the native engine");
    bridge_release();
    return OS_NO_HANDLE;
}

static bool
open_file(struct object *object)
{
    if (object->file != NULL) {
        return true;
    }
    object->file = bridge_open(object->pid, object->told.fd, GENERIC_READ | GENERIC_WRITE);
    if (object->file == NULL) {
        win32_log_failure("open what the bridge made", GetLastError());
    }
    return object->file != NULL;
}

uint32_t
bridge_object_id(os_handle handle)
{
    if (!bridge_owns(handle)) {
        return 0;
    }
    struct object *object = object_of(handle);
    if (object->epoch != bridge_epoch()) {
        struct bridge_record reply, request = {.kind = BRIDGE_FIND, .object = {object->told}};
        const uint32_t epoch = bridge_epoch();
        if (object->file == NULL || bridge_ask(&request, NULL, 0, &reply, 0) != TUTTI_OK) {
            return 0;
        }
        object->told = reply.object[0];
        object->epoch = epoch;
        object->pid = bridge_pid();
    }
    return object->told.id;
}

void
bridge_object_close(os_handle handle)
{
    struct object *object = object_of(handle);
    struct bridge_record request = {.kind = BRIDGE_CLOSE, .object = {object->told}};
    if (object->epoch == bridge_epoch()) {
        bridge_ask(&request, NULL, 0, NULL, 0);
    }
    if (object->section != NULL) {
        CloseHandle(object->section);
    }
    if (object->file != NULL) {
        CloseHandle(object->file);
    }
    AcquireSRWLockExclusive(&lock);
    object->used = false;
    ReleaseSRWLockExclusive(&lock);
    bridge_release();
}

/* kind: BRIDGE_MEMORY, BRIDGE_PIPE. */
static enum tutti_status
create(struct bridge_record *request, os_handle *out)
{
    struct bridge_record reply;
    enum tutti_status status = bridge_hold();
    if (status != TUTTI_OK) {
        return TUTTI_NO_MEMORY;
    }
    status = bridge_ask(request, NULL, 0, &reply, 0);
    if (status == TUTTI_OK) {
        *out = bridge_object_take(&reply.object[0]);
        if (*out == OS_NO_HANDLE || !open_file(object_of(*out))) {
            status = TUTTI_NO_MEMORY;
        }
    }
    bridge_release();
    return status == TUTTI_OK ? TUTTI_OK : TUTTI_NO_MEMORY;
}

/* ---- memory ---- */

enum tutti_status
bridge_memory_create(size_t size_bytes, os_handle *out)
{
    struct bridge_record request = {.kind = BRIDGE_MEMORY, .value = size_bytes};
    return create(&request, out);
}

HANDLE
bridge_memory_section(os_handle handle, size_t size_bytes)
{
    struct object *object = object_of(handle);
    LARGE_INTEGER size;
    if (!open_file(object) || !GetFileSizeEx(object->file, &size) || size.QuadPart < 0 ||
        (uint64_t)size.QuadPart < size_bytes) {
        return NULL;
    }
    if (object->section == NULL) {
        object->section =
            CreateFileMappingW(object->file, NULL, PAGE_READWRITE,
                               (DWORD)((uint64_t)size_bytes >> 32), (DWORD)size_bytes, NULL);
    }
    return object->section;
}

/* ---- pipes ---- */

enum tutti_status
bridge_pipe_create(os_handle *out)
{
    struct bridge_record request = {.kind = BRIDGE_PIPE};
    return create(&request, out);
}

bool
bridge_pipe_open(os_handle handle)
{
    return open_file(object_of(handle));
}

void
bridge_pipe_post(os_handle handle)
{
    DWORD put;
    (void)WriteFile(object_of(handle)->file, "", 1, &put, NULL);
}

bool
bridge_pipe_wait(os_handle handle, const _Atomic uint32_t *word, uint32_t seen,
                 uint64_t deadline_ns)
{
    char bytes[EMPTY_BYTES];
    DWORD got;
    if (deadline_ns == UINT64_MAX) {
        if (atomic_load_explicit(word, memory_order_acquire) == seen) {
            (void)ReadFile(object_of(handle)->file, bytes, sizeof(bytes), &got, NULL);
        }
        return atomic_load_explicit(word, memory_order_acquire) != seen;
    }
    /* Reading has no deadline here. Waiting with one is for who has no engine, or whose host is
     * late itself. */
    for (uint64_t now = os_now_ns(); now < deadline_ns; now = os_now_ns()) {
        if (atomic_load_explicit(word, memory_order_acquire) != seen) {
            return true;
        }
        os_sleep_until_ns(now + SLICE_NS < deadline_ns ? now + SLICE_NS : deadline_ns);
    }
    return atomic_load_explicit(word, memory_order_acquire) != seen;
}
