/* SPDX-License-Identifier: MIT */
/*
 * Sound servers, PipeWire's limits, USB devices. See doctor.h. Facts: PipeWire's pipewire.conf(5)
 * (default.clock.*) and pw-metadata(1) (the metadata "settings"); the kernel's documents
 * driver-api/usb/power-management.rst (power/control) and ABI/testing/sysfs-bus-usb.
 */
#include "cli/linux/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_QUANTUM = 128, FULL_SPEED_MBIT = 12, AUDIO_CLASS = 1 };

void
doctor_servers(const struct doctor_world *world, struct doctor_finding *finding)
{
    bool jack = doctor_runs(world, "jackd") || doctor_runs(world, "jackdbus");
    bool pipewire = doctor_runs(world, "pipewire"), pulse = doctor_runs(world, "pulseaudio");

    if (jack && (pipewire || pulse)) {
        doctor_say(finding, DOCTOR_WARN,
                   "JACK runs beside %s; each device can have one of them only: stop one when a "
                   "device is busy",
                   pipewire ? "PipeWire" : "PulseAudio");
    } else if (jack) {
        doctor_say(finding, DOCTOR_OK, "JACK runs");
    } else if (pipewire && pulse) {
        doctor_say(
            finding, DOCTOR_WARN,
            "PipeWire and PulseAudio both run; remove pulseaudio, and install pipewire-pulse "
            "in its place");
    } else if (pulse) {
        doctor_say(finding, DOCTOR_WARN,
                   "PulseAudio runs, whose latency is tens of milliseconds; PipeWire or JACK are "
                   "quicker");
    } else if (pipewire && !doctor_runs(world, "wireplumber") &&
               !doctor_runs(world, "pipewire-media-session")) {
        doctor_say(finding, DOCTOR_WARN,
                   "PipeWire runs without a session manager, so it has no devices; start one:");
        doctor_command(finding, "systemctl --user enable --now wireplumber");
    } else if (pipewire) {
        doctor_say(finding, DOCTOR_OK, "PipeWire runs");
    } else {
        doctor_say(finding, DOCTOR_OK, "no sound server runs; 'tutti devices' shows what is there");
    }
}

/* ---- PipeWire's limits ---- */

struct quantum {
    unsigned least, usual, forced;
};

/* A number behind "key" and any of = : ' value and blanks; untouched when it is not there. */
static void
read_number(const char *text, const char *key, unsigned *number)
{
    for (const char *at = text; (at = strstr(at, key)) != NULL;) {
        const char *line = at;
        at += strlen(key);
        while (line > text && line[-1] != '\n') {
            line--;
        }
        const char *value = at + strspn(at, " \t='\":value");
        /* the whole key, outside a comment, with a number behind it */
        if (line[strspn(line, " \t")] != '#' && strchr(" \t='\"", *at) && *value >= '0' &&
            *value <= '9') {
            *number = (unsigned)strtoul(value, NULL, 10);
        }
    }
}

static void
read_configuration(const struct doctor_world *world, const char *folder, struct quantum *quantum)
{
    char path[FILES_PATH_BYTES], name[FILES_PATH_BYTES];
    struct files_names names;
    struct text text;

    text_init(&text);
    snprintf(name, sizeof(name), "%.4000s/pipewire.conf", folder);
    if (doctor_read(world, &text, name)) {
        read_number(text_get(&text), "default.clock.min-quantum", &quantum->least);
        read_number(text_get(&text), "default.clock.quantum", &quantum->usual);
    }
    snprintf(name, sizeof(name), "%.4000s/pipewire.conf.d", folder);
    if (doctor_path(world, path, name)) {
        files_list(&names, path);
        for (size_t i = 0; i < names.count; i++) {
            if (!files_join(name, path, names.name[i]) || !files_read(&text, name)) {
                continue;
            }
            read_number(text_get(&text), "default.clock.min-quantum", &quantum->least);
            read_number(text_get(&text), "default.clock.quantum", &quantum->usual);
        }
        files_names_fini(&names);
    }
    text_fini(&text);
}

/* What the running server says; false when it cannot be asked. */
static bool
ask_pipewire(const struct doctor_world *world, struct quantum *quantum)
{
    static const char *const argv[] = {"pw-metadata", "-n", "settings", NULL};
    struct text said;

    text_init(&said);
    bool asked = world->run && world->run(argv, &said) && strstr(text_get(&said), "clock.quantum");
    if (asked) {
        read_number(text_get(&said), "clock.min-quantum", &quantum->least);
        read_number(text_get(&said), "clock.quantum", &quantum->usual);
        read_number(text_get(&said), "clock.force-quantum", &quantum->forced);
    }
    text_fini(&said);
    return asked;
}

