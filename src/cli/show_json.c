/* SPDX-License-Identifier: MIT */
/* What the commands found out, for machines: one line of JSON each. Names carry their units. See
 * show.h. */
#include "cli/show.h"

#include <inttypes.h>
#include <stdio.h>

#include "console/json.h"
#include "proto/fields.h"

static void
add_string(struct json *json, const char *name, const char *value)
{
    json_key(json, name);
    json_string(json, value);
}

static void
add_unsigned(struct json *json, const char *name, uint64_t value)
{
    json_key(json, name);
    json_unsigned(json, value);
}

static void
add_number(struct json *json, const char *name, double value)
{
    json_key(json, name);
    json_number(json, value);
}

static void
add_bool(struct json *json, const char *name, bool value)
{
    json_key(json, name);
    json_bool(json, value);
}

/* Milliseconds of frames; null while the rate is unknown. */
static void
add_ms(struct json *json, const char *name, double frames, double rate_hz)
{
    json_key(json, name);
    if (rate_hz > 0) {
        json_number(json, frames * 1000 / rate_hz);
    } else {
        json_null(json);
    }
}

static void
add_levels(struct json *json, const char *name, const float *levels, uint32_t count)
{
    json_key(json, name);
    json_array_begin(json);
    for (uint32_t i = 0; i < count && i < TUTTI_METERS; i++) {
        json_number(json, (double)levels[i]);
    }
    json_array_end(json);
}

static void
add_rates(struct json *json, const char *name, const double *rates_hz, uint32_t count)
{
    json_key(json, name);
    json_array_begin(json);
    for (uint32_t i = 0; i < count && rates_hz[i] > 0; i++) {
        json_number(json, rates_hz[i]);
    }
    json_array_end(json);
}

/* A row of proto/fields.h as a member of an object. */
#define ADD_FIELD(type, name, limit, key, ...) ADD_##type(#key, from->name, limit)
#define ADD_TEXT(key, value, bytes) add_string(json, key, value);
#define ADD_STATE(key, value, count) add_string(json, key, value);
#define ADD_U32(key, value, largest) add_unsigned(json, key, value);
#define ADD_U64(key, value, largest) add_unsigned(json, key, value);
#define ADD_RATE(key, value, none) add_number(json, key, value);
#define ADD_RATES(key, value, count) add_rates(json, key, value, count);
#define ADD_PEAKS(key, value, channels) add_levels(json, key, value, from->channels);

static void
add_device_fields(struct json *json, const struct tutti_device *from)
{
    DEVICE_FIELDS(ADD_FIELD)
}

static void
add_device(struct json *json, const struct tutti_device *device)
{
    json_key(json, "device");
    json_object_begin(json);
    add_device_fields(json, device);
    json_object_end(json);
}

static void
add_counters(struct json *json, const struct tutti_device_status *device)
{
    add_unsigned(json, "cycles", device->cycles);
    add_unsigned(json, "cycle_p50_us", device->cycle_p50_us);
    add_unsigned(json, "cycle_p99_us", device->cycle_p99_us);
    add_unsigned(json, "device_xruns", device->xruns);
    add_unsigned(json, "engine_overruns", device->engine_overruns);
    add_unsigned(json, "reopenings", device->reopenings);
    add_unsigned(json, "gap_frames", device->gap_frames);
}

static void
add_open_devices(struct json *json, const struct tutti_engine_status *status)
{
    json_key(json, "devices");
    json_array_begin(json);
    for (uint32_t i = 0; status && i < status->device_count; i++) {
        const struct tutti_device_status *device = &status->devices[i];
        json_object_begin(json);
        add_device_fields(json, &device->device);
        add_counters(json, device);
        json_object_end(json);
    }
    json_array_end(json);
}

static void
add_program(struct json *json, const struct tutti_program_status *from,
            const struct tutti_device *device)
{
    double rate_hz = device->rate_hz;
    uint32_t round = from->input_latency_frames + from->output_latency_frames;

    json_object_begin(json);
    CLIENT_STATUS_FIELDS(ADD_FIELD)
    add_string(json, "device", from->buffer_frames ? device->name : "");
    add_ms(json, "round_trip_ms", round, rate_hz);
    CLIENT_STATUS_LATER_FIELDS(ADD_FIELD)
    json_object_end(json);
}

