/* SPDX-License-Identifier: MIT */
/*
 * tutti play: a sound file through the engine. The main thread reads the file ahead into a ring;
 * the callback takes from it. While no device is behind the stream the file waits: nothing of it is
 * lost.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "cli/args_channels.h"
#include "cli/args_profile.h"
#include "cli/commands.h"
#include "cli/frames.h"
#include "cli/platform.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/sound.h"
#include "cli/stream.h"

enum {
    OPEN_SECONDS = 10,
    CHUNK_FRAMES = 4096,
    SLEEP_MS = 5,
    PROGRESS_MS = 100,
    PROGRESS_LINES_MS = 1000
};

struct player {
    struct session session;
    SNDFILE *file;
    SF_INFO info;
    uint64_t total_frames;   /* to be played; UINT64_MAX: to the file's end */
    uint64_t fetched_frames; /* read from the file so far */
    float *chunk;            /* CHUNK_FRAMES frames of the file */
    uint32_t outputs;
    bool failed;      /* the file cannot be read on */
    double former_hz; /* the device's rate before --set-rate; 0: it is left as it is */

    /* between the main thread and the callback */
    struct frames frames;
    struct peak peak[TUTTI_MAX_CHANNELS]; /* of each output */
    _Atomic bool all_fetched;         /* nothing more comes; written by main, after the last put */
    _Atomic uint64_t played_frames;   /* of the file; written by the callback */
    _Atomic uint64_t position_frames; /* of the stream; likewise */
    _Atomic uint64_t
        end_position_frames;         /* where the file's end was put; UINT64_MAX before; likewise */
    _Atomic uint64_t starved_frames; /* the file came too late; likewise */
    _Atomic uint64_t lost_frames;    /* blocks that came late; likewise */
};

static void
process(void *user, const struct tutti_block *block)
{
    struct player *player = user;
    uint64_t last = atomic_load_explicit(&player->position_frames, memory_order_relaxed);
    /* Before the ring: what is readable after "all fetched" is all there will be. */
    bool all = atomic_load_explicit(&player->all_fetched, memory_order_acquire);
    uint32_t ready = block->silent ? 0 : ring_readable(&player->frames.ring);
    uint32_t count = ready < block->frames ? ready : block->frames;

    for (uint32_t c = 0; c < player->outputs; c++) {
        float *out = tutti_output(player->session.client, c, block->half);
        uint32_t from = player->frames.channels == 1 ? 0 : c;
        frames_get_channel(&player->frames, from, out, count);
        memset(out + count, 0, (block->frames - count) * sizeof(*out));
        peak_put(&player->peak[c], out, count);
    }
    ring_read_done(&player->frames.ring, count);
    atomic_fetch_add_explicit(&player->played_frames, count, memory_order_relaxed);
    if (block->jumped && block->position_frames > last) {
        atomic_fetch_add_explicit(&player->lost_frames, block->position_frames - last,
                                  memory_order_relaxed);
    }
    if (count < block->frames && !block->silent) {
        if (!all) {
            atomic_fetch_add_explicit(&player->starved_frames, block->frames - count,
                                      memory_order_relaxed);
        } else if (atomic_load_explicit(&player->end_position_frames, memory_order_relaxed) ==
                   UINT64_MAX) {
            atomic_store_explicit(&player->end_position_frames, block->position_frames + count,
                                  memory_order_release);
        }
    }
    atomic_store_explicit(&player->position_frames, block->position_frames + block->frames,
                          memory_order_release);
}

/* Fills the ring from the file as far as it goes. Main thread. */
static void
fetch(struct player *player)
{
    while (!atomic_load_explicit(&player->all_fetched, memory_order_relaxed)) {
        uint64_t left = player->total_frames - player->fetched_frames;
        uint32_t want = left < CHUNK_FRAMES ? (uint32_t)left : CHUNK_FRAMES;
        if (ring_writable(&player->frames.ring) < CHUNK_FRAMES) {
            return;
        }
        sf_count_t got = want ? sf_readf_float(player->file, player->chunk, want) : 0;
        if (got > 0) {
            ring_write(&player->frames.ring, player->chunk, (uint32_t)got);
            player->fetched_frames += (uint64_t)got;
        }
        if (got < (sf_count_t)want && sf_error(player->file) != SF_ERR_NO_ERROR) {
            session_say("the file cannot be read on: %s", stream_sound_error(player->file));
            player->failed = true;
        }
        if (got < (sf_count_t)want || want == left) {
            atomic_store_explicit(&player->all_fetched, true, memory_order_release);
        }
    }
}

