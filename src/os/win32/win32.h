/* SPDX-License-Identifier: MIT */
/* What the files of the Windows side share among themselves; nobody else includes it. */
#ifndef TUTTI_OS_WIN32_H
#define TUTTI_OS_WIN32_H

#include <windows.h>

#include "os/os.h"

enum { WIN32_PATH_BYTES = 4096 };

/* ---- text.c ---- */

/** utf-8 to UTF-16, allocated: free() it. NULL when it is malformed or memory is short. */
wchar_t *win32_wide(const char *text);
/** UTF-16 to utf-8; false when it does not fit. */
bool win32_utf8(char *to, size_t room, const wchar_t *text);
/** Logs "cannot WHAT: error N, its text". */
void win32_log_failure(const char *what, DWORD error);
/** A function of a system DLL that is loaded already; NULL where this Windows lacks it. */
FARPROC win32_function(const wchar_t *dll, const char *name);

/* ---- time.c ---- */

/** Milliseconds from now, rounded up; INFINITE for UINT64_MAX. */
DWORD win32_timeout_ms(uint64_t deadline_ns);
/** The calling thread's timer, set to fire in delay_ns; NULL when there is none to be had. Real
 * time but for the first call on a thread. */
HANDLE win32_set_timer(uint64_t delay_ns);

/* ---- identity.c ---- */

enum win32_user { WIN32_USER_SAME, WIN32_USER_OTHER, WIN32_USER_UNKNOWN };

/** This user's SID as text, static; NULL (logged) when the system does not tell. */
const char *win32_user_sid(void);
/** Whose process that is. UNKNOWN: we may not look. */
enum win32_user win32_user_of_process(HANDLE process);
/** Who owns a kernel object (a pipe). */
enum win32_user win32_owner_of(HANDLE object);
/** prefix + "tutti-SID-SESSION-HASH-name", HASH of the runtime folder: allocated, free() it. NULL
 * on failure. */
wchar_t *win32_object_name(const char *prefix, const char *name);

struct win32_security {
    SECURITY_ATTRIBUTES attributes;
    void *descriptor;
};
/** Parses an SDDL text in which every "%s" is this user's SID. */
bool win32_security_init(struct win32_security *security, const char *sddl);
/** For objects by name: this user alone, medium label. */
bool win32_security_init_private(struct win32_security *security);
void win32_security_fini(struct win32_security *security);

/* ---- shm.c ---- */

enum win32_object { WIN32_OBJECT_OTHER, WIN32_OBJECT_SECTION, WIN32_OBJECT_EVENT };

/** What a handle of this process refers to. */
enum win32_object win32_object_type(HANDLE handle);

/* ---- thread.c ---- */

/** Names the calling thread, for debuggers; under Wine it is the Linux thread's name. */
void win32_name_thread(const char *name);
/** Process-wide: for processes of our own. */
void win32_refuse_power_throttling(void);

/* ---- link.c ---- */

/** Makes a link of a connected pipe, owned from here on (closed on failure). Errors: REFUSED,
 * NO_MEMORY. */
enum tutti_status win32_link_adopt(struct os_link **out, HANDLE pipe, bool we_are_server);
/** The engine's pipe: allocated, free() it. NULL on failure. */
wchar_t *win32_link_name(void);

#endif
