/* SPDX-License-Identifier: MIT */
/* Group rude, the rest: panels, threads, and processes that end. */
#include "conform/rude.h"

/* ---- panels ---- */

static void
two_panels_do_no_harm(struct conform *t)
{
    struct subject *s = subject_in(t, RUNNING);

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        int32_t answer = call_control_panel(s);
        conform_expect(t, answer == ASIO_OK || answer == ASIO_NOT_PRESENT,
                       "controlPanel answered %s", conform_error_text(answer));
    }
    uint32_t before = atomic_load(&s->host.block_count);
    conform_expect(t, host_wait(&s->host, before + 10, 3000),
                   "callbacks cease after controlPanel was called twice");
    subject_close(s);
}

/* ---- threads ---- */

static DWORD WINAPI
stop_too(void *arg)
{
    struct rude *rude = arg;

    atomic_store(&rude->answer, call_stop(rude->s));
    atomic_store(&rude->done, 1);
    return 0;
}

static void
two_threads_stop_at_once(struct conform *t)
{
    for (unsigned i = 0; i < 5 && !conform_failed(t); i++) {
        struct rude *rude = rude_open(t, NULL);
        if (!rude || !subject_start(rude->s) || !rude_goes_on(rude, 2, "start")) {
            return;
        }
        HANDLE thread = CreateThread(NULL, 0, stop_too, rude, 0, NULL);
        int32_t mine = call_stop(rude->s);
        atomic_store(&rude->entered, 1);
        if (!rude_wait_done(rude, "stop does not return when another thread stops, too")) {
            return;
        }
        CloseHandle(thread);
        int32_t other = atomic_load(&rude->answer);
        conform_expect(t, mine == ASIO_OK || other == ASIO_OK,
                       "stop from two threads answered %s and %s", conform_error_text(mine),
                       conform_error_text(other));
        rude->s->running = false;
        rude_close(rude);
    }
}

/* ---- processes that end ---- */

static void
end_process_in(struct conform *t, const char *name, enum subject_state state, enum rude_end end)
{
    rude_play_process(t);
    if (rude_process(t, name, state, end)) {
        rude_expect_fresh(t, "another process ended with the driver in it");
    }
}

#define KILLED_IN(state_name, STATE)                                                               \
    static void killed_while_##state_name(struct conform *t)                                       \
    {                                                                                              \
        end_process_in(t, __func__, STATE, END_KILLED);                                            \
    }
KILLED_IN(loaded, LOADED)
KILLED_IN(initialized, INITIALIZED)
KILLED_IN(prepared, PREPARED)
KILLED_IN(running, RUNNING)
#undef KILLED_IN

static void
a_process_that_releases_nothing_ends(struct conform *t)
{
    rude_play_process(t);
    for (unsigned state = INITIALIZED; state < SUBJECT_STATES && !conform_failed(t); state++) {
        rude_process(t, __func__, (enum subject_state)state, END_BY_ITSELF);
    }
    rude_expect_fresh(t, "processes ended that released nothing");
}

/* ---- the table ---- */

#define KILLED_RULE(state) "A process killed in " state " leaves the device to the next one"
#define KILLED_SOURCE                                                                              \
    "eiz/SynchronousAudioRouter, issue 59 (killed, it hangs); our own rule: because a task "       \
    "manager asks for no state"

static const struct conform_case cases[] = {
    {"two_panels_do_no_harm", "controlPanel may be called twice while callbacks come",
     "PortAudio/portaudio, issue 109 (a panel while a stream is open); our own rule: because a "
     "button can be pressed twice",
     two_panels_do_no_harm, NEED_STREAM, 0},
    {"two_threads_stop_at_once", "stop may come from two threads at once",
     "RtAudio, RtAudio.cpp: stopStream and asioStopStream are two threads",
     two_threads_stop_at_once, NEED_STREAM, 0},
    {"killed_while_loaded", KILLED_RULE("Loaded"), KILLED_SOURCE, killed_while_loaded, NEED_STREAM,
     0},
    {"killed_while_initialized", KILLED_RULE("Initialized"), KILLED_SOURCE,
     killed_while_initialized, NEED_STREAM, 0},
    {"killed_while_prepared", KILLED_RULE("Prepared"), KILLED_SOURCE, killed_while_prepared,
     NEED_STREAM, 0},
    {"killed_while_running", KILLED_RULE("Running"),
     "eiz/SynchronousAudioRouter, issue 59 (killed while it plays, it hangs); mdias/rs_asio, issue "
     "75 (the device stays taken)",
     killed_while_running, NEED_STREAM, 0},
    {"a_process_that_releases_nothing_ends",
     "A process that ends without stop, disposeBuffers and Release does end",
     "mdias/rs_asio, issues 20 and 67 (the game hangs at its end); pure-data/pure-data, issue 1219",
     a_process_that_releases_nothing_ends, NEED_STREAM, 40},
};

const struct conform_group conform_group_rude_other = {"rude", NULL, cases,
                                                       sizeof(cases) / sizeof(*cases)};
