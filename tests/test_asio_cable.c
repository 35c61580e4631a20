/* SPDX-License-Identifier: MIT */
/*
 * What a host plays is what it hears, bit for bit, through driver, engine, a virtual sound card
 * with the given words and its cable: every sample type over devices that hold it, and DSD as DoP
 * with markers that never break, at many buffer sizes. It plays half 1 before it starts: that is
 * heard directly before the first block.
 *
 * usage: test_asio_cable tutti.dll tuttid.exe
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <objbase.h>

#include "asio_object.h"
#include "tutti/asio.h"
#include "tutti/asio_tutti.h"

enum {
    PATIENCE_MS = 30000,
    CABLE_FRAMES = 37,
    CHANNELS = 2,
    BLOCKS = 12,
    LOCK_BYTES = 64, /* of DSD, before input is believed to be DoP */
    DSD_UNIT = 16,
};

static const struct asio_guid tutti_clsid = {
    0x64df45ea, 0xbf66, 0x45ef, {0xb3, 0x50, 0xd0, 0x2d, 0xb1, 0x42, 0xe3, 0x7e}};
static const int32_t sizes[] = {32, 48, 64, 100, 128, 256, 441, 512, 1000, 1024, 2048};

static const char *dll_path;
static HMODULE dll;

/* A buffer is a row of cells: samples of PCM, or bytes of DSD. */
struct host {
    struct asio_driver *driver;
    struct asio_buffer_info infos[2 * CHANNELS]; /* outputs, then inputs */
    int32_t type;
    size_t cell_bytes;
    uint32_t cells;        /* of a buffer */
    uint32_t cell_samples; /* of the position's scale, in a cell */
    uint32_t bits;         /* that each sample carries */
    uint64_t distance;     /* cells, from played to heard */
    bool fills;            /* half 1, before start */
    bool ready;
    volatile LONG blocks;
    volatile LONG64 right, wrong;
    volatile LONG jumps;
    uint64_t next;
};
static struct host host;

/* ---- what is played ---- */

