/* SPDX-License-Identifier: MIT */
/*
 * The driver's objects against a libtutti of the test's own: COM, states, refusals, and what hosts
 * ask before they play. What comes through the real libtutti and engine is test_asio_driver's.
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

#include "asio/dll.h"
#include "asio/selectors.h"
#include "fake_host.h"

/* ---- COM ---- */

static void
the_object_answers_to_its_class_id_and_iunknown_alone(void **state)
{
    static const struct asio_guid unknown = {0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    static const struct asio_guid dispatch = {0x20400, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    void *object;

    (void)state;
    assert_int_equal(M->query_interface(host.driver, &unknown, &object), S_OK);
    assert_ptr_equal(object, host.driver);
    assert_int_equal(M->query_interface(host.driver, &dll_names[0].clsid, &object), S_OK);
    assert_int_equal(M->query_interface(host.driver, &dispatch, &object), E_NOINTERFACE);
    assert_null(object);
    assert_int_equal(M->release(host.driver), 2);
    assert_int_equal(M->release(host.driver), 1);
}

static void
the_factory_refuses_other_classes_and_aggregation(void **state)
{
    static const IID class_factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    CLSID clsid = {0};
    void *object = &clsid;
    IClassFactory *factory;

    (void)state;
    assert_int_equal(DllGetClassObject(&clsid, &class_factory, &object), CLASS_E_CLASSNOTAVAILABLE);
    assert_null(object);
    memcpy(&clsid, &dll_names[0].clsid, sizeof(clsid));
    assert_int_equal(DllGetClassObject(&clsid, &class_factory, (void **)&factory), S_OK);
    assert_int_equal(factory->lpVtbl->CreateInstance(factory, (IUnknown *)factory, &clsid, &object),
                     CLASS_E_NOAGGREGATION);
    assert_int_equal(factory->lpVtbl->CreateInstance(factory, NULL, &class_factory, &object),
                     E_NOINTERFACE);
    factory->lpVtbl->Release(factory);
    assert_int_equal(DllCanUnloadNow(), S_FALSE);
}

static void
the_name_is_that_of_the_registry_key(void **state)
{
    char name[ASIO_NAME_BYTES];

    (void)state;
    memset(name, 'x', sizeof(name));
    M->get_driver_name(host.driver, name);
    assert_string_equal(name, "Tutti");
}

/* ---- states ---- */

/* Calls `call` with arguments that are fine; init is asked last of all. */
static int32_t
do_call(enum call call)
{
    struct asio_driver *d = host.driver;
    struct asio_buffer_info one = {.is_input = 0, .channel = 0};
    struct asio_channel_info info = {.channel = 0};
    struct asio_clock_source clock;
    struct asio_int64 position, time;
    int32_t a = 1, b, c, e;
    double rate;
    char text[ASIO_ERROR_BYTES];

    switch (call) {
    case CALL_INIT:
        return M->init(d, NULL) ? ASIO_OK : ASIO_INVALID_MODE;
    case CALL_GET_DRIVER_NAME:
        M->get_driver_name(d, text);
        return ASIO_OK;
    case CALL_GET_DRIVER_VERSION:
        return M->get_driver_version(d) > 0 ? ASIO_OK : ASIO_HW_MALFUNCTION;
    case CALL_GET_ERROR_MESSAGE:
        M->get_error_message(d, text);
        return ASIO_OK;
    case CALL_START:
        return M->start(d);
    case CALL_STOP:
        return M->stop(d);
    case CALL_GET_CHANNELS:
        return M->get_channels(d, &a, &b);
    case CALL_GET_LATENCIES:
        return M->get_latencies(d, &a, &b);
    case CALL_GET_BUFFER_SIZE:
        return M->get_buffer_size(d, &a, &b, &c, &e);
    case CALL_CAN_SAMPLE_RATE:
        return M->can_sample_rate(d, 44100);
    case CALL_GET_SAMPLE_RATE:
        return M->get_sample_rate(d, &rate);
    case CALL_SET_SAMPLE_RATE:
        return M->set_sample_rate(d, 48000);
    case CALL_GET_CLOCK_SOURCES:
        return M->get_clock_sources(d, &clock, &a);
    case CALL_SET_CLOCK_SOURCE:
        return M->set_clock_source(d, 0);
    case CALL_GET_SAMPLE_POSITION:
        return M->get_sample_position(d, &position, &time);
    case CALL_GET_CHANNEL_INFO:
        return M->get_channel_info(d, &info);
    case CALL_CREATE_BUFFERS:
        return M->create_buffers(d, &one, 1, 64, &callbacks);
    case CALL_DISPOSE_BUFFERS:
        return M->dispose_buffers(d);
    case CALL_CONTROL_PANEL:
        /* any state, and there is none yet */
        return M->control_panel(d) == ASIO_NOT_PRESENT ? ASIO_OK : ASIO_HW_MALFUNCTION;
    case CALL_FUTURE:
        return M->future(d, ASIO_FUTURE_CAN_TIME_INFO, NULL) == ASIO_SUCCESS ? ASIO_OK
                                                                             : ASIO_HW_MALFUNCTION;
    case CALL_OUTPUT_READY:
        return M->output_ready(d);
    case CALL_COUNT:
        break;
    }
    return ASIO_HW_MALFUNCTION;
}

static void
every_call_answers_in_every_state_as_the_table_says(void **state)
{
    (void)state;
    for (int s = STATE_LOADED; s < STATE_COUNT; s++) {
        for (int c = 0; c < CALL_COUNT; c++) {
            fake_host_go_to((enum state)s);
            int32_t expected = rules_check((enum call)c, (enum state)s);
            int32_t result = do_call((enum call)c);
            if (result != expected) {
                fail_msg("%s in state %d: %d, not %d", rules[c].name, s, (int)result,
                         (int)expected);
            }
        }
    }
}

static void
init_without_an_engine_says_what_to_do_and_may_be_tried_again(void **state)
{
    (void)state;
    fake_tutti.open_status = TUTTI_NO_ENGINE;
    assert_int_equal(M->init(host.driver, NULL), 0);
    fake_host_assert_says("run 'tuttid --foreground'");
    fake_tutti.open_status = TUTTI_OK;
    fake_tutti.opens = 0;
    fake_host_init();
}

/* Hosts that reset a driver in this way give up on 0. */
static void
a_second_init_answers_1_and_changes_nothing(void **state)
{
    (void)state;
    for (int s = STATE_INITIALIZED; s < STATE_COUNT; s++) {
        fake_host_go_to((enum state)s);
        unsigned opens = (unsigned)fake_tutti.opens;
        assert_int_equal(M->init(host.driver, NULL), 1);
        assert_int_equal(fake_tutti.opens, opens);
        assert_int_equal(M->stop(host.driver) == ASIO_OK, s == STATE_RUNNING);
        assert_int_equal(M->dispose_buffers(host.driver) == ASIO_OK, s >= STATE_PREPARED);
    }
}

static void
null_pointers_are_answered_not_followed(void **state)
{
    (void)state;
    fake_host_init();
    assert_int_equal(M->get_channels(host.driver, NULL, NULL), ASIO_OK);
    assert_int_equal(M->get_latencies(host.driver, NULL, NULL), ASIO_OK);
    assert_int_equal(M->get_buffer_size(host.driver, NULL, NULL, NULL, NULL), ASIO_OK);
    assert_int_equal(M->get_sample_rate(host.driver, NULL), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->get_channel_info(host.driver, NULL), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->get_clock_sources(host.driver, NULL, NULL), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->create_buffers(host.driver, NULL, 1, 64, &callbacks),
                     ASIO_INVALID_PARAMETER);
    assert_int_equal(M->create_buffers(host.driver, infos, 1, 64, NULL), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES, NULL),
                     ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, TUTTI_ASIO_GET_BLOCK, NULL), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->query_interface(host.driver, NULL, NULL), E_POINTER);
    M->get_driver_name(host.driver, NULL);
    M->get_error_message(host.driver, NULL);
}

