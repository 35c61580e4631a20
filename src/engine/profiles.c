/* SPDX-License-Identifier: MIT */
/*
 * Each profile says which device it wants and how (a setup). A setup is in force in at most one
 * mix: from its first client until another setup needs the place. A client joins the mix of its
 * setup, or one that plays through the device that it wants, or a new one.
 */
#include "engine/profiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "device/select.h"
#include "engine/engine_state.h"

/* a rate is kept this long after the client that asked for it: hosts close and open again */
enum { RATE_KEPT_MS = 5000 };

/* ---- setups ---- */

/* True when a device opened by one would be the same opened by the other. */
static bool
is_same_setup(const struct config *a, const struct config *b)
{
    static const char *const sections[] = {"device", "pipewire", "jack", "alsa", "sim"};
    for (unsigned i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        if (!config_same(a, b, sections[i])) {
            return false;
        }
    }
    return true;
}

/* The setup of a configuration, made when there is none like it. NULL: no memory. Claimed. */
static struct engine_setup *
get_setup(struct engine *engine, const struct config *config)
{
    struct setups *setups = &engine->setups;
    for (unsigned i = 0; i < setups->setup_count; i++) {
        if (is_same_setup(&setups->setup[i]->device.config, config)) {
            return setups->setup[i];
        }
    }
    struct engine_setup **grown =
        realloc(setups->setup, (setups->setup_count + 1) * sizeof(*setups->setup));
    if (!grown) {
        return NULL;
    }
    setups->setup = grown;
    struct engine_setup *setup = calloc(1, sizeof(*setup));
    if (!setup) {
        return NULL;
    }
    setup->device.config = *config;
    setup->device.rate_hz = config->device_rate;
    os_mutex_unlock(&engine->lock);
    select_learn(&setup->device.config, setup->device.rate_hz, &setup->device.known);
    os_mutex_lock(&engine->lock);
    setups->setup[setups->setup_count++] = setup;
    return setup;
}

/* The mix in which it is in force; NULL: it is not. */
static struct mix *
mix_of(const struct engine *engine, const struct engine_setup *setup)
{
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        if (mix_setup(engine->mix[i]) == setup) {
            return engine->mix[i];
        }
    }
    return NULL;
}

/* Frees those that nothing names any more. */
static void
drop_setups(struct engine *engine)
{
    struct setups *setups = &engine->setups;
    unsigned kept = 0;
    for (unsigned i = 0; i < setups->setup_count; i++) {
        struct engine_setup *setup = setups->setup[i];
        if (setup->named || mix_of(engine, setup)) {
            setups->setup[kept++] = setup;
        } else {
            free(setup);
        }
    }
    setups->setup_count = kept;
}

void
profiles_fini(struct engine *engine)
{
    struct setups *setups = &engine->setups;
    for (unsigned i = 0; i < setups->setup_count; i++) {
        free(setups->setup[i]);
    }
    free(setups->setup);
    free(setups->named);
}

/* ---- which mix ---- */

/* A mix that nobody plays in; NULL: there is none. */
static struct mix *
idle_mix(const struct engine *engine)
{
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        if (!client_list_prepared(engine->mix[i])) {
            return engine->mix[i];
        }
    }
    return NULL;
}

enum tutti_status
profiles_may_use(const struct engine *engine, const struct engine_client *client,
                 char error[PROTO_TEXT_BYTES])
{
    const struct engine_setup *setup = setup_find(engine, client->profile);
    if (setup_find_mix(engine, setup) || idle_mix(engine) || engine->mix_count < ENGINE_MAX_MIXES) {
        return TUTTI_OK;
    }
    /* 124 bytes reach a host */
    snprintf(error, PROTO_TEXT_BYTES,
             "Tutti plays through %d devices, the most that it can: close programs to use %.26s",
             ENGINE_MAX_MIXES, setup_device_word(&setup->device.config));
    return TUTTI_DEVICE_BUSY;
}

static struct mix *
make_mix(struct engine *engine, struct engine_setup *setup)
{
    struct mix *mix = idle_mix(engine);
    if (mix) {
        master_close(&mix->master);
        master_force(&mix->master, &setup->device);
        return mix;
    }
    mix = mix_new(engine, setup);
    if (mix) {
        engine->mix[engine->mix_count++] = mix;
    }
    return mix;
}

enum tutti_status
profiles_use(struct engine *engine, const struct engine_client *client, struct mix **mix,
             char error[PROTO_TEXT_BYTES])
{
    struct engine_setup *setup = setup_find(engine, client->profile);
    enum tutti_status status = profiles_may_use(engine, client, error);
    if (status != TUTTI_OK) {
        log_warning("engine: program %u '%s' of profile '%s': %s", client->id, client->name,
                    client->profile, error);
        return status;
    }
    *mix = setup_find_mix(engine, setup);
    if (!*mix) {
        *mix = make_mix(engine, setup);
    }
    if (!*mix) {
        return TUTTI_NO_MEMORY;
    }
    if (!client_list_prepared(*mix)) {
        utf8_copy((*mix)->led_by, sizeof((*mix)->led_by), client->profile);
    }
    return TUTTI_OK;
}

/* ---- rates ---- */

void
profiles_note_rate(struct mix *mix, uint32_t program_id)
{
    struct engine_setup *setup = mix_setup(mix);
    bool usual = mix->master.slot.rate_hz == setup->device.config.device_rate;
    setup->rate_by = usual ? 0 : program_id;
    setup->rate_left_ns = 0;
}