static uint32_t
random_at(uint64_t place, unsigned channel)
{
    uint64_t x =
        (place + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ channel * UINT64_C(0xC2B2AE3D27D4EB4F);

    x ^= x >> 31;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(x >> 32);
}

/* The cell as the host's buffer holds it. Full scale of the random words is below 1. */
static void
make_cell(unsigned char *cell, uint64_t place, unsigned channel)
{
    uint32_t random = random_at(place, channel);
    int32_t word = (int32_t)random >> (32 - host.bits);
    int16_t narrow = (int16_t)word;
    int32_t wide = (int32_t)((uint32_t)word << (32 - host.bits));
    float single = (float)word / (float)(1u << (host.bits - 1));
    double twofold = single;

    switch (host.type) {
    case ASIO_INT16_LSB:
        memcpy(cell, &narrow, sizeof(narrow));
        break;
    case ASIO_INT24_LSB:
        wide >>= 8;
        memcpy(cell, &wide, 3);
        break;
    case ASIO_INT32_LSB:
        memcpy(cell, &wide, sizeof(wide));
        break;
    case ASIO_FLOAT32_LSB:
        memcpy(cell, &single, sizeof(single));
        break;
    case ASIO_FLOAT64_LSB:
        memcpy(cell, &twofold, sizeof(twofold));
        break;
    default:
        *cell = (unsigned char)random;
    }
}

/* ---- the host ---- */

static unsigned char
silence(void)
{
    return host.type == ASIO_DSD_INT8_MSB1 ? 0x69 : host.type == ASIO_DSD_INT8_LSB1 ? 0x96 : 0;
}

static void
compare(uint64_t first, unsigned channel, const unsigned char *heard)
{
    unsigned char cell[8];

    for (uint32_t i = 0; i < host.cells; i++, heard += host.cell_bytes) {
        uint64_t place = first + i + host.cells; /* counted from half 1 before the start */
        if (place < host.distance + (host.cell_samples == 8 ? LOCK_BYTES : 0)) {
            continue; /* nothing of this run came back yet */
        }
        if (host.fills || place >= host.distance + host.cells) {
            make_cell(cell, place - host.distance, channel);
        } else {
            memset(cell, silence(), sizeof(cell));
        }
        if (memcmp(cell, heard, host.cell_bytes) == 0) {
            host.right++;
        } else {
            host.wrong++;
        }
    }
}

static void TUTTI_ASIO_HOST
buffer_switch(int32_t half, int32_t direct)
{
    struct asio_int64 position = {0, 0}, stamp;

    (void)direct;
    host.driver->methods->get_sample_position(host.driver, &position, &stamp);
    uint64_t first = asio_int64_value(position) / host.cell_samples;
    host.jumps += first != host.next;
    host.next = first + host.cells;
    for (unsigned c = 0; c < CHANNELS; c++) {
        unsigned char *out = host.infos[c].buffers[half];
        compare(first, c, host.infos[CHANNELS + c].buffers[half]);
        for (uint32_t i = 0; i < host.cells; i++) {
            make_cell(out + i * host.cell_bytes, first + i + host.cells, c);
        }
    }
    if (host.ready) {
        host.driver->methods->output_ready(host.driver);
    }
    InterlockedIncrement(&host.blocks);
}

static const struct asio_callbacks callbacks = {.buffer_switch = buffer_switch};

static struct asio_driver *
create(void)
{
    return asio_object(dll, &tutti_clsid);
}

static void
assert_ok(struct asio_driver *driver, int32_t result)
{
    char text[ASIO_ERROR_BYTES];

    if (result == ASIO_OK || result == ASIO_SUCCESS) {
        return;
    }
    driver->methods->get_error_message(driver, text);
    fail_msg("%d: %s", (int)result, text);
}

/* An engine of its own, with this card: what an engine was started with stays. */
static void
use_card(const char *format)
{
    static unsigned number;
    char temp[MAX_PATH], folder[MAX_PATH + 64];
    const char *native = getenv("TUTTI_TEST_FOLDER");

    GetTempPathA(sizeof(temp), temp);
    if (native) {
        snprintf(folder, sizeof(folder), "%s/%u", native, number++);
    } else {
        snprintf(folder, sizeof(folder), "%stutti-cable-%lu-%u", temp, GetCurrentProcessId(),
                 number++);
    }
    SetEnvironmentVariableA("TUTTI_RUNTIME_DIR", folder);
    SetEnvironmentVariableA("TUTTI_SIM_FORMAT", format);
}

static void
open_driver(void)
{
    memset(&host, 0, sizeof(host));
    host.driver = create();
    assert_non_null(host.driver);
    assert_ok(host.driver, host.driver->methods->init(host.driver, NULL) ? ASIO_OK : -1);
}

static void
close_driver(void)
{
    if (host.driver) {
        host.driver->methods->release(host.driver);
    }
    host.driver = NULL;
}

static int
end(void **state)
{
    (void)state;
    close_driver();
    SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", NULL);
    SetEnvironmentVariableA("TUTTI_PROGRAM_DSD", NULL);
    SetEnvironmentVariableA("TUTTI_PROGRAM_LATE_TAKE", NULL);
    SetEnvironmentVariableA("TUTTI_PROGRAM_TIGHT", NULL);
    SetEnvironmentVariableA("TUTTI_DEVICE_PERIOD", NULL);
    return 0;
}

static int32_t
create_buffers(struct asio_driver *driver, int32_t buffer)
{
    for (int32_t c = 0; c < CHANNELS; c++) {
        host.infos[c] = (struct asio_buffer_info){.is_input = 0, .channel = c};
        host.infos[CHANNELS + c] = (struct asio_buffer_info){.is_input = 1, .channel = c};
    }
    return driver->methods->create_buffers(driver, host.infos, 2 * CHANNELS, buffer, &callbacks);
}

static void
assert_silent(unsigned half)
{
    for (unsigned c = 0; c < CHANNELS; c++) {
        const unsigned char *out = host.infos[c].buffers[half];
        for (size_t i = 0; i < host.cells * host.cell_bytes; i++) {
            assert_int_equal(out[i], silence());
        }
    }
}

static void
run(LONG blocks)
{
    const struct asio_driver_methods *m = host.driver->methods;

    host.right = host.wrong = 0;
    host.blocks = host.jumps = 0;
    host.next = 0;
    host.ready = !host.ready;
    assert_silent(0);
    assert_silent(1);
    for (unsigned c = 0; c < CHANNELS && host.fills; c++) {
        for (uint32_t i = 0; i < host.cells; i++) {
            make_cell((unsigned char *)host.infos[c].buffers[1] + i * host.cell_bytes, i, c);
        }
    }
    assert_ok(host.driver, m->start(host.driver));
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    while (host.blocks < blocks && GetTickCount64() < deadline) {
        Sleep(1);
    }
    assert_ok(host.driver, m->stop(host.driver));
    assert_true(host.blocks >= blocks);
    if (host.wrong || host.jumps) {
        print_message("buffers of %u cells, %s: %lld wrong, %lld right, %ld jumps\n", host.cells,
                      host.fills ? "filled" : "not filled", (long long)host.wrong,
                      (long long)host.right, (long)host.jumps);
    }
    assert_int_equal(host.jumps, 0);
    assert_int_equal(host.wrong, 0);
}

/* Plays until enough came back; buffer in the host's samples. */
static void
play(int32_t buffer, int32_t type, size_t cell_bytes, uint32_t cell_samples, uint32_t bits)
{
    const struct asio_driver_methods *m = host.driver->methods;
    struct asio_channel_info info = {.channel = 1};
    int32_t input = 0, output = 0;

    assert_ok(host.driver, create_buffers(host.driver, buffer));
    assert_ok(host.driver, m->get_channel_info(host.driver, &info));
    assert_int_equal(info.type, type);
    assert_ok(host.driver, m->get_latencies(host.driver, &input, &output));
    host.type = type;
    host.cell_bytes = cell_bytes;
    host.cell_samples = cell_samples;
    host.cells = (uint32_t)buffer / cell_samples;
    host.bits = bits;
    int32_t unit = cell_samples == 8 ? DSD_UNIT : 1;
    host.distance = (uint64_t)(input + output + CABLE_FRAMES * unit) / cell_samples;
    LONG blocks = BLOCKS + (LONG)(host.distance / host.cells);
    for (unsigned i = 0; i < 2; i++) {
        host.fills = i == 0;
        run(i == 0 ? blocks : blocks - BLOCKS + 3);
        if (i == 0) {
            assert_true(host.right >=
                        (LONG64)CHANNELS * (BLOCKS - 3) * host.cells - 2 * LOCK_BYTES);
        }
    }
    assert_ok(host.driver, m->dispose_buffers(host.driver));
}

/* ---- tests ---- */

static const struct pair {
    const char *word, *card;
    int32_t type;
    size_t bytes;
    uint32_t bits; /* of the words played: what type and card both hold */
} pairs[] = {
    {"int16", "int16", ASIO_INT16_LSB, 2, 16},     {"int16", "int24", ASIO_INT16_LSB, 2, 16},
    {"int24", "int24", ASIO_INT24_LSB, 3, 24},     {"int24", "int24in32", ASIO_INT24_LSB, 3, 24},
    {"int24", "float32", ASIO_INT24_LSB, 3, 24},   {"int32", "int32", ASIO_INT32_LSB, 4, 24},
    {"float32", "int24", ASIO_FLOAT32_LSB, 4, 24}, {"float64", "int32", ASIO_FLOAT64_LSB, 8, 24},
    {NULL, "int24", ASIO_INT32_LSB, 4, 24}, /* the default, as makers' drivers have it */
};

static void
every_type_comes_back_as_it_went(void **state)
{
    (void)state;
    for (unsigned p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
        const struct pair *pair = &pairs[p];
        use_card(pair->card);
        SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", pair->word);
        open_driver();
        for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            play(sizes[s], pair->type, pair->bytes, 1, pair->bits);
        }
        close_driver();
    }
}

