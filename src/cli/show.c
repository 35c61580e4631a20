/* SPDX-License-Identifier: MIT */
/* What the commands found out, for people. See show.h. */
#include "cli/show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_COLUMNS = 14, LABEL_COLUMNS = 8 };

static enum style_tone
tone_of_state(const char *state)
{
    if (strcmp(state, "running") == 0)
        return STYLE_GOOD;
    if (strcmp(state, "late") == 0 || strcmp(state, "lost") == 0)
        return STYLE_BAD;
    return STYLE_PLAIN;
}

static void
add_counter(struct text *out, const struct style *style, const char *name, uint64_t value)
{
    struct text number;

    text_init(&number);
    text_addf(&number, "%s %" PRIu64, name, value);
    text_add(out, "   ");
    style_add(out, style, value ? STYLE_WARN : STYLE_PLAIN, text_get(&number), 0);
    text_fini(&number);
}

/* As it is, or cut to `most` columns. */
static void
add_limited(struct text *out, const struct style *style, const char *text, size_t most)
{
    size_t columns = text_columns(text);

    text_add_column(out, text, columns < most ? columns : most, style_ellipsis(style));
}

static void
show_engine(struct text *out, const struct style *style, const struct tutti_engine_status *status)
{
    style_add(out, style, STYLE_STRONG, "Engine", LABEL_COLUMNS);
    text_addf(out, "pid %u   up ", status->engine_pid);
    style_add_span(out, (double)status->uptime_ns * 1e-9);
    if (status->cycles)
        text_addf(out, "   cycle %u us, 99 %% within %u us", status->cycle_p50_us,
                  status->cycle_p99_us);
    text_add(out, "\n");
}

static void
show_device(struct text *out, const struct style *style, const struct tutti_engine_status *status)
{
    const struct tutti_device *device = &status->device;

    style_add(out, style, STYLE_STRONG, "Device", LABEL_COLUMNS);
    if (!device->name[0]) {
        text_add(out, "none opened yet; the first program that plays opens it\n");
        return;
    }
    add_limited(out, style, device->name, 40);
    text_addf(out, " (%s)   ", device->backend);
    style_add(out, style, tone_of_state(device->state), device->state, 0);
    text_add(out, "\n");
    if (!device->period_frames || device->rate_hz <= 0)
        return;
    text_add_times(out, " ", LABEL_COLUMNS);
    style_add_rate(out, device->rate_hz);
    text_addf(out, " Hz   period %u = ", device->period_frames);
    style_add_ms(out, device->period_frames, device->rate_hz);
    text_addf(out, "   %u in   %u out", device->inputs, device->outputs);
    text_add(out, "\n");
    uint32_t round = device->input_latency_frames + device->output_latency_frames;
    text_add_times(out, " ", LABEL_COLUMNS);
    text_addf(out, "latency %u in + %u out = ", device->input_latency_frames,
              device->output_latency_frames);
    style_add_ms(out, round, device->rate_hz);
    if (device->format[0]) {
        text_add(out, "   ");
        add_limited(out, style, device->format, 24);
    }
    text_add(out, "\n");
    text_add_column(out, "", 5, "");
    add_counter(out, style, "xruns", status->device_xruns);
    add_counter(out, style, "engine late", status->engine_overruns);
    add_counter(out, style, "reopened", status->reopenings);
    add_counter(out, style, "frames lost", status->gap_frames);
    text_add(out, "\n");
}

/* "9999", "12k", "3M": few columns. */
static void
add_short(struct text *out, uint64_t value)
{
    if (value < 10000)
        text_addf(out, "%" PRIu64, value);
    else if (value < 1000000)
        text_addf(out, "%" PRIu64 "k", value / 1000);
    else
        text_addf(out, "%" PRIu64 "M", value / 1000000);
}

/* What a program has set besides: its profile, its direct monitor. */
static void
show_settings(struct text *out, const struct tutti_program_status *p)
{
    if (!p->profile[0] && !p->monitor_paths)
        return;
    text_add(out, "    ");
    if (p->profile[0])
        text_addf(out, " profile %s", p->profile);
    if (p->monitor_paths) {
        text_addf(out, "%s hears its inputs directly, by ", p->profile[0] ? "," : "");
        style_add_count(out, p->monitor_paths, "path");
    }
    text_add(out, "\n");
}

