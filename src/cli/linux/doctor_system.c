/* SPDX-License-Identifier: MIT */
/*
 * The kernel, its processors and interrupts, shared memory, the runtime folder, the engine. See
 * doctor.h. Facts: the kernel's documents admin-guide/pm/cpufreq.rst (scaling_governor) and
 * admin-guide/kernel-parameters.txt (preempt=, threadirqs); proc(5) for /proc/interrupts.
 */
#include "cli/linux/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEAST_SHM_MIB = 16, WANTED_SHM_MIB = 64 };

void
doctor_governor(const struct doctor_world *world, struct doctor_finding *finding)
{
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES], governor[32], other[32] = "";
    struct files_names names;
    unsigned fast = 0, slow = 0;

    if (!doctor_path(world, folder, "sys/devices/system/cpu")) {
        return;
    }
    files_list(&names, folder);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.name[i];
        if (strncmp(name, "cpu", 3) != 0 || name[3] < '0' || name[3] > '9' ||
            !files_join(path, folder, name) ||
            !files_join(path, path, "cpufreq/scaling_governor")) {
            continue;
        }
        files_read_line(path, governor, sizeof(governor));
        if (strcmp(governor, "performance") == 0) {
            fast++;
        } else if (governor[0]) {
            slow++;
            memcpy(other, governor, sizeof(other));
        }
    }
    files_names_fini(&names);
    if (slow) {
        doctor_say(finding, DOCTOR_WARN,
                   "%u of %u processors change their speed ('%s'), which makes late blocks at "
                   "small buffers; while you play:",
                   slow, slow + fast, other);
        doctor_command(finding, "sudo cpupower frequency-set -g performance");
    } else if (fast) {
        doctor_say(finding, DOCTOR_OK, "all processors run at 'performance'");
    } else {
        doctor_say(finding, DOCTOR_OK, "the kernel does not change the processors' speed");
    }
}

void
doctor_kernel(const struct doctor_world *world, struct doctor_finding *finding)
{
    char version[512], parameters[4096], realtime[8];

    doctor_read_line(world, "proc/version", version, sizeof(version));
    doctor_read_line(world, "proc/cmdline", parameters, sizeof(parameters));
    doctor_read_line(world, "sys/kernel/realtime", realtime, sizeof(realtime));
    bool threads = strstr(parameters, "threadirqs") != NULL;
    if (realtime[0] == '1' || strstr(version, "PREEMPT_RT")) {
        doctor_say(finding, DOCTOR_OK, "a real-time kernel");
    } else if (!strstr(version, "PREEMPT")) {
        doctor_say(
            finding, DOCTOR_WARN,
            "this kernel lets no thread overtake its own work; boot one with PREEMPT, such as "
            "a low-latency or real-time kernel");
    } else if (strstr(version, "PREEMPT_DYNAMIC") && !strstr(parameters, "preempt=full")) {
        doctor_say(
            finding, DOCTOR_WARN,
            "the kernel can let threads overtake it, but is not set to; add 'preempt=full%s' "
            "to its parameters",
            threads ? "" : " threadirqs");
    } else if (!threads) {
        doctor_say(
            finding, DOCTOR_WARN,
            "the kernel lets threads overtake it, but not its interrupts; add 'threadirqs' to "
            "its parameters");
    } else {
        doctor_say(finding, DOCTOR_OK, "the kernel and its interrupts let threads overtake them");
    }
}

/* A line of /proc/interrupts: "NUMBER: COUNTS… CHIP HWIRQ-TYPE  DEVICE, DEVICE". Shared: a comma
 * between devices, one of which may carry sound. */
static bool
is_shared_with_sound(const char *line, size_t length, char devices[DOCTOR_NAME_BYTES])
{
    static const char *const carriers[] = {"xhci_hcd", "ehci_hcd", "snd_", "firewire", "ohci"};
    char copy[512];

    if (length >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, line, length);
    copy[length] = '\0';
    const char *comma = strstr(copy, ", ");
    if (!comma) {
        return false;
    }
    const char *start = comma;
    while (start > copy && start[-1] != ' ') {
        start--;
    }
    for (unsigned i = 0; i < sizeof(carriers) / sizeof(*carriers); i++) {
        if (strstr(start, carriers[i])) {
            snprintf(devices, DOCTOR_NAME_BYTES, "%.60s", start);
            return true;
        }
    }
    return false;
}

