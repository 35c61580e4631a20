/* SPDX-License-Identifier: MIT */
/* What the engine reads and would play through, as 'tuttid --configuration' and 'tuttid --devices'
 * tell it line by line. See doctor.h. */
#include "cli/linux/doctor.h"

#include <stdio.h>
#include <string.h>

#define NOT_INSTALLED "[not installed]"

/* What all lines come to. */
struct survey {
    char backend[DOCTOR_NAME_BYTES], device[DOCTOR_NAME_BYTES]; /* that is taken; "": none */
    bool silent;                                                /* the null device */
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

    if (survey->device[0] || sscanf(line, "%15s %7[a-z-]: %63[^\n]", backend, mark, device) != 3) {
        return;
    }
    if (device[0] != '[') {
        snprintf(survey->backend, sizeof(survey->backend), "%s", backend);
        snprintf(survey->device, sizeof(survey->device), "%s", device);
        survey->silent = strcmp(mark, "silent") == 0;
        return;
    }
    if (strcmp(device, NOT_INSTALLED) == 0 && server_runs(world, backend)) {
        snprintf(survey->idle, sizeof(survey->idle), "%s", backend);
    }
    snprintf(survey->others + length, sizeof(survey->others) - length, "%s%s %.*s",
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
    if (!asked) {
        doctor_say(
            finding, DOCTOR_WARN,
            "the device that programs would use is not known: tuttid is not there or does not "
            "run");
    } else if (survey.idle[0]) {
        doctor_say(finding, DOCTOR_WARN,
                   "%s runs, but its library (lib%s) is not installed, so the engine passes it "
                   "over",
                   survey.idle, survey.idle);
    } else if (survey.silent && survey.others[0]) {
        doctor_say(finding, DOCTOR_WARN,
                   "nobody will hear anything: there is only the virtual sound card (%s); start a "
                   "sound server or plug in a device",
                   survey.others);
    } else if (survey.device[0]) {
        doctor_say(finding, DOCTOR_OK, "programs play through '%s' (%s)%s%s%s", survey.device,
                   survey.backend, survey.others[0] ? "; " : "", survey.others,
                   survey.silent ? "; the configuration wants this null device, which plays nothing"
                                 : "");
    } else {
        doctor_say(finding, DOCTOR_FAIL,
                   "the device of the configuration is not there%s%s%s; 'tutti devices' shows "
                   "what is",
                   survey.others[0] ? " (" : "", survey.others, survey.others[0] ? ")" : "");
    }
}

/* "3: REASON" of a mistake "PATH:3: REASON", as the path is said once. */
static const char *
without_path(const char *mistake, const char *path)
{
    size_t length = strlen(path);
    return length && strncmp(mistake, path, length) == 0 && mistake[length] == ':'
               ? mistake + length + 1
               : mistake;
}

/* All mistakes, as far as they fit. */
static void
list_mistakes(char *lines, const char *path, char *list, size_t room)
{
    size_t length = 0;
    unsigned left = 0;
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *mistake = without_path(line, path);
        const char *word = mistake[0] >= '0' && mistake[0] <= '9' ? "line " : "";
        while (*mistake == ' ') {
            mistake++;
        }
        if (left || length + strlen(mistake) + 16 >= room) {
            left++;
        } else {
            length += (size_t)snprintf(list + length, room - length, "%s%s%s", length ? "; " : "",
                                       word, mistake);
        }
    }
    if (left) {
        snprintf(list + length, room - length, "; %u more", left);
    }
}

/* What is to be said of "file: PATH" or "none: PATH" and the mistakes below. */
static void
judge_configuration(char *lines, struct doctor_finding *finding)
{
    bool there = strncmp(lines, "file: ", 6) == 0;
    char *end = lines + strcspn(lines, "\n"), list[DOCTOR_TEXT_BYTES - 80] = "";
    char path[DOCTOR_TEXT_BYTES / 3];
    snprintf(path, sizeof(path), "%.*s", (int)(end - lines) - 6, lines + 6);
    list_mistakes(end, path, list, sizeof(list));
    if (list[0]) {
        doctor_say(finding, DOCTOR_WARN, "'%s' has mistakes, so former or default values count: %s",
                   path, list);
    } else if (there) {
        doctor_say(finding, DOCTOR_OK, "'%s' has no mistakes", path);
    } else {
        doctor_say(finding, DOCTOR_OK, "there is no file '%s'; every key has its default", path);
    }
}

void
doctor_configuration(const struct doctor_world *world, struct doctor_finding *finding)
{
    const char *argv[] = {world->engine->program, "--configuration", NULL};
    struct text said;

    text_init(&said);
    if (world->engine->program[0] && world->run) {
        world->run(argv, &said); /* false, too, when there are mistakes */
    }
    if (strncmp(text_get(&said), "file: ", 6) == 0 || strncmp(text_get(&said), "none: ", 6) == 0) {
        judge_configuration(said.data, finding);
    } else {
        doctor_say(finding, DOCTOR_WARN,
                   "the configuration cannot be checked: tuttid is not there or does not run");
    }
    text_fini(&said);
}
