/* SPDX-License-Identifier: MIT */
/* The engine, its device and its programs, for people. See show.h. */
#include "cli/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 8, ITEM_GAP = 3 };

static enum style_tone
tone_of_state(const char *state)
{
    if (strcmp(state, "running") == 0) {
        return STYLE_GOOD;
    }
    if (strcmp(state, "late") == 0 || strcmp(state, "lost") == 0) {
        return STYLE_BAD;
    }
    return STYLE_PLAIN;
}

/* A line of items, three spaces apart; it goes on in the next one where the terminal ends. */
struct line {
    struct text *out;
    const struct style *style;
    unsigned used; /* columns */
};

static struct line
line_begin(struct text *out, const struct style *style, const char *label)
{
    style_add(out, style, STYLE_STRONG, label, LABEL_COLUMNS);
    return (struct line){out, style, LABEL_COLUMNS};
}

static void
line_add(struct line *line, enum style_tone tone, const struct text *item)
{
    const unsigned columns = (unsigned)text_columns(text_get(item));

    if (line->used > LABEL_COLUMNS &&
        line->used + ITEM_GAP + columns > style_columns(line->style)) {
        text_add(line->out, "\n");
        text_add_times(line->out, " ", LABEL_COLUMNS);
        line->used = LABEL_COLUMNS;
    } else if (line->used > LABEL_COLUMNS) {
        text_add_times(line->out, " ", ITEM_GAP);
        line->used += ITEM_GAP;
    }
    style_add(line->out, line->style, tone, text_get(item), 0);
    line->used += columns;
}

__attribute__((format(printf, 3, 4))) static void
line_addf(struct line *line, enum style_tone tone, const char *format, ...)
{
    char text[128];
    struct text item;
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    text_init(&item);
    text_add(&item, text);
    line_add(line, tone, &item);
    text_fini(&item);
}

static void
line_counter(struct line *line, const char *name, uint64_t value)
{
    line_addf(line, value ? STYLE_WARN : STYLE_PLAIN, "%s %" PRIu64, name, value);
}

static void
show_engine(struct text *out, const struct style *style, const struct tutti_engine_status *status)
{
    struct line line = line_begin(out, style, "Engine");
    struct text item;

    line_addf(&line, STYLE_PLAIN, "pid %u", status->engine_pid);
    text_init(&item);
    text_add(&item, "up ");
    style_add_span(&item, (double)status->uptime_ns * 1e-9);
    line_add(&line, STYLE_PLAIN, &item);
    text_fini(&item);
    if (status->cycles) {
        line_addf(&line, STYLE_PLAIN, "cycle %u us", status->cycle_p50_us);
        line_addf(&line, STYLE_PLAIN, "99 %% within %u us", status->cycle_p99_us);
    }
    text_add(out, "\n");
}

static void
show_format(struct text *out, const struct style *style, const struct tutti_device *device)
{
    struct line line = line_begin(out, style, "");
    struct text item;

    text_init(&item);
    style_add_rate(&item, device->rate_hz);
    text_add(&item, " Hz");
    line_add(&line, STYLE_PLAIN, &item);
    text_clear(&item);
    text_addf(&item, "period %u = ", device->period_frames);
    style_add_ms(&item, device->period_frames, device->rate_hz);
    line_add(&line, STYLE_PLAIN, &item);
    line_addf(&line, STYLE_PLAIN, "%u in", device->inputs);
    line_addf(&line, STYLE_PLAIN, "%u out", device->outputs);
    text_add(out, "\n");

    line = line_begin(out, style, "");
    text_clear(&item);
    line_addf(&line, STYLE_PLAIN, "latency %u in + %u out", device->input_latency_frames,
              device->output_latency_frames);
    text_clear(&item);
    style_add_ms(&item, device->input_latency_frames + device->output_latency_frames,
                 device->rate_hz);
    text_add(&item, " round trip");
    line_add(&line, STYLE_PLAIN, &item);
    if (device->format[0]) {
        text_clear(&item);
        style_add_limited(&item, style, device->format, 24);
        line_add(&line, STYLE_PLAIN, &item);
    }
    text_fini(&item);
    text_add(out, "\n");
}

static void
show_no_device(struct text *out, const struct style *style)
{
    style_add(out, style, STYLE_STRONG, "Device", LABEL_COLUMNS);
    style_add_wrapped(out, style, STYLE_PLAIN,
                      "none opened yet; the first program that plays opens it", LABEL_COLUMNS,
                      STYLE_SPLIT_WORDS);
}

