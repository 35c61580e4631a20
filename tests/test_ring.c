/* SPDX-License-Identifier: MIT */
/* The ring between two threads: order, limits, both wraps, and records that nothing else protects
 * (for the thread sanitizer). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"
#include "os/os.h"

enum { CAPACITY = 8 };

struct record {
    uint32_t number, twice;
    uint8_t thrice;
};

static struct record storage[CAPACITY];
static struct ring ring;

static int
begin(void **state)
{
    (void)state;
    memset(storage, 0xee, sizeof(storage));
    ring_init(&ring, storage, sizeof(storage[0]), CAPACITY);
    return 0;
}

static struct record
record_of(uint32_t number)
{
    return (struct record){.number = number, .twice = 2 * number, .thrice = (uint8_t)(3 * number)};
}

static bool
is_record(const struct record *record, uint32_t number)
{
    struct record right = record_of(number);
    return record->number == right.number && record->twice == right.twice &&
           record->thrice == right.thrice;
}

static void
records_come_out_whole_and_in_order(void **state)
{
    struct record got;
    uint32_t put = 0, taken = 0;
    (void)state;
    assert_false(ring_get(&ring, &got));
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 1 + round % CAPACITY; i++) {
            struct record record = record_of(put++);
            assert_true(ring_put(&ring, &record));
        }
        while (ring_get(&ring, &got)) {
            assert_true(is_record(&got, taken++));
        }
    }
    assert_int_equal(put, taken);
}

static void
a_full_ring_takes_nothing_and_loses_nothing(void **state)
{
    struct record got, more = record_of(99);
    (void)state;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct record record = record_of(i);
        assert_false(ring_is_full(&ring));
        assert_int_equal(ring_writable(&ring), CAPACITY - i);
        assert_true(ring_put(&ring, &record));
        assert_int_equal(ring_readable(&ring), i + 1);
    }
    assert_true(ring_is_full(&ring));
    assert_false(ring_put(&ring, &more));
    for (uint32_t i = 0; i < CAPACITY; i++) {
        assert_true(ring_get(&ring, &got));
        assert_true(is_record(&got, i));
    }
    assert_int_equal(ring_readable(&ring), 0);
}

static void
many_records_at_once_cross_the_end_of_the_memory(void **state)
{
    struct record in[CAPACITY], out[CAPACITY];
    uint32_t put = 0, taken = 0;
    (void)state;
    for (uint32_t round = 0; round < 100; round++) {
        uint32_t count = 1 + round * 5 % CAPACITY;
        for (uint32_t i = 0; i < count; i++) {
            in[i] = record_of(put++);
        }
        ring_write(&ring, in, count);
        assert_int_equal(ring_readable(&ring), count);
        ring_read(&ring, out, count);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(is_record(&out[i], taken++));
        }
    }
}

static void
a_region_is_two_runs_where_the_memory_wraps_and_one_elsewhere(void **state)
{
    (void)state;
    struct ring_region region = ring_write_region(&ring, CAPACITY);
    assert_ptr_equal(region.run[0], &storage[0]);
    assert_int_equal(region.count[0], CAPACITY);
    assert_int_equal(region.count[1], 0);
    ring_write_done(&ring, 6);
    region = ring_read_region(&ring, 6);
    assert_ptr_equal(region.run[0], &storage[0]);
    assert_int_equal(region.count[0], 6);
    ring_read_done(&ring, 6);
    region = ring_write_region(&ring, 5);
    assert_ptr_equal(region.run[0], &storage[6]);
    assert_int_equal(region.count[0], 2);
    assert_ptr_equal(region.run[1], &storage[0]);
    assert_int_equal(region.count[1], 3);
    for (uint32_t i = 0; i < 5; i++) {
        ((struct record *)region.run[i >= 2])[i >= 2 ? i - 2 : i] = record_of(i);
    }
    assert_int_equal(ring_readable(&ring), 0); /* nothing was handed over yet */
    ring_write_done(&ring, 5);
    region = ring_read_region(&ring, 5);
    assert_int_equal(region.count[0], 2);
    assert_int_equal(region.count[1], 3);
    assert_true(is_record(region.run[0], 0));
    assert_true(is_record(region.run[1], 2));
    ring_read_done(&ring, 1); /* a part of what was looked at */
    struct record got;
    assert_true(ring_get(&ring, &got));
    assert_true(is_record(&got, 1));
    assert_int_equal(ring_writable(&ring), CAPACITY - 3);
}

