/* SPDX-License-Identifier: MIT */
/*
 * The real tuttid on a PCM that is no card: libasound's plugin for PulseAudio, with a server of the
 * test's own. What programs play is heard at the sink's monitor, and their callbacks go on through
 * the server's death and hanging. The second argument says how often it dies. Ends with 77
 * where PulseAudio or the plugin is not installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alsa_host.h"
#include "deaths.h"
#include "pulse.h"

enum { SKIPPED = 77 };

static unsigned deaths;
static struct host first, second;

static void
two_programs_play_and_hear(void **state)
{
    (void)state;
    pulse_start();
    host_run(&first, 1024, 0);
    host_run(&second, 2048, 1);
    AWAIT(&first.heard, 50);
    AWAIT(&second.heard, 20);
    assert_string_equal(host_status(&first).device.name, "pulse");
    assert_string_equal(host_status(&first).device.format, "float32 rw");
    assert_int_equal(atomic_load(&first.lost), 0);
}

static void
programs_outlive_a_server_that_is_killed_again_and_again(void **state)
{
    (void)state;
    pulse_start();
    host_run(&first, 1024, 0);
    host_run(&second, 2048, 1);
    AWAIT(&first.heard, 5);
    uint64_t generation = atomic_load(&first.generation);
    for (unsigned i = 1; i <= deaths; i++) {
        pulse_end(true);
        AWAIT(&first.lost, i);
        AWAIT_MORE(&first.blocks, 10);
        AWAIT_MORE(&second.blocks, 5);
        pulse_start();
        uint64_t there_ns = os_now_ns();
        AWAIT(&first.back, i);
        AWAIT_MORE(&first.heard, 5);
        deaths_tell(i, there_ns);
        AWAIT_MORE(&second.heard, 3);
    }
    assert_true(atomic_load(&first.generation) == generation);
    assert_int_equal(atomic_load(&first.lost), deaths);
}

static void
programs_outlive_a_server_that_hangs(void **state)
{
    (void)state;
    pulse_start();
    host_run(&first, 1024, 0);
    AWAIT(&first.heard, 5);
    uint64_t generation = atomic_load(&first.generation);
    pulse_hang(true);
    AWAIT(&first.lost, 1);
    AWAIT_MORE(&first.blocks, 50); /* time for attempts that hang, too */
    pulse_hang(false);
    AWAIT(&first.back, 1);
    AWAIT_MORE(&first.heard, 5);
    assert_true(atomic_load(&first.generation) == generation);
}

static const struct {
    const char *name, *value;
} configuration[] = {
    {"TUTTI_DEVICE_BACKEND", "alsa"},
    {"TUTTI_ALSA_DEVICES", "pulse"},
    {"TUTTI_ALSA_PERIODS", "4"},
    {"TUTTI_DEVICE_PERIOD", "1024"},
};

/* False: nothing is configured, as on a machine where PulseAudio is all there is. */
static void
configure(bool all)
{
    for (unsigned i = 0; i < sizeof(configuration) / sizeof(configuration[0]); i++) {
        if (all) {
            setenv(configuration[i].name, configuration[i].value, 1);
        } else {
            unsetenv(configuration[i].name);
        }
    }
}

static void
without_any_configuration_pulseaudio_is_heard(void **state)
{
    (void)state;
    pulse_start();
    configure(false);
    host_run(&first, 256, 0);
    AWAIT(&first.heard, 100);
    assert_string_equal(host_status(&first).device.name, "pulse");
    assert_string_equal(host_status(&first).problem, "");
}

static void
programs_go_over_to_a_server_that_is_started_later(void **state)
{
    (void)state;
    pulse_start();
    pulse_end(true); /* what leads to it stays */
    configure(false);
    host_run(&first, 256, 0);
    AWAIT(&first.blocks, 20);
    assert_string_equal(host_status(&first).device.backend, "sim");
    uint64_t generation = atomic_load(&first.generation);
    pulse_start();
    AWAIT(&first.heard, 20);
    assert_string_equal(host_status(&first).device.name, "pulse");
    assert_string_equal(host_status(&first).problem, "");
    assert_true(atomic_load(&first.generation) == generation);
    assert_int_equal(atomic_load(&first.lost), 0);
}

static int
finish(void **state)
{
    (void)state;
    configure(true);
    host_close(&first);
    host_close(&second);
    pulse_end(false);
    return host_await_end() ? 0 : -1;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(two_programs_play_and_hear, finish),
        cmocka_unit_test_teardown(without_any_configuration_pulseaudio_is_heard, finish),
        cmocka_unit_test_teardown(programs_go_over_to_a_server_that_is_started_later, finish),
        cmocka_unit_test_teardown(programs_outlive_a_server_that_is_killed_again_and_again, finish),
        cmocka_unit_test_teardown(programs_outlive_a_server_that_hangs, finish),
    };
    char reason[256];
    deaths = deaths_wanted(argc, argv);
    if (!deaths) {
        return 2;
    }
    if (!pulse_available(reason)) {
        printf("skipped: %s\n", reason);
        return SKIPPED;
    }
    host_environment(argv[1]);
    host_set_bits(24);
    configure(true);
    /* others that run here are none of the test's */
    setenv("TUTTI_PIPEWIRE_REMOTE", "tutti-none", 1);
    setenv("TUTTI_JACK_SERVER", "tutti-none", 1);
    cmocka_set_test_filter(getenv("TUTTI_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