void
doctor_interrupts(const struct doctor_world *world, struct doctor_finding *finding)
{
    char devices[DOCTOR_NAME_BYTES];
    struct text text;
    bool found = false;

    text_init(&text);
    bool read = doctor_read(world, &text, "proc/interrupts");
    for (const char *line = text_get(&text); *line && !found; line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        found = is_shared_with_sound(line, length, devices);
        if (found) {
            doctor_say(finding, DOCTOR_WARN,
                       "interrupt %d is shared (%s); plug the sound device into another port or "
                       "card slot",
                       atoi(line), devices);
        }
        line += length;
    }
    if (!read) {
        doctor_say(finding, DOCTOR_WARN, "/proc/interrupts cannot be read; is /proc mounted?");
    } else if (!found) {
        doctor_say(finding, DOCTOR_OK, "no sound or USB controller shares its interrupt");
    }
    text_fini(&text);
}

void
doctor_shm(const struct doctor_world *world, struct doctor_finding *finding)
{
    char path[FILES_PATH_BYTES];
    uint64_t bytes = 0;

    if (!doctor_path(world, path, "dev/shm") || !files_is_folder(path) || !world->free_bytes ||
        !world->free_bytes(path, &bytes)) {
        doctor_say(finding, DOCTOR_FAIL,
                   "/dev/shm is not there, where Wine and JACK keep shared memory; mount a tmpfs "
                   "on it");
        return;
    }
    unsigned mib = (unsigned)(bytes >> 20);
    if (mib < LEAST_SHM_MIB) {
        doctor_say(finding, DOCTOR_FAIL,
                   "/dev/shm is full (%u MiB free); remove old files there, or enlarge it:", mib);
        doctor_command(finding, "sudo mount -o remount,size=1G /dev/shm");
    } else if (mib < WANTED_SHM_MIB) {
        doctor_say(finding, DOCTOR_WARN,
                   "/dev/shm is nearly full (%u MiB free); remove old files there", mib);
    } else {
        doctor_say(finding, DOCTOR_OK, "/dev/shm has %u MiB free", mib);
    }
}