static void
counts_wrap_at_their_end(void **state)
{
    struct record in[5], out[5];
    (void)state;
    atomic_store(&ring.head, UINT32_MAX - 2);
    atomic_store(&ring.tail, UINT32_MAX - 2);
    for (uint32_t i = 0; i < 5; i++) {
        in[i] = record_of(i);
    }
    assert_int_equal(ring_writable(&ring), CAPACITY);
    ring_write(&ring, in, 5);
    assert_true(atomic_load(&ring.head) < atomic_load(&ring.tail));
    assert_int_equal(ring_readable(&ring), 5);
    assert_int_equal(ring_writable(&ring), CAPACITY - 5);
    ring_read(&ring, out, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(is_record(&out[i], i));
    }
}

static void
a_capacity_is_the_next_power_of_two(void **state)
{
    (void)state;
    assert_int_equal(ring_capacity(1), 1);
    assert_int_equal(ring_capacity(2), 2);
    assert_int_equal(ring_capacity(3), 4);
    assert_int_equal(ring_capacity(4096), 4096);
    assert_int_equal(ring_capacity(4097), 8192);
}

/* ---- two threads ---- */

enum { RECORDS = 50000 };

static void
write_all(void *arg)
{
    uint32_t put = 0;
    (void)arg;
    while (put < RECORDS) {
        uint32_t count = ring_writable(&ring), most = 1 + put % 5;
        count = count < most ? count : most;
        count = count < RECORDS - put ? count : RECORDS - put;
        struct ring_region region = ring_write_region(&ring, count);
        for (unsigned r = 0; r < 2; r++) {
            for (uint32_t i = 0; i < region.count[r]; i++) {
                ((struct record *)region.run[r])[i] = record_of(put++);
            }
        }
        ring_write_done(&ring, count);
        struct record single = record_of(put);
        put += put < RECORDS && ring_put(&ring, &single);
    }
}

static void
a_writer_and_a_reader_need_nothing_else(void **state)
{
    struct os_thread *thread = NULL;
    uint32_t taken = 0, wrong = 0;
    (void)state;
    assert_int_equal(os_thread_start(&thread, "writer", OS_PRIORITY_NORMAL, write_all, NULL),
                     TUTTI_OK);
    while (taken < RECORDS) {
        uint32_t count = ring_readable(&ring), most = 1 + taken % 7;
        count = count < most ? count : most;
        struct ring_region region = ring_read_region(&ring, count);
        for (unsigned r = 0; r < 2; r++) {
            for (uint32_t i = 0; i < region.count[r]; i++) {
                wrong += !is_record(&((struct record *)region.run[r])[i], taken++);
            }
        }
        ring_read_done(&ring, count);
        struct record got;
        if (ring_get(&ring, &got)) {
            wrong += !is_record(&got, taken++);
        }
    }
    os_thread_join(thread);
    assert_int_equal(wrong, 0);
    assert_int_equal(taken, RECORDS);
    assert_int_equal(ring_readable(&ring), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(records_come_out_whole_and_in_order, begin),
        cmocka_unit_test_setup(a_full_ring_takes_nothing_and_loses_nothing, begin),
        cmocka_unit_test_setup(many_records_at_once_cross_the_end_of_the_memory, begin),
        cmocka_unit_test_setup(a_region_is_two_runs_where_the_memory_wraps_and_one_elsewhere,
                               begin),
        cmocka_unit_test_setup(counts_wrap_at_their_end, begin),
        cmocka_unit_test_setup(a_capacity_is_the_next_power_of_two, begin),
        cmocka_unit_test_setup(a_writer_and_a_reader_need_nothing_else, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
