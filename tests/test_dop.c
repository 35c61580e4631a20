/* SPDX-License-Identifier: MIT */
/* DSD over PCM, word by word: markers, order of bits, and what is no DoP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/dop.h"
#include "dsp/dsp.h"

enum { FRAMES = 1024 };

static unsigned char bits[FRAMES * DOP_BYTES], heard[FRAMES * DOP_BYTES];
static float words[FRAMES];

static void
fill_bits(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof(bits); i++) {
        state = state * 1664525 + 1013904223;
        bits[i] = (unsigned char)(state >> 24);
    }
}

static int32_t
word_at(size_t frame)
{
    unsigned char bytes[3];
    dsp_to_device(bytes, 3, DSP_S24, &words[frame], 1);
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16;
}

static void
words_carry_a_marker_and_the_older_byte_above_the_newer(void **state)
{
    const unsigned char two[4] = {0x12, 0x34, 0xff, 0x01};

    (void)state;
    dop_pack(words, two, 2, 0, false);
    assert_int_equal(word_at(0), 0x051234);
    assert_int_equal(word_at(1), 0xfaff01);
    dop_pack(words, two, 2, 7, false);
    assert_int_equal(word_at(0), 0xfa1234);
    assert_int_equal(word_at(1), 0x05ff01);
}

static void
the_other_order_of_bits_gives_the_same_words(void **state)
{
    const unsigned char two[2] = {0x48, 0x2c}; /* 0x12, 0x34 from the lowest bit on */

    (void)state;
    dop_pack(words, two, 1, 0, true);
    assert_int_equal(word_at(0), 0x051234);
}

static void
markers_follow_over_blocks_of_any_size(void **state)
{
    float whole[FRAMES];

    (void)state;
    fill_bits();
    dop_pack(whole, bits, FRAMES, 0, false);
    for (size_t block = 1; block < 70; block++) {
        memset(words, 0, sizeof(words));
        for (size_t done = 0; done < FRAMES; done += block) {
            size_t span = FRAMES - done < block ? FRAMES - done : block;
            dop_pack(words + done, bits + done * DOP_BYTES, span, done, false);
        }
        assert_memory_equal(words, whole, sizeof(whole));
    }
}

/* Through a device's word and back, in blocks; what is heard from the lock on. */
static void
hear_through(enum dsp_format format, size_t block, bool lsb)
{
    unsigned char memory[4 * FRAMES];
    struct dop_channel channel = {0, 0};

    dop_pack(words, bits, FRAMES, 0, lsb);
    dsp_to_device(memory, dsp_format_bytes(format), format, words, FRAMES);
    dsp_from_device(words, memory, dsp_format_bytes(format), format, FRAMES);
    for (size_t done = 0; done < FRAMES; done += block) {
        size_t span = FRAMES - done < block ? FRAMES - done : block;
        dop_unpack(&channel, heard + done * DOP_BYTES, words + done, span, lsb);
    }
}

static void
bits_come_back_through_every_word_of_24_bits_and_more(void **state)
{
    static const enum dsp_format formats[] = {DSP_F32, DSP_S24, DSP_S24_32, DSP_S32};
    const size_t locked = (size_t)(DOP_LOCK_FRAMES - 1) * DOP_BYTES;

    (void)state;
    fill_bits();
    for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        for (size_t block = 1; block < FRAMES; block = block * 3 + 1) {
            hear_through(formats[i], block, block & 2);
            assert_memory_equal(heard + locked, bits + locked, sizeof(bits) - locked);
            for (size_t byte = 0; byte < locked; byte++) {
                assert_int_equal(heard[byte], block & 2 ? DOP_SILENCE_LSB : DOP_SILENCE);
            }
        }
    }
}

static void
sound_and_silence_are_not_taken_for_dop(void **state)
{
    struct dop_channel channel = {0, 0};
    uint32_t random = 7;

    (void)state;
    for (size_t i = 0; i < FRAMES; i++) {
        random = random * 1664525 + 1013904223;
        words[i] = i < FRAMES / 2 ? 0 : (float)(int32_t)random / 2147483648.0f;
    }
    words[3] = 1e30f;
    words[4] = -1e30f;
    dop_unpack(&channel, heard, words, FRAMES, false);
    for (size_t byte = 0; byte < sizeof(heard); byte++) {
        assert_int_equal(heard[byte], DOP_SILENCE);
    }
}

static void
a_broken_marker_is_silence_until_the_order_holds_again(void **state)
{
    struct dop_channel channel = {0, 0};

    (void)state;
    fill_bits();
    dop_pack(words, bits, 500, 0, false);
    dop_pack(words + 500, bits + 500 * DOP_BYTES, FRAMES - 500, 501, false);
    dop_unpack(&channel, heard, words, FRAMES, false);
    assert_memory_equal(heard + 499 * DOP_BYTES, bits + 499 * DOP_BYTES, DOP_BYTES);
    for (size_t frame = 500; frame < 500 + DOP_LOCK_FRAMES - 1; frame++) {
        assert_int_equal(heard[frame * DOP_BYTES], DOP_SILENCE);
    }
    size_t again = (size_t)(500 + DOP_LOCK_FRAMES - 1) * DOP_BYTES;
    assert_memory_equal(heard + again, bits + again, sizeof(bits) - again);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_carry_a_marker_and_the_older_byte_above_the_newer),
        cmocka_unit_test(the_other_order_of_bits_gives_the_same_words),
        cmocka_unit_test(markers_follow_over_blocks_of_any_size),
        cmocka_unit_test(bits_come_back_through_every_word_of_24_bits_and_more),
        cmocka_unit_test(sound_and_silence_are_not_taken_for_dop),
        cmocka_unit_test(a_broken_marker_is_silence_until_the_order_holds_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
