/* SPDX-License-Identifier: MIT */
/* How things look on a terminal. See style.h. */
#include "console/style.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_BARS = 4,
    BAR_MAX_COLUMNS = 25,
    BAR_MIN_COLUMNS = 12, /* shorter ones stand one in a line */
    BAR_LABEL_COLUMNS = 6,
    BAR_TEXT_COLUMNS = 10, /* number before the bar, decibels behind it */
    BAR_GAP = 2,
    CELL_LABEL_COLUMNS = 8,
    LOUDEST_COLUMNS = 16, /* "  -12.3 dB on 32" */
    EIGHTHS = 8
};

static const struct {
    const char *on, *off;
} tones[STYLE_TONES] = {
    [STYLE_PLAIN] = {"", ""},
    [STYLE_STRONG] = {"\033[1m", "\033[0m"},
    [STYLE_FAINT] = {"\033[2m", "\033[0m"},
    [STYLE_GOOD] = {"\033[32m", "\033[0m"},
    [STYLE_WARN] = {"\033[33m", "\033[0m"},
    [STYLE_BAD] = {"\033[31m", "\033[0m"},
};

unsigned
style_columns(const struct style *style)
{
    unsigned columns = style->columns ? style->columns : STYLE_COLUMNS;

    columns = columns < STYLE_COLUMNS ? columns : STYLE_COLUMNS;
    return columns > STYLE_MIN_COLUMNS ? columns : STYLE_MIN_COLUMNS;
}

static void
tone_on(struct text *out, const struct style *style, enum style_tone tone)
{
    if (style->colour) {
        text_add(out, tones[tone].on);
    }
}

static void
tone_off(struct text *out, const struct style *style, enum style_tone tone)
{
    if (style->colour) {
        text_add(out, tones[tone].off);
    }
}

void
style_add(struct text *out, const struct style *style, enum style_tone tone, const char *text,
          unsigned columns)
{
    tone_on(out, style, tone);
    text_add_column(out, text, columns ? columns : text_columns(text), style_ellipsis(style));
    tone_off(out, style, tone);
}

