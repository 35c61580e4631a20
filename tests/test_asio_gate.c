/* SPDX-License-Identifier: MIT */
/*
 * The driver's objects against a libtutti of the test's own: states, refusals, callbacks and
 * messages, and everything that hosts do from within them. What comes through the real libtutti and
 * engine is test_asio_driver's.
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

#include <objbase.h>

#include "asio/dll.h"
#include "asio/rules.h"
#include "fake_tutti.h"
#include "tutti/asio_tutti.h"

STDAPI DllGetClassObject(REFCLSID clsid, REFIID iid, LPVOID *object);
STDAPI DllCanUnloadNow(void);

enum { PATIENCE_MS = 10000 };

/* ---- the host: its callbacks have no user pointer, so there is one ---- */

static struct {
    struct asio_driver *driver;
    /* set by a test */
    uint32_t knows;            /* bit per selector answered 1 */
    bool time_info;            /* answer to SUPPORTS_TIME_INFO itself */
    void (*in_callback)(void); /* what the host does in bufferSwitch */
    void (*in_message)(int32_t selector);
    /* seen */
    volatile LONG switches, time_switches, told[16], rates;
    int32_t last_half, last_direct, answer;
    double last_rate;
    struct asio_time last_time;
    struct tutti_asio_block block;
    HANDLE event; /* set by each message but questions, and by each changed rate */
} host;

static void TUTTI_ASIO_HOST
buffer_switch(int32_t half, int32_t direct)
{
    host.last_half = half;
    host.last_direct = direct;
    InterlockedIncrement(&host.switches);
    if (host.in_callback)
        host.in_callback();
}

static struct asio_time *TUTTI_ASIO_HOST
buffer_switch_time_info(struct asio_time *time, int32_t half, int32_t direct)
{
    host.last_time = *time;
    InterlockedIncrement(&host.time_switches);
    buffer_switch(half, direct);
    return time;
}

static void TUTTI_ASIO_HOST
rate_changed(double rate_hz)
{
    host.last_rate = rate_hz;
    InterlockedIncrement(&host.rates);
    SetEvent(host.event);
}

static int32_t TUTTI_ASIO_HOST
message(int32_t selector, int32_t value, void *data, double *option)
{
    (void)data;
    (void)option;
    if (selector == ASIO_MESSAGE_SELECTOR_SUPPORTED)
        return host.knows >> value & 1;
    if (selector == ASIO_MESSAGE_SUPPORTS_TIME_INFO)
        return host.time_info;
    InterlockedIncrement(&host.told[selector]);
    if (host.in_message)
        host.in_message(selector);
    SetEvent(host.event);
    return 1;
}

static const struct asio_callbacks callbacks = {buffer_switch, rate_changed, message,
                                                buffer_switch_time_info};

#define M host.driver->methods

static struct asio_driver *
create(void)
{
    static const IID class_factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    IClassFactory *factory = NULL;
    void *object = NULL;
    CLSID clsid;

    memcpy(&clsid, &dll_names[0].clsid, sizeof clsid);
    if (DllGetClassObject(&clsid, &class_factory, (void **)&factory) != S_OK)
        return NULL;
    factory->lpVtbl->CreateInstance(factory, NULL, &clsid, &object);
    factory->lpVtbl->Release(factory);
    return object;
}

static int
begin(void **state)
{
    (void)state;
    fake_tutti_reset();
    memset(&host, 0, sizeof host);
    host.knows = 1u << ASIO_MESSAGE_RESET_REQUEST | 1u << ASIO_MESSAGE_RESYNC_REQUEST |
                 1u << ASIO_MESSAGE_LATENCIES_CHANGED | 1u << ASIO_MESSAGE_OVERLOAD |
                 1u << ASIO_MESSAGE_SUPPORTS_TIME_INFO;
    host.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    host.driver = create();
    return host.driver ? 0 : -1;
}

