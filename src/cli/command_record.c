/* SPDX-License-Identifier: MIT */
/*
 * tutti record: the device's inputs, the mix or another program into a sound file. The callback
 * puts into a ring, the main thread writes the file. Whatever did not come through (a block that
 * came late, a disk that was too slow) becomes silence of the same length: the callback leaves a
 * mark of where and how much.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/args_profile.h"
#include "cli/commands.h"
#include "cli/frames.h"
#include "cli/pcm.h"
#include "cli/platform.h"
#include "cli/recording.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/stream.h"

enum { CHUNK_FRAMES = 4096, SLEEP_MS = 5, PROGRESS_MS = 100, PROGRESS_LINES_MS = 1000 };

struct recorder {
    struct session session;
    SNDFILE *file;
    const char *path;
    bool int24;
    double rate_hz;
    uint64_t total_frames;   /* to be recorded; UINT64_MAX: until Ctrl-C */
    uint64_t written_frames; /* into the file so far */
    uint64_t headed_frames;  /* of them, named by the file's header */
    float *chunk;            /* CHUNK_FRAMES frames */
    int32_t *words;          /* the same as 24-bit numbers */
    uint32_t inputs;
    struct recording recording;
    struct peak peak[TUTTI_MAX_CHANNELS];
    _Atomic uint64_t silent_frames; /* no device was behind them; written by the callback */
};

static void
process(void *user, const struct tutti_block *block)
{
    struct recorder *recorder = user;

    if (recording_begin(&recorder->recording, block->position_frames, block->frames)) {
        for (uint32_t c = 0; c < recorder->inputs; c++) {
            const float *in = tutti_input(recorder->session.client, c, block->half);
            frames_put_channel(&recorder->recording.frames, c, in, block->frames);
            peak_put(&recorder->peak[c], in, block->frames);
        }
        recording_end(&recorder->recording, block->frames);
    }
    if (block->silent) {
        atomic_fetch_add_explicit(&recorder->silent_frames, block->frames, memory_order_relaxed);
    }
}

/* Writes one chunk; count frames are in it. False: said. */
static bool
write_chunk(struct recorder *recorder, uint32_t count)
{
    sf_count_t written = 0;

    if (recorder->int24) {
        pcm_to_int24(recorder->words, recorder->chunk, (uint64_t)count * recorder->inputs);
        written = sf_writef_int(recorder->file, recorder->words, count);
    } else {
        written = sf_writef_float(recorder->file, recorder->chunk, count);
    }
    recorder->written_frames += (uint64_t)(written > 0 ? written : 0);
    if (written == (sf_count_t)count) {
        return true;
    }
    session_say("cannot write '%s' on: %s; %.1f s are in it", recorder->path,
                stream_sound_error(recorder->file),
                (double)recorder->written_frames / recorder->rate_hz);
    return false;
}

/* Writes what has come. Main thread. False: said. */
static bool
drain(struct recorder *recorder)
{
    for (;;) {
        uint64_t left = recorder->total_frames - recorder->written_frames;
        uint32_t most = left < CHUNK_FRAMES ? (uint32_t)left : CHUNK_FRAMES;
        uint32_t count = recording_take(&recorder->recording, recorder->chunk, most);
        if (count == 0) {
            return true;
        }
        if (!write_chunk(recorder, count)) {
            return false;
        }
    }
}

/* Now and then the file is made whole: a machine that loses its power loses seconds, not the take.
 */
