/* SPDX-License-Identifier: MIT */
/*
 * Sample types and DSD against a libtutti of the test's own: whose memory a host gets, when it is
 * converted, and that what has so many bits keeps them.
 */
#include <windows.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asio/convert.h"
#include "config/config.h"
#include "dsp/dsp.h"
#include "fake_host.h"

enum { FRAMES = 128 };

static const struct {
    const char *word;
    int32_t type;
    unsigned bits; /* of an integer that passes unchanged */
} types[] = {
    {"float32", ASIO_FLOAT32_LSB, 24}, {"int32", ASIO_INT32_LSB, 24},
    {"int24", ASIO_INT24_LSB, 24},     {"int16", ASIO_INT16_LSB, 16},
    {"float64", ASIO_FLOAT64_LSB, 24},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

static void
use(const char *word)
{
    SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", word);
}

static int
begin(void **state)
{
    use(NULL);
    SetEnvironmentVariableA("TUTTI_PROGRAM_DSD", NULL);
    SetEnvironmentVariableA("TUTTI_PROGRAM_LATE_TAKE", NULL);
    SetEnvironmentVariableA("TUTTI_CONFIG", "C:\\no\\such\\tutti.ini");
    return fake_host_begin(state);
}

/* ---- what a test plays ---- */

/* An integer of so many bits for a place, its extremes among them. */
static int32_t
integer_at(unsigned place, unsigned bits)
{
    uint32_t random = (place + 1) * 2654435761u;
    int32_t top = INT32_C(1) << (bits - 1);

    if (place % 16 == 0) {
        return -top;
    }
    if (place % 16 == 1) {
        return top - 1;
    }
    return (int32_t)(random >> (32 - bits)) - top;
}

static float
float_at(unsigned place, unsigned bits)
{
    return (float)integer_at(place, bits) / (float)(1u << (bits - 1));
}

/* One sample of a host's buffer as an integer of so many bits; -1 << 30: it is none. */
static int32_t
host_integer(const void *buffer, unsigned frame, unsigned type, unsigned bits)
{
    const unsigned char *bytes = buffer;
    int32_t wide = 0;
    int16_t narrow;
    float single;
    double twofold;

    switch (types[type].type) {
    case ASIO_INT16_LSB:
        memcpy(&narrow, bytes + (size_t)frame * 2, 2);
        return narrow;
    case ASIO_INT24_LSB:
        memcpy(&wide, bytes + (size_t)frame * 3, 3);
        return (int32_t)((uint32_t)wide << 8) >> 8;
    case ASIO_INT32_LSB:
        memcpy(&wide, bytes + (size_t)frame * 4, 4);
        return wide & 0xff ? INT32_MIN / 2 : wide >> (32 - bits);
    case ASIO_FLOAT32_LSB:
        memcpy(&single, bytes + (size_t)frame * 4, 4);
        return (int32_t)(single * (float)(1u << (bits - 1)));
    default:
        memcpy(&twofold, bytes + (size_t)frame * 8, 8);
        return (int32_t)(twofold * (double)(1u << (bits - 1)));
    }
}

static void
put_host_integer(void *buffer, unsigned frame, unsigned type, unsigned bits, int32_t value)
{
    unsigned char *bytes = buffer;
    int16_t narrow = (int16_t)value;
    int32_t wide = (int32_t)((uint32_t)value << (32 - bits));
    float single = (float)value / (float)(1u << (bits - 1));
    double twofold = single;

    switch (types[type].type) {
    case ASIO_INT16_LSB:
        memcpy(bytes + (size_t)frame * 2, &narrow, 2);
        break;
    case ASIO_INT24_LSB:
        memcpy(bytes + (size_t)frame * 3, &value, 3);
        break;
    case ASIO_INT32_LSB:
        memcpy(bytes + (size_t)frame * 4, &wide, 4);
        break;
    case ASIO_FLOAT32_LSB:
        memcpy(bytes + (size_t)frame * 4, &single, 4);
        break;
    default:
        memcpy(bytes + (size_t)frame * 8, &twofold, 8);
    }
}

/* infos[1] is output 0 of the stream, infos[0] input 0. */
static unsigned seed;

static void
play(unsigned type)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        put_host_integer(infos[1].buffers[host.last_half], i, type, types[type].bits,
                         integer_at(seed + i, types[type].bits));
    }
}

