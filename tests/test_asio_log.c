/* SPDX-License-Identifier: MIT */
/*
 * What driver.log says at its usual level, on a libtutti of the test's own: who the host is, what
 * it set up, what it was told and what it answered, and what went away under it.
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asio/rules.h"
#include "base/file.h"
#include "base/log.h"
#include "fake_host.h"

enum { MOST_BYTES = 1 << 20 };

static char folder[MAX_PATH], path[MAX_PATH + 16];

static int
begin(void **state)
{
    log_set_level(LOG_INFO);
    return file_remove(path) ? fake_host_begin(state) : -1;
}

/* The file as it is; the caller's. */
static char *
read_log(void)
{
    char *text = NULL;
    size_t bytes = 0;

    assert_int_equal(file_read(path, MOST_BYTES, &text, &bytes), TUTTI_OK);
    return text;
}

static bool
log_has(const char *part)
{
    char *text = read_log();
    bool has = strstr(text, part) != NULL;

    free(text);
    return has;
}

static unsigned
count_in_log(const char *part)
{
    char *text = read_log();
    const char *at = text;
    unsigned count = 0;

    while ((at = strstr(at, part)) != NULL) {
        at += strlen(part);
        count++;
    }
    free(text);
    return count;
}

static void
assert_log_has(const char *part)
{
    char *text = read_log();

    if (!strstr(text, part)) {
        fail_msg("\"%s\" is not in the log:\n%s", part, text);
    }
    free(text);
}

/* Of what another thread writes. */
static void
await_in_log(const char *part)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (!log_has(part) && GetTickCount64() < deadline) {
        Sleep(1);
    }
    assert_log_has(part);
}

static void
init_tells_the_program_the_version_and_the_device(void **state)
{
    char bits[16];

    (void)state;
    fake_tutti.device.period_max_frames = 2048;
    snprintf(fake_tutti.device.backend, sizeof(fake_tutti.device.backend), "jack");
    fake_host_init();
    snprintf(bits, sizeof(bits), " %u bits", (unsigned)(8 * sizeof(void *)));
    assert_log_has("test_asio_log.exe: Tutti ");
    assert_log_has(bits);
    assert_log_has("tutti.ini");
    assert_log_has(
        "the device is 'Fake' (jack), closed: 4 inputs, 6 outputs, 48000 Hz, periods of 16 to 2048 "
        "frames");
}

static void
the_entry_of_a_profile_is_named_with_its_profile(void **state)
{
    (void)state;
    M->release(host.driver);
    host.driver = fake_host_create_of("Low");
    fake_host_init();
    assert_log_has("info    test_asio_log.exe[");
    assert_log_has("asio: 'Tutti Low': init by ");
    assert_log_has("profile 'Low'");
}

static void
a_name_that_the_code_page_does_not_have_is_logged(void **state)
{
    (void)state;
    SetEnvironmentVariableW(L"TUTTI_PROGRAM_INPUT_NAMES", L"Voice, \u30ae\u30bf\u30fc \U0001f3b8");
    fake_host_init();
    SetEnvironmentVariableW(L"TUTTI_PROGRAM_INPUT_NAMES", NULL);
    assert_true(GetACP() == CP_UTF8 || count_in_log("keeps its plain name") == 1);
    assert_true(GetACP() == CP_UTF8 || log_has("its input 2 keeps its plain name"));
}

static void
create_buffers_tells_all_that_was_agreed_on(void **state)
{
    (void)state;
    host.time_info = true;
    fake_host_init();
    fake_host_prepare();
    assert_log_has("createBuffers: 128 frames, 2 inputs, 2 outputs, int32, 48000 Hz, on a period "
                   "of 64 frames; latencies 300 in, 320 out; called by bufferSwitchTimeInfo; the "
                   "host knows: ResetRequest, ResyncRequest, LatenciesChanged, SupportsTimeInfo, "
                   "Overload\n");
    M->dispose_buffers(host.driver);
    host.knows = 0;
    fake_host_prepare();
    assert_log_has("called by bufferSwitch; the host knows: none\n");
}

static void
start_stop_and_the_end_are_told_with_how_far_it_came(void **state)
{
    (void)state;
    fake_host_run();
    fake_tutti_block(fake_tutti.last);
    fake_tutti_block(fake_tutti.last);
    assert_log_has("asio: 'Tutti': start\n");
    M->stop(host.driver);
    assert_log_has("asio: 'Tutti': stop; the last block was at 128\n");
    M->dispose_buffers(host.driver);
    assert_log_has("asio: 'Tutti': disposeBuffers\n");
    M->release(host.driver);
    host.driver = NULL;
    await_in_log("asio: 'Tutti': released\n");
}

static void
refusals_tell_why(void **state)
{
    (void)state;
    M->start(host.driver);
    assert_log_has("start refused: the driver is not initialised\n");
    fake_host_init();
    assert_int_equal(M->create_buffers(host.driver, infos, 4, 100, &callbacks), ASIO_INVALID_MODE);
    assert_log_has("warning test_asio_log.exe[");
    assert_log_has("createBuffers failed (-997): buffers have 32 to 2048 frames");
}

