/* SPDX-License-Identifier: MIT */
/* The control link with both ends in one process: whole messages, handles, and every way to end. */
#include "os_fixture.h"

enum { SENDERS = 4, MESSAGES = 50, CROWD = 64 };

struct ends {
    struct os_listener *listener;
    struct os_link *engine, *program;
};

static int
open_ends(void **state)
{
    struct ends *ends = calloc(1, sizeof(*ends));
    assert_non_null(ends);
    assert_int_equal(os_listener_open(&ends->listener), TUTTI_OK);
    assert_int_equal(os_link_connect(&ends->program, fixture_patience()), TUTTI_OK);
    assert_int_equal(os_listener_accept(ends->listener, &ends->engine, fixture_patience()),
                     TUTTI_OK);
    *state = ends;
    return 0;
}

static int
close_ends(void **state)
{
    struct ends *ends = *state;
    os_link_close(ends->program);
    os_link_close(ends->engine);
    os_listener_close(ends->listener);
    free(ends);
    return 0;
}

static enum tutti_status
send_text(struct os_link *link, const char *text)
{
    return os_link_send(link, text, strlen(text) + 1, NULL, 0, fixture_patience());
}

static enum tutti_status
receive(struct os_link *link, char *text, size_t room, os_handle *handles)
{
    os_handle none[OS_LINK_MAX_HANDLES];
    size_t bytes = 0;
    return os_link_recv(link, text, room, &bytes, handles != NULL ? handles : none,
                        fixture_patience());
}

static void
expect_text(struct os_link *link, const char *text)
{
    char got[64] = "";
    assert_int_equal(receive(link, got, sizeof(got), NULL), TUTTI_OK);
    assert_string_equal(got, text);
}

static void
expect_closed(struct os_link *link)
{
    char got[64];
    assert_int_equal(receive(link, got, sizeof(got), NULL), TUTTI_CLOSED);
}

/* ---- meeting ---- */

static void
nobody_listening_is_told_at_once(void **state)
{
    struct os_link *link = NULL;
    assert_int_equal(os_link_connect(&link, UINT64_MAX), TUTTI_NO_ENGINE);
    assert_null(link);
}

static void
accepting_ends_at_the_deadline_or_when_woken(void **state)
{
    struct os_listener *listener = NULL;
    struct os_link *link = NULL;
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    assert_int_equal(os_listener_accept(listener, &link, 0), TUTTI_TIMEOUT);
    assert_int_equal(os_listener_accept(listener, &link, fixture_in_ms(2)), TUTTI_TIMEOUT);
    os_listener_wake(listener);
    assert_int_equal(os_listener_accept(listener, &link, UINT64_MAX), TUTTI_CLOSED);
    assert_int_equal(os_listener_accept(listener, &link, UINT64_MAX), TUTTI_CLOSED);
    os_listener_close(listener);
    os_listener_close(NULL);
    nobody_listening_is_told_at_once(state);
}

struct acceptance {
    struct os_listener *listener;
    enum tutti_status status;
};

static void
accept_for_ever(void *arg)
{
    struct acceptance *acceptance = arg;
    struct os_link *link = NULL;
    acceptance->status = os_listener_accept(acceptance->listener, &link, UINT64_MAX);
}

static void
waking_releases_an_accept_in_another_thread(void **state)
{
    struct acceptance acceptance = {0};
    struct os_thread *thread = NULL;
    assert_int_equal(os_listener_open(&acceptance.listener), TUTTI_OK);
    assert_int_equal(
        os_thread_start(&thread, "test-accept", OS_PRIORITY_NORMAL, accept_for_ever, &acceptance),
        TUTTI_OK);
    assert_false(os_thread_join_until(thread, fixture_in_ms(2)));
    os_listener_wake(acceptance.listener);
    assert_true(os_thread_join_until(thread, fixture_patience()));
    assert_int_equal(acceptance.status, TUTTI_CLOSED);
    os_listener_close(acceptance.listener);
}

static void
both_sides_know_the_others_process(void **state)
{
    const struct ends *ends = *state;
    assert_int_equal(os_link_peer_pid(ends->engine), os_process_id());
    assert_int_equal(os_link_peer_pid(ends->program), os_process_id());
}

