/* SPDX-License-Identifier: MIT */
/*
 * What libjack's threads call, with a libjack that is this test: cycles on the ports' own memory,
 * silence where none runs, and never an allocation, a lock, a sleep or a line in the log, which are
 * interposed at link time and counted. One injected on purpose shows that the count sees them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/jack/jack_stream.h"
#include "interposed.h"

enum { PERIOD = 64, PORTS = 2, RATE_HZ = 48000 };

/* ---- a libjack ---- */

static struct {
    JackProcessCallback process;
    JackXRunCallback xrun;
    JackBufferSizeCallback period;
    JackSampleRateCallback rate;
    JackLatencyCallback latency;
    JackFreewheelCallback freewheel;
    JackPortRegistrationCallback registration;
    JackInfoShutdownCallback shutdown;
    void *arg;
    float memory[2 * PORTS][2 * PERIOD]; /* in_1, in_2, out_1, out_2 */
    uint32_t frame;
    jack_latency_range_t told[2 * PORTS];
} jack;

static struct backend_stream stream;
static struct backend_cycle last;
static struct backend_area last_in[PORTS], last_out[PORTS];
static unsigned cycles;
static bool allocates;

static unsigned
index_of(const jack_port_t *port)
{
    return (unsigned)((const char *)port - (const char *)&jack);
}

static jack_port_t *
port_at(unsigned index)
{
    return (jack_port_t *)((char *)&jack + index); /* a name, never looked into */
}

#define SETTER(name, type)                                                                         \
    static int set_##name(jack_client_t *client, type fn, void *arg)                               \
    {                                                                                              \
        (void)client;                                                                              \
        jack.name = fn;                                                                            \
        jack.arg = arg;                                                                            \
        return 0;                                                                                  \
    }
SETTER(process, JackProcessCallback)
SETTER(xrun, JackXRunCallback)
SETTER(period, JackBufferSizeCallback)
SETTER(rate, JackSampleRateCallback)
SETTER(latency, JackLatencyCallback)
SETTER(freewheel, JackFreewheelCallback)
SETTER(registration, JackPortRegistrationCallback)

static void
set_shutdown(jack_client_t *client, JackInfoShutdownCallback fn, void *arg)
{
    (void)client;
    (void)arg;
    jack.shutdown = fn;
}

static void *
get_buffer(jack_port_t *port, uint32_t frames)
{
    (void)frames;
    return jack.memory[index_of(port)];
}

static uint32_t
last_frame_time(const jack_client_t *client)
{
    (void)client;
    return jack.frame;
}

static uint32_t
frames_since_cycle_start(const jack_client_t *client)
{
    (void)client;
    return 3;
}

static void
get_latency(jack_port_t *port, jack_latency_callback_mode_t mode, jack_latency_range_t *range)
{
    (void)mode;
    range->min = 100 + index_of(port);
    range->max = 200 + index_of(port);
}

static void
tell_latency(jack_port_t *port, jack_latency_callback_mode_t mode, jack_latency_range_t *range)
{
    (void)mode;
    jack.told[index_of(port)] = *range;
}

static const struct jack_api api = {
    .set_process_callback = set_process,
    .set_xrun_callback = set_xrun,
    .set_buffer_size_callback = set_period,
    .set_sample_rate_callback = set_rate,
    .set_latency_callback = set_latency,
    .set_freewheel_callback = set_freewheel,
    .set_port_registration_callback = set_registration,
    .on_info_shutdown = set_shutdown,
    .port_get_buffer = get_buffer,
    .last_frame_time = last_frame_time,
    .frames_since_cycle_start = frames_since_cycle_start,
    .port_get_latency_range = get_latency,
    .port_set_latency_range = tell_latency,
};

/* ---- the engine's side ---- */

static void
on_cycle(void *user, const struct backend_cycle *cycle)
{
    (void)user;
    cycles++;
    last = *cycle;
    memcpy(last_in, cycle->in, sizeof(last_in));
    memcpy(last_out, cycle->out, sizeof(last_out));
    for (unsigned c = 0; c < PORTS; c++) {
        for (uint32_t i = 0; i < cycle->frames && cycle->out[c].first; i++) {
            ((float *)cycle->out[c].first)[i] = 0.5f;
        }
    }
    if (allocates) {
        void *volatile memory = malloc(16); /* or the compiler leaves both out */
        free(memory);
    }
}

static int
begin(void **state)
{
    (void)state;
    memset(&jack, 0, sizeof(jack));
    memset(&stream, 0, sizeof(stream));
    stream.api = &api;
    stream.graph.info.inputs = stream.graph.info.outputs = PORTS;
    stream.graph.info.rate_hz = RATE_HZ;
    stream.graph.info.period_frames = PERIOD;
    stream.graph.callbacks.cycle = on_cycle;
    for (unsigned c = 0; c < PORTS; c++) {
        stream.in_port[c] = port_at(c);
        stream.out_port[c] = port_at(PORTS + c);
    }
    os_wake_init(&stream.graph.wake, &stream.graph.bell);
    jack_process_install(&stream);
    graph_clock_start(&stream.graph.clock, RATE_HZ, PERIOD);
    stream.graph.raised = true; /* this thread is the test's */
    cycles = violations = 0;
    allocates = false;
    return 0;
}