/* Nothing may be left: no object, no thread, no client. */
static int
end(void **state)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    (void)state;
    if (host.driver)
        M->release(host.driver);
    while (DllCanUnloadNow() != S_OK && GetTickCount64() < deadline)
        Sleep(1);
    CloseHandle(host.event);
    if (DllCanUnloadNow() != S_OK ||
        (fake_tutti.open_status == TUTTI_OK && fake_tutti.closes != fake_tutti.opens)) {
        print_message("left: %u clients of %u\n", fake_tutti.opens - fake_tutti.closes,
                      fake_tutti.opens);
        return -1;
    }
    return 0;
}

static void
init(void)
{
    assert_int_equal(M->init(host.driver, NULL), 1);
}

static struct asio_buffer_info infos[4];

static void
prepare(void)
{
    static const struct asio_buffer_info wanted[4] = {
        {.is_input = 1, .channel = 2},
        {.is_input = 0, .channel = 5},
        {.is_input = 0, .channel = 0},
        {.is_input = 1, .channel = 0},
    };

    memcpy(infos, wanted, sizeof infos);
    assert_int_equal(M->create_buffers(host.driver, infos, 4, 128, &callbacks), ASIO_OK);
}

static void
run(void)
{
    init();
    prepare();
    assert_int_equal(M->start(host.driver), ASIO_OK);
}

static void
assert_says(const char *part)
{
    char text[ASIO_ERROR_BYTES];

    M->get_error_message(host.driver, text);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

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
    memcpy(&clsid, &dll_names[0].clsid, sizeof clsid);
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
    memset(name, 'x', sizeof name);
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
go_to(enum state state)
{
    if (host.driver)
        M->release(host.driver);
    host.driver = create();
    if (state >= STATE_INITIALIZED)
        init();
    if (state >= STATE_PREPARED)
        prepare();
    if (state >= STATE_RUNNING) {
        assert_int_equal(M->start(host.driver), ASIO_OK);
        fake_tutti_block(fake_tutti.last);
    }
}

static void
every_call_answers_in_every_state_as_the_table_says(void **state)
{
    (void)state;
    for (int s = STATE_LOADED; s < STATE_COUNT; s++) {
        for (int c = 0; c < CALL_COUNT; c++) {
            go_to((enum state)s);
            int32_t expected = rules_check((enum call)c, (enum state)s);
            int32_t result = do_call((enum call)c);
            if (result != expected)
                fail_msg("%s in state %d: %d, not %d", rules[c].name, s, (int)result,
                         (int)expected);
        }
    }
}

static void
init_without_an_engine_says_what_to_do_and_may_be_tried_again(void **state)
{
    (void)state;
    fake_tutti.open_status = TUTTI_NO_ENGINE;
    assert_int_equal(M->init(host.driver, NULL), 0);
    assert_says("run 'tutti status'");
    fake_tutti.open_status = TUTTI_OK;
    fake_tutti.opens = 0;
    init();
}

static void
null_pointers_are_answered_not_followed(void **state)
{
    (void)state;
    init();
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
    init();
    assert_int_equal(M->get_buffer_size(host.driver, &min, &max, &preferred, &granularity),
                     ASIO_OK);
    assert_int_equal(min, 32);
    assert_int_equal(max, 2048);
    assert_int_equal(preferred, 256);
    assert_int_equal(granularity, -1);
    struct asio_buffer_info one = {.is_input = 0, .channel = 0};
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 16, &callbacks), ASIO_INVALID_MODE);
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 4096, &callbacks), ASIO_INVALID_MODE);
    assert_int_equal(M->create_buffers(host.driver, &one, 0, 64, &callbacks),
                     ASIO_INVALID_PARAMETER);
}

static void
what_is_no_rate_is_refused_and_what_is_accepted_reads_back(void **state)
{
    static const double bad[] = {0, -1, 1e7, -48000, 44100.5};
    double rate = 0;

    (void)state;
    init();
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
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
    assert_says("the fake says no");
}

