/* SPDX-License-Identifier: MIT */
/* Profiles and their devices, and a configuration that changes under programs that
 * play, on the stepped card. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "engine/live.h"
#include "rig.h"

static struct rig rig;
static struct engine_profile profiles[2];
static char error[PROTO_TEXT_BYTES];

static int
begin(void **state)
{
    (void)state;
    rig_config(&rig);
    rig.check_output = false;
    rig_open(&rig);
    for (unsigned i = 0; i < 2; i++) {
        profiles[i].config = rig.config;
        snprintf(profiles[i].name, sizeof(profiles[i].name), i ? "Second" : "First");
    }
    return 0;
}

static int
end(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static enum tutti_status
configure(void)
{
    return engine_configure(rig.engine, &rig.config, profiles, 2, error);
}

static struct rig_program *
join_as(const char *profile)
{
    rig.profile = profile;
    return rig_join(&rig, 64, 2, 2, 0, 0);
}

static enum tutti_status
try_as(const char *profile)
{
    static const struct proto_channel channels[2] = {{.channel = 0}, {.channel = 1}};
    rig.profile = profile;
    return rig_try_join(&rig, &rig.program[RIG_MAX_PROGRAMS - 1], 64, 2, channels, 2, channels, 0);
}

static struct proto_device
device_of(const char *profile)
{
    struct proto_device device;
    engine_get_device(rig.engine, profile, &device);
    return device;
}

/* ---- two profiles ---- */

static void
profiles_of_one_device_play_together(void **state)
{
    (void)state;
    profiles[0].config.program_buffer = 32; /* the driver's business */
    snprintf(profiles[1].config.device_name, CONFIG_TEXT_BYTES, "Virtual sound card");
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *none = join_as(NULL), *first = join_as("First"),
                       *second = join_as("SECOND");
    rig_steps(&rig, 8);
    assert_true(none->blocks > 3 && first->blocks > 3 && second->blocks > 3);
}

#define FIRST_CARD "Virtual sound card"
#define SECOND_CARD "Second virtual sound card"

static void
name_device(struct config *config, const char *name)
{
    snprintf(config->device_name, CONFIG_TEXT_BYTES, "%s", name);
}

static void
profiles_of_two_devices_play_at_the_same_time(void **state)
{
    (void)state;
    rig.check_output = true;
    name_device(&profiles[1].config, SECOND_CARD);
    profiles[1].config.sim_ppm = 150; /* a clock of its own */
    profiles[1].config.device_rate = 44100;
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *none = join_as(NULL), *second = join_as("Second"),
                       *also = join_as("Second");
    assert_string_equal(none->answer.device.name, FIRST_CARD);
    assert_string_equal(second->answer.device.name, SECOND_CARD);
    assert_true(none->answer.device.rate_hz == 48000 && second->answer.device.rate_hz == 44100);
    rig_run_frames(&rig, 48000);
    assert_in_range(none->blocks, 740, 751);
    assert_in_range(second->blocks, 680, 691);
    assert_in_range(also->blocks, 680, 691);
    /* each card played what its own programs played, and nothing else, sample by sample */
    assert_true(rig_air(&rig, FIRST_CARD)->output_frames > 47000);
    assert_true(rig_air(&rig, SECOND_CARD)->output_frames > 43000);
    assert_int_equal(rig.wrong_outputs, 0);
    assert_int_equal(none->wrong_inputs + second->wrong_inputs + also->wrong_inputs, 0);
    assert_int_equal(none->wrong_stamps + second->wrong_stamps + also->wrong_stamps, 0);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 0);
}

