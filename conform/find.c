/* SPDX-License-Identifier: MIT */
/* Drivers in the registry and in COM. See find.h. */
#include "conform/find.h"

#include <windows.h>

#include <objbase.h>

#include <stdio.h>
#include <string.h>

static_assert(sizeof(CLSID) == sizeof(struct asio_guid), "the same sixteen bytes");

static bool
read_clsid(HKEY list, const wchar_t *name, wchar_t clsid[FIND_CLSID_CHARS])
{
    DWORD bytes = FIND_CLSID_CHARS * sizeof(*clsid);

    return !RegGetValueW(list, name, L"CLSID", RRF_RT_REG_SZ, NULL, clsid, &bytes);
}

static bool
open_list(HKEY *list)
{
    return !RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\ASIO", 0, KEY_READ, list);
}

bool
find_entry(unsigned number, struct find_entry *entry)
{
    HKEY list;
    wchar_t name[FIND_NAME_CHARS], clsid[FIND_CLSID_CHARS] = L"?";
    DWORD length = ARRAYSIZE(name);

    if (!open_list(&list)) {
        return false;
    }
    bool found = !RegEnumKeyExW(list, number, name, &length, NULL, NULL, NULL, NULL);
    if (found) {
        if (!read_clsid(list, name, clsid)) {
            wcscpy(clsid, L"?");
        }
        WideCharToMultiByte(CP_UTF8, 0, name, -1, entry->name, sizeof(entry->name), NULL, NULL);
        WideCharToMultiByte(CP_UTF8, 0, clsid, -1, entry->clsid, sizeof(entry->clsid), NULL, NULL);
    }
    RegCloseKey(list);
    return found;
}

bool
find_clsid(const char *name, struct asio_guid *clsid, char error[FIND_ERROR_BYTES])
{
    HKEY list;
    wchar_t wide[FIND_NAME_CHARS], text[FIND_CLSID_CHARS] = L"";
    CLSID read;
    bool found = false;

    if (open_list(&list)) {
        found = MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, ARRAYSIZE(wide)) &&
                read_clsid(list, wide, text);
        RegCloseKey(list);
    }
    if (!found) {
        snprintf(error, FIND_ERROR_BYTES, "no driver '%s' is registered", name);
        return false;
    }
    if (CLSIDFromString(text, &read)) {
        snprintf(error, FIND_ERROR_BYTES, "'%s' has no proper CLSID", name);
        return false;
    }
    memcpy(clsid, &read, sizeof(*clsid));
    return true;
}

struct asio_driver *
find_create(const struct asio_guid *clsid, char error[FIND_ERROR_BYTES])
{
    CLSID id;
    void *object = NULL;

    memcpy(&id, clsid, sizeof(id));
    HRESULT result = CoCreateInstance(&id, NULL, CLSCTX_INPROC_SERVER, &id, &object);
    if (result != S_OK) {
        snprintf(error, FIND_ERROR_BYTES, "CoCreateInstance answered %#lx", (unsigned long)result);
        return NULL;
    }
    return object;
}
