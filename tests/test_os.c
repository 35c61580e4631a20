/* SPDX-License-Identifier: MIT */
/* The operating system's services within one process: time, threads, memory, wake-ups, locks,
 * environment. */
#include "os_fixture.h"

enum { THREADS = 4, ROUNDS = 5000, PINGS = 200 };

/* ---- time ---- */

static void
time_does_not_go_backward(void **state)
{
    uint64_t before = os_now_ns();
    assert_true(before > 0);
    for (int i = 0; i < 10000; i++) {
        const uint64_t now = os_now_ns();
        assert_true(now >= before);
        before = now;
    }
}

static void
sleeping_ends_after_the_deadline_and_not_before(void **state)
{
    const uint64_t deadline = fixture_in_ms(3);
    os_sleep_until_ns(deadline);
    assert_true(os_now_ns() >= deadline);
    os_sleep_until_ns(0); /* long past: returns */
}

/* ---- threads ---- */

struct gate {
    struct os_mutex mutex;
    struct os_cond cond;
    bool open;
    uint32_t thread_id;
    unsigned count;
};

static void
gate_init(struct gate *gate)
{
    memset(gate, 0, sizeof(*gate));
    os_mutex_init(&gate->mutex);
    os_cond_init(&gate->cond);
}

static void
gate_fini(struct gate *gate)
{
    os_cond_fini(&gate->cond);
    os_mutex_fini(&gate->mutex);
}

static void
gate_open(struct gate *gate)
{
    os_mutex_lock(&gate->mutex);
    gate->open = true;
    os_cond_signal_all(&gate->cond);
    os_mutex_unlock(&gate->mutex);
}

static void
pass_the_gate(void *arg)
{
    struct gate *gate = arg;
    os_mutex_lock(&gate->mutex);
    gate->thread_id = os_thread_id();
    while (!gate->open) {
        os_cond_wait_until(&gate->cond, &gate->mutex, UINT64_MAX);
    }
    gate->count++;
    os_mutex_unlock(&gate->mutex);
}

static void
joining_waits_for_the_end_or_the_deadline(void **state)
{
    struct gate gate;
    struct os_thread *thread = NULL;
    gate_init(&gate);
    assert_int_equal(
        os_thread_start(&thread, "test-gate", OS_PRIORITY_NORMAL, pass_the_gate, &gate), TUTTI_OK);
    assert_false(os_thread_join_until(thread, fixture_in_ms(2)));
    gate_open(&gate);
    assert_true(os_thread_join_until(thread, fixture_patience()));
    assert_int_equal(gate.count, 1);
    assert_int_not_equal(gate.thread_id, os_thread_id());
    os_thread_join(NULL);
    gate_fini(&gate);
}

static void
threads_run_at_every_priority_allowed_or_not(void **state)
{
    static const enum os_priority all[] = {OS_PRIORITY_NORMAL, OS_PRIORITY_PROGRAM,
                                           OS_PRIORITY_ENGINE};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct gate gate;
        struct os_thread *thread = NULL;
        gate_init(&gate);
        gate.open = true;
        assert_int_equal(os_thread_start(&thread, "test-priority-with-a-long-name", all[i],
                                         pass_the_gate, &gate),
                         TUTTI_OK);
        os_thread_join(thread);
        assert_int_equal(gate.count, 1);
        gate_fini(&gate);
    }
}

static void
add_up(void *arg)
{
    struct gate *gate = arg;
    for (int i = 0; i < ROUNDS; i++) {
        os_mutex_lock(&gate->mutex);
        gate->count++;
        os_mutex_unlock(&gate->mutex);
    }
}

static void
a_mutex_keeps_threads_apart(void **state)
{
    struct gate gate;
    struct os_thread *threads[THREADS];
    gate_init(&gate);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(
            os_thread_start(&threads[i], "test-add", OS_PRIORITY_NORMAL, add_up, &gate), TUTTI_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        os_thread_join(threads[i]);
    }
    assert_int_equal(gate.count, THREADS * ROUNDS);
    gate_fini(&gate);
}

static void
waiting_for_a_condition_ends_at_the_deadline(void **state)
{
    struct gate gate;
    const uint64_t deadline = fixture_in_ms(3);
    gate_init(&gate);
    os_mutex_lock(&gate.mutex);
    while (os_cond_wait_until(&gate.cond, &gate.mutex, deadline)) {
        continue; /* woken for nothing */
    }
    os_mutex_unlock(&gate.mutex);
    assert_true(os_now_ns() >= deadline);
    gate_fini(&gate);
}