static void
show_one_device(struct text *out, const struct style *style,
                const struct tutti_device_status *status)
{
    const struct tutti_device *device = &status->device;
    const unsigned room =
        style_columns(style) - LABEL_COLUMNS - 3U - (unsigned)text_columns(device->backend);
    struct line line = line_begin(out, style, "Device");
    struct text item;

    text_init(&item);
    style_add_limited(&item, style, device->name, room < 40 ? room : 40);
    text_addf(&item, " (%s)", device->backend);
    line_add(&line, STYLE_PLAIN, &item);
    text_fini(&item);
    line_addf(&line, tone_of_state(device->state), "%s", device->state);
    text_add(out, "\n");
    if (!device->period_frames || device->rate_hz <= 0) {
        return;
    }
    show_format(out, style, device);
    line = line_begin(out, style, "");
    line_counter(&line, "xruns", status->xruns);
    line_counter(&line, "engine late", status->engine_overruns);
    line_counter(&line, "reopened", status->reopenings);
    line_addf(&line, status->gap_frames ? STYLE_WARN : STYLE_PLAIN, "silence %.2f s",
              (double)status->gap_frames / device->rate_hz);
    text_add(out, "\n");
}

struct tutti_device_status
show_main_device(const struct tutti_engine_status *status)
{
    return (struct tutti_device_status){
        .device = status->device,
        .cycles = status->cycles,
        .xruns = status->device_xruns,
        .reopenings = status->reopenings,
        .gap_frames = status->gap_frames,
        .engine_overruns = status->engine_overruns,
        .cycle_p50_us = status->cycle_p50_us,
        .cycle_p99_us = status->cycle_p99_us,
    };
}

/* Those that are open; else the one that would be opened. */
static void
show_open_devices(struct text *out, const struct style *style,
                  const struct tutti_engine_status *status)
{
    if (!status->device_count && status->device.name[0]) {
        const struct tutti_device_status closed = show_main_device(status);
        show_one_device(out, style, &closed);
    } else if (!status->device_count) {
        show_no_device(out, style);
    }
    for (uint32_t i = 0; i < status->device_count; i++) {
        show_one_device(out, style, &status->devices[i]);
    }
}

const struct tutti_device *
show_device_of(const struct tutti_engine_status *status, const struct tutti_program_status *program)
{
    return program->device_index < status->device_count
               ? &status->devices[program->device_index].device
               : &status->device;
}

/* "999", "12k", "3M": few columns. */
static void
add_short(struct text *out, uint64_t value)
{
    if (value < 1000) {
        text_addf(out, "%" PRIu64, value);
    } else if (value < 1000000) {
        text_addf(out, "%" PRIu64 "k", value / 1000);
    } else {
        text_addf(out, "%" PRIu64 "M", value / 1000000);
    }
}

/* What a program has set besides: its device where there are several, its profile and its direct
 * monitor, and what it clipped. */
static void
show_settings(struct text *out, const struct style *style, const struct tutti_program_status *p,
              const char *device)
{
    struct text line;
    const char *comma = "";

    text_init(&line);
    if (device) {
        text_add(&line, "on ");
        style_add_limited(&line, style, device, 30);
        comma = ", ";
    }
    if (p->profile[0]) {
        text_addf(&line, "%sprofile %s", comma, p->profile);
        comma = ", ";
    }
    if (p->monitor_paths) {
        text_addf(&line, "%shears its inputs directly, by ", comma);
        style_add_count(&line, p->monitor_paths, "path");
        comma = ", ";
    }
    if (p->clipped_samples) {
        text_addf(&line, "%sclipped ", comma);
        style_add_count(&line, p->clipped_samples, "input sample");
        comma = ", ";
    }
    if (comma[0]) {
        text_add(out, "     ");
        style_add_wrapped(out, style, STYLE_PLAIN, text_get(&line), 5, STYLE_SPLIT_WORDS);
    }
    text_fini(&line);
}

/* The table of programs. */
enum cell {
    CELL_ID,
    CELL_PROGRAM,
    CELL_PID,
    CELL_STATE,
    CELL_BUFFER,
    CELL_LATENCY,
    CELL_MS,
    CELL_ANSWER,
    CELL_LATE,
    CELL_COUNT
};

