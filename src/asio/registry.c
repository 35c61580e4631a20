/* SPDX-License-Identifier: MIT */
/*
 * What hosts find: HKLM\SOFTWARE\ASIO\NAME with CLSID and Description, and the class itself below
 * HKLM\SOFTWARE\Classes, which is what HKEY_CLASSES_ROOT shows to everybody. (Writing through
 * HKEY_CLASSES_ROOT would land in a user's own half where that has the key.) For one user alone
 * there is the class below HKCU\SOFTWARE\Classes, and no list: hosts read the machine's. A 32-bit
 * module writes to the 32-bit view without doing anything for it, and its hosts read that view.
 */
#include "asio/dll.h"

#include <stdio.h>
#include <string.h>

#define ASIO_KEY L"SOFTWARE\\ASIO"
#define CLASSES_KEY L"SOFTWARE\\Classes\\CLSID"

enum { GUID_CHARS = 39, KEY_CHARS = 128, VALUE_CHARS = 64 };

static void
format_guid(const struct asio_guid *guid, wchar_t text[GUID_CHARS])
{
    const uint8_t *d = guid->data4;

    _snwprintf(text, GUID_CHARS, L"{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
               (unsigned long)guid->data1, guid->data2, guid->data3, d[0], d[1], d[2], d[3], d[4],
               d[5], d[6], d[7]);
    text[GUID_CHARS - 1] = L'\0';
}

static HKEY
root_key(enum registry_root root)
{
    return root == REGISTRY_USER ? HKEY_CURRENT_USER : HKEY_LOCAL_MACHINE;
}

static LSTATUS
write_text(HKEY root, const wchar_t *key, const wchar_t *name, const wchar_t *value)
{
    return RegSetKeyValueW(root, key, name, REG_SZ, value,
                           (DWORD)((wcslen(value) + 1) * sizeof(*value)));
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
registry_write(enum registry_root root, const struct dll_name *name, const wchar_t *path)
{
    HKEY key = root_key(root);
    struct keys keys;
    LSTATUS error;

    name_keys(&keys, name);
    /* The class first: a program that sees the entry can create it. */
    error = write_text(key, keys.class, NULL, keys.name);
    if (!error) {
        error = write_text(key, keys.server, NULL, path);
    }
    /* Both: with Apartment a host in the multi-threaded apartment would need a proxy, and there is
     * none. */
    if (!error) {
        error = write_text(key, keys.server, L"ThreadingModel", L"Both");
    }
    if (!error && root == REGISTRY_MACHINE) {
        error = write_text(key, keys.asio, L"CLSID", keys.guid);
    }
    if (!error && root == REGISTRY_MACHINE) {
        error = write_text(key, keys.asio, L"Description", keys.name);
    }
    return HRESULT_FROM_WIN32((DWORD)error);
}

static LSTATUS
remove_tree(HKEY root, const wchar_t *key)
{
    LSTATUS error = RegDeleteTreeW(root, key);

    return error == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : error;
}

/* A key that was made for what is gone now, or would have been. */
static void
remove_empty(HKEY root, const wchar_t *path)
{
    HKEY key;
    DWORD keys = 1, values = 1;

    if (RegOpenKeyExW(root, path, 0, KEY_READ, &key)) {
        return;
    }
    LSTATUS error =
        RegQueryInfoKeyW(key, NULL, NULL, NULL, &keys, NULL, NULL, &values, NULL, NULL, NULL, NULL);
    RegCloseKey(key);
    if (!error && keys == 0 && values == 0) {
        RegDeleteKeyW(root, path);
    }
}

HRESULT
registry_remove(enum registry_root root, const struct dll_name *name)
{
    HKEY key = root_key(root);
    struct keys keys;
    LSTATUS entry = ERROR_SUCCESS;

    name_keys(&keys, name);
    if (root == REGISTRY_MACHINE) {
        entry = remove_tree(key, keys.asio);
    }
    LSTATUS class = remove_tree(key, keys.class);
    /* The lists themselves go with their last driver. */
    if (root == REGISTRY_MACHINE && !entry) {
        remove_empty(key, ASIO_KEY);
    }
    if (root == REGISTRY_USER && !class) {
        remove_empty(key, CLASSES_KEY);
    }
    return HRESULT_FROM_WIN32((DWORD)(entry ? entry : class));
}

/* ---- what is registered ---- */

/* An entry by its name, if that has this CLSID. */
static bool
is_entry(const wchar_t *name, const wchar_t *guid, struct dll_name *entry)
{
    char text[2 * VALUE_CHARS];
    wchar_t own[GUID_CHARS];

    if (!WideCharToMultiByte(CP_UTF8, 0, name, -1, text, sizeof(text), NULL, NULL) ||
        !entry_of_name(text, entry)) {
        return false;
    }
    format_guid(&entry->clsid, own);
    return _wcsicmp(own, guid) == 0;
}

static bool
is_listed(const struct dll_name *names, unsigned count, const struct dll_name *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (memcmp(&names[i].clsid, &name->clsid, sizeof(name->clsid)) == 0) {
            return true;
        }
    }
    return false;
}

struct found {
    struct dll_name *names;
    unsigned count, room;
};

/* Adds what a list holds: subkeys whose name and value are an entry's name and CLSID, or the other
 * way round. */
static void
add_list(HKEY root, const wchar_t *path, const wchar_t *value_name, bool by_class,
         struct found *found)
{
    wchar_t sub[VALUE_CHARS], value[VALUE_CHARS];
    HKEY list;

    if (RegOpenKeyExW(root, path, 0, KEY_READ, &list)) {
        return;
    }
    for (DWORD i = 0; found->count < found->room; i++) {
        DWORD length = VALUE_CHARS, bytes = sizeof(value);
        LSTATUS error = RegEnumKeyExW(list, i, sub, &length, NULL, NULL, NULL, NULL);
        if (error == ERROR_MORE_DATA) {
            continue;
        }
        if (error) {
            break;
        }
        if (RegGetValueW(list, sub, value_name, RRF_RT_REG_SZ, NULL, value, &bytes)) {
            continue;
        }
        struct dll_name *name = &found->names[found->count];
        bool ours = by_class ? is_entry(value, sub, name) : is_entry(sub, value, name);
        if (ours && !is_listed(found->names, found->count, name)) {
            found->count++;
        }
    }
    RegCloseKey(list);
}

unsigned
registry_profiles(enum registry_root root, struct dll_name *names, unsigned room)
{
    struct found found = {.names = names, .room = room};

    if (root == REGISTRY_MACHINE) {
        add_list(root_key(root), ASIO_KEY, L"CLSID", false, &found);
    }
    add_list(root_key(root), CLASSES_KEY, NULL, true, &found);
    return found.count;
}

/* By the two halves themselves: Wine's HKEY_CLASSES_ROOT shows the machine's alone. */
bool
registry_find(const struct asio_guid *clsid, struct dll_name *name)
{
    static const enum registry_root roots[] = {REGISTRY_USER, REGISTRY_MACHINE};
    wchar_t key[KEY_CHARS], guid[GUID_CHARS], value[VALUE_CHARS];

    format_guid(clsid, guid);
    _snwprintf(key, KEY_CHARS, L"%ls\\%ls", CLASSES_KEY, guid);
    for (unsigned i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
        DWORD bytes = sizeof(value);
        if (!RegGetValueW(root_key(roots[i]), key, NULL, RRF_RT_REG_SZ, NULL, value, &bytes)) {
            return is_entry(value, guid, name);
        }
    }
    return false;
}
