/* SPDX-License-Identifier: MIT */
/* The control links as a program sees them that does not behave: raw messages to a server in the
 * same process, with the virtual sound card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "base/utf8.h"
#include "engine/server.h"
#include "os/os.h"
#include "proto/message.h"

enum { WAIT_MS = 20000 };

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

struct running {
    struct config config;
    struct os_thread *thread;
    enum tutti_status result;
};

static struct running running;

static void
server_main(void *arg)
{
    running.result = server_run(&running.config, NULL);
}

static int
start_server(void **state)
{
    char problem[CONFIG_TEXT_BYTES];

    config_init(&running.config);
    if (config_set(&running.config, "device", "backend", "sim", problem)) {
        return -1;
    }
    running.config.engine_grace_ms = WAIT_MS;
    return os_thread_start(&running.thread, "server", OS_PRIORITY_NORMAL, server_main, NULL);
}

static int
stop_server(void **state)
{
    server_stop();
    os_thread_join(running.thread);
    return running.result;
}

/* Of a server that ends by itself: a stop that nobody takes would end the next one. */
static int
join_server(void **state)
{
    os_thread_join(running.thread);
    return running.result;
}

static struct os_link *
connect_raw(void)
{
    uint64_t deadline = in_ms(WAIT_MS);
    struct os_link *link = NULL;
    enum tutti_status status;

    while ((status = os_link_connect(&link, deadline)) == TUTTI_NO_ENGINE &&
           os_now_ns() < deadline) {
        os_sleep_until_ns(in_ms(2));
    }
    assert_int_equal(status, TUTTI_OK);
    return link;
}

static void
send_raw(struct os_link *link, const void *message, size_t bytes)
{
    assert_int_equal(os_link_send(link, message, bytes, NULL, 0, in_ms(WAIT_MS)), TUTTI_OK);
}

static void
send_empty(struct os_link *link, enum proto_type type, uint32_t serial)
{
    struct proto_empty message;

    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, type, serial);
    send_raw(link, &message, sizeof(message));
}

static void
make_hello(struct proto_hello *hello)
{
    memset(hello, 0, sizeof(*hello));
    proto_header_init(&hello->header, PROTO_HELLO, 1);
    hello->oldest_version = proto_versions.oldest;
    hello->bits = 64;
    utf8_copy(hello->program, sizeof(hello->program), "raw");
}

/* The next message, checked to be of this type; its serial. */
static uint32_t
expect(struct os_link *link, enum proto_type type, void *message, size_t room)
{
    _Alignas(8) static unsigned char buffer[OS_LINK_MAX_MESSAGE_BYTES];
    const struct proto_header *header = (const struct proto_header *)buffer;
    os_handle handles[OS_LINK_MAX_HANDLES];
    const char *why = "";
    size_t bytes;

    assert_int_equal(os_link_recv(link, buffer, sizeof(buffer), &bytes, handles, in_ms(WAIT_MS)),
                     TUTTI_OK);
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        os_handle_close(handles[i]);
    }
    assert_int_equal(proto_check(buffer, bytes, false, &why), TUTTI_OK);
    assert_int_equal(header->type, type);
    if (message) {
        assert_true(bytes <= room);
        memcpy(message, buffer, bytes);
    }
    return header->serial;
}

static void
expect_error(struct os_link *link, enum tutti_status status, uint32_t serial)
{
    struct proto_error error;

    assert_int_equal(expect(link, PROTO_ERROR, &error, sizeof(error)), serial);
    assert_int_equal(error.status, status);
    assert_true(error.text[0] != '\0');
}

static void
expect_closed(struct os_link *link)
{
    unsigned char buffer[512];
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes;

    assert_int_equal(os_link_recv(link, buffer, sizeof(buffer), &bytes, handles, in_ms(WAIT_MS)),
                     TUTTI_CLOSED);
    os_link_close(link);
}

static void
greet(struct os_link *link, struct proto_welcome *welcome)
{
    struct proto_hello hello;

    make_hello(&hello);
    send_raw(link, &hello, sizeof(hello));
    assert_int_equal(expect(link, PROTO_WELCOME, welcome, sizeof(*welcome)), 1);
}

