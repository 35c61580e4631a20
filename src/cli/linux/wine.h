/* SPDX-License-Identifier: MIT */
/*
 * Wine prefixes: where they lie, which Wine runs them, in which state they are, and the driver put
 * into them and taken out again. Nothing here runs a program in a prefix but wine_register(): the
 * rest reads files.
 */
#ifndef TUTTI_CLI_LINUX_WINE_H
#define TUTTI_CLI_LINUX_WINE_H

#include <stdbool.h>
#include <stddef.h>

#include "console/json.h"
#include "cli/linux/files.h"
#include "console/style.h"

enum { WINE_WHY_BYTES = 640, WINE_NAME_BYTES = 128, WINE_PROFILES_BYTES = 1900 };

/* ---- the driver's files ---- */

enum wine_half { WINE_64, WINE_32, WINE_HALVES };

/* What lies in each half's folder; the driver first. It starts the engine that lies beside it. */
enum { WINE_FILES = 4 };
extern const char *const wine_files[WINE_FILES];
extern const char *const wine_half_folders[WINE_HALVES];

struct wine_dlls {
    char folder[FILES_PATH_BYTES];            /* holds the halves' folders; "" when there is none */
    char half[WINE_HALVES][FILES_PATH_BYTES]; /* that hold the files; "": not there */
};

/** Looks for the files: in `given`, else in $TUTTI_WINE_DLLS, else where an installation has them
 * beside this program (../lib/tutti). False: why says where it looked. */
bool wine_dlls_find(struct wine_dlls *dlls, const char *given, char why[WINE_WHY_BYTES]);

/* ---- prefixes ---- */

/* By whom a prefix was found. */
enum wine_layout {
    WINE_GIVEN, /* by hand */
    WINE_PLAIN, /* Wine's own places */
    WINE_PROTON,
    WINE_BOTTLES,
    WINE_LUTRIS,
    WINE_LAYOUTS
};
const char *wine_layout_name(enum wine_layout layout);

struct wine_prefix {
    enum wine_layout layout;
    bool sandboxed;                /* its programs see a Flatpak's files, not the system's */
    char name[WINE_NAME_BYTES];    /* as its layout calls it: Steam's number, a bottle, a game */
    char path[FILES_PATH_BYTES];   /* its folder, without links */
    char loader[FILES_PATH_BYTES]; /* the wine that runs it; "": the system's */
    char runner[WINE_NAME_BYTES];  /* what its layout says that it runs with; "": nothing */
};

struct wine_prefixes {
    struct wine_prefix *prefix;
    size_t count;
};

/** Every prefix of this user, each once: by $WINEPREFIX, Wine's own places, Proton, Bottles,
 * Lutris. */
void wine_find(struct wine_prefixes *list);
/** The one of this folder, with what a layout that knows it says of it. Always one. */
bool wine_find_given(struct wine_prefixes *list, const char *path, char why[WINE_WHY_BYTES]);
void wine_prefixes_fini(struct wine_prefixes *list);
/** Adds one, unless a prefix of the same folder is there. For the layouts. */
void wine_prefixes_add(struct wine_prefixes *list, const struct wine_prefix *prefix);
/** What each further layout finds below a home. For wine_find(). */
void wine_find_proton(struct wine_prefixes *list, const char *home);
void wine_find_bottles(struct wine_prefixes *list, const char *home);
void wine_find_lutris(struct wine_prefixes *list, const char *home);

/* ---- which Wine ---- */

/** The loader of the system's Wine: $WINELOADER, Debian's own place, PATH. False: there is none. */
bool wine_system_loader(char path[FILES_PATH_BYTES]);
/** wine.inf of a loader; false when it lies nowhere near. */
bool wine_inf(const char *loader, char path[FILES_PATH_BYTES]);
/** The server of a loader. */
bool wine_server(const char *loader, char path[FILES_PATH_BYTES]);
/** True when a loader runs 32-bit prefixes: the 32-bit part of Wine is there. */
bool wine_runs_32(const char *loader);
/** What `loader --version` says; "" when it does not run. */
void wine_version(const char *loader, char version[WINE_NAME_BYTES]);

/* ---- state ---- */

