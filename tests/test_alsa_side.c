/* SPDX-License-Identifier: MIT */
/*
 * Periods in and out of PCMs that no plugin and no card here is like: rings that a period does not
 * fit into evenly, calls that give less than was promised, sides that are linked. libasound is
 * replaced by a table of functions over a ring in memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/alsa/alsa_stream.h"

enum { RING = 150, PERIOD = 64, CHANNELS = 3, EXPOSED = 2, PERIODS = 40 };

/* A PCM of 16 bits. Frame f of channel c sounds sample(f, c). */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the name in its header
 */
struct _snd_pcm {
    snd_pcm_stream_t direction;
    bool planar;
    bool runs;   /* a period comes whenever somebody looks */
    bool broken; /* until it is prepared */
    snd_pcm_state_t state;
    uint64_t hw, appl;
    int16_t ring[RING * CHANNELS];
    snd_pcm_channel_area_t areas[CHANNELS];
    unsigned long most; /* frames that one call moves */
    unsigned empty;     /* calls that move nothing before one does */
    unsigned calls;
    int16_t played[PERIODS * PERIOD * 2][CHANNELS];
};

static snd_pcm_t out, in;
static struct alsa_side playback, capture;
static unsigned char bounce[2][PERIOD * CHANNELS * 2];
static char story[64]; /* what was prepared and started, in order */

static int16_t
sample(uint64_t frame, unsigned channel)
{
    return (int16_t)(frame * 7 + channel * 1000 + 1);
}

static int16_t *
ring_at(snd_pcm_t *pcm, uint64_t frame, unsigned channel)
{
    uint64_t at = frame % RING;
    return &pcm->ring[pcm->planar ? channel * RING + at : at * CHANNELS + channel];
}

/* The device captures a period. */
static void
capture_a_period(void)
{
    for (unsigned i = 0; i < PERIOD; i++, in.hw++) {
        for (unsigned c = 0; c < CHANNELS; c++) {
            *ring_at(&in, in.hw, c) = sample(in.hw, c);
        }
    }
}

/* ---- libasound ---- */

static snd_pcm_state_t
fake_state(snd_pcm_t *pcm)
{
    return pcm->state;
}

static long
fake_avail(snd_pcm_t *pcm)
{
    if (pcm->broken) {
        return -EPIPE;
    }
    if (pcm->runs && pcm->hw - pcm->appl < PERIOD) {
        capture_a_period();
    }
    return pcm->direction == SND_PCM_STREAM_CAPTURE ? (long)(pcm->hw - pcm->appl)
                                                    : RING - (long)(pcm->appl - pcm->hw);
}

static int
fake_begin(snd_pcm_t *pcm, const snd_pcm_channel_area_t **areas, unsigned long *offset,
           unsigned long *frames)
{
    unsigned long avail = (unsigned long)fake_avail(pcm);
    *areas = pcm->areas;
    *offset = pcm->appl % RING;
    *frames = *frames > avail ? avail : *frames;
    *frames = *frames > RING - *offset ? RING - *offset : *frames;
    return 0;
}

static long
fake_commit(snd_pcm_t *pcm, unsigned long offset, unsigned long frames)
{
    assert_int_equal(offset, pcm->appl % RING);
    for (unsigned long i = 0; i < frames; i++, pcm->appl++) {
        for (unsigned c = 0; c < CHANNELS && pcm->direction == SND_PCM_STREAM_PLAYBACK; c++) {
            pcm->played[pcm->appl][c] = *ring_at(pcm, pcm->appl, c);
        }
    }
    return (long)frames;
}

static unsigned long
allowed(snd_pcm_t *pcm, unsigned long frames)
{
    unsigned long avail = (unsigned long)fake_avail(pcm);
    frames = frames > avail ? avail : frames;
    return pcm->calls++ < pcm->empty ? 0 : frames > pcm->most ? pcm->most : frames;
}

