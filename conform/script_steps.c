/* SPDX-License-Identifier: MIT */
/* What each step of a script does, and what its host could not live with. */
#include "conform/rates.h"
#include "conform/script_player.h"

#include <objbase.h>
#include <unknwn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 3000, QUIET_MS = 60, LARGE_FRAMES = 1024 };

static_assert((int)RATES <= (int)SCRIPT_RATES, "room for all");

/* The path in InprocServer32. */
static bool
find_module(const struct asio_guid *clsid, wchar_t path[MAX_PATH])
{
    wchar_t text[40], key[80];
    DWORD bytes = MAX_PATH * sizeof(*path);
    CLSID id;

    memcpy(&id, clsid, sizeof(id));
    if (!StringFromGUID2(&id, text, ARRAYSIZE(text))) {
        return false;
    }
    _snwprintf(key, ARRAYSIZE(key), L"CLSID\\%ls\\InprocServer32", text);
    return RegGetValueW(HKEY_CLASSES_ROOT, key, NULL, RRF_RT_REG_SZ, NULL, path, &bytes) == 0;
}

static struct asio_driver *
load_object(struct script_player *player, HMODULE *module)
{
    static const IID class_factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    typedef HRESULT(WINAPI * get_class_fn)(REFCLSID, REFIID, LPVOID *);
    const struct asio_guid *clsid = conform_clsid(player->t);
    IClassFactory *factory = NULL;
    wchar_t path[MAX_PATH];
    void *object = NULL;
    CLSID id;

    *module = find_module(clsid, path) ? LoadLibraryW(path) : NULL;
    FARPROC found = *module ? GetProcAddress(*module, "DllGetClassObject") : NULL;
    get_class_fn get_class;
    memcpy(&get_class, &found, sizeof(get_class));
    memcpy(&id, clsid, sizeof(id));
    if (!found || get_class(&id, &class_factory, (void **)&factory) != S_OK || !factory) {
        return NULL;
    }
    factory->lpVtbl->CreateInstance(factory, NULL, &id, &object);
    factory->lpVtbl->Release(factory);
    return object;
}

static void
do_load(struct script_player *player, struct subject *s, const struct script_step *step)
{
    s = calloc(1, sizeof(*s));
    if (!s || !host_open(&s->host, s)) {
        script_fail(player, "the test's own host", "found no memory");
        free(s);
        return;
    }
    s->t = player->t;
    player->subjects[player->which] = s;
    script_behave(player, s);
    s->asio = load_object(player, &player->modules[player->which]);
    if (!s->asio) {
        script_fail(player, "loading the module", "gave no object");
    }
}

static void
do_create(struct script_player *player, struct subject *s, const struct script_step *step)
{
    s = subject_create(player->t);
    player->subjects[player->which] = s;
    if (s) {
        script_behave(player, s);
    } else {
        player->ended = true;
    }
}

static void
forget_object(struct script_player *player)
{
    struct subject **s = &player->subjects[player->which];

    if (*s && atomic_load(&(*s)->host.inside) == 0) {
        host_close(&(*s)->host);
        free(*s);
    }
    *s = NULL;
}

static void
do_release(struct script_player *player, struct subject *s, const struct script_step *step)
{
    char text[64];

    script_writer_forget(&player->writer);
    uint32_t left = call_release(s);
    if (left) {
        snprintf(text, sizeof(text), "answered %u", left);
        script_fail(player, "the last Release", text);
    }
    forget_object(player);
}

/* ---- questions ---- */

static void
do_init(struct script_player *player, struct subject *s, const struct script_step *step)
{
    static const char *const names[] = {"init without a window", "init",
                                        "init with a window that is none"};
    void *handle = NULL;
    char text[ASIO_ERROR_BYTES + 1] = "";

    if (step->a == WINDOW_DESKTOP) {
        handle = GetDesktopWindow();
    } else if (step->a == WINDOW_GARBAGE) {
        handle = GetModuleHandleW(NULL);
    }
    if (call_init(s, handle) == 1) {
        return;
    }
    call_get_error_message(s, text);
    script_fail(player, names[step->a], text[0] ? text : "failed and said nothing");
}