static void
assert_taken(unsigned half, unsigned type)
{
    const float *taken = tutti_output(fake_tutti.last, 0, half);

    for (unsigned i = 0; i < FRAMES; i++) {
        assert_true(taken[i] == float_at(seed + i, types[type].bits));
    }
}

static void
assert_silent(const float *samples)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        assert_true(samples[i] == 0);
    }
}

/* ---- types ---- */

static void
every_type_is_told_and_has_buffers_aligned_and_silent(void **state)
{
    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        use(types[t].word);
        fake_host_go_to(STATE_PREPARED);
        for (unsigned i = 0; i < 4; i++) {
            struct asio_channel_info info = {.channel = infos[i].channel,
                                             .is_input = infos[i].is_input};
            assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_OK);
            assert_int_equal(info.type, types[t].type);
            for (unsigned half = 0; half < 2 && t > 0; half++) {
                const unsigned char *bytes = infos[i].buffers[half];
                assert_int_equal((uintptr_t)bytes % 64, 0);
                for (size_t b = 0; b < FRAMES * convert_frame_bytes(info.type); b++) {
                    assert_int_equal(bytes[b], 0);
                }
                memset(infos[i].buffers[half], 0xee, FRAMES * convert_frame_bytes(info.type));
            }
        }
    }
}

static void
float32_works_on_the_segment_itself(void **state)
{
    (void)state;
    use("float32");
    fake_host_init();
    fake_host_prepare();
    assert_ptr_equal(infos[0].buffers[1], tutti_input(fake_tutti.last, 0, 1));
    assert_ptr_equal(infos[1].buffers[0], tutti_output(fake_tutti.last, 0, 0));
}

static unsigned type_under_test;

static void
host_listens_and_plays(void)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        int32_t heard = host_integer(infos[0].buffers[host.last_half], i, type_under_test,
                                     types[type_under_test].bits);
        host.answer += heard != integer_at(seed + i, types[type_under_test].bits);
    }
    play(type_under_test);
}

static void
integers_pass_both_ways_without_a_bit_lost(void **state)
{
    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        type_under_test = t;
        use(types[t].word);
        fake_host_go_to(STATE_PREPARED);
        host.answer = 0;
        host.in_callback = host_listens_and_plays;
        assert_int_equal(M->start(host.driver), ASIO_OK);
        for (unsigned block = 0; block < 6; block++) {
            float *input = tutti_input(fake_tutti.last, 0, block & 1);
            seed = block * FRAMES;
            for (unsigned i = 0; i < FRAMES; i++) {
                input[i] = float_at(seed + i, types[t].bits);
            }
            fake_tutti_block(fake_tutti.last);
            assert_int_equal(host.answer, 0);
            assert_taken(block & 1, t);
        }
        host.in_callback = NULL;
    }
}

static void
an_int32_keeps_the_24_bits_of_a_float(void **state)
{
    int32_t value = 0x12345678, back;
    float sample;

    (void)state;
    convert_output(&sample, ASIO_INT32_LSB, &value, 1, 0);
    convert_input(&back, ASIO_INT32_LSB, &sample, 1, NULL);
    assert_int_equal(back, 0x12345680);
}

/* ---- moments ---- */

static void
host_says_ready_and_scribbles(void)
{
    play(2);
    host.answer = M->output_ready(host.driver);
    memset(infos[1].buffers[host.last_half], 0x55, FRAMES * 3);
}

