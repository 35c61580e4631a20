/* SPDX-License-Identifier: MIT */
/*
 * Files on Windows: the C library's fopen() takes a path in the process's code page, which a name
 * like "Jörg" or "音楽" may not be in. Wide paths have no such trouble.
 */
#include "base/file.h"

#include <windows.h>

#include <errno.h>
#include <string.h>

enum { PATH_CHARS = 1100, MODE_CHARS = 8, LOCK_TRIES = 50 };
enum { REPLACE_TRIES = 41, REPLACE_PAUSE_MS = 5 };

static bool
widen(const char *text, wchar_t *wide, int room)
{
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, room) > 0) {
        return true;
    }
    errno = EINVAL;
    return false;
}

bool
file_is_windows(void)
{
    return true;
}

FILE *
file_open(const char *path, const char *mode)
{
    wchar_t wide[PATH_CHARS], wide_mode[MODE_CHARS];
    if (!widen(path, wide, PATH_CHARS) || !widen(mode, wide_mode, MODE_CHARS)) {
        return NULL;
    }
    return _wfopen(wide, wide_mode);
}

/* Attributes are asked for first: opening a pipe of Linux under Wine would wait for a writer, and
 * the wineserver with it. Wine has none to tell of a pipe. */
FILE *
file_open_regular(const char *path)
{
    wchar_t wide[PATH_CHARS];
    WIN32_FILE_ATTRIBUTE_DATA state;
    if (!widen(path, wide, PATH_CHARS)) {
        return NULL;
    }
    if (!GetFileAttributesExW(wide, GetFileExInfoStandard, &state)) {
        switch (GetLastError()) {
        case ERROR_FILE_NOT_FOUND:
        case ERROR_PATH_NOT_FOUND:
            errno = ENOENT;
            break;
        case ERROR_ACCESS_DENIED:
            errno = EACCES;
            break;
        default:
            errno = ENODEV;
            break;
        }
        return NULL;
    }
    if (state.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE)) {
        errno = ENODEV;
        return NULL;
    }
    return _wfopen(wide, L"rb");
}

/* Windows finds the end and writes in one step, Wine in two (pwrite() at the size that fstat()
 * told), and what another process writes between them is lost. So a writer locks a byte that
 * no file has. A process that stands still with the lock holds nobody up for long: then the line is
 * written without. */
static bool
lock_end(HANDLE file, OVERLAPPED *where)
{
    *where = (OVERLAPPED){.OffsetHigh = 0x40000000};
    for (unsigned tries = 0; tries < LOCK_TRIES; tries++) {
        if (LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, where)) {
            return true;
        }
        Sleep(1);
    }
    return false;
}

/* Others may read, write, rename and delete it meanwhile. With the right to append alone the system
 * itself finds the end. */
void
file_keep_spare(void)
{
}

