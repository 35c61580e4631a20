/* SPDX-License-Identifier: MIT */
/*
 * What this user may do: real-time priority, locked memory, RealtimeKit, the group. See doctor.h.
 * Limits as proc(5) has them in /proc/self/limits, capabilities and groups in /proc/self/status.
 */
#include "cli/linux/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WANTED_PRIORITY = 70, /* the engine's; programs run at 60 */
    HIGHEST_PRIORITY = 99,
    WANTED_LOCKED_MIB = 64,
    CAPABILITY_IPC_LOCK = 14, /* capabilities(7), <linux/capability.h> */
    CAPABILITY_SYS_NICE = 23,
};

#define GROUP "audio"
#define HOW_TO_ALLOW "give it to the group audio, join that group, and log in again:"

static void
command_to_allow(struct doctor_finding *finding)
{
    doctor_command(finding, "printf '@audio - rtprio 95\\n@audio - memlock unlimited\\n' | "
                            "sudo tee /etc/security/limits.d/audio.conf && "
                            "sudo groupadd -f audio && sudo usermod -aG audio \"$USER\"");
}

/* The soft limit of a row; false when the row is not there. "unlimited" is UINT64_MAX. */
static bool
read_limit(const struct doctor_world *world, const char *row, uint64_t *limit)
{
    struct text text;

    text_init(&text);
    doctor_read(world, &text, "proc/self/limits");
    const char *found = strstr(text_get(&text), row);
    if (found) {
        found += strlen(row);
        found += strspn(found, " ");
        *limit = strncmp(found, "unlimited", strlen("unlimited")) == 0 ? UINT64_MAX
                                                                       : strtoull(found, NULL, 10);
    }
    text_fini(&text);
    return found != NULL;
}

static bool
has_capability(const struct doctor_world *world, unsigned number)
{
    struct text text;

    text_init(&text);
    doctor_read(world, &text, "proc/self/status");
    const char *found = strstr(text_get(&text), "CapEff:");
    uint64_t set = found ? strtoull(found + strlen("CapEff:"), NULL, 16) : 0;
    text_fini(&text);
    return set >> number & 1;
}

static bool
has_rtkit(const struct doctor_world *world)
{
    return doctor_exists(world,
                         "usr/share/dbus-1/system-services/org.freedesktop.RealtimeKit1.service") &&
           doctor_exists(world, "run/dbus/system_bus_socket");
}

unsigned
doctor_priority(const struct doctor_world *world)
{
    uint64_t limit = 0;

    if (has_capability(world, CAPABILITY_SYS_NICE)) {
        return HIGHEST_PRIORITY;
    }
    read_limit(world, "Max realtime priority", &limit);
    return limit < HIGHEST_PRIORITY ? (unsigned)limit : HIGHEST_PRIORITY;
}

void
doctor_realtime(const struct doctor_world *world, struct doctor_finding *finding)
{
    unsigned priority = doctor_priority(world);

    if (priority >= WANTED_PRIORITY) {
        doctor_say(finding, DOCTOR_OK, "real-time priority is allowed up to %u", priority);
    } else if (priority >= 2) {
        doctor_say(finding, DOCTOR_WARN,
                   "real-time priority is allowed up to %u only, below other programs' "
                   "threads; " HOW_TO_ALLOW,
                   priority);
    } else if (has_rtkit(world)) {
        doctor_say(finding, DOCTOR_WARN,
                   "real-time priority comes through RealtimeKit only, at most 20; " HOW_TO_ALLOW);
    } else {
        doctor_say(
            finding, DOCTOR_FAIL,
            "real-time priority is not allowed, so any busy program makes gaps; " HOW_TO_ALLOW);
    }
    if (priority < WANTED_PRIORITY) {
        command_to_allow(finding);
    }
}

void
doctor_memlock(const struct doctor_world *world, struct doctor_finding *finding)
{
    uint64_t bytes = 0;

    if (has_capability(world, CAPABILITY_IPC_LOCK)) {
        bytes = UINT64_MAX;
    } else {
        read_limit(world, "Max locked memory", &bytes);
    }
    if (bytes == UINT64_MAX) {
        doctor_say(finding, DOCTOR_OK, "memory may be locked without limit");
    } else if (bytes >> 20 >= WANTED_LOCKED_MIB) {
        doctor_say(finding, DOCTOR_OK, "%u MiB may be locked", (unsigned)(bytes >> 20));
    } else {
        doctor_say(finding, DOCTOR_WARN,
                   "only %u KiB may be locked, so samples may be swapped out; " HOW_TO_ALLOW,
                   (unsigned)(bytes >> 10));
        command_to_allow(finding);
    }
}