static long
fake_readi(snd_pcm_t *pcm, void *to, unsigned long frames)
{
    int16_t *samples = to;
    frames = allowed(pcm, frames);
    for (unsigned long i = 0; i < frames; i++, pcm->appl++) {
        for (unsigned c = 0; c < CHANNELS; c++) {
            samples[i * CHANNELS + c] = *ring_at(pcm, pcm->appl, c);
        }
    }
    return frames ? (long)frames : -EAGAIN;
}

static long
fake_writen(snd_pcm_t *pcm, void **from, unsigned long frames)
{
    frames = allowed(pcm, frames);
    for (unsigned long i = 0; i < frames; i++, pcm->appl++) {
        for (unsigned c = 0; c < CHANNELS; c++) {
            pcm->played[pcm->appl][c] = ((int16_t *)from[c])[i];
        }
    }
    return (long)frames;
}

static void
tell(const snd_pcm_t *pcm, const char *what)
{
    strcat(story, what);
    strcat(story, pcm == &out ? "o " : "i ");
}

static int
fake_prepare(snd_pcm_t *pcm)
{
    tell(pcm, "prepare ");
    pcm->broken = false;
    return 0;
}

static int
fake_start(snd_pcm_t *pcm)
{
    tell(pcm, "start ");
    return 0;
}

static int
fake_time(snd_pcm_t *pcm, unsigned long *avail, struct timespec *at)
{
    (void)pcm;
    (void)avail;
    (void)at;
    return -ENOSYS;
}

static int
fake_drop(snd_pcm_t *pcm)
{
    (void)pcm;
    return -EBADFD;
}

static const struct alsa_api api = {
    .pcm_state = fake_state,
    .pcm_avail_update = fake_avail,
    .pcm_mmap_begin = fake_begin,
    .pcm_mmap_commit = fake_commit,
    .pcm_readi = fake_readi,
    .pcm_writen = fake_writen,
    .pcm_prepare = fake_prepare,
    .pcm_htimestamp = fake_time,
    .pcm_start = fake_start,
    .pcm_drop = fake_drop,
};

/* ---- both sides anew ---- */

static void
begin_pcm(snd_pcm_t *pcm, struct alsa_side *side, snd_pcm_stream_t direction,
          snd_pcm_access_t access)
{
    memset(pcm, 0, sizeof(*pcm));
    pcm->direction = direction;
    pcm->planar = access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
    pcm->state = SND_PCM_STATE_RUNNING;
    pcm->most = PERIOD;
    for (unsigned c = 0; c < CHANNELS; c++) {
        pcm->areas[c] = (snd_pcm_channel_area_t){
            .addr = pcm->ring,
            .first = (pcm->planar ? c * RING : c) * 16,
            .step = pcm->planar ? 16 : CHANNELS * 16,
        };
    }
    memset(bounce[direction], 0, sizeof(bounce[direction]));
    *side = (struct alsa_side){
        .api = &api,
        .pcm = pcm,
        .direction = direction,
        .access = access,
        .format = DSP_S16,
        .channels = CHANNELS,
        .exposed = EXPOSED,
        .period_frames = PERIOD,
        .buffer_frames = RING,
        .fill_frames = 2 * PERIOD,
        .bounce = bounce[direction],
    };
}

static void
begin_with(snd_pcm_access_t output, snd_pcm_access_t input)
{
    story[0] = '\0';
    begin_pcm(&out, &playback, SND_PCM_STREAM_PLAYBACK, output);
    begin_pcm(&in, &capture, SND_PCM_STREAM_CAPTURE, input);
}

static int16_t *
sample_at(const struct backend_area *area, unsigned frame)
{
    return (int16_t *)(void *)((unsigned char *)area->first + (size_t)frame * area->stride_bytes);
}