static const struct {
    const char *title;
    unsigned columns;
    bool right;
    unsigned leave_out;  /* narrow terminals leave out cell 1 first, then 2 ...; 0: never */
    const char *meaning; /* below the table; NULL: none is needed */
} cells[CELL_COUNT] = {
    [CELL_ID] = {"ID", 4, true, 0, NULL},
    [CELL_PROGRAM] = {"PROGRAM", 14, false, 0, NULL},
    [CELL_PID] = {"PID", 7, true, 2, NULL},
    [CELL_STATE] = {"STATE", 9, false, 0, NULL},
    [CELL_BUFFER] = {"BUF", 5, true, 4, NULL},
    [CELL_LATENCY] = {"IN+OUT", 10, true, 1, "IN+OUT, BUF: frames."},
    [CELL_MS] = {"ms", 6, true, 0, NULL},
    [CELL_ANSWER] = {"ANSWER", 9, true, 3, "ANSWER: 50/99 % in us."},
    [CELL_LATE] = {"LATE", 8, false, 0, "LATE: program/device/machine."},
};
enum { CELLS_LEFT_OUT = 4, PROGRAM_MIN_COLUMNS = 8 };

struct table {
    const struct style *style;
    unsigned columns[CELL_COUNT]; /* how wide each cell is; 0: left out */
    bool meters;                  /* below each program */
};

static unsigned
table_columns(const struct table *table)
{
    unsigned all = 0;

    for (unsigned i = 0; i < CELL_COUNT; i++) {
        all += table->columns[i] ? table->columns[i] + 1 : 0;
    }
    return all - 1;
}

static struct table
choose_table(const struct style *style)
{
    const unsigned room = style_columns(style);
    struct table table = {.style = style, .meters = true};

    for (unsigned i = 0; i < CELL_COUNT; i++) {
        table.columns[i] = cells[i].columns;
    }
    for (unsigned out = 1; out <= CELLS_LEFT_OUT && table_columns(&table) > room; out++) {
        for (unsigned i = 0; i < CELL_COUNT; i++) {
            table.columns[i] = cells[i].leave_out == out ? 0 : table.columns[i];
        }
    }
    while (table_columns(&table) > room && table.columns[CELL_PROGRAM] > PROGRAM_MIN_COLUMNS) {
        table.columns[CELL_PROGRAM]--;
    }
    return table;
}

static void
add_cell(struct text *out, const struct table *table, enum cell cell, enum style_tone tone,
         const char *text)
{
    const unsigned columns = table->columns[cell];
    const unsigned used = (unsigned)text_columns(text);

    if (!columns) {
        return;
    }
    text_add(out, cell == CELL_ID ? "" : " ");
    if (cells[cell].right && used < columns) {
        text_add_times(out, " ", columns - used);
    }
    /* the last cell ends where its text does */
    const bool whole = used <= columns && (cells[cell].right || cell == CELL_LATE);
    style_add(out, table->style, tone, text, whole ? 0 : columns);
}

static void
add_head(struct text *out, const struct table *table)
{
    for (unsigned i = 0; i < CELL_COUNT; i++) {
        add_cell(out, table, (enum cell)i, STYLE_FAINT, cells[i].title);
    }
    text_add(out, "\n");
}

static void
add_meanings(struct text *out, const struct table *table)
{
    struct text line;

    text_init(&line);
    for (unsigned i = 0; i < CELL_COUNT; i++) {
        if (table->columns[i] && cells[i].meaning) {
            text_addf(&line, "%s%s", text_get(&line)[0] ? " " : "", cells[i].meaning);
        }
    }
    style_add_wrapped(out, table->style, STYLE_FAINT, text_get(&line), 0, STYLE_WHOLE_WORDS);
    text_fini(&line);
}

static void
add_times(struct text *out, const struct table *table, const struct tutti_program_status *p,
          double rate_hz)
{
    const uint32_t round = p->input_latency_frames + p->output_latency_frames;
    char cell[64];

    snprintf(cell, sizeof(cell), "%u", p->buffer_frames);
    add_cell(out, table, CELL_BUFFER, STYLE_PLAIN, cell);
    snprintf(cell, sizeof(cell), "%u+%u", p->input_latency_frames, p->output_latency_frames);
    add_cell(out, table, CELL_LATENCY, STYLE_PLAIN, cell);
    snprintf(cell, sizeof(cell), "%.2f", rate_hz > 0 ? round * 1000.0 / rate_hz : 0);
    add_cell(out, table, CELL_MS, STYLE_PLAIN, rate_hz > 0 ? cell : "?");
    snprintf(cell, sizeof(cell), "%u/%u", p->lateness_p50_us, p->lateness_p99_us);
    add_cell(out, table, CELL_ANSWER, STYLE_PLAIN, p->calls ? cell : "-");
}

static void
add_late(struct text *out, const struct table *table, const struct tutti_program_status *p)
{
    const uint64_t late[] = {p->late_program, p->late_device, p->late_machine};
    struct text cell;

    text_init(&cell);
    text_addf(&cell, "%" PRIu64 "/%" PRIu64 "/%" PRIu64, late[0], late[1], late[2]);
    if (text_columns(text_get(&cell)) > table->columns[CELL_LATE]) {
        text_clear(&cell);
        for (unsigned i = 0; i < 3; i++) {
            text_add(&cell, i ? "/" : "");
            add_short(&cell, late[i]);
        }
    }
    add_cell(out, table, CELL_LATE, late[0] || late[1] || late[2] ? STYLE_WARN : STYLE_PLAIN,
             text_get(&cell));
    text_fini(&cell);
}

