/* SPDX-License-Identifier: MIT */
/*
 * What PipeWire's real-time thread calls, with a libpipewire that is this test: cycles on the
 * ports' own memory, silence where none runs or nothing is linked, and never an allocation, a lock,
 * a sleep or a line in the log. One injected on purpose shows that the count sees them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/pipewire/pipewire_stream.h"
#include "interposed.h"

enum { PERIOD = 64, PORTS = 2, RATE_HZ = 48000 };

/* ---- a libpipewire ---- */

static struct {
    const struct pw_filter_events *events;
    void *data;
    unsigned ports;
    float memory[2 * PORTS][2 * PERIOD]; /* in_1, in_2, out_1, out_2 */
    bool linked[2 * PORTS];
    unsigned taken[2 * PORTS]; /* asked for in this call */
    struct spa_io_position position;
} graph;

static struct backend_stream stream;
static struct backend_cycle last;
static struct backend_area last_in[PORTS], last_out[PORTS];
static unsigned cycles;
static bool allocates;
static char asked[16][64]; /* keys and values, one after the other */
static unsigned asked_count;

static struct pw_properties *
properties_new_dict(const struct spa_dict *dict)
{
    for (uint32_t i = 0; i < dict->n_items && asked_count + 1 < 16; i++) {
        if (strstr(dict->items[i].key, "force") || strstr(dict->items[i].key, "latency")) {
            strcpy(asked[asked_count++], dict->items[i].key);
            strcpy(asked[asked_count++], dict->items[i].value);
        }
    }
    return NULL;
}

static struct pw_filter *
filter_new(struct pw_core *core, const char *name, struct pw_properties *props)
{
    (void)core;
    (void)name;
    (void)props;
    return (struct pw_filter *)&graph; /* a name, never looked into */
}

static void
filter_add_listener(struct pw_filter *filter, struct spa_hook *hook,
                    const struct pw_filter_events *events, void *data)
{
    (void)filter;
    (void)hook;
    graph.events = events;
    graph.data = data;
}

static void *
filter_add_port(struct pw_filter *filter, enum pw_direction direction,
                enum pw_filter_port_flags flags, size_t bytes, struct pw_properties *props,
                const struct spa_pod **params, uint32_t count)
{
    (void)filter;
    (void)direction;
    (void)flags;
    (void)bytes;
    (void)props;
    (void)params;
    (void)count;
    return &graph.linked[graph.ports++];
}

static int
filter_connect(struct pw_filter *filter, enum pw_filter_flags flags, const struct spa_pod **params,
               uint32_t count)
{
    (void)filter;
    (void)params;
    (void)count;
    return flags & PW_FILTER_FLAG_RT_PROCESS ? 0 : -1;
}

static void *
filter_get_dsp_buffer(void *port, uint32_t frames)
{
    unsigned index = (unsigned)((bool *)port - graph.linked);
    (void)frames;
    graph.taken[index]++;
    return graph.linked[index] ? graph.memory[index] : NULL;
}

