/* SPDX-License-Identifier: MIT */
/*
 * Pictures as inline SVG: the callbacks one after the other, how far they are from even, latencies
 * found beside those reported. Plain shapes and text; the page's style sheet gives the colours by
 * class.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conform/results.h"

enum {
    WIDTH = 880,
    HEIGHT = 300,
    LEFT = 64,
    RIGHT = 20,
    TOP = 20,
    BOTTOM = 48,
    TICKS = 6,
    BINS = 60,
};

/* A field of the picture and what it shows. */
struct chart {
    struct text *out;
    double x_min, x_max, y_min, y_max;
};

/* ---- fields ---- */

static const struct series *
find_series(const struct results *results, const char *name)
{
    for (unsigned i = 0; i < results->count; i++) {
        const struct result *result = &results->list[i];
        for (unsigned n = 0; n < result->series_count; n++) {
            if (strcmp(result->series[n].name, name) == 0 && result->series[n].count > 0) {
                return &result->series[n];
            }
        }
    }
    return NULL;
}

static double
place_x(const struct chart *chart, double x)
{
    return LEFT + (x - chart->x_min) / (chart->x_max - chart->x_min) * (WIDTH - LEFT - RIGHT);
}

static double
place_y(const struct chart *chart, double y)
{
    return HEIGHT - BOTTOM -
           (y - chart->y_min) / (chart->y_max - chart->y_min) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, so that about TICKS of them fill the span. */
static double
step_for(double span)
{
    double rough = span / TICKS, power = pow(10, floor(log10(rough)));
    double times = rough / power;

    return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static void
add_axes(const struct chart *chart, const char *x_label, const char *y_label)
{
    double x_step = step_for(chart->x_max - chart->x_min);
    double y_step = step_for(chart->y_max - chart->y_min);

    for (double y = ceil(chart->y_min / y_step) * y_step; y <= chart->y_max * (1 + 1e-9);
         y += y_step) {
        double at = place_y(chart, y);
        text_addf(chart->out, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>",
                  LEFT, at, WIDTH - RIGHT, at);
        text_addf(chart->out,
                  "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                  LEFT - 8, at + 4, fabs(y) < 1e-9 ? 0.0 : y);
    }
    for (double x = ceil(chart->x_min / x_step) * x_step; x <= chart->x_max * (1 + 1e-9);
         x += x_step) {
        text_addf(chart->out,
                  "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
                  place_x(chart, x), HEIGHT - BOTTOM + 18, fabs(x) < 1e-9 ? 0.0 : x);
    }
    text_addf(chart->out, "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", LEFT,
              HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM);
    text_addf(chart->out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
              WIDTH - RIGHT, HEIGHT - 10, x_label);
    text_addf(chart->out, "<text class=\"label\" x=\"%d\" y=\"%d\">%s</text>\n", 4, TOP - 6,
              y_label);
}

static void
begin_picture(struct text *out, const char *title, const char *about)
{
    text_addf(out,
              "<figure><figcaption><b>%s</b> %s</figcaption>\n"
              "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
              title, about, WIDTH, HEIGHT, title);
}

static void
end_picture(struct text *out)
{
    text_add(out, "</svg></figure>\n");
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median_of(const double *values, unsigned count)
{
    double *sorted = calloc(count, sizeof(*sorted)), middle = 0;

    if (sorted) {
        memcpy(sorted, values, count * sizeof(*sorted));
        qsort(sorted, count, sizeof(*sorted), compare_doubles);
        middle = sorted[count / 2];
    }
    free(sorted);
    return middle;
}

/* ---- callbacks ---- */

void
show_picture_callbacks(struct text *out, const struct results *results)
{
    const struct series *series = find_series(results, "intervals");
    struct chart chart = {.out = out};

    if (!series || series->count < 2) {
        return;
    }
    double typical = median_of(series->y, series->count);
    chart.x_max = series->x[series->count - 1];
    for (unsigned i = 0; i < series->count; i++) {
        if (series->y[i] > chart.y_max) {
            chart.y_max = series->y[i];
        }
    }
    if (chart.y_max < 2 * typical) {
        chart.y_max = 2 * typical;
    }
    if (!(chart.x_max > 0) || !(chart.y_max > 0)) {
        return;
    }
    begin_picture(out, "Callbacks", "time since the one before, for each");
    add_axes(&chart, "milliseconds since start", "\xC2\xB5s");
    text_addf(out, "<line class=\"typical\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT,
              place_y(&chart, typical), WIDTH - RIGHT, place_y(&chart, typical));
    text_add(out, "<path class=\"dots\" d=\"");
    for (unsigned i = 0; i < series->count; i++) {
        text_addf(out, "M%.1f %.1fh0", place_x(&chart, series->x[i]),
                  place_y(&chart, series->y[i]));
    }
    text_add(out, "\"/>\n");
    end_picture(out);
}

/* ---- jitter ---- */

void
show_picture_jitter(struct text *out, const struct results *results)
{
    const struct series *series = find_series(results, "intervals");
    struct chart chart = {.out = out};
    unsigned bins[BINS] = {0}, most = 0, beyond = 0;

    if (!series || series->count < 2) {
        return;
    }
    double typical = median_of(series->y, series->count),
           *off = calloc(series->count, sizeof(*off));
    if (!off) {
        return;
    }
    for (unsigned i = 0; i < series->count; i++) {
        off[i] = fabs(series->y[i] - typical);
    }
    qsort(off, series->count, sizeof(*off), compare_doubles);
    double reach = off[(unsigned)((series->count - 1) * 0.99)] * 1.25 + 1;
    free(off);
    for (unsigned i = 0; i < series->count; i++) {
        double at = (series->y[i] - typical + reach) / (2 * reach) * BINS;
        if (at < 0 || at >= BINS) {
            beyond++;
        } else if (++bins[(unsigned)at] > most) {
            most = bins[(unsigned)at];
        }
    }
    chart.x_min = -reach;
    chart.x_max = reach;
    chart.y_max = most ? most : 1;
    begin_picture(out, "Jitter", "how far intervals are from the middle one");
    add_axes(&chart, "microseconds from the median", "callbacks");
    double width = (double)(WIDTH - LEFT - RIGHT) / BINS;
    for (unsigned i = 0; i < BINS; i++) {
        double top = place_y(&chart, bins[i]);
        if (bins[i]) {
            text_addf(
                out, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                LEFT + i * width + 0.5, top, width - 1, HEIGHT - BOTTOM - top);
        }
    }
    if (beyond) {
        text_addf(out,
                  "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%u further "
                  "out</text>\n",
                  WIDTH - RIGHT, TOP - 6, beyond);
    }
    end_picture(out);
}

/* ---- latency ---- */

static void
add_bar(const struct chart *chart, const char *class, double x, double width, double value)
{
    double top = place_y(chart, value);

    text_addf(chart->out,
              "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
              "<text class=\"value\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n",
              class, x, top, width, HEIGHT - BOTTOM - top, x + width / 2, top - 4, value);
}

void
show_picture_latency(struct text *out, const struct results *results)
{
    const struct series *found = find_series(results, "found");
    const struct series *told = find_series(results, "reported");
    struct chart chart = {.out = out, .x_max = 1};

    if (!found || !told || found->count != told->count) {
        return;
    }
    for (unsigned i = 0; i < found->count; i++) {
        chart.y_max = fmax(chart.y_max, fmax(found->y[i], told->y[i]));
    }
    if (!(chart.y_max > 0)) {
        return;
    }
    chart.y_max *= 1.12;
    begin_picture(out, "Round trip",
                  "found by loopback (<i class=\"found-mark\">dark</i>) beside reported (<i "
                  "class=\"told-mark\">light</i>), by buffer size");
    double y_step = step_for(chart.y_max);
    for (double y = 0; y <= chart.y_max; y += y_step) {
        text_addf(out, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", LEFT,
                  place_y(&chart, y), WIDTH - RIGHT, place_y(&chart, y));
        text_addf(out, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                  LEFT - 8, place_y(&chart, y) + 4, y);
    }
    double room = (double)(WIDTH - LEFT - RIGHT) / found->count, width = fmin(room * 0.34, 60);
    for (unsigned i = 0; i < found->count; i++) {
        double middle = LEFT + (i + 0.5) * room;
        add_bar(&chart, "found", middle - width - 2, width, found->y[i]);
        add_bar(&chart, "told", middle + 2, width, told->y[i]);
        text_addf(out,
                  "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
                  middle, HEIGHT - BOTTOM + 18, found->x[i]);
    }
    text_addf(out,
              "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">buffer, frames</text>\n",
              WIDTH - RIGHT, HEIGHT - 10);
    text_addf(out, "<text class=\"label\" x=\"4\" y=\"%d\">frames</text>\n", TOP - 6);
    end_picture(out);
}
