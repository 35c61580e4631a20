/* SPDX-License-Identifier: MIT */
/* The wasapi backend on endpoints that the test steps (fake_endpoints.h): what it lists and opens,
 * how much it queues, and what it does while no event comes. */
#include "fake_endpoints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/backend.h"
#include "device/select.h"
#include "os/os.h"

enum { KEEP = 512, WAIT_MS = 15000, TRIES = 5, RULE_MS = 40, PERIOD_MS = 10 };

/* What hangs on the stream in place of the engine. */
static struct {
    const struct backend *backend;
    struct backend_stream *stream;
    struct config config;
    char error[256];
    uint64_t start_ns[KEEP]; /* of cycles */
    bool silent[KEEP];       /* no memory */
    float heard[KEEP];       /* the first sample */
    uint64_t position[KEEP]; /* frames since the start */
    uint64_t frames;
    float plays;
    _Atomic unsigned cycles;
    _Atomic unsigned events[4];
    _Atomic bool holds; /* a cycle does not return */
    enum tutti_status status;
} host;

static void
on_cycle(void *user, const struct backend_cycle *cycle)
{
    (void)user;
    unsigned n = atomic_load(&host.cycles);
    host.frames += cycle->flags & BACKEND_CYCLE_XRUN ? cycle->lost_frames : 0;
    if (n < KEEP) {
        const float *in = cycle->in[0].first;
        host.start_ns[n] = cycle->start_ns;
        host.silent[n] = !cycle->out[0].first;
        host.heard[n] = in ? in[0] : -1;
        host.position[n] = host.frames;
    }
    if (cycle->out[0].first) {
        *(float *)cycle->out[0].first = host.plays;
    }
    host.frames += cycle->frames;
    atomic_fetch_add(&host.cycles, 1);
    while (atomic_load(&host.holds)) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

static void
on_event(void *user, enum backend_event_kind kind, enum tutti_status status, const char *text)
{
    (void)user;
    assert_true(strlen(text) > 10);
    host.status = status;
    atomic_fetch_add(&host.events[kind], 1);
}

static enum tutti_status
try_open(const char *device, uint32_t inputs, uint32_t outputs)
{
    struct backend_request request = {
        .device = device, .max_inputs = inputs, .max_outputs = outputs, .config = &host.config};
    struct backend_callbacks callbacks = {NULL, on_cycle, on_event};
    unsigned count = 1;
    host.error[0] = '\0';
    return host.backend->open(&request, &callbacks, &host.stream, &count, host.error);
}

static const struct backend_info *
open_it(void)
{
    assert_int_equal(try_open("", 8, 8), TUTTI_OK);
    return host.backend->info(host.stream);
}

static enum tutti_status
start(void)
{
    host.frames = 0;
    atomic_store(&host.cycles, 0);
    return host.backend->start(host.stream);
}

static void
stop(void)
{
    host.backend->stop(host.stream);
}

static void
close_it(void)
{
    host.backend->close(host.stream);
    host.stream = NULL;
}

static void
await(_Atomic unsigned *counter, unsigned count)
{
    uint64_t deadline_ns = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (atomic_load(counter) < count) {
        assert_true(os_now_ns() < deadline_ns);
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

/* One pass, and until its cycle is written. */
static void
pass(struct fake_endpoint *render)
{
    unsigned cycles = atomic_load(&host.cycles);
    fake_pass(render);
    await(&host.cycles, cycles + 1);
    while (fake_queued(render) == 0) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

/* ---- listing and opening ---- */

static void
all_endpoints_are_listed_and_nothing_is_initialised(void **state)
{
    struct backend_device devices[8];
    unsigned count = 8;
    struct fake_endpoint *endpoints[] = {
        fake_add(eRender, L"Speakers", 2), fake_add(eRender, L"Headset", 2),
        fake_add(eCapture, L"Microphone", 1), fake_add(eCapture, L"Headset", 2),
        fake_add(eCapture, L"Line", 4)};
    (void)state;
    assert_int_equal(host.backend->list(&host.config, devices, &count), TUTTI_OK);
    assert_int_equal(count, 4);
    static const struct {
        const char *name;
        uint32_t inputs, outputs;
    } expected[] = {{"Speakers", 1, 2}, {"Headset", 2, 2}, {"Microphone", 1, 0}, {"Line", 4, 0}};
    for (unsigned i = 0; i < count; i++) {
        assert_string_equal(devices[i].name, expected[i].name);
        assert_int_equal(devices[i].inputs, expected[i].inputs);
        assert_int_equal(devices[i].outputs, expected[i].outputs);
        assert_int_equal(devices[i].is_default, i == 0);
        assert_int_equal(devices[i].period_max_frames, FAKE_PERIOD);
        assert_true(devices[i].rates_hz[0] == FAKE_RATE_HZ);
    }
    for (unsigned i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        assert_int_equal(endpoints[i]->initialized, 0);
    }
    /* and each opens as it is listed */
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(try_open(devices[i].name, 8, 8), TUTTI_OK);
        const struct backend_info *info = host.backend->info(host.stream);
        assert_string_equal(info->name, devices[i].name);
        assert_int_equal(info->inputs, devices[i].inputs);
        assert_int_equal(info->outputs, devices[i].outputs);
        close_it();
    }
}

static void
the_engine_knows_the_channels_of_a_named_device(void **state)
{
    struct proto_device known = {0};
    fake_add(eRender, L"Speakers", 2);
    fake_add(eRender, L"Interface", 6);
    (void)state;
    snprintf(host.config.device_backend, sizeof(host.config.device_backend), "wasapi");
    snprintf(host.config.device_name, sizeof(host.config.device_name), "Interface");
    select_learn(&host.config, 48000, &known);
    assert_string_equal(known.name, "Interface");
    assert_int_equal(known.outputs, 6);
}

static void
an_output_that_is_held_exclusively_is_an_error(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    fake_add(eCapture, L"Microphone", 2);
    (void)state;
    render->initialize_result = AUDCLNT_E_DEVICE_IN_USE;
    assert_int_equal(try_open("", 8, 8), TUTTI_DEVICE_BUSY);
    assert_non_null(strstr(host.error, "Speakers"));
    assert_int_equal(try_open("Speakers", 8, 8), TUTTI_DEVICE_BUSY);
}

static void
a_denied_microphone_leaves_the_output_and_alone_it_is_refused(void **state)
{
    fake_add(eRender, L"Speakers", 2);
    struct fake_endpoint *capture = fake_add(eCapture, L"Microphone", 2);
    (void)state;
    capture->initialize_result = E_ACCESSDENIED;
    assert_int_equal(open_it()->inputs, 0);
    close_it();
    assert_int_equal(try_open("Microphone", 8, 8), TUTTI_REFUSED);
    assert_non_null(strstr(host.error, "Privacy"));
}

static void
a_direction_that_nobody_wants_is_not_opened(void **state)
{
    fake_add(eRender, L"Speakers", 2);
    struct fake_endpoint *capture = fake_add(eCapture, L"Microphone", 2);
    (void)state;
    assert_int_equal(try_open("", 0, 8), TUTTI_OK);
    assert_int_equal(capture->initialized, 0);
    close_it();
}

/* ---- what is queued ---- */

static void
one_period_is_queued_and_the_newest_input_is_heard(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    struct fake_endpoint *capture = fake_add(eCapture, L"Microphone", 1);
    const struct backend_info *info = open_it();
    (void)state;
    assert_int_equal(info->output_latency_frames, FAKE_PERIOD);
    assert_int_equal(info->input_latency_frames, 2 * FAKE_PERIOD);
    assert_int_equal(start(), TUTTI_OK);
    assert_int_equal(fake_queued(render), FAKE_PERIOD);
    for (unsigned i = 1; i <= 20; i++) {
        capture->capture_value = (float)i;
        host.plays = (float)(100 + i);
        fake_pass(capture);
        pass(render);
        unsigned last = atomic_load(&host.cycles) - 1;
        if (!host.silent[last]) {
            assert_true(host.heard[last] == (float)i);
        }
        assert_int_equal(fake_queued(render), FAKE_PERIOD);
        /* what the cycle before wrote is what this pass took */
        assert_true(i < 2 || render->last_taken == (float)(99 + i));
    }
    assert_int_equal(render->starved, 0);
    stop();
    close_it();
}

static void
pass_later(void *arg)
{
    os_sleep_until_ns(os_now_ns() + (uint64_t)PERIOD_MS * OS_NS_PER_MS / 2);
    fake_pass(arg);
}

/* Tries: the machine may not let the passes come in time. */
static void
what_was_written_is_played_before_the_stop(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    bool played = false;
    open_it();
    (void)state;
    for (unsigned i = 0; i < 2 * TRIES && !played; i++) {
        struct os_thread *later;
        assert_int_equal(start(), TUTTI_OK);
        host.plays = (float)(i + 1);
        pass(render);
        assert_int_equal(os_thread_start(&later, "pass", OS_PRIORITY_NORMAL, pass_later, render),
                         TUTTI_OK);
        stop();
        os_thread_join(later);
        played = render->last_taken == (float)(i + 1);
    }
    assert_true(played);
    close_it();
}

/* Packets come three at once, as those of some drivers do. */
static void
input_that_comes_in_bursts_is_heard_whole(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    struct fake_endpoint *capture = fake_add(eCapture, L"Microphone", 1);
    const struct backend_info *info = open_it();
    unsigned whole = 0;
    (void)state;
    assert_int_equal(start(), TUTTI_OK);
    for (unsigned round = 1; round <= 60; round++) {
        unsigned first = atomic_load(&host.cycles);
        for (unsigned i = 0; i < 3; i++) {
            capture->capture_value = (float)(3 * round + i);
            fake_pass(capture);
        }
        for (unsigned i = 0; i < 3; i++) {
            pass(render);
        }
        bool heard = atomic_load(&host.cycles) == first + 3; /* no other cycle came between */
        for (unsigned i = 0; heard && i < 3; i++) {
            heard = host.heard[first + i] == (float)(3 * round + i);
        }
        whole += heard;
    }
    assert_true(whole > 20); /* but where this test was kept from running */
    await(&host.events[BACKEND_EVENT_PERIOD_CHANGED], 1);
    stop();
    assert_int_equal(host.backend->set_period(host.stream, 0), TUTTI_OK);
    assert_in_range(info->input_latency_frames, 4 * FAKE_PERIOD, 7 * FAKE_PERIOD);
    close_it();
}

static void
a_queue_that_ran_dry_twice_is_longer_from_the_next_start_on(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    const struct backend_info *info = open_it();
    (void)state;
    assert_int_equal(start(), TUTTI_OK);
    for (unsigned i = 0; i < 2; i++) {
        unsigned cycles = atomic_load(&host.cycles);
        pass(render);
        atomic_store(&host.holds, true);
        fake_pass(render);
        await(&host.cycles, cycles + 2);
        /* the cycle takes three periods: the next pass finds nothing */
        fake_pass(render);
        os_sleep_until_ns(os_now_ns() + 3 * (uint64_t)PERIOD_MS * OS_NS_PER_MS);
        atomic_store(&host.holds, false);
        while (fake_queued(render) == 0) {
            os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
        }
    }
    assert_in_range(render->starved, 2, 4);
    await(&host.events[BACKEND_EVENT_PERIOD_CHANGED], 1);
    assert_int_equal(info->output_latency_frames, FAKE_PERIOD); /* not while it plays */
    stop();
    assert_int_equal(host.backend->set_period(host.stream, 0), TUTTI_OK);
    assert_int_equal(info->output_latency_frames, 2 * FAKE_PERIOD);
    assert_int_equal(start(), TUTTI_OK);
    assert_int_equal(fake_queued(render), 2 * FAKE_PERIOD);
    pass(render);
    assert_int_equal(fake_queued(render), 2 * FAKE_PERIOD);
    stop();
    close_it();
}

/* ---- silence ---- */

/* The best of several tries: a machine that does something else must not decide. */
static uint64_t
least_ns(const uint64_t values[TRIES])
{
    uint64_t least = values[0];
    for (unsigned i = 1; i < TRIES; i++) {
        least = values[i] < least ? values[i] : least;
    }
    return least;
}

static void
without_an_event_cycles_run_in_silence_from_the_start_on(void **state)
{
    uint64_t first_ns[TRIES], worst_ns[TRIES];
    fake_add(eRender, L"Speakers", 2);
    open_it();
    (void)state;
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t begun_ns = os_now_ns();
        assert_int_equal(start(), TUTTI_OK);
        await(&host.cycles, 20);
        stop();
        first_ns[i] = host.start_ns[0] - begun_ns;
        worst_ns[i] = 0;
        for (unsigned n = 1; n < 20; n++) {
            uint64_t gap_ns = host.start_ns[n] - host.start_ns[n - 1];
            worst_ns[i] = gap_ns > worst_ns[i] ? gap_ns : worst_ns[i];
            assert_true(host.silent[n]);
        }
    }
    assert_in_range(least_ns(first_ns), 0, RULE_MS * OS_NS_PER_MS);
    assert_in_range(least_ns(worst_ns), 0, RULE_MS * OS_NS_PER_MS);
    close_it();
}

static void
cycles_run_while_a_device_takes_its_time_to_start(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Headphones", 2);
    open_it();
    (void)state;
    render->start_ms = 300;
    assert_int_equal(start(), TUTTI_OK);
    assert_true(atomic_load(&host.cycles) > 10);
    /* and then with it */
    pass(render);
    stop();
    close_it();
}

static void
positions_follow_time_through_silence(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    open_it();
    (void)state;
    assert_int_equal(start(), TUTTI_OK);
    for (unsigned i = 0; i < 3; i++) {
        pass(render);
    }
    await(&host.cycles, 30); /* the others are silent */
    pass(render);
    stop();
    unsigned last = atomic_load(&host.cycles) - 1;
    double passed = (double)(host.start_ns[last] - host.start_ns[3]) * FAKE_RATE_HZ / 1e9;
    double counted = (double)(host.position[last] - host.position[3]);
    assert_true(passed - counted < 2 * FAKE_PERIOD && counted - passed < 2 * FAKE_PERIOD);
    close_it();
}

static void
a_device_without_events_is_lost_after_two_seconds_of_silence(void **state)
{
    fake_add(eRender, L"Speakers", 2);
    open_it();
    (void)state;
    assert_int_equal(start(), TUTTI_OK);
    await(&host.events[BACKEND_EVENT_LOST], 1);
    assert_int_equal(host.status, TUTTI_DEVICE_LOST);
    assert_in_range(atomic_load(&host.cycles), 2000 / PERIOD_MS / 2, 2000 / PERIOD_MS + 2);
    stop();
    assert_int_equal(host.backend->start(host.stream), TUTTI_DEVICE_LOST);
    close_it();
}

static void
a_device_that_is_invalid_is_lost_though_no_event_comes(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    open_it();
    (void)state;
    assert_int_equal(start(), TUTTI_OK);
    pass(render);
    render->padding_result = AUDCLNT_E_DEVICE_INVALIDATED;
    await(&host.events[BACKEND_EVENT_LOST], 1);
    assert_int_equal(host.status, TUTTI_DEVICE_LOST);
    assert_in_range(atomic_load(&host.cycles), 1, 2000 / PERIOD_MS / 2); /* far before 2 s */
    stop();
    close_it();
}

static void
a_device_that_does_not_start_says_so(void **state)
{
    struct fake_endpoint *render = fake_add(eRender, L"Speakers", 2);
    open_it();
    (void)state;
    render->start_result = E_FAIL;
    assert_int_equal(start(), TUTTI_DEVICE_FAILED);
    unsigned cycles = atomic_load(&host.cycles);
    os_sleep_until_ns(os_now_ns() + 50 * OS_NS_PER_MS);
    assert_int_equal(atomic_load(&host.cycles), cycles);
    close_it();
}

/* ---- the table ---- */

static int
begin(void **state)
{
    (void)state;
    memset(&host, 0, sizeof(host));
    host.backend = backend_find("wasapi");
    config_init(&host.config);
    fake_reset();
    return host.backend ? 0 : -1;
}

static int
finish(void **state)
{
    (void)state;
    if (host.stream) {
        atomic_store(&host.holds, false);
        stop();
        close_it();
    }
    return 0;
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        CASE(all_endpoints_are_listed_and_nothing_is_initialised),
        CASE(the_engine_knows_the_channels_of_a_named_device),
        CASE(an_output_that_is_held_exclusively_is_an_error),
        CASE(a_denied_microphone_leaves_the_output_and_alone_it_is_refused),
        CASE(a_direction_that_nobody_wants_is_not_opened),
        CASE(one_period_is_queued_and_the_newest_input_is_heard),
        CASE(what_was_written_is_played_before_the_stop),
        CASE(input_that_comes_in_bursts_is_heard_whole),
        CASE(a_queue_that_ran_dry_twice_is_longer_from_the_next_start_on),
        CASE(without_an_event_cycles_run_in_silence_from_the_start_on),
        CASE(cycles_run_while_a_device_takes_its_time_to_start),
        CASE(positions_follow_time_through_silence),
        CASE(a_device_without_events_is_lost_after_two_seconds_of_silence),
        CASE(a_device_that_is_invalid_is_lost_though_no_event_comes),
        CASE(a_device_that_does_not_start_says_so),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