static void
a_program_is_welcomed_by_number_and_generation(void **state)
{
    struct proto_welcome one, two;
    struct os_link *a = connect_raw(), *b = connect_raw();

    greet(a, &one);
    greet(b, &two);
    assert_int_not_equal(one.program_id, 0);
    assert_int_not_equal(one.program_id, two.program_id);
    assert_true(one.generation != 0);
    assert_true(one.generation == two.generation);
    assert_int_equal(one.engine_pid, os_process_id());
    assert_string_equal(one.engine_version, TUTTI_VERSION);
    os_link_close(a);
    os_link_close(b);
}

static void
the_first_message_is_hello(void **state)
{
    struct os_link *link = connect_raw();

    send_empty(link, PROTO_DEVICES, 5);
    expect_error(link, TUTTI_PROTOCOL, 5);
    expect_closed(link);
}

static void
hello_comes_once(void **state)
{
    struct proto_welcome welcome;
    struct proto_hello hello;
    struct os_link *link = connect_raw();

    greet(link, &welcome);
    make_hello(&hello);
    hello.header.serial = 9;
    send_raw(link, &hello, sizeof(hello));
    expect_error(link, TUTTI_PROTOCOL, 9);
    expect_closed(link);
}

static void
malformed_messages_cost_their_sender_the_connection_and_nobody_else(void **state)
{
    struct proto_welcome welcome;
    struct proto_set_rate rate;
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    struct os_link *good = connect_raw(), *bad = connect_raw();

    assert_non_null(reply);
    greet(good, &welcome);
    greet(bad, &welcome);
    memset(&rate, 0, sizeof(rate));
    proto_header_init(&rate.header, PROTO_SET_RATE, 3);
    rate.rate_hz = -1;
    send_raw(bad, &rate, sizeof(rate));
    expect_error(bad, TUTTI_PROTOCOL, 3);
    expect_closed(bad);
    bad = connect_raw();
    send_raw(bad, "short", 5);
    expect_error(bad, TUTTI_PROTOCOL, 0);
    expect_closed(bad);
    struct proto_status status;
    memset(&status, 0, sizeof(status));
    proto_header_init(&status.header, PROTO_STATUS, 4);
    send_raw(good, &status, sizeof(status));
    assert_int_equal(expect(good, PROTO_STATUS_REPLY, reply, sizeof(*reply)), 4);
    assert_true(reply->program_count >= 1);
    free(reply);
    os_link_close(good);
}

static void
a_segment_that_is_none_is_refused(void **state)
{
    struct proto_welcome welcome;
    struct proto_prepare prepare;
    struct os_link *link = connect_raw();

    greet(link, &welcome);
    memset(&prepare, 0, sizeof(prepare));
    proto_header_init(&prepare.header, PROTO_PREPARE, 2);
    prepare.buffer_frames = 64;
    prepare.outputs = 1;
    send_raw(link, &prepare, sizeof(prepare)); /* without its handles */
    struct proto_error error;
    assert_int_equal(expect(link, PROTO_ERROR, &error, sizeof(error)), 2);
    assert_int_not_equal(error.status, TUTTI_OK);
    /* the connection goes on: DISPOSE answers as its state demands */
    send_empty(link, PROTO_DISPOSE, 3);
    expect_error(link, TUTTI_INVALID_STATE, 3);
    os_link_close(link);
}

static void
a_monitor_is_taken_before_anything_is_prepared_and_a_wrong_one_ends_the_link(void **state)
{
    struct proto_welcome welcome;
    struct proto_monitor monitor;
    struct os_link *link = connect_raw();

    greet(link, &welcome);
    memset(&monitor, 0, sizeof(monitor));
    proto_header_init(&monitor.header, PROTO_MONITOR, 2);
    monitor.count = 1;
    monitor.path[0].gain = 1;
    send_raw(link, &monitor, sizeof(monitor));
    assert_int_equal(expect(link, PROTO_OK, &welcome, sizeof(welcome)), 2);
    monitor.header.serial = 3;
    monitor.path[0].gain = 17;
    send_raw(link, &monitor, sizeof(monitor));
    expect_error(link, TUTTI_PROTOCOL, 3);
    expect_closed(link);
}