static void
a_client_that_left_before_accept_does_not_harm(void **state)
{
    struct ends *ends = *state;
    struct os_link *gone = NULL, *next = NULL, *accepted = NULL;
    assert_int_equal(os_link_connect(&gone, fixture_patience()), TUTTI_OK);
    os_link_close(gone);
    /* POSIX hands out the dead one first, Windows drops it; either way the next one comes through
     */
    (void)os_listener_accept(ends->listener, &accepted, fixture_in_ms(2));
    os_link_close(accepted);
    assert_int_equal(os_link_connect(&next, fixture_patience()), TUTTI_OK);
    assert_int_equal(os_listener_accept(ends->listener, &accepted, fixture_patience()), TUTTI_OK);
    assert_int_equal(send_text(accepted, "welcome"), TUTTI_OK);
    expect_text(next, "welcome");
    os_link_close(accepted);
    os_link_close(next);
}

struct visitor {
    struct os_thread *thread;
    uint32_t number;
    uint32_t answer;
    enum tutti_status connected, sent, received;
};

static void
visit(void *arg)
{
    struct visitor *visitor = arg;
    struct os_link *link = NULL;
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes = 0;
    visitor->connected = os_link_connect(&link, fixture_patience());
    if (visitor->connected != TUTTI_OK) {
        return;
    }
    visitor->sent =
        os_link_send(link, &visitor->number, sizeof(visitor->number), NULL, 0, fixture_patience());
    visitor->received = os_link_recv(link, &visitor->answer, sizeof(visitor->answer), &bytes,
                                     handles, fixture_patience());
    os_link_close(link);
}

static void
a_crowd_connects_at_once(void **state)
{
    static struct visitor visitors[CROWD];
    struct os_listener *listener = NULL;
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    for (uint32_t i = 0; i < CROWD; i++) {
        visitors[i] = (struct visitor){.number = i, .connected = TUTTI_TIMEOUT};
        assert_int_equal(os_thread_start(&visitors[i].thread, "test-visit", OS_PRIORITY_NORMAL,
                                         visit, &visitors[i]),
                         TUTTI_OK);
    }
    for (int i = 0; i < CROWD; i++) {
        struct os_link *link = NULL;
        uint32_t number = 0;
        assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
        assert_int_equal(receive(link, (char *)&number, sizeof(number), NULL), TUTTI_OK);
        number += 1000;
        assert_int_equal(os_link_send(link, &number, sizeof(number), NULL, 0, fixture_patience()),
                         TUTTI_OK);
        os_link_close(link);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        os_thread_join(visitors[i].thread);
        assert_int_equal(visitors[i].connected, TUTTI_OK);
        assert_int_equal(visitors[i].sent, TUTTI_OK);
        assert_int_equal(visitors[i].received, TUTTI_OK);
        assert_int_equal(visitors[i].answer, i + 1000);
    }
    os_listener_close(listener);
}

/* ---- messages ---- */

static void
messages_arrive_whole_and_in_order_in_both_directions(void **state)
{
    struct ends *ends = *state;
    assert_int_equal(send_text(ends->program, "one"), TUTTI_OK);
    assert_int_equal(send_text(ends->program, "twenty-two"), TUTTI_OK);
    assert_int_equal(send_text(ends->engine, "back"), TUTTI_OK);
    expect_text(ends->engine, "one");
    expect_text(ends->engine, "twenty-two");
    expect_text(ends->program, "back");
}

static void
the_longest_message_fits_and_a_longer_one_is_not_sent(void **state)
{
    struct ends *ends = *state;
    static unsigned char sent[OS_LINK_MAX_MESSAGE_BYTES + 1], got[OS_LINK_MAX_MESSAGE_BYTES];
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof(sent); i++) {
        sent[i] = (unsigned char)(i * 31 + i / 251);
    }
    assert_int_equal(os_link_send(ends->program, sent, sizeof(got), NULL, 0, fixture_patience()),
                     TUTTI_OK);
    assert_int_equal(
        os_link_recv(ends->engine, got, sizeof(got), &bytes, handles, fixture_patience()),
        TUTTI_OK);
    assert_int_equal(bytes, sizeof(got));
    assert_memory_equal(sent, got, sizeof(got));

    assert_int_equal(os_link_send(ends->program, sent, sizeof(sent), NULL, 0, fixture_patience()),
                     TUTTI_INVALID_ARGUMENT);
    assert_int_equal(os_link_send(ends->program, sent, 0, NULL, 0, fixture_patience()),
                     TUTTI_INVALID_ARGUMENT);
    const os_handle none[OS_LINK_MAX_HANDLES + 1] = {OS_NO_HANDLE, OS_NO_HANDLE, OS_NO_HANDLE,
                                                     OS_NO_HANDLE, OS_NO_HANDLE};
    assert_int_equal(
        os_link_send(ends->program, sent, 1, none, OS_LINK_MAX_HANDLES + 1, fixture_patience()),
        TUTTI_INVALID_ARGUMENT);
}