static void
show_program(struct text *out, const struct table *table, const struct tutti_engine_status *status,
             const struct tutti_program_status *p)
{
    const struct tutti_device *device = show_device_of(status, p);
    const bool several = status->device_count > 1 && p->device_index < status->device_count;
    char cell[64];

    snprintf(cell, sizeof(cell), "%u", p->program_id);
    add_cell(out, table, CELL_ID, STYLE_PLAIN, cell);
    add_cell(out, table, CELL_PROGRAM, STYLE_STRONG, p->name);
    snprintf(cell, sizeof(cell), "%u", p->pid);
    add_cell(out, table, CELL_PID, STYLE_PLAIN, cell);
    add_cell(out, table, CELL_STATE, tone_of_state(p->state), p->state);
    if (p->buffer_frames) {
        add_times(out, table, p, device->rate_hz);
        add_late(out, table, p);
    }
    text_add(out, "\n");
    show_settings(out, table->style, p, several ? device->name : NULL);
}

static void
show_program_meters(struct text *out, const struct style *style,
                    const struct tutti_program_status *p)
{
    uint32_t inputs = p->inputs < TUTTI_METERS ? p->inputs : TUTTI_METERS;
    uint32_t outputs = p->outputs < TUTTI_METERS ? p->outputs : TUTTI_METERS;

    if (p->buffer_frames && p->calls) {
        style_meters(out, style, "   in", p->input_peak, inputs);
        style_meters(out, style, "  out", p->output_peak, outputs);
    }
}

static unsigned
line_count(const struct text *text)
{
    unsigned count = 0;

    for (const char *at = text_get(text); *at; at++) {
        count += *at == '\n';
    }
    return count;
}

/* Programs in at most `lines` lines (0: no limit), the last of which says how many are left out.
 * How many are shown. */
static uint32_t
show_programs(struct text *out, const struct table *table, const struct tutti_engine_status *status,
              const struct tutti_program_status *programs, unsigned lines)
{
    struct text one;
    unsigned used = 0;
    uint32_t shown = 0;

    text_init(&one);
    for (; shown < status->program_count; shown++) {
        text_clear(&one);
        show_program(&one, table, status, &programs[shown]);
        if (table->meters) {
            show_program_meters(&one, table->style, &programs[shown]);
        }
        used += line_count(&one);
        /* all but the last leave a line for the number of the others */
        if (lines && used + (shown + 1 < status->program_count) > lines) {
            break;
        }
        text_add(out, text_get(&one));
    }
    text_fini(&one);
    return shown;
}

static void
show_table(struct text *out, const struct style *style, const struct tutti_engine_status *status,
           const struct tutti_program_status *programs)
{
    struct table table = choose_table(style);
    struct text body, foot;
    unsigned above = line_count(out), room = 0;

    text_init(&body);
    text_init(&foot);
    add_head(out, &table);
    add_meanings(&foot, &table);
    if (style->lines) {
        above += 1 + line_count(&foot);
        room = style->lines > above + 1 ? style->lines - above : 1;
    }
    uint32_t shown = show_programs(&body, &table, status, programs, room);
    if (shown < status->program_count) { /* names before meters */
        text_clear(&body);
        table.meters = false;
        shown = show_programs(&body, &table, status, programs, room);
    }
    text_add(out, text_get(&body));
    if (shown < status->program_count) {
        text_addf(out, "%4s %u more; make the window taller\n", "+", status->program_count - shown);
    }
    text_add(out, text_get(&foot));
    text_fini(&foot);
    text_fini(&body);
}

static void
show_problem(struct text *out, const struct style *style, const char *problem)
{
    if (!problem[0]) {
        return;
    }
    style_add(out, style, STYLE_STRONG, "Problem", LABEL_COLUMNS);
    style_add_wrapped(out, style, STYLE_WARN, problem, LABEL_COLUMNS, STYLE_SPLIT_WORDS);
}

void
show_status(struct text *out, const struct style *style, const struct tutti_engine_status *status,
            const struct tutti_program_status *programs)
{
    show_engine(out, style, status);
    show_open_devices(out, style, status);
    show_problem(out, style, status->problem);
    text_add(out, "\n");
    if (status->program_count == 0) {
        text_add(out, "No program is connected.\n");
        return;
    }
    show_table(out, style, status, programs);
}
