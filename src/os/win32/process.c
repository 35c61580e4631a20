/* SPDX-License-Identifier: MIT */
/*
 * Processes: starting one that outlives us, asking whether one lives, ending one.
 *
 * The engine serves all programs of this user, so it runs at medium integrity even when an elevated
 * program is the one that starts it.
 */
#include "bridge.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/log.h"

enum { KILL_WAIT_MS = 1000, WIDE_PATH_MAX = 32768 };

uint32_t
os_process_id(void)
{
    return GetCurrentProcessId();
}

/* ---- starting ---- */

/* Writes one argument as CommandLineToArgvW() and the C runtimes read it; returns the end. Room:
 * twice the argument's length and 3 more. */
static wchar_t *
quote(wchar_t *to, const wchar_t *argument)
{
    if (argument[0] != L'\0' && wcspbrk(argument, L" \t\n\v\"") == NULL) {
        const size_t length = wcslen(argument);
        memcpy(to, argument, length * sizeof(*to));
        return to + length;
    }
    *to++ = L'"';
    size_t backslashes = 0;
    for (; *argument != L'\0'; argument++) {
        /* backslashes count twice before a quote only, and a quote needs one more */
        for (size_t extra = *argument == L'"' ? backslashes + 1 : 0; extra > 0; extra--) {
            *to++ = L'\\';
        }
        *to++ = *argument;
        backslashes = *argument == L'\\' ? backslashes + 1 : 0;
    }
    for (; backslashes > 0; backslashes--) {
        *to++ = L'\\';
    }
    *to++ = L'"';
    return to;
}

/* Allocated; NULL when an argument is no utf-8 or memory is short. */
static wchar_t *
command_line(const char *const *argv)
{
    size_t room = 1;
    for (const char *const *argument = argv; *argument != NULL; argument++) {
        room += 2 * strlen(*argument) + 4;
    }
    wchar_t *line = malloc(room * sizeof(*line));
    if (line == NULL) {
        return NULL;
    }
    wchar_t *end = line;
    for (; *argv != NULL; argv++) {
        wchar_t *wide = win32_wide(*argv);
        if (wide == NULL) {
            free(line);
            return NULL;
        }
        if (end != line) {
            *end++ = L' ';
        }
        end = quote(end, wide);
        free(wide);
    }
    *end = L'\0';
    return line;
}

static bool
is_above_medium(HANDLE token)
{
    union {
        TOKEN_MANDATORY_LABEL label;
        unsigned char room[sizeof(TOKEN_MANDATORY_LABEL) + SECURITY_MAX_SID_SIZE];
    } info;
    DWORD bytes;
    if (!GetTokenInformation(token, TokenIntegrityLevel, &info, sizeof(info), &bytes)) {
        return false;
    }
    const PSID sid = info.label.Label.Sid;
    const DWORD level = *GetSidSubAuthority(sid, *GetSidSubAuthorityCount(sid) - 1u);
    return level > SECURITY_MANDATORY_MEDIUM_RID;
}

/* What the engine creates is to belong to the user, who may not be an administrator by then. */
static bool
make_ordinary(HANDLE token)
{
    struct win32_security security;
    union {
        SID sid;
        unsigned char room[SECURITY_MAX_SID_SIZE];
    } medium, user;
    DWORD medium_bytes = sizeof(medium);
    union {
        TOKEN_USER user;
        unsigned char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } info;
    DWORD bytes;
    BOOL present, defaulted;
    TOKEN_DEFAULT_DACL dacl = {NULL};
    if (!CreateWellKnownSid(WinMediumLabelSid, NULL, &medium, &medium_bytes) ||
        !GetTokenInformation(token, TokenUser, &info, sizeof(info), &bytes) ||
        !CopySid(sizeof(user), &user, info.user.User.Sid) ||
        !win32_security_init(&security, "D:(A;;GA;;;%s)(A;;GA;;;SY)")) {
        return false;
    }
    TOKEN_OWNER owner = {&user};
    TOKEN_MANDATORY_LABEL label = {{&medium, SE_GROUP_INTEGRITY}};
    const bool done =
        GetSecurityDescriptorDacl(security.descriptor, &present, &dacl.DefaultDacl, &defaulted) &&
        SetTokenInformation(token, TokenOwner, &owner, sizeof(owner)) &&
        SetTokenInformation(token, TokenDefaultDacl, &dacl, sizeof(dacl)) &&
        SetTokenInformation(token, TokenIntegrityLevel, &label,
                            (DWORD)sizeof(label) + GetLengthSid(&medium));
    win32_security_fini(&security);
    return done;
}