static void
receiving_ends_at_the_deadline_and_loses_nothing(void **state)
{
    struct ends *ends = *state;
    char text[16] = "untouched";
    size_t bytes = 99;
    os_handle handles[OS_LINK_MAX_HANDLES];
    assert_int_equal(os_link_recv(ends->engine, text, sizeof(text), &bytes, handles, 0),
                     TUTTI_TIMEOUT);
    assert_int_equal(
        os_link_recv(ends->engine, text, sizeof(text), &bytes, handles, fixture_in_ms(3)),
        TUTTI_TIMEOUT);
    assert_string_equal(text, "untouched");
    assert_int_equal(bytes, 99);
    assert_int_equal(send_text(ends->program, "late"), TUTTI_OK);
    expect_text(ends->engine, "late");
}

static void
a_message_longer_than_the_room_ends_the_link(void **state)
{
    struct ends *ends = *state;
    char text[4];
    assert_int_equal(send_text(ends->program, "too long"), TUTTI_OK);
    assert_int_equal(receive(ends->engine, text, sizeof(text), NULL), TUTTI_PROTOCOL);
    expect_closed(ends->engine);
    expect_closed(ends->program);
}

struct sender {
    struct os_thread *thread;
    struct os_link *link;
    uint32_t number;
    enum tutti_status status;
};

static void
send_many(void *arg)
{
    struct sender *sender = arg;
    for (uint32_t i = 0; i < MESSAGES && sender->status == TUTTI_OK; i++) {
        const uint32_t message[2] = {sender->number, i};
        sender->status =
            os_link_send(sender->link, message, sizeof(message), NULL, 0, fixture_patience());
    }
}

static void
several_threads_send_without_mixing_messages(void **state)
{
    struct ends *ends = *state;
    struct sender senders[SENDERS];
    uint32_t next[SENDERS] = {0};
    for (uint32_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.link = ends->program, .number = i};
        assert_int_equal(os_thread_start(&senders[i].thread, "test-send", OS_PRIORITY_NORMAL,
                                         send_many, &senders[i]),
                         TUTTI_OK);
    }
    for (int i = 0; i < SENDERS * MESSAGES; i++) {
        uint32_t message[2] = {SENDERS, 0};
        assert_int_equal(receive(ends->engine, (char *)message, sizeof(message), NULL), TUTTI_OK);
        assert_in_range(message[0], 0, SENDERS - 1);
        assert_int_equal(message[1], next[message[0]]++);
    }
    for (int i = 0; i < SENDERS; i++) {
        os_thread_join(senders[i].thread);
        assert_int_equal(senders[i].status, TUTTI_OK);
    }
}

static void
sending_to_a_peer_that_does_not_read_times_out(void **state)
{
    struct ends *ends = *state;
    static unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
    enum tutti_status status = TUTTI_OK;
    unsigned sent = 0;
    while (sent < 1000) {
        message[0] = (unsigned char)sent;
        status = os_link_send(ends->program, message, sizeof(message), NULL, 0, fixture_in_ms(2));
        if (status != TUTTI_OK) {
            break;
        }
        sent++;
    }
    assert_int_equal(status, TUTTI_TIMEOUT);
    assert_true(sent > 0);
    for (unsigned i = 0; i < sent; i++) {
        assert_int_equal(receive(ends->engine, (char *)message, sizeof(message), NULL), TUTTI_OK);
        assert_int_equal(message[0], (unsigned char)i);
    }
    assert_int_equal(send_text(ends->program, "again"), TUTTI_OK);
    expect_text(ends->engine, "again");
}

/* ---- handles ---- */

