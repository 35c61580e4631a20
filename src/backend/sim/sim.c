/* SPDX-License-Identifier: MIT */
/*
 * The virtual sound card. card_cycle() is one period of it, the same in real time and stepped; the
 * clock around it is the thread's or the test's.
 */
#include "backend/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/clock.h"
#include "backend/silence.h"
#include "backend/sim/sim_stream.h"
#include "base/utf8.h"
#include "os/os.h"

/* The cards of the machine, and a test's time. Only the first is listed unless another is named. */
enum { CARDS = 4 };
static struct {
    struct card card[CARDS];
    struct backend_stream *current;
    bool stepped;
    _Atomic uint64_t now_ns;     /* stepped */
    void (*passing)(void *user); /* stepped */
    void *passing_user;
} machine = {.card = {{.name = "Virtual sound card"},
                      {.name = "Second virtual sound card"},
                      {.name = "Third virtual sound card"},
                      {.name = "Fourth virtual sound card"}}};

/* "": the first. NULL: there is no such card. */
static struct card *
find_card(const char *wanted)
{
    for (unsigned i = 0; i < CARDS; i++) {
        if (!wanted[0] || strcmp(wanted, machine.card[i].name) == 0) {
            return &machine.card[i];
        }
    }
    return NULL;
}

static const double rates[BACKEND_MAX_RATES] = {8000,   16000,  22050,  32000,  44100,
                                                48000,  88200,  96000,  176400, 192000,
                                                352800, 384000, 705600, 768000};

/* ---- time ---- */

uint64_t
sim_now_ns(void)
{
    return machine.stepped ? atomic_load(&machine.now_ns) : os_now_ns();
}

void
sim_advance_ns(uint64_t now_ns)
{
    if (now_ns > atomic_load(&machine.now_ns)) {
        atomic_store(&machine.now_ns, now_ns);
    }
}

void
sim_set_stepped(bool stepped, uint64_t start_ns)
{
    machine.stepped = stepped;
    atomic_store(&machine.now_ns, start_ns);
    for (unsigned i = 0; i < CARDS; i++) {
        atomic_store(&machine.card[i].rate_hz, 0);
        atomic_store(&machine.card[i].refusals, 0);
        atomic_store(&machine.card[i].openings, 0);
        atomic_store(&machine.card[i].period_refusals, 0);
    }
    sim_set_passing(NULL, NULL);
}

void
sim_set_passing(void (*passing)(void *user), void *user)
{
    machine.passing = passing;
    machine.passing_user = user;
}

static void
pass_ms(uint64_t ms)
{
    if (!machine.stepped) {
        os_sleep_until_ns(os_now_ns() + ms * OS_NS_PER_MS);
        return;
    }
    for (uint64_t i = 0; i < ms; i++) {
        sim_advance_ns(sim_now_ns() + OS_NS_PER_MS);
        if (machine.passing) {
            machine.passing(machine.passing_user);
        }
    }
}

/* The time that a fault of this kind takes once `count` is reached; 0: there is none. */
static uint64_t
fault_ms(const struct sim_faults *faults, enum sim_fault_kind kind, uint64_t count)
{
    uint64_t ms = 0;
    for (unsigned i = 0; i < faults->count; i++) {
        if (faults->fault[i].kind == kind && count >= faults->fault[i].cycle) {
            ms += faults->fault[i].argument;
        }
    }
    return ms;
}

static uint64_t
frame_time_ns(const struct backend_stream *stream, uint64_t frame)
{
    return stream->origin_ns + (uint64_t)((double)frame / stream->frames_per_ns + 0.5);
}

struct backend_stream *
sim_current(void)
{
    return machine.current;
}

uint64_t
sim_next_ns(const struct backend_stream *stream)
{
    return frame_time_ns(stream, stream->frame);
}

struct backend_stream *
sim_next(void)
{
    struct backend_stream *next = NULL;
    for (unsigned i = 0; i < CARDS; i++) {
        struct backend_stream *stream = machine.card[i].stream;
        bool runs = stream && stream->running && !stream->lost;
        if (runs && (!next || sim_next_ns(stream) < sim_next_ns(next))) {
            next = stream;
        }
    }
    return next;
}

unsigned
sim_period_refusals(void)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < CARDS; i++) {
        sum += atomic_load(&machine.card[i].period_refusals);
    }
    return sum;
}

void
sim_tell(enum backend_event_kind kind)
{
    const struct backend_callbacks *callbacks = &machine.current->callbacks;
    callbacks->event(callbacks->user, kind, TUTTI_OK, "the test says so");
}