static void
channels_are_named_and_active_while_they_have_buffers(void **state)
{
    struct asio_channel_info info = {.channel = 5, .is_input = 0};
    int32_t inputs, outputs;

    (void)state;
    init();
    assert_int_equal(M->get_channels(host.driver, &inputs, &outputs), ASIO_OK);
    assert_int_equal(inputs, 4);
    assert_int_equal(outputs, 6);
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_OK);
    assert_string_equal(info.name, "Out 6");
    assert_int_equal(info.type, ASIO_FLOAT32_LSB);
    assert_int_equal(info.is_active, 0);
    prepare();
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
    init();
    memset(clocks, 0x55, sizeof clocks);
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
    init();
    /* 256 preferred on a device that would take it as its period: 10 and 20 frames beyond it */
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(input, 266);
    assert_int_equal(output, 276);
    /* on a period of 64 that runs: answered within 256, so 256 - 64 more on each side of it */
    fake_tutti.device.state = "running";
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(input, 266);
    assert_int_equal(input + output, 64 + 64 + 30 + (256 - 64) + (256 - 64));
    prepare();
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
future_says_no_in_the_one_way_that_hosts_accept(void **state)
{
    struct asio_io_format format = {.type = ASIO_FORMAT_DSD};

    (void)state;
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_CAN_REPORT_OVERLOAD, NULL), ASIO_SUCCESS);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_CAN_TRANSPORT, NULL),
                     ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, 0x7ffffff1, NULL), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_CAN_DO_IO_FORMAT, &format),
                     ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_GET_IO_FORMAT, &format), ASIO_SUCCESS);
    assert_int_equal(format.type, ASIO_FORMAT_PCM);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_IO_FORMAT, &format), ASIO_SUCCESS);
    init();
    assert_int_equal(M->future(host.driver, 0x7ffffff1, NULL), ASIO_INVALID_PARAMETER);
}

/* ---- buffers and callbacks ---- */

static void
a_subset_of_channels_is_mapped_and_its_buffers_are_the_segments(void **state)
{
    struct tutti_client *client;

    (void)state;
    init();
    prepare();
    client = fake_tutti.last;
    assert_int_equal(client->stream.inputs, 2);
    assert_int_equal(client->stream.outputs, 2);
    assert_int_equal(client->stream.buffer_frames, 128);
    assert_int_equal(client->input[0].channel, 2);
    assert_int_equal(client->input[1].channel, 0);
    assert_int_equal(client->output[0].channel, 5);
    assert_int_equal(client->output[1].channel, 0);
    for (unsigned half = 0; half < 2; half++) {
        assert_ptr_equal(infos[0].buffers[half], tutti_input(client, 0, half));
        assert_ptr_equal(infos[1].buffers[half], tutti_output(client, 0, half));
        assert_ptr_equal(infos[2].buffers[half], tutti_output(client, 1, half));
        assert_ptr_equal(infos[3].buffers[half], tutti_input(client, 1, half));
    }
}

static void
create_buffers_refuses_channels_that_do_not_exist_and_tells_why_the_device_failed(void **state)
{
    struct asio_buffer_info two[2] = {{.is_input = 0, .channel = 0}, {.is_input = 1, .channel = 4}};

    (void)state;
    init();
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks),
                     ASIO_INVALID_PARAMETER);
    two[1].channel = 3;
    fake_tutti.prepare_status = TUTTI_DEVICE_BUSY;
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks), ASIO_HW_MALFUNCTION);
    assert_says("the fake says no");
    assert_null(two[0].buffers[0]);
    fake_tutti.prepare_status = TUTTI_OK;
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks), ASIO_OK);
}

static void
callbacks_are_copied_and_alternate_halves_directly(void **state)
{
    struct asio_callbacks mortal = callbacks;
    struct asio_buffer_info one = {.is_input = 0, .channel = 0};

    (void)state;
    init();
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 64, &mortal), ASIO_OK);
    memset(&mortal, 0xee, sizeof mortal);
    M->start(host.driver);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.last_half, 0);
    assert_int_equal(host.last_direct, 1);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.last_half, 1);
    assert_int_equal(host.switches, 2);
    assert_int_equal(M->stop(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 2);
}

