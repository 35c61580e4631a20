/* SPDX-License-Identifier: MIT */
/*
 * The ASIO binary interface against numbers written down here a second time, and a driver in C
 * called by a host in C++ whose compiler knows nothing of our macros: an abstract class, as every
 * real host has it (test_asio_abi_caller.cpp).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_asio_abi.h"
#include "tutti/asio_tutti.h"

#define BITS(in32, in64) (sizeof(void *) == 8 ? (in64) : (in32))

static void
structs_have_the_sizes_that_hosts_and_drivers_agreed_on(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct asio_clock_source), 48);
    assert_int_equal(sizeof(struct asio_channel_info), 52);
    assert_int_equal(sizeof(struct asio_buffer_info), BITS(16, 24));
    assert_int_equal(sizeof(struct asio_callbacks), BITS(16, 32));
    assert_int_equal(sizeof(struct asio_time_info), 48);
    assert_int_equal(sizeof(struct asio_time_code), 84);
    assert_int_equal(sizeof(struct asio_time), 148);
    assert_int_equal(sizeof(struct asio_driver_info), BITS(168, 172));
    assert_int_equal(sizeof(struct asio_input_monitor), 20);
    assert_int_equal(sizeof(struct asio_channel_controls), 48);
    assert_int_equal(sizeof(struct asio_transport), 144);
    assert_int_equal(sizeof(struct asio_io_format), 512);
    assert_int_equal(sizeof(struct asio_internal_buffers), 8);
    assert_int_equal(sizeof(struct asio_driver_methods), 24 * sizeof(void *));
    assert_int_equal(sizeof(struct tutti_asio_block), 40);
}

static void
numbers_are_those_on_the_wire(void **state)
{
    (void)state;
    assert_int_equal(ASIO_SUCCESS, 1061701536);
    assert_int_equal(ASIO_NOT_PRESENT, -1000);
    assert_int_equal(ASIO_NO_MEMORY, -994);
    assert_int_equal(ASIO_FLOAT32_LSB, 19);
    assert_int_equal(ASIO_MESSAGE_OVERLOAD, 15);
    assert_int_equal(ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES, 0x25042012);
    assert_int_equal(TUTTI_ASIO_GET_BLOCK, 0x54555401);
}

static void
the_high_half_of_a_position_comes_first(void **state)
{
    struct asio_int64 halves = asio_int64_from(UINT64_C(0x0123456789abcdef));
    uint32_t words[2];

    (void)state;
    memcpy(words, &halves, sizeof(words));
    assert_int_equal(words[0], 0x01234567);
    assert_int_equal(words[1], 0x89abcdef);
    assert_true(asio_int64_value(halves) == UINT64_C(0x0123456789abcdef));
}

/* ---- a driver that notes what arrives ---- */

struct noting {
    struct asio_driver com;
    unsigned seen[24];
    bool wrong;
};

static void
note(struct asio_driver *self, unsigned slot, bool right)
{
    struct noting *noting = (struct noting *)self;

    noting->seen[slot]++;
    if (!right || noting->com.methods == NULL) {
        noting->wrong = true;
    }
}