unsigned
sim_starts(const struct backend_stream *stream)
{
    return stream->starts;
}

uint64_t
sim_device_frame(const struct backend_stream *stream)
{
    return stream->frame;
}

static void
plug(struct card *card, bool in)
{
    atomic_store(&card->plug_at_ns, 0);
    atomic_store(&card->unplugged, !in);
}

void
sim_unplug_card(const char *name)
{
    plug(find_card(name), false);
}

void
sim_plug_card(const char *name)
{
    plug(find_card(name), true);
}

void
sim_unplug(void)
{
    for (unsigned i = 0; i < CARDS; i++) {
        plug(&machine.card[i], false);
    }
}

void
sim_plug(void)
{
    for (unsigned i = 0; i < CARDS; i++) {
        plug(&machine.card[i], true);
    }
}

void
sim_stand(bool stands)
{
    for (unsigned i = 0; i < CARDS; i++) {
        atomic_store(&machine.card[i].stands, stands);
    }
}

static bool
is_plugged(struct card *card)
{
    uint64_t at = atomic_load(&card->plug_at_ns);
    if (at && sim_now_ns() >= at) {
        plug(card, true);
    }
    return !atomic_load(&card->unplugged);
}

void
sim_set_air(struct backend_stream *stream, sim_source_fn source, sim_sink_fn sink, void *user)
{
    stream->source = source;
    stream->sink = sink;
    stream->air_user = user;
}

/* ---- one period ---- */

/* What a cycle's faults ask for. */
struct trouble {
    uint64_t lost_frames, late_ns;
    bool unplug;
    uint32_t rate_hz;
};

static struct trouble
find_trouble(struct backend_stream *stream)
{
    struct trouble trouble = {0};
    for (unsigned i = 0; i < stream->faults.count; i++) {
        const struct sim_fault *fault = &stream->faults.fault[i];
        if (fault->cycle != stream->cycle) {
            continue;
        }
        switch (fault->kind) {
        case SIM_FAULT_LOSE:
            trouble.lost_frames += fault->argument;
            break;
        case SIM_FAULT_LATE:
        case SIM_FAULT_STALL:
            trouble.late_ns += fault->argument * 1000;
            break;
        case SIM_FAULT_STAND:
            stream->stands_until =
                stream->frame + (uint64_t)((double)fault->argument * stream->info.rate_hz / 1000);
            break;
        case SIM_FAULT_UNPLUG:
            trouble.unplug = true;
            break;
        case SIM_FAULT_REPLUG:
            atomic_store(&stream->card->plug_at_ns,
                         sim_now_ns() +
                             (uint64_t)((double)fault->argument * stream->info.period_frames /
                                        stream->frames_per_ns));
            break;
        case SIM_FAULT_RATE:
            trouble.rate_hz = (uint32_t)fault->argument;
            break;
        case SIM_FAULT_REFUSE:
            atomic_store(&stream->card->refusals, (uint32_t)fault->argument);
            break;
        case SIM_FAULT_SLOW_OPEN:     /* sim_open() took its time */
        case SIM_FAULT_SLOW_LIST:     /* sim_list() did */
        case SIM_FAULT_REFUSE_PERIOD: /* sim_set_period() looks */
        case SIM_FAULT_COUNT:
            break;
        }
    }
    return trouble;
}

