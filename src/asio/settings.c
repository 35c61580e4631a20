/* SPDX-License-Identifier: MIT */
/* The configuration as this process sees it: the same file and the same variables that the engine
 * reads. See settings.h. */
#include "asio/driver.h"

#include <stdio.h>
#include <stdlib.h>

#include "asio/names.h"
#include "base/log.h"

enum { NAME_CHARS = 128 };

static bool
getenv_utf8(const char *name, char *value, size_t bytes)
{
    wchar_t wide_name[NAME_CHARS], wide[SETTINGS_PATH_BYTES];

    if (!MultiByteToWideChar(CP_UTF8, 0, name, -1, wide_name, NAME_CHARS)) {
        return false;
    }
    DWORD length = GetEnvironmentVariableW(wide_name, wide, SETTINGS_PATH_BYTES);
    if (length >= SETTINGS_PATH_BYTES ||
        (length == 0 && GetLastError() == ERROR_ENVVAR_NOT_FOUND)) {
        return false;
    }
    wide[length] = L'\0';
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, value, (int)bytes, NULL, NULL) > 0;
}

static const char *
file_name(const char *path)
{
    const char *name = path;

    for (const char *at = path; *at; at++) {
        if (*at == '/' || *at == '\\') {
            name = at + 1;
        }
    }
    return name;
}

/* ---- the log ---- */

/* The folder in which engine and programs meet, made if need be. A native one when it begins with a
 * slash: then this is Wine. */
static bool
log_folder(char *folder, size_t bytes)
{
    wchar_t wide[SETTINGS_PATH_BYTES];
    char local[SETTINGS_PATH_BYTES];
    int length = -1;

    if (getenv_utf8("TUTTI_RUNTIME_DIR", local, sizeof(local)) && local[0]) {
        length = snprintf(folder, bytes, "%s%s", local[0] == '/' ? "\\\\?\\unix" : "", local);
    } else if (getenv_utf8("LOCALAPPDATA", local, sizeof(local)) && local[0]) {
        length = snprintf(folder, bytes, "%s\\Tutti", local);
    }
    if (length <= 0 || (size_t)length >= bytes) {
        return false;
    }
    for (char *at = folder; *at; at++) {
        *at = *at == '/' ? '\\' : *at;
    }
    if (MultiByteToWideChar(CP_UTF8, 0, folder, -1, wide, SETTINGS_PATH_BYTES)) {
        CreateDirectoryW(wide, NULL);
    }
    return true;
}

/* Once per process, by its first object. */
static void
open_log(void)
{
    static atomic_bool opened;
    wchar_t wide[SETTINGS_PATH_BYTES];
    char folder[SETTINGS_PATH_BYTES - 16], path[SETTINGS_PATH_BYTES], host[SETTINGS_PATH_BYTES];
    char who[64];

    if (atomic_exchange(&opened, true) || !log_folder(folder, sizeof(folder))) {
        return;
    }
    DWORD length = GetModuleFileNameW(NULL, wide, SETTINGS_PATH_BYTES);
    if (length == 0 || length >= SETTINGS_PATH_BYTES ||
        !WideCharToMultiByte(CP_UTF8, 0, wide, -1, host, sizeof(host), NULL, NULL)) {
        host[0] = '\0';
    }
    snprintf(who, sizeof(who), "%.40s[%lu]", file_name(host), GetCurrentProcessId());
    snprintf(path, sizeof(path), "%s\\driver.log", folder);
    log_open(who, path);
}

/* ---- reading ---- */

struct mistakes {
    const char *entry;
    char first[CONFIG_TEXT_BYTES];
};

static void
take_mistake(void *user, const char *sentence)
{
    struct mistakes *mistakes = user;

    if (!mistakes->first[0]) {
        snprintf(mistakes->first, sizeof(mistakes->first), "%s", sentence);
    }
    log_warning("asio: configuration of '%s': %s", mistakes->entry, sentence);
}

/* last: what stays where the file is wrong; NULL: the defaults. False: it cannot be read, and all
 * stays. */
