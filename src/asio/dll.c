/* SPDX-License-Identifier: MIT */
/* The module's entry points. DllMain joins nothing and waits for nobody. */
#include "asio/dll.h"

#include <objbase.h>
#include <string.h>

/* Another name gets another CLSID: hosts tell drivers apart by it. */
const struct dll_name dll_names[DLL_NAME_COUNT] = {
    {"Tutti", {0x64df45ea, 0xbf66, 0x45ef, {0xb3, 0x50, 0xd0, 0x2d, 0xb1, 0x42, 0xe3, 0x7e}}, ""},
};

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
    return !module_is_held() ? S_OK : S_FALSE;
}
