/* SPDX-License-Identifier: MIT */
/* How things look on a terminal: colour, bars, times, levels. Pure; what the terminal can do is
 * given in struct style. */
#ifndef TUTTI_CONSOLE_STYLE_H
#define TUTTI_CONSOLE_STYLE_H

#include <stdbool.h>
#include <stdint.h>

#include "console/text.h"

enum {
    STYLE_COLUMNS = 80,     /* of an output whose width is not known; text gets no wider */
    STYLE_MIN_COLUMNS = 40, /* a narrower terminal wraps lines */
    STYLE_BAR_MIN_DB = -60
};

/* One output. */
struct style {
    bool terminal;    /* a person looks at it */
    bool cursor;      /* escape sequences that move the cursor are understood */
    bool colour;      /* and those for colour, and they are wanted */
    bool unicode;     /* utf-8 is understood */
    unsigned columns; /* width of the terminal; 0: not known */
    unsigned lines;   /* that a repainted screen may have; 0: no limit */
};

/** Columns that a line may have: STYLE_MIN_COLUMNS to STYLE_COLUMNS. */
unsigned style_columns(const struct style *style);

enum style_tone {
    STYLE_PLAIN,
    STYLE_STRONG,
    STYLE_FAINT,
    STYLE_GOOD,
    STYLE_WARN,
    STYLE_BAD,
    STYLE_TONES
};

/** Adds text in a tone; padded or cut to columns unless that is 0. */
void style_add(struct text *out, const struct style *style, enum style_tone tone, const char *text,
               unsigned columns);

/** Adds text as it is, or cut to `most` columns. */
void style_add_limited(struct text *out, const struct style *style, const char *text, size_t most);

enum style_words {
    STYLE_WHOLE_WORDS, /* a longer one than a line stays whole: a path to be copied */
    STYLE_SPLIT_WORDS, /* it is split: a screen that is repainted */
};
/** Adds a sentence in lines of at most style_columns(), split at spaces, with a newline after each.
 * The first begins at column `indent`, where `out` is; the others are indented. */
void style_add_wrapped(struct text *out, const struct style *style, enum style_tone tone,
                       const char *sentence, unsigned indent, enum style_words words);

/** The mark of cut text: one column. */
const char *style_ellipsis(const struct style *style);

/** A level (full scale 1.0) as a horizontal bar of `columns` columns, from STYLE_BAR_MIN_DB to 0
 * dB. */
void style_bar(struct text *out, const struct style *style, float level, unsigned columns);
/** A level as one character, for many channels in a row. */
void style_cell(struct text *out, const struct style *style, float level);
/** Meters of `count` channels, numbered from 1, after a label of 6 columns: bars with decibels up
 * to four, cells above. Lines end with newlines and are at most style_columns() wide. */
void style_meters(struct text *out, const struct style *style, const char *label,
                  const float *levels, uint32_t count);
/** One line of `columns` columns at most: short bars up to two channels, cells above. No newline.
 */
void style_meters_short(struct text *out, const struct style *style, const float *levels,
                        uint32_t count, unsigned columns);

/** Decibels of a level, -infinity for 0. */
double style_db(double level);
/** "-12.3", "-inf"; full scale is "0.0". */
void style_add_db(struct text *out, double level);
/** "3:07.2", "1:02:03.0": hours only when needed. */
void style_add_clock(struct text *out, double seconds);
/** "12 s", "3 min 20 s", "2 h 05 min", "4 d 3 h". */
void style_add_span(struct text *out, double seconds);
/** "1.33 ms" of frames at a rate; "? ms" when the rate is unknown. */
void style_add_ms(struct text *out, double frames, double rate_hz);
/** "48000", "44100.5": a number without needless digits. */
void style_add_rate(struct text *out, double rate_hz);
/** "1 frame", "2 frames": s is added but for one. */
void style_add_count(struct text *out, uint64_t count, const char *noun);

#endif