static void
time_info_is_used_only_when_the_host_agrees_three_times(void **state)
{
    (void)state;
    for (int pointer = 0; pointer < 2; pointer++) {
        for (int supported = 0; supported < 2; supported++) {
            for (int agreed = 0; agreed < 2; agreed++) {
                struct asio_callbacks some = callbacks;
                struct asio_buffer_info one = {.is_input = 0, .channel = 0};
                some.buffer_switch_time_info = pointer ? buffer_switch_time_info : NULL;
                host.knows = supported ? 1u << ASIO_MESSAGE_SUPPORTS_TIME_INFO : 0;
                host.time_info = agreed;
                host.time_switches = 0;
                go_to(STATE_INITIALIZED);
                assert_int_equal(M->create_buffers(host.driver, &one, 1, 64, &some), ASIO_OK);
                M->start(host.driver);
                fake_tutti_block(fake_tutti.last);
                assert_int_equal(host.time_switches, pointer && supported && agreed);
            }
        }
    }
}

static void
a_host_without_any_function_but_buffer_switch_is_served(void **state)
{
    static const struct asio_callbacks bare = {.buffer_switch = buffer_switch};
    struct asio_buffer_info one = {.is_input = 1, .channel = 0};

    (void)state;
    init();
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 64, &bare), ASIO_OK);
    M->start(host.driver);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 96000);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 1);
}

static void
position_and_time_are_those_of_the_block(void **state)
{
    struct asio_int64 position, time;
    uint64_t now_ms = timeGetTime();

    (void)state;
    host.time_info = true;
    run();
    assert_int_equal(M->get_sample_position(host.driver, &position, &time), ASIO_SP_NOT_ADVANCING);
    uint64_t now_ns = tutti_now_ns();
    fake_tutti.last->next.position_frames = UINT64_C(0x123456780);
    fake_tutti.last->next.time_ns = now_ns;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(M->get_sample_position(host.driver, &position, &time), ASIO_OK);
    assert_int_equal(position.hi, 1);
    assert_int_equal(position.lo, 0x23456780);
    assert_true(asio_int64_value(time) >= now_ms * 1000000);
    assert_true(asio_int64_value(time) <= ((uint64_t)timeGetTime() + 20) * 1000000);
    assert_int_equal(asio_int64_value(host.last_time.info.system_time), asio_int64_value(time));
    assert_int_equal(host.last_time.info.sample_position.lo, 0x23456780);
    assert_true(host.last_time.info.sample_rate == 48000);
    assert_int_equal(host.last_time.info.flags, ASIO_TIME_SYSTEM_TIME_VALID |
                                                    ASIO_TIME_SAMPLE_POSITION_VALID |
                                                    ASIO_TIME_SAMPLE_RATE_VALID);
}

static void
ask_for_block(void)
{
    host.block.size = sizeof host.block;
    host.answer = M->future(host.driver, TUTTI_ASIO_GET_BLOCK, &host.block);
}

static void
the_block_of_a_callback_is_told_within_it(void **state)
{
    (void)state;
    run();
    ask_for_block();
    assert_int_equal(host.answer, ASIO_SP_NOT_ADVANCING);
    host.in_callback = ask_for_block;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_SUCCESS);
    assert_int_equal(host.block.position, 0);
    assert_int_equal(host.block.device_frames, 77000);
    assert_int_equal(host.block.generation, 3);
    assert_int_equal(host.block.time_ns, 5000);
    assert_int_equal(host.block.flags, 0);
    fake_tutti.last->next.silent = true;
    fake_tutti.last->next.jumped = true;
    fake_tutti.last->next.position_frames = 1000;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.block.position, 1000);
    assert_int_equal(host.block.flags, TUTTI_ASIO_BLOCK_SILENT | TUTTI_ASIO_BLOCK_JUMPED);
    host.block.size = sizeof host.block - 1;
    assert_int_equal(M->future(host.driver, TUTTI_ASIO_GET_BLOCK, &host.block),
                     ASIO_INVALID_PARAMETER);
}

