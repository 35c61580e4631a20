/* SPDX-License-Identifier: MIT */
/* The table of checks, what they share, and how they are shown. See doctor.h. */
#include "cli/linux/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "console/json.h"

enum { VERDICT_COLUMNS = 6, NAME_COLUMNS = 12, COMM_BYTES = 16 };

const struct doctor_check doctor_checks[] = {
#define DOCTOR_ROW(name) {#name, doctor_##name},
    DOCTOR_CHECKS(DOCTOR_ROW)
#undef DOCTOR_ROW
};
const unsigned doctor_check_count = sizeof(doctor_checks) / sizeof(*doctor_checks);

static const char *const verdict_names[] = {"ok", "warn", "fail"};

void
doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format, ...)
{
    va_list list;

    finding->verdict = verdict;
    va_start(list, format);
    vsnprintf(finding->text, sizeof(finding->text), format, list);
    va_end(list);
    finding->command[0] = '\0';
}

void
doctor_command(struct doctor_finding *finding, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(finding->command, sizeof(finding->command), format, list);
    va_end(list);
}

bool
doctor_path(const struct doctor_world *world, char path[FILES_PATH_BYTES], const char *below)
{
    return files_join(path, world->root, below);
}

bool
doctor_read(const struct doctor_world *world, struct text *text, const char *below)
{
    char path[FILES_PATH_BYTES];

    text_clear(text);
    return doctor_path(world, path, below) && files_read(text, path);
}

void
doctor_read_line(const struct doctor_world *world, const char *below, char *line, size_t line_bytes)
{
    char path[FILES_PATH_BYTES];

    line[0] = '\0';
    if (doctor_path(world, path, below)) {
        files_read_line(path, line, line_bytes);
    }
}

bool
doctor_exists(const struct doctor_world *world, const char *below)
{
    char path[FILES_PATH_BYTES];

    return doctor_path(world, path, below) && access(path, F_OK) == 0;
}

bool
doctor_runs(const struct doctor_world *world, const char *name)
{
    char folder[FILES_PATH_BYTES], file[FILES_PATH_BYTES], comm[COMM_BYTES + 1];
    struct files_names names;
    bool found = false;

    if (!doctor_path(world, folder, "proc")) {
        return false;
    }
    files_list(&names, folder);
    for (size_t i = 0; i < names.count && !found; i++) {
        if (names.name[i][0] < '1' || names.name[i][0] > '9' ||
            !files_join(file, folder, names.name[i]) || !files_join(file, file, "comm")) {
            continue;
        }
        files_read_line(file, comm, sizeof(comm));
        found = comm[0] && strncmp(comm, name, COMM_BYTES - 1) == 0;
    }
    files_names_fini(&names);
    return found;
}

void
doctor_show(struct text *out, const struct style *style, const char *name,
            const struct doctor_finding *finding)
{
    static const enum style_tone tones[] = {STYLE_GOOD, STYLE_WARN, STYLE_BAD};

    style_add(out, style, tones[finding->verdict], verdict_names[finding->verdict],
              VERDICT_COLUMNS);
    text_add_column(out, name, NAME_COLUMNS, "");
    style_add_wrapped(out, style, STYLE_PLAIN, finding->text, VERDICT_COLUMNS + NAME_COLUMNS,
                      STYLE_WHOLE_WORDS);
    if (finding->command[0]) {
        text_add_times(out, " ", VERDICT_COLUMNS + NAME_COLUMNS + 2);
        style_add(out, style, STYLE_STRONG, finding->command, 0);
        text_add(out, "\n");
    }
}

void
doctor_show_json(struct text *out, const struct doctor_finding *findings)
{
    struct json json;

    json_init(&json, out);
    json_object_begin(&json);
    json_key(&json, "version");
    json_string(&json, TUTTI_VERSION);
    json_key(&json, "checks");
    json_array_begin(&json);
    for (unsigned i = 0; i < doctor_check_count; i++) {
        json_object_begin(&json);
        json_key(&json, "name");
        json_string(&json, doctor_checks[i].name);
        json_key(&json, "verdict");
        json_string(&json, verdict_names[findings[i].verdict]);
        json_key(&json, "text");
        json_string(&json, findings[i].text);
        json_key(&json, "command");
        json_string(&json, findings[i].command);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    text_add(out, "\n");
}
