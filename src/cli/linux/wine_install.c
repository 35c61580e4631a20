/* SPDX-License-Identifier: MIT */
/*
 * Putting the driver into a prefix and taking it out. See wine.h.
 *
 * The note is written first and grows ahead of each step: whatever stops us, wine_uninstall() knows
 * what may be there.
 */
#include "cli/linux/wine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ascii.h"

/* One work on one prefix. */
struct job {
    const struct wine_prefix *prefix;
    const struct wine_dlls *dlls;
    struct wine_state state;
    struct wine_note note;
    char profiles[WINE_PROFILES_BYTES]; /* to be registered */
    char *why;                          /* WINE_WHY_BYTES */
    char hint[WINE_WHY_BYTES];          /* what to know of one that worked; "" */
};

static const char *
half_name(unsigned half)
{
    return half == WINE_64 ? "64-bit" : "32-bit";
}

static bool
may_begin(struct job *job)
{
    wine_look(job->prefix, job->dlls, &job->state);
    if (job->state.fault[0]) {
        snprintf(job->why, WINE_WHY_BYTES, "%s", job->state.fault);
        return false;
    }
    if (job->state.in_use) {
        snprintf(job->why, WINE_WHY_BYTES,
                 "a program runs in it now; close its programs and try again");
        return false;
    }
    return true;
}

static bool
keep_note(struct job *job)
{
    if (wine_note_write(job->prefix->path, &job->note)) {
        return true;
    }
    snprintf(job->why, WINE_WHY_BYTES, "cannot write into it: %s", strerror(errno));
    return false;
}

/* ---- files ---- */

/* Below the prefix; half WINE_HALVES: the folder above both. file NULL: the folder. */
static bool
copy_path(const struct job *job, unsigned half, const char *file, char path[FILES_PATH_BYTES])
{
    return files_join(path, job->prefix->path, wine_copies) &&
           (half == WINE_HALVES || files_join(path, path, wine_half_folders[half])) &&
           (!file || files_join(path, path, file));
}

static bool
make_folder(struct job *job, unsigned half)
{
    char path[FILES_PATH_BYTES];

    if (!copy_path(job, half, NULL, path)) {
        return false;
    }
    if (files_is_folder(path)) {
        return true;
    }
    job->note.made[half] = true;
    return keep_note(job) && mkdir(path, 0755) == 0;
}

static bool
copy_half(struct job *job, unsigned half)
{
    char from[FILES_PATH_BYTES], to[FILES_PATH_BYTES];

    if (!make_folder(job, WINE_HALVES) || !make_folder(job, half)) {
        goto failed;
    }
    for (unsigned file = 0; file < WINE_FILES; file++) {
        if (!files_join(from, job->dlls->half[half], wine_files[file]) ||
            !copy_path(job, half, wine_files[file], to)) {
            goto failed;
        }
        if (!files_is_file(from)) {
            continue;
        }
        job->note.copied[half][file] = true;
        if (!keep_note(job) || !files_copy(from, to)) {
            goto failed;
        }
    }
    return true;
failed:
    snprintf(job->why, WINE_WHY_BYTES, "cannot copy the %s driver into it: %s", half_name(half),
             strerror(errno));
    return false;
}

/* Removes what the note says was copied for a half, and its folder if we made it. */
static bool
remove_half(struct job *job, unsigned half)
{
    char path[FILES_PATH_BYTES];

    for (unsigned file = 0; half < WINE_HALVES && file < WINE_FILES; file++) {
        if (!job->note.copied[half][file]) {
            continue;
        }
        if (!copy_path(job, half, wine_files[file], path) ||
            (unlink(path) != 0 && errno != ENOENT)) {
            return false;
        }
        job->note.copied[half][file] = false;
    }
    /* not empty: somebody else has put something there, which stays */
    if (job->note.made[half] && copy_path(job, half, NULL, path) && rmdir(path) != 0 &&
        errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST) {
        return false;
    }
    job->note.made[half] = false;
    return true;
}