/* Runs the cycle that is due; false: it was the last one of this stream. */
static bool
card_cycle(struct backend_stream *stream)
{
    uint32_t frames = stream->info.period_frames;
    struct trouble trouble = find_trouble(stream);
    if (trouble.unplug) {
        atomic_store(&stream->card->unplugged, true);
    }
    if (!is_plugged(stream->card)) {
        stream->lost = true;
        stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_LOST, TUTTI_DEVICE_LOST,
                                "the virtual sound card was unplugged");
        return false;
    }
    uint64_t due_ns = frame_time_ns(stream, stream->frame);
    if (trouble.late_ns) {
        if (machine.stepped) {
            sim_advance_ns(due_ns + trouble.late_ns);
        } else {
            os_sleep_until_ns(due_ns + trouble.late_ns);
        }
    }
    uint64_t now_ns = sim_now_ns();
    uint64_t lost = trouble.lost_frames;
    uint64_t period_ns = (uint64_t)((double)frames / stream->frames_per_ns);
    if (now_ns > due_ns + period_ns) {
        if (stream->info.elastic) {
            stream->origin_ns += now_ns - due_ns;
        } else {
            lost += (now_ns - due_ns) / period_ns * frames;
        }
    }
    stream->frame += lost;
    bool stands = atomic_load(&stream->card->stands) || stream->frame < stream->stands_until;
    uint64_t time_ns = frame_time_ns(stream, stream->frame);
    struct backend_moment moment = {
        .time_ns = time_ns, /* of a clock without jitter: it needs no smoothing */
        .lost_frames = lost,
        .xrun = lost > 0,
        .device_frames = stream->frame,
        .device_time_ns = stands ? 0 : time_ns,
    };
    struct backend_cycle period = {
        .in = stands ? backend_silence_areas : stream->in,
        .out = stands ? backend_silence_areas : stream->out,
        .frames = frames,
        .start_ns = now_ns,
    };
    if (!stands) {
        sim_capture(stream);
    }
    backend_clock_call(&stream->callbacks, &moment, &period);
    if (!stands) {
        sim_play(stream);
    }
    stream->frame += frames;
    stream->cycle++;
    if (trouble.rate_hz) {
        atomic_store(&stream->card->rate_hz, trouble.rate_hz);
        stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_RATE_CHANGED, TUTTI_OK,
                                "the virtual sound card runs at another rate");
    }
    return true;
}

bool
sim_step(struct backend_stream *stream)
{
    if (!stream->running || stream->lost) {
        return false;
    }
    sim_advance_ns(frame_time_ns(stream, stream->frame));
    bool more = card_cycle(stream);
    const struct backend_stream *next = sim_next();
    sim_advance_ns(sim_next_ns(next ? next : stream));
    return more;
}

static void
run_card(void *arg)
{
    struct backend_stream *stream = arg;
    do {
        os_sleep_until_ns(frame_time_ns(stream, stream->frame));
    } while (!atomic_load_explicit(&stream->stop, memory_order_acquire) && card_cycle(stream));
}

/* ---- the contract ---- */

static uint32_t
snap_period(const struct config *config, uint32_t wanted)
{
    uint32_t min = (uint32_t)config->sim_period_min, max = (uint32_t)config->sim_period_max;
    uint32_t step = (uint32_t)config->sim_period_step;
    uint32_t period = wanted ? wanted : (uint32_t)config->sim_period;
    if (period > max) {
        period = max;
    }
    if (step == 0) {
        uint32_t power = 1;
        while (power * 2 <= period) {
            power *= 2;
        }
        period = power;
    } else if (step > 1) {
        period = period / step * step;
    }
    return period < min ? min : period;
}

static void
set_period_info(struct backend_stream *stream, uint32_t period)
{
    struct backend_info *info = &stream->info;
    info->period_frames = period;
    info->input_latency_frames = period + stream->converter_in;
    info->output_latency_frames = period + stream->converter_out;
    uint64_t period_ns = (uint64_t)((double)period * 1e9 / info->rate_hz);
    info->budget_ns = info->elastic ? stream->budget_elastic_ns : period_ns;
}

static enum tutti_status
sim_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    struct sim_faults faults;
    char error[256];
    if (sim_faults_parse(&faults, config->sim_faults, error)) {
        pass_ms(fault_ms(&faults, SIM_FAULT_SLOW_LIST, UINT64_MAX));
    }
    struct card *named = find_card(config->device_name);
    struct card *card = named ? named : &machine.card[0];
    if (!is_plugged(card) || *count == 0) {
        *count = 0;
        return TUTTI_OK;
    }
    struct backend_device *device = &devices[0];
    memset(device, 0, sizeof(*device));
    utf8_copy(device->name, sizeof(device->name), card->name);
    device->inputs = (uint32_t)config->sim_inputs;
    device->outputs = (uint32_t)config->sim_outputs;
    device->is_default = card == &machine.card[0];
    memcpy(device->rates_hz, rates, sizeof(rates));
    device->period_min_frames = (uint32_t)config->sim_period_min;
    device->period_max_frames = (uint32_t)config->sim_period_max;
    device->period_step_frames = (uint32_t)config->sim_period_step;
    *count = 1;
    return TUTTI_OK;
}

static bool
find_format(const char *name, enum dsp_format *format)
{
    static const struct {
        const char *name;
        enum dsp_format format;
    } names[] = {{"float32", DSP_F32},
                 {"int16", DSP_S16},
                 {"int24", DSP_S24},
                 {"int24in32", DSP_S24_32},
                 {"int32", DSP_S32}};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *format = names[i].format;
            return true;
        }
    }
    return false;
}