/* Buffers that are complete one call later, and such as reach over several periods. */
static void
half_1_is_played_first_in_every_way_to_hand_over(void **state)
{
    static const char *const ways[] = {"TUTTI_PROGRAM_LATE_TAKE", "TUTTI_PROGRAM_TIGHT"};
    static const char *const periods[] = {"32", "480"};

    (void)state;
    for (unsigned w = 0; w < 2; w++) {
        for (unsigned p = 0; p < sizeof(periods) / sizeof(periods[0]); p++) {
            SetEnvironmentVariableA("TUTTI_DEVICE_PERIOD", periods[p]);
            SetEnvironmentVariableA(ways[w], "yes");
            use_card("int24");
            for (unsigned t = 0; t < 2; t++) {
                SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", t ? "int32" : "float32");
                open_driver();
                for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s += 3) {
                    play(sizes[s], t ? ASIO_INT32_LSB : ASIO_FLOAT32_LSB, 4, 1, 24);
                }
                close_driver();
            }
            SetEnvironmentVariableA(ways[w], NULL);
        }
    }
}

static void
enter_dsd(double rate_hz)
{
    struct asio_io_format format = {.type = ASIO_FORMAT_DSD};
    struct asio_driver *driver = host.driver;

    assert_ok(driver, driver->methods->future(driver, ASIO_FUTURE_CAN_DO_IO_FORMAT, &format));
    assert_ok(driver, driver->methods->future(driver, ASIO_FUTURE_SET_IO_FORMAT, &format));
    assert_ok(driver, driver->methods->can_sample_rate(driver, rate_hz));
    assert_ok(driver, driver->methods->set_sample_rate(driver, rate_hz));
}