/* ---- what the device can ---- */

static void
buffer_sizes_are_powers_of_two_from_32(void **state)
{
    int32_t min, max, preferred, granularity;

    (void)state;
    fake_host_init();
    assert_int_equal(M->get_buffer_size(host.driver, &min, &max, &preferred, &granularity),
                     ASIO_OK);
    assert_int_equal(min, 32);
    assert_int_equal(max, 2048);
    assert_int_equal(preferred, 256);
    assert_int_equal(granularity, -1);
    struct asio_buffer_info one = {.is_input = 0, .channel = 0};
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 16, &callbacks), ASIO_INVALID_MODE);
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 4096, &callbacks), ASIO_INVALID_MODE);
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 100, &callbacks), ASIO_INVALID_MODE);
    fake_host_assert_says("buffers have 32 to 2048 frames, powers of two, not 100");
    assert_int_equal(M->create_buffers(host.driver, &one, 0, 64, &callbacks),
                     ASIO_INVALID_PARAMETER);
}

/* What is configured, what is then offered, one size that is in it and one that is not. */
static const struct {
    const char *buffer, *min, *max, *step, *fixed; /* NULL: the default */
    uint32_t only_period;                          /* of the device; 0: it has many */
    int32_t offered[4];                            /* min, max, preferred, granularity */
    int32_t good, bad;
    const char *says;
} offers[] = {
    {NULL, "16", NULL, NULL, NULL, 0, {16, 2048, 256, -1}, 16, 8, "16 to 2048 frames, powers of"},
    {"100", NULL, NULL, NULL, NULL, 0, {32, 2048, 100, 1}, 333, 31, "buffers have 32 to 2048"},
    {NULL, "48", "500", "16", NULL, 0, {48, 496, 256, 16}, 480, 100, "in steps of 16, not 100"},
    {"250", "64", "512", "64", NULL, 0, {64, 512, 192, 64}, 192, 256 + 32, "in steps of 64"},
    {NULL, "256", "256", NULL, NULL, 0, {256, 256, 256, 0}, 256, 128, "have 256 frames, not 128"},
    {NULL, "256", "256", "32", NULL, 0, {256, 256, 256, 0}, 256, 128, "have 256 frames, not 128"},
    {NULL, NULL, NULL, NULL, "yes", 480, {480, 480, 480, 0}, 480, 512, "480 frames, not 512"},
    {NULL, NULL, NULL, NULL, "yes", 0, {32, 2048, 256, -1}, 512, 480, "powers of two, not 480"},
    {NULL, NULL, NULL, NULL, NULL, 480, {32, 2048, 256, -1}, 512, 480, "powers of two, not 480"},
};