/* How much of a text goes into a line of so many columns: up to a space, if there is one. */
static size_t
line_columns(const char *text, size_t columns)
{
    size_t used = 0, fits = 0;

    for (; *text && (used <= columns || !fits); text++) {
        if (*text == ' ') {
            fits = used;
        }
        used += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return used <= columns || !fits ? used : fits;
}

void
style_add_wrapped(struct text *out, const struct style *style, enum style_tone tone,
                  const char *sentence, unsigned indent, enum style_words words)
{
    const size_t room = style_columns(style) - indent;

    for (const char *at = sentence; *at;) {
        size_t columns = line_columns(at, room);
        if (columns > room && words == STYLE_SPLIT_WORDS) {
            columns = room;
        }
        if (at != sentence) {
            text_add_times(out, " ", indent);
        }
        tone_on(out, style, tone);
        text_add_column(out, at, columns, "");
        tone_off(out, style, tone);
        text_add(out, "\n");
        while (*at && (columns || ((unsigned char)*at & 0xC0) == 0x80)) {
            columns -= ((unsigned char)*at & 0xC0) != 0x80;
            at++;
        }
        at += strspn(at, " ");
    }
}

const char *
style_ellipsis(const struct style *style)
{
    return style->unicode ? "\u2026" : "~";
}

void
style_add_limited(struct text *out, const struct style *style, const char *text, size_t most)
{
    size_t columns = text_columns(text);

    text_add_column(out, text, columns < most ? columns : most, style_ellipsis(style));
}

double
style_db(double level)
{
    return level > 0 ? 20 * log10(level) : -INFINITY;
}

/* Where a level lies between the quietest shown (0) and full scale (1). */
static double
height(float level)
{
    double db = style_db((double)level);

    if (!(db > STYLE_BAR_MIN_DB)) {
        return 0;
    }
    return db >= 0 ? 1 : 1 - db / STYLE_BAR_MIN_DB;
}

static enum style_tone
tone_of(float level)
{
    double db = style_db((double)level);

    return db >= -0.1 ? STYLE_BAD : db >= -6 ? STYLE_WARN : STYLE_GOOD;
}

void
style_bar(struct text *out, const struct style *style, float level, unsigned columns)
{
    static const char *const parts[EIGHTHS] = {"",       "\u258F", "\u258E", "\u258D",
                                               "\u258C", "\u258B", "\u258A", "\u2589"};
    unsigned steps = (unsigned)lrint(height(level) * columns * EIGHTHS);
    unsigned whole = steps / EIGHTHS, part = steps % EIGHTHS;
    enum style_tone tone = tone_of(level);

    tone_on(out, style, tone);
    text_add_times(out, style->unicode ? "\u2588" : "#", whole);
    if (style->unicode && part) {
        text_add(out, parts[part]);
        whole++;
    }
    tone_off(out, style, tone);
    tone_on(out, style, STYLE_FAINT);
    text_add_times(out, style->unicode ? "\u00B7" : ".", columns - whole);
    tone_off(out, style, STYLE_FAINT);
}

void
style_cell(struct text *out, const struct style *style, float level)
{
    static const char *const blocks[] = {"\u00B7", "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const plain[] = {".", "-", "~", "=", "+", "*", "%", "#", "@"};
    double high = height(level);
    unsigned step = high > 0 ? 1 + (unsigned)(high * 7.999) : 0;
    enum style_tone tone = step ? tone_of(level) : STYLE_FAINT;

    if (step > 8) {
        step = 8;
    }
    tone_on(out, style, tone);
    text_add(out, style->unicode ? blocks[step] : plain[step]);
    tone_off(out, style, tone);
}

/* Of more channels than bars are drawn for: a character each, in lines of at most CELLS_PER_LINE.
 */
static void
add_cells(struct text *out, const struct style *style, const char *label, const float *levels,
          uint32_t count)
{
    const uint32_t most = style_columns(style) - CELL_LABEL_COLUMNS - LOUDEST_COLUMNS;
    uint32_t loudest = 0;

    for (uint32_t c = 0; c < count; c++) {
        if (c % most == 0) {
            text_add(out, c ? "\n" : "");
            text_add_column(out, c ? "" : label, CELL_LABEL_COLUMNS, "");
        }
        style_cell(out, style, levels[c]);
        loudest = levels[c] > levels[loudest] ? c : loudest;
    }
    if (levels[loudest] > 0) {
        text_add(out, "  ");
        style_add_db(out, (double)levels[loudest]);
        text_addf(out, " dB on %u", loudest + 1);
    }
    text_add(out, "\n");
}

void
style_meters(struct text *out, const struct style *style, const char *label, const float *levels,
             uint32_t count)
{
    /* label, then for each bar: number, space, bar, space, decibels, and a gap between two */
    const unsigned room = style_columns(style) - BAR_LABEL_COLUMNS;
    const unsigned two = (room - BAR_GAP) / 2 - BAR_TEXT_COLUMNS;
    const uint32_t per_line = two >= BAR_MIN_COLUMNS ? 2 : 1;
    const unsigned wanted = per_line == 2 ? two : room - BAR_TEXT_COLUMNS;
    const unsigned columns = wanted < BAR_MAX_COLUMNS ? wanted : BAR_MAX_COLUMNS;

    if (count > MOST_BARS) {
        add_cells(out, style, label, levels, count);
        return;
    }
    for (uint32_t c = 0; c < count; c++) {
        struct text db;
        if (c % per_line == 0) {
            text_add_column(out, c == 0 ? label : "", BAR_LABEL_COLUMNS, "");
        }
        text_addf(out, "%3u ", c + 1);
        style_bar(out, style, levels[c], columns);
        text_init(&db);
        style_add_db(&db, (double)levels[c]);
        text_addf(out, " %5s", text_get(&db));
        text_fini(&db);
        text_add(out, c % per_line == per_line - 1 || c + 1 == count ? "\n" : "  ");
    }
}

void
style_meters_short(struct text *out, const struct style *style, const float *levels, uint32_t count,
                   unsigned columns)
{
    if (count > 0 && count <= 2 && columns >= 24) {
        for (uint32_t c = 0; c < count; c++) {
            text_add(out, c ? " " : "");
            style_bar(out, style, levels[c], (columns - 1) / 2);
        }
        return;
    }
    for (uint32_t c = 0; c < count && c < columns; c++) {
        style_cell(out, style, levels[c]);
    }
}

void
style_add_db(struct text *out, double level)
{
    double db = style_db(level);

    if (db < -99.9) {
        text_add(out, "-inf");
    } else {
        text_addf(out, "%.1f", db > -0.05 && db < 0.05 ? 0.0 : db);
    }
}

void
style_add_clock(struct text *out, double seconds)
{
    uint64_t tenths = seconds > 0 ? (uint64_t)llround(seconds * 10) : 0;
    uint64_t whole = tenths / 10;

    if (whole >= 3600) {
        text_addf(out, "%" PRIu64 ":%02u", whole / 3600, (unsigned)(whole / 60 % 60));
    } else {
        text_addf(out, "%u", (unsigned)(whole / 60));
    }
    text_addf(out, ":%02u.%u", (unsigned)(whole % 60), (unsigned)(tenths % 10));
}

void
style_add_span(struct text *out, double seconds)
{
    uint64_t whole = seconds > 0 ? (uint64_t)seconds : 0;

    if (whole < 60) {
        text_addf(out, "%u s", (unsigned)whole);
    } else if (whole < 3600) {
        text_addf(out, "%u min %02u s", (unsigned)(whole / 60), (unsigned)(whole % 60));
    } else if (whole < 86400) {
        text_addf(out, "%u h %02u min", (unsigned)(whole / 3600), (unsigned)(whole / 60 % 60));
    } else {
        text_addf(out, "%" PRIu64 " d %u h", whole / 86400, (unsigned)(whole / 3600 % 24));
    }
}

void
style_add_ms(struct text *out, double frames, double rate_hz)
{
    if (rate_hz > 0) {
        text_addf(out, "%.2f ms", frames * 1000 / rate_hz);
    } else {
        text_add(out, "? ms");
    }
}

void
style_add_rate(struct text *out, double rate_hz)
{
    if (rate_hz >= 1 && rate_hz == floor(rate_hz)) {
        text_addf(out, "%.0f", rate_hz);
    } else {
        text_addf(out, "%.2f", rate_hz);
    }
}

void
style_add_count(struct text *out, uint64_t count, const char *noun)
{
    text_addf(out, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
}
