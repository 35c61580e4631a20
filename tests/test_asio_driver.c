/* SPDX-License-Identifier: MIT */
/*
 * tutti.dll as a host in this process sees it, with the real libtutti behind it, and with an engine
 * on the virtual sound card whose cable joins output n to input n. The round trip is measured by
 * playing numbers: each sample says at which position it was played.
 *
 * usage: test_asio_driver tutti.dll [tuttid.exe]
 * Without an engine the tests that need one are skipped.
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <objbase.h>

#include "asio_object.h"
#include "tutti/asio_tutti.h"
#include "tutti/asio.h"

enum { PATIENCE_MS = 30000, BUFFER = 256, ENOUGH_SAMPLES = 8 * BUFFER, COUNT_MODULUS = 1 << 23 };

enum { CABLE_FRAMES = 37, INPUT_LATENCY = 11, OUTPUT_LATENCY = 5 }; /* of the card, see set_up() */

static const struct asio_guid tutti_clsid = {
    0x64df45ea, 0xbf66, 0x45ef, {0xb3, 0x50, 0xd0, 0x2d, 0xb1, 0x42, 0xe3, 0x7e}};

static const char *dll_path, *engine_path;
static char runtime_folder[MAX_PATH + 64];
static HMODULE dll;

/* ---- two hosts: callbacks have no user pointer ---- */

struct host {
    struct asio_driver *driver;
    struct asio_buffer_info infos[2]; /* output 0, input 0 (or 1 and 1) */
    bool ready;                       /* call outputReady */
    void (*in_callback)(struct host *host);
    /* written by callbacks */
    volatile LONG blocks, silent;
    volatile LONG heard;          /* samples of the device that said where they come from */
    volatile LONG wrong_distance; /* of these: not as far as the first one */
    int32_t distance;             /* frames from played to heard */
    uint64_t last_position, last_device_frames, generation;
    volatile LONG bad_half, backwards, first_position_wrong, timelines_differ;
    int32_t last_half, answer;
};
static struct host hosts[2];

static void
hear(struct host *host, uint64_t position, const float *samples)
{
    for (unsigned i = 0; i < BUFFER; i++) {
        uint32_t played = (uint32_t)(samples[i] * COUNT_MODULUS);
        if (played == 0) {
            continue;
        }
        uint32_t here = (uint32_t)((position + i + 1) % COUNT_MODULUS);
        int32_t distance = (int32_t)(here - played);
        if (host->heard == 0) {
            host->distance = distance;
        } else if (distance != host->distance) {
            host->wrong_distance++;
        }
        host->heard++;
    }
}

static void
say(uint64_t position, float *samples)
{
    for (unsigned i = 0; i < BUFFER; i++) {
        samples[i] = (float)((position + i + 1) % COUNT_MODULUS) / COUNT_MODULUS;
    }
}

static void
block(struct host *host, int32_t half)
{
    struct tutti_asio_block told = {.size = sizeof(told)};
    struct asio_driver *driver = host->driver;

    if (driver->methods->future(driver, TUTTI_ASIO_GET_BLOCK, &told) != ASIO_SUCCESS) {
        return;
    }
    if (host->blocks == 0) {
        host->first_position_wrong = told.position != 0 || half != 0;
    } else {
        host->bad_half += half == host->last_half;
        host->backwards += told.position < host->last_position + BUFFER;
        /* One timeline: the device's frames pass as the program's do. */
        if (told.generation && told.generation == host->generation && !told.flags) {
            host->timelines_differ += told.device_frames - host->last_device_frames !=
                                      told.position - host->last_position;
        }
    }
    host->last_half = half;
    host->last_position = told.position;
    host->last_device_frames = told.device_frames;
    host->generation = told.generation;
    host->silent += (told.flags & TUTTI_ASIO_BLOCK_SILENT) != 0;
    hear(host, told.position, host->infos[1].buffers[half]);
    say(told.position, host->infos[0].buffers[half]);
    if (host->ready) {
        driver->methods->output_ready(driver);
    }
    InterlockedIncrement(&host->blocks);
    if (host->in_callback) {
        host->in_callback(host);
    }
}