/* This user's token as an unelevated program has it; NULL when ours is like that already, or when
 * the system does not allow it: then the engine runs as we do. */
static HANDLE
medium_token(void)
{
    HANDLE own, token = NULL;
    if (!OpenProcessToken(
            GetCurrentProcess(),
            TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT, &own)) {
        return NULL;
    }
    if (is_above_medium(own) &&
        CreateRestrictedToken(own, LUA_TOKEN, 0, NULL, 0, NULL, 0, NULL, &token) &&
        !make_ordinary(token)) {
        CloseHandle(token);
        token = NULL;
    }
    if (token == NULL && is_above_medium(own)) {
        log_debug("the started program keeps this one's integrity level: error %lu",
                  GetLastError());
    }
    CloseHandle(own);
    return token;
}

/* It would have our affinity otherwise. */
static void
use_all_processors(HANDLE process)
{
    DWORD_PTR own, all;
    if (GetProcessAffinityMask(GetCurrentProcess(), &own, &all) && own != all) {
        (void)SetProcessAffinityMask(process, all);
    }
}

static bool
create_process(HANDLE token, const wchar_t *path, wchar_t *line, const wchar_t *dir, uint32_t *pid)
{
    /* A low priority class and the error mode would be inherited otherwise. */
    const DWORD flags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | NORMAL_PRIORITY_CLASS |
                        CREATE_DEFAULT_ERROR_MODE;
    /* a job of the host may forbid leaving it */
    const DWORD tries[] = {flags | CREATE_BREAKAWAY_FROM_JOB, flags};
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        STARTUPINFOW startup = {.cb = sizeof(startup)};
        PROCESS_INFORMATION info;
        const BOOL made = token != NULL ? CreateProcessAsUserW(token, path, line, NULL, NULL, FALSE,
                                                               tries[i], NULL, dir, &startup, &info)
                                        : CreateProcessW(path, line, NULL, NULL, FALSE, tries[i],
                                                         NULL, dir, &startup, &info);
        if (made) {
            *pid = info.dwProcessId;
            use_all_processors(info.hProcess);
            CloseHandle(info.hThread);
            CloseHandle(info.hProcess);
            return true;
        }
        if (GetLastError() != ERROR_ACCESS_DENIED) {
            return false;
        }
    }
    return false;
}

enum tutti_status
os_process_spawn(const char *path, const char *const *argv, uint32_t *pid)
{
    char dir[WIN32_PATH_BYTES];
    if (bridge_is_on()) {
        /* the native engine that belongs to the bridge, wherever this program looks */
        struct bridge_record reply, request = {.kind = BRIDGE_START};
        if (!os_getenv("TUTTI_NATIVE_ENGINE", request.text, sizeof(request.text))) {
            request.text[0] = '\0';
        }
        const enum tutti_status status = bridge_ask(&request, NULL, 0, &reply, 0);
        if (status == TUTTI_OK) {
            *pid = reply.number;
        }
        return status;
    }
    if (os_runtime_dir(dir, sizeof(dir)) != TUTTI_OK) {
        return TUTTI_NO_ENGINE;
    }
    wchar_t *wide_path = win32_wide(path);
    wchar_t *wide_dir = win32_wide(dir);
    wchar_t *line = command_line(argv);
    bool started = false;
    if (wide_path != NULL && wide_dir != NULL && line != NULL) {
        const HANDLE token = medium_token();
        started = (token != NULL && create_process(token, wide_path, line, wide_dir, pid)) ||
                  create_process(NULL, wide_path, line, wide_dir, pid);
        if (!started) {
            win32_log_failure("start the program that follows", GetLastError());
            log_error("%s", path);
        }
        if (token != NULL) {
            CloseHandle(token);
        }
    }
    free(line);
    free(wide_dir);
    free(wide_path);
    return started ? TUTTI_OK : TUTTI_NO_ENGINE;
}