static int32_t TUTTI_ASIO_UNKNOWN
n_query(struct asio_driver *self, const struct asio_guid *iid, void **object)
{
    note(self, 0, iid->data1 == 0x11223344 && iid->data4[7] == 0x77 && object);
    *object = self;
    return 0;
}
static uint32_t TUTTI_ASIO_UNKNOWN
n_add_ref(struct asio_driver *self)
{
    note(self, 1, true);
    return 2;
}
static uint32_t TUTTI_ASIO_UNKNOWN
n_release(struct asio_driver *self)
{
    note(self, 2, true);
    return 1;
}
static int32_t TUTTI_ASIO
n_init(struct asio_driver *self, void *system_reference)
{
    note(self, 3, system_reference == (void *)ABI_POINTER);
    return 1;
}
static void TUTTI_ASIO
n_name(struct asio_driver *self, char *name)
{
    note(self, 4, true);
    strcpy(name, "noting");
}
static int32_t TUTTI_ASIO
n_version(struct asio_driver *self)
{
    note(self, 5, true);
    return 5;
}
static void TUTTI_ASIO
n_error(struct asio_driver *self, char *text)
{
    note(self, 6, true);
    strcpy(text, "none");
}
static int32_t TUTTI_ASIO
n_start(struct asio_driver *self)
{
    note(self, 7, true);
    return 7;
}
static int32_t TUTTI_ASIO
n_stop(struct asio_driver *self)
{
    note(self, 8, true);
    return 8;
}
static int32_t TUTTI_ASIO
n_channels(struct asio_driver *self, int32_t *inputs, int32_t *outputs)
{
    note(self, 9, true);
    *inputs = 1;
    *outputs = 2;
    return 9;
}
static int32_t TUTTI_ASIO
n_latencies(struct asio_driver *self, int32_t *input, int32_t *output)
{
    note(self, 10, true);
    *input = 3;
    *output = 4;
    return 10;
}
static int32_t TUTTI_ASIO
n_sizes(struct asio_driver *self, int32_t *min, int32_t *max, int32_t *preferred,
        int32_t *granularity)
{
    note(self, 11, true);
    *min = 5;
    *max = 6;
    *preferred = 7;
    *granularity = 8;
    return 11;
}
static int32_t TUTTI_ASIO
n_can_rate(struct asio_driver *self, double rate_hz)
{
    note(self, 12, rate_hz == ABI_RATE);
    return 12;
}
static int32_t TUTTI_ASIO
n_get_rate(struct asio_driver *self, double *rate_hz)
{
    note(self, 13, true);
    *rate_hz = ABI_RATE;
    return 13;
}
static int32_t TUTTI_ASIO
n_set_rate(struct asio_driver *self, double rate_hz)
{
    note(self, 14, rate_hz == ABI_RATE);
    return 14;
}
static int32_t TUTTI_ASIO
n_clocks(struct asio_driver *self, struct asio_clock_source *clocks, int32_t *count)
{
    note(self, 15, clocks == (void *)ABI_POINTER && *count == 9);
    return 15;
}
static int32_t TUTTI_ASIO
n_set_clock(struct asio_driver *self, int32_t index)
{
    note(self, 16, index == 10);
    return 16;
}
static int32_t TUTTI_ASIO
n_position(struct asio_driver *self, struct asio_int64 *position, struct asio_int64 *time_ns)
{
    note(self, 17, true);
    *position = asio_int64_from(11);
    *time_ns = asio_int64_from(12);
    return 17;
}
static int32_t TUTTI_ASIO
n_channel_info(struct asio_driver *self, struct asio_channel_info *info)
{
    note(self, 18, info == (void *)ABI_POINTER);
    return 18;
}
static int32_t TUTTI_ASIO
n_create(struct asio_driver *self, struct asio_buffer_info *infos, int32_t count, int32_t frames,
         const struct asio_callbacks *callbacks)
{
    note(self, 19,
         infos == (void *)ABI_POINTER && count == 13 && frames == 14 &&
             callbacks == (void *)ABI_POINTER);
    return 19;
}
static int32_t TUTTI_ASIO
n_dispose(struct asio_driver *self)
{
    note(self, 20, true);
    return 20;
}
static int32_t TUTTI_ASIO
n_panel(struct asio_driver *self)
{
    note(self, 21, true);
    return 21;
}
static int32_t TUTTI_ASIO
n_future(struct asio_driver *self, int32_t selector, void *parameter)
{
    note(self, 22, selector == 15 && parameter == (void *)ABI_POINTER);
    return 22;
}
static int32_t TUTTI_ASIO
n_ready(struct asio_driver *self)
{
    note(self, 23, true);
    return 23;
}

static const struct asio_driver_methods noting_methods = {
    n_query,     n_add_ref,  n_release,      n_init,   n_name,     n_version,  n_error,    n_start,
    n_stop,      n_channels, n_latencies,    n_sizes,  n_can_rate, n_get_rate, n_set_rate, n_clocks,
    n_set_clock, n_position, n_channel_info, n_create, n_dispose,  n_panel,    n_future,   n_ready,
};

static void
a_host_in_cpp_reaches_every_slot_with_its_arguments(void **state)
{
    struct noting noting = {.com = {&noting_methods}};

    (void)state;
    assert_int_equal(abi_call_everything(&noting.com, 1000), 0);
    assert_false(noting.wrong);
    for (unsigned i = 0; i < 24; i++) {
        assert_int_equal(noting.seen[i], 1000);
    }
}

/* ---- the other way round: a driver in C++, called from C as our hosts do ---- */

static void
a_driver_in_cpp_is_called_rightly_from_c(void **state)
{
    struct asio_driver *driver = abi_cpp_driver();
    int32_t min = 0, max = 0, preferred = 0, granularity = 0;
    char name[ASIO_NAME_BYTES] = "";

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(driver->methods->set_sample_rate(driver, ABI_RATE), ASIO_OK);
        assert_int_equal(driver->methods->set_sample_rate(driver, 1.0), ASIO_NO_CLOCK);
        assert_int_equal(
            driver->methods->get_buffer_size(driver, &min, &max, &preferred, &granularity),
            ASIO_OK);
        driver->methods->get_driver_name(driver, name);
        assert_int_equal(driver->methods->output_ready(driver), ASIO_NOT_PRESENT);
        assert_int_equal(driver->methods->add_ref(driver), 41);
    }
    assert_int_equal(min + max + preferred + granularity, 1 + 2 + 3 + 4);
    assert_string_equal(name, "cpp");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structs_have_the_sizes_that_hosts_and_drivers_agreed_on),
        cmocka_unit_test(numbers_are_those_on_the_wire),
        cmocka_unit_test(the_high_half_of_a_position_comes_first),
        cmocka_unit_test(a_host_in_cpp_reaches_every_slot_with_its_arguments),
        cmocka_unit_test(a_driver_in_cpp_is_called_rightly_from_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