static void
sizes_are_offered_as_configured_and_others_are_refused(void **state)
{
    struct asio_buffer_info one = {.is_input = 0, .channel = 0};

    (void)state;
    for (unsigned i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        int32_t offer[4];
        SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER", offers[i].buffer);
        SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER_MIN", offers[i].min);
        SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER_MAX", offers[i].max);
        SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER_STEP", offers[i].step);
        SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER_FIXED", offers[i].fixed);
        fake_tutti.device.period_min_frames = offers[i].only_period ? offers[i].only_period : 16;
        fake_tutti.device.period_max_frames = offers[i].only_period ? offers[i].only_period : 4096;
        fake_host_go_to(STATE_INITIALIZED);
        M->get_buffer_size(host.driver, &offer[0], &offer[1], &offer[2], &offer[3]);
        assert_memory_equal(offer, offers[i].offered, sizeof(offer));
        assert_int_equal(M->create_buffers(host.driver, &one, 1, offers[i].bad, &callbacks),
                         ASIO_INVALID_MODE);
        fake_host_assert_says(offers[i].says);
        assert_int_equal(M->create_buffers(host.driver, &one, 1, offers[i].good, &callbacks),
                         ASIO_OK);
    }
}

static int
end_without_settings(void **state)
{
    static const char *const keys[] = {"", "_MIN", "_MAX", "_STEP", "_FIXED"};

    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "TUTTI_PROGRAM_BUFFER%s", keys[i]);
        SetEnvironmentVariableA(name, NULL);
    }
    return fake_host_end(state);
}

