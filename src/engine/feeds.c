/* SPDX-License-Identifier: MIT */
#include "engine/feeds.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/engine_state.h"

enum { CYCLES_OF_A_FEED = 2 };

/* ---- what is wanted ---- */

/* The outputs of a client that a mix reads, in order; how many. */
static uint32_t
find_channels(const struct mix *to, uint32_t client_id, uint32_t channel[PROTO_MAX_CHANNELS])
{
    bool wanted[PROTO_MAX_CHANNELS] = {0};
    uint32_t count = 0;
    for (uint32_t b = 0; b < to->routing.bus_count; b++) {
        const struct proto_channel *source = &to->routing.bus[b].source;
        if (source->kind == PROTO_CHANNEL_PROGRAM && source->program == client_id &&
            source->channel < PROTO_MAX_CHANNELS) {
            wanted[source->channel] = true;
        }
    }
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        if (wanted[c]) {
            channel[count++] = c;
        }
    }
    return count;
}

static struct feed_setup
setup_of(const struct mix *from, const struct mix *to, uint32_t channels)
{
    const struct cycle *writer = &from->master.cycle, *reader = &to->master.cycle;
    return (struct feed_setup){
        .channels = channels,
        .writer_hz = writer->rate_hz,
        .reader_hz = reader->rate_hz,
        .writer_frames = writer->quantum,
        .reader_frames = reader->quantum,
    };
}

/* A feed reads rates at most a factor of 4 apart. */
static bool
is_possible(const struct feed_setup *setup)
{
    return setup->channels && setup->writer_frames && setup->reader_frames &&
           setup->writer_hz > 0 && setup->reader_hz > 0 &&
           setup->writer_hz <= 4 * setup->reader_hz && setup->reader_hz <= 4 * setup->writer_hz;
}

static bool
is_same(const struct feed_setup *a, const struct feed_setup *b)
{
    return a->channels == b->channels && a->writer_hz == b->writer_hz &&
           a->reader_hz == b->reader_hz && a->writer_frames == b->writer_frames &&
           a->reader_frames == b->reader_frames;
}

static bool
is_wanted(const struct engine *engine, const struct engine_feed *feed)
{
    uint32_t channel[PROTO_MAX_CHANNELS];
    for (uint32_t i = 0; i < engine->client_count; i++) {
        const struct engine_client *client = engine->client[i];
        if (client->id != feed->client_id || !client_list_plays(client, feed->from)) {
            continue;
        }
        uint32_t count = find_channels(feed->to, client->id, channel);
        struct feed_setup setup = setup_of(feed->from, feed->to, count);
        return is_same(&setup, &feed->setup) &&
               memcmp(channel, feed->channel, count * sizeof(channel[0])) == 0;
    }
    return false;
}

static bool
exists(const struct engine *engine, uint32_t client_id, const struct mix *to)
{
    for (uint32_t f = 0; f < engine->feeds.feed_count; f++) {
        const struct engine_feed *feed = engine->feeds.feed[f];
        if (feed->client_id == client_id && feed->to == to) {
            return true;
        }
    }
    return false;
}

/* ---- making one ---- */

static bool
allocate(struct engine_feed *feed)
{
    struct cycle_feed *cycle = &feed->cycle;
    const uint32_t channels = feed->setup.channels;
    size_t samples = (size_t)channels * BACKEND_MAX_PERIOD_FRAMES, bytes = feed_bytes(&feed->setup);
    /* two blocks of each channel, then what the feed wants */
    feed->memory = malloc(2 * samples * sizeof(float) + bytes);
    float **pointers = calloc((size_t)4 * channels, sizeof(*pointers));
    feed->pointers = pointers;
    if (!feed->memory || !pointers) {
        return false;
    }
    /* touches each page, so that the cycle does not fault */
    memset(feed->memory, 0, 2 * samples * sizeof(float) + bytes);
    float *blocks = feed->memory;
    cycle->channels = channels;
    cycle->written = pointers;
    cycle->read = pointers + channels;
    cycle->into = pointers + 2 * channels;
    cycle->from = (const float **)(pointers + 3 * channels);
    for (uint32_t c = 0; c < channels; c++) {
        cycle->written[c] = blocks + (size_t)c * BACKEND_MAX_PERIOD_FRAMES;
        cycle->read[c] = blocks + samples + (size_t)c * BACKEND_MAX_PERIOD_FRAMES;
    }
    feed_init(&cycle->feed, blocks + 2 * samples, &feed->setup);
    return true;
}