static void
lay_out(struct backend_area *areas, unsigned char *memory, uint32_t channels, uint32_t bytes,
        uint32_t max_frames, bool interleaved)
{
    for (uint32_t c = 0; c < channels; c++) {
        areas[c].first = memory + (size_t)c * (interleaved ? bytes : bytes * max_frames);
        areas[c].stride_bytes = interleaved ? bytes * channels : bytes;
    }
}

static void
sim_close(struct backend_stream *stream)
{
    if (stream->card->stream == stream) {
        stream->card->stream = NULL;
    }
    if (machine.current == stream) {
        machine.current = NULL;
    }
    free(stream->in_memory);
    free(stream->out_memory);
    free(stream->scratch);
    free(stream->air);
    free(stream);
}

static enum tutti_status
allocate(struct backend_stream *stream, const struct config *config)
{
    struct backend_info *info = &stream->info;
    uint32_t bytes = dsp_format_bytes(info->input_format), max = info->period_max_frames;
    uint64_t span = 4ULL * max + stream->converter_in + stream->converter_out +
                    (stream->cable > 0 ? (uint32_t)stream->cable : 0);
    stream->air_frames = 1;
    while (stream->air_frames < span) {
        stream->air_frames *= 2;
    }
    stream->in_memory = calloc((size_t)max * (info->inputs + 1), bytes);
    stream->out_memory = calloc((size_t)max * (info->outputs + 1), bytes);
    stream->scratch = calloc(max, sizeof(float));
    stream->air = calloc((size_t)stream->air_frames * (info->outputs + 1), sizeof(float));
    if (!stream->in_memory || !stream->out_memory || !stream->scratch || !stream->air) {
        return TUTTI_NO_MEMORY;
    }
    lay_out(stream->in, stream->in_memory, info->inputs, bytes, max, config->sim_interleaved);
    lay_out(stream->out, stream->out_memory, info->outputs, bytes, max, config->sim_interleaved);
    return TUTTI_OK;
}

static bool
rate_is_known(double rate_hz)
{
    for (unsigned i = 0; i < BACKEND_MAX_RATES && rates[i] > 0; i++) {
        if (rates[i] == rate_hz) {
            return true;
        }
    }
    return false;
}

static uint32_t
at_most(int32_t have, uint32_t most)
{
    return (uint32_t)have < most ? (uint32_t)have : most;
}

static enum tutti_status
check_request(const struct backend_request *request, struct card *card, double rate_hz,
              char error[256])
{
    if (!is_plugged(card)) {
        snprintf(error, 256, "the virtual sound card is unplugged");
        return TUTTI_NO_DEVICE;
    }
    if (atomic_load(&card->refusals)) {
        atomic_fetch_sub(&card->refusals, 1);
        snprintf(error, 256, "the virtual sound card is held by another program");
        return TUTTI_DEVICE_BUSY;
    }
    if (!rate_is_known(rate_hz)) {
        snprintf(error, 256, "the virtual sound card does not run at %.0f Hz", rate_hz);
        return TUTTI_UNSUPPORTED_RATE;
    }
    if (at_most(request->config->sim_inputs, request->max_inputs) +
            at_most(request->config->sim_outputs, request->max_outputs) ==
        0) {
        snprintf(error, 256, "neither inputs nor outputs are wanted, or [sim] has none");
        return TUTTI_BAD_CONFIG;
    }
    return TUTTI_OK;
}