static void
handles_arrive_at_their_positions(void **state)
{
    struct ends *ends = *state;
    struct os_shm one = {0}, three = {0}, got = {0};
    os_handle handles[OS_LINK_MAX_HANDLES];
    char text[16];
    assert_int_equal(os_shm_create(&one, 65536), TUTTI_OK);
    assert_int_equal(os_shm_create(&three, 131072), TUTTI_OK);
    memcpy(one.base, "one", 4);
    memcpy(three.base, "three", 6);
    const os_handle sent[] = {OS_NO_HANDLE, one.handle, OS_NO_HANDLE, three.handle};
    assert_int_equal(os_link_send(ends->program, "hi", 3, sent, 4, fixture_patience()), TUTTI_OK);
    assert_int_equal(receive(ends->engine, text, sizeof(text), handles), TUTTI_OK);
    assert_true(handles[0] == OS_NO_HANDLE);
    assert_true(handles[2] == OS_NO_HANDLE);

    assert_int_equal(os_shm_adopt(&got, handles[3], 131072), TUTTI_OK);
    assert_true(got.base != three.base);
    assert_string_equal(got.base, "three");
    memcpy(got.base, "3", 2);
    assert_string_equal(three.base, "3");
    os_shm_close(&got);
    assert_int_equal(os_shm_adopt(&got, handles[1], 65536), TUTTI_OK);
    os_shm_close(&one); /* the duplicate lives on */
    assert_string_equal(got.base, "one");
    os_shm_close(&got);
    os_shm_close(&three);

    handles[0] = 0;
    assert_int_equal(send_text(ends->program, "bare"), TUTTI_OK);
    assert_int_equal(receive(ends->engine, text, sizeof(text), handles), TUTTI_OK);
    for (int i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        assert_true(handles[i] == OS_NO_HANDLE);
    }
}

static void
memory_smaller_than_announced_is_refused(void **state)
{
    struct ends *ends = *state;
    struct os_shm shm = {0}, got = {0};
    os_handle handles[OS_LINK_MAX_HANDLES];
    char text[16];
    assert_int_equal(os_shm_create(&shm, 65536), TUTTI_OK);
    assert_int_equal(os_link_send(ends->program, "hi", 3, &shm.handle, 1, fixture_patience()),
                     TUTTI_OK);
    assert_int_equal(receive(ends->engine, text, sizeof(text), handles), TUTTI_OK);
    assert_int_equal(os_shm_adopt(&got, handles[0], 131072), TUTTI_PROTOCOL);
    assert_null(got.base);
    os_shm_close(&shm);
}

static void
what_is_no_memory_is_refused_and_what_is_no_event_too(void **state)
{
    struct ends *ends = *state;
    _Atomic uint32_t word = 0;
    struct os_wake wake, adopted;
    struct os_shm shm = {0}, got = {0};
    os_handle handles[OS_LINK_MAX_HANDLES];
    char text[16];
    assert_int_equal(os_wake_init(&wake, &word), TUTTI_OK);
    assert_int_equal(os_shm_create(&shm, 65536), TUTTI_OK);
    const os_handle sent[] = {wake.event, shm.handle, wake.event};
    assert_int_equal(os_link_send(ends->program, "hi", 3, sent, 3, fixture_patience()), TUTTI_OK);
    assert_int_equal(receive(ends->engine, text, sizeof(text), handles), TUTTI_OK);
    assert_int_equal(os_shm_adopt(&got, handles[0], 65536), TUTTI_PROTOCOL);
    assert_null(got.base);
    assert_int_equal(os_wake_adopt(&adopted, &word, handles[1]), TUTTI_PROTOCOL);
    assert_int_equal(os_wake_adopt(&adopted, &word, handles[2]), TUTTI_OK);
    os_wake_post(&adopted);
    assert_true(os_wake_wait(&wake, 0, UINT64_MAX));
    os_wake_fini(&adopted);
    os_wake_fini(&wake);
    os_shm_close(&shm);
}

/* ---- ending ---- */

struct waiter {
    struct os_link *link;
    enum tutti_status status;
};

static void
receive_for_ever(void *arg)
{
    struct waiter *waiter = arg;
    os_handle handles[OS_LINK_MAX_HANDLES];
    char text[16];
    size_t bytes;
    waiter->status = os_link_recv(waiter->link, text, sizeof(text), &bytes, handles, UINT64_MAX);
}