void
doctor_rtkit(const struct doctor_world *world, struct doctor_finding *finding)
{
    bool needed = doctor_priority(world) < 2;

    if (has_rtkit(world)) {
        doctor_say(finding, DOCTOR_OK, "RealtimeKit is there%s", needed ? "" : ", and not needed");
    } else if (!needed) {
        doctor_say(finding, DOCTOR_OK, "RealtimeKit is not there, and not needed");
    } else {
        doctor_say(finding, DOCTOR_WARN,
                   "RealtimeKit is not there; install the package rtkit, or allow real-time "
                   "priority to the group audio:");
        command_to_allow(finding);
    }
}

/* The number of a group; false when there is none of this name. */
static bool
find_group(const struct doctor_world *world, const char *name, unsigned *number)
{
    struct text text;
    bool found = false;

    text_init(&text);
    doctor_read(world, &text, "etc/group");
    for (const char *line = text_get(&text); *line && !found; line += *line == '\n') {
        size_t length = strlen(name);
        found =
            strncmp(line, name, length) == 0 && sscanf(line + length, ":%*[^:]:%u", number) == 1;
        line += strcspn(line, "\n");
    }
    text_fini(&text);
    return found;
}

static bool
is_member(const struct doctor_world *world, unsigned number)
{
    struct text text;
    bool found = false;

    text_init(&text);
    doctor_read(world, &text, "proc/self/status");
    const char *at = strstr(text_get(&text), "Groups:");
    for (at = at ? at + strlen("Groups:") : ""; *at && *at != '\n' && !found;) {
        char *end = NULL;
        unsigned long one = strtoul(at, &end, 10);
        found = end != at && one == number;
        at = end != at ? end : at + 1;
    }
    text_fini(&text);
    return found;
}

/* True when a file of limits.d (or limits.conf) speaks of rtprio outside a comment. */
static bool
limits_allow(const struct doctor_world *world)
{
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES];
    struct files_names names;
    struct text text;
    bool found = false;

    text_init(&text);
    if (doctor_path(world, folder, "etc/security/limits.d")) {
        files_list(&names, folder);
        for (size_t i = 0; i < names.count && !found; i++) {
            if (!files_join(path, folder, names.name[i]) || !files_read(&text, path)) {
                continue;
            }
            for (const char *line = text_get(&text); *line && !found; line += *line == '\n') {
                size_t length = strcspn(line, "\n");
                const char *word = memmem(line, length, "rtprio", strlen("rtprio"));
                found = word && !memchr(line, '#', (size_t)(word - line));
                line += length;
            }
        }
        files_names_fini(&names);
    }
    text_fini(&text);
    return found;
}

void
doctor_group(const struct doctor_world *world, struct doctor_finding *finding)
{
    unsigned number = 0;
    bool allowed = doctor_priority(world) >= 2;

    if (!find_group(world, GROUP, &number)) {
        doctor_say(finding, allowed ? DOCTOR_OK : DOCTOR_WARN,
                   allowed ? "there is no group " GROUP ", and it is not needed"
                           : "there is no group " GROUP "; make it, join it, and log in again:");
        if (!allowed) {
            doctor_command(finding,
                           "sudo groupadd " GROUP " && sudo usermod -aG " GROUP " \"$USER\"");
        }
    } else if (is_member(world, number)) {
        if (allowed || !limits_allow(world)) {
            doctor_say(finding, DOCTOR_OK, "you are in the group " GROUP);
        } else {
            doctor_say(finding, DOCTOR_WARN,
                       "you are in the group " GROUP " and limits.d gives rights, but this session "
                       "has none; log in again");
        }
    } else if (allowed) {
        doctor_say(finding, DOCTOR_OK, "you are not in the group " GROUP ", and need not be");
    } else {
        doctor_say(finding, DOCTOR_WARN,
                   "you are not in the group " GROUP "; join it, and log in again:");
        doctor_command(finding, "sudo usermod -aG " GROUP " \"$USER\"");
    }
}