static void
do_channels(struct script_player *player, struct subject *s, const struct script_step *step)
{
    int32_t inputs = 0, outputs = 0;
    bool known = s->inputs + s->outputs > 0;

    script_judge(player, "getChannels", call_get_channels(s, &inputs, &outputs));
    if (known && (inputs != s->inputs || outputs != s->outputs)) {
        script_fail(player, "getChannels", "told another number than before");
    }
    s->inputs = inputs;
    s->outputs = outputs;
}

static void
do_can_rates(struct script_player *player, struct subject *s, const struct script_step *step)
{
    double before = 0, after = 0;

    player->rate_count = 0;
    call_get_sample_rate(s, &before);
    for (unsigned i = 0; i < RATES; i++) {
        int32_t answer = call_can_sample_rate(s, rates_hz[i]);
        if (answer == ASIO_OK) {
            player->rates[player->rate_count++] = rates_hz[i];
        }
        script_judge(player, "canSampleRate", answer);
    }
    call_get_sample_rate(s, &after);
    if (before != after) {
        script_fail(player, "canSampleRate", "changed the rate");
    }
}

/* The rate a DO_SET_RATE asks for; 0: there is none. */
static double
choose_rate(struct script_player *player, struct subject *s, const struct script_step *step)
{
    double current = 0;

    call_get_sample_rate(s, &current);
    if (player->first_rate == 0) {
        player->first_rate = current;
    }
    if (step->x == 0 && step->a == RATE_CURRENT) {
        return current;
    }
    if (step->x == 0 && step->a == RATE_FIRST) {
        return player->first_rate;
    }
    for (unsigned i = 0; i < player->rate_count; i++) {
        if (step->x != 0 ? player->rates[i] == step->x : player->rates[i] != current) {
            return player->rates[i];
        }
    }
    return 0;
}

static void
do_set_rate(struct script_player *player, struct subject *s, const struct script_step *step)
{
    double rate = choose_rate(player, s, step);

    if (rate == 0) {
        return;
    }
    script_judge(player, "setSampleRate", call_set_sample_rate(s, rate));
    player->set_rate = rate;
}

static void
do_expect_rate(struct script_player *player, struct subject *s, const struct script_step *step)
{
    double rate = 0;
    char text[80];

    script_judge(player, "getSampleRate", call_get_sample_rate(s, &rate));
    if (player->set_rate == 0 || rate == player->set_rate) {
        return;
    }
    snprintf(text, sizeof(text), "told %g Hz, %g Hz was set", rate, player->set_rate);
    script_fail(player, "getSampleRate", text);
}

static bool
is_created(const struct subject *s, bool input, int32_t channel)
{
    for (int32_t i = 0; i < s->count; i++) {
        if ((s->infos[i].is_input != 0) == input && s->infos[i].channel == channel) {
            return s->prepared;
        }
    }
    return false;
}

static void
ask_info(struct script_player *player, struct subject *s, bool input, int32_t channel, bool active)
{
    struct asio_channel_info info = {.channel = channel, .is_input = input};

    script_judge(player, "getChannelInfo", call_get_channel_info(s, &info));
    if (active && !player->ended && (info.is_active != 0) != is_created(s, input, channel)) {
        script_fail(player, "getChannelInfo",
                    info.is_active ? "says that a channel without buffers is active"
                                   : "says that a channel with buffers is not active");
    }
}

static void
do_channel_info(struct script_player *player, struct subject *s, const struct script_step *step)
{
    for (int32_t i = 0; i < s->inputs && !player->ended; i++) {
        ask_info(player, s, true, i, step->a);
    }
    for (int32_t i = 0; i < s->outputs && !player->ended; i++) {
        ask_info(player, s, false, i, step->a);
    }
}

static void
do_clocks(struct script_player *player, struct subject *s, const struct script_step *step)
{
    struct asio_clock_source clocks[16];
    int32_t count = step->a;

    script_judge(player, "getClockSources", call_get_clock_sources(s, clocks, &count));
    if (count < 0) {
        script_fail(player, "getClockSources", "counted less than none");
    }
}

static void
do_output_ready(struct script_player *player, struct subject *s, const struct script_step *step)
{
    int32_t answer = call_output_ready(s);

    script_judge(player, "outputReady", answer);
    if (player->script->behaviour.ready == READY_IF_OK) {
        s->host.output_ready = answer == ASIO_OK;
    }
}