static bool
all_heard(struct player *player)
{
    uint64_t end = atomic_load_explicit(&player->end_position_frames, memory_order_acquire);
    uint32_t in = 0, out = 0;

    if (end == UINT64_MAX || tutti_get_latencies(player->session.client, &in, &out) != TUTTI_OK) {
        return false;
    }
    return atomic_load_explicit(&player->position_frames, memory_order_acquire) >= end + out;
}

static void
tell_progress(struct player *player, const struct style *style)
{
    float levels[TUTTI_MAX_CHANNELS];
    double rate = player->info.samplerate;
    struct show_progress progress = {
        .seconds = (double)atomic_load(&player->played_frames) / rate,
        .total_seconds =
            player->total_frames == UINT64_MAX ? 0 : (double)player->total_frames / rate,
        .levels = levels,
        .count = player->outputs,
    };
    struct text line;

    for (uint32_t c = 0; c < player->outputs; c++) {
        levels[c] = peak_take(&player->peak[c]);
    }
    text_init(&line);
    show_progress(&line, style, &progress);
    session_progress(style, text_get(&line));
    text_fini(&line);
}

static int
run(struct player *player, const struct style *style, bool progress)
{
    uint64_t every_ns = (style->terminal ? PROGRESS_MS : PROGRESS_LINES_MS) * UINT64_C(1000000);
    uint64_t next_ns = tutti_now_ns() + every_ns;
    bool go_on = true;

    fetch(player);
    enum tutti_status status = tutti_start(player->session.client);
    if (status != TUTTI_OK) {
        return session_fail(&player->session, "cannot start playing", status);
    }
    platform_catch_interrupts();
    while (go_on && !platform_interrupted() && !all_heard(player)) {
        fetch(player);
        if (progress && tutti_now_ns() >= next_ns) {
            tell_progress(player, style);
            next_ns += every_ns;
        }
        go_on = stream_tell_events(&player->session);
        platform_sleep_ms(SLEEP_MS);
    }
    tutti_stop(player->session.client);
    if (progress) {
        tell_progress(player, style);
    }
    session_progress_end();
    const double rate = player->info.samplerate;
    uint64_t starved = atomic_load(&player->starved_frames);
    uint64_t lost = atomic_load(&player->lost_frames);
    if (starved) {
        session_say("the file was read too slowly: %.3f s of silence between",
                    (double)starved / rate);
    }
    if (lost) {
        session_say("%.3f s passed without sound%s", (double)lost / rate,
                    lost > player->session.gap_frames ? "; a larger --buffer may help" : "");
    }
    return go_on && !player->failed ? 0 : 1;
}

/* The outputs that the file's channels go to. */
static bool
choose_outputs(const struct player *player, const struct args *args,
               struct stream_channels *outputs, char error[ARGS_ERROR_BYTES])
{
    uint32_t list[TUTTI_MAX_CHANNELS];
    uint32_t channels = (uint32_t)player->info.channels;
    uint32_t count = channels == 1 ? 2 : channels;
    bool chosen = args_flag(args, "channels");

    for (uint32_t c = 0; c < count; c++) {
        list[c] = c;
    }
    if (!args_channels(args, "channels", true, list, &count, error)) {
        return false;
    }
    if (channels != 1 && count != channels) {
        snprintf(error, ARGS_ERROR_BYTES, "the file has %u channels, but --channels names %u",
                 channels, count);
        return false;
    }
    /* A mono file takes two outputs by itself; other files need all of theirs. */
    const struct tutti_channel source = {.kind = TUTTI_CHANNEL_DEVICE};
    stream_choose(outputs, source, list, count, chosen || channels != 1);
    return true;
}

/* Lets the device run at the file's rate. False: said. */
static bool
set_rate(struct player *player)
{
    struct tutti_client *client = player->session.client;
    double file_hz = player->info.samplerate;
    struct tutti_device device;
    double former_hz = tutti_get_device(client, &device) == TUTTI_OK ? device.rate_hz : 0;
    enum tutti_status status = tutti_set_rate(client, file_hz);

    if (status != TUTTI_OK) {
        session_fail(&player->session, "cannot set the sample rate", status);
        return false;
    }
    player->former_hz = former_hz == file_hz ? 0 : former_hz;
    return true;
}

