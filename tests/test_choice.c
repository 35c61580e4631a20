/* SPDX-License-Identifier: MIT */
/* Which backend "auto" takes: here are two that fail as the test says, and the virtual card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static enum tutti_status first_answer, second_answer;
static unsigned second_listed, second_tried;

/* ---- two backends in place of the build's ---- */

static enum tutti_status
fake_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    (void)config;
    (void)devices;
    *count = 0;
    return TUTTI_OK;
}

static enum tutti_status
second_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    (void)config;
    (void)devices;
    *count = second_listed;
    return TUTTI_OK;
}

static enum tutti_status
first_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
           struct backend_stream **streams, unsigned *count, char error[256])
{
    (void)request;
    (void)callbacks;
    (void)streams;
    (void)count;
    snprintf(error, 256, "the first one says %s", tutti_status_name(first_answer));
    return first_answer;
}

static enum tutti_status
second_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
            struct backend_stream **streams, unsigned *count, char error[256])
{
    second_tried++;
    if (second_answer == TUTTI_OK) {
        return backend_sim.open(request, callbacks, streams, count, error);
    }
    snprintf(error, 256, "the second one says %s", tutti_status_name(second_answer));
    return second_answer;
}

static const struct backend first = {
    .name = "first", .description = "a device", .list = fake_list, .open = first_open};

static struct backend second = {
    .name = "second", .description = "another device", .list = fake_list};

const struct backend *const backends[] = {&first, &second, &backend_sim, NULL};

const struct backend *
backend_find(const char *name)
{
    for (unsigned i = 0; backends[i]; i++) {
        if (strcmp(backends[i]->name, name) == 0) {
            return backends[i];
        }
    }
    return NULL;
}

/* ---- cases ---- */

static enum tutti_status
join_with(enum tutti_status one, enum tutti_status two)
{
    struct proto_channel channel = {.kind = PROTO_CHANNEL_DEVICE};
    first_answer = one;
    second_answer = two;
    enum tutti_status status = rig_try_join(&rig, &rig.program[0], 64, 1, &channel, 1, &channel, 0);
    rig.programs = status == TUTTI_OK;
    return status;
}

static struct proto_device
device(void)
{
    struct proto_device known;
    engine_get_device(rig.engine, "", &known);
    return known;
}

static void
without_any_device_the_virtual_card_is_taken(void **state)
{
    (void)state;
    assert_int_equal(join_with(TUTTI_NO_DEVICE, TUTTI_UNSUPPORTED), TUTTI_OK);
    assert_string_equal(device().backend, "sim");
}

static void
a_device_that_is_there_but_cannot_be_used_is_not_replaced_by_silence(void **state)
{
    static const enum tutti_status answers[] = {TUTTI_DEVICE_BUSY, TUTTI_REFUSED,
                                                TUTTI_DEVICE_FAILED, TUTTI_UNSUPPORTED_FORMAT};
    (void)state;
    for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        assert_int_equal(join_with(answers[i], TUTTI_NO_DEVICE), answers[i]);
        assert_non_null(strstr(rig.error, "the first one says"));
        assert_int_equal(join_with(TUTTI_NO_DEVICE, answers[i]), answers[i]);
        assert_non_null(strstr(rig.error, "the second one says"));
    }
    /* and once it can be used, it is */
    assert_int_equal(join_with(TUTTI_NO_DEVICE, TUTTI_OK), TUTTI_OK);
    assert_string_equal(device().backend, "second");
}

static void
another_device_takes_the_place_of_one_that_is_busy(void **state)
{
    (void)state;
    assert_int_equal(join_with(TUTTI_DEVICE_BUSY, TUTTI_OK), TUTTI_OK);
    assert_string_equal(device().backend, "second");
}

/* One program plays into the virtual card. */
static void
play_into_silence(void)
{
    second_listed = second_tried = 0;
    assert_int_equal(join_with(TUTTI_NO_DEVICE, TUTTI_NO_DEVICE), TUTTI_OK);
    assert_string_equal(device().backend, "sim");
    rig_start(&rig.program[0]);
    rig_steps(&rig, 100);
    second_tried = 0;
}