static void
status_shows_each_device_and_who_plays_through_it(void **state)
{
    struct proto_status_reply reply;
    const char *why;
    (void)state;
    name_device(&profiles[1].config, SECOND_CARD);
    assert_int_equal(configure(), TUTTI_OK);
    engine_get_status(rig.engine, 0, &reply);
    assert_int_equal(reply.device_count, 0);
    join_as(NULL);
    struct rig_program *second = join_as("Second");
    rig_steps(&rig, 8);
    engine_get_status(rig.engine, 0, &reply);
    assert_int_equal(proto_check(&reply, sizeof(reply), false, &why), TUTTI_OK);
    assert_int_equal(reply.device_count, 2);
    assert_string_equal(reply.device.name, FIRST_CARD);
    assert_string_equal(reply.open_device[0].device.name, FIRST_CARD);
    assert_string_equal(reply.open_device[1].device.name, SECOND_CARD);
    assert_int_equal(reply.device_index[0], 0);
    assert_int_equal(reply.device_index[1], 1);
    assert_true(reply.open_device[0].cycles >= 3 && reply.open_device[1].cycles >= 3);
    assert_int_equal(reply.cycles, reply.open_device[0].cycles);
    rig_kill(second);
    rig_run_frames(&rig, 2 * 48000); /* it closes when nobody plays on it */
    engine_get_status(rig.engine, 0, &reply);
    assert_int_equal(reply.device_count, 1);
    assert_string_equal(reply.open_device[0].device.name, FIRST_CARD);
}

static void
losing_one_device_does_not_touch_the_other(void **state)
{
    (void)state;
    rig.check_output = true;
    name_device(&profiles[1].config, SECOND_CARD);
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *none = join_as(NULL), *second = join_as("Second");
    rig_steps(&rig, 20);
    rig.may_lose = true;
    sim_unplug_card(SECOND_CARD);
    rig_run_frames(&rig, 24000);
    assert_int_equal(device_of("Second").state, PROTO_STREAM_LOST);
    assert_int_equal(device_of("").state, PROTO_STREAM_RUNNING);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_LOST], 1); /* of the one program there */
    uint64_t blocks = second->blocks;
    rig_run_frames(&rig, 4800);
    assert_in_range(second->blocks - blocks, 70, 80); /* called on, in silence */
    sim_plug_card(SECOND_CARD);
    rig_run_frames(&rig, 24000);
    assert_int_equal(device_of("Second").state, PROTO_STREAM_RUNNING);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_BACK], 1);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 1);
    assert_int_equal(none->jumps, 0);
    assert_int_equal(none->wrong_inputs + none->wrong_stamps, 0);
    assert_int_equal(rig_air(&rig, FIRST_CARD)->wrong_outputs, 0);
    assert_true(rig_air(&rig, FIRST_CARD)->output_frames > 50000);
}

/* Time passes while a card opens: the others' cycles begin as usual, and the engine is tended by
 * its other thread. */
static void
pass_with_the_other_card(void *user)
{
    const uint64_t end_ns = sim_now_ns();
    struct backend_stream *stream;
    (void)user;
    while ((stream = sim_next()) && sim_next_ns(stream) <= end_ns) {
        sim_step(stream);
    }
    engine_tend(rig.engine);
}

static void
a_device_that_opens_slowly_does_not_disturb_the_other(void **state)
{
    char problem[CONFIG_TEXT_BYTES];
    (void)state;
    rig.check_output = true;
    name_device(&profiles[1].config, SECOND_CARD);
    assert_int_equal(
        config_set(&profiles[1].config, "sim", "faults", "at 0 slow-open 3000", problem), TUTTI_OK);
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *none = join_as(NULL);
    rig_steps(&rig, 20);
    sim_set_passing(pass_with_the_other_card, NULL);
    uint64_t blocks = none->blocks, from_ns = sim_now_ns();
    join_as("Second");
    uint64_t passed = (sim_now_ns() - from_ns) * 48 / 64 / OS_NS_PER_MS; /* blocks */
    assert_true(passed >= 2250);
    assert_in_range(none->blocks - blocks, passed - 3, passed + 3);
    rig_run_frames(&rig, 24000);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_LOST], 0);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 0);
    assert_int_equal(none->jumps + none->wrong_inputs + rig.wrong_outputs, 0);
}

static void
a_device_that_does_not_exist_is_refused_and_the_other_plays_on(void **state)
{
    (void)state;
    name_device(&profiles[0].config, "hw:USB,0");
    assert_int_equal(configure(), TUTTI_OK);
    assert_int_equal(device_of("First").inputs + device_of("First").outputs, 0);
    struct rig_program *none = join_as(NULL);
    rig_steps(&rig, 4);
    assert_int_equal(try_as("First"), TUTTI_NO_DEVICE);
    assert_non_null(strstr(rig.error, "hw:USB,0"));
    uint64_t blocks = none->blocks;
    rig_steps(&rig, 4);
    assert_true(none->blocks > blocks);
}

