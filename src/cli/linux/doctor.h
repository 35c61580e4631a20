/* SPDX-License-Identifier: MIT */
/*
 * What a Linux machine needs for sound without gaps, checked one by one. Each check reads files
 * below one root folder, the machine's or a test's, and says one line. What is not a file comes in
 * through struct doctor_world. Nothing is changed.
 */
#ifndef TUTTI_CLI_LINUX_DOCTOR_H
#define TUTTI_CLI_LINUX_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/linux/files.h"
#include "console/style.h"
#include "tutti/tutti.h"

enum { DOCTOR_TEXT_BYTES = 640, DOCTOR_COMMAND_BYTES = 256, DOCTOR_NAME_BYTES = 64 };

enum doctor_verdict {
    DOCTOR_OK,
    DOCTOR_WARN, /* it works, but not at its best, or not for all */
    DOCTOR_FAIL,
};

/* The engine as a look from outside shows it. */
struct doctor_engine {
    bool runs, answers;
    uint32_t pid;
    char version[DOCTOR_NAME_BYTES]; /* "" when it is not known */
    char why[TUTTI_TEXT_BYTES];      /* runs, but does not answer */
    bool unknown;                    /* nobody could ask whether one runs: why */
    char program[FILES_PATH_BYTES];  /* that would be started; "": none was found */
    char bridge[FILES_PATH_BYTES];   /* where tutti-bridge should lie: beside this program */
};

/* All that the checks may know. */
struct doctor_world {
    const char *root;        /* "/" or a test's folder */
    const char *home;        /* the user's, below root */
    const char *runtime_dir; /* $XDG_RUNTIME_DIR, NULL: not set; below root */
    const char *prefix;      /* $WINEPREFIX, NULL: not set; not below root */
    const char *dlls;        /* where the driver lies, NULL: as 'tutti wine' finds it */
    uint32_t uid;
    const struct doctor_engine *engine;
    /* Runs a command and takes what it says; false when it failed. NULL: nothing can be run. */
    bool (*run)(const char *const *argv, struct text *said);
    /* Free bytes of the file system at a path of this machine; false: not known. */
    bool (*free_bytes)(const char *path, uint64_t *bytes);
};

struct doctor_finding {
    enum doctor_verdict verdict;
    char text[DOCTOR_TEXT_BYTES];       /* what is, and after a semicolon what to do */
    char command[DOCTOR_COMMAND_BYTES]; /* to be pasted into a shell; "": there is none */
};

/* X(identifier): the checks in their order. The identifier is the name that is shown. */
#define DOCTOR_CHECKS(X)                                                                           \
    X(realtime)                                                                                    \
    X(memlock)                                                                                     \
    X(rtkit)                                                                                       \
    X(group)                                                                                       \
    X(governor)                                                                                    \
    X(kernel)                                                                                      \
    X(servers)                                                                                     \
    X(pipewire)                                                                                    \
    X(configuration)                                                                               \
    X(device)                                                                                      \
    X(wine)                                                                                        \
    X(driver)                                                                                      \
    X(usb)                                                                                         \
    X(interrupts)                                                                                  \
    X(shm)                                                                                         \
    X(runtime)                                                                                     \
    X(engine)                                                                                      \
    X(bridge)

#define DOCTOR_DECLARE(name)                                                                       \
    void doctor_##name(const struct doctor_world *world, struct doctor_finding *finding);
DOCTOR_CHECKS(DOCTOR_DECLARE)
#undef DOCTOR_DECLARE

struct doctor_check {
    const char *name;
    void (*look)(const struct doctor_world *world, struct doctor_finding *finding);
};
extern const struct doctor_check doctor_checks[];
extern const unsigned doctor_check_count;

/* ---- for the checks ---- */

/** Says the verdict and the line, printf-style; without a command. */
void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format,
                ...) __attribute__((format(printf, 3, 4)));
/** Adds the command that does what the line says, printf-style. It is shown in a line of its own,
 * never wrapped, so that a person can paste it. */
void doctor_command(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** A path below the root; false when it does not fit. */
bool doctor_path(const struct doctor_world *world, char path[FILES_PATH_BYTES], const char *below);
/** A file below the root; false, and an empty text, when it cannot be read. */
bool doctor_read(const struct doctor_world *world, struct text *text, const char *below);
/** The first line of a file below the root, "" when there is none. */
void doctor_read_line(const struct doctor_world *world, const char *below, char *line,
                      size_t line_bytes);
bool doctor_exists(const struct doctor_world *world, const char *below);
/** True when a process of this name runs (at most 15 bytes count, as the kernel has it). */
bool doctor_runs(const struct doctor_world *world, const char *name);
/** The greatest real-time priority that this user may set without asking anybody. */
unsigned doctor_priority(const struct doctor_world *world);

/* ---- showing ---- */

void doctor_show(struct text *out, const struct style *style, const char *name,
                 const struct doctor_finding *finding);
/** All findings as one line; count: of doctor_checks. */
void doctor_show_json(struct text *out, const struct doctor_finding *findings);

#endif