static struct proto_status_reply
status(void)
{
    struct proto_status_reply reply;
    engine_get_status(rig.engine, 0, &reply);
    return reply;
}

static void
the_virtual_card_is_left_when_a_device_appears(void **state)
{
    (void)state;
    play_into_silence();
    assert_non_null(strstr(status().problem, "nobody hears this"));
    second_listed = 1;
    second_answer = TUTTI_OK;
    rig_run_frames(&rig, 2 * 48000);
    assert_string_equal(device().backend, "second");
    assert_string_equal(status().problem, "");
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 1);
    assert_int_equal(rig.events[PROTO_EVENT_RATE], 1);
    assert_non_null(strstr(rig.last_event[PROTO_EVENT_RATE].text, "takes the place of the"));
    assert_true(rig.last_event[PROTO_EVENT_RATE].rate_hz == 48000);
    uint64_t blocks = rig.program[0].blocks;
    rig_run_frames(&rig, 4800);
    assert_true(rig.program[0].blocks >= blocks + 74);
}

static void
a_device_that_is_listed_and_does_not_open_disturbs_nobody(void **state)
{
    (void)state;
    play_into_silence();
    uint64_t jumps = rig.program[0].jumps;
    second_listed = 1;
    second_answer = TUTTI_DEVICE_BUSY;
    rig_run_frames(&rig, 20 * 48000);
    assert_in_range(second_tried, 2, 6); /* the more seldom, the longer it goes on */
    assert_int_equal(rig.program[0].jumps, jumps);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 0);
    assert_int_equal(status().reopenings, 0);
    assert_non_null(strstr(status().problem, "nobody hears this"));
}

static void
who_comes_after_the_device_plays_through_it_at_once(void **state)
{
    struct proto_channel channel = {.kind = PROTO_CHANNEL_DEVICE};
    (void)state;
    play_into_silence();
    second_listed = 1;
    second_answer = TUTTI_OK;
    /* beside one that plays */
    assert_int_equal(rig_try_join(&rig, &rig.program[1], 64, 1, &channel, 1, &channel, 0),
                     TUTTI_OK);
    rig.programs = 2;
    assert_string_equal(device().backend, "second");
    rig_steps(&rig, 10);
    rig_kill(&rig.program[0]);
    rig_kill(&rig.program[1]);
    rig_steps(&rig, 2);
}

static void
who_comes_after_another_left_chooses_again(void **state)
{
    (void)state;
    play_into_silence();
    rig_kill(&rig.program[0]);
    rig_steps(&rig, 2); /* the device stays open for a second */
    assert_int_equal(join_with(TUTTI_NO_DEVICE, TUTTI_OK), TUTTI_OK);
    assert_string_equal(device().backend, "second");
}

static int
begin(void **state)
{
    char problem[CONFIG_TEXT_BYTES];
    (void)state;
    second = backend_sim;
    second.name = "second";
    second.silent = false;
    second.list = second_list;
    second.open = second_open;
    rig_config(&rig);
    if (config_set(&rig.config, "device", "backend", "auto", problem) != TUTTI_OK) {
        return -1;
    }
    rig_open(&rig);
    return 0;
}

static int
finish(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_any_device_the_virtual_card_is_taken, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(
            a_device_that_is_there_but_cannot_be_used_is_not_replaced_by_silence, begin, finish),
        cmocka_unit_test_setup_teardown(another_device_takes_the_place_of_one_that_is_busy, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(the_virtual_card_is_left_when_a_device_appears, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_device_that_is_listed_and_does_not_open_disturbs_nobody,
                                        begin, finish),
        cmocka_unit_test_setup_teardown(who_comes_after_the_device_plays_through_it_at_once, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(who_comes_after_another_left_chooses_again, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