static void
a_block_is_taken_when_the_host_says_ready(void **state)
{
    (void)state;
    use("int24");
    fake_host_run();
    host.in_callback = host_says_ready_and_scribbles;
    for (unsigned block = 0; block < 4; block++) {
        seed = 100 * block;
        fake_tutti_block(fake_tutti.last);
        assert_taken(block & 1, 2);
    }
    assert_int_equal(fake_tutti.last->ready, 4);
}

static void
a_block_that_is_ready_later_is_silent_until_then(void **state)
{
    (void)state;
    use("int24");
    fake_host_run();
    host.in_callback = host_says_ready_and_scribbles;
    fake_tutti_block(fake_tutti.last);
    fake_tutti_block(fake_tutti.last);
    host.in_callback = NULL;
    seed = 7;
    fake_tutti_block(fake_tutti.last); /* half 0 again: its last block is not played twice */
    assert_silent(tutti_output(fake_tutti.last, 0, 0));
    play(2);
    assert_int_equal(M->output_ready(host.driver), ASIO_OK);
    assert_taken(0, 2);
}

static void
plays_int16(void)
{
    play(3);
}

static void
a_late_take_waits_for_the_next_call_to_return(void **state)
{
    (void)state;
    use("int16");
    SetEnvironmentVariableA("TUTTI_PROGRAM_LATE_TAKE", "yes");
    fake_host_run();
    host.in_callback = plays_int16;
    fake_tutti_block(fake_tutti.last);
    assert_silent(tutti_output(fake_tutti.last, 0, 0));
    seed = 55;
    play(3); /* between the calls the host still works on half 0 */
    host.in_callback = NULL;
    fake_tutti_block(fake_tutti.last);
    assert_taken(0, 3);
    assert_silent(tutti_output(fake_tutti.last, 0, 1));
}

/* An input above full scale is clipped, counted, and never wraps round. */
static void
values_above_full_scale_are_clipped_and_counted(void **state)
{
    static const float loud[] = {1.5f, -1.25f, 1.0f, -1.0f, 0.5f, NAN, INFINITY};
    enum { LOUD = sizeof(loud) / sizeof(loud[0]), CLIPPED = 3 };

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        use(types[t].word);
        fake_host_go_to(STATE_RUNNING);
        unsigned half = fake_tutti.last->next.half;
        memcpy(tutti_input(fake_tutti.last, 0, half), loud, sizeof(loud));
        fake_tutti_block(fake_tutti.last);
        bool is_float = types[t].type == ASIO_FLOAT32_LSB || types[t].type == ASIO_FLOAT64_LSB;
        assert_int_equal(fake_tutti.last->clipped, is_float ? 0 : CLIPPED);
        if (types[t].type != ASIO_INT32_LSB) {
            continue;
        }
        const int32_t *heard = infos[0].buffers[half];
        assert_true(heard[0] > 0x7fffff00 && heard[1] == INT32_MIN && heard[2] > 0x7fffff00);
        assert_true(heard[3] == INT32_MIN && heard[4] == 0x40000000 && heard[5] == 0);
    }
}

static void
assert_host_silent(void)
{
    for (unsigned half = 0; half < 2; half++) {
        const unsigned char *bytes = infos[1].buffers[half];
        for (size_t b = 0; b < (size_t)FRAMES * 4; b++) {
            assert_int_equal(bytes[b], 0);
        }
    }
}

static void
host_plays_and_stops(void)
{
    play(type_under_test);
    host.answer = M->stop(host.driver);
}

/* libtutti plays half 1 of the segment before the first block: tutti_stream_params.prefilled. */
static void
half_1_is_taken_as_it_was_filled_before_start_and_silent_after_each_stop(void **state)
{
    (void)state;
    for (unsigned t = 1; t < TYPES; t++) {
        use(types[t].word);
        type_under_test = t;
        fake_host_go_to(STATE_PREPARED);
        assert_true(fake_tutti.last->stream.prefilled);
        for (unsigned run = 0; run < 2; run++) {
            seed = 700 + run;
            host.last_half = 1;
            play(t);
            assert_int_equal(M->start(host.driver), ASIO_OK);
            assert_taken(1, t);
            assert_silent(tutti_output(fake_tutti.last, 0, 0));
            fake_tutti_block(fake_tutti.last);
            if (run == 0) {
                M->stop(host.driver);
            } else {
                host.in_callback = host_plays_and_stops;
                fake_tutti_block(fake_tutti.last);
                host.in_callback = NULL;
                assert_int_equal(host.answer, ASIO_OK);
            }
            if (types[t].type != ASIO_FLOAT64_LSB) {
                assert_host_silent();
            }
        }
        assert_int_equal(M->start(host.driver), ASIO_OK);
        assert_silent(tutti_output(fake_tutti.last, 0, 1));
    }
}