/* The default device and the same one by its name are one device. */
static void
the_default_device_by_its_name_is_shared(void **state)
{
    struct proto_status_reply reply;
    (void)state;
    name_device(&profiles[0].config, FIRST_CARD);
    profiles[0].config.device_period = 32;
    assert_int_equal(configure(), TUTTI_OK);
    join_as("First");
    join_as(NULL);
    rig_steps(&rig, 4);
    engine_get_status(rig.engine, 0, &reply);
    assert_int_equal(reply.device_count, 1);
}

/* A program that only reads another one plays on that one's device, so that it gets the samples
 * themselves. */
static void
a_program_that_only_reads_another_one_follows_it_to_its_device(void **state)
{
    (void)state;
    name_device(&profiles[1].config, SECOND_CARD);
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *second = join_as("Second"), *reader = &rig.program[rig.programs];
    const struct proto_channel source = {.kind = PROTO_CHANNEL_PROGRAM, .program = second->id};
    rig.profile = NULL;
    assert_int_equal(rig_try_join(&rig, reader, 64, 1, &source, 0, &source, 0), TUTTI_OK);
    assert_string_equal(reader->answer.device.name, SECOND_CARD);
    rig_kill(reader);
}

/* ---- from one device to another ---- */

enum { HEARD_FRAMES = 8 * 48000, WINDOW = 12000 };
#define TONE_HZ 1000.0
#define TURN 6.283185307179586

static float heard[2][HEARD_FRAMES];
static uint64_t heard_frames;

static void
play_a_tone(struct rig_program *program, const struct proto_stamp *stamp)
{
    for (uint32_t c = 0; c < 2; c++) {
        float *output = proto_output(&program->layout, program->segment, c, stamp->seq & 1);
        for (uint32_t i = 0; i < program->layout.buffer_frames; i++) {
            double t = (double)(stamp->position_frames + i) / 48000;
            output[i] = (float)((c ? 0.25 : 0.5) * sin(TURN * TONE_HZ * t));
        }
    }
}

static void
listen_to_it(struct rig_program *program, const struct proto_stamp *stamp)
{
    uint32_t frames = program->layout.buffer_frames;
    for (uint32_t c = 0; c < 2 && heard_frames + frames <= HEARD_FRAMES; c++) {
        memcpy(heard[c] + heard_frames,
               proto_input(&program->layout, program->segment, c, stamp->seq & 1),
               frames * sizeof(float));
    }
    heard_frames += frames;
}

/* The part of a window that is no tone of this frequency, in dB of the tone; *gain: the tone's. */
static double
residual_db(const float *samples, double turns_per_frame, double *gain)
{
    double ss = 0, cc = 0, sc = 0, xs = 0, xc = 0, xx = 0, rest = 0;
    for (unsigned i = 0; i < WINDOW; i++) {
        double s = sin(TURN * turns_per_frame * i), c = cos(TURN * turns_per_frame * i);
        ss += s * s;
        cc += c * c;
        sc += s * c;
        xs += (double)samples[i] * s;
        xc += (double)samples[i] * c;
        xx += (double)samples[i] * (double)samples[i];
    }
    double det = ss * cc - sc * sc, a = (xs * cc - xc * sc) / det, b = (xc * ss - xs * sc) / det;
    for (unsigned i = 0; i < WINDOW; i++) {
        double left = (double)samples[i] - a * sin(TURN * turns_per_frame * i) -
                      b * cos(TURN * turns_per_frame * i);
        rest += left * left;
    }
    *gain = sqrt(a * a + b * b);
    return 10 * log10(rest / xx);
}

static struct rig_program *
join_reader(const struct rig_program *source)
{
    struct rig_program *reader = &rig.program[rig.programs];
    const struct proto_channel input[2] = {
        {.kind = PROTO_CHANNEL_PROGRAM, .program = source->id, .channel = 0},
        {.kind = PROTO_CHANNEL_PROGRAM, .program = source->id, .channel = 1}};
    const struct proto_channel output = {.channel = 0};
    rig.profile = NULL;
    assert_int_equal(rig_try_join(&rig, reader, 128, 2, input, 1, &output, 0), TUTTI_OK);
    rig.programs++;
    reader->on_block = listen_to_it;
    rig_start(reader);
    return reader;
}

