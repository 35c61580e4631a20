/* SPDX-License-Identifier: MIT */
/* The channels that hosts see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "asio/channels.h"

static void
hosts_see_the_channels_that_are_listed_as_far_as_there_are_any(void **state)
{
    struct config config;
    uint16_t list[CONFIG_CHANNELS];

    (void)state;
    config_init(&config);
    assert_int_equal(channels_offered(&config, true, 8, list), 8);
    assert_int_equal(list[7], 7);
    assert_int_equal(channels_offered(&config, false, 200, list), 32); /* outputs = 32 */
    snprintf(config.program_input_channels, CONFIG_TEXT_BYTES, "9, 5, 1-2");
    assert_int_equal(channels_offered(&config, true, 8, list), 3);
    assert_int_equal(list[0], 4);
    assert_int_equal(list[1], 0);
    assert_int_equal(list[2], 1);
    assert_int_equal(channels_offered(&config, false, 8, list), 8);
    config.program_inputs = 1;
    assert_int_equal(channels_offered(&config, true, 8, list), 1);
}

static void
a_host_gets_two_inputs_of_one_microphone(void **state)
{
    struct config config;
    uint16_t list[CONFIG_CHANNELS];

    (void)state;
    config_init(&config);
    snprintf(config.program_input_channels, CONFIG_TEXT_BYTES, "1, 1");
    assert_int_equal(channels_offered(&config, true, 1, list), 2);
    assert_int_equal(list[0], 0);
    assert_int_equal(list[1], 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_see_the_channels_that_are_listed_as_far_as_there_are_any),
        cmocka_unit_test(a_host_gets_two_inputs_of_one_microphone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
