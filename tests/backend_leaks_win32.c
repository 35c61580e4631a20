/* SPDX-License-Identifier: MIT */
/* Counted by Windows. */
#include "backend_leaks.h"

#include <windows.h>
#include <tlhelp32.h>

static unsigned
threads(void)
{
    unsigned count = 0;
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    }
    CloseHandle(all);
    return count;
}

struct backend_leaks
backend_leaks_count(void)
{
    DWORD handles = 0;
    GetProcessHandleCount(GetCurrentProcess(), &handles);
    return (struct backend_leaks){.files = handles, .threads = threads()};
}