/* For who comes next. Refused while others play: then it is theirs. */
static void
restore_rate(struct player *player)
{
    if (player->former_hz > 0) {
        tutti_dispose(player->session.client);
        tutti_set_rate(player->session.client, player->former_hz);
    }
}

/* Joins the device at the file's rate. */
static bool
join(struct player *player, const struct args *args, uint32_t buffer,
     struct stream_channels *outputs)
{
    struct tutti_client *client = player->session.client;
    struct stream_channels none = {.count = 0};
    struct tutti_stream_params params = {
        .buffer_frames = buffer, .process = process, .user = player};
    double file_hz = player->info.samplerate;
    struct tutti_device device;

    if (args_flag(args, "set-rate") && !set_rate(player)) {
        return false;
    }
    if (stream_prepare(&player->session, &params, &none, outputs) != TUTTI_OK) {
        return false;
    }
    session_say_problem(&player->session);
    player->outputs = outputs->count;
    tutti_get_device(client, &device);
    if (fabs(device.rate_hz - file_hz) > 0.5) {
        session_say("the file has %.0f Hz, the device runs at %.0f Hz; convert the file%s", file_hz,
                    device.rate_hz,
                    args_flag(args, "set-rate") ? "" : " or let the device change with --set-rate");
        return false;
    }
    return true;
}

static bool
open_file(struct player *player, const char *path)
{
    char sentence[SOUND_ERROR_BYTES + 64];

    /* libsndfile 1.2 reads some damaged files for ever (fuzz/corpus/wav/list-*). */
    snprintf(sentence, sizeof(sentence),
             "tutti: '%.120s' is damaged: libsndfile does not come to an end with it\n", path);
    platform_watch(OPEN_SECONDS, sentence);
    player->file = platform_open_sound(path, SFM_READ, &player->info);
    platform_watch(0, NULL);
    if (!player->file) {
        session_say("cannot open '%s': %s", path, stream_sound_error(NULL));
        return false;
    }
    char error[SOUND_ERROR_BYTES];
    bool playable = sound_check(&player->info, error);
    if (!playable) {
        session_say("'%s' %s", path, error);
    }
    return playable;
}

static bool
get_memory(struct player *player, uint32_t buffer)
{
    uint32_t channels = (uint32_t)player->info.channels;
    uint32_t room = sound_ring_frames(&player->info, buffer);

    player->chunk = calloc((size_t)CHUNK_FRAMES * channels, sizeof(*player->chunk));
    if (player->chunk && frames_init(&player->frames, channels, room + CHUNK_FRAMES)) {
        return true;
    }
    session_say("%s", tutti_status_text(TUTTI_NO_MEMORY));
    return false;
}

int
command_play_run(const struct args *args, const struct cli *cli)
{
    static struct player player;
    struct stream_channels outputs;
    char error[ARGS_ERROR_BYTES];
    const char *profile;
    uint32_t buffer = 1024;
    double seconds = 0;
    int code = 1;

    if (!args_whole(args, "buffer", 1, CONFIG_BUFFER_FRAMES, &buffer, error) ||
        !args_number(args, "seconds", 0.001, 1e9, &seconds, error)) {
        return say_usage(args, error);
    }
    atomic_init(&player.end_position_frames, UINT64_MAX);
    if (!args_profile(args, &profile) || !open_file(&player, args->operand)) {
        goto close_file;
    }
    if (!choose_outputs(&player, args, &outputs, error)) {
        code = say_usage(args, error);
        goto close_file;
    }
    player.total_frames = sound_total_frames(&player.info, seconds);
    if (!get_memory(&player, buffer)) {
        goto free_memory;
    }
    if (session_open_profile(&player.session, "tutti play", profile) != TUTTI_OK) {
        goto free_memory;
    }
    if (join(&player, args, buffer, &outputs)) {
        code = run(&player, &cli->err, cli->err.terminal || args_flag(args, "progress"));
    }
    restore_rate(&player);
    session_close(&player.session);
free_memory:
    frames_fini(&player.frames);
    free(player.chunk);
close_file:
    if (player.file) {
        sf_close(player.file);
    }
    return code;
}
