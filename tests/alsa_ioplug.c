/* SPDX-License-Identifier: MIT */
/*
 * The sound card of the ALSA tests, as an I/O plugin that libasound loads: one card per process
 * with one output and one input PCM, a clock by timer, and everything that is played heard again by
 * the inputs. Its two PCMs begin on the same frame, as those of a card with one engine do. Faults
 * come through the page shared with the test (alsa_card.h).
 *
 * Nothing is moved when it is read or written, but when somebody looks at the clock: then the card
 * has done all that it would have done until now.
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "alsa_card.h"

enum {
    AIR_FRAMES = 1 << 16,
    SAMPLE_BYTES = 4,  /* in the air, of any format */
    START_WINDOW = 20, /* one part of a second: a PCM that starts so soon belongs to the other */
    LOOK_NS = 5000000, /* while the clock stands */
};

struct pcm {
    snd_pcm_ioplug_t io;
    int timer;
    bool running, broken;
    uint64_t begin; /* card's frame of its first one */
    uint64_t moved; /* up to this card's frame */
    snd_pcm_uframes_t wake_avail;
    uint32_t cable;
};

static struct {
    pthread_mutex_t lock;
    struct alsa_card *control;
    struct pcm *pcm[2]; /* by direction */
    uint64_t origin_ns; /* of frame 0 */
    uint64_t frame;     /* now */
    uint64_t aired;     /* up to which the air is known */
    unsigned rate_hz;
    uint32_t xruns, suspends; /* seen */
    bool standing;
    unsigned char air[AIR_FRAMES][ALSA_CARD_CHANNELS][SAMPLE_BYTES];
} card = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- time ---- */

static uint64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool
runs(int direction)
{
    return card.pcm[direction] && card.pcm[direction]->running;
}

static void
set_clock(void)
{
    uint64_t now = now_ns();
    bool stands = atomic_load(&card.control->stands);
    if (!stands && card.standing) {
        card.origin_ns = now - (uint64_t)((double)card.frame * 1e9 / card.rate_hz);
    }
    card.standing = stands;
    if (!stands) {
        uint64_t frame = (uint64_t)((double)(now - card.origin_ns) * card.rate_hz / 1e9);
        card.frame = frame > card.frame ? frame : card.frame;
    }
}

/* ---- the card ---- */

static unsigned char *
ring_at(const struct pcm *pcm, unsigned channel, uint64_t frame)
{
    const snd_pcm_channel_area_t *areas = snd_pcm_ioplug_mmap_areas((void *)(uintptr_t)&pcm->io);
    uint64_t offset = (frame - pcm->begin) % pcm->io.buffer_size;
    return (unsigned char *)areas[channel].addr +
           (areas[channel].first + offset * areas[channel].step) / 8;
}

static size_t
sample_bytes(const struct pcm *pcm)
{
    return (size_t)snd_pcm_format_physical_width(pcm->io.format) / 8;
}

static void
play(struct pcm *pcm)
{
    uint64_t written = pcm->begin + pcm->io.appl_ptr;
    uint64_t end = card.frame < written ? card.frame : written;
    for (; pcm->moved < end; pcm->moved++) {
        for (unsigned c = 0; c < pcm->io.channels; c++) {
            memcpy(card.air[pcm->moved % AIR_FRAMES][c], ring_at(pcm, c, pcm->moved),
                   sample_bytes(pcm));
        }
    }
    card.aired = pcm->moved > card.aired ? pcm->moved : card.aired;
    pcm->broken |= card.frame > written;
}

static void
capture(struct pcm *pcm)
{
    uint64_t room = pcm->begin + pcm->io.appl_ptr + pcm->io.buffer_size;
    const struct pcm *other = card.pcm[SND_PCM_STREAM_PLAYBACK];
    bool same = other && other->io.format == pcm->io.format;
    pcm->broken |= card.frame > room;
    for (; pcm->moved < card.frame && pcm->moved < room; pcm->moved++) {
        for (unsigned c = 0; c < pcm->io.channels; c++) {
            if (same && pcm->moved >= pcm->cable) {
                memcpy(ring_at(pcm, c, pcm->moved),
                       card.air[(pcm->moved - pcm->cable) % AIR_FRAMES][c], sample_bytes(pcm));
            } else {
                memset(ring_at(pcm, c, pcm->moved), 0, sample_bytes(pcm));
            }
        }
    }
}

/* What was ordered since the last look. */
static void
suffer(void)
{
    uint32_t xruns = atomic_load(&card.control->xruns);
    uint32_t suspends = atomic_load(&card.control->suspends);
    for (int d = 0; d < 2; d++) {
        if (!runs(d)) {
            continue;
        }
        if (!atomic_load(&card.control->plugged)) {
            snd_pcm_ioplug_set_state(&card.pcm[d]->io, SND_PCM_STATE_DISCONNECTED);
            card.pcm[d]->running = false;
        } else if (suspends != card.suspends) {
            snd_pcm_ioplug_set_state(&card.pcm[d]->io, SND_PCM_STATE_SUSPENDED);
            card.pcm[d]->running = false;
            atomic_fetch_add(&card.control->broken, 1);
        } else if (xruns != card.xruns) {
            card.pcm[d]->broken = true;
            atomic_fetch_add(&card.control->broken, 1);
        }
    }
    card.xruns = xruns;
    card.suspends = suspends;
}