static void
host_disposes_and_goes_on(void)
{
    host.answer = M->dispose_buffers(host.driver);
    for (unsigned half = 0; half < 2; half++) {
        memset(infos[1].buffers[half], 0x22, FRAMES * 8);
    }
}

static void
buffers_stay_until_the_callback_that_disposed_them_returns(void **state)
{
    (void)state;
    use("float64");
    fake_host_run();
    host.in_callback = host_disposes_and_goes_on;
    fake_tutti_begin(fake_tutti.last);
    fake_tutti_wait(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_OK);
    host.in_callback = NULL;
    fake_host_prepare();
    assert_int_equal(M->start(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
}

static void
a_word_that_is_none_is_a_mistake_with_a_sentence(void **state)
{
    static const char *const wrong[] = {"", "int", "int8", "float32,", "FLOAT32", " "};
    struct config config;
    char problem[CONFIG_TEXT_BYTES];

    (void)state;
    config_init(&config);
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(config_set(&config, "program", "sample_type", wrong[i], problem),
                         TUTTI_BAD_CONFIG);
        assert_non_null(strstr(problem, "int32, float32, int24, int16, float64"));
        assert_string_equal(config.program_sample_type, "int32");
        assert_int_equal(config_set(&config, "program", "dsd", wrong[i], problem),
                         TUTTI_BAD_CONFIG);
    }
    for (unsigned t = 0; t < TYPES; t++) {
        assert_int_equal(config_set(&config, "program", "sample_type", types[t].word, problem),
                         TUTTI_OK);
        assert_int_equal(convert_type_of(config.program_sample_type), types[t].type);
    }
}

/* ---- DSD ---- */

static void
offer_dsd(const char *order)
{
    static const double rates[TUTTI_MAX_RATES] = {44100, 48000, 176400, 192000, 352800};

    SetEnvironmentVariableA("TUTTI_PROGRAM_DSD", order);
    memcpy(fake_tutti.device.rates_hz, rates, sizeof(rates));
}

static int32_t
ask_format(int32_t selector, int32_t type)
{
    struct asio_io_format format = {.type = type};
    int32_t result = M->future(host.driver, selector, &format);

    return selector == ASIO_FUTURE_GET_IO_FORMAT && result == ASIO_SUCCESS ? format.type : result;
}

static void
dsd_is_refused_with_the_reason(void **state)
{
    (void)state;
    assert_int_equal(ask_format(ASIO_FUTURE_CAN_DO_IO_FORMAT, ASIO_FORMAT_DSD),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("not initialised");
    fake_host_init();
    assert_int_equal(ask_format(ASIO_FUTURE_SET_IO_FORMAT, ASIO_FORMAT_DSD),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("dsd = msb");
    assert_int_equal(ask_format(ASIO_FUTURE_GET_IO_FORMAT, 0), ASIO_FORMAT_PCM);
    assert_int_equal(ask_format(ASIO_FUTURE_SET_IO_FORMAT, ASIO_FORMAT_PCM), ASIO_SUCCESS);
    assert_int_equal(ask_format(ASIO_FUTURE_CAN_DO_IO_FORMAT, ASIO_FORMAT_PCM), ASIO_SUCCESS);
    assert_int_equal(ask_format(ASIO_FUTURE_CAN_DO_IO_FORMAT, 7), ASIO_INVALID_PARAMETER);
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_IO_FORMAT, NULL),
                     ASIO_INVALID_PARAMETER);
    SetEnvironmentVariableA("TUTTI_PROGRAM_DSD", "msb");
    fake_host_go_to(STATE_INITIALIZED);
    assert_int_equal(ask_format(ASIO_FUTURE_CAN_DO_IO_FORMAT, ASIO_FORMAT_DSD),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("176400 Hz");
    offer_dsd("msb");
    fake_tutti.rate_status = TUTTI_RATE_IN_USE;
    assert_int_equal(ask_format(ASIO_FUTURE_CAN_DO_IO_FORMAT, ASIO_FORMAT_DSD), ASIO_SUCCESS);
    assert_int_equal(ask_format(ASIO_FUTURE_SET_IO_FORMAT, ASIO_FORMAT_DSD),
                     tutti_status_asio_error(TUTTI_RATE_IN_USE));
    assert_int_equal(ask_format(ASIO_FUTURE_GET_IO_FORMAT, 0), ASIO_FORMAT_PCM);
}

static void
with_dsd_everything_counts_in_bits(void **state)
{
    int32_t min, max, preferred, granularity, input, output;
    double rate = 0;
    struct asio_channel_info info = {.channel = 0};

    (void)state;
    offer_dsd("msb");
    fake_host_init();
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(ask_format(ASIO_FUTURE_SET_IO_FORMAT, ASIO_FORMAT_DSD), ASIO_SUCCESS);
    assert_int_equal(ask_format(ASIO_FUTURE_GET_IO_FORMAT, 0), ASIO_FORMAT_DSD);
    assert_true(fake_tutti.asked_rate == 176400);
    assert_int_equal(M->get_sample_rate(host.driver, &rate), ASIO_OK);
    assert_true(rate == 2822400);
    assert_int_equal(M->can_sample_rate(host.driver, 3072000), ASIO_OK);
    assert_int_equal(M->can_sample_rate(host.driver, 11289600), ASIO_NO_CLOCK);
    assert_int_equal(M->can_sample_rate(host.driver, 705600), ASIO_NO_CLOCK); /* of 44100 */
    assert_int_equal(M->can_sample_rate(host.driver, 44100), ASIO_NO_CLOCK);
    assert_int_equal(M->set_sample_rate(host.driver, 5644800), ASIO_OK);
    assert_true(fake_tutti.asked_rate == 352800);
    M->get_buffer_size(host.driver, &min, &max, &preferred, &granularity);
    assert_int_equal(min, 16 * 32);
    assert_int_equal(max, 16 * 2048);
    assert_int_equal(preferred, 16 * 256);
    assert_int_equal(granularity, -1);
    int32_t many, more;
    M->get_latencies(host.driver, &many, &more);
    assert_int_equal(many, 16 * input);
    assert_int_equal(more, 16 * output);
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_OK);
    assert_int_equal(info.type, ASIO_DSD_INT8_MSB1);
    struct asio_channel_controls controls = {.channel = 0, .gain = 0x10000000};
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_OUTPUT_GAIN, &controls),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("with DSD there is no gain");
    struct asio_buffer_info one = {.is_input = 0, .channel = 0};
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 2048 + 8, &callbacks),
                     ASIO_INVALID_MODE);
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 2048, &callbacks), ASIO_OK);
    assert_int_equal(fake_tutti.last->stream.buffer_frames, 128);
    assert_true(fake_tutti.last->stream.exact);
    for (unsigned b = 0; b < 2048 / 8; b++) {
        assert_int_equal(((unsigned char *)one.buffers[1])[b], DOP_SILENCE);
    }
    assert_int_equal(ask_format(ASIO_FUTURE_SET_IO_FORMAT, ASIO_FORMAT_PCM), ASIO_INVALID_MODE);
    M->dispose_buffers(host.driver);
    assert_int_equal(ask_format(ASIO_FUTURE_SET_IO_FORMAT, ASIO_FORMAT_PCM), ASIO_SUCCESS);
    assert_true(fake_tutti.asked_rate == 48000);
    M->get_channel_info(host.driver, &info);
    assert_int_equal(info.type, ASIO_INT32_LSB);
    fake_host_go_to(STATE_INITIALIZED); /* the next one is not given the rate that carried DSD */
    assert_true(fake_tutti.asked_rate == 48000);
}