static int
start_slow_server(void **state)
{
    char problem[CONFIG_TEXT_BYTES];

    config_init(&running.config);
    if (config_set(&running.config, "device", "backend", "sim", problem) ||
        config_set(&running.config, "sim", "faults", "at 0 slow-open 2000", problem)) {
        return -1;
    }
    running.config.engine_grace_ms = WAIT_MS;
    return os_thread_start(&running.thread, "server", OS_PRIORITY_NORMAL, server_main, NULL);
}

/* Sends PREPARE for one output of 64 frames; the segment stays the caller's. */
static void
send_prepare(struct os_link *link, struct os_shm *shm, struct os_wake *doorbell)
{
    struct proto_prepare prepare;
    struct proto_layout layout;

    memset(&prepare, 0, sizeof(prepare));
    proto_header_init(&prepare.header, PROTO_PREPARE, 2);
    prepare.buffer_frames = 64;
    prepare.outputs = 1;
    prepare.output[0].kind = PROTO_CHANNEL_DEVICE;
    assert_int_equal(proto_layout_init(&layout, 64, 0, 1), TUTTI_OK);
    assert_int_equal(os_shm_create(shm, layout.size_bytes), TUTTI_OK);
    proto_segment_init(shm->base, &layout);
    struct proto_segment *segment = shm->base;
    assert_int_equal(os_wake_init(doorbell, &segment->doorbell), TUTTI_OK);
    const os_handle handles[2] = {shm->handle, doorbell->event};
    assert_int_equal(os_link_send(link, &prepare, sizeof(prepare), handles, 2, in_ms(WAIT_MS)),
                     TUTTI_OK);
}

static void
a_device_that_takes_long_to_open_keeps_nobody_waiting_but_those_who_want_it(void **state)
{
    struct proto_welcome welcome;
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    struct proto_status status;
    struct proto_prepared prepared;
    struct os_shm shm;
    struct os_wake doorbell;
    struct os_link *first = connect_raw();

    assert_non_null(reply);
    greet(first, &welcome);
    send_prepare(first, &shm, &doorbell);
    memset(&status, 0, sizeof(status));
    proto_header_init(&status.header, PROTO_STATUS, 4);
    /* Others come, ask and go; each of them finds the device opening. */
    for (unsigned met = 0; met < 3; met++) {
        struct os_link *other = connect_raw();
        greet(other, &welcome);
        do { /* the opening begins on the first one's thread */
            send_raw(other, &status, sizeof(status));
            assert_int_equal(expect(other, PROTO_STATUS_REPLY, reply, sizeof(*reply)), 4);
        } while (reply->device.state == PROTO_STREAM_CLOSED);
        assert_int_equal(reply->device.state, PROTO_STREAM_OPENING);
        os_link_close(other);
    }
    assert_int_equal(expect(first, PROTO_PREPARED, &prepared, sizeof(prepared)), 2);
    assert_int_equal(prepared.device.state, PROTO_STREAM_RUNNING);
    os_link_close(first);
    os_wake_fini(&doorbell);
    os_shm_close(&shm);
    free(reply);
}

static void
a_process_that_the_program_is_not_is_never_taken_for_it(void **state)
{
    struct proto_hello hello;
    struct proto_status status;
    struct proto_prepared prepared;
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    struct os_shm shm;
    struct os_wake doorbell;
    struct os_link *link = connect_raw();
    uint32_t foreign = 0;

    (void)state;
    assert_non_null(reply);
    /* The first process of this user's that there is. */
    while (!os_process_is_ours(++foreign) || foreign == os_process_id()) {
        assert_true(foreign < 1u << 22);
    }
    make_hello(&hello);
    hello.host_pid = foreign;
    send_raw(link, &hello, sizeof(hello));
    expect(link, PROTO_WELCOME, NULL, 0);
    send_prepare(link, &shm, &doorbell);
    assert_int_equal(expect(link, PROTO_PREPARED, &prepared, sizeof(prepared)), 2);
    memset(&status, 0, sizeof(status));
    proto_header_init(&status.header, PROTO_STATUS, 4);
    send_raw(link, &status, sizeof(status));
    expect(link, PROTO_STATUS_REPLY, reply, sizeof(*reply));
    assert_int_equal(reply->program[0].pid, os_process_id());
    os_link_close(link);
    os_wake_fini(&doorbell);
    os_shm_close(&shm);
    free(reply);
}