static void
output_ready_counts_only_while_it_runs(void **state)
{
    (void)state;
    init();
    assert_int_equal(M->output_ready(host.driver), ASIO_OK);
    prepare();
    assert_int_equal(M->output_ready(host.driver), ASIO_OK);
    assert_int_equal(fake_tutti.last->ready, 0);
    M->start(host.driver);
    assert_int_equal(M->output_ready(host.driver), ASIO_OK);
    assert_int_equal(fake_tutti.last->ready, 1);
    M->stop(host.driver);
    M->output_ready(host.driver);
    assert_int_equal(fake_tutti.last->ready, 1);
}

static void
start_that_fails_can_be_tried_again(void **state)
{
    (void)state;
    init();
    prepare();
    fake_tutti.start_status = TUTTI_NO_MEMORY;
    assert_int_equal(M->start(host.driver), ASIO_NO_MEMORY);
    fake_tutti.start_status = TUTTI_OK;
    assert_int_equal(M->start(host.driver), ASIO_OK);
}

static void
a_host_may_dispose_twice_and_begin_again(void **state)
{
    (void)state;
    run();
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(M->stop(host.driver), ASIO_OK);
    assert_int_equal(M->dispose_buffers(host.driver), ASIO_OK);
    assert_int_equal(M->dispose_buffers(host.driver), ASIO_INVALID_MODE);
    assert_says("no buffers");
    prepare();
    assert_int_equal(M->start(host.driver), ASIO_OK);
    assert_int_equal(M->dispose_buffers(host.driver), ASIO_OK);
    assert_int_equal(fake_tutti.last->disposes, 2);
}

/* ---- from within the callback ---- */

static void
host_stops(void)
{
    host.answer = M->stop(host.driver);
}

static void
host_disposes(void)
{
    host.answer = M->dispose_buffers(host.driver);
    memset(infos[1].buffers[0], 0, 128 * sizeof(float)); /* still its own */
}

static void
host_releases(void)
{
    struct asio_driver *driver = host.driver;

    host.answer = (int32_t)M->release(driver);
    memset(infos[1].buffers[0], 0, 128 * sizeof(float));
    if (driver->methods->stop(driver) != ASIO_NOT_PRESENT)
        host.answer = -1;
    host.driver = NULL;
}