/* One half of the driver as a prefix has it. */
struct wine_driver {
    char windows_path[FILES_PATH_BYTES]; /* as registered; "": not registered */
    char path[FILES_PATH_BYTES];         /* the same file for Linux; "": not known */
    char version[WINE_NAME_BYTES];       /* of the file; "" when it is not there */
    bool same;                           /* byte for byte the one that would be installed */
    bool engine;                         /* tuttid.exe lies beside it */
    char bridge[FILES_PATH_BYTES];       /* tutti-bridge that it starts or was to; "": none */
    char native[WINE_WHY_BYTES];         /* why it does not reach the native engine; "": it does */
    char entries[WINE_PROFILES_BYTES]; /* beside its own, one for a profile, with commas between */
};

struct wine_state {
    char loader[FILES_PATH_BYTES]; /* that runs it; "": none was found */
    char version[WINE_NAME_BYTES]; /* of that Wine; "": unknown */
    unsigned bits;                 /* 64, 32, 0: unknown */
    bool both;                     /* a 64-bit prefix with a 32-bit half */
    bool in_use;                   /* a wineserver holds it now */
    bool being_made;               /* and has not written all of it yet; fault says so, too */
    bool ours;                     /* 'tutti wine install' left its note here */
    struct wine_driver driver[WINE_HALVES];
    char fault[WINE_WHY_BYTES];  /* why it cannot be touched, and what to do; "": it can */
    char advice[WINE_WHY_BYTES]; /* what is wrong with the driver here, and what to do; "" */
};

/** Looks at a prefix and changes nothing. dlls: to compare with. */
void wine_look(const struct wine_prefix *prefix, const struct wine_dlls *dlls,
               struct wine_state *state);

/** Waits until the Wine that sets a prefix up has ended; false after wait_s seconds. */
bool wine_await_setup(const struct wine_prefix *prefix, const struct wine_dlls *dlls,
                      unsigned wait_s);

/** Why the usual code by which hosts list drivers does not find one of this path: what the path
 * has, NULL: it finds it. */
const char *wine_list_fault(const char *windows_path);

/** Finds the bridge of a driver that lies at driver->path, and tries it. For wine_look(). */
void wine_look_native(struct wine_driver *driver);

/** A path as a prefix's programs write it, through the drive that shows all files. False: no drive
 * does. */
bool wine_windows_path(const char *prefix, const char *path, char windows[FILES_PATH_BYTES]);
/** And back; false when the drive is not linked. */
bool wine_unix_path(const char *prefix, const char *windows, char path[FILES_PATH_BYTES]);

/* ---- changing ---- */

/** Registers the driver in a prefix, with copies of its files only where the prefix's programs do
 * not see ours, or would not list them (wine_list_fault()). All or nothing: when it fails the
 * prefix is as before. why: what failed, or on success what is only half there ("" when nothing).
 */
bool wine_install(const struct wine_prefix *prefix, const struct wine_dlls *dlls, bool copy,
                  char why[WINE_WHY_BYTES]);
/** Takes out what wine_install() put there, and nothing else. */
bool wine_uninstall(const struct wine_prefix *prefix, const struct wine_dlls *dlls,
                    char why[WINE_WHY_BYTES]);
/** Runs the prefix's regsvr32 on a driver and waits for the prefix to fall asleep. Whether it
 * worked is to be read in the registry afterwards. profiles: of which it makes entries, and of no
 * others, with commas between; undone, all go. False: it could not be run. */
bool wine_register(const struct wine_prefix *prefix, const struct wine_state *state,
                   enum wine_half half, const char *windows_path, bool undo, const char *profiles,
                   char why[WINE_WHY_BYTES]);
/** The profiles of this user's configuration, with commas between. */
void wine_profiles(char profiles[WINE_PROFILES_BYTES]);

/* ---- the note that an installation leaves in a prefix ---- */

struct wine_note {
    char version[WINE_NAME_BYTES];
    char path[WINE_HALVES][FILES_PATH_BYTES];   /* registered, as Windows has it; "": not */
    char before[WINE_HALVES][FILES_PATH_BYTES]; /* what was registered by hand before; "" */
    bool copied[WINE_HALVES][WINE_FILES];       /* into wine_copies */
    bool made[WINE_HALVES + 1]; /* folders of copies: each half's, and the one above */
};
/* Below the prefix: where copies go. */
extern const char wine_copies[];

/** False when there is none, or none that can be understood. */
bool wine_note_read(const char *prefix, struct wine_note *note);
bool wine_note_write(const char *prefix, const struct wine_note *note);
bool wine_note_remove(const char *prefix);

/* ---- showing ---- */

void wine_show(struct text *out, const struct style *style, const struct wine_prefix *prefix,
               const struct wine_state *state);
void wine_show_json(struct json *json, const struct wine_prefix *prefix,
                    const struct wine_state *state);

#endif