static void
a_process_has_its_own_threads_and_no_others(void **state)
{
    assert_true(os_process_has_thread(os_process_id(), os_thread_id()));
    assert_false(os_process_has_thread(1, os_thread_id()));
    assert_false(os_process_has_thread(os_process_id(), 0));
    assert_false(os_process_has_thread(0, 0));
    struct os_thread_level former;
    assert_true(os_thread_demote(os_process_id(), os_thread_id(), &former));
    assert_true(os_thread_restore(os_process_id(), os_thread_id(), &former));
    assert_false(os_thread_demote(os_process_id(), 0, &former));
    assert_false(os_thread_restore(os_process_id(), 0, &former));
}

static _Atomic uint32_t computing_thread;
static atomic_bool ends;

static void
compute(void *arg)
{
    (void)arg;
    atomic_store(&computing_thread, os_thread_id());
    while (!atomic_load(&ends)) {
        continue;
    }
}

static void
processor_time_is_each_threads_own(void **state)
{
    struct os_thread *thread;
    const uint64_t deadline = fixture_in_ms(20000);
    const os_handle mine = os_thread_time_open(os_process_id(), os_thread_id());
    assert_int_equal(os_thread_start(&thread, "computes", OS_PRIORITY_NORMAL, compute, NULL),
                     TUTTI_OK);
    while (!atomic_load(&computing_thread)) {
        os_sleep_until_ns(fixture_in_ms(1));
    }
    const os_handle its = os_thread_time_open(os_process_id(), atomic_load(&computing_thread));
    assert_true(mine != OS_NO_HANDLE && its != OS_NO_HANDLE);
    const uint64_t before = os_thread_time_ns(mine), its_before = os_thread_time_ns(its);
    while (os_thread_time_ns(its) < its_before + 200 * OS_NS_PER_MS) {
        assert_true(os_now_ns() < deadline);
        os_sleep_until_ns(fixture_in_ms(20));
    }
    assert_true(os_thread_time_ns(mine) < before + 100 * OS_NS_PER_MS);
    atomic_store(&ends, true);
    os_thread_join(thread);
    os_handle_close(mine);
    os_handle_close(its);
    assert_true(os_thread_time_open(os_process_id(), 0) == OS_NO_HANDLE);
    assert_true(os_thread_time_open(1, os_thread_id()) == OS_NO_HANDLE);
    assert_true(os_thread_time_ns(OS_NO_HANDLE) == 0);
    assert_true(os_process_realtime_cpu_ns(0) == 0);
}

static void
halve_the_smallest(void *arg)
{
    volatile float *number = arg;
    os_thread_flush_denormals();
    *number = *number * 0.5f;
}

static void
denormals_are_flushed_on_the_thread_that_asked(void **state)
{
    volatile float smallest = 1.17549435e-38f;
    volatile float here = smallest;
    struct os_thread *thread = NULL;
    assert_int_equal(os_thread_start(&thread, "test-flush", OS_PRIORITY_NORMAL, halve_the_smallest,
                                     (void *)&smallest),
                     TUTTI_OK);
    os_thread_join(thread);
    here = here * 0.5f;
    assert_true(smallest == 0.0f);
    assert_true(here > 0.0f);
}

/* ---- shared memory ---- */

static void
new_shared_memory_is_zeroed_and_writable_to_its_end(void **state)
{
    struct os_shm shm = {0};
    const size_t size = 3 * 65536;
    assert_int_equal(os_shm_create(&shm, size), TUTTI_OK);
    assert_int_equal(shm.size_bytes, size);
    assert_int_equal((uintptr_t)shm.base % 4096, 0);
    unsigned char *bytes = shm.base;
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], 0);
    }
    memset(bytes, 0xa5, size);
    os_shm_close(&shm);
    assert_null(shm.base);
    os_shm_close(&shm);
}

static void
no_handle_is_no_shared_memory(void **state)
{
    struct os_shm shm = {0};
    assert_int_equal(os_shm_adopt(&shm, OS_NO_HANDLE, 4096), TUTTI_PROTOCOL);
    assert_null(shm.base);
    os_handle_close(OS_NO_HANDLE);
}

/* ---- wake-ups ---- */

static void
a_post_before_the_wait_is_not_lost(void **state)
{
    _Atomic uint32_t word = 7;
    struct os_wake wake;
    assert_int_equal(os_wake_init(&wake, &word), TUTTI_OK);
    os_wake_post(&wake);
    assert_int_equal(atomic_load(&word), 8);
    assert_true(os_wake_wait(&wake, 7, UINT64_MAX));
    os_wake_fini(&wake);
}