static void
stop_within_the_callback_ends_it_there(void **state)
{
    (void)state;
    run();
    host.in_callback = host_stops;
    fake_tutti_begin(fake_tutti.last);
    fake_tutti_wait(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_OK);
    assert_int_equal(host.switches, 1);
    assert_int_equal(M->stop(host.driver), ASIO_INVALID_MODE);
    host.in_callback = NULL;
    assert_int_equal(M->start(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 2);
}

static void
dispose_within_the_callback_frees_after_it(void **state)
{
    (void)state;
    run();
    host.in_callback = host_disposes;
    fake_tutti_begin(fake_tutti.last);
    fake_tutti_wait(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_OK);
    host.in_callback = NULL;
    prepare(); /* waits for the real end of the former buffers */
    assert_int_equal(fake_tutti.last->disposes, 1);
    assert_int_equal(M->start(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 2);
}

static void
release_within_the_callback_does_not_wait_for_itself(void **state)
{
    (void)state;
    run();
    host.in_callback = host_releases;
    fake_tutti_begin(fake_tutti.last);
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    while (fake_tutti.closes == 0 && GetTickCount64() < deadline)
        Sleep(1);
    assert_int_equal(fake_tutti.closes, 1);
    assert_int_equal(host.answer, 0);
    assert_int_equal(host.switches, 1);
}

static HANDLE reached;

static void
host_calls_while_stopped_elsewhere(void)
{
    double rate;

    SetEvent(reached);
    while (!fake_tutti.last->stop) /* until the other thread waits for this callback */
        Sleep(1);
    host.answer = M->get_sample_rate(host.driver, &rate);
    if (!host.answer)
        host.answer = M->stop(host.driver);
    if (!host.answer)
        host.answer = M->output_ready(host.driver);
    if (!host.answer && M->set_sample_rate(host.driver, 48000) != ASIO_INVALID_MODE)
        host.answer = -1;
}

static void
a_callback_may_call_while_another_thread_stops_it(void **state)
{
    (void)state;
    run();
    reached = CreateEventW(NULL, FALSE, FALSE, NULL);
    host.in_callback = host_calls_while_stopped_elsewhere;
    fake_tutti_begin(fake_tutti.last);
    WaitForSingleObject(reached, PATIENCE_MS);
    assert_int_equal(M->stop(host.driver), ASIO_OK);
    assert_int_equal(host.answer, ASIO_OK);
    assert_int_equal(fake_tutti.last->stops, 1);
    CloseHandle(reached);
}

static void
release_while_running_stops_first(void **state)
{
    (void)state;
    run();
    fake_tutti_block(fake_tutti.last);
    struct tutti_client *client = fake_tutti.last;
    assert_int_equal(M->release(host.driver), 0);
    host.driver = NULL;
    (void)client;
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    while (fake_tutti.closes == 0 && GetTickCount64() < deadline)
        Sleep(1);
    assert_int_equal(fake_tutti.closes, 1);
}

/* ---- messages ---- */

static void
await_told(void)
{
    assert_int_equal(WaitForSingleObject(host.event, PATIENCE_MS), WAIT_OBJECT_0);
}

static void
events_become_the_messages_that_hosts_know(void **state)
{
    (void)state;
    run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 1);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], 1);
    fake_tutti.output_latency = 999;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_LATENCIES, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_LATENCIES_CHANGED], 1);
    int32_t input, output;
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(output, 999);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 1);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_LOST, 0);
    assert_says("something happened");
}

static void
only_a_real_change_of_rate_is_told(void **state)
{
    (void)state;
    run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 48000);
    await_told(); /* the reset request */
    assert_int_equal(host.rates, 0);
    fake_tutti.device.rate_hz = 96000;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 96000);
    await_told();
    while (host.told[ASIO_MESSAGE_RESET_REQUEST] < 2)
        await_told();
    assert_int_equal(host.rates, 1);
    assert_true(host.last_rate == 96000);
}

static void
a_host_is_told_only_what_it_knows(void **state)
{
    (void)state;
    host.knows = 1u << ASIO_MESSAGE_RESYNC_REQUEST;
    run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP,
                     0); /* told last of those that come at once */
    await_told();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 2);
    assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], 0);
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
}

static void
nothing_is_told_about_buffers_that_are_gone(void **state)
{
    (void)state;
    run();
    M->dispose_buffers(host.driver);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    prepare();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], 1);
    /* whether it came in before or was dropped: about the former buffers it was never told */
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 0);
}

static void
release_in_message(int32_t selector)
{
    if (selector == ASIO_MESSAGE_RESET_REQUEST && host.driver) {
        host.answer = (int32_t)M->release(host.driver);
        host.driver = NULL;
    }
}

static void
a_host_may_release_the_driver_within_the_message(void **state)
{
    (void)state;
    run();
    host.in_message = release_in_message;
    host.answer = -1;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_told();
    assert_int_equal(host.answer, 0);
    assert_null(host.driver);
}

static void
restart_in_message(int32_t selector)
{
    if (selector != ASIO_MESSAGE_RESET_REQUEST)
        return;
    host.answer = M->stop(host.driver);
    host.answer = host.answer ? host.answer : M->dispose_buffers(host.driver);
    host.answer =
        host.answer ? host.answer : M->create_buffers(host.driver, infos, 4, 256, &callbacks);
    host.answer = host.answer ? host.answer : M->start(host.driver);
}