static void TUTTI_ASIO_HOST
first_switch(int32_t half, int32_t direct)
{
    (void)direct;
    block(&hosts[0], half);
}

static void TUTTI_ASIO_HOST
second_switch(int32_t half, int32_t direct)
{
    (void)direct;
    block(&hosts[1], half);
}

static const struct asio_callbacks callbacks[2] = {{.buffer_switch = first_switch},
                                                   {.buffer_switch = second_switch}};

/* ---- a host that is told things ---- */

static struct {
    volatile LONG blocks, rates, resets, shown; /* shown: blocks with the flag of a changed rate */
    double rate_hz, shown_hz;
} told;

static struct asio_time *TUTTI_ASIO_HOST
told_switch(struct asio_time *time, int32_t half, int32_t direct)
{
    (void)half;
    (void)direct;
    if (time->info.flags & ASIO_TIME_SAMPLE_RATE_CHANGED) {
        told.shown++;
        told.shown_hz = time->info.sample_rate;
    }
    InterlockedIncrement(&told.blocks);
    return time;
}

static void TUTTI_ASIO_HOST
told_rate(double rate_hz)
{
    told.rate_hz = rate_hz;
    InterlockedIncrement(&told.rates);
}

static int32_t TUTTI_ASIO_HOST
told_message(int32_t selector, int32_t value, void *message, double *option)
{
    (void)message;
    (void)option;
    if (selector == ASIO_MESSAGE_RESET_REQUEST) {
        InterlockedIncrement(&told.resets);
    }
    return selector != ASIO_MESSAGE_SELECTOR_SUPPORTED || value == ASIO_MESSAGE_RESET_REQUEST ||
           value == ASIO_MESSAGE_SUPPORTS_TIME_INFO;
}

static const struct asio_callbacks told_callbacks = {first_switch, told_rate, told_message,
                                                     told_switch};

/* ---- steps ---- */

static struct asio_driver *
create(void)
{
    return asio_object(dll, &tutti_clsid);
}

static bool
can_unload(void)
{
    typedef HRESULT(WINAPI * can_unload_fn)(void);
    FARPROC found = GetProcAddress(dll, "DllCanUnloadNow");
    can_unload_fn can_unload_now;

    memcpy(&can_unload_now, &found, sizeof(can_unload_now));
    return can_unload_now() == S_OK;
}

static bool
await_blocks(struct host *host, LONG blocks)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (host->blocks < blocks && GetTickCount64() < deadline) {
        Sleep(1);
    }
    return host->blocks >= blocks;
}

static bool
await_heard(struct host *host)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (host->heard < ENOUGH_SAMPLES && GetTickCount64() < deadline) {
        Sleep(1);
    }
    return host->heard >= ENOUGH_SAMPLES;
}

static void
say_where_the_engine_is(const char *path)
{
    SetEnvironmentVariableA("TUTTI_ENGINE", path);
    SetEnvironmentVariableA("TUTTI_NATIVE_ENGINE", path);
}

static int
begin(void **state)
{
    (void)state;
    memset(hosts, 0, sizeof(hosts));
    dll = LoadLibraryA(dll_path);
    if (!dll) {
        print_message("%s cannot be loaded: %lu\n", dll_path, GetLastError());
        return -1;
    }
    say_where_the_engine_is(engine_path ? engine_path : "C:\\no\\such\\tuttid.exe");
    /* on the native engine, through a bridge, the folder is native, too: the caller's */
    if (!getenv("TUTTI_BRIDGE")) {
        SetEnvironmentVariableA("TUTTI_RUNTIME_DIR", runtime_folder);
    }
    SetEnvironmentVariableA("TUTTI_SIM_FAULTS", NULL);
    return 0;
}