static bool
read_all(struct driver *driver, struct config *config, const struct config *last,
         const struct config_text *text)
{
    char problem[CONFIG_TEXT_BYTES];
    struct mistakes mistakes = {.entry = driver->name->name};
    bool readable = text->status == TUTTI_OK;
    struct config_source source = {
        .name = file_name(driver->settings.watch.path),
        .text = text->text ? text->text : "",
        .bytes = text->text ? text->bytes : 0,
        .profile = driver->name->profile,
        .last = last,
        .mistake = take_mistake,
        .user = &mistakes,
        .getenv_utf8 = getenv_utf8,
    };

    /* The engine tells of the device's keys; a mistake leaves its last value, and playing goes on.
     */
    if (text->problem[0]) {
        take_mistake(&mistakes, file_name(text->problem));
    }
    if (readable || !last) {
        config_read(config, &source, problem);
    } else {
        *config = *last;
    }
    names_log(config, GetACP());
    if (mistakes.first[0]) {
        object_fail(driver, 0, "%s", mistakes.first);
    }
    return readable;
}

void
settings_open(struct driver *driver)
{
    struct config_text text;

    open_log();
    config_watch_open(&driver->settings.watch, getenv_utf8, &text); /* init may come again */
    read_all(driver, &driver->config, NULL, &text);
    free(text.text);
    config_watch_set_log(&driver->config);
}

void
settings_close(struct driver *driver)
{
    free(atomic_exchange(&driver->settings.waiting, NULL));
    config_watch_close(&driver->settings.watch);
}

/* ---- living ---- */

static void
say_it_hangs(struct driver *driver, const struct config_text *text)
{
    struct mistakes mistakes = {.entry = driver->name->name};

    take_mistake(&mistakes, file_name(text->problem));
    object_fail(driver, 0, "%s", mistakes.first);
}

/* What the file says now waits to be taken over. True: see settings_look(). */
static bool
read_again(struct driver *driver, const struct config_text *text)
{
    struct settings *settings = &driver->settings;
    struct config *fresh = malloc(sizeof(*fresh));

    if (!fresh) {
        return false;
    }
    AcquireSRWLockShared(&settings->in_use);
    struct config present = driver->config;
    ReleaseSRWLockShared(&settings->in_use);
    if (!read_all(driver, fresh, &present, text)) {
        free(fresh);
        return false;
    }
    config_watch_set_log(fresh);
    bool offered = !config_same(fresh, &present, "program");
    log_info("asio: '%s': the configuration has changed%s", driver->name->name,
             offered ? ", and with it what was reported to the host" : "");
    free(atomic_exchange(&settings->waiting, fresh));
    return offered && object_state(driver) >= STATE_PREPARED;
}

bool
settings_look(struct driver *driver)
{
    struct config_text text;
    bool reset = false;

    switch (config_watch_look(&driver->settings.watch, CONFIG_FILE_LIMIT_MS, &text)) {
    case CONFIG_WATCH_CHANGED:
        reset = read_again(driver, &text);
        break;
    case CONFIG_WATCH_HANGS:
        say_it_hangs(driver, &text);
        break;
    case CONFIG_WATCH_SAME:
        break;
    }
    free(text.text);
    return reset;
}

/* What was read is taken over between two calls. Buffers were made by the values of their time. */
static void
take_over(struct driver *driver)
{
    struct settings *settings = &driver->settings;

    if (!TryAcquireSRWLockExclusive(&settings->in_use)) {
        return; /* a call is under way: the next one */
    }
    if (object_state(driver) < STATE_PREPARED) {
        struct config *fresh = atomic_exchange(&settings->waiting, NULL);
        if (fresh) {
            driver->config = *fresh;
        }
        free(fresh);
    }
    ReleaseSRWLockExclusive(&settings->in_use);
}

void
settings_begin_call(struct driver *driver)
{
    struct settings *settings = &driver->settings;

    if (atomic_load(&settings->waiting) && object_state(driver) < STATE_PREPARED) {
        take_over(driver);
    }
    AcquireSRWLockShared(&settings->in_use);
}

void
settings_end_call(struct driver *driver)
{
    ReleaseSRWLockShared(&driver->settings.in_use);
}