/* The second card's clock is faster by 180 ppm: what its program plays is heard on the first card
 * without a gap, at the frequency that it really has, on both channels alike. */
static void
a_program_is_heard_on_another_device_without_a_click(void **state)
{
    (void)state;
    name_device(&profiles[1].config, SECOND_CARD);
    profiles[1].config.sim_ppm = 180;
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *second = join_as("Second");
    second->on_block = play_a_tone;
    heard_frames = 0;
    struct rig_program *reader = join_reader(second);
    assert_string_equal(reader->answer.device.name, FIRST_CARD);
    rig_run_frames(&rig, HEARD_FRAMES + 4800);
    double turns = TONE_HZ * (1 + 180e-6) / 48000, gain[2];
    for (unsigned at = 3 * 48000; at + WINDOW <= HEARD_FRAMES; at += WINDOW) {
        assert_true(residual_db(heard[0] + at, turns, &gain[0]) < -80);
        assert_true(residual_db(heard[1] + at, turns, &gain[1]) < -80);
        assert_true(fabs(gain[0] - 0.5) < 1e-3 && fabs(gain[1] - 0.25) < 1e-3);
    }
    for (unsigned i = 3 * 48000; i < HEARD_FRAMES; i++) { /* the channels keep together */
        assert_true(fabsf(heard[0][i] - 2 * heard[1][i]) < 1e-4F);
    }
    assert_int_equal(reader->jumps + second->jumps, 0);
}

static float
loudest(unsigned first, unsigned end)
{
    float most = 0;
    for (unsigned i = first; i < end; i++) {
        most = fabsf(heard[0][i]) > most ? fabsf(heard[0][i]) : most;
    }
    return most;
}

/* The source's device is unplugged, comes back, and the source leaves: the reader hears silence
 * meanwhile, is never late, and its own device knows nothing of it. */
static void
a_source_on_a_lost_device_is_silent_and_comes_back(void **state)
{
    (void)state;
    name_device(&profiles[1].config, SECOND_CARD);
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *second = join_as("Second");
    second->on_block = play_a_tone;
    heard_frames = 0;
    struct rig_program *reader = join_reader(second);
    rig_run_frames(&rig, 48000);
    rig.may_lose = true;
    sim_unplug_card(SECOND_CARD);
    rig_run_frames(&rig, 48000);
    sim_plug_card(SECOND_CARD);
    rig_run_frames(&rig, 3 * 48000);
    assert_int_equal(device_of("Second").state, PROTO_STREAM_RUNNING);
    rig_kill(second);
    rig_run_frames(&rig, 48000);
    assert_true(loudest(36000, 46000) > 0.4F);
    assert_true(loudest(4 * 48000, 5 * 48000 - 4800) > 0.4F);
    assert_true(loudest(5 * 48000 + 4800, 6 * 48000 - 4800) == 0);
    assert_int_equal(reader->jumps + reader->wrong_stamps, 0);
    assert_int_equal(device_of("").state, PROTO_STREAM_RUNNING);
}

static void
a_program_that_plays_nothing_yet_sees_the_device_of_its_profile(void **state)
{
    (void)state;
    profiles[0].config.sim_inputs = 3;
    profiles[1].config.device_rate = 96000;
    assert_int_equal(configure(), TUTTI_OK);
    assert_int_equal(device_of("").inputs, 8);
    assert_int_equal(device_of("First").inputs, 3);
    assert_true(device_of("Second").rate_hz == 96000);
    assert_int_equal(device_of("no such").inputs, 8);
    struct rig_program *first = join_as("First");
    assert_int_equal(first->answer.device.inputs, 3);
    rig_steps(&rig, 4);
    rig_kill(first);
    rig_steps(&rig, 2);
    struct rig_program *none = join_as(NULL);
    assert_int_equal(none->answer.device.inputs, 8);
}

