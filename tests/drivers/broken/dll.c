/* SPDX-License-Identifier: MIT */
/* The module: which defect is on, the class factory, what keeps the module loaded, the registry. */
#include "broken.h"

#include <objbase.h>
#include <olectl.h>
#include <stdio.h>
#include <string.h>
#include <unknwn.h>

static const CLSID class_id = {
    0x0b0c7a5e, 0x51d3, 0x4be8, {0x9d, 0x0f, 0x7e, 0x42, 0xb0, 0x1d, 0x6c, 0xa3}};
#define CLASS_ID_TEXT "{0B0C7A5E-51D3-4BE8-9D0F-7E42B01D6CA3}"
#define ASIO_KEY L"SOFTWARE\\ASIO\\"
#define CLASS_KEY "SOFTWARE\\Classes\\CLSID\\" CLASS_ID_TEXT

enum defect defect_on;
static LONG held;

/* ---- the defect ---- */

static void
read_defect(void)
{
    static const char *const names[] = {
#define DEFECT_NAME(name, wrong, processor, cases) #name,
        DEFECTS_TABLE(DEFECT_NAME)
#undef DEFECT_NAME
    };
    char wanted[64] = "";

    GetEnvironmentVariableA("TUTTI_DEFECT", wanted, sizeof(wanted));
    defect_on = DEFECT_none;
    for (unsigned i = 0; i < ARRAYSIZE(names); i++) {
        if (strcmp(names[i], wanted) == 0) {
            defect_on = (enum defect)(i + 1);
        }
    }
    if (wanted[0] && defect_on == DEFECT_none) {
        fprintf(stderr, "there is no defect '%s'\n", wanted);
    }
}

/* ---- names in the registry ---- */

static const struct {
    enum defect defect;
    const char *name; /* utf-8 */
} entries[] = {{DEFECT_none, BROKEN_NAME},
#define ENTRY_ROW(defect, name) {DEFECT_##defect, name},
               ENTRIES_TABLE(ENTRY_ROW)
#undef ENTRY_ROW
};

const char *
dll_entry_name(void)
{
    for (unsigned i = 1; i < ARRAYSIZE(entries); i++) {
        if (entries[i].defect == defect_on) {
            return entries[i].name;
        }
    }
    return BROKEN_NAME;
}

static void
path_of_entry(unsigned number, wchar_t path[MAX_PATH])
{
    wchar_t name[MAX_PATH / 2];

    MultiByteToWideChar(CP_UTF8, 0, entries[number].name, -1, name, ARRAYSIZE(name));
    _snwprintf(path, MAX_PATH, ASIO_KEY L"%ls", name);
}

/* ---- what keeps the module ---- */

void
dll_hold(void)
{
    InterlockedIncrement(&held);
}

void
dll_let_go(void)
{
    InterlockedDecrement(&held);
}

HMODULE
dll_pin(void)
{
    HMODULE module = NULL;

    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const wchar_t *)&held, &module);
    return module;
}

/* ---- the factory: one static object ---- */

static HRESULT STDMETHODCALLTYPE
factory_query(IClassFactory *self, REFIID iid, void **object)
{
    static const IID unknown = {0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    static const IID factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};

    if (!object) {
        return E_POINTER;
    }
    *object = NULL;
    if (!IsEqualGUID(iid, &unknown) && !IsEqualGUID(iid, &factory)) {
        return E_NOINTERFACE;
    }
    dll_hold();
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE
factory_add_ref(IClassFactory *self)
{
    (void)self;
    dll_hold();
    return 2;
}

static ULONG STDMETHODCALLTYPE
factory_release(IClassFactory *self)
{
    (void)self;
    dll_let_go();
    return 1;
}

static HRESULT STDMETHODCALLTYPE
factory_create(IClassFactory *self, IUnknown *outer, REFIID iid, void **object)
{
    struct asio_guid wanted;

    (void)self;
    if (!object) {
        return E_POINTER;
    }
    *object = NULL;
    if (outer) {
        return CLASS_E_NOAGGREGATION;
    }
    static LONG created;
    bool refused = BROKEN(creations_limited) && InterlockedIncrement(&created) > 50;
    struct asio_driver *driver = refused ? NULL : driver_new();
    if (!driver) {
        return E_OUTOFMEMORY;
    }
    memcpy(&wanted, iid, sizeof(wanted));
    HRESULT result = driver->methods->query_interface(driver, &wanted, object);
    driver->methods->release(driver);
    return result;
}

static HRESULT STDMETHODCALLTYPE
factory_lock(IClassFactory *self, BOOL lock)
{
    (void)self;
    if (lock) {
        dll_hold();
    } else {
        dll_let_go();
    }
    return S_OK;
}

static IClassFactoryVtbl factory_methods = {factory_query, factory_add_ref, factory_release,
                                            factory_create, factory_lock};
static IClassFactory the_factory = {&factory_methods};

/* ---- entry points ---- */

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved);

