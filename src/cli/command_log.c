/* SPDX-License-Identifier: MIT */
/* tutti log: how much is written into the log, by the configuration that all programs follow. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "base/file.h"
#include "cli/platform.h"
#include "cli/session.h"
#include "config/config_file.h"

enum { PATH_BYTES = 1024 };

static int
show(const char *path, const char *text, size_t bytes)
{
    static struct config config;
    char problem[CONFIG_TEXT_BYTES];
    struct config_source source = {
        .name = path, .text = text, .bytes = bytes, .getenv_utf8 = platform_getenv};

    config_read(&config, &source, problem);
    printf("%s\n", config.log_level);
    return 0;
}

static int
set(const char *path, const char *text, const char *level)
{
    static struct config config;
    char reason[CONFIG_TEXT_BYTES] = "";

    config_init(&config);
    if (config_set(&config, "log", "level", level, reason) != TUTTI_OK) {
        session_say("%s", reason);
        return 2;
    }
    char *edited = config_edit(text, "log", "level", level);
    enum tutti_status status = edited ? TUTTI_OK : TUTTI_NO_MEMORY;
    if (edited) {
        platform_make_folder_of(path);
        status = file_write(path, edited, strlen(edited));
    }
    if (status != TUTTI_OK) {
        session_say("cannot write '%s': %s", path,
                    status == TUTTI_IO ? strerror(errno) : tutti_status_text(status));
    } else {
        printf("level = %s in '%s'; programs that run follow within a second\n", level, path);
    }
    free(edited);
    return status == TUTTI_OK ? 0 : 1;
}

int
command_log_run(const struct args *args, const struct cli *cli)
{
    char path[PATH_BYTES], problem[CONFIG_TEXT_BYTES], *text = NULL;
    size_t bytes = 0;

    (void)cli;
    if (strcmp(args->operand, "level") != 0) {
        return say_usage(args, "the action is level");
    }
    if (!config_default_path(platform_getenv, path, sizeof(path))) {
        session_say("there is no place for a configuration: TUTTI_CONFIG names one");
        return 1;
    }
    if (config_file_read(path, &text, &bytes, problem) != TUTTI_OK) {
        session_say("%s", problem);
        return 1;
    }
    int code = args->more ? set(path, text, args->more) : show(path, text, bytes);
    free(text);
    return code;
}