static const struct pipewire_api api = {
    .properties_new_dict = properties_new_dict,
    .filter_new = filter_new,
    .filter_add_listener = filter_add_listener,
    .filter_add_port = filter_add_port,
    .filter_connect = filter_connect,
    .filter_get_dsp_buffer = filter_get_dsp_buffer,
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

static void
open_node(bool force)
{
    char error[256] = "";
    memset(&graph, 0, sizeof(graph));
    memset(&stream, 0, sizeof(stream));
    asked_count = 0;
    stream.server.api = &api;
    stream.graph.may_set_period = true;
    stream.force = force;
    stream.graph.info.inputs = stream.graph.info.outputs = PORTS;
    stream.graph.info.rate_hz = RATE_HZ;
    stream.graph.info.period_frames = PERIOD;
    graph_init(&stream.graph, "PipeWire",
               &(struct backend_callbacks){.cycle = on_cycle, .event = NULL}, 70);
    assert_int_equal(pipewire_filter_open(&stream, RATE_HZ, PERIOD, error), TUTTI_OK);
    for (unsigned c = 0; c < 2 * PORTS; c++) {
        graph.linked[c] = true;
    }
    graph.position.clock = (struct spa_io_clock){
        .id = 7,
        .rate = {1, RATE_HZ},
        .position = 1000000,
    };
    graph_know_period(&stream.graph);
    graph_clock_start(&stream.graph.clock, RATE_HZ, PERIOD);
    stream.graph.raised = true; /* this thread is the test's */
    cycles = violations = 0;
    allocates = false;
}

static int
begin(void **state)
{
    (void)state;
    open_node(false);
    return 0;
}

static void
open_gate(void)
{
    atomic_store(&stream.graph.gate, GRAPH_GATE_OPEN);
}

static void
call(uint32_t frames)
{
    for (unsigned c = 0; c < 2 * PORTS; c++) {
        graph.taken[c] = 0;
        for (unsigned i = 0; i < 2 * PERIOD; i++) {
            graph.memory[c][i] = 0.25f; /* what was there before */
        }
    }
    graph.position.clock.duration = frames;
    graph.position.clock.nsec = os_now_ns();
    in_real_time = true;
    graph.events->process(graph.data, &graph.position);
    in_real_time = false;
    graph.position.clock.position += frames;
    for (unsigned c = 0; c < 2 * PORTS; c++) {
        assert_int_equal(graph.taken[c], 1); /* or its memory would not come back */
    }
}

static void
expect_output(float sample, uint32_t frames)
{
    for (unsigned c = 0; c < PORTS; c++) {
        for (uint32_t i = 0; i < frames; i++) {
            assert_true(graph.memory[PORTS + c][i] == sample);
        }
        assert_true(graph.memory[c][0] == 0.25f); /* inputs belong to others */
    }
}

static void
a_cycle_works_on_the_ports_own_memory(void **state)
{
    (void)state;
    open_gate();
    call(PERIOD);
    assert_int_equal(cycles, 1);
    assert_int_equal(last.frames, PERIOD);
    assert_true(last.start_ns >= last.time_ns);
    for (unsigned c = 0; c < PORTS; c++) {
        assert_ptr_equal(last_in[c].first, graph.memory[c]);
        assert_ptr_equal(last_out[c].first, graph.memory[PORTS + c]);
        assert_int_equal(last_in[c].stride_bytes, sizeof(float));
    }
    expect_output(0.5f, PERIOD);
    graph.position.clock.position += 2 * PERIOD; /* the server ran without us */
    call(PERIOD);
    assert_int_equal(last.lost_frames, 2 * PERIOD);
    assert_true(last.flags & BACKEND_CYCLE_XRUN);
}

static void
another_driver_with_another_count_of_frames_loses_nothing(void **state)
{
    (void)state;
    open_gate();
    call(PERIOD);
    graph.position.clock.id = 8;
    graph.position.clock.position = 999999999;
    call(PERIOD);
    assert_int_equal(cycles, 2);
    assert_true(last.lost_frames < RATE_HZ); /* what passed by time, on a slow machine */
    graph.position.clock.id = 7;
    graph.position.clock.position = 5;
    call(PERIOD);
    assert_int_equal(cycles, 3);
    assert_true(last.lost_frames < RATE_HZ);
}

static void
ports_that_nothing_is_linked_to_are_silent_and_hold_what_is_written(void **state)
{
    (void)state;
    memset(graph.linked, 0, sizeof(graph.linked));
    open_gate();
    call(PERIOD);
    assert_int_equal(cycles, 1);
    for (unsigned c = 0; c < PORTS; c++) {
        assert_non_null(last_in[c].first);
        assert_non_null(last_out[c].first);
        for (uint32_t i = 0; i < PERIOD; i++) {
            assert_true(((const float *)last_in[c].first)[i] == 0);
        }
    }
}

static void
there_is_silence_where_no_cycle_runs(void **state)
{
    (void)state;
    call(PERIOD); /* not started */
    expect_output(0, PERIOD);
    open_gate();
    call(2 * PERIOD); /* another quantum */
    expect_output(0, 2 * PERIOD);
    assert_int_equal(atomic_load(&stream.graph.period), 2 * PERIOD);
    graph.position.clock.rate.denom = 44100; /* another rate */
    call(PERIOD);
    expect_output(0, PERIOD);
    assert_true(atomic_load(&stream.graph.news) & GRAPH_NEWS_RATE);
    graph.position.clock.rate.denom = RATE_HZ;
    graph_shut_gate(&stream.graph);
    call(PERIOD);
    expect_output(0, PERIOD);
    assert_int_equal(cycles, 0);
}

static void
a_rendering_server_gets_silence_and_programs_no_memory_of_it(void **state)
{
    (void)state;
    open_gate();
    call(PERIOD);
    graph.position.clock.flags = SPA_IO_CLOCK_FLAG_FREEWHEEL;
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
    graph.position.clock.flags = 0;
    call(PERIOD);
    assert_ptr_equal(last_out[0].first, graph.memory[PORTS]);
}

static const char *
value_of(const char *key)
{
    for (unsigned i = 0; i + 1 < asked_count; i += 2) {
        if (strcmp(asked[i], key) == 0) {
            return asked[i + 1];
        }
    }
    return "";
}

static void
the_graph_is_asked_for_a_period_or_told_one(void **state)
{
    (void)state;
    assert_string_equal(value_of(PW_KEY_NODE_LATENCY), "64/48000");
    assert_string_equal(value_of(PW_KEY_NODE_FORCE_QUANTUM), "");
    open_node(true);
    assert_string_equal(value_of(PW_KEY_NODE_FORCE_QUANTUM), "64");
    assert_string_equal(value_of(PW_KEY_NODE_FORCE_RATE), "48000");
}

static void
the_real_time_thread_allocates_locks_sleeps_and_logs_nothing(void **state)
{
    (void)state;
    call(PERIOD);
    open_gate();
    call(PERIOD);
    call(2 * PERIOD);
    graph.position.clock.flags = SPA_IO_CLOCK_FLAG_FREEWHEEL;
    call(PERIOD);
    graph.position.clock.flags = 0;
    graph.position.clock.id = 9;
    call(PERIOD);
    in_real_time = true;
    graph.events->process(graph.data, NULL); /* not in a graph yet */
    in_real_time = false;
    assert_int_equal(violations, 0);
    allocates = true;
    call(PERIOD);
    assert_int_equal(violations, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cycle_works_on_the_ports_own_memory, begin),
        cmocka_unit_test_setup(another_driver_with_another_count_of_frames_loses_nothing, begin),
        cmocka_unit_test_setup(ports_that_nothing_is_linked_to_are_silent_and_hold_what_is_written,
                               begin),
        cmocka_unit_test_setup(there_is_silence_where_no_cycle_runs, begin),
        cmocka_unit_test_setup(a_rendering_server_gets_silence_and_programs_no_memory_of_it, begin),
        cmocka_unit_test_setup(the_graph_is_asked_for_a_period_or_told_one, begin),
        cmocka_unit_test_setup(the_real_time_thread_allocates_locks_sleeps_and_logs_nothing, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
