/* SPDX-License-Identifier: MIT */
/* Wine, and the driver in the default prefix. See doctor.h. */
#include "cli/linux/doctor.h"

#include <stdio.h>
#include <string.h>

#include "cli/linux/wine.h"

static bool
any_exists(const struct doctor_world *world, const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (doctor_exists(world, names[i])) {
            return true;
        }
    }
    return false;
}

void
doctor_wine(const struct doctor_world *world, struct doctor_finding *finding)
{
    /* Debian's own place; others; WineHQ's packages */
    static const char *const loaders[] = {
        "usr/lib/wine/wine",  "usr/lib/wine/wine64",      "usr/bin/wine",
        "usr/local/bin/wine", "opt/wine-stable/bin/wine", "opt/wine-staging/bin/wine"};
    static const char *const parts_32[] = {"usr/lib/i386-linux-gnu/wine/i386-unix",
                                           "usr/lib32/wine/i386-unix",
                                           "usr/lib/wine/i386-unix",
                                           "usr/local/lib/wine/i386-unix",
                                           "opt/wine-stable/lib/wine/i386-unix",
                                           "opt/wine-staging/lib/wine/i386-unix"};
    const char *argv[] = {"", "--version", NULL};
    char path[FILES_PATH_BYTES] = "", version[WINE_NAME_BYTES] = "";
    struct text said;

    for (unsigned i = 0; !path[0] && i < sizeof(loaders) / sizeof(*loaders); i++) {
        if (doctor_exists(world, loaders[i])) {
            doctor_path(world, path, loaders[i]);
        }
    }
    if (!path[0]) {
        doctor_say(finding, DOCTOR_WARN,
                   "Wine is not installed; it is needed for Windows programs only");
        return;
    }
    argv[0] = path;
    text_init(&said);
    if (world->run && world->run(argv, &said)) {
        snprintf(version, sizeof(version), "%s", text_get(&said));
        version[strcspn(version, "\r\n")] = '\0';
    }
    text_fini(&said);
    if (!version[0]) {
        doctor_say(finding, DOCTOR_FAIL,
                   "Wine is there but does not run; try '%.300s --version' and install it again",
                   path);
    } else if (!any_exists(world, parts_32, sizeof(parts_32) / sizeof(*parts_32))) {
        doctor_say(finding, DOCTOR_WARN,
                   "%s runs 64-bit programs only; install its 32-bit part (wine32) for older ones",
                   version);
    } else {
        doctor_say(finding, DOCTOR_OK, "%s, for 64- and 32-bit programs", version);
    }
}

void
doctor_bridge(const struct doctor_world *world, struct doctor_finding *finding)
{
    const char *path = world->engine->bridge, *argv[] = {path, "--version", NULL};
    char version[DOCTOR_NAME_BYTES] = "";
    struct text said;

    text_init(&said);
    if (world->run && world->run(argv, &said)) {
        sscanf(text_get(&said), "tutti-bridge %63s", version);
    }
    text_fini(&said);
    if (!files_is_file(path)) {
        doctor_say(finding, DOCTOR_WARN,
                   "tutti-bridge is not beside tutti, so Windows programs under Wine do not reach "
                   "the native engine; install it there");
    } else if (!version[0]) {
        doctor_say(finding, DOCTOR_FAIL,
                   "%.300s does not run, so Windows programs under Wine do not reach the native "
                   "engine; install it again",
                   path);
    } else if (strcmp(version, TUTTI_VERSION) != 0) {
        doctor_say(finding, DOCTOR_WARN,
                   "%.300s is version %s, this is " TUTTI_VERSION "; install both together", path,
                   version);
    } else {
        doctor_say(finding, DOCTOR_OK,
                   "Windows programs under Wine reach the native engine by %.300s", path);
    }
}

static void
say_advice(struct doctor_finding *finding, enum doctor_verdict verdict, const char *path,
           const char *advice)
{
    doctor_say(finding, verdict, "%.300s: %s", path, advice);
    if (strstr(advice, "tutti wine install")) {
        doctor_command(finding, "tutti wine install");
    }
}

void
doctor_driver(const struct doctor_world *world, struct doctor_finding *finding)
{
    static struct wine_state state;
    struct wine_prefix prefix = {.layout = WINE_PLAIN};
    struct wine_dlls dlls;
    char path[FILES_PATH_BYTES], why[WINE_WHY_BYTES];
    unsigned registered = 0;

    if (!(world->prefix
              ? files_set(path, world->prefix)
              : doctor_path(world, path, world->home) && files_join(path, path, ".wine"))) {
        return;
    }
    if (!files_is_folder(path)) {
        doctor_say(finding, DOCTOR_OK,
                   "there is no default Wine prefix yet; when there is, run tutti wine install");
        return;
    }
    files_set(prefix.path, path);
    if (!wine_dlls_find(&dlls, world->dlls, why)) {
        dlls = (struct wine_dlls){0};
    }
    wine_look(&prefix, &dlls, &state);
    for (unsigned half = 0; half < WINE_HALVES; half++) {
        const struct wine_driver *driver = &state.driver[half];
        if (!driver->windows_path[0]) {
            continue;
        }
        registered++;
        if (!driver->version[0] || !driver->engine) {
            say_advice(finding, DOCTOR_FAIL, path, state.advice);
            return;
        }
    }
    if (registered && state.advice[0]) {
        say_advice(finding, DOCTOR_WARN, path, state.advice);
    } else if (registered) {
        doctor_say(finding, DOCTOR_OK, "registered in %.300s", path);
    } else if (state.fault[0]) {
        doctor_say(finding, DOCTOR_WARN, "not registered in %.200s: %.400s", path, state.fault);
    } else {
        doctor_say(finding, DOCTOR_WARN, "not registered in %.300s; register it:", path);
        doctor_command(finding, "tutti wine install");
    }
}