static void
each_profile_remembers_the_rate_that_its_programs_asked_for(void **state)
{
    struct proto_hello hello = {.bits = 64, .program = "p", .profile = "First"};
    uint32_t id;
    (void)state;
    profiles[0].config.sim_inputs = 3;
    assert_int_equal(configure(), TUTTI_OK);
    assert_int_equal(engine_connect(rig.engine, &hello, 0, &id), TUTTI_OK);
    assert_int_equal(engine_set_rate(rig.engine, id, 44100, error), TUTTI_OK);
    assert_true(device_of("First").rate_hz == 44100);
    assert_true(device_of("").rate_hz == 48000);
    engine_disconnect(rig.engine, id);
    struct rig_program *none = join_as(NULL);
    assert_true(none->answer.device.rate_hz == 48000);
    rig_kill(none);
    rig_steps(&rig, 2);
    struct rig_program *first = join_as("First");
    assert_true(first->answer.device.rate_hz == 44100);
}

/* ---- changes while programs play ---- */

static void
a_changed_configuration_reopens_the_device_and_tells_the_programs(void **state)
{
    struct proto_status_reply reply;
    (void)state;
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *none = join_as(NULL);
    rig_steps(&rig, 4);
    assert_int_equal(configure(), TUTTI_OK); /* the same: nothing happens */
    rig_steps(&rig, 2);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 0);
    rig.config.device_period = 32;
    assert_int_equal(configure(), TUTTI_OK);
    rig_steps(&rig, 2);
    engine_get_status(rig.engine, 0, &reply);
    assert_int_equal(reply.reopenings, 1);
    assert_int_equal(reply.device.period_frames, 32);
    assert_int_equal(reply.device.state, PROTO_STREAM_RUNNING);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 1);
    assert_int_equal(rig.events[PROTO_EVENT_RATE], 1);
    uint64_t blocks = none->blocks;
    rig_steps(&rig, 8);
    assert_true(none->blocks > blocks);
}

static void
another_profile_s_change_does_not_touch_who_plays(void **state)
{
    (void)state;
    assert_int_equal(configure(), TUTTI_OK);
    join_as("First");
    rig_steps(&rig, 4);
    profiles[1].config.device_period = 32;
    rig.config.device_period = 128;
    assert_int_equal(configure(), TUTTI_OK);
    rig_steps(&rig, 2);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 0);
    assert_int_equal(device_of("First").period_frames, 64);
}

static void
a_device_that_cannot_be_opened_leaves_the_former_one_playing(void **state)
{
    (void)state;
    assert_int_equal(configure(), TUTTI_OK);
    struct rig_program *none = join_as(NULL);
    rig_steps(&rig, 4);
    snprintf(rig.config.device_name, CONFIG_TEXT_BYTES, "Nowhere");
    assert_int_equal(configure(), TUTTI_NO_DEVICE);
    assert_non_null(strstr(error, "Nowhere"));
    assert_int_equal(device_of("First").state, PROTO_STREAM_RUNNING);
    uint64_t blocks = none->blocks;
    rig_steps(&rig, 8);
    assert_true(none->blocks > blocks);
    /* mended: it is followed again */
    rig.config.device_name[0] = '\0';
    rig.config.device_period = 32;
    assert_int_equal(configure(), TUTTI_OK);
    assert_int_equal(device_of("").period_frames, 32);
    assert_int_equal(device_of("").state, PROTO_STREAM_RUNNING);
}

static void
a_rate_that_a_program_chose_survives_a_change_of_something_else(void **state)
{
    struct proto_hello hello = {.bits = 64, .program = "p"};
    uint32_t id;
    (void)state;
    assert_int_equal(configure(), TUTTI_OK);
    assert_int_equal(engine_connect(rig.engine, &hello, 0, &id), TUTTI_OK);
    assert_int_equal(engine_set_rate(rig.engine, id, 44100, error), TUTTI_OK);
    engine_disconnect(rig.engine, id);
    rig.config.device_period = 32;
    assert_int_equal(configure(), TUTTI_OK);
    assert_true(device_of("").rate_hz == 44100);
    struct rig_program *program = join_as(NULL);
    assert_true(program->answer.device.rate_hz == 44100);
    rig.config.device_rate = 96000;
    assert_int_equal(configure(), TUTTI_OK);
    assert_true(device_of("").rate_hz == 96000);
    rig_steps(&rig, 2);
    assert_int_equal(rig.events[PROTO_EVENT_RATE], 1);
    assert_true(rig.last_event[PROTO_EVENT_RATE].rate_hz == 96000);
}

