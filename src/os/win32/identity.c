/* SPDX-License-Identifier: MIT */
/*
 * Who we are and who they are: this user's SID, names that carry it, security descriptors that name
 * it, and the user behind another process or object.
 */
#include "win32.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { SID_TEXT_BYTES = 192, SDDL_BYTES = 1024, NAME_BYTES = 512 };

static struct {
    INIT_ONCE once;
    union {
        SID sid;
        unsigned char room[SECURITY_MAX_SID_SIZE];
    } user;
    char text[SID_TEXT_BYTES]; /* "" when the system does not tell */
} self = {.once = INIT_ONCE_STATIC_INIT};

/* The user of a token, copied to sid[SECURITY_MAX_SID_SIZE]. */
static bool
user_of_token(HANDLE token, void *sid)
{
    union {
        TOKEN_USER user;
        unsigned char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } info;
    DWORD bytes;
    return GetTokenInformation(token, TokenUser, &info, sizeof(info), &bytes) &&
           CopySid(SECURITY_MAX_SID_SIZE, sid, info.user.User.Sid);
}

static BOOL CALLBACK
init_self(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    HANDLE token;
    wchar_t *text = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return TRUE;
    }
    if (user_of_token(token, &self.user) && ConvertSidToStringSidW(&self.user, &text)) {
        if (!win32_utf8(self.text, sizeof(self.text), text)) {
            self.text[0] = '\0';
        }
        LocalFree(text);
    }
    CloseHandle(token);
    return TRUE;
}

const char *
win32_user_sid(void)
{
    InitOnceExecuteOnce(&self.once, init_self, NULL, NULL);
    if (self.text[0] != '\0') {
        return self.text;
    }
    log_error("cannot tell which user runs this program");
    return NULL;
}

enum win32_user
win32_user_of_process(HANDLE process)
{
    unsigned char sid[SECURITY_MAX_SID_SIZE];
    HANDLE token;
    if (win32_user_sid() == NULL || process == NULL ||
        !OpenProcessToken(process, TOKEN_QUERY, &token)) {
        return WIN32_USER_UNKNOWN;
    }
    const bool known = user_of_token(token, sid);
    CloseHandle(token);
    if (!known) {
        return WIN32_USER_UNKNOWN;
    }
    return EqualSid(sid, &self.user) ? WIN32_USER_SAME : WIN32_USER_OTHER;
}

enum win32_user
win32_owner_of(HANDLE object)
{
    PSID owner = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    if (win32_user_sid() == NULL ||
        GetSecurityInfo(object, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL,
                        NULL, &descriptor) != ERROR_SUCCESS) {
        return WIN32_USER_UNKNOWN;
    }
    const bool same = owner != NULL && EqualSid(owner, &self.user);
    LocalFree(descriptor);
    return same ? WIN32_USER_SAME : WIN32_USER_OTHER;
}

/* FNV-1a over the path in lower case: names of one folder differ in case only. */
static bool
hash_runtime_dir(uint64_t *hash)
{
    char dir[WIN32_PATH_BYTES];
    if (os_runtime_dir(dir, sizeof(dir)) != TUTTI_OK) {
        return false;
    }
    wchar_t *wide = win32_wide(dir);
    if (wide == NULL) {
        return false;
    }
    LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_LOWERCASE, wide, -1, wide, (int)wcslen(wide) + 1,
                  NULL, NULL, 0);
    *hash = UINT64_C(0xcbf29ce484222325);
    for (const wchar_t *at = wide; *at != 0; at++) {
        *hash = (*hash ^ (*at & 0xffu)) * UINT64_C(0x100000001b3);
        *hash = (*hash ^ (unsigned)*at >> 8) * UINT64_C(0x100000001b3);
    }
    free(wide);
    return true;
}

wchar_t *
win32_object_name(const char *prefix, const char *name)
{
    const char *sid = win32_user_sid();
    DWORD session = 0;
    uint64_t hash;
    char text[NAME_BYTES];
    if (sid == NULL || !ProcessIdToSessionId(GetCurrentProcessId(), &session) ||
        !hash_runtime_dir(&hash)) {
        return NULL;
    }
    const int length = snprintf(text, sizeof(text), "%stutti-%s-%lu-%016llx-%s", prefix, sid,
                                session, (unsigned long long)hash, name);
    return length > 0 && (size_t)length < sizeof(text) ? win32_wide(text) : NULL;
}

/* sddl with every "%s" replaced by the SID. */
static bool
expand(char *to, size_t room, const char *sddl, const char *sid)
{
    size_t used = 0;
    while (*sddl != '\0') {
        const bool hole = sddl[0] == '%' && sddl[1] == 's';
        const size_t length = hole ? strlen(sid) : 1;
        if (used + length >= room) {
            return false;
        }
        memcpy(to + used, hole ? sid : sddl, length);
        used += length;
        sddl += hole ? 2 : 1;
    }
    to[used] = '\0';
    return true;
}

bool
win32_security_init(struct win32_security *security, const char *sddl)
{
    const char *sid = win32_user_sid();
    char text[SDDL_BYTES];
    PSECURITY_DESCRIPTOR descriptor = NULL;
    if (sid == NULL || !expand(text, sizeof(text), sddl, sid)) {
        return false;
    }
    wchar_t *wide = win32_wide(text);
    const bool made = wide != NULL && ConvertStringSecurityDescriptorToSecurityDescriptorW(
                                          wide, SDDL_REVISION_1, &descriptor, NULL);
    free(wide);
    if (!made) {
        return false;
    }
    security->descriptor = descriptor;
    security->attributes = (SECURITY_ATTRIBUTES){.nLength = sizeof(security->attributes),
                                                 .lpSecurityDescriptor = descriptor,
                                                 .bInheritHandle = FALSE};
    return true;
}

bool
win32_security_init_private(struct win32_security *security)
{
    /* without the owner an elevated program's objects would belong to the administrators, without
     * the label they would be out of reach of this user's other programs. Some Wines do not know
     * labels. */
    if (win32_security_init(security, "O:%sD:P(A;;GA;;;%s)S:(ML;;NW;;;ME)") ||
        win32_security_init(security, "O:%sD:P(A;;GA;;;%s)")) {
        return true;
    }
    win32_log_failure("make a security descriptor", GetLastError());
    return false;
}

void
win32_security_fini(struct win32_security *security)
{
    LocalFree(security->descriptor);
}
