/* SPDX-License-Identifier: MIT */
/*
 * The module as a whole: the names it serves, what keeps it loaded, and how classes come out of it.
 * Nothing of audio.
 */
#ifndef TUTTI_ASIO_DLL_H
#define TUTTI_ASIO_DLL_H

#include <windows.h>

#include <stdbool.h>

#include "tutti/asio.h"

/* One driver entry. Registry key, description and getDriverName are all `name`: some hosts list one
 * and match another. */
struct dll_name {
    const char *name; /* at most 31 characters of ASCII */
    struct asio_guid clsid;
};

enum { DLL_NAME_COUNT = 1 };
extern const struct dll_name dll_names[DLL_NAME_COUNT];

/** Counts something that lives in the module: an object, a lock of a host, a thread. Any thread. */
void dll_hold(void);
void dll_let_go(void);

/** Takes a reference on the module itself, so that FreeLibrary() cannot take the code away under a
 * thread; the thread ends by FreeLibraryAndExitThread() with it. NULL when the system refuses. */
HMODULE dll_pin(void);

/** True when the process is ending and its other threads are gone: nobody may be waited for then.
 */
bool dll_process_ends(void);

/** The class factory of a name; *object: a reference, or NULL. iid: IID_IUnknown or
 * IID_IClassFactory. */
HRESULT factory_get(const struct dll_name *name, REFIID iid, void **object);

/** Writes and removes what makes hosts of this bitness find the module at `path`. Errors: as
 * HRESULT, E_ACCESSDENIED without administrator's rights. Removal goes on after an error and tells
 * the first one. */
HRESULT registry_write(const struct dll_name *name, const wchar_t *path);
HRESULT registry_remove(const struct dll_name *name);

#endif