static void
what_is_no_rate_is_refused_and_what_is_accepted_reads_back(void **state)
{
    static const double bad[] = {0, -1, 1e7, -48000, 44100.5};
    double rate = 0;

    (void)state;
    fake_host_init();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(M->can_sample_rate(host.driver, bad[i]), ASIO_NO_CLOCK);
        assert_int_equal(M->set_sample_rate(host.driver, bad[i]), ASIO_NO_CLOCK);
    }
    assert_int_equal(M->can_sample_rate(host.driver, (double)NAN), ASIO_NO_CLOCK);
    assert_int_equal(M->can_sample_rate(host.driver, (double)INFINITY), ASIO_NO_CLOCK);
    assert_int_equal(M->set_sample_rate(host.driver, (double)-INFINITY), ASIO_NO_CLOCK);
    assert_int_equal(M->can_sample_rate(host.driver, 96000), ASIO_OK);
    assert_int_equal(M->set_sample_rate(host.driver, 96000), ASIO_OK);
    assert_int_equal(M->get_sample_rate(host.driver, &rate), ASIO_OK);
    assert_true(rate == 96000);
    fake_tutti.rate_status = TUTTI_RATE_IN_USE;
    assert_int_equal(M->set_sample_rate(host.driver, 44100), ASIO_INVALID_MODE);
    fake_host_assert_says("the fake says no");
}

static void
channels_are_named_and_active_while_they_have_buffers(void **state)
{
    struct asio_channel_info info = {.channel = 5, .is_input = 0};
    int32_t inputs, outputs;

    (void)state;
    fake_host_init();
    assert_int_equal(M->get_channels(host.driver, &inputs, &outputs), ASIO_OK);
    assert_int_equal(inputs, 4);
    assert_int_equal(outputs, 6);
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_OK);
    assert_string_equal(info.name, "Out 6");
    assert_int_equal(info.type, ASIO_INT32_LSB);
    assert_int_equal(info.is_active, 0);
    fake_host_prepare();
    M->get_channel_info(host.driver, &info);
    assert_int_equal(info.is_active, 1);
    info = (struct asio_channel_info){.channel = 1, .is_input = 1};
    M->get_channel_info(host.driver, &info);
    assert_string_equal(info.name, "In 2");
    assert_int_equal(info.is_active, 0);
    info.channel = 4;
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_INVALID_PARAMETER);
    info.channel = -1;
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_INVALID_PARAMETER);
    M->dispose_buffers(host.driver);
    info = (struct asio_channel_info){.channel = 5};
    M->get_channel_info(host.driver, &info);
    assert_int_equal(info.is_active, 0);
}

static void
clocks_fit_the_room_that_is_offered(void **state)
{
    struct asio_clock_source clocks[2];
    int32_t count = 0;

    (void)state;
    fake_host_init();
    memset(clocks, 0x55, sizeof(clocks));
    assert_int_equal(M->get_clock_sources(host.driver, clocks, &count), ASIO_OK);
    assert_int_equal(count, 1);
    assert_int_equal(clocks[0].index, 0x55555555);
    assert_int_equal(M->get_clock_sources(host.driver, NULL, &count), ASIO_OK);
    assert_int_equal(M->get_clock_sources(host.driver, clocks, &count), ASIO_OK);
    assert_int_equal(clocks[0].is_current, 1);
    assert_int_equal(clocks[1].index, 0x55555555);
    assert_int_equal(M->set_clock_source(host.driver, 1), ASIO_INVALID_PARAMETER);
}

static void
latencies_are_an_estimate_first_and_exact_with_buffers(void **state)
{
    int32_t input, output;

    (void)state;
    fake_host_init();
    /* 256 preferred on a device that would take it as its period: 10 and 20 frames beyond it */
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(input, 266);
    assert_int_equal(output, 276);
    fake_tutti.forecasts = true; /* an engine answers */
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(input, 257);
    assert_int_equal(output, 258);
    fake_host_prepare();
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(input, 300);
    assert_int_equal(output, 320);
    struct asio_internal_buffers internal;
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES, &internal),
                     ASIO_SUCCESS);
    assert_int_equal(internal.input_frames, 300 - 128);
    assert_int_equal(internal.output_frames, 320 - 128);
}