static void
show_program(struct text *out, const struct style *style, const struct tutti_program_status *p,
             double rate_hz)
{
    char cell[64];
    struct text late;

    text_addf(out, "%4u ", p->program_id);
    style_add(out, style, STYLE_STRONG, p->name, NAME_COLUMNS);
    text_addf(out, " %7u ", p->pid);
    style_add(out, style, tone_of_state(p->state), p->state, 9);
    if (!p->buffer_frames) {
        text_add(out, "\n");
        show_settings(out, p);
        return;
    }
    uint32_t round = p->input_latency_frames + p->output_latency_frames;
    snprintf(cell, sizeof cell, "%u+%u", p->input_latency_frames, p->output_latency_frames);
    text_addf(out, " %5u %10s", p->buffer_frames, cell);
    if (rate_hz > 0)
        text_addf(out, " %6.2f", round * 1000.0 / rate_hz);
    else
        text_addf(out, " %6s", "?");
    snprintf(cell, sizeof cell, "%u/%u", p->lateness_p50_us, p->lateness_p99_us);
    text_addf(out, " %9s ", p->calls ? cell : "-");
    text_init(&late);
    add_short(&late, p->late_program);
    text_add(&late, "/");
    add_short(&late, p->late_device);
    text_add(&late, "/");
    add_short(&late, p->late_machine);
    bool any = p->late_program || p->late_device || p->late_machine;
    style_add(out, style, any ? STYLE_WARN : STYLE_PLAIN, text_get(&late), 0);
    text_fini(&late);
    text_add(out, "\n");
    show_settings(out, p);
    if (p->calls) {
        uint32_t inputs = p->inputs < TUTTI_METERS ? p->inputs : TUTTI_METERS;
        uint32_t outputs = p->outputs < TUTTI_METERS ? p->outputs : TUTTI_METERS;
        style_meters(out, style, "   in", p->input_peak, NULL, inputs);
        style_meters(out, style, "  out", p->output_peak, NULL, outputs);
    }
}

static void
show_problem(struct text *out, const struct style *style, const char *problem)
{
    if (!problem[0])
        return;
    style_add(out, style, STYLE_STRONG, "Problem", LABEL_COLUMNS);
    style_add_wrapped(out, style, STYLE_WARN, problem, LABEL_COLUMNS, STYLE_SPLIT_WORDS);
}

void
show_status(struct text *out, const struct style *style, const struct tutti_engine_status *status,
            const struct tutti_program_status *programs)
{
    show_engine(out, style, status);
    show_device(out, style, status);
    show_problem(out, style, status->problem);
    text_add(out, "\n");
    if (status->program_count == 0) {
        text_add(out, "No program is connected.\n");
        return;
    }
    char head[STYLE_COLUMNS + 1];
    snprintf(head, sizeof head, "%4s %-*s %7s %-9s %5s %10s %6s %9s %s", "ID", NAME_COLUMNS,
             "PROGRAM", "PID", "STATE", "BUF", "IN+OUT", "ms", "ANSWER", "LATE");
    style_add(out, style, STYLE_FAINT, head, 0);
    text_add(out, "\n");
    for (uint32_t i = 0; i < status->program_count; i++) {
        show_program(out, style, &programs[i], status->device.rate_hz);
    }
    style_add(out, style, STYLE_FAINT,
              "BUF, IN+OUT in frames. ANSWER: 50/99 % in us. "
              "LATE: program/device/machine.",
              0);
    text_add(out, "\n");
}

void
show_devices(struct text *out, const struct style *style, const struct tutti_device_entry *devices,
             uint32_t count)
{
    if (count == 0) {
        text_add(out, "No sound device was found.\n");
        return;
    }
    style_add(out, style, STYLE_FAINT, "  BACKEND      IN  OUT  DEVICE", 0);
    text_add(out, "\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct tutti_device_entry *device = &devices[i];
        style_add(out, style, STYLE_GOOD, device->is_default ? "*" : "", 2);
        text_add_column(out, device->backend, 10, style_ellipsis(style));
        text_addf(out, " %4u %4u  ", device->inputs, device->outputs);
        size_t columns = text_columns(device->name);
        style_add(out, style, STYLE_STRONG, device->name, columns < 55 ? (unsigned)columns : 55);
        text_add(out, "\n");
    }
    style_add(out, style, STYLE_FAINT,
              "* the default. Choose with name = ... under [device] in the configuration.", 0);
    text_add(out, "\n");
}

void
show_progress(struct text *out, const struct style *style, const struct show_progress *progress)
{
    struct text line;

    text_init(&line);
    if (progress->total_seconds > 0) {
        double part = progress->seconds / progress->total_seconds;
        text_addf(&line, "%3.0f %%  ", floor(100 * (part < 0 ? 0 : part > 1 ? 1 : part)));
    }
    style_add_clock(&line, progress->seconds);
    if (progress->total_seconds > 0) {
        text_add(&line, " / ");
        style_add_clock(&line, progress->total_seconds);
    }
    text_add(&line, "  ");
    unsigned used = (unsigned)text_columns(text_get(&line));
    text_add(out, text_get(&line));
    text_fini(&line);

    if (progress->count == 0)
        return;
    float loudest = 0;
    for (uint32_t c = 0; c < progress->count; c++) {
        loudest = progress->levels[c] > loudest ? progress->levels[c] : loudest;
    }
    unsigned room = STYLE_COLUMNS - 1 - used - 10;
    style_meters_short(out, style, progress->levels, progress->count, room < 42 ? room : 42);
    text_init(&line);
    style_add_db(&line, (double)loudest);
    text_addf(out, " %5s dB", text_get(&line));
    text_fini(&line);
}
