/* SPDX-License-Identifier: MIT */
/* Group rude, messages: hosts that ignore them, act on them at once, answer nonsense, or leave
 * functions out. */
#include "conform/rates.h"
#include "conform/rude.h"

enum { BUSY_MS = 1000 };

/* ---- a reset request ---- */

/* Brings the driver to ask for a reset, if it ever does: a rate that needs new buffers. False: the
 * driver takes no other rate, or takes it without asking. */
static bool
provoke_reset(struct rude *rude, double *rate)
{
    *rate = rates_other(rude->s);
    if (*rate == 0 || call_set_sample_rate(rude->s, *rate) != ASIO_OK) {
        return false;
    }
    for (unsigned ms = 0; ms < BUSY_MS && !atomic_load(&rude->entered); ms += 5) {
        conform_sleep_ms(5);
    }
    return atomic_load(&rude->entered) > 0;
}

static void
set_rate_back(struct conform *t, double rate)
{
    struct subject *s = subject_open(t);

    if (s && s->rate_hz != rate) {
        call_set_sample_rate(s, rate);
    }
    subject_close(s);
}

static int32_t
usual_message(struct host *host, int32_t selector, int32_t value)
{
    switch (selector) {
    case ASIO_MESSAGE_SELECTOR_SUPPORTED:
        return value >= 0 && value < 32 && (host->knows >> value & 1);
    case ASIO_MESSAGE_ENGINE_VERSION:
        return 2;
    default:
        return 1;
    }
}

static int32_t
note_reset(struct host *host, int32_t selector, int32_t value, void *message, double *option)
{
    struct rude *rude = host->user;

    if (selector == ASIO_MESSAGE_RESET_REQUEST) {
        rude->thread = GetCurrentThreadId();
        atomic_store(&rude->answer, (int32_t)atomic_load(&host->inside));
        atomic_fetch_add(&rude->entered, 1);
    }
    return usual_message(host, selector, value);
}

static struct rude *
open_for_reset(struct conform *t,
               int32_t (*on_message)(struct host *, int32_t, int32_t, void *, double *))
{
    struct rude *rude = rude_open(t, NULL);

    if (!rude) {
        return NULL;
    }
    rude->s->host.on_message = on_message;
    if (subject_start(rude->s) && rude_goes_on(rude, 5, "start")) {
        return rude;
    }
    rude_close(rude);
    return NULL;
}

static void
a_reset_request_may_be_ignored(struct conform *t)
{
    struct rude *rude = open_for_reset(t, note_reset);
    double rate;

    if (!rude) {
        return;
    }
    double before = rude->s->rate_hz;
    bool asked = provoke_reset(rude, &rate);
    if (rate == 0) {
        conform_skip(t, "the driver has one rate only");
    } else {
        rude_goes_on(rude, 60, asked ? "a reset request that was ignored" : "another rate was set");
    }
    rude_close(rude);
    set_rate_back(t, before);
}

static void
a_new_rate_is_applied_or_a_reset_is_asked_for(struct conform *t)
{
    struct rude *rude = open_for_reset(t, note_reset);
    double rate, told = 0;

    if (!rude) {
        return;
    }
    double before = rude->s->rate_hz, other = rates_other(rude->s);
    bool asked = provoke_reset(rude, &rate);
    if (other == 0) {
        conform_skip(t, "the driver has one rate only");
    } else if (!asked && call_set_sample_rate(rude->s, other) == ASIO_OK) {
        uint32_t first = atomic_load(&rude->s->host.block_count);
        uint64_t began = conform_now_ns();
        conform_sleep_ms(BUSY_MS);
        double blocks = atomic_load(&rude->s->host.block_count) - first;
        double rate_hz = blocks * rude->s->buffer_frames * 1e9 / (double)(conform_now_ns() - began);
        call_get_sample_rate(rude->s, &told);
        conform_figure(t, rate_hz, "Hz");
        conform_expect(t, told == other && rate_hz > 0.97 * other && rate_hz < 1.03 * other,
                       "no reset was asked for, and the driver runs at %.0f Hz, not %.0f", rate_hz,
                       other);
    }
    rude_close(rude);
    set_rate_back(t, before);
}

static void
a_reset_request_comes_from_another_thread(struct conform *t)
{
    struct rude *rude = open_for_reset(t, note_reset);
    double rate;

    if (!rude) {
        return;
    }
    double before = rude->s->rate_hz;
    if (!provoke_reset(rude, &rate)) {
        conform_skip(t, "the driver asks for no reset when another rate is set");
    } else {
        conform_expect(t, rude->thread != rude->s->host.blocks[0].thread,
                       "the reset request came on the thread of the callbacks: a host that acts on "
                       "it at once waits for itself");
    }
    rude_close(rude);
    set_rate_back(t, before);
}