static void
call(uint32_t frames)
{
    for (unsigned c = 0; c < 2 * PORTS; c++) {
        for (unsigned i = 0; i < 2 * PERIOD; i++) {
            jack.memory[c][i] = 0.25f; /* what was there before */
        }
    }
    in_real_time = true;
    assert_int_equal(jack.process(frames, jack.arg), 0);
    in_real_time = false;
    jack.frame += frames;
}

static void
expect_output(float sample, uint32_t frames)
{
    for (unsigned c = 0; c < PORTS; c++) {
        for (uint32_t i = 0; i < frames; i++) {
            assert_true(jack.memory[PORTS + c][i] == sample);
        }
        assert_true(jack.memory[c][0] == 0.25f); /* inputs belong to others */
    }
}

static void
a_cycle_works_on_the_ports_own_memory(void **state)
{
    (void)state;
    atomic_store(&stream.graph.gate, GRAPH_GATE_OPEN);
    call(PERIOD);
    assert_int_equal(cycles, 1);
    assert_int_equal(last.frames, PERIOD);
    assert_true(last.start_ns >= last.time_ns);
    for (unsigned c = 0; c < PORTS; c++) {
        assert_ptr_equal(last_in[c].first, jack.memory[c]);
        assert_ptr_equal(last_out[c].first, jack.memory[PORTS + c]);
        assert_int_equal(last_in[c].stride_bytes, sizeof(float));
    }
    expect_output(0.5f, PERIOD);
    jack.frame += 2 * PERIOD; /* the server ran without us */
    call(PERIOD);
    assert_int_equal(last.lost_frames, 2 * PERIOD);
    assert_true(last.flags & BACKEND_CYCLE_XRUN);
}

static void
there_is_silence_where_no_cycle_runs(void **state)
{
    (void)state;
    call(PERIOD); /* not started */
    expect_output(0, PERIOD);
    atomic_store(&stream.graph.gate, GRAPH_GATE_OPEN);
    call(2 * PERIOD); /* the server changed its buffer */
    expect_output(0, 2 * PERIOD);
    call(PERIOD / 2);
    expect_output(0, PERIOD / 2);
    graph_shut_gate(&stream.graph);
    call(PERIOD);
    expect_output(0, PERIOD);
    assert_int_equal(cycles, 0);
}

static void
a_rendering_server_gets_silence_and_programs_no_memory_of_it(void **state)
{
    (void)state;
    atomic_store(&stream.graph.gate, GRAPH_GATE_OPEN);
    call(PERIOD);
    jack.freewheel(1, jack.arg);
    for (unsigned i = 0; i < 200; i++) {
        call(PERIOD);
        expect_output(0, PERIOD);
    }
    assert_in_range(cycles, 1, 100); /* it ran away from real time */
    uint64_t deadline_ns = os_now_ns() + 20000 * (uint64_t)OS_NS_PER_MS;
    unsigned before = cycles;
    while (cycles == before && os_now_ns() < deadline_ns) {
        call(PERIOD);
    }
    assert_null(last_in[0].first);
    assert_null(last_out[0].first);
    jack.freewheel(0, jack.arg);
    call(PERIOD);
    assert_ptr_equal(last_out[0].first, jack.memory[PORTS]);
}

static void
latency_is_handed_on_from_side_to_side(void **state)
{
    (void)state;
    jack.latency(JackCaptureLatency, jack.arg);
    for (unsigned c = 0; c < PORTS; c++) {
        assert_int_equal(jack.told[PORTS + c].min, 100);
        assert_int_equal(jack.told[PORTS + c].max, 201);
        assert_int_equal(jack.told[c].max, 0);
    }
    jack.latency(JackPlaybackLatency, jack.arg);
    for (unsigned c = 0; c < PORTS; c++) {
        assert_int_equal(jack.told[c].min, 102);
        assert_int_equal(jack.told[c].max, 203);
    }
}

static void
callbacks_allocate_lock_sleep_and_log_nothing(void **state)
{
    (void)state;
    call(PERIOD);
    atomic_store(&stream.graph.gate, GRAPH_GATE_OPEN);
    call(PERIOD);
    call(2 * PERIOD);
    in_real_time = true;
    jack.xrun(jack.arg);
    jack.period(2 * PERIOD, jack.arg);
    jack.rate(44100, jack.arg);
    jack.latency(JackCaptureLatency, jack.arg);
    jack.freewheel(1, jack.arg);
    in_real_time = false;
    call(PERIOD);
    in_real_time = true;
    jack.freewheel(0, jack.arg);
    jack.registration(3, 1, jack.arg);
    jack.shutdown(0, "gone", jack.arg);
    in_real_time = false;
    call(PERIOD);
    assert_int_equal(atomic_load(&stream.registrations), 1);
    assert_int_equal(violations, 0);
    assert_int_equal(atomic_load(&stream.graph.news), GRAPH_NEWS_RATE | GRAPH_NEWS_SHUTDOWN);
    assert_int_equal(atomic_load(&stream.graph.period), 2 * PERIOD);
    assert_string_equal(stream.graph.reason, "gone");
    allocates = true;
    call(PERIOD);
    assert_int_equal(violations, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cycle_works_on_the_ports_own_memory, begin),
        cmocka_unit_test_setup(there_is_silence_where_no_cycle_runs, begin),
        cmocka_unit_test_setup(a_rendering_server_gets_silence_and_programs_no_memory_of_it, begin),
        cmocka_unit_test_setup(latency_is_handed_on_from_side_to_side, begin),
        cmocka_unit_test_setup(callbacks_allocate_lock_sleep_and_log_nothing, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