/* What was created is released, and then nothing keeps the module. */
static int
end(void **state)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        if (hosts[i].driver) {
            hosts[i].driver->methods->release(hosts[i].driver);
        }
    }
    while (!can_unload() && GetTickCount64() < deadline) {
        Sleep(1);
    }
    if (!can_unload()) {
        print_message("something still lives in the module\n");
        return -1;
    }
    FreeLibrary(dll);
    return 0;
}

static void
assert_ok(struct host *host, int32_t result)
{
    char text[ASIO_ERROR_BYTES];

    if (result == ASIO_OK) {
        return;
    }
    host->driver->methods->get_error_message(host->driver, text);
    fail_msg("%d: %s", (int)result, text);
}

static void
open_driver(unsigned i)
{
    struct host *host = &hosts[i];

    host->driver = create();
    assert_non_null(host->driver);
    assert_ok(host, host->driver->methods->init(host->driver, NULL) ? ASIO_OK : ASIO_NOT_PRESENT);
}

static void
prepare(unsigned i)
{
    struct host *host = &hosts[i];
    struct asio_driver *driver = host->driver;

    host->infos[0] = (struct asio_buffer_info){.is_input = 0, .channel = (int32_t)i};
    host->infos[1] = (struct asio_buffer_info){.is_input = 1, .channel = (int32_t)i};
    assert_ok(host, driver->methods->create_buffers(driver, host->infos, 2, BUFFER, &callbacks[i]));
}

static void
start(unsigned i)
{
    struct host *host = &hosts[i];

    host->blocks = 0;
    host->heard = 0;
    assert_ok(host, host->driver->methods->start(host->driver));
}

#define NEEDS_ENGINE()                                                                             \
    do {                                                                                           \
        (void)state;                                                                               \
        if (!engine_path)                                                                          \
            skip();                                                                                \
    } while (0)

/* ---- without an engine ---- */

static void
without_an_engine_init_fails_and_says_what_to_do(void **state)
{
    char text[ASIO_ERROR_BYTES];
    int32_t inputs, outputs;

    (void)state;
    say_where_the_engine_is("C:\\no\\such\\tuttid.exe");
    hosts[0].driver = create();
    assert_non_null(hosts[0].driver);
    assert_int_equal(hosts[0].driver->methods->init(hosts[0].driver, NULL), 0);
    hosts[0].driver->methods->get_error_message(hosts[0].driver, text);
    assert_non_null(strstr(text, "engine"));
    assert_non_null(strstr(text, "run '"));
    assert_int_equal(hosts[0].driver->methods->get_channels(hosts[0].driver, &inputs, &outputs),
                     ASIO_NOT_PRESENT);
    assert_int_equal(
        hosts[0].driver->methods->future(hosts[0].driver, ASIO_FUTURE_CAN_TIME_INFO, NULL),
        ASIO_SUCCESS);
}

static void
an_object_that_was_never_initialised_leaves_nothing(void **state)
{
    (void)state;
    assert_true(can_unload());
    hosts[0].driver = create();
    assert_non_null(hosts[0].driver);
    assert_false(can_unload());
}

/* ---- with one ---- */

static void
init_opens_no_device_and_the_driver_answers(void **state)
{
    struct asio_driver *driver;
    int32_t a = 0, b = 0, min, max, preferred, granularity;
    double rate = 0;
    struct asio_channel_info info = {.channel = 0, .is_input = 1};

    NEEDS_ENGINE();
    open_driver(0);
    driver = hosts[0].driver;
    assert_int_equal(driver->methods->get_channels(driver, &a, &b), ASIO_OK);
    assert_true(a >= 2 && b >= 2);
    assert_int_equal(driver->methods->get_buffer_size(driver, &min, &max, &preferred, &granularity),
                     ASIO_OK);
    assert_int_equal(driver->methods->get_latencies(driver, &a, &b), ASIO_OK);
    assert_true(a >= preferred && b > 0);
    assert_int_equal(driver->methods->get_sample_rate(driver, &rate), ASIO_OK);
    assert_int_equal(driver->methods->can_sample_rate(driver, rate), ASIO_OK);
    assert_int_equal(driver->methods->get_channel_info(driver, &info), ASIO_OK);
    assert_string_equal(info.name, "In 1");
}