bool
file_append(const char *path, const void *data, size_t bytes, uint64_t *size_bytes)
{
    wchar_t wide[PATH_CHARS];
    LARGE_INTEGER size = {.QuadPart = 0};
    OVERLAPPED where;
    DWORD done = 0;
    if (!widen(path, wide, PATH_CHARS)) {
        return false;
    }
    /* to be locked it has to be readable */
    HANDLE file = CreateFileW(wide, FILE_APPEND_DATA | GENERIC_READ,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    bool locked = lock_end(file, &where);
    bool written = WriteFile(file, data, (DWORD)bytes, &done, NULL) && done == bytes &&
                   GetFileSizeEx(file, &size);
    if (locked) {
        UnlockFileEx(file, 0, 1, 0, &where);
    }
    CloseHandle(file);
    *size_bytes = (uint64_t)size.QuadPart;
    return written;
}

static bool
follow(const wchar_t *wide, wchar_t *target)
{
    HANDLE file = CreateFileW(wide, FILE_READ_ATTRIBUTES,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    DWORD length = GetFinalPathNameByHandleW(file, target, PATH_CHARS, FILE_NAME_NORMALIZED);
    CloseHandle(file);
    return length > 0 && length < PATH_CHARS;
}

/* A link that leads nowhere is an error here: nobody but the system knows where it leads. */
bool
file_follow(const char *path, char *target, size_t bytes)
{
    wchar_t wide[PATH_CHARS], last[PATH_CHARS];
    if (strlen(path) >= bytes || !widen(path, wide, PATH_CHARS)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(target, path, strlen(path) + 1);
    DWORD attributes = GetFileAttributesW(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES || !(attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        return true;
    }
    if (!follow(wide, last) ||
        !WideCharToMultiByte(CP_UTF8, 0, last, -1, target, (int)bytes, NULL, NULL)) {
        errno = ENOENT;
        return false;
    }
    return true;
}

bool
file_replace(const char *from, const char *to)
{
    wchar_t wide_from[PATH_CHARS], wide_to[PATH_CHARS];
    return widen(from, wide_from, PATH_CHARS) && widen(to, wide_to, PATH_CHARS) &&
           MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING);
}

/* A program that reads the file, or a virus scanner, is done with it soon. */
bool
file_replace_read(const char *from, const char *to)
{
    for (unsigned tries = 1; !file_replace(from, to); tries++) {
        DWORD error = GetLastError();
        if ((error != ERROR_SHARING_VIOLATION && error != ERROR_ACCESS_DENIED) ||
            tries == REPLACE_TRIES) {
            return false;
        }
        Sleep(REPLACE_PAUSE_MS);
    }
    return true;
}

/* One for all files: they are renamed seldom, and who does not get it leaves the work to who has.
 */
intptr_t
file_claim(const char *path)
{
    (void)path;
    HANDLE mutex = CreateMutexW(NULL, FALSE, L"Local\\TuttiFileNames");
    if (!mutex) {
        return 0;
    }
    DWORD waited = WaitForSingleObject(mutex, 0);
    if (waited != WAIT_OBJECT_0 && waited != WAIT_ABANDONED) {
        CloseHandle(mutex);
        return 0;
    }
    return (intptr_t)mutex;
}

void
file_unclaim(intptr_t claim)
{
    ReleaseMutex((HANDLE)claim);
    CloseHandle((HANDLE)claim);
}

bool
file_remove(const char *path)
{
    wchar_t wide[PATH_CHARS];
    return widen(path, wide, PATH_CHARS) &&
           (DeleteFileW(wide) || GetLastError() == ERROR_FILE_NOT_FOUND ||
            GetLastError() == ERROR_PATH_NOT_FOUND);
}

/* Which file a path leads to: under Wine that may be another one behind the same link. */
static void
look_closely(const wchar_t *wide, struct file_stamp *stamp)
{
    BY_HANDLE_FILE_INFORMATION file;
    FILE_BASIC_INFO times;
    HANDLE handle = CreateFileW(wide, FILE_READ_ATTRIBUTES,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        return;
    }
    if (GetFileInformationByHandle(handle, &file)) {
        stamp->identity = (uint64_t)file.nFileIndexHigh << 32 | file.nFileIndexLow;
        stamp->volume = file.dwVolumeSerialNumber;
    }
    if (GetFileInformationByHandleEx(handle, FileBasicInfo, &times, sizeof(times))) {
        stamp->entry_changed = (uint64_t)times.ChangeTime.QuadPart;
    }
    CloseHandle(handle);
}

/* The attributes without opening: a pipe of Linux under Wine has none. */
void
file_look(const char *path, struct file_stamp *stamp)
{
    wchar_t wide[PATH_CHARS];
    WIN32_FILE_ATTRIBUTE_DATA state;
    *stamp = (struct file_stamp){0};
    if (widen(path, wide, PATH_CHARS) &&
        GetFileAttributesExW(wide, GetFileExInfoStandard, &state)) {
        stamp->there = true;
        stamp->size_bytes = (uint64_t)state.nFileSizeHigh << 32 | state.nFileSizeLow;
        stamp->changed = (uint64_t)state.ftLastWriteTime.dwHighDateTime << 32 |
                         state.ftLastWriteTime.dwLowDateTime;
        look_closely(wide, stamp);
    }
}