static enum tutti_status
sim_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
         struct backend_stream **streams, unsigned *count, char error[256])
{
    const struct config *config = request->config;
    struct card *card = find_card(request->device);
    if (!card) {
        snprintf(error, 256, "there is no device '%.100s'; 'tutti devices' lists them",
                 request->device);
        return TUTTI_NO_DEVICE;
    }
    uint32_t forced = atomic_load(&card->rate_hz);
    double rate_hz = forced                 ? forced
                     : request->rate_hz > 0 ? request->rate_hz
                                            : config->device_rate;
    enum tutti_status status = check_request(request, card, rate_hz, error);
    if (status != TUTTI_OK) {
        return status;
    }
    struct backend_stream *stream = calloc(1, sizeof(*stream));
    if (!stream) {
        return TUTTI_NO_MEMORY;
    }
    stream->card = card;
    struct backend_info *info = &stream->info;
    if (!find_format(config->sim_format, &info->input_format)) {
        snprintf(error, 256,
                 "[sim] format '%.40s' is none of float32, int16, int24, int24in32, int32",
                 config->sim_format);
        free(stream);
        return TUTTI_BAD_CONFIG;
    }
    if (!sim_faults_parse(&stream->faults, config->sim_faults, error)) {
        free(stream);
        return TUTTI_BAD_CONFIG;
    }
    pass_ms(fault_ms(&stream->faults, SIM_FAULT_SLOW_OPEN, atomic_fetch_add(&card->openings, 1)));
    utf8_copy(info->name, sizeof(info->name), card->name);
    info->output_format = info->input_format;
    snprintf(info->format, sizeof(info->format), "%.20s%s", dsp_format_text(info->input_format),
             config->sim_interleaved ? "" : " planar");
    info->inputs = at_most(config->sim_inputs, request->max_inputs);
    info->outputs = at_most(config->sim_outputs, request->max_outputs);
    info->rate_hz = rate_hz;
    memcpy(info->rates_hz, rates, sizeof(rates));
    info->exact = true;
    info->period_min_frames = (uint32_t)config->sim_period_min;
    info->period_max_frames = (uint32_t)config->sim_period_max;
    info->period_step_frames = (uint32_t)config->sim_period_step;
    info->live_period = config->sim_live_period;
    info->elastic = config->sim_elastic_ms > 0;
    stream->budget_elastic_ns = (uint64_t)config->sim_elastic_ms * OS_NS_PER_MS;
    stream->converter_in = (uint32_t)config->sim_input_latency;
    stream->converter_out = (uint32_t)config->sim_output_latency;
    stream->cable = config->sim_cable;
    stream->frames_per_ns = rate_hz * (1.0 + config->sim_ppm * 1e-6) * 1e-9;
    stream->callbacks = callbacks[0];
    set_period_info(stream, snap_period(config, request->period_frames));
    status = allocate(stream, config);
    if (status != TUTTI_OK) {
        sim_close(stream);
        return status;
    }
    machine.current = card->stream = stream;
    streams[0] = stream;
    *count = 1;
    return TUTTI_OK;
}

static const struct backend_info *
sim_info(const struct backend_stream *stream)
{
    return &stream->info;
}

static enum tutti_status
sim_start(struct backend_stream *stream)
{
    if (!is_plugged(stream->card)) {
        return TUTTI_DEVICE_LOST;
    }
    uint64_t since_ns = (uint64_t)((double)stream->frame / stream->frames_per_ns + 0.5);
    stream->origin_ns = sim_now_ns() - since_ns;
    stream->running = true;
    stream->starts++;
    if (machine.stepped) {
        return TUTTI_OK;
    }
    atomic_store_explicit(&stream->stop, false, memory_order_release);
    enum tutti_status status =
        os_thread_start(&stream->thread, "tutti-sim", OS_PRIORITY_ENGINE, run_card, stream);
    stream->running = status == TUTTI_OK;
    return status;
}

static void
sim_stop(struct backend_stream *stream)
{
    atomic_store_explicit(&stream->stop, true, memory_order_release);
    os_thread_join(stream->thread);
    stream->thread = NULL;
    stream->running = false;
}

static enum tutti_status
sim_request_period(struct backend_stream *stream, uint32_t period_frames)
{
    if (!stream->info.live_period || period_frames < stream->info.period_min_frames ||
        period_frames > stream->info.period_max_frames) {
        return TUTTI_UNSUPPORTED;
    }
    uint64_t refusal_ms = fault_ms(&stream->faults, SIM_FAULT_REFUSE_PERIOD, stream->cycle);
    if (refusal_ms && period_frames != stream->info.period_frames) {
        atomic_fetch_add(&stream->card->period_refusals, 1);
        pass_ms(refusal_ms);
        return TUTTI_UNSUPPORTED;
    }
    return TUTTI_OK;
}

static enum tutti_status
sim_set_period(struct backend_stream *stream, uint32_t period_frames)
{
    if (period_frames == 0) {
        return TUTTI_OK; /* nobody else changes it */
    }
    enum tutti_status status = sim_request_period(stream, period_frames);
    if (status == TUTTI_OK) {
        set_period_info(stream, period_frames);
    }
    return status;
}

const struct backend backend_sim = {
    .name = "sim",
    .description = "virtual sound card",
    .silent = true,
    .list = sim_list,
    .open = sim_open,
    .info = sim_info,
    .start = sim_start,
    .stop = sim_stop,
    .close = sim_close,
    .set_period = sim_set_period,
    .request_period = sim_request_period,
};