static void
dsd_comes_back_as_it_went(void **state)
{
    static const struct {
        const char *card, *order;
        int32_t type;
        double rate_hz;
    } cases[] = {
        {"int24", "msb", ASIO_DSD_INT8_MSB1, 2822400},
        {"int24in32", "lsb", ASIO_DSD_INT8_LSB1, 5644800},
        {"int32", "msb", ASIO_DSD_INT8_MSB1, 11289600},
        {"float32", "lsb", ASIO_DSD_INT8_LSB1, 3072000},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        use_card(cases[i].card);
        SetEnvironmentVariableA("TUTTI_PROGRAM_DSD", cases[i].order);
        open_driver();
        enter_dsd(cases[i].rate_hz);
        for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            play(sizes[s] * DSD_UNIT, cases[i].type, 1, 8, 8);
        }
        close_driver();
    }
}

static void
assert_says(struct asio_driver *driver, const char *part)
{
    char text[ASIO_ERROR_BYTES];

    driver->methods->get_error_message(driver, text);
    if (!strstr(text, part)) {
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    }
}

static void
dsd_has_the_device_alone(void **state)
{
    (void)state;
    use_card("int24");
    SetEnvironmentVariableA("TUTTI_PROGRAM_DSD", "msb");
    open_driver();
    struct asio_driver *other = create();
    assert_int_equal(other->methods->init(other, NULL), 1);
    enter_dsd(2822400);
    assert_ok(host.driver, create_buffers(host.driver, 2048));
    assert_true(create_buffers(other, 256) != ASIO_OK);
    assert_says(other, "plays DSD");
    assert_ok(host.driver, host.driver->methods->dispose_buffers(host.driver));
    assert_ok(other, create_buffers(other, 256));
    assert_true(create_buffers(host.driver, 2048) != ASIO_OK);
    assert_says(host.driver, "device alone");
    other->methods->release(other);
}

static void
a_card_of_16_bits_carries_no_dsd(void **state)
{
    (void)state;
    use_card("int16");
    SetEnvironmentVariableA("TUTTI_PROGRAM_DSD", "msb");
    open_driver();
    enter_dsd(2822400);
    assert_true(create_buffers(host.driver, 2048) != ASIO_OK);
    assert_says(host.driver, "cannot carry DSD");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_type_comes_back_as_it_went, end),
        cmocka_unit_test_teardown(half_1_is_played_first_in_every_way_to_hand_over, end),
        cmocka_unit_test_teardown(dsd_comes_back_as_it_went, end),
        cmocka_unit_test_teardown(dsd_has_the_device_alone, end),
        cmocka_unit_test_teardown(a_card_of_16_bits_carries_no_dsd, end),
    };

    if (argc != 3) {
        fprintf(stderr, "usage: %s tutti.dll tuttid.exe\n", argv[0]);
        return 2;
    }
    dll_path = argv[1];
    dll = LoadLibraryA(dll_path);
    if (!dll) {
        fprintf(stderr, "%s cannot be loaded: %lu\n", dll_path, GetLastError());
        return 1;
    }
    SetEnvironmentVariableA("TUTTI_ENGINE", argv[2]);
    SetEnvironmentVariableA("TUTTI_NATIVE_ENGINE", argv[2]);
    SetEnvironmentVariableA("TUTTI_CONFIG", "C:\\no\\such\\tutti.ini");
    SetEnvironmentVariableA("TUTTI_DEVICE_BACKEND", "sim");
    SetEnvironmentVariableA("TUTTI_SIM_CABLE", "37");          /* CABLE_FRAMES */
    SetEnvironmentVariableA("TUTTI_SIM_ELASTIC_MS", "5000");   /* nobody is late */
    SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER_STEP", "1"); /* any size */
    SetEnvironmentVariableA("TUTTI_ENGINE_GRACE_MS", "200");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