/* ---- watching and ending ---- */

bool
os_process_is_ours(uint32_t pid)
{
    const HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL) {
        return false;
    }
    const bool ours = win32_user_of_process(process) == WIN32_USER_SAME;
    CloseHandle(process);
    return ours;
}

bool
os_process_maps(uint32_t pid, const struct os_shm *shm)
{
    (void)pid;
    (void)shm;
    return false;
}

bool
os_process_alive(uint32_t pid)
{
    if (bridge_is_on()) {
        struct bridge_record request = {.kind = BRIDGE_ALIVE, .number = pid};
        return bridge_ask(&request, NULL, 0, NULL, 0) == TUTTI_OK;
    }
    const HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
    if (process == NULL) {
        return GetLastError() == ERROR_ACCESS_DENIED;
    }
    const bool alive = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    CloseHandle(process);
    return alive;
}

static bool
has_image_name(HANDLE process, const char *image_name)
{
    wchar_t *path = malloc(WIDE_PATH_MAX * sizeof(*path));
    wchar_t *wanted = win32_wide(image_name);
    DWORD count = WIDE_PATH_MAX;
    bool same = false;
    if (path != NULL && wanted != NULL && QueryFullProcessImageNameW(process, 0, path, &count)) {
        wchar_t *separator = wcsrchr(path, L'\\');
        wchar_t *name = separator != NULL ? separator + 1 : path;
        wchar_t *extension = wcsrchr(name, L'.');
        if (extension != NULL && extension != name) {
            *extension = L'\0';
        }
        same = CompareStringOrdinal(name, -1, wanted, -1, TRUE) == CSTR_EQUAL;
    }
    free(wanted);
    free(path);
    return same;
}

bool
os_process_kill(uint32_t pid, const char *image_name)
{
    if (bridge_is_on()) {
        struct bridge_record request = {.kind = BRIDGE_KILL, .number = pid};
        snprintf(request.text, sizeof(request.text), "%s", image_name);
        return bridge_ask(&request, NULL, 0, NULL, KILL_WAIT_MS) == TUTTI_OK;
    }
    if (!os_process_alive(pid)) {
        return true;
    }
    const HANDLE process = OpenProcess(
        PROCESS_TERMINATE | SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL) {
        const DWORD error = GetLastError();
        if (!os_process_alive(pid)) {
            return true;
        }
        win32_log_failure("open a process that is to be ended", error);
        return false;
    }
    bool gone = WaitForSingleObject(process, 0) == WAIT_OBJECT_0;
    if (!gone && has_image_name(process, image_name)) {
        if (!TerminateProcess(process, 1)) {
            win32_log_failure("end a process", GetLastError());
        }
        gone = WaitForSingleObject(process, KILL_WAIT_MS) == WAIT_OBJECT_0;
    }
    CloseHandle(process);
    return gone;
}

void
os_process_begin(void)
{
    /* os_process_spawn() has seen to it */
}

void
os_process_use_broker(void)
{
    /* MMCSS is the broker already */
    win32_refuse_power_throttling();
}

void
os_process_raise_limits(void)
{
}

void
os_process_settle_heap(void)
{
    /* the system's heap gives back by itself */
}