static void
catch_up(void)
{
    suffer();
    set_clock();
    if (runs(SND_PCM_STREAM_PLAYBACK)) {
        play(card.pcm[SND_PCM_STREAM_PLAYBACK]);
    }
    for (; card.aired < card.frame; card.aired++) {
        memset(card.air[card.aired % AIR_FRAMES], 0, sizeof(card.air[0]));
    }
    if (runs(SND_PCM_STREAM_CAPTURE)) {
        capture(card.pcm[SND_PCM_STREAM_CAPTURE]);
    }
}

/* ---- waking ---- */

static bool
is_ready(const struct pcm *pcm)
{
    uint64_t hw = pcm->moved - pcm->begin;
    uint64_t avail = pcm->io.stream == SND_PCM_STREAM_PLAYBACK
                         ? pcm->io.buffer_size - (pcm->io.appl_ptr - hw)
                         : hw - pcm->io.appl_ptr;
    return pcm->broken || !pcm->running || avail >= pcm->wake_avail;
}

static void
arm(struct pcm *pcm)
{
    uint64_t at = pcm->begin + pcm->io.appl_ptr + pcm->wake_avail;
    if (pcm->io.stream == SND_PCM_STREAM_PLAYBACK) {
        at = at > pcm->io.buffer_size ? at - pcm->io.buffer_size : 0;
    }
    uint64_t due_ns = card.origin_ns + (uint64_t)((double)at * 1e9 / card.rate_hz) + 1000;
    if (card.standing) {
        due_ns = now_ns() + LOOK_NS;
    }
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due_ns / 1000000000U),
                                           .tv_nsec = (long)(due_ns % 1000000000U)}};
    timerfd_settime(pcm->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static int
on_poll(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned count, unsigned short *events)
{
    struct pcm *pcm = io->private_data;
    *events = 0;
    if (!count || !(fds[0].revents & POLLIN)) {
        return 0;
    }
    pthread_mutex_lock(&card.lock);
    catch_up();
    if (!is_ready(pcm)) {
        arm(pcm);
    } else if (pcm->running && !pcm->broken) {
        *events = io->stream == SND_PCM_STREAM_PLAYBACK ? POLLOUT : POLLIN;
    } else {
        *events = POLLERR;
    }
    pthread_mutex_unlock(&card.lock);
    return 0;
}

/* ---- the plugin ---- */

static int
on_start(snd_pcm_ioplug_t *io)
{
    struct pcm *pcm = io->private_data;
    pthread_mutex_lock(&card.lock);
    const struct pcm *other = card.pcm[1 - io->stream];
    if (runs(1 - io->stream)) {
        catch_up();
        pcm->begin =
            card.frame - other->begin < io->rate / START_WINDOW ? other->begin : card.frame;
    } else {
        card.origin_ns = now_ns();
        card.rate_hz = io->rate;
        card.frame = card.aired = pcm->begin = 0;
        card.standing = false;
        memset(card.air, 0, sizeof(card.air));
    }
    pcm->moved = pcm->begin;
    pcm->running = true;
    atomic_fetch_add(&card.control->starts, 1);
    arm(pcm);
    pthread_mutex_unlock(&card.lock);
    return 0;
}

static int
on_stop(snd_pcm_ioplug_t *io)
{
    struct pcm *pcm = io->private_data;
    pthread_mutex_lock(&card.lock);
    pcm->running = false;
    pthread_mutex_unlock(&card.lock);
    return 0;
}

static snd_pcm_sframes_t
on_pointer(snd_pcm_ioplug_t *io)
{
    struct pcm *pcm = io->private_data;
    pthread_mutex_lock(&card.lock);
    catch_up();
    snd_pcm_sframes_t at = (snd_pcm_sframes_t)((pcm->moved - pcm->begin) % io->buffer_size);
    if (pcm->broken) {
        at = -EPIPE;
    }
    pthread_mutex_unlock(&card.lock);
    return at;
}

static int
on_prepare(snd_pcm_ioplug_t *io)
{
    struct pcm *pcm = io->private_data;
    if (!atomic_load(&card.control->plugged)) {
        return -ENODEV;
    }
    if (atomic_load(&card.control->asleep)) {
        return -ESTRPIPE;
    }
    pthread_mutex_lock(&card.lock);
    pcm->running = pcm->broken = false;
    pcm->moved = pcm->begin = 0;
    pthread_mutex_unlock(&card.lock);
    return 0;
}

static int
on_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
    struct pcm *pcm = io->private_data;
    return snd_pcm_sw_params_get_avail_min(params, &pcm->wake_avail);
}

static int
on_close(snd_pcm_ioplug_t *io)
{
    struct pcm *pcm = io->private_data;
    pthread_mutex_lock(&card.lock);
    if (card.pcm[io->stream] == pcm) {
        card.pcm[io->stream] = NULL;
    }
    pthread_mutex_unlock(&card.lock);
    close(pcm->timer);
    free(pcm);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = on_start,
    .stop = on_stop,
    .pointer = on_pointer,
    .prepare = on_prepare,
    .sw_params = on_sw_params,
    .close = on_close,
    .poll_revents = on_poll,
};