/* Nobody plays meanwhile: tending is all there is. */
static void
pass_seconds(double seconds)
{
    for (double passed = 0; passed < seconds; passed += 0.1) {
        sim_advance_ns(sim_now_ns() + 100 * OS_NS_PER_MS);
        engine_tend(rig.engine);
    }
}

static void
a_rate_is_forgotten_some_time_after_the_program_that_chose_it(void **state)
{
    struct proto_hello hello = {.bits = 64, .program = "p"};
    uint32_t id, other;
    (void)state;
    assert_int_equal(configure(), TUTTI_OK);
    assert_int_equal(engine_connect(rig.engine, &hello, 0, &id), TUTTI_OK);
    assert_int_equal(engine_connect(rig.engine, &hello, 0, &other), TUTTI_OK);
    assert_int_equal(engine_set_rate(rig.engine, id, 44100, error), TUTTI_OK);
    pass_seconds(20);
    assert_true(device_of("").rate_hz == 44100); /* it is there, and may play any time */
    struct rig_program *player = join_as(NULL);
    engine_disconnect(rig.engine, id);
    rig_run_frames(&rig, 10 * 44100);
    assert_true(device_of("").rate_hz == 44100); /* somebody plays by it */
    rig_kill(player);
    pass_seconds(4);
    assert_true(device_of("").rate_hz == 44100); /* a host that closes and opens again */
    pass_seconds(2);
    assert_true(device_of("").rate_hz == 48000);
    assert_true(join_as(NULL)->answer.device.rate_hz == 48000);
}

/* ---- the file ---- */

static char path[400];
static struct live live;

static bool
variables(const char *name, char *value, size_t bytes)
{
    if (strcmp(name, "TUTTI_CONFIG") == 0) {
        snprintf(value, bytes, "%s", path);
        return true;
    }
    if (strcmp(name, "TUTTI_DEVICE_BACKEND") == 0) {
        snprintf(value, bytes, "sim");
        return true;
    }
    return false;
}

static void
write_file(const char *text)
{
    assert_int_equal(file_write(path, text, strlen(text)), TUTTI_OK);
}

/* Two looks: a change that has stood still. */
static void
look_twice(void)
{
    static uint64_t now_ns = 1;
    for (unsigned i = 0; i < 2; i++) {
        now_ns += OS_NS_PER_S;
        live_look(&live, rig.engine, now_ns);
    }
}

static const char *
problem(void)
{
    static char text[PROTO_TEXT_BYTES];
    live_problem(&live, text);
    return text;
}

static void
open_live(const char *text)
{
    const char *folder = getenv("TEMP");
    if (!folder) {
        folder = getenv("TMPDIR");
    }
    snprintf(path, sizeof(path), "%s/tutti-%u-J\xc3\xb6rg.ini", folder ? folder : "/tmp",
             (unsigned)os_process_id());
    write_file(text);
    live_open(&live, variables);
    live_apply(&live, rig.engine);
}

static void
close_live(void)
{
    live_close(&live);
    assert_true(file_remove(path));
    log_set_level(LOG_INFO);
    log_set_limits(LOG_SIZE_BYTES, LOG_KEEP);
}

static void
a_changed_file_is_followed_when_it_stands_still(void **state)
{
    static uint64_t now_ns = UINT64_C(1) << 40;
    (void)state;
    open_live("[device]\nperiod = 64\n[profile First]\nsim.inputs = 3\n"
              "[profile Gone]\ndevice.name = hw:USB,0\n");
    assert_int_equal(device_of("").period_frames, 64);
    assert_int_equal(device_of("Gone").inputs, 0);
    assert_int_equal(device_of("First").inputs, 3);
    look_twice();
    assert_int_equal(device_of("First").inputs, 3);
    write_file("[device]\nperiod = 32\n[profile Third]\nsim.inputs = 5\n");
    now_ns += OS_NS_PER_S;
    live_look(&live, rig.engine, now_ns);
    assert_int_equal(device_of("").period_frames, 64); /* seen, and perhaps still being written */
    now_ns += OS_NS_PER_S;
    live_look(&live, rig.engine, now_ns);
    assert_int_equal(device_of("").period_frames, 32);
    assert_int_equal(device_of("First").inputs, 8);
    assert_int_equal(device_of("third").inputs, 5);
    close_live();
}