static int32_t
release_at_reset(struct host *host, int32_t selector, int32_t value, void *message, double *option)
{
    struct rude *rude = host->user;

    if (selector != ASIO_MESSAGE_RESET_REQUEST || atomic_fetch_add(&rude->entered, 1) > 0) {
        return usual_message(host, selector, value);
    }
    call_stop(rude->s);
    call_dispose_buffers(rude->s);
    atomic_store(&rude->answer, (int32_t)call_release(rude->s));
    rude->s->asio = NULL;
    atomic_store(&rude->done, 1);
    return 1;
}

static void
released_within_a_reset_request(struct conform *t)
{
    struct rude *rude = open_for_reset(t, release_at_reset);
    double rate;

    if (!rude) {
        return;
    }
    double before = rude->s->rate_hz;
    if (!provoke_reset(rude, &rate)) {
        conform_skip(t, "the driver asks for no reset when another rate is set");
        rude_close(rude);
    } else if (rude_wait_done(rude, "Release does not return within a reset request")) {
        conform_expect(t, atomic_load(&rude->answer) == 0, "Release answered %d, not 0",
                       (int)atomic_load(&rude->answer));
        rude_wait_outside(rude);
        rude_expect_fresh(t, "a Release within a reset request");
    }
    set_rate_back(t, before);
}

static int32_t
remake_at_reset(struct host *host, int32_t selector, int32_t value, void *message, double *option)
{
    struct rude *rude = host->user;
    struct subject *s = rude->s;

    if (selector != ASIO_MESSAGE_RESET_REQUEST || atomic_fetch_add(&rude->entered, 1) > 0) {
        return usual_message(host, selector, value);
    }
    call_stop(s);
    call_dispose_buffers(s);
    int32_t answer =
        call_create_buffers(s, s->infos, s->count, s->buffer_frames, &s->host.callbacks);
    atomic_store(&rude->answer, answer ? answer : call_start(s));
    atomic_store(&rude->done, 1);
    return 1;
}

static void
made_anew_within_a_reset_request(struct conform *t)
{
    struct rude *rude = open_for_reset(t, remake_at_reset);
    double rate, told = 0;

    if (!rude) {
        return;
    }
    double before = rude->s->rate_hz;
    if (!provoke_reset(rude, &rate)) {
        conform_skip(t, "the driver asks for no reset when another rate is set");
    } else if (!rude_wait_done(rude, "new buffers cannot be made within a reset request")) {
        return;
    } else if (conform_expect(t, atomic_load(&rude->answer) == ASIO_OK,
                              "createBuffers and start answered %s within a reset request",
                              conform_error_text(atomic_load(&rude->answer)))) {
        rude_goes_on(rude, 20, "a reset");
        call_get_sample_rate(rude->s, &told);
        conform_expect(t, told == rate, "the rate after the reset is %g Hz, not %g", told, rate);
    }
    rude_close(rude);
    set_rate_back(t, before);
}

/* ---- answers and pointers ---- */

static int32_t
talk_nonsense(struct host *host, int32_t selector, int32_t value, void *message, double *option)
{
    return (int32_t)(0x5eed0000u + (uint32_t)selector);
}

static void
nonsense_in_answer_to_messages_is_survived(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    s->host.on_message = talk_nonsense;
    if (subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 10);
    }
    subject_close(s);
}

static void
missing_functions_are_not_called(struct conform *t)
{
    for (unsigned missing = 0; missing < 3; missing++) {
        struct subject *s = subject_open(t);
        if (!s) {
            return;
        }
        if (missing == 0) {
            s->host.callbacks.asio_message = NULL;
        }
        if (missing == 1) {
            s->host.callbacks.sample_rate_did_change = NULL;
        }
        if (missing == 2) {
            s->host.callbacks.buffer_switch_time_info = NULL;
        }
        if (subject_prepare(s, 2, 2, 0) && subject_stream(s, 10)) {
            const struct host_block *block = &s->host.blocks[5];
            conform_expect(t, missing == 1 || !block->info,
                           "time info came though the host had not asked for it");
        }
        subject_close(s);
    }
}

/* A struct of the host's own at the end of a page, behind which nothing may be touched. */
static struct asio_time *own_time;
static struct asio_time *(TUTTI_ASIO_HOST *usual_switch)(struct asio_time *, int32_t, int32_t);