/* ---- opening ---- */

struct options {
    const char *control, *access, *format;
    long channels, cable, buffer;
};

static int
read_options(snd_config_t *conf, struct options *options)
{
    snd_config_iterator_t at, next;
    snd_config_for_each(at, next, conf)
    {
        snd_config_t *entry = snd_config_iterator_entry(at);
        const char *key;
        if (snd_config_get_id(entry, &key) < 0 || !strcmp(key, "type") || !strcmp(key, "comment") ||
            !strcmp(key, "hint")) {
            continue;
        }
        int failure = !strcmp(key, "control")    ? snd_config_get_string(entry, &options->control)
                      : !strcmp(key, "access")   ? snd_config_get_string(entry, &options->access)
                      : !strcmp(key, "format")   ? snd_config_get_string(entry, &options->format)
                      : !strcmp(key, "channels") ? snd_config_get_integer(entry, &options->channels)
                      : !strcmp(key, "cable")    ? snd_config_get_integer(entry, &options->cable)
                      : !strcmp(key, "buffer")   ? snd_config_get_integer(entry, &options->buffer)
                                                 : -EINVAL;
        if (failure < 0) {
            SNDERR("tutti_test: %s", key);
            return failure;
        }
    }
    return options->control ? 0 : -EINVAL;
}

static int
map_control(const char *path)
{
    if (card.control) {
        return 0;
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    void *page = mmap(NULL, sizeof(*card.control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED) {
        return -errno;
    }
    card.control = page;
    card.xruns = atomic_load(&card.control->xruns);
    card.suspends = atomic_load(&card.control->suspends);
    return 0;
}

static int
constrain(snd_pcm_ioplug_t *io, const struct options *options)
{
    static const unsigned mapped[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED,
                                      SND_PCM_ACCESS_MMAP_NONINTERLEAVED};
    static const unsigned called[] = {SND_PCM_ACCESS_RW_INTERLEAVED};
    static const unsigned all[] = {SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S24_LE,
                                   SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_S32_LE,
                                   SND_PCM_FORMAT_FLOAT_LE};
    bool calls = options->access && !strcmp(options->access, "rw");
    bool planar = options->access && !strcmp(options->access, "planar");
    unsigned only = options->format ? (unsigned)snd_pcm_format_value(options->format) : 0;
    unsigned channels = (unsigned)options->channels;
    unsigned frame_least = 2 * channels, frame_most = SAMPLE_BYTES * channels;
    unsigned buffer_least = options->buffer ? (unsigned)options->buffer * frame_most : 0;
    int failure =
        snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, calls || planar ? 1 : 2,
                                      calls    ? called
                                      : planar ? mapped + 1
                                               : mapped);
    failure |= only ? snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, &only)
                    : snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 5, all);
    failure |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels);
    failure |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, 44100, 96000);
    failure |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 16 * frame_least,
                                               4096 * frame_most);
    failure |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES,
                                               buffer_least ? buffer_least : 32 * frame_least,
                                               4 * 4096 * frame_most);
    failure |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 512);
    return failure < 0 ? -EINVAL : 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(tutti_test);

SND_PCM_PLUGIN_DEFINE_FUNC(tutti_test)
{
    struct options options = {.channels = ALSA_CARD_CHANNELS};
    (void)root;
    int failure = read_options(conf, &options);
    failure = failure < 0 ? failure : map_control(options.control);
    if (failure < 0) {
        return failure;
    }
    if (!atomic_load(&card.control->plugged)) {
        return -ENODEV;
    }
    if (card.pcm[stream]) {
        return -EBUSY;
    }
    struct pcm *pcm = calloc(1, sizeof(*pcm));
    if (!pcm) {
        return -ENOMEM;
    }
    pcm->cable = (uint32_t)options.cable;
    pcm->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    pcm->wake_avail = 1;
    pcm->io = (snd_pcm_ioplug_t){
        .version = SND_PCM_IOPLUG_VERSION,
        .name = "Tutti's test card",
        .flags = SND_PCM_IOPLUG_FLAG_MONOTONIC,
        .mmap_rw = 1,
        .callback = &callbacks,
        .poll_fd = pcm->timer,
        .poll_events = POLLIN,
        .private_data = pcm,
    };
    failure = snd_pcm_ioplug_create(&pcm->io, name, stream, mode);
    if (failure < 0) {
        close(pcm->timer);
        free(pcm);
        return failure;
    }
    failure = constrain(&pcm->io, &options);
    if (failure < 0) {
        snd_pcm_ioplug_delete(&pcm->io);
        return failure;
    }
    pthread_mutex_lock(&card.lock);
    card.pcm[stream] = pcm;
    pthread_mutex_unlock(&card.lock);
    *pcmp = pcm->io.pcm;
    return 0;
}

SND_PCM_PLUGIN_SYMBOL(tutti_test)
