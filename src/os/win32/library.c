/* SPDX-License-Identifier: MIT */
/* Shared libraries that are loaded when they are there: LoadLibrary. */
#include "win32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An os_library is an HMODULE. */

enum tutti_status
os_library_open(struct os_library **out, const char *name, char reason[256])
{
    wchar_t *wide = win32_wide(name);
    const HMODULE module = wide != NULL ? LoadLibraryW(wide) : NULL;
    const DWORD error = GetLastError();
    free(wide);
    if (module == NULL) {
        snprintf(reason, 256, "%.200s: error %lu", name, error);
        return TUTTI_UNSUPPORTED;
    }
    *out = (struct os_library *)module;
    return TUTTI_OK;
}

bool
os_library_symbol(struct os_library *library, const char *name, void *function)
{
    const FARPROC address = GetProcAddress((HMODULE)library, name);
    if (address == NULL) {
        return false;
    }
    memcpy(function, &address, sizeof(address));
    return true;
}

void
os_library_close(struct os_library *library)
{
    if (library != NULL) {
        FreeLibrary((HMODULE)library);
    }
}
