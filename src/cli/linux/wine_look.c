/* SPDX-License-Identifier: MIT */
/*
 * The state of a prefix, read without running anything in it. See wine.h.
 *
 * A Wine that starts in a prefix compares the time of its wine.inf with the number in
 * .update-timestamp, and rebuilds the prefix when they differ, unless that file says "disable"
 * (Wine, programs/wineboot/wineboot.c, update_timestamp(); Proton's script writes the file itself).
 * So this comparison tells whether a Wine would change it.
 *
 * A running server holds a lock on "lock" in /tmp/.wine-UID/server-DEVICE-INODE, both numbers of
 * the prefix's folder in hexadecimal (Wine, server/request.c, create_server_lock() and
 * create_server_dir()). Debian's puts server-… below the folder of /tmp that PREFIX/wineserver
 * names.
 */
#include "cli/linux/wine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/ascii.h"
#include "cli/linux/wine_registry.h"

enum { LISTED_BYTES = 128 }; /* of a path, in the usual code of hosts */

/* As src/asio/dll.c has it. */
#define CLSID "{64DF45EA-BF66-45EF-B350-D02DB142E37E}"

enum { VERSION_SIGNATURE_BYTES = 16 };

/* ---- the registry ---- */

/* The names behind "Tutti " of the other entries. */
static void
read_entries(const char *registry, bool apart, char entries[WINE_PROFILES_BYTES])
{
    const char *folder = apart ? "Software\\Wow6432Node\\ASIO" : "Software\\ASIO";
    char name[WINE_NAME_BYTES];
    size_t length = 0;

    for (const char *at = registry; wine_registry_next(&at, folder, name, sizeof(name));) {
        const char *profile = name + strlen("Tutti ");
        if (ascii_starts_with(name, "Tutti ") &&
            length + strlen(profile) + 2 < WINE_PROFILES_BYTES) {
            length += (size_t)snprintf(entries + length, WINE_PROFILES_BYTES - length, "%s%s",
                                       length ? "," : "", profile);
        }
    }
}

/* The keys that hosts of a half read. In a 64-bit prefix the 32-bit ones lie apart. */
static void
read_driver(const char *registry, bool apart, struct wine_driver *driver)
{
    const char *server = apart ? "Software\\Classes\\Wow6432Node\\CLSID\\" CLSID "\\InprocServer32"
                               : "Software\\Classes\\CLSID\\" CLSID "\\InprocServer32";
    const char *entry = apart ? "Software\\Wow6432Node\\ASIO\\Tutti" : "Software\\ASIO\\Tutti";
    char clsid[64];

    if (!wine_registry_get(registry, entry, "CLSID", clsid, sizeof(clsid)) ||
        !ascii_same(clsid, CLSID) ||
        !wine_registry_get(registry, server, NULL, driver->windows_path,
                           sizeof(driver->windows_path))) {
        driver->windows_path[0] = '\0';
    } else {
        read_entries(registry, apart, driver->entries);
    }
}

/* ---- files ---- */

/* The version in a file's resources: a signature, a version of the structure, then the file's. */
static void
read_version(const char *path, char version[WINE_NAME_BYTES])
{
    static const unsigned char signature[] = {0xBD, 0x04, 0xEF, 0xFE, 0x00, 0x00, 0x01, 0x00};
    struct text file;
    unsigned char bytes[VERSION_SIGNATURE_BYTES];

    version[0] = '\0';
    text_init(&file);
    if (files_read(&file, path)) {
        const char *found = memmem(text_get(&file), file.length, signature, sizeof(signature));
        if (found && file.length - (size_t)(found - text_get(&file)) >= sizeof(bytes)) {
            memcpy(bytes, found, sizeof(bytes));
            snprintf(version, WINE_NAME_BYTES, "%u.%u.%u", bytes[10] | bytes[11] << 8,
                     bytes[8] | bytes[9] << 8, bytes[14] | bytes[15] << 8);
        } else {
            snprintf(version, WINE_NAME_BYTES, "unknown");
        }
    }
    text_fini(&file);
}

