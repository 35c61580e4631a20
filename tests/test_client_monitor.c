/* SPDX-License-Identifier: MIT */
/* libtutti: the direct monitor and meters as a program asks for them, and what each engine is told
 * of it; the engine is a fake one (fake_engine.h). */
#include <math.h>

#include "client_fixture.h"

static struct fake_engine fake, next;
static struct host host;

static void
begin(void)
{
    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
}

static void
end(struct fake_engine *engine)
{
    host_close(&host);
    fake_engine_kill(engine);
}

static const struct tutti_path two_paths[2] = {{0, 1, 1.0f}, {3, 200, 0.25f}};

static unsigned
monitors_seen(struct fake_engine *engine)
{
    os_mutex_lock(&engine->lock);
    unsigned seen = engine->monitors;
    os_mutex_unlock(&engine->lock);
    return seen;
}

static void
what_is_asked_is_told_at_once_while_prepared(void **state)
{
    float gains[TUTTI_MAX_CHANNELS];
    struct tutti_monitor monitor = {.path = two_paths, .paths = 2, .output_gain = gains};

    begin();
    for (unsigned c = 0; c < TUTTI_MAX_CHANNELS; c++) {
        gains[c] = (float)c / 16.0f;
    }
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(monitors_seen(&fake), 0); /* there is nothing to tell */
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_OK);
    assert_int_equal(monitors_seen(&fake), 1);
    assert_int_equal(fake.monitor.count, 2);
    assert_int_equal(fake.monitor.path[1].input, 3);
    assert_int_equal(fake.monitor.path[1].output, 200);
    assert_true(fake.monitor.path[1].gain == 0.25f);
    assert_true(fake.monitor.input_gain[255] == 1.0f);
    assert_true(fake.monitor.output_gain[32] == 2.0f);
    assert_int_equal(tutti_set_monitor(host.client, NULL), TUTTI_OK);
    assert_int_equal(monitors_seen(&fake), 2);
    assert_int_equal(fake.monitor.count, 0);
    assert_true(fake.monitor.output_gain[32] == 1.0f);
    end(&fake);
}

static void
what_is_asked_before_is_told_before_the_segment_is_shown(void **state)
{
    struct tutti_monitor monitor = {.path = two_paths, .paths = 2};

    begin();
    assert_int_equal(tutti_set_monitor(host.client, NULL), TUTTI_OK); /* off, and never on */
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_OK);
    assert_int_equal(monitors_seen(&fake), 0);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(fake.monitors_at_prepare, 1);
    assert_int_equal(fake.monitor.count, 2);
    end(&fake);
}

static void
each_engine_is_told_anew(void **state)
{
    struct tutti_monitor monitor = {.path = two_paths, .paths = 1};

    begin();
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_OK);
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    monitor.paths = 2; /* without an engine it is kept for the next one */
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_OK);
    fake_engine_init(&next, 12);
    fake_engine_start(&next);
    assert_true(fake_engine_await_prepares(&next, 1));
    assert_int_equal(next.monitors_at_prepare, 1);
    assert_int_equal(next.monitor.count, 2);
    await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    monitor.paths = 0;
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_OK);
    assert_int_equal(next.monitor.count, 0);
    end(&next);
}

static void
what_makes_no_sense_is_refused_and_told_to_nobody(void **state)
{
    static struct tutti_path many[TUTTI_MAX_PATHS + 1];
    float gains[TUTTI_MAX_CHANNELS] = {0};
    static const struct tutti_path wrong[] = {{256, 0, 1}, {0, 256, 1}, {0, 0, -1}, {0, 0, 16.5f}};
    struct tutti_monitor monitor = {.path = many, .paths = TUTTI_MAX_PATHS + 1};

    begin();
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_INVALID_ARGUMENT);
    monitor = (struct tutti_monitor){.paths = 1};
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_INVALID_ARGUMENT);
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        monitor.path = &wrong[i];
        assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_INVALID_ARGUMENT);
    }
    monitor = (struct tutti_monitor){.input_gain = gains};
    gains[255] = 17;
    assert_int_equal(tutti_set_monitor(host.client, &monitor), TUTTI_INVALID_ARGUMENT);
    assert_int_equal(monitors_seen(&fake), 0);
    end(&fake);
}

static void
put_peak(_Atomic uint32_t *to, float peak)
{
    uint32_t bits;

    memcpy(&bits, &peak, sizeof(bits));
    atomic_store(to, bits);
}

static void
a_peak_is_taken_once_and_asking_starts_the_measuring(void **state)
{
    begin();
    assert_true(tutti_take_peak(host.client, true, 0) == 0); /* nothing is prepared */
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    struct proto_segment *segment = fake.memory.base;
    assert_true(atomic_load(&segment->meters_until_ns) == 0);
    put_peak(&segment->input_peak[200], 0.5f);
    put_peak(&segment->output_peak[3], 1.0f);
    uint64_t before_ns = os_now_ns();
    assert_true(tutti_take_peak(host.client, true, 200) == 0.5f);
    assert_true(atomic_load(&segment->meters_until_ns) > before_ns);
    assert_true(tutti_take_peak(host.client, true, 200) == 0);
    assert_true(tutti_take_peak(host.client, false, 3) == 1.0f);
    assert_true(tutti_take_peak(host.client, false, 256) == 0);
    /* an engine may write anything there */
    put_peak(&segment->output_peak[3], (float)NAN);
    assert_true(tutti_take_peak(host.client, false, 3) == 0);
    assert_int_equal(tutti_dispose(host.client), TUTTI_OK);
    assert_true(tutti_take_peak(host.client, true, 200) == 0);
    end(&fake);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_is_told_at_once_while_prepared),
        cmocka_unit_test(what_is_asked_before_is_told_before_the_segment_is_shown),
        cmocka_unit_test(each_engine_is_told_anew),
        cmocka_unit_test(what_makes_no_sense_is_refused_and_told_to_nobody),
        cmocka_unit_test(a_peak_is_taken_once_and_asking_starts_the_measuring),
    };
    return cmocka_run_group_tests(tests, use_own_folder, NULL);
}