static void
wait_for_nothing(unsigned ms)
{
    _Atomic uint32_t word = 0;
    struct os_wake wake;
    const uint64_t deadline = fixture_in_ms(ms);
    assert_int_equal(os_wake_init(&wake, &word), TUTTI_OK);
    do {
        assert_false(os_wake_wait(&wake, 0, deadline));
    } while (os_now_ns() < deadline);
    os_wake_fini(&wake);
}

static void
waiting_without_a_post_ends_at_the_deadline(void **state)
{
    wait_for_nothing(0);
    wait_for_nothing(3);
    wait_for_nothing(70); /* Windows waits for far deadlines in another way */
}

struct court {
    _Atomic uint32_t words[2];
    struct os_wake wakes[2];
};

static void
play_back(void *arg)
{
    struct court *court = arg;
    for (uint32_t i = 0; i < PINGS; i++) {
        while (!os_wake_wait(&court->wakes[0], i, UINT64_MAX)) {
            continue;
        }
        os_wake_post(&court->wakes[1]);
    }
}

static void
two_threads_wake_each_other_in_turn(void **state)
{
    struct court court;
    struct os_thread *thread = NULL;
    memset(&court, 0, sizeof(court));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(os_wake_init(&court.wakes[i], &court.words[i]), TUTTI_OK);
    }
    assert_int_equal(os_thread_start(&thread, "test-ping", OS_PRIORITY_NORMAL, play_back, &court),
                     TUTTI_OK);
    for (uint32_t i = 0; i < PINGS; i++) {
        const uint64_t deadline = fixture_patience();
        os_wake_post(&court.wakes[0]);
        while (!os_wake_wait(&court.wakes[1], i, deadline)) {
            assert_true(os_now_ns() < deadline);
        }
    }
    os_thread_join(thread);
    assert_int_equal(atomic_load(&court.words[0]), PINGS);
    assert_int_equal(atomic_load(&court.words[1]), PINGS);
    for (int i = 0; i < 2; i++) {
        os_wake_fini(&court.wakes[i]);
    }
}

/* ---- locks ---- */

static void
a_lock_excludes_its_own_process_too(void **state)
{
    struct os_lock *first = NULL, *second = NULL, *other = NULL;
    assert_int_equal(os_lock_take(&first, "test", 0), TUTTI_OK);
    assert_int_equal(os_lock_take(&second, "test", 0), TUTTI_TIMEOUT);
    assert_int_equal(os_lock_take(&second, "test", fixture_in_ms(3)), TUTTI_TIMEOUT);
    assert_null(second);
    assert_int_equal(os_lock_take(&other, "test-other", 0), TUTTI_OK);
    os_lock_release(first);
    assert_int_equal(os_lock_take(&second, "test", fixture_patience()), TUTTI_OK);
    os_lock_release(second);
    os_lock_release(other);
}

struct taker {
    struct os_lock *lock;
    enum tutti_status status;
    _Atomic uint32_t *inside;
    _Atomic uint32_t *most;
};

static void
take_for_a_moment(void *arg)
{
    struct taker *taker = arg;
    taker->status = os_lock_take(&taker->lock, "test-crowd", fixture_patience());
    if (taker->status != TUTTI_OK) {
        return;
    }
    const uint32_t now = atomic_fetch_add(taker->inside, 1) + 1;
    if (now > atomic_load(taker->most)) {
        atomic_store(taker->most, now);
    }
    atomic_fetch_sub(taker->inside, 1);
    os_lock_release(taker->lock);
}

static void
a_crowd_takes_a_lock_one_after_the_other(void **state)
{
    _Atomic uint32_t inside = 0, most = 0;
    struct taker takers[THREADS];
    struct os_thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        takers[i] = (struct taker){.inside = &inside, .most = &most};
        assert_int_equal(os_thread_start(&threads[i], "test-take", OS_PRIORITY_NORMAL,
                                         take_for_a_moment, &takers[i]),
                         TUTTI_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        os_thread_join(threads[i]);
        assert_int_equal(takers[i].status, TUTTI_OK);
    }
    assert_int_equal(most, 1);
}

static void
release_it(void *arg)
{
    os_lock_release(arg);
}

static void
any_thread_may_release_a_lock(void **state)
{
    struct os_lock *lock = NULL;
    struct os_thread *thread = NULL;
    assert_int_equal(os_lock_take(&lock, "test-hand", 0), TUTTI_OK);
    assert_int_equal(os_thread_start(&thread, "test-release", OS_PRIORITY_NORMAL, release_it, lock),
                     TUTTI_OK);
    assert_int_equal(os_lock_take(&lock, "test-hand", fixture_patience()), TUTTI_OK);
    os_thread_join(thread);
    os_lock_release(lock);
}

