/* SPDX-License-Identifier: MIT */
/* An object out of a driver's DLL, as COM makes one, without the registry. */
#ifndef TUTTI_TEST_ASIO_OBJECT_H
#define TUTTI_TEST_ASIO_OBJECT_H

#include <windows.h>

#include <string.h>

#include "tutti/asio.h"

/** NULL: the DLL does not make one. */
static inline struct asio_driver *
asio_object(HMODULE dll, const struct asio_guid *guid)
{
    static const IID class_factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    typedef HRESULT(WINAPI * get_class_fn)(REFCLSID, REFIID, LPVOID *);
    FARPROC found = GetProcAddress(dll, "DllGetClassObject");
    get_class_fn get_class_object;
    IClassFactory *factory = NULL;
    void *object = NULL;
    CLSID clsid;

    memcpy(&get_class_object, &found, sizeof(get_class_object));
    memcpy(&clsid, guid, sizeof(clsid));
    if (!found || get_class_object(&clsid, &class_factory, (void **)&factory) != S_OK) {
        return NULL;
    }
    factory->lpVtbl->CreateInstance(factory, NULL, &clsid, &object);
    factory->lpVtbl->Release(factory);
    return object;
}

#endif