/* The device is opened with the configuration's rate next time. */
static void
forget_rate(struct engine *engine, struct engine_setup *setup)
{
    double rate_hz = setup->device.config.device_rate;
    struct mix *mix = mix_of(engine, setup);
    double asked_hz = mix ? mix->master.slot.rate_hz : setup->device.rate_hz;
    double known_hz = mix ? mix_device(mix)->rate_hz : setup->device.known.rate_hz;
    log_info("engine: the program that asked for %.0f Hz is gone, the device goes back to %.0f Hz",
             asked_hz, rate_hz);
    known_hz = known_hz == asked_hz ? rate_hz : known_hz;
    if (mix) {
        master_close(&mix->master);
        slot_ask_rate(&mix->master.slot, rate_hz);
        slot_expect_rate(&mix->master.slot, known_hz);
    } else {
        setup->device.rate_hz = rate_hz;
        setup->device.known.rate_hz = known_hz;
    }
    setup->rate_by = 0;
}

/* Mixes in which nobody plays and whose device is closed, but for the last one. */
static void
drop_mixes(struct engine *engine)
{
    for (uint32_t i = engine->mix_count; i-- > 0 && engine->mix_count > 1;) {
        struct mix *mix = engine->mix[i];
        if (!client_list_prepared(mix) && mix->master.slot.state == PROTO_STREAM_CLOSED) {
            mix_free(mix);
            engine->mix_count--;
            memmove(&engine->mix[i], &engine->mix[i + 1],
                    (engine->mix_count - i) * sizeof(engine->mix[0]));
        }
    }
}

void
profiles_tend(struct engine *engine, uint64_t now_ns)
{
    drop_mixes(engine);
    for (unsigned i = 0; i < engine->setups.setup_count; i++) {
        struct engine_setup *setup = engine->setups.setup[i];
        const struct mix *mix = mix_of(engine, setup);
        bool played = mix && client_list_prepared(mix) > 0;
        if (!setup->rate_by || played || client_list_find(engine, setup->rate_by)) {
            setup->rate_left_ns = 0;
        } else if (!setup->rate_left_ns) {
            setup->rate_left_ns = now_ns;
        } else if (now_ns - setup->rate_left_ns >= (uint64_t)RATE_KEPT_MS * OS_NS_PER_MS) {
            forget_rate(engine, setup);
        }
    }
}

/* ---- another configuration ---- */

/* Setups by name, the one without a profile first. */
static enum tutti_status
name_setups(struct engine *engine, const struct config *config,
            const struct engine_profile *profiles, unsigned count, struct engine_named_setup *named)
{
    for (unsigned i = 0; i < engine->setups.setup_count; i++) {
        engine->setups.setup[i]->named = false;
    }
    for (unsigned i = 0; i <= count; i++) {
        const struct config *of = i ? &profiles[i - 1].config : config;
        utf8_copy(named[i].profile, sizeof(named[i].profile), i ? profiles[i - 1].name : "");
        named[i].setup = get_setup(engine, of);
        if (!named[i].setup) {
            return TUTTI_NO_MEMORY;
        }
        named[i].setup->named = true;
    }
    return TUTTI_OK;
}

/* Follows what the configuration says now of the device that a mix uses. */
static enum tutti_status
follow(struct mix *mix, char error[PROTO_TEXT_BYTES])
{
    bool plays = client_list_prepared(mix) > 0;
    struct engine_setup *wanted = setup_find(mix->engine, plays ? mix->led_by : "");
    struct master *master = &mix->master;
    if (mix_of(mix->engine, wanted)) {
        return TUTTI_OK; /* here, or in another mix: those who play here go on */
    }
    /* a rate that programs asked for stays while the configuration's own does */
    double rate_hz = wanted->device.config.device_rate;
    if (wanted->device.rate_hz == rate_hz && master->config.device_rate == rate_hz) {
        wanted->device.rate_hz = master->slot.rate_hz;
        wanted->rate_by = mix_setup(mix)->rate_by;
        if (wanted->device.known.rate_hz == rate_hz) {
            wanted->device.known.rate_hz = master->slot.rate_hz;
        }
    }
    if (!plays) {
        master_close(master);
        master_force(master, &wanted->device);
        return TUTTI_OK;
    }
    log_info("engine: the configuration asks for another device or another way to use it");
    return master_change(master, &wanted->device, error);
}

/* All mixes. Errors: the first. */
static enum tutti_status
follow_all(struct engine *engine, const struct config *config, char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = TUTTI_OK;
    if (!engine->mix_count) {
        engine->mix[0] = mix_new(engine, setup_find(engine, ""));
        engine->mix_count = engine->mix[0] != NULL;
        status = engine->mix_count ? TUTTI_OK : TUTTI_NO_MEMORY;
    }
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        char text[PROTO_TEXT_BYTES] = "";
        enum tutti_status followed = follow(engine->mix[i], text);
        if (status == TUTTI_OK && followed != TUTTI_OK) {
            status = followed;
            utf8_copy(error, PROTO_TEXT_BYTES, text);
        }
        master_configure(&engine->mix[i]->master, config);
    }
    return status;
}

enum tutti_status
engine_configure(struct engine *engine, const struct config *config,
                 const struct engine_profile *profiles, unsigned count,
                 char error[PROTO_TEXT_BYTES])
{
    struct engine_named_setup *named = calloc((size_t)count + 1, sizeof(*named));
    error[0] = '\0';
    if (!named) {
        return TUTTI_NO_MEMORY;
    }
    os_mutex_lock(&engine->lock);
    claim_take(engine);
    enum tutti_status status = name_setups(engine, config, profiles, count, named);
    if (status == TUTTI_OK) {
        free(engine->setups.named);
        engine->setups.named = named;
        engine->setups.named_count = count + 1;
        named = NULL;
        status = follow_all(engine, config, error);
        drop_setups(engine);
    }
    claim_release(engine);
    os_mutex_unlock(&engine->lock);
    free(named);
    return status;
}
