/* SPDX-License-Identifier: MIT */
/* Where this user's engine lives, and what the process knows of itself: folder, module,
 * environment. */
#include "win32.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/log.h"

enum { WIDE_PATH_MAX = 32768 };

bool
os_getenv(const char *name, char *value, size_t value_bytes)
{
    wchar_t *wide_name = win32_wide(name);
    wchar_t *wide = NULL;
    bool found = false;
    if (wide_name == NULL) {
        return false;
    }
    const DWORD count = GetEnvironmentVariableW(wide_name, NULL, 0); /* with the terminator */
    if (count == 0) {
        goto out;
    }
    wide = malloc(count * sizeof(*wide));
    if (wide == NULL) {
        goto out;
    }
    SetLastError(ERROR_SUCCESS);
    const DWORD length = GetEnvironmentVariableW(wide_name, wide, count);
    /* 0 without an error is an empty value; more than before: changed meanwhile */
    found =
        length < count && GetLastError() == ERROR_SUCCESS && win32_utf8(value, value_bytes, wide);
out:
    free(wide);
    free(wide_name);
    return found;
}

/* The folder's full name, allocated; NULL when the environment names none that can be used. */
static wchar_t *
runtime_dir_name(void)
{
    char base[WIN32_PATH_BYTES], name[WIN32_PATH_BYTES + 16];
    if (os_getenv("TUTTI_RUNTIME_DIR", base, sizeof(base)) && base[0] != '\0') {
        snprintf(name, sizeof(name), "%s", base);
    } else if (os_getenv("LOCALAPPDATA", base, sizeof(base)) && base[0] != '\0') {
        snprintf(name, sizeof(name), "%s\\Tutti", base);
    } else {
        log_error("neither TUTTI_RUNTIME_DIR nor LOCALAPPDATA is set");
        return NULL;
    }
    /* the engine works in this very folder, so a relative name would lead it elsewhere */
    const bool rooted = name[0] == '\\' || name[0] == '/' ||
                        (name[0] != '\0' && name[1] == ':' && (name[2] == '\\' || name[2] == '/'));
    if (!rooted) {
        log_error("the runtime folder %s is not an absolute path", name);
        return NULL;
    }
    wchar_t *wide = win32_wide(name);
    wchar_t *full = malloc(WIDE_PATH_MAX * sizeof(*full));
    const DWORD length =
        wide != NULL && full != NULL ? GetFullPathNameW(wide, WIDE_PATH_MAX, full, NULL) : 0;
    free(wide);
    if (length == 0 || length >= WIDE_PATH_MAX) {
        free(full);
        return NULL;
    }
    for (DWORD end = length; end > 3 && full[end - 1] == L'\\'; end--) {
        full[end - 1] = L'\0';
    }
    return full;
}

static bool
is_trusted_owner(PSID owner)
{
    wchar_t *sid = win32_wide(win32_user_sid());
    PSID user = NULL;
    bool trusted = false;
    if (sid != NULL && ConvertStringSidToSidW(sid, &user)) {
        /* what an elevated program of this user makes belongs to the administrators */
        trusted = EqualSid(owner, user) || IsWellKnownSid(owner, WinBuiltinAdministratorsSid) ||
                  IsWellKnownSid(owner, WinLocalSystemSid);
        LocalFree(user);
    }
    free(sid);
    return trusted;
}

static enum tutti_status
check_folder(const wchar_t *path)
{
    const DWORD attributes = GetFileAttributesW(path);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        win32_log_failure("look at the runtime folder", GetLastError());
        return TUTTI_IO;
    }
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ||
        (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
        log_error("the runtime folder is refused: it is a link or no folder");
        return TUTTI_REFUSED;
    }
    PSID owner = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    const DWORD error =
        GetNamedSecurityInfoW((wchar_t *)path, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner,
                              NULL, NULL, NULL, &descriptor);
    if (error != ERROR_SUCCESS) {
        win32_log_failure("tell the owner of the runtime folder", error);
        return TUTTI_REFUSED;
    }
    const bool trusted = owner != NULL && is_trusted_owner(owner);
    LocalFree(descriptor);
    if (trusted) {
        return TUTTI_OK;
    }
    log_error("the runtime folder is refused: it belongs to another user");
    return TUTTI_REFUSED;
}

static enum tutti_status
make_folder(const wchar_t *path)
{
    struct win32_security security;
    if (!win32_security_init(&security, "O:%sD:P(A;OICI;FA;;;%s)(A;OICI;FA;;;SY)")) {
        return TUTTI_REFUSED;
    }
    const bool made = CreateDirectoryW(path, &security.attributes) != 0;
    const DWORD error = GetLastError();
    win32_security_fini(&security);
    if (!made && error != ERROR_ALREADY_EXISTS) {
        win32_log_failure("create the runtime folder", error);
        return TUTTI_IO;
    }
    return TUTTI_OK;
}

enum tutti_status
os_runtime_dir(char *path, size_t path_bytes)
{
    if (win32_user_sid() == NULL) {
        return TUTTI_REFUSED;
    }
    wchar_t *name = runtime_dir_name();
    if (name == NULL) {
        return TUTTI_REFUSED;
    }
    enum tutti_status status = make_folder(name);
    if (status == TUTTI_OK) {
        status = check_folder(name);
    }
    /* long names only: objects are named after this path, whichever way it was written */
    wchar_t *full = malloc(WIDE_PATH_MAX * sizeof(*full));
    if (status == TUTTI_OK) {
        const DWORD length = full != NULL ? GetLongPathNameW(name, full, WIDE_PATH_MAX) : 0;
        const bool expanded = length > 0 && length < WIDE_PATH_MAX;
        if (!win32_utf8(path, path_bytes, expanded ? full : name)) {
            status = TUTTI_IO;
        }
    }
    free(full);
    free(name);
    return status;
}

enum tutti_status
os_runtime_check(char *why, size_t why_bytes)
{
    char path[WIN32_PATH_BYTES];
    const enum tutti_status status = os_runtime_dir(path, sizeof(path));
    if (status != TUTTI_OK) {
        snprintf(why, why_bytes,
                 "the runtime folder cannot be used, the log says why; set TUTTI_RUNTIME_DIR to a "
                 "folder that is this user's alone");
    }
    return status;
}

static enum tutti_status
module_file(HMODULE module, char *path, size_t path_bytes)
{
    wchar_t *wide = malloc(WIDE_PATH_MAX * sizeof(*wide));
    enum tutti_status status = TUTTI_IO;
    if (wide != NULL) {
        const DWORD length = GetModuleFileNameW(module, wide, WIDE_PATH_MAX);
        if (length > 0 && length < WIDE_PATH_MAX && win32_utf8(path, path_bytes, wide)) {
            status = TUTTI_OK;
        }
    }
    free(wide);
    return status;
}

enum tutti_status
os_program_path(char *path, size_t path_bytes)
{
    return module_file(NULL, path, path_bytes);
}

enum tutti_status
os_module_path(char *path, size_t path_bytes)
{
    HMODULE module;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (const wchar_t *)(uintptr_t)&os_module_path, &module)) {
        return TUTTI_IO;
    }
    return module_file(module, path, path_bytes);
}