static struct asio_time *TUTTI_ASIO_HOST
answer_own_time(struct asio_time *time, int32_t half, int32_t direct)
{
    usual_switch(time, half, direct);
    return own_time;
}

static void
a_time_of_148_bytes_is_enough(struct conform *t)
{
    SYSTEM_INFO system;
    struct subject *s = subject_open(t);
    DWORD old;

    if (!s) {
        return;
    }
    GetSystemInfo(&system);
    char *pages =
        VirtualAlloc(NULL, 2 * system.dwPageSize, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (pages &&
        VirtualProtect(pages + system.dwPageSize, system.dwPageSize, PAGE_NOACCESS, &old)) {
        own_time = (struct asio_time *)(void *)(pages + system.dwPageSize - sizeof(*own_time));
        usual_switch = s->host.callbacks.buffer_switch_time_info;
        s->host.callbacks.buffer_switch_time_info = answer_own_time;
        if (subject_prepare(s, 2, 2, 0)) {
            subject_stream(s, 20);
        }
    }
    subject_close(s);
}

static void
output_ready_may_come_at_any_time(struct conform *t)
{
    struct subject *s = subject_in(t, INITIALIZED);

    if (!s) {
        return;
    }
    int32_t first = call_output_ready(s);
    conform_expect(t, first == ASIO_OK || first == ASIO_NOT_PRESENT, "outputReady answered %s",
                   conform_error_text(first));
    if (subject_prepare(s, 2, 2, 0)) {
        call_output_ready(s);
        if (subject_stream(s, 3)) {
            for (unsigned i = 0; i < 50; i++) {
                call_output_ready(s);
            }
            uint32_t before = atomic_load(&s->host.block_count);
            conform_expect(t, host_wait(&s->host, before + 10, 3000),
                           "callbacks cease when outputReady is called outside of them");
        }
        subject_stop(s);
        call_output_ready(s);
    }
    subject_close(s);
}

/* ---- the table ---- */

static const struct conform_case cases[] = {
    {"a_reset_request_may_be_ignored", "Callbacks go on, for ever, when a reset request is ignored",
     "PortAudio/portaudio, issue 108; RustAudio/cpal, pull request 1058 (both ignored it)",
     a_reset_request_may_be_ignored, NEED_STREAM, 5},
    {"a_new_rate_is_applied_or_a_reset_is_asked_for",
     "A rate that is accepted while running is the rate, or a reset is asked for",
     "dechamps/FlexASIO, flexasio.cpp: SetSampleRate, issue 72 (Cubase sets it while it runs)",
     a_new_rate_is_applied_or_a_reset_is_asked_for, NEED_STREAM, 5},
    {"a_reset_request_comes_from_another_thread",
     "A reset request does not come on the thread of the callbacks",
     "jamulussoftware/jamulus, issue 3779 (on the callback thread, it locks up)",
     a_reset_request_comes_from_another_thread, NEED_STREAM, 5},
    {"released_within_a_reset_request", "The last Release may come within a reset request",
     "jamulussoftware/jamulus, issue 3779 (the host acts within the message); our own rule: "
     "because to unload the driver is one way to act",
     released_within_a_reset_request, NEED_STREAM, 5},
    {"made_anew_within_a_reset_request",
     "Buffers may be disposed of, made and started within a reset request",
     "jamulussoftware/jamulus, issue 3779 (the host acts within the message)",
     made_anew_within_a_reset_request, NEED_STREAM, 5},
    {"nonsense_in_answer_to_messages_is_survived",
     "A host that answers nonsense to each message is called all the same",
     "our own rule: because an answer is data, and a host's mistake in it must not end the music",
     nonsense_in_answer_to_messages_is_survived, NEED_STREAM, 0},
    {"missing_functions_are_not_called",
     "Callbacks that the host leaves NULL, bufferSwitch apart, are not called",
     "thestk/rtaudio, issue 485 (a driver calls the fourth, which is NULL)",
     missing_functions_are_not_called, NEED_STREAM, 5},
    {"a_time_of_148_bytes_is_enough",
     "Nothing beyond the 148 bytes of the time that a host returns is touched", "tutti/asio.h",
     a_time_of_148_bytes_is_enough, NEED_STREAM, 0},
    {"output_ready_may_come_at_any_time", "outputReady outside of callbacks does no harm",
     "JUCE, juce_ASIO_windows.cpp: openDevice asks before there are buffers; dechamps/ASIOUtil, "
     "BUFFERS.md (from another thread)",
     output_ready_may_come_at_any_time, NEED_STREAM, 0},
};

const struct conform_group conform_group_rude_message = {"rude", NULL, cases,
                                                         sizeof(cases) / sizeof(*cases)};
