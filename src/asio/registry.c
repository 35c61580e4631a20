/* SPDX-License-Identifier: MIT */
/*
 * What hosts find: HKLM\SOFTWARE\ASIO\NAME with CLSID and Description, and the class itself below
 * HKLM\SOFTWARE\Classes, which is what HKEY_CLASSES_ROOT shows to everybody. (Writing through
 * HKEY_CLASSES_ROOT would land in a user's own half where that has the key.) A 32-bit module writes
 * to the 32-bit view without doing anything for it, and its hosts read that view.
 */
#include "asio/dll.h"

#include <stdio.h>

#define ASIO_KEY L"SOFTWARE\\ASIO"
#define CLASSES_KEY L"SOFTWARE\\Classes\\CLSID"

enum { GUID_CHARS = 39, KEY_CHARS = 128 };

static void
format_guid(const struct asio_guid *guid, wchar_t text[GUID_CHARS])
{
    const uint8_t *d = guid->data4;

    _snwprintf(text, GUID_CHARS, L"{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
               (unsigned long)guid->data1, guid->data2, guid->data3, d[0], d[1], d[2], d[3], d[4],
               d[5], d[6], d[7]);
    text[GUID_CHARS - 1] = L'\0';
}

static LSTATUS
write_text(const wchar_t *key, const wchar_t *name, const wchar_t *value)
{
    return RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, name, REG_SZ, value,
                           (DWORD)((wcslen(value) + 1) * sizeof *value));
}

/* The keys of one name. */
struct keys {
    wchar_t guid[GUID_CHARS];
    wchar_t name[ASIO_NAME_BYTES];
    wchar_t asio[KEY_CHARS], class[KEY_CHARS], server[KEY_CHARS];
};

static void
name_keys(struct keys *keys, const struct dll_name *name)
{
    format_guid(&name->clsid, keys->guid);
    _snwprintf(keys->name, ASIO_NAME_BYTES, L"%hs", name->name);
    keys->name[ASIO_NAME_BYTES - 1] = L'\0';
    _snwprintf(keys->asio, KEY_CHARS, L"%ls\\%ls", ASIO_KEY, keys->name);
    _snwprintf(keys->class, KEY_CHARS, L"%ls\\%ls", CLASSES_KEY, keys->guid);
    _snwprintf(keys->server, KEY_CHARS, L"%ls\\InprocServer32", keys->class);
}

HRESULT
registry_write(const struct dll_name *name, const wchar_t *path)
{
    struct keys keys;
    LSTATUS error;

    name_keys(&keys, name);
    /* The class first: whoever sees the entry can create it. */
    error = write_text(keys.class, NULL, keys.name);
    if (!error)
        error = write_text(keys.server, NULL, path);
    /* Both: with Apartment a host in the multi-threaded apartment would need a proxy, and there is
     * none. */
    if (!error)
        error = write_text(keys.server, L"ThreadingModel", L"Both");
    if (!error)
        error = write_text(keys.asio, L"CLSID", keys.guid);
    if (!error)
        error = write_text(keys.asio, L"Description", keys.name);
    return HRESULT_FROM_WIN32((DWORD)error);
}

static LSTATUS
remove_tree(const wchar_t *key)
{
    LSTATUS error = RegDeleteTreeW(HKEY_LOCAL_MACHINE, key);

    return error == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : error;
}

/* The list itself goes with its last driver. */
static void
remove_empty_list(void)
{
    HKEY list;
    DWORD keys = 1, values = 1;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, ASIO_KEY, 0, KEY_READ, &list))
        return;
    LSTATUS error = RegQueryInfoKeyW(list, NULL, NULL, NULL, &keys, NULL, NULL, &values, NULL, NULL,
                                     NULL, NULL);
    RegCloseKey(list);
    if (!error && keys == 0 && values == 0)
        RegDeleteKeyW(HKEY_LOCAL_MACHINE, ASIO_KEY);
}

HRESULT
registry_remove(const struct dll_name *name)
{
    struct keys keys;

    name_keys(&keys, name);
    LSTATUS entry = remove_tree(keys.asio);
    LSTATUS class = remove_tree(keys.class);
    if (!entry)
        remove_empty_list();
    return HRESULT_FROM_WIN32((DWORD)(entry ? entry : class));
}