static void
the_measured_round_trip_is_the_reported_one(void **state)
{
    int32_t input = 0, output = 0, forecast_input = 0, forecast_output = 0;

    NEEDS_ENGINE();
    open_driver(0);
    /* a device that was never opened has not told what its converters take */
    prepare(0);
    assert_ok(&hosts[0], hosts[0].driver->methods->dispose_buffers(hosts[0].driver));
    hosts[0].driver->methods->get_latencies(hosts[0].driver, &forecast_input, &forecast_output);
    prepare(0);
    hosts[0].driver->methods->get_latencies(hosts[0].driver, &input, &output);
    assert_int_equal(input, forecast_input);
    assert_int_equal(output, forecast_output);
    start(0);
    assert_true(await_heard(&hosts[0]));
    assert_int_equal(hosts[0].driver->methods->stop(hosts[0].driver), ASIO_OK);
    assert_int_equal(hosts[0].distance, input + output + CABLE_FRAMES);
    assert_int_equal(hosts[0].wrong_distance, 0);
    assert_int_equal(hosts[0].first_position_wrong, 0);
    assert_int_equal(hosts[0].bad_half, 0);
    assert_int_equal(hosts[0].backwards, 0);
    assert_int_equal(hosts[0].timelines_differ, 0);
}

static void
output_ready_keeps_the_reported_round_trip(void **state)
{
    int32_t input = 0, output = 0;

    NEEDS_ENGINE();
    open_driver(0);
    assert_int_equal(hosts[0].driver->methods->output_ready(hosts[0].driver), ASIO_OK);
    hosts[0].ready = true;
    prepare(0);
    hosts[0].driver->methods->get_latencies(hosts[0].driver, &input, &output);
    start(0);
    assert_true(await_heard(&hosts[0]));
    hosts[0].driver->methods->stop(hosts[0].driver);
    assert_int_equal(hosts[0].distance, input + output + CABLE_FRAMES);
    assert_int_equal(hosts[0].wrong_distance, 0);
}

/* Output 0 comes in at input 0, is monitored on output 1, and comes in at input 1: by the host's
 * own round trip, and then by the card's and the cable alone. */
static void
the_input_monitor_passes_the_host(void **state)
{
    struct asio_input_monitor monitor = {
        .input = 0, .output = 1, .gain = 0x20000000, .state = 1, .pan = 0x3fffffff};
    struct asio_channel_controls meter = {.channel = 1};
    int32_t input = 0, output = 0;

    NEEDS_ENGINE();
    open_driver(0);
    struct asio_driver *driver = hosts[0].driver;
    assert_int_equal(driver->methods->future(driver, ASIO_FUTURE_CAN_INPUT_MONITOR, NULL),
                     ASIO_SUCCESS);
    hosts[0].infos[0] = (struct asio_buffer_info){.is_input = 0, .channel = 0};
    hosts[0].infos[1] = (struct asio_buffer_info){.is_input = 1, .channel = 1};
    assert_ok(&hosts[0],
              driver->methods->create_buffers(driver, hosts[0].infos, 2, BUFFER, &callbacks[0]));
    assert_int_equal(driver->methods->future(driver, ASIO_FUTURE_SET_INPUT_MONITOR, &monitor),
                     ASIO_SUCCESS);
    driver->methods->get_latencies(driver, &input, &output);
    start(0);
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    do {
        Sleep(5); /* the first samples come in while the gain is still on its way */
        hosts[0].heard = hosts[0].wrong_distance = 0;
        assert_true(await_heard(&hosts[0]));
    } while (hosts[0].wrong_distance && GetTickCount64() < deadline);
    int32_t device = 2 * BUFFER + INPUT_LATENCY + OUTPUT_LATENCY;
    assert_int_equal(hosts[0].distance, input + output + CABLE_FRAMES + device + CABLE_FRAMES);
    assert_int_equal(hosts[0].wrong_distance, 0);
    do {
        Sleep(5);
        assert_int_equal(driver->methods->future(driver, ASIO_FUTURE_GET_OUTPUT_METER, &meter),
                         ASIO_SUCCESS);
    } while (meter.meter == 0 && GetTickCount64() < deadline);
    assert_true(meter.meter > 0);
    monitor.state = 0;
    driver->methods->future(driver, ASIO_FUTURE_SET_INPUT_MONITOR, &monitor);
    LONG heard;
    do {
        heard = hosts[0].heard;
        assert_true(await_blocks(&hosts[0], hosts[0].blocks + 10));
    } while (heard != hosts[0].heard && GetTickCount64() < deadline);
    assert_int_equal(hosts[0].heard, heard);
}

