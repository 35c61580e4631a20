/* SPDX-License-Identifier: MIT */
/* tutti doctor: checks this machine. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/linux/doctor.h"
#include "cli/linux/run.h"
#include "cli/session.h"

enum { RUN_SECONDS = 10, MOST_CHECKS = 32 };

static bool
run_for_real(const char *const *argv, struct text *said)
{
    static const struct run_change changes[] = {{"WINEDEBUG", "-all"}, {NULL, NULL}};

    return run_program(argv, changes, RUN_SECONDS, said) == 0;
}

static bool
free_for_real(const char *path, uint64_t *bytes)
{
    struct statvfs status;

    if (statvfs(path, &status) != 0) {
        return false;
    }
    *bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return true;
}

/* "tuttid 0.1.0" says a program that is asked for its version. */
static void
ask_version(const char *program, struct doctor_engine *engine)
{
    const char *argv[] = {program, "--version", NULL};
    struct text said;

    text_init(&said);
    if (run_program(argv, NULL, RUN_SECONDS, &said) == 0) {
        sscanf(text_get(&said), "tuttid %63s", engine->version);
    }
    text_fini(&said);
}

/* The engine as libtutti looks for it: $TUTTI_ENGINE, else beside this program. The bridge lies
 * there. */
static void
find_programs(struct doctor_engine *engine)
{
    const char *variable = getenv("TUTTI_ENGINE");
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES];

    ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *end = strrchr(folder, '/');
    if (end) {
        *end = '\0';
    }
    files_join(engine->bridge, folder, "tutti-bridge");
    if (variable && variable[0]) {
        if (access(variable, X_OK) == 0) {
            files_set(engine->program, variable);
        }
        return;
    }
    if (files_join(path, folder, "tuttid") && access(path, X_OK) == 0) {
        files_set(engine->program, path);
    }
}

static void
look_at_engine(struct doctor_engine *engine)
{
    const struct tutti_open_params params = {
        .program = "tutti doctor", .do_not_start = true, .error = engine->why};
    struct tutti_client *client = NULL;
    struct tutti_engine_status status;
    struct tutti_program_status *programs = NULL;
    char path[64];

    find_programs(engine);
    enum tutti_status opened = tutti_open(&client, &params);
    engine->unknown = opened == TUTTI_REFUSED;
    engine->runs = opened != TUTTI_NO_ENGINE && opened != TUTTI_REFUSED;
    if (opened == TUTTI_OK && tutti_get_status(client, &status, &programs) == TUTTI_OK) {
        engine->answers = true;
        engine->pid = status.engine_pid;
        tutti_free(programs);
        /* its own file, even when another has been installed over it */
        snprintf(path, sizeof(path), "/proc/%u/exe", engine->pid);
        ask_version(path, engine);
    } else if (engine->runs && !engine->why[0]) {
        snprintf(engine->why, sizeof(engine->why), "%s", tutti_status_text(opened));
    } else if (engine->program[0]) {
        ask_version(engine->program, engine);
    }
    tutti_close(client);
}

int
command_doctor_run(const struct args *args, const struct cli *cli)
{
    static struct doctor_finding findings[MOST_CHECKS];
    static struct doctor_engine engine;
    const char *root = args_value(args, "root"), *home = getenv("HOME");
    const struct doctor_world world = {
        .root = root ? root : "/",
        .home = home && home[0] == '/' ? home : "/",
        .runtime_dir = getenv("XDG_RUNTIME_DIR"),
        .prefix = root ? NULL : getenv("WINEPREFIX"),
        .uid = (uint32_t)getuid(),
        .engine = &engine,
        .run = root ? NULL : run_for_real,
        .free_bytes = free_for_real,
    };
    unsigned count[3] = {0};
    struct text out;

    if (root && !files_is_folder(root)) {
        session_say("there is no folder '%s'", root);
        return 1;
    }
    look_at_engine(&engine);
    text_init(&out);
    for (unsigned i = 0; i < doctor_check_count && i < MOST_CHECKS; i++) {
        doctor_say(&findings[i], DOCTOR_WARN, "is not known");
        doctor_checks[i].look(&world, &findings[i]);
        count[findings[i].verdict]++;
        if (!args_flag(args, "json")) {
            doctor_show(&out, &cli->out, doctor_checks[i].name, &findings[i]);
        }
    }
    if (args_flag(args, "json")) {
        doctor_show_json(&out, findings);
    } else {
        text_addf(&out, "%u ok, %u to improve, %u wrong\n", count[DOCTOR_OK], count[DOCTOR_WARN],
                  count[DOCTOR_FAIL]);
    }
    bool printed = say_text(&out);
    text_fini(&out);
    return printed && count[DOCTOR_FAIL] == 0 ? 0 : 1;
}
