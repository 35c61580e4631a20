/* SPDX-License-Identifier: MIT */
/*
 * What programs must find on any graph server (JACK, PipeWire), by the real tuttid on the real
 * server. Each case takes its server as cmocka's initial state: a const struct real_server.
 */
#ifndef TUTTI_TEST_GRAPH_CASES_H
#define TUTTI_TEST_GRAPH_CASES_H

#include <stdbool.h>

#include "graph_host.h"

/* One server, as the cases use it. Failures end the test. */
struct real_server {
    const char *backend;      /* "jack" */
    const char *connect_name; /* environment variable: "no" leaves the ports alone */
    void (*start)(bool with_device);
    void (*end)(bool kill); /* dead already: fine */
    void (*hang)(bool hang);
    void (*loop)(void); /* patches the first output to the first input */
    struct graph_card *(*card_open)(void);
    void (*card_close)(void);
};

/** Before the tests: takes the arguments (TUTTID [DEATHS]), sets the environment. 0, or the status
 * to end with. available(): false, with the reason, where there is no such server. */
int graph_cases_prepare(int argc, char **argv, const char *name,
                        bool (*available)(char reason[256]));

/** For each test: its server's backend, ports connected. */
int graph_case_begin(void **state);
/** The engine leaves, so that each test begins with none. */
int graph_case_finish(void **state);

#define GRAPH_CASE(name, server)                                                                   \
    cmocka_unit_test_prestate_setup_teardown(name, graph_case_begin, graph_case_finish,            \
                                             (void *)(server))

/** Patches until the host hears itself. */
void graph_await_loop(const struct real_server *server, struct host *host);

void two_programs_reach_the_card_bit_for_bit_on_the_promised_frame(void **state);
void a_loop_in_the_patchbay_takes_what_was_told(void **state);
void programs_outlive_a_server_that_is_killed_again_and_again(void **state);
void a_server_that_stops_for_a_moment_keeps_engine_and_connections(void **state);
void auto_takes_the_server_when_it_answers_and_stays_with_it(void **state);
void auto_passes_over_a_server_that_is_absent_or_hangs(void **state);

#endif