/* Of a folder below root. */
static bool
is_own_folder(const struct doctor_world *world, const char *name, bool *is_there)
{
    char path[FILES_PATH_BYTES];
    struct stat status;

    *is_there = doctor_path(world, path, name) && lstat(path, &status) == 0;
    return *is_there && S_ISDIR(status.st_mode) && status.st_uid == world->uid &&
           (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* As os_runtime_dir() chooses. */
static void
say_without_session(const struct doctor_world *world, struct doctor_finding *finding)
{
    char name[64];
    bool is_there;

    snprintf(name, sizeof(name), "/run/user/%u", (unsigned)world->uid);
    if (is_own_folder(world, name, &is_there)) {
        doctor_say(finding, DOCTOR_OK,
                   "XDG_RUNTIME_DIR is not set; engine and programs meet in %s/tutti", name);
        return;
    }
    snprintf(name, sizeof(name), "/tmp/tutti-%u", (unsigned)world->uid);
    if (!is_own_folder(world, name, &is_there) && is_there) {
        doctor_say(finding, DOCTOR_FAIL,
                   "XDG_RUNTIME_DIR is not set, and %s is not yours alone; set TUTTI_RUNTIME_DIR "
                   "to a folder that is",
                   name);
    } else {
        doctor_say(finding, DOCTOR_WARN,
                   "XDG_RUNTIME_DIR is not set, so %s is used; programs of a session with it meet "
                   "another engine: log in through a session manager",
                   name);
    }
}

/* "alice (1000)". */
static void
name_user(const struct doctor_world *world, uint32_t user, char name[DOCTOR_NAME_BYTES])
{
    struct text list;
    char number[32];

    snprintf(name, DOCTOR_NAME_BYTES, "%u", (unsigned)user);
    snprintf(number, sizeof(number), ":%u:", (unsigned)user);
    text_init(&list);
    doctor_read(world, &list, "etc/passwd");
    for (const char *line = text_get(&list); line[0]; line += line[0] == '\n') {
        const size_t length = strcspn(line, ":\n");
        const char *password = line[length] == ':' ? strchr(line + length + 1, ':') : NULL;
        if (password && strncmp(password, number, strlen(number)) == 0) {
            snprintf(name, DOCTOR_NAME_BYTES, "%.*s (%u)", length < 32 ? (int)length : 32, line,
                     (unsigned)user);
            break;
        }
        line += strcspn(line, "\n");
    }
    text_fini(&list);
}

/* True when it is as it must be. what: how the line calls it. remedy: of one that is not this
 * user's. */
static bool
judge_folder(const struct doctor_world *world, const char *what, const char *path,
             const char *remedy, struct doctor_finding *finding)
{
    char real[FILES_PATH_BYTES], owner[DOCTOR_NAME_BYTES], user[DOCTOR_NAME_BYTES];
    struct stat status;

    if (!doctor_path(world, real, path) || stat(real, &status) != 0) {
        return true;
    }
    name_user(world, status.st_uid, owner);
    name_user(world, world->uid, user);
    if (status.st_uid != world->uid) {
        doctor_say(
            finding, DOCTOR_FAIL,
            "%s '%.200s' belongs to user %s, and this is user %s; run programs as that user, "
            "or %s",
            what, path, owner, user, remedy);
    } else if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        doctor_say(finding, DOCTOR_FAIL, "%s '%.200s' has mode %03o; it must be 700", what, path,
                   (unsigned)status.st_mode & 0777U);
    } else if (access(real, W_OK) != 0) {
        doctor_say(finding, DOCTOR_FAIL,
                   "user %s cannot write to %s '%.200s', so no engine starts; make it writable, or "
                   "set TUTTI_RUNTIME_DIR to a folder that is",
                   user, what, path);
    } else {
        return true;
    }
    return false;
}

void
doctor_runtime(const struct doctor_world *world, struct doctor_finding *finding)
{
    char path[FILES_PATH_BYTES], engine[FILES_PATH_BYTES];
    struct stat status;

    if (!world->runtime_dir || world->runtime_dir[0] != '/') {
        say_without_session(world, finding);
    } else if (!doctor_path(world, path, world->runtime_dir) || stat(path, &status) != 0 ||
               !S_ISDIR(status.st_mode) || !files_join(engine, world->runtime_dir, "tutti")) {
        doctor_say(finding, DOCTOR_FAIL,
                   "XDG_RUNTIME_DIR is '%.300s', which is not there; log in again, or unset it",
                   world->runtime_dir);
    } else if (judge_folder(world, "XDG_RUNTIME_DIR", world->runtime_dir, "unset XDG_RUNTIME_DIR",
                            finding) &&
               judge_folder(world, "the engine's folder", engine, "remove that folder as its owner",
                            finding)) {
        doctor_say(finding, DOCTOR_OK, "engine and programs meet in %.300s/tutti",
                   world->runtime_dir);
    }
}

void
doctor_engine(const struct doctor_world *world, struct doctor_finding *finding)
{
    const struct doctor_engine *engine = world->engine;

    if (engine->unknown) {
        doctor_say(finding, DOCTOR_FAIL, "nobody can tell whether an engine runs: %s", engine->why);
    } else if (engine->runs && !engine->answers) {
        doctor_say(finding, DOCTOR_FAIL, "an engine runs and does not serve: %s; see its log",
                   engine->why);
    } else if (engine->runs && engine->version[0] && strcmp(engine->version, TUTTI_VERSION) != 0) {
        doctor_say(finding, DOCTOR_WARN,
                   "the engine that runs (pid %u) is version %s, this is " TUTTI_VERSION
                   "; end it, and the next program starts this one:",
                   engine->pid, engine->version);
        doctor_command(finding, "tutti stop-engine");
    } else if (engine->runs) {
        doctor_say(finding, DOCTOR_OK, "an engine runs (pid %u, version %s)", engine->pid,
                   engine->version[0] ? engine->version : "unknown");
    } else if (!engine->program[0]) {
        doctor_say(finding, DOCTOR_FAIL,
                   "tuttid is not beside tutti, so no program can start it; install it there, or "
                   "set TUTTI_ENGINE");
    } else if (strcmp(engine->version, TUTTI_VERSION) != 0) {
        doctor_say(finding, DOCTOR_WARN,
                   "%.300s is version %s, this is " TUTTI_VERSION "; install both together",
                   engine->program, engine->version[0] ? engine->version : "unknown");
    } else {
        doctor_say(finding, DOCTOR_OK, "no engine runs; the first program starts %.300s",
                   engine->program);
    }
}
