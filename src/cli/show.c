/* SPDX-License-Identifier: MIT */
/* Devices and progress, for people. See show.h. */
#include "cli/show.h"

#include <math.h>

void
show_devices(struct text *out, const struct style *style, const struct tutti_device_entry *devices,
             uint32_t count)
{
    const unsigned room = style_columns(style) - 25;

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
        unsigned columns = (unsigned)text_columns(device->name);
        style_add(out, style, STYLE_STRONG, device->name, columns < room ? columns : room);
        text_add(out, "\n");
    }
    style_add_wrapped(out, style, STYLE_FAINT,
                      "* the default. Choose with name = ... under [device] in the configuration.",
                      0, STYLE_WHOLE_WORDS);
}

enum { LEVEL_COLUMNS = 10 }; /* " -12.3 dB" */

/* "12 %  0:03.2 / 0:26.0  ", without the total where the line is too narrow for it. */
static void
add_place(struct text *line, const struct show_progress *progress, bool total)
{
    if (progress->total_seconds > 0) {
        double part = progress->seconds / progress->total_seconds;
        text_addf(line, "%3.0f %%  ", floor(100 * (part < 0 ? 0 : part > 1 ? 1 : part)));
    }
    style_add_clock(line, progress->seconds);
    if (progress->total_seconds > 0 && total) {
        text_add(line, " / ");
        style_add_clock(line, progress->total_seconds);
    }
    text_add(line, "  ");
}

void
show_progress(struct text *out, const struct style *style, const struct show_progress *progress)
{
    const unsigned known = style->columns ? style->columns : STYLE_COLUMNS;
    const unsigned most = (known < STYLE_COLUMNS ? known : STYLE_COLUMNS) - 1;
    struct text line;
    float loudest = 0;

    text_init(&line);
    add_place(&line, progress, true);
    if (text_columns(text_get(&line)) + LEVEL_COLUMNS > most) {
        text_clear(&line);
        add_place(&line, progress, false);
    }
    const unsigned used = (unsigned)text_columns(text_get(&line));
    style_add_limited(out, style, text_get(&line), most);
    text_clear(&line);
    if (progress->count && used + LEVEL_COLUMNS <= most) {
        const unsigned room = most - used - LEVEL_COLUMNS;
        for (uint32_t c = 0; c < progress->count; c++) {
            loudest = progress->levels[c] > loudest ? progress->levels[c] : loudest;
        }
        style_meters_short(out, style, progress->levels, progress->count, room < 42 ? room : 42);
        style_add_db(&line, (double)loudest);
        text_addf(out, " %5s dB", text_get(&line));
    }
    text_fini(&line);
}
