/* SPDX-License-Identifier: MIT */
/*
 * What regsvr32 asks the module for: DllRegisterServer and its reverse for the whole machine, and
 * DllInstall (regsvr32 /n /i:WORDS) for the rest:
 *
 *   user              everything for this user alone
 *   profile:NAME      one more entry, or one less with /u
 *   profiles:A,B,C    exactly these profiles, none of the others; /u: none at all
 *   user profile:...  for this user alone
 */
#include "asio/dll.h"

#include <olectl.h>
#include <string.h>

#include "base/log.h"

enum { PATH_CHARS = 1024, WORDS_BYTES = 2048 };

static bool
module_path(wchar_t path[PATH_CHARS])
{
    HMODULE module = module_pin();
    DWORD length = module ? GetModuleFileNameW(module, path, PATH_CHARS) : 0;

    if (module) {
        FreeLibrary(module);
    }
    return length > 0 && length < PATH_CHARS;
}

static HRESULT
first_failure(HRESULT result, HRESULT another)
{
    return FAILED(result) ? result : another;
}

/* Takes out the profiles' entries but those to keep. Goes on after an error. */
static HRESULT
remove_profiles(enum registry_root root, const struct dll_name *keep, unsigned kept)
{
    static struct dll_name names[CONFIG_PROFILES]; /* of one caller: regsvr32 has one thread */
    HRESULT result = S_OK;
    unsigned removed, count;

    do {
        count = registry_profiles(root, names, CONFIG_PROFILES);
        removed = 0;
        for (unsigned i = 0; i < count; i++) {
            bool stays = false;
            for (unsigned k = 0; k < kept; k++) {
                stays = stays || memcmp(&keep[k].clsid, &names[i].clsid, sizeof(keep->clsid)) == 0;
            }
            if (stays) {
                continue;
            }
            HRESULT one = registry_remove(root, &names[i]);
            removed += SUCCEEDED(one);
            result = first_failure(result, one);
        }
    } while (removed && count == CONFIG_PROFILES);
    return result;
}

/* "Tutti", and the present path for the profiles that are there. */
static HRESULT
install_all(enum registry_root root)
{
    static struct dll_name names[CONFIG_PROFILES];
    wchar_t path[PATH_CHARS];

    if (!module_path(path)) {
        return SELFREG_E_CLASS;
    }
    HRESULT result = registry_write(root, &dll_names[0], path);
    if (FAILED(result)) {
        registry_remove(root, &dll_names[0]);
        return result;
    }
    unsigned count = registry_profiles(root, names, CONFIG_PROFILES);
    for (unsigned i = 0; i < count; i++) {
        result = first_failure(result, registry_write(root, &names[i], path));
    }
    return result;
}

static HRESULT
remove_all(enum registry_root root)
{
    return first_failure(remove_profiles(root, NULL, 0), registry_remove(root, &dll_names[0]));
}

static HRESULT
one_profile(enum registry_root root, bool install, const char *name)
{
    char reason[CONFIG_TEXT_BYTES];
    struct dll_name entry;
    wchar_t path[PATH_CHARS];

    if (!entry_of_profile(name, &entry, reason) || !module_path(path)) {
        return E_INVALIDARG;
    }
    if (!install) {
        return registry_remove(root, &entry);
    }
    HRESULT result = registry_write(root, &entry, path);
    if (FAILED(result)) {
        registry_remove(root, &entry);
    }
    return result;
}

/* names: with commas between. */
static HRESULT
exactly_profiles(enum registry_root root, const char *names)
{
    static struct dll_name entries[CONFIG_PROFILES];
    char item[CONFIG_TEXT_BYTES], reason[CONFIG_TEXT_BYTES];
    wchar_t path[PATH_CHARS];
    unsigned count = 0;
    HRESULT result = S_OK;

    for (unsigned i = 0; config_list_item(names, i, item, sizeof(item)); i++) {
        if (count == CONFIG_PROFILES || !entry_of_profile(item, &entries[count], reason)) {
            return E_INVALIDARG;
        }
        count++;
    }
    if (!module_path(path)) {
        return SELFREG_E_CLASS;
    }
    for (unsigned i = 0; i < count; i++) {
        result = first_failure(result, registry_write(root, &entries[i], path));
    }
    return first_failure(result, remove_profiles(root, entries, count));
}

/* The rest of a text after a word and what parts it from the next; NULL when it begins otherwise.
 */
static const char *
after(const char *text, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(text, word, length) != 0) {
        return NULL;
    }
    return text + length;
}

STDAPI
DllRegisterServer(void)
{
    return install_all(REGISTRY_MACHINE);
}

STDAPI
DllUnregisterServer(void)
{
    return remove_all(REGISTRY_MACHINE);
}

STDAPI DllInstall(BOOL install, LPCWSTR command);

STDAPI
DllInstall(BOOL install, LPCWSTR command)
{
    char words[WORDS_BYTES] = "";
    const char *at = words, *rest;
    enum registry_root root = REGISTRY_MACHINE;

    if (command && command[0] &&
        !WideCharToMultiByte(CP_UTF8, 0, command, -1, words, sizeof(words), NULL, NULL)) {
        return E_INVALIDARG;
    }
    if ((rest = after(at, "user")) != NULL && (!*rest || *rest == ' ')) {
        root = REGISTRY_USER;
        at = *rest ? rest + 1 : rest;
    }
    if (!*at) {
        return install ? install_all(root) : remove_all(root);
    }
    if ((rest = after(at, "profile:")) != NULL) {
        return one_profile(root, install, rest);
    }
    if ((rest = after(at, "profiles:")) != NULL) {
        return exactly_profiles(root, install ? rest : "");
    }
    return E_INVALIDARG;
}