/* ---- buffers ---- */

static int32_t
choose_size(const struct subject *s, int size)
{
    int32_t frames = s->preferred;

    if (size == SIZE_MIN) {
        frames = s->min;
    }
    if (size == SIZE_DOUBLE && s->preferred <= s->max / 2 && s->granularity != 0) {
        frames = 2 * s->preferred;
    }
    if (size == SIZE_LARGE && s->granularity == -1) {
        frames = s->max < LARGE_FRAMES ? s->max : LARGE_FRAMES;
    }
    if (size == SIZE_OFF_GRID) {
        frames = s->max + 1;
    }
    return frames;
}

static void
fill_infos(struct subject *s, int32_t inputs, int32_t outputs, bool outputs_first)
{
    s->count = 0;
    memset(s->infos, 0, sizeof(s->infos));
    for (int pass = 0; pass < 2; pass++) {
        bool input = (pass == 0) != outputs_first;
        int32_t there = input ? s->inputs : s->outputs, wanted = input ? inputs : outputs;
        if (wanted < 0 || wanted > there) {
            wanted = there;
        }
        for (int32_t i = 0; i < wanted && i < SUBJECT_CHANNELS; i++) {
            s->infos[s->count++] = (struct asio_buffer_info){.is_input = input, .channel = i};
        }
    }
}

static void
do_buffers(struct script_player *player, struct subject *s, const struct script_step *step)
{
    fill_infos(s, step->a, step->b, player->modules[player->which] != NULL);
    host_forget(&s->host);
    s->buffer_frames = choose_size(s, (int)step->x);
    int32_t answer =
        call_create_buffers(s, s->infos, s->count, s->buffer_frames, &s->host.callbacks);
    script_judge(player, "createBuffers", answer);
    s->prepared = player->fresh = answer == ASIO_OK;
    for (int32_t i = 0; i < s->count && s->prepared; i++) {
        struct asio_channel_info info = {.channel = s->infos[i].channel,
                                         .is_input = s->infos[i].is_input};
        s->types[i] = call_get_channel_info(s, &info) == ASIO_OK ? info.type : -1;
        if (!s->infos[i].buffers[0] || !s->infos[i].buffers[1]) {
            script_fail(player, "createBuffers", "gave a channel no buffer");
        }
    }
}

/* ---- running ---- */

static void
do_start(struct script_player *player, struct subject *s, const struct script_step *step)
{
    if (player->fresh && atomic_load(&s->host.block_count)) {
        script_fail(player, "createBuffers", "was followed by a callback before start");
    }
    host_forget(&s->host);
    int32_t answer = call_start(s);
    player->fresh = false;
    script_judge(player, "start", answer);
    s->running = answer == ASIO_OK;
}

static void
do_blocks(struct script_player *player, struct subject *s, const struct script_step *step)
{
    double rate = 0;
    char text[80];

    call_get_sample_rate(s, &rate);
    double needed_ms = step->a * (double)s->buffer_frames * 1000 / (rate >= 1000 ? rate : 44100);
    if (host_wait(&s->host, (uint32_t)step->a, PATIENCE_MS + (unsigned)(2 * needed_ms))) {
        return;
    }
    snprintf(text, sizeof(text), "brought %u of %d callbacks in time",
             atomic_load(&s->host.block_count), (int)step->a);
    script_fail(player, "start", text);
}

static const char *
complain_of_blocks(const struct subject *s)
{
    uint32_t count = atomic_load(&s->host.block_count);
    uint64_t frames = (uint64_t)s->buffer_frames;

    for (uint32_t i = 0; i < count && i < HOST_BLOCKS; i++) {
        const struct host_block *block = &s->host.blocks[i], *last = block - 1;
        bool both = i > 0 && block->answer == ASIO_OK && last->answer == ASIO_OK;
        if (block->half != 0 && block->half != 1) {
            return "got an index that is neither 0 nor 1";
        }
        if (i > 0 && block->half == last->half) {
            return "got the same half twice";
        }
        if (block->null_time) {
            return "got no time info";
        }
        if (both && block->position < last->position + frames) {
            return "got a position that does not grow by the buffer";
        }
        if (block->info && s->host.callbacks.buffer_switch_time_info == NULL) {
            return "got a time info that it cannot take";
        }
    }
    return atomic_load(&s->host.nested) ? "was called while it was being called" : NULL;
}

