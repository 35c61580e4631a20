/* SPDX-License-Identifier: MIT */
/*
 * The module as a whole: the names it serves, what keeps it loaded, and how classes come out of it.
 * Nothing of audio.
 */
#ifndef TUTTI_ASIO_DLL_H
#define TUTTI_ASIO_DLL_H

#include <windows.h>

#include <stdbool.h>

#include "asio/entry.h"
#include "tutti/asio.h"

/* The entries that are there without any profile. */
enum { DLL_NAME_COUNT = 1 };
extern const struct dll_name dll_names[DLL_NAME_COUNT];

/** Counts something that lives in the module: an object, a lock of a host, a thread. Any thread. */
void module_hold(void);
void module_release(void);
bool module_is_held(void);

/** Takes a reference on the module itself, so that FreeLibrary() cannot take the code away under a
 * thread; the thread ends by FreeLibraryAndExitThread() with it. NULL when the system refuses. */
HMODULE module_pin(void);

/** True when the process is ending and its other threads are gone: nobody may be waited for then.
 */
bool module_process_ends(void);

/** A class factory of a name, which is copied; *object: a reference, or NULL. iid: IID_IUnknown or
 * IID_IClassFactory. */
HRESULT factory_get(const struct dll_name *name, REFIID iid, void **object);

/* For whom something is registered: for everybody, which needs an administrator's rights, or for
 * this user. */
enum registry_root { REGISTRY_MACHINE, REGISTRY_USER };

/** Writes and removes what makes hosts of this bitness find the module at `path`. Errors: as
 * HRESULT, E_ACCESSDENIED without administrator's rights. Removal goes on after an error and tells
 * the first one. */
HRESULT registry_write(enum registry_root root, const struct dll_name *name, const wchar_t *path);
HRESULT registry_remove(enum registry_root root, const struct dll_name *name);
/** The entries of profiles that are registered there; how many. */
unsigned registry_profiles(enum registry_root root, struct dll_name *names, unsigned room);
/** The entry of a profile that COM would create under this CLSID. False: it is none of ours. */
bool registry_find(const struct asio_guid *clsid, struct dll_name *name);

#endif
