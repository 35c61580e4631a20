/* SPDX-License-Identifier: MIT */
/* What 'tutti latency' measured, for people. See show.h. */
#include "cli/show.h"

#include <inttypes.h>

static void
add_line(struct text *out, const char *name, int64_t frames, double rate_hz, bool sign)
{
    text_addf(out, sign ? "  %-12s %+8" PRId64 " frames  " : "  %-12s %8" PRId64 " frames  ", name,
              frames);
    if (rate_hz > 0) {
        text_addf(out, sign ? "%+9.3f ms" : "%9.3f ms", (double)frames * 1000 / rate_hz);
    }
}

static void
show_nothing(struct text *out, const struct style *style, const struct show_latency *latency)
{
    style_add(out, style, STYLE_BAD, "Nothing came back", 0);
    text_addf(out, " from output %u on input %u", latency->output, latency->input);
    if (latency->heard_peak > 0) {
        text_add(out, ": other sound was heard\n(peak ");
        style_add_db(out, latency->heard_peak);
        text_add(out, " dB), the test signal was not");
    } else {
        text_add(out, ": the input was silent");
    }
    text_addf(out,
              ".\nConnect output %u to input %u with a cable, turn direct monitoring off and "
              "the\ngain up, or name other channels with --output and --input.\n",
              latency->output, latency->input);
}

void
show_latency(struct text *out, const struct style *style, const struct show_latency *latency)
{
    int64_t reported =
        (int64_t)latency->input_latency_frames + (int64_t)latency->output_latency_frames;

    if (!latency->match.found) {
        show_nothing(out, style, latency);
        return;
    }
    text_addf(out, "Round trip from output %u to input %u, buffer %u, ", latency->output,
              latency->input, latency->buffer_frames);
    style_add_rate(out, latency->rate_hz);
    text_add(out, " Hz\n");
    add_line(out, "measured", (int64_t)latency->measured_frames, latency->rate_hz, false);
    text_add(out, "   heard at ");
    style_add_db(out, latency->match.gain);
    text_addf(out, " dB%s%s\n", latency->match.inverted ? ", polarity reversed" : "",
              latency->match.exact ? ", bit for bit" : "");
    add_line(out, "reported", reported, latency->rate_hz, false);
    text_addf(out, "   input %u + output %u\n", latency->input_latency_frames,
              latency->output_latency_frames);
    int64_t difference = (int64_t)latency->measured_frames - reported;
    add_line(out, "difference", difference, latency->rate_hz, true);
    text_add(out, "   ");
    if (difference == 0) {
        style_add(out, style, STYLE_GOOD, "exact", 0);
    } else {
        style_add(
            out, style, STYLE_WARN,
            difference > 0 ? "longer than reported: cable or device" : "shorter than reported", 0);
    }
    text_add(out, "\n");
    if (latency->lost_frames) {
        style_add(out, style, STYLE_WARN, "Blocks came late", 0);
        text_add(out, " while measuring (");
        style_add_ms(out, (double)latency->lost_frames, latency->rate_hz);
        text_add(out, " lost); try a larger --buffer.\n");
    }
}
