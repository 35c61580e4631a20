/* SPDX-License-Identifier: MIT */
/* tuttid: the engine's process. Reads the configuration, opens the log, serves. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "engine/engine.h"
#include "engine/live.h"
#include "engine/server.h"
#include "os/os.h"

enum { PATH_BYTES = 1024, FINDINGS = 16 };

static const char usage[] = "usage: tuttid [--foreground | --devices | --configuration]\n"
                            "\n"
                            "The Tutti engine. Programs start it by themselves when they open; it "
                            "leaves some time after the\n"
                            "last one. There is one per user: a second one ends at once.\n"
                            "\n"
                            "  --foreground     write the log to the standard error instead of the "
                            "runtime folder's tuttid.log\n"
                            "  --devices        show what each backend finds, and serve nobody\n"
                            "  --configuration  check the configuration file, and serve nobody\n"
                            "  --help           show this\n"
                            "  --version        show the version\n";

static void
on_signal(int number)
{
    (void)number;
    server_stop();
}

static void
open_log(bool foreground)
{
    char folder[PATH_BYTES], path[PATH_BYTES + 16] = "", who[32];

    if (!foreground && os_runtime_dir(folder, sizeof(folder)) == TUTTI_OK) {
        snprintf(path, sizeof(path), "%s/tuttid.log", folder);
    }
    snprintf(who, sizeof(who), "tuttid[%u]", (unsigned)os_process_id());
    log_open(who, path);
}

static int
run(bool foreground)
{
    static struct live live;

    os_process_settle_heap();
    os_process_raise_limits();
    file_keep_spare();
    os_process_use_broker();
    open_log(foreground);
    live_open(&live, os_getenv);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    const struct config config = live.config;
    enum tutti_status status = server_run(&config, &live);
    if (status && status != TUTTI_FULL) { /* the server logged that one */
        log_error("%s", tutti_status_text(status));
    }
    live_close(&live);
    log_close();
    return status ? 1 : 0;
}

/* A line for each backend, in the order in which they are tried: its name, "silent" for the null
 * device, else "-", and after a colon the device that would be opened or, in brackets, why none.
 * 'tutti doctor' reads them. */
static void
show_devices(void)
{
    static struct live live;
    struct engine_finding findings[FINDINGS];

    live_open(&live, os_getenv);
    uint32_t count = engine_survey(&live.config, findings, FINDINGS);
    for (uint32_t i = 0; i < count; i++) {
        const struct engine_finding *finding = &findings[i];
        const char *none = finding->status == TUTTI_UNSUPPORTED ? "[not installed]"
                           : finding->status == TUTTI_TIMEOUT   ? "[does not answer]"
                                                                : "[finds nothing]";
        printf("%s %s: %s\n", finding->backend, finding->silent ? "silent" : "-",
               finding->name[0] ? finding->name : none);
    }
    live_close(&live);
}

/* "file: PATH", or "none: PATH" when there is no such file, and a line for each mistake. 'tutti
 * doctor' reads them. */
static int
show_configuration(void)
{
    static struct live live;

    live_open(&live, os_getenv);
    printf("%s: %s\n", live.watch.read.there ? "file" : "none", live.watch.path);
    unsigned count = live.mistakes.count;
    for (unsigned i = 0; i < count && i < LIVE_MISTAKES; i++) {
        printf("%s\n", live.mistakes.sentence[i]);
    }
    if (count > LIVE_MISTAKES) {
        printf("and %u more mistakes\n", count - LIVE_MISTAKES);
    }
    live_close(&live);
    return count ? 1 : 0;
}

int
main(int argc, char **argv)
{
    bool foreground = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--foreground") == 0) {
            foreground = true;
        } else if (strcmp(argv[i], "--devices") == 0) {
            show_devices();
            return 0;
        } else if (strcmp(argv[i], "--configuration") == 0) {
            return show_configuration();
        } else if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argv[i], "--version") == 0) {
            puts("tuttid " TUTTI_VERSION);
            return 0;
        } else {
            fprintf(stderr, "tuttid: unknown argument '%s'\n%s", argv[i], usage);
            return 2;
        }
    }
    return run(foreground);
}