static struct os_thread *
start_waiting(struct waiter *waiter, struct os_link *link)
{
    struct os_thread *thread = NULL;
    *waiter = (struct waiter){.link = link};
    assert_int_equal(
        os_thread_start(&thread, "test-recv", OS_PRIORITY_NORMAL, receive_for_ever, waiter),
        TUTTI_OK);
    assert_false(os_thread_join_until(thread, fixture_in_ms(2)));
    return thread;
}

static void
shutting_down_releases_both_sides(void **state)
{
    struct ends *ends = *state;
    struct waiter here, there;
    struct os_thread *first = start_waiting(&here, ends->engine);
    struct os_thread *second = start_waiting(&there, ends->program);
    os_link_shutdown(ends->engine);
    assert_true(os_thread_join_until(first, fixture_patience()));
    assert_true(os_thread_join_until(second, fixture_patience()));
    assert_int_equal(here.status, TUTTI_CLOSED);
    assert_int_equal(there.status, TUTTI_CLOSED);
    os_link_shutdown(ends->engine);
    assert_int_equal(send_text(ends->engine, "more"), TUTTI_CLOSED);
    assert_int_equal(send_text(ends->program, "more"), TUTTI_CLOSED);
    expect_closed(ends->engine);
}

static void
last_words_arrive_after_the_sender_closed(void **state)
{
    struct ends *ends = *state;
    assert_int_equal(send_text(ends->program, "never read"), TUTTI_OK);
    assert_int_equal(send_text(ends->engine, "good"), TUTTI_OK);
    assert_int_equal(send_text(ends->engine, "bye"), TUTTI_OK);
    os_link_close(ends->engine);
    ends->engine = NULL;
    expect_text(ends->program, "good");
    expect_text(ends->program, "bye");
    expect_closed(ends->program);
    expect_closed(ends->program);
    assert_int_equal(send_text(ends->program, "anybody?"), TUTTI_CLOSED);
}

static void
send_until_it_fails(void *arg)
{
    struct waiter *waiter = arg;
    static const unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
    do {
        waiter->status = os_link_send(waiter->link, message, sizeof(message), NULL, 0, UINT64_MAX);
    } while (waiter->status == TUTTI_OK);
}

static void
a_peer_that_closes_releases_a_waiting_send(void **state)
{
    struct ends *ends = *state;
    struct waiter waiter = {.link = ends->program};
    struct os_thread *thread = NULL;
    assert_int_equal(
        os_thread_start(&thread, "test-send", OS_PRIORITY_NORMAL, send_until_it_fails, &waiter),
        TUTTI_OK);
    assert_false(os_thread_join_until(thread, fixture_in_ms(5)));
    os_link_close(ends->engine);
    ends->engine = NULL;
    assert_true(os_thread_join_until(thread, fixture_patience()));
    assert_int_equal(waiter.status, TUTTI_CLOSED);
}

#define WITH_ENDS(test) cmocka_unit_test_setup_teardown(test, open_ends, close_ends)

int
main(void)
{
    fixture_use_own_runtime_dir("run");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_listening_is_told_at_once),
        cmocka_unit_test(accepting_ends_at_the_deadline_or_when_woken),
        cmocka_unit_test(waking_releases_an_accept_in_another_thread),
        WITH_ENDS(both_sides_know_the_others_process),
        WITH_ENDS(a_client_that_left_before_accept_does_not_harm),
        cmocka_unit_test(a_crowd_connects_at_once),
        WITH_ENDS(messages_arrive_whole_and_in_order_in_both_directions),
        WITH_ENDS(the_longest_message_fits_and_a_longer_one_is_not_sent),
        WITH_ENDS(receiving_ends_at_the_deadline_and_loses_nothing),
        WITH_ENDS(a_message_longer_than_the_room_ends_the_link),
        WITH_ENDS(several_threads_send_without_mixing_messages),
        WITH_ENDS(sending_to_a_peer_that_does_not_read_times_out),
        WITH_ENDS(handles_arrive_at_their_positions),
        WITH_ENDS(memory_smaller_than_announced_is_refused),
        WITH_ENDS(what_is_no_memory_is_refused_and_what_is_no_event_too),
        WITH_ENDS(shutting_down_releases_both_sides),
        WITH_ENDS(last_words_arrive_after_the_sender_closed),
        WITH_ENDS(a_peer_that_closes_releases_a_waiting_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
