/* SPDX-License-Identifier: MIT */
/* What play, record and latency share. See stream.h. */
#include "cli/stream.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RATE_TOLERANCE_HZ 0.5

void
stream_choose(struct stream_channels *channels, struct tutti_channel source, const uint32_t *list,
              uint32_t count, bool chosen)
{
    for (uint32_t i = 0; i < count; i++) {
        channels->channel[i] = source;
        channels->channel[i].channel = list[i];
    }
    channels->count = count;
    channels->chosen = chosen;
}

/* How many channels a kind of source has on this device; 0 when that is not known. */
static uint32_t
room_of(const struct tutti_device *device, enum tutti_channel_kind kind, bool output)
{
    if (kind == TUTTI_CHANNEL_DEVICE) {
        return output ? device->outputs : device->inputs;
    }
    return kind == TUTTI_CHANNEL_MIX ? device->outputs : 0;
}

/* Leaves out what nobody chose and does not exist. True when something was left out. */
static bool
shorten(struct stream_channels *channels, const struct tutti_device *device, bool output)
{
    uint32_t kept = 0, before = channels->count;

    if (channels->chosen) {
        return false;
    }
    for (uint32_t i = 0; i < before; i++) {
        uint32_t room = room_of(device, channels->channel[i].kind, output);
        if (room == 0 || channels->channel[i].channel < room) {
            channels->channel[kept++] = channels->channel[i];
        }
    }
    channels->count = kept;
    return kept < before;
}

/* The first channel that the device has not, said; false when all are there. */
static bool
say_missing(const struct stream_channels *channels, const struct tutti_device *device, bool output)
{
    for (uint32_t i = 0; i < channels->count; i++) {
        enum tutti_channel_kind kind = channels->channel[i].kind;
        bool known = kind == TUTTI_CHANNEL_DEVICE || kind == TUTTI_CHANNEL_MIX;
        uint32_t room = room_of(device, kind, output);
        const char *what = output || kind == TUTTI_CHANNEL_MIX ? "output" : "input";
        if (!known || channels->channel[i].channel < room) {
            continue;
        }
        if (room == 0) {
            session_say("'%s' has no %ss; choose another device in the settings", device->name,
                        what);
        } else {
            session_say("there is no %s %u; '%s' has %ss 1 to %u", what,
                        channels->channel[i].channel + 1, device->name, what, room);
        }
        return true;
    }
    return false;
}

enum tutti_status
stream_prepare(struct session *session, struct tutti_stream_params *params,
               struct stream_channels *inputs, struct stream_channels *outputs)
{
    enum tutti_status status = TUTTI_OK;

    for (int attempt = 0; attempt < 2; attempt++) {
        struct tutti_device device;
        bool known = tutti_get_device(session->client, &device) == TUTTI_OK && device.rate_hz > 0 &&
                     (device.inputs || device.outputs);
        bool fewer_in = known && shorten(inputs, &device, false);
        bool fewer_out = known && shorten(outputs, &device, true);
        if (known && (say_missing(inputs, &device, false) || say_missing(outputs, &device, true))) {
            return TUTTI_INVALID_ARGUMENT;
        }
        if (attempt == 1 && !fewer_in && !fewer_out) {
            break;
        }
        params->inputs = inputs->count;
        params->input = inputs->channel;
        params->outputs = outputs->count;
        params->output = outputs->channel;
        status = tutti_prepare(session->client, params);
        if (status != TUTTI_INVALID_ARGUMENT) {
            break;
        }
    }
    struct tutti_device joined;
    if (status != TUTTI_OK) {
        session_fail(session, "cannot join the sound device", status);
    } else if (tutti_get_device(session->client, &joined) == TUTTI_OK) {
        session->rate_hz = joined.rate_hz;
    }
    return status;
}

bool
stream_tell_events(struct session *session)
{
    struct session_event event;
    bool go_on = true;

    while (session_next_event(session, &event)) {
        switch (event.kind) {
        case TUTTI_EVENT_RATE:
            /* another device, or another way to use it, at the same rate: the stream goes on */
            if (fabs(event.rate_hz - session->rate_hz) > RATE_TOLERANCE_HZ) {
                session_say("the device runs at %.0f Hz now; start again", event.rate_hz);
                go_on = false;
            } else {
                session_say("%s", event.text);
            }
            break;
        case TUTTI_EVENT_GAP:
            session->gap_frames += event.value;
            session_say("%s", event.text);
            break;
        case TUTTI_EVENT_DEVICE_LOST:
        case TUTTI_EVENT_DEVICE_BACK:
        case TUTTI_EVENT_ENGINE_LOST:
        case TUTTI_EVENT_ENGINE_BACK:
            session_say("%s", event.text);
            break;
        case TUTTI_EVENT_OVERLOAD:  /* counted and reported at the end */
        case TUTTI_EVENT_LATENCIES: /* asked for when needed */
            break;
        }
    }
    return go_on;
}

const char *
stream_sound_error(SNDFILE *file)
{
    static const char system[] = "System error : ";
    static char text[TUTTI_TEXT_BYTES];
    const char *why = sf_strerror(file);

    if (strncmp(why, system, sizeof(system) - 1) == 0) {
        why += sizeof(system) - 1;
    }
    snprintf(text, sizeof(text), "%s", why);
    size_t length = strlen(text);
    while (length > 0 && strchr(". \r\n", text[length - 1])) {
        text[--length] = '\0';
    }
    return text;
}
