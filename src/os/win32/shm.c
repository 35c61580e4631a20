/* SPDX-License-Identifier: MIT */
/*
 * Handles and shared memory: an unnamed section of the page file.
 *
 * Such a section cannot be resized, but a peer may send another kind of it: pages that are only
 * reserved fault on access, and pages of a file can vanish with the file. So its attributes are
 * checked before it is mapped, and the mapped region after.
 */
#include "bridge.h"

#include <wchar.h>
#include <winternl.h>

#include "base/log.h"

enum { PAGE_BYTES = 4096 };

typedef void (*any_fn)(void);
typedef LONG(NTAPI *query_object_fn)(HANDLE handle, int what, void *data, ULONG bytes, ULONG *used);
typedef LONG(NTAPI *query_section_fn)(HANDLE section, int what, void *data, SIZE_T bytes,
                                      SIZE_T *used);

os_handle
os_handle_duplicate(os_handle handle)
{
    HANDLE copy;
    if (handle == OS_NO_HANDLE || bridge_owns(handle) ||
        !DuplicateHandle(GetCurrentProcess(), (HANDLE)handle, GetCurrentProcess(), &copy, 0, FALSE,
                         DUPLICATE_SAME_ACCESS)) {
        return OS_NO_HANDLE;
    }
    return (os_handle)copy;
}

void
os_handle_close(os_handle handle)
{
    if (bridge_owns(handle)) {
        bridge_object_close(handle);
    } else if (handle != OS_NO_HANDLE) {
        CloseHandle((HANDLE)handle);
    }
}

enum win32_object
win32_object_type(HANDLE handle)
{
    enum { OBJECT_TYPE_INFORMATION = 2 };
    const query_object_fn query =
        (query_object_fn)(any_fn)win32_function(L"ntdll.dll", "NtQueryObject");
    union {
        UNICODE_STRING name; /* first member of what is returned; its text follows */
        unsigned char room[1024];
    } info;
    if (query == NULL || query(handle, OBJECT_TYPE_INFORMATION, &info, sizeof(info), NULL) < 0) {
        return WIN32_OBJECT_OTHER;
    }
    const size_t count = info.name.Length / sizeof(wchar_t);
    if (count == 7 && wcsncmp(info.name.Buffer, L"Section", count) == 0) {
        return WIN32_OBJECT_SECTION;
    }
    if (count == 5 && wcsncmp(info.name.Buffer, L"Event", count) == 0) {
        return WIN32_OBJECT_EVENT;
    }
    return WIN32_OBJECT_OTHER;
}

/* Best effort: a process may lock only what its minimum working set holds, so that is raised once.
 */
static void
lock_pages(void *base, size_t size_bytes)
{
    if (VirtualLock(base, size_bytes) || GetLastError() != ERROR_WORKING_SET_QUOTA) {
        return;
    }
    SIZE_T least, most;
    if (GetProcessWorkingSetSize(GetCurrentProcess(), &least, &most) &&
        SetProcessWorkingSetSize(GetCurrentProcess(), least + size_bytes, most + size_bytes)) {
        (void)VirtualLock(base, size_bytes);
    }
}

static enum tutti_status
map(struct os_shm *shm, HANDLE section, size_t size_bytes)
{
    void *base = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size_bytes);
    if (base == NULL) {
        win32_log_failure("map shared memory", GetLastError());
        return TUTTI_NO_MEMORY;
    }
    MEMORY_BASIC_INFORMATION region;
    if (VirtualQuery(base, &region, sizeof(region)) != sizeof(region) ||
        region.State != MEM_COMMIT || region.RegionSize < size_bytes) {
        log_warning("shared memory from a peer is not there as a whole: refused");
        UnmapViewOfFile(base);
        return TUTTI_PROTOCOL;
    }
    /* one access per page brings it in */
    const volatile unsigned char *page = base;
    for (size_t at = 0; at < size_bytes; at += PAGE_BYTES) {
        (void)page[at];
    }
    lock_pages(base, size_bytes);
    shm->base = base;
    shm->size_bytes = size_bytes;
    shm->handle = (os_handle)section;
    return TUTTI_OK;
}

/* Memory of the bridge's, handle: owned from here on. */
static enum tutti_status
map_bridged(struct os_shm *shm, os_handle handle, size_t size_bytes)
{
    const HANDLE section = bridge_memory_section(handle, size_bytes);
    const enum tutti_status status =
        section != NULL ? map(shm, section, size_bytes) : TUTTI_PROTOCOL;
    if (status == TUTTI_OK) {
        shm->handle = handle;
    } else {
        bridge_object_close(handle);
    }
    return status;
}

enum tutti_status
os_shm_create(struct os_shm *shm, size_t size_bytes)
{
    if (bridge_is_on()) {
        os_handle handle;
        const enum tutti_status status = bridge_memory_create(size_bytes, &handle);
        return status == TUTTI_OK ? map_bridged(shm, handle, size_bytes) : status;
    }
    const HANDLE section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_COMMIT,
                           (DWORD)((uint64_t)size_bytes >> 32), (DWORD)size_bytes, NULL);
    if (section == NULL) {
        win32_log_failure("create shared memory", GetLastError());
        return TUTTI_NO_MEMORY;
    }
    if (map(shm, section, size_bytes) != TUTTI_OK) {
        CloseHandle(section);
        return TUTTI_NO_MEMORY;
    }
    return TUTTI_OK;
}

/* True for a section of the page file, committed, large enough. */
static bool
is_plain_section(HANDLE section, size_t size_bytes)
{
    enum { SECTION_BASIC_INFORMATION = 0 };
    const ULONG bad = SEC_RESERVE | SEC_IMAGE | SEC_FILE | SEC_LARGE_PAGES;
    struct {
        void *base;
        ULONG attributes;
        LARGE_INTEGER size;
    } info;
    const query_section_fn query =
        (query_section_fn)(any_fn)win32_function(L"ntdll.dll", "NtQuerySection");
    return win32_object_type(section) == WIN32_OBJECT_SECTION && query != NULL &&
           query(section, SECTION_BASIC_INFORMATION, &info, sizeof(info), NULL) >= 0 &&
           (info.attributes & SEC_COMMIT) != 0 && (info.attributes & bad) == 0 &&
           info.size.QuadPart > 0 && (uint64_t)info.size.QuadPart >= size_bytes;
}

enum tutti_status
os_shm_adopt(struct os_shm *shm, os_handle handle, size_t size_bytes)
{
    if (handle == OS_NO_HANDLE) {
        return TUTTI_PROTOCOL;
    }
    if (bridge_owns(handle)) {
        return map_bridged(shm, handle, size_bytes);
    }
    const HANDLE section = (HANDLE)handle;
    enum tutti_status status = TUTTI_PROTOCOL;
    if (size_bytes == 0 || !is_plain_section(section, size_bytes)) {
        log_warning("what a peer sent is no shared memory of %lu bytes: refused",
                    (unsigned long)size_bytes);
    } else {
        status = map(shm, section, size_bytes);
    }
    if (status != TUTTI_OK) {
        CloseHandle(section);
    }
    return status;
}

bool
os_shm_is_whole(const struct os_shm *shm)
{
    (void)shm; /* pages of a section stay */
    return true;
}

void
os_shm_close(struct os_shm *shm)
{
    if (shm->base == NULL) {
        return;
    }
    UnmapViewOfFile(shm->base);
    os_handle_close(shm->handle);
    *shm = (struct os_shm){.handle = OS_NO_HANDLE};
}