bool
wine_unix_path(const char *prefix, const char *windows, char path[FILES_PATH_BYTES])
{
    char drive[] = "dosdevices/x:";

    if (!windows[0] || windows[1] != ':' || windows[2] != '\\') {
        return false;
    }
    drive[strlen(drive) - 2] = (char)(windows[0] | 0x20);
    if (!files_join(path, prefix, drive) || access(path, F_OK) != 0) {
        return false;
    }
    if (!files_join(path, path, windows + 3)) {
        return false;
    }
    for (char *at = path; *at; at++) {
        if (*at == '\\') {
            *at = '/';
        }
    }
    return true;
}

bool
wine_windows_path(const char *prefix, const char *path, char windows[FILES_PATH_BYTES])
{
    char device[FILES_PATH_BYTES], target[8];

    if (!files_join(device, prefix, "dosdevices/z:") || strlen(path) + 3 > FILES_PATH_BYTES) {
        return false;
    }
    ssize_t length = readlink(device, target, sizeof(target));
    if (length != 1 || target[0] != '/' || strchr(path, '\\')) {
        return false;
    }
    snprintf(windows, FILES_PATH_BYTES, "Z:%.4000s", path);
    for (char *at = windows; *at; at++) {
        if (*at == '/') {
            *at = '\\';
        }
    }
    return true;
}

static void
look_at_driver(const struct wine_prefix *prefix, const char *ours, struct wine_driver *driver)
{
    char path[FILES_PATH_BYTES];

    driver->path[0] = '\0';
    driver->version[0] = '\0';
    driver->same = driver->engine = false;
    if (!driver->windows_path[0] ||
        !wine_unix_path(prefix->path, driver->windows_path, driver->path)) {
        return;
    }
    read_version(driver->path, driver->version);
    driver->same =
        ours[0] && files_join(path, ours, wine_files[0]) && files_same(driver->path, path);
    files_set(path, driver->path);
    *strrchr(path, '/') = '\0';
    driver->engine = files_join(path, path, wine_files[1]) && files_is_file(path);
    wine_look_native(driver);
}

/* ---- the server ---- */

static bool
is_locked(const char *folder, const struct stat *status)
{
    char path[FILES_PATH_BYTES], name[80];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    snprintf(name, sizeof(name), "server-%jx-%jx/lock", (uintmax_t)status->st_dev,
             (uintmax_t)status->st_ino);
    int fd = files_join(path, folder, name) ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0) {
        return false;
    }
    bool locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}

static bool
is_in_use(const char *prefix)
{
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES], name[64];
    struct stat status;

    if (stat(prefix, &status) != 0) {
        return false;
    }
    snprintf(folder, sizeof(folder), "/tmp/.wine-%u", (unsigned)geteuid());
    if (is_locked(folder, &status)) {
        return true;
    }
    if (!files_join(path, prefix, "wineserver")) {
        return false;
    }
    files_read_line(path, name, sizeof(name));
    return name[0] && !strchr(name, '/') && files_join(folder, "/tmp", name) &&
           is_locked(folder, &status);
}

/* ---- may it be touched? ---- */