static void
expect_capture(unsigned period, bool *bounced)
{
    struct backend_area areas[EXPOSED];
    capture_a_period();
    assert_int_equal(alsa_side_ready(&capture), PERIOD);
    assert_int_equal(alsa_side_begin(&capture, areas), 0);
    for (unsigned i = 0; i < PERIOD; i++) {
        for (unsigned c = 0; c < EXPOSED; c++) {
            assert_int_equal(*sample_at(&areas[c], i), sample(period * PERIOD + i, c));
        }
    }
    *bounced = (unsigned char *)areas[0].first >= bounce[SND_PCM_STREAM_CAPTURE] &&
               (unsigned char *)areas[0].first < bounce[SND_PCM_STREAM_CAPTURE] + sizeof(bounce[0]);
    assert_int_equal(alsa_side_end(&capture), 0);
    assert_int_equal(alsa_side_ready(&capture), 0);
}

static void
play_a_period(unsigned period)
{
    struct backend_area areas[EXPOSED];
    assert_int_equal(alsa_side_begin(&playback, areas), 0);
    for (unsigned i = 0; i < PERIOD; i++) {
        for (unsigned c = 0; c < EXPOSED; c++) {
            *sample_at(&areas[c], i) = sample(period * PERIOD + i, c);
        }
    }
    assert_int_equal(alsa_side_end(&playback), 0);
}

/* Silence up to the fill, then what was played; nothing ever on the channel that is not ours. */
static void
expect_played(unsigned periods)
{
    for (unsigned f = 0; f < 2 * PERIOD; f++) {
        assert_int_equal(out.played[f][0], 0);
    }
    for (unsigned f = 0; f < periods * PERIOD; f++) {
        for (unsigned c = 0; c < EXPOSED; c++) {
            assert_int_equal(out.played[2 * PERIOD + f][c], sample(f, c));
        }
        assert_int_equal(out.played[2 * PERIOD + f][EXPOSED], 0);
    }
}

/* ---- tests ---- */

static void
whole_periods_lie_in_the_rings_memory_and_cut_ones_do_not(void **state)
{
    static const snd_pcm_access_t accesses[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED,
                                                SND_PCM_ACCESS_MMAP_NONINTERLEAVED};
    (void)state;
    for (unsigned a = 0; a < 2; a++) {
        unsigned through = 0;
        begin_with(accesses[a], accesses[a]);
        for (unsigned p = 0; p < PERIODS; p++) {
            bool bounced, cut = in.appl % RING > RING - PERIOD;
            expect_capture(p, &bounced);
            assert_true(bounced == cut);
            through += bounced;
        }
        assert_in_range(through, 1, PERIODS - 1);
    }
}

static void
what_is_played_is_heard_in_order_through_every_ring(void **state)
{
    static const snd_pcm_access_t accesses[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED,
                                                SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
                                                SND_PCM_ACCESS_RW_NONINTERLEAVED};
    (void)state;
    for (unsigned a = 0; a < 3; a++) {
        begin_with(accesses[a], SND_PCM_ACCESS_MMAP_INTERLEAVED);
        memset(out.ring, 0x55, sizeof(out.ring)); /* what another program has left there */
        assert_int_equal(alsa_side_prefill(&playback), 0);
        assert_int_equal(alsa_side_ready(&playback), 0);
        for (unsigned p = 0; p < PERIODS; p++) {
            out.hw += PERIOD;
            assert_int_equal(alsa_side_ready(&playback), PERIOD);
            play_a_period(p);
            assert_int_equal(alsa_side_ready(&playback), 0);
            assert_int_equal(out.appl - out.hw, 2 * PERIOD);
        }
        expect_played(PERIODS);
    }
}

static void
calls_that_move_less_than_was_promised_are_repeated(void **state)
{
    bool bounced;
    (void)state;
    begin_with(SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED);
    in.most = 10;
    in.empty = out.empty = 3;
    out.most = 13;
    for (unsigned p = 0; p < 3; p++) {
        expect_capture(p, &bounced);
        assert_true(bounced);
    }
    assert_int_equal(alsa_side_prefill(&playback), 0);
    for (unsigned p = 0; p < 3; p++) {
        out.hw += PERIOD;
        play_a_period(p);
    }
    expect_played(3);
}

