/* SPDX-License-Identifier: MIT */
/* The module's entry points and counters. DllMain joins nothing and waits for nobody. */
#include "asio/dll.h"

#include <objbase.h>
#include <stdatomic.h>
#include <string.h>

/* Another name gets another CLSID: hosts tell drivers apart by it. */
const struct dll_name dll_names[DLL_NAME_COUNT] = {
    {"Tutti", {0x64df45ea, 0xbf66, 0x45ef, {0xb3, 0x50, 0xd0, 0x2d, 0xb1, 0x42, 0xe3, 0x7e}}, ""},
};

static atomic_long held;

void
dll_hold(void)
{
    atomic_fetch_add(&held, 1);
}

void
dll_let_go(void)
{
    atomic_fetch_sub(&held, 1);
}

HMODULE
dll_pin(void)
{
    HMODULE module = NULL;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const wchar_t *)&held,
                            &module)) {
        return NULL;
    }
    return module;
}

bool
dll_process_ends(void)
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

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved);

BOOL WINAPI
DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reason;
    (void)reserved;
    return TRUE;
}

STDAPI
DllGetClassObject(REFCLSID clsid, REFIID iid, LPVOID *object)
{
    if (!object) {
        return E_POINTER;
    }
    *object = NULL;
    for (unsigned i = 0; i < DLL_NAME_COUNT; i++) {
        if (memcmp(clsid, &dll_names[i].clsid, sizeof(dll_names[i].clsid)) == 0) {
            return factory_get(&dll_names[i], iid, object);
        }
    }
    struct dll_name name;
    struct asio_guid wanted;
    memcpy(&wanted, clsid, sizeof(wanted));
    return registry_find(&wanted, &name) ? factory_get(&name, iid, object)
                                         : CLASS_E_CLASSNOTAVAILABLE;
}

STDAPI
DllCanUnloadNow(void)
{
    return atomic_load(&held) == 0 ? S_OK : S_FALSE;
}