static void
rates_are_told_as_they_are_set_and_as_they_change(void **state)
{
    (void)state;
    fake_host_init();
    M->set_sample_rate(host.driver, 96000);
    assert_log_has("setSampleRate: 96000 Hz\n");
    fake_host_prepare();
    M->set_sample_rate(host.driver, 44100);
    assert_log_has("setSampleRate: 44100 Hz\n");
    await_in_log("notified the host of sampleRateDidChange (44100)\n");
    fake_tutti.device.rate_hz = 48000;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 48000);
    await_in_log("the rate is 48000 Hz: something happened\n");
    await_in_log("notified the host of sampleRateDidChange (48000)\n");
}

/* Each with the event that causes it. */
static const struct {
    enum tutti_event_kind event;
    const char *line;
} told[] = {
    {TUTTI_EVENT_GAP, "notified the host of ResyncRequest: it answered "},
    {TUTTI_EVENT_ENGINE_BACK, "notified the host of ResetRequest: it answered "},
    {TUTTI_EVENT_LATENCIES, "notified the host of LatenciesChanged: it answered "},
    {TUTTI_EVENT_OVERLOAD,
     "notified the host of Overload (7 blocks came late or were lost): it answered "},
};

static void
each_message_is_told_with_the_answer_of_the_host(void **state)
{
    char line[128];

    for (unsigned n = 0; n < sizeof(told) / sizeof(told[0]); n++) {
        for (int declines = 0; declines < 2; declines++) {
            host.declines = declines;
            fake_host_run();
            fake_tutti.output_latency++;
            fake_tutti.event_value = 7;
            fake_tutti_event(fake_tutti.last, told[n].event, 0);
            snprintf(line, sizeof(line), "%s%d\n", told[n].line, !declines);
            await_in_log(line);
            assert_int_equal(fake_host_end(state), 0);
            assert_int_equal(begin(state), 0);
        }
    }
}

static void
a_message_that_the_host_does_not_know_is_told_as_such(void **state)
{
    (void)state;
    host.knows = 0;
    fake_host_run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_in_log("the host does not know ResetRequest: it was not notified\n");
}

static void
what_is_lost_is_a_warning_and_what_comes_back_is_told(void **state)
{
    (void)state;
    fake_host_run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_DEVICE_LOST, 0);
    assert_int_equal(count_in_log(" warning "), 1);
    assert_log_has("device lost: something happened; callbacks go on in silence\n");
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_DEVICE_BACK, 0);
    assert_log_has("device back: something happened\n");
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_LOST, 0);
    assert_int_equal(count_in_log(" warning "), 2);
    assert_log_has("engine lost: something happened; callbacks go on in silence\n");
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    assert_log_has("engine back: something happened\n");
}

static void
blocks_that_come_late_all_the_time_do_not_fill_the_log(void **state)
{
    (void)state;
    fake_host_run();
    fake_tutti.event_value = 1;
    for (LONG n = 0; n < 20; n++) {
        ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
        fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
        while (host.told[ASIO_MESSAGE_OVERLOAD] <= n && GetTickCount64() < deadline) {
            Sleep(1);
        }
        assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], n + 1);
    }
    /* the message after them: what is written of them is written by now */
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    await_in_log("notified the host of ResyncRequest");
    assert_int_equal(count_in_log("Overload ("), 1);
}

static size_t bytes_before, bytes_after;

static void
do_all_in_the_callback(void)
{
    char *text = read_log();

    bytes_before = strlen(text);
    free(text);
    M->start(host.driver);
    M->create_buffers(host.driver, infos, 4, 128, &callbacks);
    M->get_channel_info(host.driver, NULL);
    M->stop(host.driver);
    text = read_log();
    bytes_after = strlen(text);
    free(text);
}

static void
the_callback_thread_writes_nothing_even_at_debug(void **state)
{
    (void)state;
    fake_host_run();
    log_set_level(LOG_DEBUG);
    host.in_callback = do_all_in_the_callback;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 1);
    assert_true(bytes_before > 0);
    assert_int_equal(bytes_after, bytes_before);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fake_host_end)
    const struct CMUnitTest tests[] = {
        TEST(init_tells_the_program_the_version_and_the_device),
        TEST(the_entry_of_a_profile_is_named_with_its_profile),
        TEST(a_name_that_the_code_page_does_not_have_is_logged),
        TEST(create_buffers_tells_all_that_was_agreed_on),
        TEST(start_stop_and_the_end_are_told_with_how_far_it_came),
        TEST(refusals_tell_why),
        TEST(rates_are_told_as_they_are_set_and_as_they_change),
        TEST(each_message_is_told_with_the_answer_of_the_host),
        TEST(a_message_that_the_host_does_not_know_is_told_as_such),
        TEST(what_is_lost_is_a_warning_and_what_comes_back_is_told),
        TEST(blocks_that_come_late_all_the_time_do_not_fill_the_log),
        TEST(the_callback_thread_writes_nothing_even_at_debug),
    };
    char temp[MAX_PATH];

    GetTempPathA(sizeof(temp), temp);
    snprintf(folder, sizeof(folder), "%stutti-log-%lu", temp, GetCurrentProcessId());
    snprintf(path, sizeof(path), "%s\\driver.log", folder);
    SetEnvironmentVariableA("TUTTI_RUNTIME_DIR", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove(path);
    RemoveDirectoryA(folder);
    return failed;
}
