/* SPDX-License-Identifier: MIT */
/* What the engine would play through, as 'tuttid --devices' tells it line by line. See doctor.h. */
#include "cli/linux/doctor.h"

#include <stdio.h>
#include <string.h>

#define NOT_INSTALLED "[not installed]"

/* What all lines come to. */
struct survey {
    char backend[DOCTOR_NAME_BYTES], device[DOCTOR_NAME_BYTES]; /* that is taken; "": none */
    bool silent;                                                /* nobody hears it */
    char others[DOCTOR_TEXT_BYTES / 2]; /* that come before it, and why not they */
    char idle[DOCTOR_NAME_BYTES];       /* a server that runs and whose library is not installed */
};

/* The processes of a backend's servers. */
static bool
server_runs(const struct doctor_world *world, const char *backend)
{
    return strcmp(backend, "jack") == 0
               ? doctor_runs(world, "jackd") || doctor_runs(world, "jackdbus")
               : strcmp(backend, "pipewire") == 0 && doctor_runs(world, "pipewire");
}

/* "NAME -: DEVICE", "NAME silent: DEVICE"; a device in brackets is none. */
static void
take_line(const struct doctor_world *world, const char *line, struct survey *survey)
{
    char backend[16], mark[8], device[DOCTOR_NAME_BYTES];
    size_t length = strlen(survey->others);

    if (survey->device[0] || sscanf(line, "%15s %7[a-z-]: %63[^\n]", backend, mark, device) != 3)
        return;
    if (device[0] != '[') {
        snprintf(survey->backend, sizeof survey->backend, "%s", backend);
        snprintf(survey->device, sizeof survey->device, "%s", device);
        survey->silent = strcmp(mark, "silent") == 0;
        return;
    }
    if (strcmp(device, NOT_INSTALLED) == 0 && server_runs(world, backend))
        snprintf(survey->idle, sizeof survey->idle, "%s", backend);
    snprintf(survey->others + length, sizeof survey->others - length, "%s%s %.*s",
             length ? ", " : "", backend, (int)strcspn(device + 1, "]"), device + 1);
}

void
doctor_device(const struct doctor_world *world, struct doctor_finding *finding)
{
    const char *argv[] = {world->engine->program, "--devices", NULL};
    struct survey survey = {.silent = false};
    struct text said;

    text_init(&said);
    bool asked = world->engine->program[0] && world->run && world->run(argv, &said);
    for (const char *line = text_get(&said); asked && line; line = strchr(line, '\n')) {
        line += *line == '\n';
        take_line(world, line, &survey);
    }
    text_fini(&said);
    if (!asked)
        doctor_say(finding, DOCTOR_WARN,
                   "what would be played through cannot be told: tuttid is not there or does not "
                   "run");
    else if (survey.idle[0])
        doctor_say(finding, DOCTOR_WARN,
                   "%s runs, but its library (lib%s) is not installed, so the engine passes it "
                   "over",
                   survey.idle, survey.idle);
    else if (survey.silent && survey.others[0])
        doctor_say(finding, DOCTOR_WARN,
                   "nobody will hear anything: there is only the virtual sound card (%s); start a "
                   "sound server or plug in a device",
                   survey.others);
    else if (survey.device[0])
        doctor_say(finding, DOCTOR_OK, "programs play through '%s' (%s)%s%s%s", survey.device,
                   survey.backend, survey.others[0] ? "; " : "", survey.others,
                   survey.silent ? "; the configuration wants it, and nobody hears it" : "");
    else
        doctor_say(finding, DOCTOR_FAIL,
                   "the device of the configuration is not there (%s); 'tutti devices' shows "
                   "what is",
                   survey.others);
}
