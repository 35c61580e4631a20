/* SPDX-License-Identifier: MIT */
/* The final report, as JSON. */
#include "host.h"

static void
put_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\') {
            fprintf(file, "\\%c", *p);
        } else if (*p < 0x20) {
            fprintf(file, "\\u%04x", (unsigned)*p);
        } else {
            fputc(*p, file);
        }
    }
    fputc('"', file);
}

/* The interval in us that `share` of all do not exceed. */
static unsigned
interval_us(double share)
{
    uint64_t total = 0, seen = 0;

    for (unsigned i = 0; i < HOST_INTERVALS; i++) {
        total += audio.intervals[i];
    }
    for (unsigned i = 0; i < HOST_INTERVALS; i++) {
        seen += audio.intervals[i];
        if (total && (double)seen >= share * (double)total) {
            return i;
        }
    }
    return 0;
}

static void
put_numbers(FILE *file, const struct device *device)
{
    const struct ping *ping = &audio.ping;

    fprintf(file, ",\n  \"buffer\": %d,\n  \"inputs\": %d,\n  \"outputs\": %d", (int)device->buffer,
            (int)device->inputs, (int)device->outputs);
    fprintf(file, ",\n  \"rate\": %.10g", device->rate_hz);
    fprintf(file, ",\n  \"input_latency\": %d,\n  \"output_latency\": %d",
            (int)device->input_latency, (int)device->output_latency);
    fprintf(file, ",\n  \"round_trip_reported\": %d",
            (int)(device->input_latency + device->output_latency));
    fprintf(file,
            ",\n  \"round_trip_measured\": {\"min\": %u, \"max\": %u, \"count\": %u, "
            "\"missed\": %u, \"interrupted\": %u}",
            (unsigned)ping->min_frames, (unsigned)ping->max_frames, ping->found, ping->missed,
            ping->interrupted);
    fprintf(file, ",\n  \"round_trips\": [");
    for (unsigned i = 0; i < ping->found && i < PING_KEPT; i++) {
        fprintf(file, "%s[%llu, %llu, %u]", i ? ", " : "",
                (unsigned long long)ping->kept[i].generation,
                (unsigned long long)ping->kept[i].device_frames, (unsigned)ping->kept[i].frames);
    }
    fputc(']', file);
    fprintf(file, ",\n  \"callbacks\": %llu,\n  \"position\": %llu",
            (unsigned long long)audio.callbacks, (unsigned long long)audio.position);
    fprintf(file, ",\n  \"silent_callbacks\": %u,\n  \"position_jumps\": %u",
            (unsigned)audio.silent, (unsigned)audio.jumps);
    fprintf(file, ",\n  \"position_backwards\": %u,\n  \"bad_index\": %u",
            (unsigned)audio.backwards, (unsigned)audio.bad_index);
    fprintf(file, ",\n  \"resets\": %u,\n  \"resyncs\": %u,\n  \"overloads\": %u",
            (unsigned)audio.resets, (unsigned)audio.resyncs, (unsigned)audio.overloads);
    fprintf(file, ",\n  \"latency_changes\": %u,\n  \"rate_changes\": %u",
            (unsigned)audio.latency_changes, (unsigned)audio.rate_changes);
    fprintf(file, ",\n  \"callback_interval_us\": {\"p50\": %u, \"p99\": %u, \"max\": %u}",
            interval_us(0.5), interval_us(0.99), (unsigned)(audio.interval_max_ns / 1000));
}

void
report_write(const struct options *options, const struct device *device)
{
    FILE *file = fopen(options->json, "w");

    if (!file) {
        fail("%s cannot be written", options->json);
        return;
    }
    fprintf(file, "{\n  \"name\": ");
    put_text(file, options->name);
    fprintf(file, ",\n  \"driver\": ");
    put_text(file, device->driver_name);
    fprintf(file, ",\n  \"bits\": %u", (unsigned)sizeof(void *) * 8);
    put_numbers(file, device);
    fprintf(file, ",\n  \"errors\": [");
    for (unsigned i = 0; i < errors.count && i < HOST_ERRORS; i++) {
        fputs(i ? ", " : "", file);
        put_text(file, errors.text[i]);
    }
    fprintf(file, "]\n}\n");
    fclose(file);
}