static void
a_pcm_that_moves_nothing_is_given_up(void **state)
{
    struct backend_area areas[EXPOSED];
    (void)state;
    begin_with(SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED);
    capture_a_period();
    in.empty = out.empty = UINT32_MAX;
    assert_int_equal(alsa_side_begin(&capture, areas), -EPIPE);
    assert_int_equal(alsa_side_begin(&playback, areas), 0);
    assert_int_equal(alsa_side_end(&playback), -EPIPE);
}

static void
a_pcm_that_is_gone_or_asleep_says_so(void **state)
{
    (void)state;
    begin_with(SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED);
    capture_a_period();
    in.state = SND_PCM_STATE_DISCONNECTED;
    assert_int_equal(alsa_side_ready(&capture), -ENODEV);
    in.state = SND_PCM_STATE_SUSPENDED;
    assert_int_equal(alsa_side_ready(&capture), -ESTRPIPE);
}

static void
linked_sides_are_prepared_and_started_once_and_others_each(void **state)
{
    static struct backend_stream stream;
    (void)state;
    stream.info.rate_hz = 48000;
    stream.info.period_frames = PERIOD;
    stream.is_card = true;
    atomic_store(&stream.stop, true); /* the thread ends when it has started them */
    for (unsigned linked = 0; linked < 2; linked++) {
        begin_with(SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED);
        stream.api = &api;
        stream.playback = playback;
        stream.capture = capture;
        stream.linked = linked;
        assert_int_equal(alsa_run_prepare(&stream), 0);
        assert_int_equal(out.appl, 2 * PERIOD);
        alsa_run(&stream);
        assert_string_equal(story,
                            linked ? "prepare o start o " : "prepare o prepare i start o start i ");
    }
    /* an input alone */
    begin_with(SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED);
    stream.playback.pcm = NULL;
    stream.capture = capture;
    stream.linked = false;
    assert_int_equal(alsa_run_prepare(&stream), 0);
    assert_string_equal(story, "prepare i ");
}

static unsigned cycles, xruns, xrun_at;

static void
on_cycle(void *user, const struct backend_cycle *cycle)
{
    struct backend_stream *stream = user;
    if (cycle->flags & BACKEND_CYCLE_XRUN) {
        xruns++;
        xrun_at = cycles;
    }
    cycles++;
    in.broken = cycles == 3;
    atomic_store(&stream->stop, cycles == 6);
}

static void
a_card_that_stops_is_started_anew_by_the_cycles_own_thread(void **state)
{
    static struct backend_stream stream;
    (void)state;
    begin_with(SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED);
    in.runs = true;
    stream.api = &api;
    stream.capture = capture;
    stream.is_card = true;
    stream.info.rate_hz = 48000;
    stream.info.period_frames = PERIOD;
    stream.callbacks = (struct backend_callbacks){.user = &stream, .cycle = on_cycle};
    backend_clock_start(&stream.clock, 48000, PERIOD);
    alsa_run(&stream);
    assert_string_equal(story, "start i prepare i start i ");
    assert_int_equal(cycles, 6);
    assert_int_equal(xruns, 1);
    assert_int_equal(xrun_at, 3);
    assert_int_equal(stream.restarts, 1);
    assert_false(atomic_load(&stream.lost));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_periods_lie_in_the_rings_memory_and_cut_ones_do_not),
        cmocka_unit_test(what_is_played_is_heard_in_order_through_every_ring),
        cmocka_unit_test(calls_that_move_less_than_was_promised_are_repeated),
        cmocka_unit_test(a_pcm_that_moves_nothing_is_given_up),
        cmocka_unit_test(a_pcm_that_is_gone_or_asleep_says_so),
        cmocka_unit_test(linked_sides_are_prepared_and_started_once_and_others_each),
        cmocka_unit_test(a_card_that_stops_is_started_anew_by_the_cycles_own_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
