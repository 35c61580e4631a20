/* SPDX-License-Identifier: MIT */
/* What keeps the module loaded, and how it learns that the process ends. */
#include "asio/dll.h"

#include <stdatomic.h>
#include <string.h>

static atomic_long held;

void
module_hold(void)
{
    atomic_fetch_add(&held, 1);
}

void
module_release(void)
{
    atomic_fetch_sub(&held, 1);
}

HMODULE
module_pin(void)
{
    HMODULE module = NULL;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const wchar_t *)&held,
                            &module)) {
        return NULL;
    }
    return module;
}

bool
module_process_ends(void)
{
    /* From a static destructor of some other DLL, before our own DllMain hears of the end. */
    typedef BOOLEAN(NTAPI * shutdown_fn)(void);
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    FARPROC found = ntdll ? GetProcAddress(ntdll, "RtlDllShutdownInProgress") : NULL;
    shutdown_fn shutdown_in_progress;

    if (!found) {
        return false;
    }
    memcpy(&shutdown_in_progress, &found, sizeof(shutdown_in_progress));
    return shutdown_in_progress();
}

bool
module_is_held(void)
{
    return atomic_load(&held) != 0;
}