/* The buses on both sides. Those of the reader are its clients' already. False: no memory. */
static bool
connect_buses(struct engine_feed *feed)
{
    for (uint32_t c = 0; c < feed->setup.channels; c++) {
        struct proto_channel source = {.kind = PROTO_CHANNEL_PROGRAM,
                                       .channel = (uint16_t)feed->channel[c],
                                       .program = feed->client_id};
        struct engine_bus *from = routing_get_bus(feed->from, &source);
        if (!from) {
            while (c-- > 0) {
                source.channel = (uint16_t)feed->channel[c];
                free(routing_put_bus(feed->from, &source)); /* new ones: never in a plan */
            }
            return false;
        }
        feed->cycle.from[c] = from->ring;
        feed->cycle.into[c] = routing_find_bus(feed->to, &source)->ring;
    }
    return true;
}

static bool
add(struct feeds *feeds, struct engine_feed *feed)
{
    if (feeds->feed_count == feeds->feed_capacity) {
        uint32_t capacity = feeds->feed_capacity ? 2 * feeds->feed_capacity : 8;
        struct engine_feed **grown = realloc(feeds->feed, capacity * sizeof(struct engine_feed *));
        if (!grown) {
            return false;
        }
        feeds->feed = grown;
        feeds->feed_capacity = capacity;
    }
    feeds->feed[feeds->feed_count++] = feed;
    return true;
}

static void
make(struct engine *engine, const struct engine_client *client, struct mix *to)
{
    struct engine_feed *feed = calloc(1, sizeof(*feed));
    if (!feed) {
        return;
    }
    feed->from = client->mix;
    feed->to = to;
    feed->client_id = client->id;
    feed->users = 1;
    uint32_t count = find_channels(to, client->id, feed->channel);
    feed->setup = setup_of(client->mix, to, count);
    if (!is_possible(&feed->setup)) {
        commands_release_feed(feed);
        return;
    }
    if (!allocate(feed) || !connect_buses(feed) || !add(&engine->feeds, feed)) {
        log_error("engine: no memory to carry the sound of program %u to another device",
                  client->id);
        commands_release_feed(feed);
        return;
    }
    feed->users = CYCLES_OF_A_FEED;
    log_info("engine: program %u is read on another device: %u channels, %u frames later",
             client->id, count, feed_delay_frames(&feed->cycle.feed));
    commands_send(feed->from, CYCLE_PLAN, NULL);
    commands_send(feed->to, CYCLE_PLAN, NULL);
}

/* ---- ending one ---- */

/* It is off the list already: new plans are without it. */
static void
end(struct engine_feed *feed)
{
    float *rings[PROTO_MAX_CHANNELS];
    uint32_t ring_count = 0;
    for (uint32_t c = 0; c < feed->setup.channels; c++) {
        const struct proto_channel source = {.kind = PROTO_CHANNEL_PROGRAM,
                                             .channel = (uint16_t)feed->channel[c],
                                             .program = feed->client_id};
        float *ring = routing_put_bus(feed->from, &source);
        if (ring) {
            rings[ring_count++] = ring;
        }
    }
    struct mix *mixes[CYCLES_OF_A_FEED] = {feed->from, feed->to};
    for (unsigned m = 0; m < CYCLES_OF_A_FEED; m++) {
        commands_send(mixes[m], CYCLE_PLAN, NULL);
        commands_retire(mixes[m], (struct engine_retired){.feed = feed});
    }
    for (uint32_t r = 0; r < ring_count; r++) {
        commands_retire(mixes[0], (struct engine_retired){.ring = rings[r]});
    }
}

static void
end_unwanted(struct engine *engine)
{
    struct feeds *feeds = &engine->feeds;
    for (uint32_t f = feeds->feed_count; f-- > 0;) {
        struct engine_feed *feed = feeds->feed[f];
        if (!is_wanted(engine, feed)) {
            feeds->feed_count--;
            memmove(&feeds->feed[f], &feeds->feed[f + 1],
                    (feeds->feed_count - f) * sizeof(struct engine_feed *));
            end(feed);
        }
    }
}

void
feeds_update(struct engine *engine)
{
    uint32_t channel[PROTO_MAX_CHANNELS];
    end_unwanted(engine);
    for (uint32_t i = 0; i < engine->client_count && engine->mix_count > 1; i++) {
        const struct engine_client *client = engine->client[i];
        for (uint32_t m = 0; m < engine->mix_count && client->mix; m++) {
            struct mix *to = engine->mix[m];
            if (to != client->mix && find_channels(to, client->id, channel) &&
                !exists(engine, client->id, to)) {
                make(engine, client, to);
            }
        }
    }
}

void
feeds_fini(struct engine *engine)
{
    free(engine->feeds.feed);
}
