/* SPDX-License-Identifier: MIT */
/* tutti stop-engine: asks the engine to end and waits until it did. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/platform.h"
#include "cli/session.h"

enum { WAIT_MS = 3000, LOOK_EVERY_MS = 50 };

enum outcome { STILL_THERE, ENDED, REPLACED };

/* The engine's process id; 0 when none answers. */
static uint32_t
engine_pid(void)
{
    static struct session session;
    struct tutti_engine_status status;
    struct tutti_program_status *programs = NULL;
    uint32_t pid = 0;

    if (session_open(&session, "tutti stop-engine", false) != TUTTI_OK) {
        return 0;
    }
    if (tutti_get_status(session.client, &status, &programs) == TUTTI_OK) {
        pid = status.engine_pid;
        tutti_free(programs);
    }
    session_close(&session);
    return pid;
}

/* Its process is waited for: connecting to an engine that ends could start the next one, where a
 * service manager holds the socket. */
static enum outcome
wait_for_end(uint32_t pid)
{
    for (unsigned waited = 0; waited < WAIT_MS && !platform_interrupted();
         waited += LOOK_EVERY_MS) {
        if (!platform_process_runs(pid)) {
            return engine_pid() == 0 ? ENDED : REPLACED;
        }
        platform_sleep_ms(LOOK_EVERY_MS);
    }
    return STILL_THERE;
}

int
command_stop_engine_run(const struct args *args, const struct cli *cli)
{
    static struct session session;

    enum tutti_status status = session_open(&session, "tutti stop-engine", false);
    if (status == TUTTI_NO_ENGINE) {
        puts("No engine runs.");
        return 0;
    }
    if (status != TUTTI_OK) {
        return 1;
    }
    struct tutti_engine_status engine;
    struct tutti_program_status *programs = NULL;
    status = tutti_get_status(session.client, &engine, &programs);
    if (status == TUTTI_OK) {
        tutti_free(programs);
        status = tutti_ask_engine_to_leave(session.client);
    }
    if (status != TUTTI_OK) {
        session_fail(&session, "cannot stop the engine", status);
        session_close(&session);
        return 1;
    }
    session_close(&session);
    platform_catch_interrupts();
    switch (wait_for_end(engine.engine_pid)) {
    case ENDED:
        printf("The engine (pid %u) ended.\n", engine.engine_pid);
        return 0;
    case REPLACED:
        printf("The engine (pid %u) ended; a program started another.\n", engine.engine_pid);
        return 0;
    case STILL_THERE:
        break;
    }
    session_say("the engine (pid %u) has not ended yet; see its log", engine.engine_pid);
    return 1;
}