static void
start_and_stop_go_round_without_new_buffers(void **state)
{
    void *address;

    NEEDS_ENGINE();
    open_driver(0);
    prepare(0);
    address = hosts[0].infos[0].buffers[0];
    for (unsigned i = 0; i < 5; i++) {
        start(0);
        assert_true(await_blocks(&hosts[0], 3));
        assert_int_equal(hosts[0].driver->methods->stop(hosts[0].driver), ASIO_OK);
        LONG after = hosts[0].blocks;
        assert_int_equal(hosts[0].first_position_wrong, 0);
        assert_ptr_equal(hosts[0].infos[0].buffers[0], address);
        assert_int_equal(hosts[0].blocks, after);
    }
    assert_int_equal(hosts[0].driver->methods->dispose_buffers(hosts[0].driver), ASIO_OK);
    assert_int_equal(hosts[0].driver->methods->dispose_buffers(hosts[0].driver), ASIO_INVALID_MODE);
    prepare(0);
    start(0);
    assert_true(await_blocks(&hosts[0], 3));
}

static void
stop_in_callback(struct host *host)
{
    host->in_callback = NULL;
    host->answer = host->driver->methods->stop(host->driver);
}

static void
stop_within_the_callback_can_be_followed_by_start(void **state)
{
    NEEDS_ENGINE();
    open_driver(0);
    prepare(0);
    hosts[0].in_callback = stop_in_callback;
    hosts[0].answer = -1;
    start(0);
    assert_true(await_blocks(&hosts[0], 1));
    start(0);
    assert_true(await_blocks(&hosts[0], 2));
    assert_int_equal(hosts[0].answer, ASIO_OK);
}

static void
release_in_callback(struct host *host)
{
    struct asio_driver *driver = host->driver;

    host->in_callback = NULL;
    host->answer = (int32_t)driver->methods->release(driver);
    host->driver = NULL;
}

static void
release_within_the_callback_ends_everything(void **state)
{
    NEEDS_ENGINE();
    open_driver(0);
    prepare(0);
    hosts[0].in_callback = release_in_callback;
    hosts[0].answer = -1;
    start(0);
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    while (!can_unload() && GetTickCount64() < deadline) {
        Sleep(1);
    }
    assert_true(can_unload());
    assert_int_equal(hosts[0].answer, 0);
}

static bool
await_told(const volatile LONG *counter, LONG count)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (*counter < count && GetTickCount64() < deadline) {
        Sleep(1);
    }
    return *counter >= count;
}

/* An engine of its own, on a card whose rate the system changes after a while, and after each new
 * opening again to the same one. The host ignores what it is asked to do. */