void
doctor_pipewire(const struct doctor_world *world, struct doctor_finding *finding)
{
    struct quantum quantum = {.least = 32, .usual = 1024};
    char own[FILES_PATH_BYTES];

    if (!doctor_runs(world, "pipewire")) {
        doctor_say(finding, DOCTOR_OK, "PipeWire does not run");
        return;
    }
    if (!ask_pipewire(world, &quantum)) {
        read_configuration(world, "usr/share/pipewire", &quantum);
        read_configuration(world, "etc/pipewire", &quantum);
        if (files_join(own, world->home, ".config/pipewire")) {
            read_configuration(world, own, &quantum);
        }
    }
    if (quantum.forced > SMALL_QUANTUM) {
        doctor_say(finding, DOCTOR_WARN,
                   "PipeWire's period is forced to %u frames; let it follow the programs:",
                   quantum.forced);
        doctor_command(finding, "pw-metadata -n settings 0 clock.force-quantum 0");
    } else if (quantum.forced) {
        doctor_say(finding, DOCTOR_OK, "PipeWire's period is forced to %u frames", quantum.forced);
    } else if (quantum.least > SMALL_QUANTUM) {
        doctor_say(finding, DOCTOR_WARN,
                   "PipeWire's period is never below %u frames; allow a smaller one until it "
                   "restarts (default.clock.min-quantum in its configuration for good):",
                   quantum.least);
        doctor_command(finding, "pw-metadata -n settings 0 clock.min-quantum %d", SMALL_QUANTUM);
    } else {
        doctor_say(finding, DOCTOR_OK, "PipeWire's period is %u frames, at least %u", quantum.usual,
                   quantum.least);
    }
}

/* ---- USB ---- */

/* A device's attribute as a number; `otherwise` when it is not there. */
static long
attribute(const char *device, const char *name, int base, long otherwise)
{
    char path[FILES_PATH_BYTES], line[64];

    if (!files_join(path, device, name)) {
        return otherwise;
    }
    files_read_line(path, line, sizeof(line));
    return line[0] ? strtol(line, NULL, base) : otherwise;
}

/* True when one of a device's interfaces, NAME:CONFIGURATION.NUMBER, is for audio. */
static bool
is_audio(const struct files_names *names, const char *folder, const char *name)
{
    char path[FILES_PATH_BYTES];
    size_t length = strlen(name);

    for (size_t i = 0; i < names->count; i++) {
        if (strncmp(names->name[i], name, length) == 0 && names->name[i][length] == ':' &&
            files_join(path, folder, names->name[i]) &&
            attribute(path, "bInterfaceClass", 16, 0) == AUDIO_CLASS) {
            return true;
        }
    }
    return false;
}

static void
look_at_device(const char *folder, const char *name, struct doctor_finding *finding)
{
    char path[FILES_PATH_BYTES], product[DOCTOR_NAME_BYTES], control[16];

    if (!files_join(path, folder, name) || !files_join(path, path, "product")) {
        return;
    }
    files_read_line(path, product, sizeof(product));
    if (!product[0]) {
        snprintf(product, sizeof(product), "%.60s", name);
    }
    files_join(path, folder, name);
    long speed = attribute(path, "speed", 10, 0);
    long delay_ms = attribute(path, "power/autosuspend_delay_ms", 10, -1);
    files_join(path, path, "power/control");
    files_read_line(path, control, sizeof(control));
    if (strcmp(control, "auto") == 0 && delay_ms >= 0) {
        doctor_say(finding, DOCTOR_WARN,
                   "'%s' is put to sleep when idle; keep it awake until it is unplugged:", product);
        doctor_command(finding, "echo on | sudo tee /sys/bus/usb/devices/%.40s/power/control",
                       name);
    } else if (speed == FULL_SPEED_MBIT && strchr(name, '.')) {
        doctor_say(finding, DOCTOR_WARN,
                   "'%s' is a full-speed device behind a hub, which adds jitter; plug it straight "
                   "into the computer",
                   product);
    }
}

void
doctor_usb(const struct doctor_world *world, struct doctor_finding *finding)
{
    char folder[FILES_PATH_BYTES];
    struct files_names names;
    unsigned audio = 0;

    finding->text[0] = '\0';
    if (!doctor_path(world, folder, "sys/bus/usb/devices")) {
        return;
    }
    files_list(&names, folder);
    for (size_t i = 0; i < names.count && !finding->text[0]; i++) {
        if (strchr(names.name[i], ':') || !is_audio(&names, folder, names.name[i])) {
            continue;
        }
        audio++;
        look_at_device(folder, names.name[i], finding);
    }
    files_names_fini(&names);
    if (!finding->text[0]) {
        doctor_say(finding, DOCTOR_OK,
                   audio ? "the USB sound devices stay awake"
                         : "no USB sound device is plugged in");
    }
}