static void
a_host_may_restart_within_the_message(void **state)
{
    (void)state;
    run();
    host.in_message = restart_in_message;
    host.answer = -1;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_told();
    assert_int_equal(host.answer, ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 1);
}

static void
a_rate_set_while_running_is_applied_between_the_buffers(void **state)
{
    double rate = 0;

    (void)state;
    run();
    assert_int_equal(M->set_sample_rate(host.driver, 48000), ASIO_OK);
    assert_int_equal(M->set_sample_rate(host.driver, 96000), ASIO_OK);
    assert_true(fake_tutti.asked_rate == 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 1);
    M->get_sample_rate(host.driver, &rate);
    assert_true(rate == 96000);
    M->dispose_buffers(host.driver);
    assert_true(fake_tutti.asked_rate == 96000);
    host.knows = 0;
    prepare();
    assert_int_equal(M->set_sample_rate(host.driver, 44100), ASIO_INVALID_MODE);
    assert_says("dispose the buffers");
}

static void
two_instances_live_side_by_side(void **state)
{
    struct asio_driver *other = create();
    struct asio_buffer_info one = {.is_input = 0, .channel = 1};

    (void)state;
    run();
    struct tutti_client *first = fake_tutti.last;
    assert_int_equal(other->methods->init(other, NULL), 1);
    assert_int_equal(other->methods->create_buffers(other, &one, 1, 64, &callbacks), ASIO_OK);
    assert_int_equal(other->methods->start(other), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    fake_tutti_block(first);
    assert_int_equal(host.switches, 2);
    assert_int_equal(other->methods->release(other), 0);
    fake_tutti_block(first);
    assert_int_equal(host.switches, 3);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_object_answers_to_its_class_id_and_iunknown_alone),
        TEST(the_factory_refuses_other_classes_and_aggregation),
        TEST(the_name_is_that_of_the_registry_key),
        TEST(every_call_answers_in_every_state_as_the_table_says),
        TEST(init_without_an_engine_says_what_to_do_and_may_be_tried_again),
        TEST(null_pointers_are_answered_not_followed),
        TEST(buffer_sizes_are_powers_of_two_from_32),
        TEST(what_is_no_rate_is_refused_and_what_is_accepted_reads_back),
        TEST(channels_are_named_and_active_while_they_have_buffers),
        TEST(clocks_fit_the_room_that_is_offered),
        TEST(latencies_are_an_estimate_first_and_exact_with_buffers),
        TEST(future_says_no_in_the_one_way_that_hosts_accept),
        TEST(a_subset_of_channels_is_mapped_and_its_buffers_are_the_segments),
        TEST(create_buffers_refuses_channels_that_do_not_exist_and_tells_why_the_device_failed),
        TEST(callbacks_are_copied_and_alternate_halves_directly),
        TEST(time_info_is_used_only_when_the_host_agrees_three_times),
        TEST(a_host_without_any_function_but_buffer_switch_is_served),
        TEST(position_and_time_are_those_of_the_block),
        TEST(the_block_of_a_callback_is_told_within_it),
        TEST(output_ready_counts_only_while_it_runs),
        TEST(start_that_fails_can_be_tried_again),
        TEST(a_host_may_dispose_twice_and_begin_again),
        TEST(stop_within_the_callback_ends_it_there),
        TEST(dispose_within_the_callback_frees_after_it),
        TEST(release_within_the_callback_does_not_wait_for_itself),
        TEST(a_callback_may_call_while_another_thread_stops_it),
        TEST(release_while_running_stops_first),
        TEST(events_become_the_messages_that_hosts_know),
        TEST(only_a_real_change_of_rate_is_told),
        TEST(a_host_is_told_only_what_it_knows),
        TEST(nothing_is_told_about_buffers_that_are_gone),
        TEST(a_host_may_release_the_driver_within_the_message),
        TEST(a_host_may_restart_within_the_message),
        TEST(a_rate_set_while_running_is_applied_between_the_buffers),
        TEST(two_instances_live_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