static void
a_mistake_in_the_file_keeps_the_last_good_value_until_it_is_mended(void **state)
{
    (void)state;
    open_live("[program]\nbuffer = 128\n[engine]\ngrace_ms = 5\n");
    assert_string_equal(problem(), "");
    write_file("[engine]\ngrace_ms = 7\n[program]\nbuffer = many\n");
    look_twice();
    assert_non_null(strstr(problem(), ".ini:4: buffer is a whole number"));
    assert_non_null(strstr(problem(), "128 stays"));
    assert_int_equal(live.config.program_buffer, 128);
    assert_int_equal(live.config.engine_grace_ms, 7);
    /* and again: the last good value is still the same */
    write_file("[program]\nbuffer = very many\n");
    look_twice();
    assert_int_equal(live.config.program_buffer, 128);
    write_file("[program]\nbuffer = 64\n");
    look_twice();
    assert_string_equal(problem(), "");
    assert_int_equal(live.config.program_buffer, 64);
    close_live();
}

static void
a_mistake_in_a_profile_is_told_with_its_own_value(void **state)
{
    (void)state;
    open_live("[program]\nbuffer = 128\n[profile First]\nprogram.buffer = 32\n");
    write_file("[program]\nbuffer = 128\n[profile First]\nprogram.buffer = few\n");
    look_twice();
    assert_non_null(strstr(problem(), ".ini:4: "));
    assert_non_null(strstr(problem(), "32 stays"));
    assert_int_equal(live.profile[0].config.program_buffer, 32);
    close_live();
}

static void
the_log_follows_the_file(void **state)
{
    char log[sizeof(path) + 8], *text = NULL;
    size_t bytes = 0;
    (void)state;
    open_live("");
    snprintf(log, sizeof(log), "%s.log", path);
    assert_true(file_remove(log));
    log_open("test", log);
    log_debug("one");
    write_file("[log]\nlevel = debug\n");
    look_twice();
    log_debug("two");
    write_file("[log]\nlevel = error\n");
    look_twice();
    log_warning("three");
    log_close();
    assert_int_equal(file_read(log, 1 << 16, &text, &bytes), TUTTI_OK);
    assert_null(strstr(text, "one"));
    assert_non_null(strstr(text, "test: two"));
    assert_null(strstr(text, "three"));
    free(text);
    assert_true(file_remove(log));
    close_live();
}

static void
what_the_engine_cannot_do_is_told_too(void **state)
{
    (void)state;
    open_live("");
    join_as(NULL);
    rig_steps(&rig, 4);
    write_file("[device]\nname = Nowhere\n");
    look_twice();
    assert_non_null(strstr(problem(), "Nowhere"));
    write_file("");
    look_twice();
    assert_string_equal(problem(), "");
    close_live();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(profiles_of_one_device_play_together),
        TEST(profiles_of_two_devices_play_at_the_same_time),
        TEST(status_shows_each_device_and_who_plays_through_it),
        TEST(losing_one_device_does_not_touch_the_other),
        TEST(a_device_that_opens_slowly_does_not_disturb_the_other),
        TEST(a_device_that_does_not_exist_is_refused_and_the_other_plays_on),
        TEST(the_default_device_by_its_name_is_shared),
        TEST(a_program_that_only_reads_another_one_follows_it_to_its_device),
        TEST(a_program_is_heard_on_another_device_without_a_click),
        TEST(a_source_on_a_lost_device_is_silent_and_comes_back),
        TEST(a_program_that_plays_nothing_yet_sees_the_device_of_its_profile),
        TEST(each_profile_remembers_the_rate_that_its_programs_asked_for),
        TEST(a_changed_configuration_reopens_the_device_and_tells_the_programs),
        TEST(another_profile_s_change_does_not_touch_who_plays),
        TEST(a_device_that_cannot_be_opened_leaves_the_former_one_playing),
        TEST(a_rate_that_a_program_chose_survives_a_change_of_something_else),
        TEST(a_rate_is_forgotten_some_time_after_the_program_that_chose_it),
        TEST(a_changed_file_is_followed_when_it_stands_still),
        TEST(a_mistake_in_the_file_keeps_the_last_good_value_until_it_is_mended),
        TEST(a_mistake_in_a_profile_is_told_with_its_own_value),
        TEST(what_the_engine_cannot_do_is_told_too),
        TEST(the_log_follows_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
