/* SPDX-License-Identifier: MIT */
/* See fake_host.h. */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asio/dll.h"

/* ---- the host: its callbacks have no user pointer, so there is one ---- */

struct fake_host host;

static void TUTTI_ASIO_HOST
buffer_switch(int32_t half, int32_t direct)
{
    host.last_half = half;
    host.last_direct = direct;
    InterlockedIncrement(&host.switches);
    if (host.in_callback) {
        host.in_callback();
    }
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
    if (host.in_message) {
        host.in_message(0);
    }
    SetEvent(host.event);
}

static int32_t TUTTI_ASIO_HOST
message(int32_t selector, int32_t value, void *data, double *option)
{
    (void)data;
    (void)option;
    if (selector == ASIO_MESSAGE_SELECTOR_SUPPORTED) {
        return host.knows >> value & 1;
    }
    if (selector == ASIO_MESSAGE_SUPPORTS_TIME_INFO) {
        return host.time_info;
    }
    InterlockedIncrement(&host.told[selector]);
    if (selector == ASIO_MESSAGE_BUFFER_SIZE_CHANGE) {
        host.last_size = value;
    }
    if (host.in_message) {
        host.in_message(selector);
    }
    SetEvent(host.event);
    return !host.declines;
}

const struct asio_callbacks callbacks = {buffer_switch, rate_changed, message,
                                         buffer_switch_time_info};

static const IID class_factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};

static struct asio_driver *
create_by(IClassFactory *factory, const struct asio_guid *guid)
{
    void *object = NULL;
    CLSID clsid;

    memcpy(&clsid, guid, sizeof(clsid));
    factory->lpVtbl->CreateInstance(factory, NULL, &clsid, &object);
    factory->lpVtbl->Release(factory);
    return object;
}

struct asio_driver *
fake_host_create(void)
{
    IClassFactory *factory = NULL;
    CLSID clsid;

    memcpy(&clsid, &dll_names[0].clsid, sizeof(clsid));
    if (DllGetClassObject(&clsid, &class_factory, (void **)&factory) != S_OK) {
        return NULL;
    }
    return create_by(factory, &dll_names[0].clsid);
}

struct asio_driver *
fake_host_create_of(const char *profile)
{
    void *factory = NULL;
    struct dll_name name;
    char reason[CONFIG_TEXT_BYTES];

    if (!entry_of_profile(profile, &name, reason) ||
        factory_get(&name, &class_factory, &factory) != S_OK) {
        return NULL;
    }
    return create_by(factory, &name.clsid);
}

int
fake_host_begin(void **state)
{
    (void)state;
    fake_tutti_reset();
    memset(&host, 0, sizeof(host));
    host.knows = 1u << ASIO_MESSAGE_RESET_REQUEST | 1u << ASIO_MESSAGE_RESYNC_REQUEST |
                 1u << ASIO_MESSAGE_LATENCIES_CHANGED | 1u << ASIO_MESSAGE_OVERLOAD |
                 1u << ASIO_MESSAGE_SUPPORTS_TIME_INFO;
    host.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    host.driver = fake_host_create();
    return host.driver ? 0 : -1;
}

static void
await_the_end(void)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (DllCanUnloadNow() != S_OK && GetTickCount64() < deadline) {
        Sleep(1);
    }
}

/* A process remembers the last rate that a host set: the next test begins with the fake's own. */
static void
forget_rate(void)
{
    fake_tutti.open_status = fake_tutti.rate_status = TUTTI_OK;
    host.driver = fake_host_create();
    if (host.driver && M->init(host.driver, NULL) == 1) {
        M->set_sample_rate(host.driver, FAKE_RATE_HZ);
    }
    if (host.driver) {
        M->release(host.driver);
    }
    await_the_end();
}

/* Nothing may be left: no object, no thread, no client. */
int
fake_host_end(void **state)
{
    (void)state;
    if (host.driver) {
        M->release(host.driver);
    }
    await_the_end();
    CloseHandle(host.event);
    if (DllCanUnloadNow() != S_OK ||
        (fake_tutti.open_status == TUTTI_OK && fake_tutti.closes != fake_tutti.opens)) {
        print_message("left: %u clients of %u\n", fake_tutti.opens - fake_tutti.closes,
                      fake_tutti.opens);
        return -1;
    }
    if (fake_tutti.asked_rate != 0) {
        forget_rate();
    }
    return 0;
}

void
fake_host_init(void)
{
    assert_int_equal(M->init(host.driver, NULL), 1);
}

struct asio_buffer_info infos[4];

void
fake_host_prepare(void)
{
    static const struct asio_buffer_info wanted[4] = {
        {.is_input = 1, .channel = 2},
        {.is_input = 0, .channel = 5},
        {.is_input = 0, .channel = 0},
        {.is_input = 1, .channel = 0},
    };

    memcpy(infos, wanted, sizeof(infos));
    assert_int_equal(M->create_buffers(host.driver, infos, 4, 128, &callbacks), ASIO_OK);
}

void
fake_host_run(void)
{
    fake_host_init();
    fake_host_prepare();
    assert_int_equal(M->start(host.driver), ASIO_OK);
}

void
fake_host_assert_says(const char *part)
{
    char text[ASIO_ERROR_BYTES];

    M->get_error_message(host.driver, text);
    if (!strstr(text, part)) {
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    }
}

void
fake_host_go_to(enum state state)
{
    if (host.driver) {
        M->release(host.driver);
    }
    host.driver = fake_host_create();
    if (state >= STATE_INITIALIZED) {
        fake_host_init();
    }
    if (state >= STATE_PREPARED) {
        fake_host_prepare();
    }
    if (state >= STATE_RUNNING) {
        assert_int_equal(M->start(host.driver), ASIO_OK);
        fake_tutti_block(fake_tutti.last);
    }
}