static void
a_rate_that_the_system_changes_is_told_once_and_callbacks_go_on(void **state)
{
    char folder[sizeof(runtime_folder) + 8];
    double rate = 0;

    NEEDS_ENGINE();
    if (getenv("TUTTI_BRIDGE")) {
        skip(); /* the engine's folder is not ours to choose */
    }
    snprintf(folder, sizeof(folder), "%s-rate", runtime_folder);
    SetEnvironmentVariableA("TUTTI_RUNTIME_DIR", folder);
    SetEnvironmentVariableA("TUTTI_SIM_FAULTS", "at 60 rate 44100");
    memset((void *)&told, 0, sizeof(told));
    open_driver(0);
    struct asio_driver *driver = hosts[0].driver;
    hosts[0].infos[0] = (struct asio_buffer_info){.is_input = 0, .channel = 0};
    assert_ok(&hosts[0],
              driver->methods->create_buffers(driver, hosts[0].infos, 1, BUFFER, &told_callbacks));
    start(0);
    assert_true(await_told(&told.rates, 1));
    assert_true(told.rate_hz == 44100);
    assert_true(await_told(&told.resets, 1));
    assert_true(await_told(&told.blocks, told.blocks + 200)); /* over further openings */
    assert_int_equal(told.rates, 1);
    assert_int_equal(told.shown, 1);
    assert_true(told.shown_hz == 44100);
    assert_int_equal(driver->methods->get_sample_rate(driver, &rate), ASIO_OK);
    assert_true(rate == 44100);
}

static void
two_instances_of_one_process_both_run(void **state)
{
    NEEDS_ENGINE();
    for (unsigned i = 0; i < 2; i++) {
        open_driver(i);
        prepare(i);
        start(i);
    }
    assert_true(await_heard(&hosts[0]));
    assert_true(await_heard(&hosts[1]));
    assert_true(hosts[0].generation != 0 && hosts[0].generation == hosts[1].generation);
    hosts[0].driver->methods->release(hosts[0].driver);
    hosts[0].driver = NULL;
    LONG blocks = hosts[1].blocks;
    assert_true(await_blocks(&hosts[1], blocks + 3));
}

/* Everything that tells a rate tells this one. */
static void
assert_rate(struct host *host, double rate_hz)
{
    double rate = 0;

    assert_ok(host, host->driver->methods->get_sample_rate(host->driver, &rate));
    assert_true(rate == rate_hz);
}

static void
refuse_rate(struct host *host, double rate_hz)
{
    char text[ASIO_ERROR_BYTES];
    struct asio_driver *driver = host->driver;

    assert_int_equal(driver->methods->can_sample_rate(driver, rate_hz), ASIO_NO_CLOCK);
    driver->methods->get_error_message(driver, text);
    assert_non_null(strstr(text, "another program holds the device at "));
    assert_int_equal(driver->methods->set_sample_rate(driver, rate_hz), ASIO_INVALID_MODE);
    driver->methods->get_error_message(driver, text);
    assert_non_null(strstr(text, "another program holds the device at "));
}

/* The sound of a host that plays is heard, all of it from one distance. */
static void
await_whole_sound(struct host *host)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    do {
        Sleep(5);
        host->heard = host->wrong_distance = 0;
        assert_true(await_heard(host));
    } while (host->wrong_distance && GetTickCount64() < deadline);
    assert_int_equal(host->wrong_distance, 0);
}