static void
do_stop(struct script_player *player, struct subject *s, const struct script_step *step)
{
    int32_t answer = call_stop(s);
    uint32_t count = atomic_load(&s->host.block_count);
    bool inside = atomic_load(&s->host.inside) > 0;

    script_judge(player, "stop", answer);
    if (!s->running) {
        return;
    }
    s->running = false;
    if (answer == ASIO_OK && inside) {
        script_fail(player, "stop", "returned while a callback ran");
    }
    conform_sleep_ms(QUIET_MS);
    if (answer == ASIO_OK && atomic_load(&s->host.block_count) != count) {
        script_fail(player, "stop", "was followed by a callback");
    }
    const char *wrong = complain_of_blocks(s);
    if (wrong && !player->ended) {
        script_fail(player, "the callback", wrong);
    }
}

static void
do_dispose(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_writer_forget(&player->writer);
    script_judge(player, "disposeBuffers", call_dispose_buffers(s));
    s->prepared = s->running = false;
}

static void
do_unload(struct script_player *player, struct subject *s, const struct script_step *step)
{
    HMODULE *module = &player->modules[player->which];

    if (*module) {
        FreeLibrary(*module);
    }
    *module = NULL;
}

/* ---- short ones ---- */

static void
do_name(struct script_player *player, struct subject *s, const struct script_step *step)
{
    char name[ASIO_NAME_BYTES + 1] = "";

    call_get_driver_name(s, name);
    if (!name[0]) {
        script_fail(player, "getDriverName", "told nothing");
    }
}

static void
do_version(struct script_player *player, struct subject *s, const struct script_step *step)
{
    call_get_driver_version(s);
}

static void
do_error(struct script_player *player, struct subject *s, const struct script_step *step)
{
    char error[ASIO_ERROR_BYTES + 1];

    call_get_error_message(s, error);
}

static void
do_sizes(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_judge(player, "getBufferSize",
                 call_get_buffer_size(s, &s->min, &s->max, &s->preferred, &s->granularity));
}

static void
do_latencies(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_judge(player, "getLatencies",
                 call_get_latencies(s, &s->input_latency, &s->output_latency));
}

static void
do_rate(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_judge(player, "getSampleRate", call_get_sample_rate(s, &s->rate_hz));
}

static void
do_can_rate(struct script_player *player, struct subject *s, const struct script_step *step)
{
    double rate = step->x;

    if (rate == 0) {
        call_get_sample_rate(s, &rate);
    }
    script_judge(player, "canSampleRate", call_can_sample_rate(s, rate));
}

static void
do_clock(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_judge(player, "setClockSource", call_set_clock_source(s, step->a));
}

static void
do_first_info(struct script_player *player, struct subject *s, const struct script_step *step)
{
    if (step->a ? s->inputs : s->outputs) {
        ask_info(player, s, step->a, 0, false);
    }
}

static void
do_future(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_judge(player, "future", call_future(s, step->a, NULL, 0));
}

static void
do_panel(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_judge(player, "controlPanel", call_control_panel(s));
}

static void
do_position(struct script_player *player, struct subject *s, const struct script_step *step)
{
    uint64_t position, time_ns;

    script_judge(player, "getSamplePosition", call_get_sample_position(s, &position, &time_ns));
}

static void
do_clear(struct script_player *player, struct subject *s, const struct script_step *step)
{
    script_clear_half(s, 0);
    script_clear_half(s, 1);
}

static void
do_sleep(struct script_player *player, struct subject *s, const struct script_step *step)
{
    conform_sleep_ms((unsigned)step->a);
}

static void
do_other(struct script_player *player, struct subject *s, const struct script_step *step)
{
    player->which ^= 1;
}

/* ---- all of them ---- */

typedef void (*step_fn)(struct script_player *player, struct subject *s,
                        const struct script_step *step);

static const step_fn functions[] = {
#define STEP_FUNCTION(NAME, function) [DO_##NAME] = function,
    SCRIPT_STEPS(STEP_FUNCTION)
#undef STEP_FUNCTION
};

void
script_take_step(struct script_player *player)
{
    const struct script_step *step = &player->script->steps[player->step];

    functions[step->what](player, player->subjects[player->which], step);
}
