/* SPDX-License-Identifier: MIT */
/*
 * libtutti in a host that has changed the state that it shares with its libraries: the host's
 * functions see what the host has set, and what libtutti computes does not depend on it.
 */
#include "client_fixture.h"
#include "host_float.h"

enum { FLOAT_BLOCKS = 8 };

static struct fake_engine fake;

/* Each call sees what the one before has left. */
static struct {
    struct tutti_client *client;
    struct host_float left, begun;
    _Atomic bool wrong;
    _Atomic unsigned blocks;
} floats;

static bool
same_float(const struct host_float *a, const struct host_float *b)
{
    return a->control == b->control && a->status == b->status && a->x87_control == b->x87_control &&
           a->x87_status == b->x87_status;
}

static void
process_with_traps(void *user, const struct tutti_block *block)
{
    const struct host_float now = host_float_get();
    (void)user;
    (void)block;
    if (atomic_load(&floats.blocks) == 0) {
        floats.begun = now;
    } else if (!same_float(&now, &floats.left)) {
        atomic_store(&floats.wrong, true);
    }
    /* by turns, so that each is met after each */
    floats.left = atomic_load(&floats.blocks) % 2 ? host_float_traps : host_float_all_traps;
    host_float_set(&floats.left);
    atomic_fetch_add(&floats.blocks, 1);
}

static void
await_float_blocks(unsigned count)
{
    const uint64_t deadline = in_ms(WAIT_MS);
    while (atomic_load(&floats.blocks) < count && os_now_ns() < deadline) {
        os_sleep_until_ns(in_ms(1));
    }
    assert_true(atomic_load(&floats.blocks) >= count);
}

static void
begin_floats(struct host *host)
{
    memset(&floats, 0, sizeof(floats));
    fake_engine_init(&fake, 1);
    fake_engine_start(&fake);
    host_open(host);
    struct tutti_stream_params params = *stream_of(host, FRAMES);
    params.process = process_with_traps;
    assert_int_equal(tutti_prepare(host->client, &params), TUTTI_OK);
}

static void
look_at_float(void *arg)
{
    *(struct host_float *)arg = host_float_get();
}

static struct host_float
float_of_a_thread(void)
{
    struct host_float found;
    struct os_thread *thread;
    assert_int_equal(os_thread_start(&thread, "fresh", OS_PRIORITY_NORMAL, look_at_float, &found),
                     TUTTI_OK);
    os_thread_join(thread);
    return found;
}

static void
the_callback_has_the_environment_that_it_left(void **state)
{
    struct host host;
    (void)state;
    begin_floats(&host);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    for (unsigned i = 0; i < FLOAT_BLOCKS; i++) {
        assert_true(fake_engine_call(&fake));
    }
    /* without an engine the thread computes the pace itself */
    fake_engine_kill(&fake);
    await_float_blocks(2 * FLOAT_BLOCKS);
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    host_close(&host);
    assert_false(atomic_load(&floats.wrong));
    /* the first one that of any thread that begins */
    const struct host_float fresh = float_of_a_thread();
    assert_true(same_float(&floats.begun, &fresh));
}

/* Nothing here computes with numbers between the two: this test's own code would trap. */
#define WITH_TRAPS(call)                                                                           \
    do {                                                                                           \
        host_float_set(&host_float_all_traps);                                                     \
        call;                                                                                      \
        assert_host_float(&host_float_all_traps);                                                  \
        host_float_set(&host_float_traps);                                                         \
        call;                                                                                      \
        assert_host_float(&host_float_traps);                                                      \
    } while (0)

static double
signalling_nan(void)
{
    const uint64_t bits = UINT64_C(0x7ff4000000000000);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void
functions_meet_what_traps_and_leave_all_as_it_was(void **state)
{
    struct tutti_device device;
    struct tutti_engine_status status;
    struct tutti_program_status *programs = NULL;
    struct tutti_device_entry *devices = NULL;
    struct tutti_block block;
    struct host host;
    char text[TUTTI_TEXT_BYTES];
    uint32_t count, input, output;
    float peak;
    volatile double odd = signalling_nan(), rate = 44100.0000001;
    (void)state;
    begin_floats(&host);
    WITH_TRAPS(tutti_get_device(host.client, &device));
    WITH_TRAPS(tutti_set_rate(host.client, odd));
    WITH_TRAPS(tutti_can_rate(host.client, odd, text));
    WITH_TRAPS(tutti_can_rate(host.client, rate, text));
    WITH_TRAPS(tutti_set_rate(host.client, rate));
    WITH_TRAPS(tutti_get_latencies(host.client, &input, &output));
    WITH_TRAPS(peak = tutti_take_peak(host.client, true, 0));
    WITH_TRAPS(tutti_get_status(host.client, &status, &programs); tutti_free(programs);
               programs = NULL);
    WITH_TRAPS(tutti_get_devices(host.client, &devices, &count); tutti_free(devices);
               devices = NULL);
    WITH_TRAPS(tutti_start(host.client));
    WITH_TRAPS(tutti_get_position(host.client, &block));
    WITH_TRAPS(tutti_block_ready(host.client));
    WITH_TRAPS(tutti_stop(host.client));
    WITH_TRAPS(tutti_dispose(host.client));
    (void)peak;
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
the_threads_begin_whatever_the_environment_of_the_opener(void **state)
{
    struct host host;
    (void)state;
    fake_engine_init(&fake, 2);
    fake_engine_start(&fake);
    host_float_set(&host_float_all_traps);
    host_open(&host);
    assert_host_float(&host_float_all_traps);
    fake_engine_tell(&fake, PROTO_EVENT_RATE, 44100000, 0, 0);
    await_event(&host, TUTTI_EVENT_RATE);
    host_close(&host);
    fake_engine_kill(&fake);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_callback_has_the_environment_that_it_left),
        cmocka_unit_test(functions_meet_what_traps_and_leave_all_as_it_was),
        cmocka_unit_test(the_threads_begin_whatever_the_environment_of_the_opener),
    };
    host_float_usual = host_float_get();
    use_own_folder(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
