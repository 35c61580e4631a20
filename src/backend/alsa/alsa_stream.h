/* SPDX-License-Identifier: MIT */
/*
 * One stream of the ALSA backend, shared by its files: alsa.c is the contract, alsa_list.c finds
 * devices, alsa_params.c negotiates, alsa_side.c moves periods in and out of one PCM, alsa_run.c is
 * the thread.
 *
 * A stream has one or two sides, a PCM each, on one clock. Playback begins with `fill_frames` of
 * silence and is held there, so that latency is chosen here and not by the size of the device's
 * buffer.
 */
#ifndef TUTTI_BACKEND_ALSA_STREAM_H
#define TUTTI_BACKEND_ALSA_STREAM_H

#include <stdatomic.h>

#include "backend/alsa/alsa_api.h"
#include "backend/backend.h"
#include "backend/clock.h"
#include "os/os.h"

enum { ALSA_MAX_FDS = 16, ALSA_NAME_BYTES = BACKEND_NAME_BYTES };

struct alsa_side {
    const struct alsa_api *api;
    snd_pcm_t *pcm; /* NULL: this direction is not there */
    snd_pcm_stream_t direction;
    snd_pcm_access_t access;
    enum dsp_format format;
    uint32_t channels; /* of the PCM */
    uint32_t exposed;  /* of the stream; the others get silence */
    uint32_t period_frames, buffer_frames;
    uint32_t fill_frames;  /* playback: of silence at the beginning; no more is ever queued */
    unsigned char *bounce; /* a period of all channels: for read and write, and at the ring's end */
    bool bouncing;         /* the period in hand lies there */
    unsigned long offset;  /* of the period in hand, else */
};

struct backend_stream {
    const struct alsa_api *api;
    struct alsa_side playback, capture;
    struct backend_info info;
    struct backend_callbacks callbacks;
    bool is_card; /* no plugin: it answers at once */
    bool linked;  /* one start, stop and prepare for both */

    /* the thread's own while it runs, control's otherwise */
    struct backend_area in[BACKEND_MAX_CHANNELS], out[BACKEND_MAX_CHANNELS];
    struct backend_clock clock;
    uint64_t restarts, paced; /* since start; told at its end */

    struct os_thread *thread;
    int bell; /* eventfd: ends a wait */

    /* A plugin's server may take its time: an ordinary thread starts it anew, while cycles go on in
     * silence. Cards are started by the cycle's thread itself. */
    struct os_thread *mender; /* from start to its joining by a call with a limit */
    struct os_wake mend;
    _Atomic uint32_t mend_bell;
    _Atomic int mended; /* enum alsa_mending, or how it went: 0, errno negated */
    _Atomic bool mender_ends;
    _Atomic bool stop;
    _Atomic bool lost; /* LOST was told */
};

enum alsa_mending { ALSA_MEND_IDLE = 1, ALSA_MEND_ASKED = 2 };

/* ---- alsa_list.c ---- */

/** Told of a PCM's name; for one of a card, which ways it goes; false: no more. */
typedef bool (*alsa_found_fn)(void *arg, const char *name, bool card_in, bool card_out);
/** Tells the name of each PCM that need not be asked for by name, the default first: those of the
 * configuration, those of the cards, and that of PulseAudio if its server runs. */
void alsa_list_names(const struct alsa_api *api, const struct config *config, alsa_found_fn found,
                     void *arg);
/** Fills a device by opening its PCMs for a moment; a card's only if they were not seen before.
 * False: it is not there. */
bool alsa_list_look(const struct alsa_api *api, const struct config *config, const char *name,
                    bool card_in, bool card_out, struct backend_device *device);

/* ---- alsa_pulse.c ---- */

/* The PCM that libasound's plugin has for PulseAudio. */
#define ALSA_PULSE_NAME "pulse"
/** True when a PulseAudio server of this user, or what stands for one, listens. */
bool alsa_pulse_runs(void);
struct alsa_wish;
/** Asks no less than PulseAudio keeps up with, if the PCM is its own and was found by itself. */
void alsa_pulse_limit(const char *name, struct alsa_wish *wish);

/* ---- alsa_params.c ---- */

/* What is asked of both sides. */
struct alsa_wish {
    double rate_hz;
    uint32_t period_frames, periods;
    uint32_t least_frames;    /* of a period; 0: what the PCM says */
    uint32_t inputs, outputs; /* most */
    const struct config *config;
};

/* What both sides can do, at the rate that was chosen, and what was chosen. */
struct alsa_terms {
    double rates_hz[BACKEND_MAX_RATES];
    uint32_t period_min_frames, period_max_frames, period_step_frames;
    double rate_hz;
    uint32_t period_frames;
};

/** Opens one PCM. Errors as errno, negated; 0. */
int alsa_side_open(struct alsa_side *side, const struct alsa_api *api, const char *name,
                   snd_pcm_stream_t direction);
void alsa_side_close(struct alsa_side *side);
/** Opens the PCMs of a device in the directions that are wanted; one of two may be missing. Both
 * sides are to be closed whatever comes of it. Errors as errno; error: a sentence. */
int alsa_pair_open(const struct alsa_api *api, const struct config *config, const char *name,
                   bool wants_in, bool wants_out, struct alsa_side *playback,
                   struct alsa_side *capture, char error[256]);
/** Chooses formats, channels, rate, period and buffers for the sides that are there, the nearest to
 * the wish that both can do. With `look_only` nothing is set up. Errors as errno; error: a
 * sentence. */
int alsa_params_agree(struct alsa_side *playback, struct alsa_side *capture,
                      const struct alsa_wish *wish, bool look_only, struct alsa_terms *terms,
                      char error[256]);

/* ---- alsa_side.c: real time, but for prefill ---- */

/** Frames that a cycle may take (capture) or bring (playback); errors as errno. */
long alsa_side_ready(struct alsa_side *side);
/** The memory of the next period, one area per exposed channel; it is ready. Errors as errno. */
int alsa_side_begin(struct alsa_side *side, struct backend_area *areas);
/** Hands the period back to the device. Errors as errno. */
int alsa_side_end(struct alsa_side *side);
/** Silence up to the fill; the side is prepared. Errors as errno. */
int alsa_side_prefill(struct alsa_side *side);

/* ---- alsa_run.c ---- */

/** Prepares the sides and fills playback with silence. Errors as errno. */
int alsa_run_prepare(struct backend_stream *stream);
/** The same, and starts them. */
int alsa_run_begin(struct backend_stream *stream);
/** The stream's thread; a card, which is prepared, it starts first. */
void alsa_run(void *arg);
/** The mender's. */
void alsa_mend(void *arg);

#endif