BOOL WINAPI
DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    if (reason == DLL_PROCESS_DETACH && BROKEN(unloading_ends_process) && !reserved) {
        TerminateProcess(GetCurrentProcess(), 5);
    }
    /* Whoever still holds an object when the process ends waits for its thread, which is gone. */
    if (reason == DLL_PROCESS_DETACH && BROKEN(exit_hangs) && held > 0) {
        for (;;) {
            Sleep(1000);
        }
    }
    return TRUE;
}

STDAPI
DllGetClassObject(REFCLSID clsid, REFIID iid, LPVOID *object)
{
    if (!object) {
        return E_POINTER;
    }
    *object = NULL;
    if (!IsEqualGUID(clsid, &class_id)) {
        return CLASS_E_CLASSNOTAVAILABLE;
    }
    read_defect();
    return factory_query(&the_factory, iid, object);
}

STDAPI
DllCanUnloadNow(void)
{
    return held == 0 ? S_OK : S_FALSE;
}

bool
mark_set(const char *name)
{
    char path[96];
    HKEY key;
    DWORD made = 0;

    snprintf(path, sizeof(path), "Software\\Broken by Design\\%s", name);
    if (RegCreateKeyExA(HKEY_CURRENT_USER, path, 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL,
                        &key, &made)) {
        return true;
    }
    RegCloseKey(key);
    return made == REG_CREATED_NEW_KEY;
}

void
mark_clear(const char *name)
{
    char path[96];

    snprintf(path, sizeof(path), "Software\\Broken by Design\\%s", name);
    RegDeleteKeyA(HKEY_CURRENT_USER, path);
}

static LSTATUS
write_text(const char *key, const char *name, const char *value)
{
    return RegSetKeyValueA(HKEY_LOCAL_MACHINE, key, name, REG_SZ, value, (DWORD)strlen(value) + 1);
}

static LSTATUS
write_entry(unsigned number)
{
    static const wchar_t clsid[] = L"" CLASS_ID_TEXT;
    wchar_t path[MAX_PATH];

    path_of_entry(number, path);
    return RegSetKeyValueW(HKEY_LOCAL_MACHINE, path, L"CLSID", REG_SZ, clsid, sizeof(clsid));
}

STDAPI
DllRegisterServer(void)
{
    char path[MAX_PATH];
    HMODULE module = dll_pin();
    DWORD length = GetModuleFileNameA(module, path, sizeof(path));

    FreeLibrary(module);
    if (length == 0 || length >= sizeof(path)) {
        return SELFREG_E_CLASS;
    }
    LSTATUS error = write_text(CLASS_KEY, NULL, BROKEN_NAME);
    if (!error) {
        error = write_text(CLASS_KEY "\\InprocServer32", NULL, path);
    }
    if (!error) {
        error = write_text(CLASS_KEY "\\InprocServer32", "ThreadingModel", "Both");
    }
    for (unsigned i = 0; i < ARRAYSIZE(entries) && !error; i++) {
        error = write_entry(i);
    }
    return HRESULT_FROM_WIN32((DWORD)error);
}

STDAPI
DllUnregisterServer(void)
{
    wchar_t path[MAX_PATH];

    for (unsigned i = 0; i < ARRAYSIZE(entries); i++) {
        path_of_entry(i, path);
        RegDeleteTreeW(HKEY_LOCAL_MACHINE, path);
    }
    RegDeleteTreeA(HKEY_LOCAL_MACHINE, CLASS_KEY);
    return S_OK;
}