static void
rates_up_to_768_khz_are_offered_where_the_device_has_them_in_every_state(void **state)
{
    static const double rates[] = {44100, 88200, 192000, 384000, 705600, 768000};

    (void)state;
    memcpy(fake_tutti.device.rates_hz, rates, sizeof(rates));
    for (int s = STATE_INITIALIZED; s < STATE_COUNT; s++) {
        fake_host_go_to((enum state)s);
        for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
            assert_int_equal(M->can_sample_rate(host.driver, rates[i]), ASIO_OK);
        }
        assert_int_equal(M->can_sample_rate(host.driver, 96000), ASIO_NO_CLOCK);
        assert_int_equal(M->can_sample_rate(host.driver, (double)NAN), ASIO_NO_CLOCK);
    }
}

static const struct {
    int32_t selector, loaded, later;
} selectors[] = {
#define SELECTOR(name, text, loaded, later, why) {ASIO_FUTURE_##name, loaded, later},
    FUTURE_TABLE(SELECTOR)
#undef SELECTOR
};

static void
future_answers_every_selector_in_every_state_as_the_table_says(void **state)
{
    (void)state;
    for (int s = STATE_LOADED; s < STATE_COUNT; s++) {
        fake_host_go_to((enum state)s);
        for (unsigned i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
            /* Good for whoever wants a struct, and with a guard behind the greatest. */
            int32_t parameter[512 / 4 + 1] = {0};
            parameter[512 / 4] = 0x55555555;
            int32_t expected = s == STATE_LOADED ? selectors[i].loaded : selectors[i].later;
            int32_t result = M->future(host.driver, selectors[i].selector, parameter);
            if (result != expected) {
                fail_msg("selector %#x in state %d: %d, not %d", (unsigned)selectors[i].selector, s,
                         (int)result, (int)expected);
            }
            assert_int_equal(parameter[512 / 4], 0x55555555);
        }
    }
}

static void
future_says_no_in_the_one_way_that_hosts_accept(void **state)
{
    struct asio_io_format format = {.type = ASIO_FORMAT_DSD};

    (void)state;
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_CAN_REPORT_OVERLOAD, NULL), ASIO_SUCCESS);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_CAN_TRANSPORT, NULL),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("no transport");
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_ENABLE_TIME_CODE_READ, NULL),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("no time code");
    assert_int_equal(M->future(host.driver, 0x7ffffff1, NULL), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_CAN_DO_IO_FORMAT, &format),
                     ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_GET_IO_FORMAT, &format), ASIO_SUCCESS);
    assert_int_equal(format.type, ASIO_FORMAT_PCM);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_IO_FORMAT, &format), ASIO_SUCCESS);
    fake_host_init();
    assert_int_equal(M->future(host.driver, 0x7ffffff1, NULL), ASIO_INVALID_PARAMETER);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_host_begin, fake_host_end)
    const struct CMUnitTest tests[] = {
        TEST(the_object_answers_to_its_class_id_and_iunknown_alone),
        TEST(the_factory_refuses_other_classes_and_aggregation),
        TEST(the_name_is_that_of_the_registry_key),
        TEST(every_call_answers_in_every_state_as_the_table_says),
        TEST(a_second_init_answers_1_and_changes_nothing),
        TEST(init_without_an_engine_says_what_to_do_and_may_be_tried_again),
        TEST(null_pointers_are_answered_not_followed),
        TEST(buffer_sizes_are_powers_of_two_from_32),
        cmocka_unit_test_setup_teardown(sizes_are_offered_as_configured_and_others_are_refused,
                                        fake_host_begin, end_without_settings),
        TEST(rates_up_to_768_khz_are_offered_where_the_device_has_them_in_every_state),
        TEST(future_answers_every_selector_in_every_state_as_the_table_says),
        TEST(what_is_no_rate_is_refused_and_what_is_accepted_reads_back),
        TEST(channels_are_named_and_active_while_they_have_buffers),
        TEST(clocks_fit_the_room_that_is_offered),
        TEST(latencies_are_an_estimate_first_and_exact_with_buffers),
        TEST(future_says_no_in_the_one_way_that_hosts_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