static bool fault(struct wine_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fault(struct wine_state *state, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(state->fault, sizeof(state->fault), format, list);
    va_end(list);
    return false;
}

static bool
is_ours_to_write(const struct wine_prefix *prefix, struct wine_state *state)
{
    char path[FILES_PATH_BYTES];
    struct stat status;

    if (stat(prefix->path, &status) != 0) {
        return fault(state, "it cannot be read: %s", strerror(errno));
    }
    if (status.st_uid != geteuid()) {
        return fault(state, "it belongs to another user; run tutti as that user");
    }
    if (!files_join(path, prefix->path, "system.reg")) {
        return fault(state, "its path is too long");
    }
    if (access(prefix->path, W_OK) != 0 || (access(path, W_OK) != 0 && errno != ENOENT)) {
        return fault(state, "it cannot be written: %s; make the folder writable first",
                     strerror(errno));
    }
    return true;
}

static bool
is_whole(const struct wine_prefix *prefix, const char *registry, int error,
         struct wine_state *state)
{
    char path[FILES_PATH_BYTES];

    const bool has_drive = files_join(path, prefix->path, "drive_c") && files_is_folder(path);
    /* Wine's server writes the registry when it ends, some seconds after wineboot */
    state->being_made = state->in_use && (!has_drive || error == ENOENT);
    if (state->being_made) {
        return fault(state,
                     "its Wine is still setting it up; wait until wineboot has ended and try "
                     "again");
    }
    if (!has_drive) {
        return fault(state, "it has no drive_c: it was not made to the end or is damaged; make it "
                            "again with wineboot");
    }
    if (error) {
        return fault(state,
                     "its system.reg cannot be read (%s): it is damaged; make it again with "
                     "wineboot",
                     strerror(error));
    }
    const char *what = wine_registry_fault(registry);
    if (what) {
        return fault(state,
                     "its system.reg %s; bring it back from a backup or make the prefix "
                     "again with wineboot",
                     what);
    }
    if (!state->bits) {
        return fault(state, "its system.reg does not say whether it is for 32 or 64 bits");
    }
    return true;
}

static bool
has_its_wine(const struct wine_prefix *prefix, struct wine_state *state)
{
    if (prefix->loader[0]) {
        files_set(state->loader, prefix->loader);
    } else if (prefix->layout == WINE_PROTON) {
        return fault(state, "the Proton that it runs with is not known; start its program once "
                            "from Steam");
    } else if (!wine_system_loader(state->loader)) {
        return fault(state, "there is no Wine; install it with the distribution's packages");
    }
    if (access(state->loader, X_OK) != 0) {
        fault(state, "the Wine that it runs with, %s, is not installed (%.400s)",
              prefix->runner[0] ? prefix->runner : "its own", state->loader);
        state->loader[0] = '\0';
        return false;
    }
    wine_version(state->loader, state->version);
    if (!state->version[0]) {
        return fault(state, "its Wine, %.400s, does not run here%s", state->loader,
                     prefix->sandboxed ? ": it belongs to a Flatpak" : "");
    }
    return true;
}

/* That running its Wine leaves it as it is. */
static bool
is_of_its_wine(const struct wine_prefix *prefix, struct wine_state *state)
{
    char path[FILES_PATH_BYTES], mark[64] = "";
    struct stat inf;

    if (state->bits == 32 && !wine_runs_32(state->loader)) {
        return fault(state,
                     "it is a 32-bit prefix and %s runs 64-bit ones only; install its "
                     "32-bit part (wine32)",
                     state->version);
    }
    if (!wine_inf(state->loader, path) || stat(path, &inf) != 0) {
        return fault(state,
                     "%s has no wine.inf, so it is not known whether it would change the "
                     "prefix",
                     state->version);
    }
    if (files_join(path, prefix->path, ".update-timestamp")) {
        files_read_line(path, mark, sizeof(mark));
    }
    if (strncmp(mark, "disable", strlen("disable")) == 0) {
        return true;
    }
    if (strtoll(mark, NULL, 10) != (long long)inf.st_mtime) {
        return fault(state,
                     "it was last used with another Wine than %s, which would rebuild it; "
                     "start a program in it once with the Wine you want%s",
                     state->version,
                     prefix->layout == WINE_PLAIN || prefix->layout == WINE_GIVEN
                         ? ", or name that Wine with --wine"
                         : "");
    }
    return true;
}

/* ---- what to say of the driver ---- */

/* Hosts commonly look for a driver's file by OpenFile(), in their code page and a path of 128
 * bytes. ASCII means the same in all code pages. */
const char *
wine_list_fault(const char *windows_path)
{
    for (const char *at = windows_path; *at; at++) {
        if ((unsigned char)*at >= 0x80) {
            return "has characters outside ASCII";
        }
    }
    return strlen(windows_path) >= LISTED_BYTES ? "has more than 127 characters" : NULL;
}

static void
advise(const struct wine_prefix *prefix, const struct wine_dlls *dlls, struct wine_state *state)
{
    bool any = false, all = true;

    for (unsigned half = 0; half < WINE_HALVES; half++) {
        const struct wine_driver *driver = &state->driver[half];
        const char *bits = half == WINE_64 ? "64-bit" : "32-bit";
        bool wanted = half == WINE_32 ? state->bits == 32 || state->both : state->bits == 64;
        if (!driver->windows_path[0]) {
            all = all && (!wanted || !dlls->half[half][0]);
            continue;
        }
        any = true;
        if (!driver->version[0]) {
            snprintf(state->advice, sizeof(state->advice),
                     "the %s driver's file is gone; run 'tutti wine install'", bits);
        } else if (!driver->engine) {
            snprintf(state->advice, sizeof(state->advice),
                     "tuttid.exe is missing beside the %s driver, so it finds no engine; run "
                     "'tutti wine install'",
                     bits);
        } else if (dlls->half[half][0] && !driver->same) {
            snprintf(state->advice, sizeof(state->advice),
                     "the %s driver is another build (%s) than this one (" TUTTI_VERSION
                     "); run 'tutti wine install'",
                     bits, driver->version);
        } else if (wine_list_fault(driver->windows_path)) {
            snprintf(state->advice, sizeof(state->advice),
                     "some programs do not list the %s driver, for its path %s; run 'tutti wine "
                     "install'",
                     bits, wine_list_fault(driver->windows_path));
        } else if (driver->native[0] && !prefix->sandboxed) {
            snprintf(state->advice, sizeof(state->advice),
                     "programs here play through Wine's own sound system and meet no native "
                     "program: %.400s; install Tutti again",
                     driver->native);
        }
    }
    if (state->advice[0] || state->fault[0]) {
        return;
    }
    if (!any) {
        snprintf(state->advice, sizeof(state->advice),
                 "register it with 'tutti wine install --prefix %.400s'", prefix->path);
    } else if (!all) {
        snprintf(state->advice, sizeof(state->advice),
                 "only one half of the driver is registered: programs of the other kind do not see "
                 "it");
    }
}

void
wine_look(const struct wine_prefix *prefix, const struct wine_dlls *dlls, struct wine_state *state)
{
    char path[FILES_PATH_BYTES];
    struct text registry;
    struct wine_note note;

    *state = (struct wine_state){0};
    text_init(&registry);
    int error =
        files_join(path, prefix->path, "system.reg") && files_read(&registry, path) ? 0 : errno;
    state->bits = wine_registry_bits(text_get(&registry));
    state->both = state->bits == 64 &&
                  files_join(path, prefix->path, "drive_c/windows/syswow64/regsvr32.exe") &&
                  files_is_file(path);
    state->in_use = is_in_use(prefix->path);
    state->ours = wine_note_read(prefix->path, &note);
    if (state->bits == 64) {
        read_driver(text_get(&registry), false, &state->driver[WINE_64]);
    }
    if (state->bits) {
        read_driver(text_get(&registry), state->bits == 64, &state->driver[WINE_32]);
    }
    for (unsigned half = 0; half < WINE_HALVES; half++) {
        look_at_driver(prefix, dlls->half[half], &state->driver[half]);
    }
    if (is_ours_to_write(prefix, state) && is_whole(prefix, text_get(&registry), error, state) &&
        has_its_wine(prefix, state)) {
        is_of_its_wine(prefix, state);
    }
    advise(prefix, dlls, state);
    text_fini(&registry);
}

bool
wine_await_setup(const struct wine_prefix *prefix, const struct wine_dlls *dlls, unsigned wait_s)
{
    static struct wine_state state;
    const struct timespec nap = {.tv_nsec = 200000000};

    for (unsigned naps = 0; naps < 5 * wait_s; naps++) {
        wine_look(prefix, dlls, &state);
        /* what made it may be at work a little longer than its registry is missing */
        if (!state.being_made && !state.in_use) {
            return true;
        }
        nanosleep(&nap, NULL);
    }
    return false;
}
