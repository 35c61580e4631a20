/* SPDX-License-Identifier: MIT */
/*
 * Profiles and the one device. Each profile says which device it wants and how (a setup); one setup
 * is in force: that of the first program that plays, until nobody plays. Whoever comes then with
 * another profile joins when it wants the same device, and hears which one plays when not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

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
    for (unsigned i = 0; i < engine->setups; i++) {
        if (is_same_setup(&engine->setup[i]->config, config)) {
            return engine->setup[i];
        }
    }
    struct engine_setup **grown =
        realloc(engine->setup, (engine->setups + 1) * sizeof(*engine->setup));
    if (!grown) {
        return NULL;
    }
    engine->setup = grown;
    struct engine_setup *setup = calloc(1, sizeof(*setup));
    if (!setup) {
        return NULL;
    }
    setup->config = *config;
    setup->rate_hz = config->device_rate;
    engine->plays_on = true;
    os_mutex_unlock(&engine->lock);
    device_learn(&setup->config, setup->rate_hz, &setup->known);
    os_mutex_lock(&engine->lock);
    engine->plays_on = false;
    engine->setup[engine->setups++] = setup;
    return setup;
}

/* Frees those that nothing names any more. */
static void
drop_setups(struct engine *engine)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < engine->setups; i++) {
        struct engine_setup *setup = engine->setup[i];
        if (setup->named || setup == engine->in_force) {
            engine->setup[kept++] = setup;
        } else {
            free(setup);
        }
    }
    engine->setups = kept;
}

void
profiles_fini(struct engine *engine)
{
    for (unsigned i = 0; i < engine->setups; i++) {
        free(engine->setup[i]);
    }
    free(engine->setup);
    free(engine->named);
}

/* ---- which device ---- */

enum tutti_status
profiles_may_use(const struct engine *engine, const struct engine_program *program,
                 char error[PROTO_TEXT_BYTES])
{
    const struct engine_setup *setup = setup_find(engine, program->profile);
    if (setup == engine->in_force || !client_list_prepared(engine) ||
        setup_wants_this_device(engine, &setup->config)) {
        return TUTTI_OK;
    }
    /* 124 bytes reach a host */
    snprintf(error, PROTO_TEXT_BYTES,
             "Tutti plays through %.26s now; this profile wants %.26s: close the other programs",
             engine->known.name, setup_device_word(&setup->config));
    return TUTTI_DEVICE_BUSY;
}

enum tutti_status
profiles_use(struct engine *engine, const struct engine_program *program,
             char error[PROTO_TEXT_BYTES])
{
    struct engine_setup *setup = setup_find(engine, program->profile);
    enum tutti_status status = profiles_may_use(engine, program, error);
    if (status != TUTTI_OK) {
        log_warning("engine: program %u '%s' of profile '%s': %s", program->id, program->name,
                    program->profile, error);
        return status;
    }
    if (client_list_prepared(engine)) {
        return TUTTI_OK;
    }
    utf8_copy(engine->led_by, sizeof(engine->led_by), program->profile);
    if (setup != engine->in_force) {
        device_close(engine);
        setup_force(engine, setup);
    }
    return TUTTI_OK;
}

/* ---- rates ---- */

void
profiles_note_rate(struct engine *engine, uint32_t program_id)
{
    struct engine_setup *setup = engine->in_force;
    bool usual = engine->rate_hz == setup->config.device_rate;
    setup->rate_by = usual ? 0 : program_id;
    setup->rate_left_ns = 0;
}

/* The device is opened with the configuration's rate next time. */
static void
forget_rate(struct engine *engine, struct engine_setup *setup)
{
    double rate_hz = setup->config.device_rate;
    bool in_force = setup == engine->in_force;
    double *asked_hz = in_force ? &engine->rate_hz : &setup->rate_hz;
    double *known_hz = in_force ? &engine->known.rate_hz : &setup->known.rate_hz;
    if (in_force) {
        device_close(engine);
    }
    log_info("engine: the program that asked for %.0f Hz is gone, the device goes back to %.0f Hz",
             *asked_hz, rate_hz);
    *known_hz = *known_hz == *asked_hz ? rate_hz : *known_hz;
    *asked_hz = rate_hz;
    setup->rate_by = 0;
}

void
profiles_tend(struct engine *engine, uint64_t now_ns)
{
    for (unsigned i = 0; i < engine->setups; i++) {
        struct engine_setup *setup = engine->setup[i];
        bool played = setup == engine->in_force && client_list_prepared(engine) > 0;
        if (!setup->rate_by || played || client_list_find(engine, setup->rate_by)) {
            setup->rate_left_ns = 0;
        } else if (!setup->rate_left_ns) {
            setup->rate_left_ns = now_ns;
        } else if (now_ns - setup->rate_left_ns >= (uint64_t)ENGINE_RATE_KEPT_MS * OS_NS_PER_MS) {
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
    for (unsigned i = 0; i < engine->setups; i++) {
        engine->setup[i]->named = false;
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

/* Follows what the configuration says now of the device in use. */
static enum tutti_status
follow(struct engine *engine, char error[PROTO_TEXT_BYTES])
{
    bool plays = client_list_prepared(engine) > 0;
    struct engine_setup *wanted = setup_find(engine, plays ? engine->led_by : "");
    if (wanted == engine->in_force) {
        return TUTTI_OK;
    }
    /* a rate that programs asked for stays while the configuration's own does */
    double rate_hz = wanted->config.device_rate;
    if (wanted->rate_hz == rate_hz && engine->config.device_rate == rate_hz) {
        wanted->rate_hz = engine->rate_hz;
        wanted->rate_by = engine->in_force->rate_by;
        wanted->known.rate_hz =
            wanted->known.rate_hz == rate_hz ? engine->rate_hz : wanted->known.rate_hz;
    }
    if (!plays) {
        device_close(engine);
        setup_force(engine, wanted);
        return TUTTI_OK;
    }
    log_info("engine: the configuration asks for another device or another way to use it");
    return device_change(engine, wanted, error);
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
    device_claim(engine);
    enum tutti_status status = name_setups(engine, config, profiles, count, named);
    if (status == TUTTI_OK) {
        free(engine->named);
        engine->named = named;
        engine->names = count + 1;
        named = NULL;
        status = follow(engine, error);
        memcpy(engine->config.engine_placement, config->engine_placement,
               sizeof(config->engine_placement));
        engine->config.engine_reserve_us = config->engine_reserve_us;
        engine->config.engine_pin_cpu = config->engine_pin_cpu;
        drop_setups(engine);
    }
    device_release(engine);
    os_mutex_unlock(&engine->lock);
    free(named);
    return status;
}