static void
keep_header(struct recorder *recorder)
{
    if ((double)(recorder->written_frames - recorder->headed_frames) < recorder->rate_hz) {
        return;
    }
    sf_command(recorder->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
    recorder->headed_frames = recorder->written_frames;
}

static void
tell_progress(struct recorder *recorder, const struct style *style)
{
    float levels[TUTTI_MAX_CHANNELS];
    struct show_progress progress = {
        .seconds = (double)recorder->written_frames / recorder->rate_hz,
        .total_seconds = recorder->total_frames == UINT64_MAX
                             ? 0
                             : (double)recorder->total_frames / recorder->rate_hz,
        .levels = levels,
        .count = recorder->inputs,
    };
    struct text line;

    for (uint32_t c = 0; c < recorder->inputs; c++) {
        levels[c] = peak_take(&recorder->peak[c]);
    }
    text_init(&line);
    show_progress(&line, style, &progress);
    session_progress(style, text_get(&line));
    text_fini(&line);
}

static void
tell_losses(struct recorder *recorder)
{
    uint64_t lost = recorder->recording.lost_frames;
    uint64_t silent = atomic_load(&recorder->silent_frames);

    if (lost) {
        session_say("%.3f s did not come through and are silence in the file",
                    (double)lost / recorder->rate_hz);
    }
    if (silent) {
        session_say("%.2f s are silence: no device was there", (double)silent / recorder->rate_hz);
    }
}

static int
run(struct recorder *recorder, const struct style *style, bool progress)
{
    uint64_t every_ns = (style->terminal ? PROGRESS_MS : PROGRESS_LINES_MS) * UINT64_C(1000000);
    uint64_t next_ns = tutti_now_ns() + every_ns;
    bool going = true, good = true;

    platform_catch_interrupts();
    enum tutti_status status = tutti_start(recorder->session.client);
    if (status != TUTTI_OK) {
        return session_fail(&recorder->session, "cannot start recording", status);
    }
    while (good && going && !platform_interrupted() &&
           recorder->written_frames < recorder->total_frames) {
        platform_sleep_ms(SLEEP_MS);
        good = drain(recorder);
        keep_header(recorder);
        if (progress && tutti_now_ns() >= next_ns) {
            tell_progress(recorder, style);
            next_ns += every_ns;
        }
        going = stream_tell_events(&recorder->session);
    }
    tutti_stop(recorder->session.client);
    good = good && drain(recorder);
    if (progress) {
        tell_progress(recorder, style);
    }
    session_progress_end();
    tell_losses(recorder);
    return good && going ? 0 : 1;
}

/* How many outputs a program has; 0 (said) when there is no such program. */
static uint32_t
outputs_of(struct session *session, uint32_t program)
{
    struct tutti_engine_status engine;
    struct tutti_program_status *programs = NULL;
    uint32_t outputs = 0;

    enum tutti_status status = tutti_get_status(session->client, &engine, &programs);
    if (status != TUTTI_OK) {
        session_fail(session, "cannot ask for the programs", status);
        return 0;
    }
    bool found = false;
    for (uint32_t i = 0; i < engine.program_count; i++) {
        if (programs[i].program_id == program) {
            found = true;
            outputs = programs[i].outputs;
        }
    }
    tutti_free(programs);
    if (!found) {
        session_say("there is no program %u; 'tutti status' shows who is there", program);
    } else if (outputs == 0) {
        session_say("program %u has no outputs to record", program);
    }
    return outputs;
}

/* The channels to record. False: said. */
static bool
choose_inputs(struct session *session, const struct recording_choice *choice,
              struct stream_channels *inputs)
{
    static const uint32_t first_two[] = {0, 1};
    const uint32_t *list = choice->channels ? choice->list : first_two;
    uint32_t count = choice->channels ? choice->channels : 2;

    if (choice->kind == TUTTI_CHANNEL_PROGRAM) {
        uint32_t outputs = outputs_of(session, choice->program);
        if (outputs == 0) {
            return false;
        }
        if (!choice->channels && outputs < count) {
            count = outputs;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (list[i] >= outputs) {
                session_say("there is no output %u; program %u has outputs 1 to %u", list[i] + 1,
                            choice->program, outputs);
                return false;
            }
        }
    }
    const struct tutti_channel source = {.kind = choice->kind, .program = choice->program};
    stream_choose(inputs, source, list, count, choice->channels != 0);
    return true;
}

static bool
open_file(struct recorder *recorder, const struct recording_choice *choice)
{
    SF_INFO info = {
        .samplerate = (int)lround(recorder->rate_hz),
        .channels = (int)recorder->inputs,
        .format = choice->sound_format,
    };

    recorder->file = platform_open_sound(recorder->path, SFM_WRITE, &info);
    if (!recorder->file) {
        session_say("cannot write '%s': %s", recorder->path, stream_sound_error(NULL));
        return false;
    }
    /* Below 4 GiB the file becomes a plain WAV when it is closed; above it stays RF64. */
    if ((choice->sound_format & SF_FORMAT_TYPEMASK) == SF_FORMAT_RF64) {
        sf_command(recorder->file, SFC_RF64_AUTO_DOWNGRADE, NULL, SF_TRUE);
    }
    return true;
}

/* Joins, then makes what depends on the device. False: said. */
static bool
prepare(struct recorder *recorder, const struct recording_choice *choice)
{
    struct tutti_stream_params params = {
        .buffer_frames = choice->buffer_frames, .process = process, .user = recorder};
    struct stream_channels inputs, none = {.count = 0};
    struct tutti_device device;

    if (!choose_inputs(&recorder->session, choice, &inputs) ||
        stream_prepare(&recorder->session, &params, &inputs, &none) != TUTTI_OK) {
        return false;
    }
    session_say_problem(&recorder->session);
    recorder->inputs = inputs.count;
    recorder->int24 = choice->int24;
    tutti_get_device(recorder->session.client, &device);
    recorder->rate_hz = device.rate_hz;
    recorder->total_frames =
        choice->seconds > 0 ? (uint64_t)llround(choice->seconds * device.rate_hz) : UINT64_MAX;
    size_t samples = (size_t)CHUNK_FRAMES * recorder->inputs;
    recorder->chunk = calloc(samples, sizeof(*recorder->chunk));
    recorder->words = calloc(samples, sizeof(*recorder->words));
    uint32_t room = 2 * (uint32_t)device.rate_hz + 4 * choice->buffer_frames;
    if (!recorder->chunk || !recorder->words ||
        !recording_init(&recorder->recording, recorder->inputs, room)) {
        session_say("%s", tutti_status_text(TUTTI_NO_MEMORY));
        return false;
    }
    return open_file(recorder, choice);
}

/* libsndfile may have been built without some formats, and says so only after it made the file. */
static bool
can_write(const struct recording_choice *choice)
{
    int majors = 0;

    sf_command(NULL, SFC_GET_FORMAT_MAJOR_COUNT, &majors, sizeof(majors));
    for (int i = 0; i < majors; i++) {
        SF_FORMAT_INFO info = {.format = i};
        sf_command(NULL, SFC_GET_FORMAT_MAJOR, &info, sizeof(info));
        if ((info.format & SF_FORMAT_TYPEMASK) == (choice->sound_format & SF_FORMAT_TYPEMASK)) {
            return true;
        }
    }
    session_say("this build of tutti cannot write FLAC; record into a .wav");
    return false;
}

/* A take that exists is lost only when its owner says so. False: said. */
static bool
may_write(const char *path, const struct cli *cli, const struct args *args)
{
    FILE *older = file_open(path, "rb");

    if (!older) {
        return true;
    }
    fclose(older);
    if (args_flag(args, "replace")) {
        return true;
    }
    if (cli->err.terminal && session_ask("'%s' exists; replace it?", path)) {
        return true;
    }
    session_say("'%s' exists and stays as it is; name another file, or add --replace", path);
    return false;
}

int
command_record_run(const struct args *args, const struct cli *cli)
{
    static struct recorder recorder;
    struct recording_choice choice;
    char error[ARGS_ERROR_BYTES];
    const char *profile;
    int code = 1;

    if (!recording_choose(&choice, args, error)) {
        return say_usage(args, error);
    }
    if (!args_profile(args, &profile) || !can_write(&choice) ||
        !may_write(args->operand, cli, args)) {
        return 1;
    }
    recorder.path = args->operand;
    if (session_open_profile(&recorder.session, "tutti record", profile) != TUTTI_OK) {
        return 1;
    }
    if (prepare(&recorder, &choice)) {
        code = run(&recorder, &cli->err, cli->err.terminal || args_flag(args, "progress"));
    }
    session_close(&recorder.session);
    if (recorder.file && sf_close(recorder.file) != 0) {
        session_say("cannot finish '%s'; is the disk full?", recorder.path);
        code = 1;
    }
    recording_fini(&recorder.recording);
    free(recorder.words);
    free(recorder.chunk);
    return code;
}