/* ---- environment, folder, process ---- */

static void
the_environment_is_read_as_it_was_set(void **state)
{
    static char setting[] = "TUTTI_TEST_VALUE=four";
    char value[16] = "untouched";
    assert_false(os_getenv("TUTTI_TEST_NOBODY_SETS_THIS", value, sizeof(value)));
    assert_string_equal(value, "untouched");
    putenv(setting);
    assert_false(os_getenv("TUTTI_TEST_VALUE", value, 4));
    assert_true(os_getenv("TUTTI_TEST_VALUE", value, 5));
    assert_string_equal(value, "four");
}

static void
the_runtime_folder_is_made_and_found_again(void **state)
{
    char first[4096], second[4096], file[4200], small[4];
    assert_int_equal(os_runtime_dir(first, sizeof(first)), TUTTI_OK);
    assert_int_equal(os_runtime_dir(second, sizeof(second)), TUTTI_OK);
    assert_string_equal(first, second);
    assert_int_not_equal(os_runtime_dir(small, sizeof(small)), TUTTI_OK);
    snprintf(file, sizeof(file), "%s/probe", first);
    FILE *probe = fopen(file, "w");
    assert_non_null(probe);
    fclose(probe);
    assert_int_equal(remove(file), 0);
}

static void
a_runtime_folder_that_is_none_is_refused(void **state)
{
    static char relative[] = "TUTTI_RUNTIME_DIR=here";
    static char file[4200];
    char module[4000], path[4096] = "untouched";
    putenv(relative);
    assert_int_equal(os_runtime_dir(path, sizeof(path)), TUTTI_REFUSED);
    assert_int_equal(os_module_path(module, sizeof(module)), TUTTI_OK);
    snprintf(file, sizeof(file), "TUTTI_RUNTIME_DIR=%s", module);
    putenv(file);
    assert_int_equal(os_runtime_dir(path, sizeof(path)), TUTTI_REFUSED);
    assert_string_equal(path, "untouched");
    fixture_use_own_runtime_dir("run");
}

static void
the_module_knows_its_own_path(void **state)
{
    char path[4096], small[4] = "abc";
    assert_int_equal(os_module_path(path, sizeof(path)), TUTTI_OK);
    assert_non_null(strstr(path, "test_os"));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(os_module_path(small, sizeof(small)), TUTTI_IO);
    assert_string_equal(small, "abc");
}

static void
a_process_of_another_name_is_not_killed(void **state)
{
    assert_true(os_process_alive(os_process_id()));
    assert_false(os_process_kill(os_process_id(), "tuttid"));
    assert_false(os_process_alive(0));
    assert_false(os_process_alive(0x7ffffff1));
    assert_true(os_process_kill(0x7ffffff1, "tuttid")); /* gone is gone */
}

int
main(void)
{
    fixture_use_own_runtime_dir("run");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_does_not_go_backward),
        cmocka_unit_test(sleeping_ends_after_the_deadline_and_not_before),
        cmocka_unit_test(joining_waits_for_the_end_or_the_deadline),
        cmocka_unit_test(threads_run_at_every_priority_allowed_or_not),
        cmocka_unit_test(a_mutex_keeps_threads_apart),
        cmocka_unit_test(waiting_for_a_condition_ends_at_the_deadline),
        cmocka_unit_test(a_process_has_its_own_threads_and_no_others),
        cmocka_unit_test(processor_time_is_each_threads_own),
        cmocka_unit_test(denormals_are_flushed_on_the_thread_that_asked),
        cmocka_unit_test(new_shared_memory_is_zeroed_and_writable_to_its_end),
        cmocka_unit_test(no_handle_is_no_shared_memory),
        cmocka_unit_test(a_post_before_the_wait_is_not_lost),
        cmocka_unit_test(waiting_without_a_post_ends_at_the_deadline),
        cmocka_unit_test(two_threads_wake_each_other_in_turn),
        cmocka_unit_test(a_lock_excludes_its_own_process_too),
        cmocka_unit_test(a_crowd_takes_a_lock_one_after_the_other),
        cmocka_unit_test(any_thread_may_release_a_lock),
        cmocka_unit_test(the_environment_is_read_as_it_was_set),
        cmocka_unit_test(the_runtime_folder_is_made_and_found_again),
        cmocka_unit_test(a_runtime_folder_that_is_none_is_refused),
        cmocka_unit_test(the_module_knows_its_own_path),
        cmocka_unit_test(a_process_of_another_name_is_not_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