static unsigned char
bits_at(unsigned place)
{
    return (unsigned char)((place + 3) * 2654435761u >> 24);
}

static void
play_bits(void)
{
    unsigned char *bytes = infos[1].buffers[host.last_half];

    for (unsigned i = 0; i < FRAMES * DOP_BYTES; i++) {
        bytes[i] = bits_at(seed + i);
    }
    host.answer += memcmp(infos[0].buffers[host.last_half], bytes, FRAMES * DOP_BYTES) != 0;
}

static void
dsd_travels_as_dop_with_unbroken_markers(void **state)
{
    struct asio_int64 position, time;

    (void)state;
    offer_dsd("lsb");
    fake_host_init();
    assert_int_equal(ask_format(ASIO_FUTURE_SET_IO_FORMAT, ASIO_FORMAT_DSD), ASIO_SUCCESS);
    for (unsigned i = 0; i < 4; i++) {
        infos[i] = (struct asio_buffer_info){.is_input = i % 3 == 0, .channel = (int32_t)i};
    }
    assert_int_equal(M->create_buffers(host.driver, infos, 4, FRAMES * DOP_BITS, &callbacks),
                     ASIO_OK);
    assert_int_equal(M->start(host.driver), ASIO_OK);
    host.in_callback = play_bits;
    for (unsigned block = 0; block < 5; block++) {
        float *input = tutti_input(fake_tutti.last, 0, block & 1);
        unsigned char bytes[FRAMES * DOP_BYTES];
        seed = block * FRAMES * DOP_BYTES;
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            bytes[i] = bits_at(seed + i);
        }
        dop_pack(input, bytes, FRAMES, (uint64_t)block * FRAMES, true);
        fake_tutti_block(fake_tutti.last);
        /* but for the first frames, until the markers were believed */
        assert_int_equal(host.answer, 1);
        float expected[FRAMES];
        dop_pack(expected, bytes, FRAMES, (uint64_t)block * FRAMES, true);
        assert_memory_equal(tutti_output(fake_tutti.last, 0, block & 1), expected,
                            sizeof(expected));
        /* what was never written is DSD silence, with the same markers */
        memset(bytes, DOP_SILENCE_LSB, sizeof(bytes));
        dop_pack(expected, bytes, FRAMES, (uint64_t)block * FRAMES, true);
        assert_memory_equal(tutti_output(fake_tutti.last, 1, block & 1), expected,
                            sizeof(expected));
        assert_int_equal(M->get_sample_position(host.driver, &position, &time), ASIO_OK);
        assert_int_equal(asio_int64_value(position), (uint64_t)block * FRAMES * DOP_BITS);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fake_host_end)
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_told_and_has_buffers_aligned_and_silent),
        TEST(float32_works_on_the_segment_itself),
        TEST(integers_pass_both_ways_without_a_bit_lost),
        TEST(an_int32_keeps_the_24_bits_of_a_float),
        TEST(a_block_is_taken_when_the_host_says_ready),
        TEST(a_block_that_is_ready_later_is_silent_until_then),
        TEST(a_late_take_waits_for_the_next_call_to_return),
        TEST(values_above_full_scale_are_clipped_and_counted),
        TEST(half_1_is_taken_as_it_was_filled_before_start_and_silent_after_each_stop),
        TEST(buffers_stay_until_the_callback_that_disposed_them_returns),
        TEST(a_word_that_is_none_is_a_mistake_with_a_sentence),
        TEST(dsd_is_refused_with_the_reason),
        TEST(with_dsd_everything_counts_in_bits),
        TEST(dsd_travels_as_dop_with_unbroken_markers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