static void
add_engine(struct json *json, const struct tutti_engine_status *status)
{
    const struct tutti_device_status device = show_main_device(status);
    char generation[20];

    /* 64 random bits do not survive readers that keep numbers as doubles. */
    snprintf(generation, sizeof(generation), "%016" PRIx64, status->generation);
    json_object_begin(json);
    add_unsigned(json, "pid", status->engine_pid);
    add_string(json, "generation", generation);
    add_number(json, "uptime_s", (double)status->uptime_ns * 1e-9);
    add_counters(json, &device);
    add_string(json, "problem", status->problem);
    json_object_end(json);
}

void
show_status_json(struct text *out, const struct tutti_engine_status *status,
                 const struct tutti_program_status *programs)
{
    struct json json;

    json_init(&json, out);
    json_object_begin(&json);
    json_key(&json, "engine");
    if (status) {
        add_engine(&json, status);
        add_device(&json, &status->device);
    } else {
        json_null(&json);
        json_key(&json, "device");
        json_null(&json);
    }
    add_open_devices(&json, status);
    json_key(&json, "programs");
    json_array_begin(&json);
    for (uint32_t i = 0; status && i < status->program_count; i++) {
        add_program(&json, &programs[i], show_device_of(status, &programs[i]));
    }
    json_array_end(&json);
    json_object_end(&json);
    text_add(out, "\n");
}

void
show_devices_json(struct text *out, const struct tutti_device_entry *devices, uint32_t count)
{
    struct json json;

    json_init(&json, out);
    json_object_begin(&json);
    json_key(&json, "devices");
    json_array_begin(&json);
    for (uint32_t i = 0; i < count; i++) {
        json_object_begin(&json);
        add_string(&json, "name", devices[i].name);
        add_string(&json, "backend", devices[i].backend);
        add_unsigned(&json, "inputs", devices[i].inputs);
        add_unsigned(&json, "outputs", devices[i].outputs);
        add_bool(&json, "default", devices[i].is_default);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    text_add(out, "\n");
}

void
show_latency_json(struct text *out, const struct show_latency *latency)
{
    const struct probe_match *match = &latency->match;
    int64_t reported =
        (int64_t)latency->input_latency_frames + (int64_t)latency->output_latency_frames;
    struct json json;

    json_init(&json, out);
    json_object_begin(&json);
    add_bool(&json, "found", match->found);
    add_unsigned(&json, "output", latency->output);
    add_unsigned(&json, "input", latency->input);
    add_unsigned(&json, "buffer_frames", latency->buffer_frames);
    add_number(&json, "rate_hz", latency->rate_hz);
    add_unsigned(&json, "input_latency_frames", latency->input_latency_frames);
    add_unsigned(&json, "output_latency_frames", latency->output_latency_frames);
    add_unsigned(&json, "reported_frames", (uint64_t)reported);
    add_ms(&json, "reported_ms", (double)reported, latency->rate_hz);
    add_unsigned(&json, "lost_frames", latency->lost_frames);
    add_number(&json, "heard_peak_db", style_db(latency->heard_peak));
    if (match->found) {
        int64_t difference = (int64_t)latency->measured_frames - reported;
        add_unsigned(&json, "measured_frames", latency->measured_frames);
        add_ms(&json, "measured_ms", (double)latency->measured_frames, latency->rate_hz);
        json_key(&json, "difference_frames");
        json_integer(&json, difference);
        add_number(&json, "gain_db", style_db(match->gain));
        add_number(&json, "clarity", match->clarity);
        add_bool(&json, "inverted", match->inverted);
        add_bool(&json, "exact", match->exact);
    } else {
        json_key(&json, "measured_frames");
        json_null(&json);
        json_key(&json, "measured_ms");
        json_null(&json);
        json_key(&json, "difference_frames");
        json_null(&json);
    }
    json_object_end(&json);
    text_add(out, "\n");
}