static void
a_rate_changes_under_the_buffers_of_one_host_alone(void **state)
{
    NEEDS_ENGINE();
    memset((void *)&told, 0, sizeof(told));
    open_driver(0);
    struct asio_driver *driver = hosts[0].driver;
    hosts[0].infos[0] = (struct asio_buffer_info){.is_input = 0, .channel = 0};
    assert_ok(&hosts[0],
              driver->methods->create_buffers(driver, hosts[0].infos, 1, BUFFER, &told_callbacks));
    start(0);
    assert_true(await_told(&told.blocks, 3));
    assert_ok(&hosts[0], driver->methods->can_sample_rate(driver, 44100));
    assert_ok(&hosts[0], driver->methods->set_sample_rate(driver, 44100));
    assert_rate(&hosts[0], 44100);
    assert_true(await_told(&told.shown, 1));
    assert_true(told.shown_hz == 44100);
    assert_true(await_told(&told.rates, 1));
    assert_true(told.rate_hz == 44100);
    /* beside another one: refused, with buffers and without */
    open_driver(1);
    refuse_rate(&hosts[1], 48000);
    prepare(1);
    start(1);
    for (unsigned i = 0; i < 2; i++) {
        refuse_rate(&hosts[i], 48000);
        assert_rate(&hosts[i], 44100);
    }
    await_whole_sound(&hosts[1]);
    assert_int_equal(told.rates, 1);
    assert_int_equal(told.resets, 0);
    /* alone again */
    driver->methods->release(driver);
    hosts[0].driver = NULL;
    assert_ok(&hosts[1], hosts[1].driver->methods->set_sample_rate(hosts[1].driver, 48000));
    assert_rate(&hosts[1], 48000);
    await_whole_sound(&hosts[1]);
    assert_int_equal(hosts[1].backwards, 0);
    assert_int_equal(hosts[1].bad_half, 0);
}

static void
a_rate_is_remembered_for_the_next_instance(void **state)
{
    static const double rates[] = {44100, 768000, 48000};
    double rate = 0;

    NEEDS_ENGINE();
    for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        open_driver(0);
        assert_ok(&hosts[0], hosts[0].driver->methods->can_sample_rate(hosts[0].driver, rates[i]));
        assert_ok(&hosts[0], hosts[0].driver->methods->set_sample_rate(hosts[0].driver, rates[i]));
        hosts[0].driver->methods->release(hosts[0].driver);
        open_driver(0);
        assert_int_equal(hosts[0].driver->methods->get_sample_rate(hosts[0].driver, &rate),
                         ASIO_OK);
        assert_true(rate == rates[i]);
        hosts[0].driver->methods->release(hosts[0].driver);
        hosts[0].driver = NULL;
    }
}

/* ---- environment ---- */

static void
set_up(void)
{
    char temp[MAX_PATH];

    GetTempPathA(sizeof(temp), temp);
    snprintf(runtime_folder, sizeof(runtime_folder), "%stutti-test-%lu", temp,
             GetCurrentProcessId());
    SetEnvironmentVariableA("TUTTI_CONFIG", "C:\\no\\such\\tutti.ini");
    SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", "float32");
    SetEnvironmentVariableA("TUTTI_DEVICE_BACKEND", "sim");
    SetEnvironmentVariableA("TUTTI_DEVICE_RATE", "48000");
    SetEnvironmentVariableA("TUTTI_SIM_CABLE", "37"); /* CABLE_FRAMES */
    SetEnvironmentVariableA("TUTTI_SIM_INPUT_LATENCY", "11");
    SetEnvironmentVariableA("TUTTI_SIM_OUTPUT_LATENCY", "5");
    SetEnvironmentVariableA("TUTTI_ENGINE_GRACE_MS", "500");
}

int
main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(without_an_engine_init_fails_and_says_what_to_do),
        TEST(an_object_that_was_never_initialised_leaves_nothing),
        TEST(init_opens_no_device_and_the_driver_answers),
        TEST(the_measured_round_trip_is_the_reported_one),
        TEST(output_ready_keeps_the_reported_round_trip),
        TEST(the_input_monitor_passes_the_host),
        TEST(start_and_stop_go_round_without_new_buffers),
        TEST(stop_within_the_callback_can_be_followed_by_start),
        TEST(release_within_the_callback_ends_everything),
        TEST(a_rate_that_the_system_changes_is_told_once_and_callbacks_go_on),
        TEST(two_instances_of_one_process_both_run),
        TEST(a_rate_changes_under_the_buffers_of_one_host_alone),
        TEST(a_rate_is_remembered_for_the_next_instance),
    };

    if (argc < 2) {
        fprintf(stderr, "usage: %s tutti.dll [tuttid.exe]\n", argv[0]);
        return 2;
    }
    dll_path = argv[1];
    engine_path = argc > 2 ? argv[2] : NULL;
    set_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