static bool
is_below(const char *path, const char *folder)
{
    size_t length = folder ? strlen(folder) : 0;

    return length && strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* Steam's container shows the home folder to programs, and another /usr than the system's; a
 * Flatpak's programs see neither. */
static bool
sees_our_files(const struct job *job, unsigned half, char windows[FILES_PATH_BYTES])
{
    char path[FILES_PATH_BYTES];

    return !job->prefix->sandboxed &&
           (job->prefix->layout != WINE_PROTON ||
            is_below(job->dlls->half[half], getenv("HOME"))) &&
           files_join(path, job->dlls->half[half], wine_files[0]) &&
           wine_windows_path(job->prefix->path, path, windows);
}

/* ---- registering ---- */

static void
windows_copy(unsigned half, char windows[FILES_PATH_BYTES])
{
    snprintf(windows, FILES_PATH_BYTES, "C:\\Program Files\\Tutti\\%s\\%s", wine_half_folders[half],
             wine_files[0]);
}

static bool
register_half(struct job *job, unsigned half, bool copy)
{
    char windows[FILES_PATH_BYTES];
    const bool seen = sees_our_files(job, half, windows);
    const char *unlisted = seen ? wine_list_fault(windows) : NULL;

    if (copy || !seen || unlisted) {
        if (!copy_half(job, half)) {
            return false;
        }
        windows_copy(half, windows);
    }
    if (unlisted && !copy) {
        snprintf(job->hint, sizeof(job->hint),
                 "as a copy in the prefix, for the driver's own path %s and some programs would "
                 "not list it; install again after each update",
                 unlisted);
    }
    const char *found = job->state.driver[half].windows_path;
    if (found[0] && !ascii_same(found, job->note.path[half])) {
        files_set(job->note.before[half], found);
    }
    files_set(job->note.path[half], windows);
    if (!keep_note(job) ||
        !wine_register(job->prefix, &job->state, half, windows, false, job->profiles, job->why)) {
        return false;
    }
    wine_look(job->prefix, job->dlls, &job->state);
    if (ascii_same(job->state.driver[half].windows_path, windows)) {
        return true;
    }
    snprintf(job->why, WINE_WHY_BYTES, "the %s driver could not be registered: %s", half_name(half),
             half == WINE_32 ? "this Wine runs no 32-bit programs" : "its Wine did not load it");
    return false;
}

/* Back to what was registered before us, or nothing. */
static bool
unregister_half(struct job *job, unsigned half)
{
    char path[FILES_PATH_BYTES], windows[FILES_PATH_BYTES];
    const char *ours = job->note.path[half], *before = job->note.before[half];
    const char *now = job->state.driver[half].windows_path;

    /* not there, or somebody has registered another one since, which stays */
    if (!ours[0] || !ascii_same(now, ours)) {
        return true;
    }
    bool again =
        before[0] && wine_unix_path(job->prefix->path, before, path) && files_is_file(path);
    files_set(windows, again ? before : ours);
    if (!wine_unix_path(job->prefix->path, windows, path) || !files_is_file(path)) {
        /* the class is the same whichever file takes it out */
        if (!job->dlls->half[half][0] || !files_join(path, job->dlls->half[half], wine_files[0]) ||
            !wine_windows_path(job->prefix->path, path, windows)) {
            snprintf(job->why, WINE_WHY_BYTES,
                     "the %s driver's file %.400s is gone, and without it it cannot be taken out; "
                     "install Tutti again first",
                     half_name(half), ours);
            return false;
        }
    }
    if (!wine_register(job->prefix, &job->state, half, windows, !again, "", job->why)) {
        return false;
    }
    wine_look(job->prefix, job->dlls, &job->state);
    if (ascii_same(job->state.driver[half].windows_path, again ? windows : "")) {
        return true;
    }
    snprintf(job->why, WINE_WHY_BYTES, "the %s driver is still registered", half_name(half));
    return false;
}

static bool
take_out(struct job *job)
{
    for (unsigned half = 0; half < WINE_HALVES; half++) {
        if (!unregister_half(job, half)) {
            return false;
        }
        job->note.path[half][0] = job->note.before[half][0] = '\0';
        if (!remove_half(job, half) || !keep_note(job)) {
            snprintf(job->why, WINE_WHY_BYTES, "cannot remove the copies: %s", strerror(errno));
            return false;
        }
    }
    if (remove_half(job, WINE_HALVES) && wine_note_remove(job->prefix->path)) {
        return true;
    }
    snprintf(job->why, WINE_WHY_BYTES, "cannot remove the note of it: %s", strerror(errno));
    return false;
}

/* ---- the two works ---- */

static bool
wants(const struct job *job, unsigned half)
{
    const struct wine_state *state = &job->state;

    return job->dlls->half[half][0] &&
           (half == WINE_64 ? state->bits == 64 : state->bits == 32 || state->both);
}

/* What a failed half leaves is taken out again; the reason of the failure stays. */
static void
give_up_half(struct job *job, unsigned half)
{
    char first[WINE_WHY_BYTES];

    snprintf(first, sizeof(first), "%s", job->why);
    if (unregister_half(job, half)) {
        job->note.path[half][0] = job->note.before[half][0] = '\0';
        remove_half(job, half);
        keep_note(job);
    }
    snprintf(job->why, WINE_WHY_BYTES, "%s", first);
}

bool
wine_install(const struct wine_prefix *prefix, const struct wine_dlls *dlls, bool copy,
             char why[WINE_WHY_BYTES])
{
    struct job job = {.prefix = prefix, .dlls = dlls, .why = why};
    bool any = false;

    why[0] = '\0';
    if (!may_begin(&job)) {
        return false;
    }
    wine_profiles(job.profiles);
    wine_note_read(prefix->path, &job.note);
    bool first = !job.note.version[0];
    snprintf(job.note.version, sizeof(job.note.version), "%s", TUTTI_VERSION);
    if (!wants(&job, WINE_64) && !wants(&job, WINE_32)) {
        snprintf(why, WINE_WHY_BYTES, "there is no driver of its kind (%u-bit) in %.400s",
                 job.state.bits, dlls->folder);
        return false;
    }
    for (unsigned half = 0; half < WINE_HALVES; half++) {
        if (!wants(&job, half)) {
            continue;
        }
        if (register_half(&job, half, copy)) {
            any = true;
        } else {
            give_up_half(&job, half);
        }
        if (!any && half == WINE_64) {
            break;
        }
    }
    if (any) {
        if (!why[0]) {
            snprintf(why, WINE_WHY_BYTES, "%s", job.hint);
        }
        return true;
    }
    if (first) {
        char reason[WINE_WHY_BYTES];
        snprintf(reason, sizeof(reason), "%s", why);
        if (take_out(&job)) {
            snprintf(why, WINE_WHY_BYTES, "%s", reason);
        }
    }
    return false;
}

bool
wine_uninstall(const struct wine_prefix *prefix, const struct wine_dlls *dlls,
               char why[WINE_WHY_BYTES])
{
    struct job job = {.prefix = prefix, .dlls = dlls, .why = why};

    why[0] = '\0';
    if (!wine_note_read(prefix->path, &job.note)) {
        wine_look(prefix, dlls, &job.state);
        bool by_hand =
            job.state.driver[WINE_64].windows_path[0] || job.state.driver[WINE_32].windows_path[0];
        snprintf(why, WINE_WHY_BYTES, "%s",
                 by_hand ? "Tutti was registered here by hand, and stays; 'wine regsvr32 /u "
                           "tutti.dll' takes it out"
                         : "nothing to take out");
        return true;
    }
    return may_begin(&job) && take_out(&job);
}