static void
a_program_of_another_version_hears_so_and_may_ask_the_engine_to_leave(void **state)
{
    struct proto_hello hello;
    struct os_link *link = connect_raw();

    make_hello(&hello);
    hello.header.version = proto_versions.spoken + 1;
    hello.oldest_version = proto_versions.spoken + 1;
    send_raw(link, &hello, sizeof(hello));
    expect_error(link, TUTTI_VERSION_MISMATCH, 1);
    send_empty(link, PROTO_LEAVE, 2);
    assert_int_equal(expect(link, PROTO_OK, NULL, 0), 2);
    expect_closed(link);
}

static void
a_program_that_asks_the_engine_to_leave_is_obeyed(void **state)
{
    struct proto_welcome welcome;
    struct os_link *link = connect_raw(), *other = connect_raw();

    greet(link, &welcome);
    greet(other, &welcome);
    send_empty(link, PROTO_LEAVE, 2);
    assert_int_equal(expect(link, PROTO_OK, NULL, 0), 2);
    expect_closed(link);
    expect_closed(other);
}

static void
one_engine_serves_at_a_time(void **state)
{
    struct os_link *link = connect_raw();

    assert_int_equal(server_run(&running.config, NULL), TUTTI_FULL);
    os_link_close(link);
}

static void
without_programs_the_server_ends_after_its_grace(void **state)
{
    struct config config = running.config;

    assert_int_equal(stop_server(state), TUTTI_OK);
    config.engine_grace_ms = 1;
    assert_int_equal(server_run(&config, NULL), TUTTI_OK);
    assert_int_equal(start_server(state), 0);
}

/* A runtime folder of this process alone. */
static int
use_own_folder(void **state)
{
    static char setting[1024];
    const char *folder = getenv("TEMP");

    if (!folder) {
        folder = getenv("TMPDIR");
    }
    snprintf(setting, sizeof(setting), "TUTTI_RUNTIME_DIR=%s/tutti-test-server-%u",
             folder ? folder : "/tmp", (unsigned)os_process_id());
    return putenv(setting);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start_server, stop_server)
#define WITH_SERVER_THAT_ENDS(test) cmocka_unit_test_setup_teardown(test, start_server, join_server)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_program_is_welcomed_by_number_and_generation),
        WITH_SERVER(the_first_message_is_hello),
        WITH_SERVER(hello_comes_once),
        WITH_SERVER(malformed_messages_cost_their_sender_the_connection_and_nobody_else),
        WITH_SERVER(a_monitor_is_taken_before_anything_is_prepared_and_a_wrong_one_ends_the_link),
        WITH_SERVER(a_segment_that_is_none_is_refused),
        WITH_SERVER(a_process_that_the_program_is_not_is_never_taken_for_it),
        WITH_SERVER_THAT_ENDS(
            a_program_of_another_version_hears_so_and_may_ask_the_engine_to_leave),
        WITH_SERVER_THAT_ENDS(a_program_that_asks_the_engine_to_leave_is_obeyed),
        cmocka_unit_test_setup_teardown(
            a_device_that_takes_long_to_open_keeps_nobody_waiting_but_those_who_want_it,
            start_slow_server, stop_server),
        WITH_SERVER(one_engine_serves_at_a_time),
        WITH_SERVER(without_programs_the_server_ends_after_its_grace),
    };

    return cmocka_run_group_tests(tests, use_own_folder, NULL);
}
